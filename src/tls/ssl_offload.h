/*
 * ssl_offload.h - a connection whose records are sealed and opened below it, by
 * a record_stream, once Mbed TLS has shaken hands. Not in MicroPython.
 *
 * Mbed TLS gives the connection up at a moment when it holds nothing: no byte
 * of a record that has not come or not left altogether, no plaintext that was
 * not read. Receiving goes first: as long as Mbed TLS receives it may have an
 * alert to send, and nobody could then seal that but itself.
 *
 * What the other types of records than data mean is decided here, as Mbed TLS
 * decides it.
 */
#ifndef TLS_SSL_OFFLOAD_H
#define TLS_SSL_OFFLOAD_H

#include "base/records.h"
#include "tls/ssl_keys.h"

struct ssl_socket;

struct ssl_offload {
    struct record_stream *to; /* borrowed: what lies below the socket */
    bool in, out;             /* whose records it has */
    bool over;                /* nothing more will be tried */
    struct err lack;          /* why it has not got them */
    struct ssl_secrets secrets;
    /* Of the peer's messages after the handshake: */
    unsigned char header[4];
    size_t header_len,
        left; /* bytes of it that are here; of the rest to come */
};

/**
 * From the end of the handshake on let records be `to`'s where that is
 * possible. To be called before the first byte moves.
 *
 * @param to  the lower stream of `sock`
 * @return 0, or -1: ERR_OS (ENOMEM)
 */
MUST_USE int ssl_socket_offload(struct ssl_socket *sock,
                                struct record_stream *to, struct err *err);

/* For ssl_socket.c; each may be called without an offload. */

/** The handshake is done: is this a moment to hand over? */
void ssl_offload_try(struct ssl_socket *s);

/** @return whether data and alerts are received, or sent, below */
bool ssl_offload_has_in(const struct ssl_socket *s);
bool ssl_offload_has_out(const struct ssl_socket *s);

/** As ssl_socket_read(), with ssl_offload_has_in(). */
ssize_t ssl_offload_read(struct ssl_socket *s, void *buf, size_t len,
                         struct err *err);

/** As ssl_socket_write(), with ssl_offload_has_out(). */
ssize_t ssl_offload_write(struct ssl_socket *s, const void *buf, size_t len,
                          struct err *err);

/** Send close_notify, with ssl_offload_has_out().
 * @return 0, or STREAM_ERROR, _WANT_WR */
int ssl_offload_end(struct ssl_socket *s, struct err *err);

/** Wipe and free it. */
void ssl_offload_free(struct ssl_offload *o);

#endif
