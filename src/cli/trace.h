/*
 * trace.h - --trace: the messages of a connection as they go by, and what each
 * cost; and -vv: what Mbed TLS says of itself.
 *
 * tls/ reads no clock, so the time is taken here: at each message, and whenever
 * the connection has its turn (conn_step) and gives it up. What passes during
 * its turns was computed, the rest waited for: for the peer and the network,
 * and in a server for other clients' turns.
 *
 * What printing a message takes is neither, but where it is the peer's move
 * then: after our message when the peer's is next, and when the turn ends. The
 * peer goes on meanwhile, so it is part of the wait.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdbool.h>

#include "cli/output.h"
#include "cli/tls_options.h"
#include "tls/ssl_socket.h"

struct trace {
    /* The caller's, all borrowed. */
    const struct output *out;
    struct ssl_socket *sock; /* wrapped, and not yet used */
    const char *peer;        /* whose address it is */
    bool many;               /* there are others, so each line names it */
    int64_t stood_us;        /* loop_now_us() when TCP did: times count from
                                there */
    int64_t mark_us;         /* up to when `cost` counts; at first when the
                                connection's first turn began */
    /* The trace's own. */
    bool on, hex;
    int color;
    bool ours;                  /* it is the connection's turn */
    bool was_out;               /* the last message was ours */
    int64_t printing_us;        /* that printing it took */
    struct waterfall_cost cost; /* since the last message */
    struct waterfall *shaking;  /* owned; NULL: over, or without memory */
};

/**
 * Is the value of --trace one that there is?
 *
 * @return 0, or -1: ERR_USAGE with the value
 */
MUST_USE int trace_check(const struct opt_optional *option, struct err *err);

/**
 * Begin, if it was asked for. It is the connection's turn.
 *
 * @param t  filled by the caller, in memory which must live as long as the
 *           socket; zeroed it is a trace that was not asked for
 */
void trace_begin(struct trace *t, const struct tls_options *options);

/** The connection's turn begins, or is over. */
void trace_turn(struct trace *t, bool ours);

/** The handshake is over: show what it cost. Once is enough. */
void trace_shaken(struct trace *t, bool done);

/** May be called twice. */
void trace_free(struct trace *t);

/** A ssl_debug (tls/ssl_context.h); `arg` is the struct output. */
void trace_debug(const void *arg, int level, const char *line);

#endif
