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

enum {
    PUMP_LANES = 2,
    PUMP_BUF = 65536 /* what a pipe holds, and four records of TLS */
};

/* What the end of `in` does. */
enum pump_on_eof {
    PUMP_HALF_CLOSE, /* end our sending, read on until the peer ends */
    PUMP_CLOSE,      /* end our sending, deliver what is here, and stop */
    PUMP_WAIT,       /* read on; our sending ends when the peer's has */
    PUMP_WAIT_EMPTY  /* PUMP_WAIT if `in` gave nothing at all, else
                        PUMP_HALF_CLOSE */
};

struct pump_lane {
    struct stream *src; /* borrowed */
    struct stream *dst; /* borrowed */
    size_t len;         /* bytes in buf */
    size_t pos;         /* of them, already written */
    uint64_t total;     /* bytes written in all */
    bool eof;           /* src has ended; dst is told next */
    bool done;          /* and dst has been told, or the lane has failed */
    bool cut;           /* src was given up before it had ended */
    bool gathers;       /* src gives records: several make one write */
    bool late;          /* src has failed, once what is in buf is written */
    struct err err;     /* why it failed */
    struct pollfd wait; /* what this lane waits for; events 0: nothing */
    unsigned char *buf; /* PUMP_BUF bytes; owned; NULL while there are none */
};

struct pump {
    struct pump_lane up;   /* local to peer */
    struct pump_lane down; /* peer to local */
    struct stream *wire;   /* borrowed, or NULL */
    enum pump_on_eof on_eof;
    bool local;
    bool stop_with_peer;
};

enum pump_result {
    PUMP_MOVED, /* something moved: step again before polling */
    PUMP_IDLE,  /* poll pump_wait()'s descriptors, then step again */
    PUMP_DONE,  /* both sides have ended, and all bytes are delivered */
    PUMP_FAILED /* *err says why; what came before it is delivered */
};

struct pump_config {
    /* What the peer's stream lies on, to see that the peer has gone for good
     * after it has ended its sending; NULL: cannot be seen. */
    struct stream *wire;
    enum pump_on_eof on_eof;
    /* It is a local socket, whose EPIPE says that the peer has closed, and not,
     * as of TCP, that bytes were lost. */
    bool local;
    /* The peer's end is the end, rather than waiting for more from `in`. */
    bool stop_with_peer;
};

/**
 * Make `p` ready to carry in → peer and peer → out; pump_free() is due in the
 * end. It has memory for bytes only while it has bytes.
 *
 * @param in      borrowed, as all streams
 * @param config  copied; NULL: no wire, PUMP_HALF_CLOSE, no stop_with_peer
 */
void pump_init(struct pump *p, struct stream *in, struct stream *peer,
               struct stream *out, const struct pump_config *config);

/**
 * As pump_init for the next peer, on a pump that carried one before: what was
 * read from `in` and not sent goes to this one. A zeroed pump will do, too.
 */
void pump_reuse(struct pump *p, struct stream *in, struct stream *peer,
                struct stream *out, const struct pump_config *config);

/** Free its memory, and the bytes in it; may be called twice. */
void pump_free(struct pump *p);

/**
 * Try each lane once, without blocking.
 *
 * Each end is passed on as it comes, so either side may end its sending first
 * and go on receiving. When the peer has ended, `in` goes on until it ends
 * too, or until it has nothing ready and the wire below the peer is closed or
 * stop_with_peer is set; up.cut tells that `in` was given up so.
 *
 * A lane that fails stops the other, but nothing that came is lost: when `in`
 * or sending to the peer fails, what the peer has already sent is delivered,
 * and a reason that the peer itself gives is then the one reported. A peer
 * that ends without close_notify (ERR_TRUNCATED) may still be reading, and
 * gets what `in` has ready.
 *
 * Without memory the lane fails with ERR_OS (ENOMEM), before it reads.
 *
 * A stream whose fd is -1 waits for what the other lane does: `in` and `out`
 * may be two ends of one thing in memory.
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
