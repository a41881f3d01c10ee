/*
 * records.h - a stream that may come to seal and open the records of TLS by
 * itself, as a socket does where the kernel can.
 *
 * It carries bytes as they are until it is given the keys of a direction, and
 * from then on, in that direction, what is in records (RFC 8446 5.1).
 */
#ifndef BASE_RECORDS_H
#define BASE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stream.h"

enum record_type { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };

/* What `read` may answer beside a STREAM_* value; nothing can follow. */
enum {
    RECORD_FORGED = -4, /* it is not what its sender sealed */
    RECORD_INVALID = -5 /* its header or its length is none */
};

enum record_cipher {
    RECORD_AES_128_GCM,
    RECORD_AES_256_GCM,
    RECORD_CHACHA20_POLY1305
};

/* Of one direction. */
struct record_keys {
    bool tls13; /* else TLS 1.2 */
    enum record_cipher cipher;
    unsigned char key[32];
    /* RFC 8446 5.3; in TLS 1.2 the salt of GCM and the explicit part of its
     * first nonce (RFC 5288 3). */
    unsigned char iv[12];
    uint64_t seq; /* of the next record */
};

struct record_stream;

struct record_ops {
    const char *name; /* of who it is that seals, e.g. "Linux" */
    /**
     * From the next byte on, in this direction: records.
     *
     * @param out  what is written
     * @return 0, or -1: *err says why not, and all is as it was
     */
    int (*begin)(struct record_stream *s, bool out,
                 const struct record_keys *keys, struct err *err);
    /**
     * Data, of one or more records, or one record of another type, or, if that
     * is longer than `len`, the next part of it.
     *
     * @param type  set to its record_type, where bytes are read
     * @return bytes read, 1..len, or a STREAM_* value, or RECORD_*
     */
    ssize_t (*read)(struct record_stream *s, unsigned char *type, void *buf,
                    size_t len, struct err *err);
    /** A write as of a stream, but that a retry may be of other bytes. Those
     * of one call do not share a record with those of the next. */
    ssize_t (*write)(struct record_stream *s, unsigned char type,
                     const void *buf, size_t len, struct err *err);
};

struct record_stream {
    struct stream stream; /* first; its `read`, once `begin` was called for what
                             is read, gives all there is, whatever its type */
    const struct record_ops *ops;
};

#endif
