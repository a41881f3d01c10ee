/*
 * serve_mode.h - what a server does with its clients' bytes, other than piping
 * them: the options for it, and the streams of one connection.
 */
#ifndef CLI_SERVE_MODE_H
#define CLI_SERVE_MODE_H

#include "cli/opt.h"
#include "io/service.h"
#include "report/report.h"

struct serve_mode_options {
    bool echo, discard, chargen;
    const char *reply;
};

/* The table; its offsets are in struct serve_mode_options. */
extern const struct opt serve_mode_opts[];

/* The mode of a server, for all its connections. */
struct serve_mode {
    const char *option; /* that chose it, "--echo"; NULL: the pipe */
    const struct serve_mode_options *options;
    unsigned char *reply; /* owned */
    size_t reply_len;
};

/**
 * Find out which mode it is, and read its file.
 *
 * @param o  borrowed
 * @return 0, or -1: ERR_USAGE for more than one mode; as file_read().
 *         serve_mode_free() is due in every case.
 */
MUST_USE int serve_mode_init(struct serve_mode *m,
                             const struct serve_mode_options *o,
                             struct err *err);

/** May be called twice. */
void serve_mode_free(struct serve_mode *m);

/* One connection of it, which must stay where it is: streams point into it. */
struct serve_link {
    struct stream *in;  /* in place of stdin */
    struct stream *out; /* in place of stdout */
    struct service service;
};

/**
 * Begin with a client, whose handshake is done.
 *
 * @param m  not the pipe; borrowed until the connection is over
 */
void serve_link_start(struct serve_link *link, const struct serve_mode *m);

#endif
