/*
 * serve_mode.h - what a server does with its clients' bytes, other than piping
 * them: the options for it, and the streams of one connection.
 */
#ifndef CLI_SERVE_MODE_H
#define CLI_SERVE_MODE_H

#include <poll.h>

#include "cli/child.h"
#include "cli/opt.h"
#include "io/service.h"
#include "report/report.h"

struct serve_mode_options {
    bool echo, discard, chargen;
    const char *reply, *exec, *sh;
};

/* The table; its offsets are in struct serve_mode_options. */
extern const struct opt serve_mode_opts[];

/* The mode of a server, for all its connections. */
struct serve_mode {
    const char *option; /* that chose it, "--echo"; NULL: the pipe */
    const struct serve_mode_options *options;
    unsigned char *reply; /* owned */
    size_t reply_len;
    char **argv; /* of the command; owned; NULL: there is none */
};

/**
 * Find out which mode it is, and read its file or its command.
 *
 * @param o  borrowed
 * @return 0, or -1: ERR_USAGE for more than one mode; as file_read() and
 *         words_split(). serve_mode_free() is due in every case.
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
    bool exec;
    struct child child; /* of `exec`; else over */
};

/**
 * Begin with a client, whose handshake is done.
 *
 * @param m  not the pipe; borrowed until the connection is over
 * @param r  what is known of the client, for a command
 * @return 0: `child` is to be left, and waited for, in the end; -1: as
 *         child_start(), or ERR_OS (ENOMEM)
 */
MUST_USE int serve_link_start(struct serve_link *link,
                              const struct serve_mode *m,
                              const struct report *r, struct err *err);

/**
 * What else to wait for, once `in` has ended: that `out` is of no more use.
 *
 * @param fd  room for one entry
 * @return how many are filled, 0 or 1
 */
nfds_t serve_link_watch(const struct serve_link *link, struct pollfd *fd);

/** @return whether `out` is of no more use to anyone */
bool serve_link_deaf(const struct serve_link *link);

/** Report how the command ended, once it has. */
void serve_link_report(const struct serve_link *link, struct report *r);

#endif
