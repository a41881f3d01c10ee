/*
 * service.h - the simple services of a server, as a pair of streams in memory
 * that stand in for stdin and stdout: echo (RFC 862), discard (RFC 863),
 * character generator (RFC 864), and the same reply to everyone.
 *
 * A service belongs to one connection. `in` is what the client gets and is only
 * read, `out` takes what comes from it and is only written and ended. They have
 * no descriptor: what one of them answers STREAM_WANT_* for comes about by a
 * call on the other, so whoever carries bytes tries both again when either has
 * moved, and polls fd -1, which is never ready, beside the client's own.
 */
#ifndef IO_SERVICE_H
#define IO_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stream.h"

enum service_kind {
    SERVICE_ECHO,    /* what comes goes back; ends when the client does */
    SERVICE_DISCARD, /* sends nothing; ends when the client does */
    SERVICE_CHARGEN, /* sends lines of 72 characters until the client ends */
    SERVICE_REPLY    /* sends its reply, whatever comes, and ends */
};

enum { SERVICE_BUF = 16384 }; /* bytes that echo holds at most: a record */

struct service;

struct service_end {
    struct stream stream; /* first, so that it is a stream */
    struct service *of;
};

struct service {
    struct service_end in, out;
    bool ended;                 /* no more will come from the client */
    const unsigned char *reply; /* borrowed */
    size_t reply_len;
    uint64_t pos;       /* bytes sent, of the reply or the characters */
    size_t start, len;  /* the part of `buf` that is to go back */
    unsigned char *buf; /* SERVICE_BUF bytes; owned; NULL: len is 0 */
};

/**
 * Make `s` ready for one client; service_free() is due in the end. It must stay
 * where it is from then on. No call of its streams fails, but for a write to
 * echo's `out`: ERR_OS (ENOMEM).
 *
 * `out` of echo answers STREAM_WANT_WR while its buffer is full, `in`
 * STREAM_WANT_RD while there is nothing to send.
 *
 * @param reply  SERVICE_REPLY: what to send; borrowed
 * @param len    its bytes, 0 or more
 */
void service_init(struct service *s, enum service_kind kind,
                  const unsigned char *reply, size_t len);

/** May be called twice. */
void service_free(struct service *s);

#endif
