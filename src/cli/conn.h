/*
 * conn.h - one TLS connection, from the first byte of the handshake to the
 * peer's close, as steps that never block.
 *
 * Whoever has it waits: session.c for one connection by poll, server.c for
 * many by libev. There is no state but struct conn, and nothing is printed
 * but warnings.
 */
#ifndef CLI_CONN_H
#define CLI_CONN_H

#include <poll.h>

#include "cli/output.h"
#include "cli/serve_mode.h"
#include "cli/tls_options.h"
#include "cli/trace.h"
#include "io/ktls.h"
#include "io/loop.h"
#include "io/pump.h"
#include "report/report.h"
#include "tls/ssl_socket.h"

enum { CONN_FDS_MAX = PUMP_LANES + 1 };

enum conn_state {
    CONN_DEFERRED,  /* waits for the first byte from either side */
    CONN_HANDSHAKE, /* until both Finished are in */
    CONN_READY,     /* conn_carry() or conn_settle() is due */
    CONN_STREAM,    /* application bytes */
    CONN_GOODBYE,   /* close_notify is on its way */
    CONN_COMMAND,   /* the command of serve --exec is to end */
    CONN_SETTLE,    /* in place of the stream: what the peer still says */
    CONN_LINGER,    /* what we sent is to be read before TCP goes */
    CONN_OVER       /* nothing is left but conn_report() and conn_free() */
};

enum conn_result {
    CONN_WAITS,  /* wait for conn_wait()'s descriptors, then step again */
    CONN_BUSY,   /* step again, after others have had their turn */
    CONN_SHAKEN, /* the handshake is done: the state is CONN_READY */
    CONN_ENDED   /* the state is CONN_OVER */
};

/* What a connection is to do; borrowed until conn_free(). */
struct conn_config {
    const struct tls_options *options;
    const struct output *out;
    const char *server_hostname; /* NULL: none */
    int local_fd;     /* a byte from it begins a deferred handshake; -1 */
    int64_t max_time; /* ms, of this connection; 0: no limit */
    bool many;        /* there are others: buffers are given up while it waits,
                         and what is traced says whose it is */
    bool handed_over; /* whoever gave us the peer's socket may have it still */
};

struct conn {
    enum conn_state state;
    const struct conn_config *config;
    struct tls_setup *setup; /* borrowed */
    struct stream *lower; /* the peer's socket: borrowed, or `ktls` over it */
    struct ktls ktls;
    struct ssl_socket sock;
    struct pump *pump;       /* borrowed; NULL: nothing was carried */
    struct serve_link *link; /* borrowed; NULL: it is no mode's */
    struct trace trace;
    struct err err;          /* how it ended; ERR_NONE: well */
    struct err unsaved;      /* the peer's certificates could not be kept */
    enum report_stage stage; /* how far it got */
    int64_t started_us;      /* as conn_init() was told */
    int64_t shaking_us;      /* the handshake began */
    int64_t handshake_us;    /* it took; -1: it is not done */
    struct loop_limit limit; /* of the present state */
    struct loop_limit all;   /* of the whole connection */
    int want;                /* STREAM_WANT_*, of the peer's stream */
    bool moved;              /* a byte, since `limit` began */
    bool owes_ack;           /* the handshake ended with the peer's flight, and
                                nothing was sent since */
    uint64_t seen;           /* bytes on the wire, when `rest_at_ms` was set */
    int64_t rest_at_ms;      /* the buffers are given up then; 0: not due */
    int64_t settle_ms;       /* of CONN_SETTLE; -1: something is carried */
    bool hurried;            /* the command was told to hurry */
    char cipher[SSL_CIPHER_NAME_MAX];
};

/**
 * Begin with a connected peer. No byte moves yet.
 *
 * @param c      the caller's memory, which must stay where it is;
 *               conn_free() is due in every case
 * @param setup  borrowed; its clock is read anew
 * @param lower  borrowed, non-blocking; the caller closes its descriptor
 *               after conn_free()
 * @param peer   its address, for --trace; borrowed
 * @param since  loop_now_us() when it was accepted, or when the way to it was
 *               begun, TCP and names included
 *
 * A failure is the connection's: conn_step() leads to its end.
 */
void conn_init(struct conn *c, const struct conn_config *config,
               struct tls_setup *setup, struct stream *lower, const char *peer,
               int64_t since);

/**
 * Go on as far as that is possible without waiting, and not for too long.
 * Limits that have passed end the connection here.
 */
enum conn_result conn_step(struct conn *c);

/**
 * After CONN_WAITS: what to wait for.
 *
 * @param fds       CONN_FDS_MAX entries
 * @param due_ms    set to when to step at the latest, on loop_now_ms()'s
 *                  clock; 0: never
 * @param awaiting  set to a noun for messages; static
 * @return how many of `fds` are filled
 */
nfds_t conn_wait(const struct conn *c, struct pollfd *fds, int64_t *due_ms,
                 const char **awaiting);

/**
 * In CONN_READY: carry in → peer and peer → out, then say goodbye, and end.
 *
 * @param pump  pump_init() or pump_reuse() was called on it
 * @param link  whose streams they are; its child is left and waited for;
 *              NULL: no mode's
 */
void conn_carry(struct conn *c, struct pump *pump, struct serve_link *link);

/**
 * In CONN_READY, in place of carrying: send close_notify, and hear what the
 * peer still has to say. In TLS 1.3 a server looks at our certificate only
 * after we are done (RFC 8446 4.4.2), and sends its tickets then.
 *
 * What comes is dropped, and neither the peer's end, with or without
 * close_notify, nor its silence is a failure; a fatal alert is, and what is no
 * TLS.
 *
 * @param ms  how long at most, 0: not at all; the peer's end comes before that
 *            as a rule
 */
void conn_settle(struct conn *c, int64_t ms);

/** It has failed for a reason of ours, in CONN_READY. */
void conn_fail(struct conn *c, const struct err *why);

/** @return whether a signal, or the end of the run's time, matters to it yet:
 * its last words have limits of their own */
bool conn_stoppable(const struct conn *c);

/**
 * A signal came, or the run's time is over: end it. The peer is told so, for a
 * moment; a command that is waited for is hurried. Harmless when called later
 * than it matters.
 */
void conn_stop(struct conn *c, const struct err *why);

/** @return whether there is nothing to say but that it is over: it has not
 * failed, nor has anything beside it, a command least of all */
bool conn_went_well(const struct conn *c);

/**
 * What is known of it by now, but for what conn_diagnose() finds out; not
 * touched are command, target, peer, local and connect_us, nor `tls` while
 * there is nobody to tell of a success, or not all of it while that is a line.
 *
 * @param r  it points into `c`
 */
void conn_report(struct conn *c, struct report *r);

/** After conn_report(): find out why, and what each end offered; of a success
 * only where it is told. */
void conn_diagnose(struct conn *c, struct report *r);

/** Free all that it holds; the peer's socket stays open. */
void conn_free(struct conn *c);

#endif
