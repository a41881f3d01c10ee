/*
 * trace.h - --trace: the messages of a connection as they go by, and -vv: what
 * Mbed TLS says of itself.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdbool.h>

#include "cli/output.h"
#include "tls/ssl_socket.h"

struct trace {
    const struct output *out;
    const struct ssl_socket *sock;
    const char *peer; /* borrowed */
    bool many, hex;
    int64_t started_us;
};

/**
 * Is the value of --trace one that there is?
 *
 * @return 0, or -1: ERR_USAGE with the value
 */
MUST_USE int trace_check(const struct opt_optional *option, struct err *err);

/**
 * Begin, if it was asked for; times count from here.
 *
 * @param t     the caller's memory, which must live as long as `sock`
 * @param sock  wrapped, and not yet used
 * @param peer  whose address it is; borrowed as long
 * @param many  there are others at the same time, so each line names it
 */
void trace_begin(struct trace *t, const struct opt_optional *option,
                 const struct output *out, struct ssl_socket *sock,
                 const char *peer, bool many);

/** A ssl_debug (tls/ssl_context.h); `arg` is the struct output. */
void trace_debug(const void *arg, int level, const char *line);

#endif
