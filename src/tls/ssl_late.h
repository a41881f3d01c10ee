/*
 * ssl_late.h - bytes as they went over the wire, kept to be looked at later, if
 * anybody asks.
 *
 * Most connections go well and nobody is told of them. What their handshake was
 * like is then never found out, which for TLS 1.3 saves deriving four keys and
 * opening half a dozen records.
 */
#ifndef TLS_SSL_LATE_H
#define TLS_SSL_LATE_H

#include "base/bytes.h"

enum {
    SSL_LATE_MAX = 16384,      /* bytes of one connection */
    SSL_LATE_ALL = 1024 * 1024 /* of all together, when nobody keeps more */
};

/* Zeroed, it has nothing. */
struct ssl_late {
    struct bytes bytes;
};

/**
 * Keep bytes behind those that are here.
 *
 * @param out  they are from us
 * @return whether they are kept; not if that were too many, or without memory
 */
bool ssl_late_keep(struct ssl_late *l, bool out, const unsigned char *buf,
                   size_t len);

/**
 * What was kept, in its order.
 *
 * @param at   0 at first; moved on
 * @param len  set to the bytes of this piece
 * @return the piece, owned by `l`; NULL past the last
 */
const unsigned char *ssl_late_next(const struct ssl_late *l, size_t *at,
                                   bool *out, size_t *len);

/** May be called twice. */
void ssl_late_free(struct ssl_late *l);

#endif
