/*
 * forward.h - a plain connection to somewhere else, as the pair of streams that
 * a client is carried to and from (io/pump.h).
 *
 * It is made by the first call of either stream, without blocking: each answers
 * STREAM_WANT_WR until it stands. Ends are passed on in both directions.
 */
#ifndef IO_FORWARD_H
#define IO_FORWARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/stream.h"
#include "io/fd_stream.h"
#include "io/loop.h"

enum { FORWARD_ADDRS_MAX = 16, FORWARD_NAME_MAX = 128 };

struct forward_addr {
    struct sockaddr_storage sa;
    socklen_t len;
};

/* Where to, for all connections. */
struct forward_target {
    char name[FORWARD_NAME_MAX]; /* as it was given, for messages; cut */
    size_t n;
    struct forward_addr addr[FORWARD_ADDRS_MAX];
};

struct forward;

struct forward_end {
    struct stream stream; /* first, so that it is a stream */
    struct forward *of;
};

/* One connection. */
struct forward {
    struct forward_end in, out;
    const struct forward_target *to; /* borrowed */
    struct fd_stream socket;         /* its fd is owned; -1: none */
    bool standing;                   /* it is connected */
    bool failed;                     /* one of its streams has failed */
    size_t next;                     /* the address to try after this one */
    int why;                         /* errno of the first that failed */
    int64_t timeout_ms, due_ms;      /* for connecting; 0: none */
};

/**
 * Read "HOST:PORT", "[IPV6]:PORT" or "unix:PATH", and look the name up, once
 * and for all.
 *
 * @param limit  for the look-up
 * @return 0, or -1: ERR_USAGE as net_parse_target(), or for a path that is
 * empty or too long; else as resolve()
 */
MUST_USE int forward_target_init(struct forward_target *t, const char *text,
                                 const struct loop *l,
                                 const struct loop_limit *limit,
                                 struct err *err);

/**
 * Make `f` ready for one client; forward_close() is due in the end. It must
 * stay where it is. No byte moves yet.
 *
 * Until it stands both streams fail with ERR_NET (errno; of several addresses,
 * tried one after the other, the first one's) or ERR_TIMEOUT, and one of them
 * is to be called again at due_ms at the latest; after that with ERR_NET.
 *
 * @param timeout_ms  for all addresses together; 0: none
 */
void forward_init(struct forward *f, const struct forward_target *t,
                  int64_t timeout_ms);

/**
 * Go on connecting, before a byte moves.
 *
 * @return 0: it stands, now or before, and `socket` is the stream;
 *         STREAM_WANT_WR: poll socket.stream.fd, until due_ms at the latest;
 *         STREAM_ERROR as above
 */
int forward_stand(struct forward *f, struct err *err);

/** May be called twice. */
void forward_close(struct forward *f);

#endif
