/*
 * pump.h - two lanes of bytes between three streams: stdin to the peer, the
 * peer to stdout.
 *
 * A lane drains or fills, never both, so a write that has to be made again
 * keeps its length; and every step tries the streams first, so plaintext that
 * the TLS layer holds, and poll cannot see, is never waited for.
 */
#ifndef IO_PUMP_H
#define IO_PUMP_H

#include <poll.h>
#include <stdbool.h>

#include "base/stream.h"

enum { PUMP_LANES = 2, PUMP_BUF = 16384 };

struct pump_lane {
    struct stream *src; /* borrowed */
    struct stream *dst; /* borrowed */
    size_t len;         /* bytes in buf */
    size_t pos;         /* of them, already written */
    bool eof;           /* src has ended; dst is told next */
    bool done;          /* and dst has been told */
    struct pollfd wait; /* what this lane waits for; events 0: nothing */
    unsigned char buf[PUMP_BUF];
};

struct pump {
    struct pump_lane up;   /* local to peer */
    struct pump_lane down; /* peer to local */
};

enum pump_result {
    PUMP_MOVED,  /* something moved: step again before polling */
    PUMP_IDLE,   /* poll pump_wait()'s descriptors, then step again */
    PUMP_DONE,   /* the peer has ended and its bytes are delivered */
    PUMP_FAILED, /* *err says why; what came before it is delivered */
};

/** Make `p` ready to carry in → peer and peer → out; all borrowed. */
void pump_init(struct pump *p, struct stream *in, struct stream *peer,
               struct stream *out);

/**
 * Try each lane once, without blocking.
 *
 * The end of `in` is passed on as the end of our sending (TLS: close_notify)
 * and reading goes on; the end of the peer ends the pump even while `in` is
 * open. After a failure of the upward lane the downward one
 * writes what it holds until its stream would block; the rest is lost.
 */
enum pump_result pump_step(struct pump *p, struct err *err);

/**
 * After PUMP_IDLE: what to wait for.
 *
 * @param fds  room for PUMP_LANES entries
 * @return how many are filled, 0..PUMP_LANES
 */
nfds_t pump_wait(const struct pump *p, struct pollfd *fds);

#endif
