/*
 * session.h - one connection from TCP to its report: handshake, pipe, close.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/output.h"
#include "cli/tls_options.h"
#include "io/loop.h"
#include "io/net.h"
#include "report/report.h"

struct session {
    const struct tls_options *options;
    struct tls_setup *setup;
    const struct loop *loop;
    const char *server_hostname; /* NULL: none; connect only */
    bool keep_stdout;            /* the peer's end is not to close stdout */
    int64_t started_us;          /* of the run, or of the accepted client */
};

/** A report with nothing done yet. */
void session_report_init(struct report *r, const char *command,
                         const char *target);

/**
 * Shake hands, pipe stdin and stdout, close.
 *
 * @param fd    a connected socket; closed here
 * @param path  how it was reached
 * @param out   told as soon as the handshake is done
 * @param r     filled, r->err included; it points into `path` and `s`
 */
void session_run(const struct session *s, int fd, const struct net_path *path,
                 const struct output *out, struct report *r);

/**
 * Say what the user should know before secrets are written to a file, and from
 * here on with -vv what Mbed TLS says.
 *
 * @param out  borrowed by the context
 */
void session_warn(struct tls_setup *setup, const struct tls_options *options,
                  const struct output *out);

/**
 * Print the report. A stdout that is closed ends the process by SIGPIPE, as it
 * does other filters, and silently but for JSON.
 *
 * @return the exit status
 */
int session_end(const struct output *out, struct report *r);

#endif
