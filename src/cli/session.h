/*
 * session.h - one connection from TCP to its report: handshake, pipe or not,
 * close. A process has one at a time.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/output.h"
#include "cli/print_cadata.h"
#include "cli/tls_options.h"
#include "io/loop.h"
#include "io/net.h"
#include "report/report.h"
#include "tls/ssl_verify.h"

struct session {
    const struct tls_options *options;
    struct tls_setup *setup;
    const struct loop *loop;
    const char *server_hostname; /* NULL: none; connect only */
    struct cadata *cadata;       /* filled; NULL: not wanted */
    bool keep_stdout;            /* the peer's end is not to close stdout */
    int64_t max_time;            /* ms, of this connection; 0: no limit */
    int64_t started_us;          /* of the run, or of the accepted client */
};

/** A report with nothing done yet. */
void session_report_init(struct report *r, const char *command,
                         const char *target);

/**
 * Shake hands.
 *
 * @param fd    a connected socket, which the session owns from here on
 * @param path  how it was reached
 * @param out   told as soon as the handshake is done
 * @param r     filled; it points into `path` and `s`
 * @return 0, or -1: r->err says why. session_close() is due in every case.
 */
MUST_USE int session_open(const struct session *s, int fd,
                          const struct net_path *path, const struct output *out,
                          struct report *r);

/**
 * Pipe stdin and stdout, and send close_notify.
 *
 * @param r  r->err says why it ended early
 */
void session_pipe(const struct session *s, struct report *r);

/**
 * In place of piping: conn_settle().
 *
 * @param r   r->err is set by a fatal alert, by what is no TLS, by a signal
 */
void session_settle(const struct session *s, int64_t ms, struct report *r);

/** Close, and complete the report. */
void session_close(const struct session *s, struct report *r);

/** session_open(), _pipe() and _close(). */
void session_run(const struct session *s, int fd, const struct net_path *path,
                 const struct output *out, struct report *r);

/**
 * Say what the user should know before secrets are written to a file, and from
 * here on with -vv what Mbed TLS says. Where nobody is told what it takes of
 * the heap, other code may help it.
 *
 * @param out  borrowed by the context
 */
void session_warn(struct tls_setup *setup, const struct tls_options *options,
                  const struct output *out);

/** Say so if there are CRLs and, in this path, nothing to look up in them. */
void session_warn_crl(const struct ssl_verify *v, const struct output *out);

/**
 * Print the report. A stdout that is closed ends the process by SIGPIPE, as it
 * does other filters, and silently but for JSON.
 *
 * @return the exit status
 */
int session_end(const struct output *out, struct report *r);

#endif
