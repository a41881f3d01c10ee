/*
 * serve_mode.h - what a server does with its clients' bytes, other than piping
 * them: the options for it, and the streams of one connection.
 */
#ifndef CLI_SERVE_MODE_H
#define CLI_SERVE_MODE_H

#include <poll.h>

#include "cli/child.h"
#include "cli/opt.h"
#include "cli/output.h"
#include "cli/tls_options.h"
#include "io/forward.h"
#include "io/http.h"
#include "io/service.h"
#include "report/report.h"

struct serve_mode_options {
    bool echo, discard, chargen, http;
    const char *reply, *exec, *sh, *forward;
    int64_t connect_timeout; /* ms, for forward; 0: none */
};

#define SERVE_MODE_OPTIONS_INIT                                                \
    { .connect_timeout = TLS_CONNECT_TIMEOUT }

/* The table; its offsets are in struct serve_mode_options. */
extern const struct opt serve_mode_opts[];

/* The mode of a server, for all its connections. */
struct serve_mode {
    const char *option; /* that chose it, "--echo"; NULL: the pipe */
    const struct serve_mode_options *options;
    const struct output *out; /* borrowed: what judges for the page of http */
    unsigned char *reply;     /* owned */
    size_t reply_len;
    char **argv; /* of the command; owned; NULL: there is none */
    struct forward_target target; /* of forward */
};

/**
 * Find out which mode it is, and read its file or its command, or look up where
 * it leads to. Blocks; the signals should still have their default actions.
 *
 * @param o    borrowed
 * @param out  borrowed
 * @return 0, or -1: ERR_USAGE for more than one mode; as file_read(),
 *         words_split() and forward_target_init(). serve_mode_free() is due in
 *         every case.
 */
MUST_USE int serve_mode_init(struct serve_mode *m,
                             const struct serve_mode_options *o,
                             const struct output *out, struct err *err);

/** May be called twice. */
void serve_mode_free(struct serve_mode *m);

/** @return what is known of the client by now; borrowed */
typedef struct report *serve_link_known(void *arg);

/* One connection of it, which must stay where it is: streams point into it. */
struct serve_link {
    struct stream *in;             /* in place of stdin */
    struct stream *out;            /* in place of stdout */
    const struct serve_mode *mode; /* borrowed */
    serve_link_known *known;       /* for the page of `http` */
    void *known_arg;
    bool exec; /* there is a command, which is `child` */
    union {    /* by the mode */
        struct service service;
        struct http http;
        struct child child;
        struct forward forward;
    };
};

/**
 * Begin with a client, whose handshake is done.
 *
 * @param m  not the pipe; borrowed until the connection is over
 * @param known  borrowed with its argument until the connection is over
 * @return 0: in the end `child` is to be left, and waited for, and
 *         serve_link_end() called; -1: as child_start(), or ERR_OS (ENOMEM)
 */
MUST_USE int serve_link_start(struct serve_link *link,
                              const struct serve_mode *m,
                              serve_link_known *known, void *arg,
                              struct err *err);

/**
 * What else to wait for, once `in` has ended: that `out` is of no more use.
 *
 * @param fd  room for one entry
 * @return how many are filled, 0 or 1
 */
nfds_t serve_link_watch(const struct serve_link *link, struct pollfd *fd);

/** @return whether `out` is of no more use to anyone */
bool serve_link_deaf(const struct serve_link *link);

/** @return when to call the streams again, on loop_now_ms()'s clock; 0: never
 */
int64_t serve_link_due(const struct serve_link *link);

/**
 * @return whether it was our end that failed, so that what the client got is
 *         not to look whole
 */
bool serve_link_failed(const struct serve_link *link);

/**
 * Free what it holds, after the command, if there is one, is over; may be
 * called twice.
 */
void serve_link_end(struct serve_link *link);

/**
 * Say how its command ended, and that a connection to somewhere else did not
 * come about; may be called at any time after serve_link_start().
 */
void serve_link_report(const struct serve_link *link, struct report *r);

#endif
