/*
 * server.h - many clients at once, each a connection of a mode's (conn.h), in
 * one process, on libev.
 */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "cli/access_log.h"
#include "cli/opt.h"
#include "cli/output.h"
#include "cli/reload.h"
#include "cli/serve_mode.h"
#include "cli/tls_options.h"
#include "io/forward.h"
#include "io/loop.h"
#include "io/net.h"
#include "report/report.h"

/* As the command line gave them; SERVER_OPTIONS_INIT where it did not. */
struct server_options {
    unsigned max_conns;    /* 0: as many as there are descriptors */
    int64_t conn_max_time; /* ms, of one connection; 0: none */
    int64_t drain_timeout; /* ms; 0: SIGTERM ends it at once */
    unsigned workers;      /* 0: this process alone */
};

enum { SERVER_DRAIN_TIMEOUT = 5000 }; /* ms */

#define SERVER_OPTIONS_INIT                                                    \
    { .drain_timeout = SERVER_DRAIN_TIMEOUT }

/* The table; its offsets are in struct server_options. */
extern const struct opt server_opts[];

/* Where the clients of a tunnel are taken, over TLS. */
struct server_tunnel {
    struct forward_target target;
    int64_t connect_timeout; /* ms; 0: none */
    const char *server_hostname;
};

/* What a server is made of; all is borrowed while it runs. */
struct server_config {
    const char *command; /* for reports */
    const struct server_options *limits;
    const struct tls_options *tls;
    const struct output *out;
    const struct serve_mode *mode;      /* not the pipe; NULL with `tunnel` */
    const struct server_tunnel *tunnel; /* NULL: the clients speak TLS */
    struct reload *files;
    const struct loop *loop; /* signals, and the time of the run */
    struct net_listener *listener;
    struct access_log *log;
    int accepted;       /* a connection in place of the listener; -1: none */
    int notify;         /* io/notify.h; -1: nobody wants to know */
    const char *target; /* for reports */
    bool once;          /* one client is all */
    bool worker;        /* the parent reports a signal or --max-time */
};

/**
 * Is the descriptor of --ready-fd open? To be asked before we open any: one
 * that is closed would become one of ours.
 *
 * @param ready_fd  0: none
 * @return 0, or -1: ERR_USAGE
 */
MUST_USE int server_check_ready(unsigned ready_fd, struct err *err);

/**
 * Say where it listens, and write the first address to a descriptor, which is
 * then closed.
 *
 * @param ready_fd  0: none
 * @return 0, or -1: ERR_OS
 */
MUST_USE int server_tell(const struct net_listener *l, const struct output *out,
                         unsigned ready_fd, struct err *err);

/** reload_now(), and tell the service manager. */
MUST_USE int server_reload(struct reload *files, int notify, struct err *err);

/**
 * Serve, and report each client. A tunnel connects for each, shakes hands, and
 * carries bytes and ends both ways; a client whose connection fails is reset,
 * so that it cannot take that for an end.
 *
 * SIGTERM closes the listeners, and gives the clients drain_timeout to end by
 * themselves; after that, as after SIGINT, they get close_notify. With `once`
 * there is nothing to drain.
 *
 * No descriptor or memory for a new client is no failure: those that have come
 * wait until there is some, as they do for max_conns.
 *
 * @param r  what the end of the server itself is reported in: ERR_SIGNAL,
 *           ERR_MAX_TIME, or ERR_NET of a listener, ERR_OS of the event loop
 * @return the exit status: of that, or, with `once`, of the client; 0 for what
 *         a parent reports
 */
int server_run(const struct server_config *config, struct report *r);

#endif
