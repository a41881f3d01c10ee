/*
 * stream.h - the non-blocking byte stream that everything is stacked on.
 *
 * MicroPython: the stream protocol (read, write, ioctl). Differs: end of
 * stream, failure and both directions of waiting are told apart by the value.
 */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum {
    STREAM_EOF = 0,      /* read: no more bytes will come */
    STREAM_ERROR = -1,   /* *err says why; the stream is finished */
    STREAM_WANT_RD = -2, /* poll the stream's fd for reading, call again */
    STREAM_WANT_WR = -3  /* poll the stream's fd for writing, call again */
};

struct stream;

struct stream_ops {
    /** @return bytes read, 1..len, or a STREAM_* value */
    ssize_t (*read)(struct stream *s, void *buf, size_t len, struct err *err);
    /**
     * A call that answered STREAM_WANT_* must be made again with the same
     * bytes and the same len: Mbed TLS has already sealed them in a record.
     *
     * @return bytes taken, 1..len, or STREAM_ERROR, _WANT_RD, _WANT_WR
     */
    ssize_t (*write)(struct stream *s, const void *buf, size_t len,
                     struct err *err);
    /**
     * No more bytes from us (TCP: shutdown; TLS: close_notify).
     *
     * @return 0, or STREAM_ERROR, _WANT_RD, _WANT_WR
     */
    int (*end)(struct stream *s, struct err *err);
};

struct stream {
    const struct stream_ops *ops;
    int fd;    /* what to poll; borrowed; -1 if there is none */
    bool more; /* set for a write that another follows at once, so that whoever
                  reads need not be woken for this one */
    bool held; /* bytes are here to be read that poll cannot see */
};

#endif
