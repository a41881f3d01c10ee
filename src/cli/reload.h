/*
 * reload.h - a server's context, made anew from its files at SIGHUP.
 */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include "cli/output.h"
#include "cli/tls_options.h"

struct reload {
    struct tls_setup *setup; /* for the next client; owned */
    const struct tls_options *options;
    const struct output *out;
    int fd; /* readable: reload_now() is due; -1: never */
};

/**
 * Read the files for the first time.
 *
 * @param r        the caller's memory; reload_free() is due in every case
 * @param options  borrowed, and `out` as well
 * @param on_hup   whether SIGHUP is to mean that; else it ends the process
 * @return 0, or -1 as tls_setup_init(), and ERR_OS
 */
MUST_USE int reload_init(struct reload *r, const struct tls_options *options,
                         const struct output *out, bool on_hup,
                         struct err *err);

/**
 * Read them again, and say what came of it. If anything is wrong with them, the
 * old setup stays.
 *
 * @return 0, whether there is one or not; -1: ERR_SIGNAL, since the terminal is
 *         gone and that is what the SIGHUP was about
 */
MUST_USE int reload_now(struct reload *r, struct err *err);

/** @return the setup for the next client, there until reload_put() */
struct tls_setup *reload_take(struct reload *r);

/** It goes with the last who has it, if it is not the next client's. */
void reload_put(struct tls_setup *s);

/** May be called twice. */
void reload_free(struct reload *r);

#endif
