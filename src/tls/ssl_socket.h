/*
 * ssl_socket.h - a TLS connection: a stream stacked on a stream.
 *
 * MicroPython: SSLSocket, what SSLContext.wrap_socket() returns. Nothing
 * blocks: where MicroPython returns None or waits, these answer
 * STREAM_WANT_RD or STREAM_WANT_WR, and the caller polls and calls again.
 *
 * Mbed TLS seals a record at the first try of a write and loses data if the
 * retry has another length, so the retry duty of base/stream.h holds here, and
 * it may hold plaintext that poll cannot see, so read before waiting.
 *
 * Failures of every function: ERR_ALERT (the peer's fatal alert), ERR_VERIFY
 * (its chain refused; the code has the flags), ERR_TLS (any other protocol
 * failure), ERR_DEVICE (a limit of the context's device, after which nothing
 * goes on), ERR_TRUNCATED (read only), and whatever the lower stream reports.
 */
#ifndef TLS_SSL_SOCKET_H
#define TLS_SSL_SOCKET_H

#include "base/bytes.h"
#include "base/stream.h"
#include "tls/compat.h"
#include "tls/ssl_context.h"
#include "tls/ssl_offload.h"
#include "tls/ssl_tap.h"
#include "tls/ssl_verify.h"

enum { SSL_PEEK_MAX = 32 };

struct ssl_socket {
    struct stream stream; /* first, so that an ssl_socket is a stream */
    struct stream *lower;
    struct ssl_context *ctx;
    mbedtls_ssl_context ssl;
    struct compat_rest rest;
    struct bytes flight; /* what the handshake has said and held back */
    size_t flight_at;    /* bytes of it that have left */
    bool holds;          /* what is sent goes there */
    bool corked;         /* what was written last was said not to be all */
    char server_hostname[SSL_NAME_MAX];
    bool name_checked;
    bool quick; /* as the context's, and its device has no limit of the heap */
    bool handshake_done;
    bool pin_refused; /* the peer's key is not pinned: nothing goes on */
    bool got_data;    /* application bytes have come */
    bool close_notify_begun, close_notify_sent, close_notify_received;
    bool cert_refused;    /* the peer's alert was about our certificate */
    struct err lower_err; /* why the lower stream failed */
    bool lower_ended;
    unsigned char peek[SSL_PEEK_MAX]; /* the first bytes that came */
    size_t peek_len;
    struct ssl_tap tap;
    struct ssl_heap_account *heap; /* NULL: not counted */
    size_t out_seen; /* bytes that the tap was shown and that have not left */
    size_t record_left; /* bytes of the last record of data, not read yet */
    uint64_t wire_in, wire_out;
    unsigned reads;              /* of the lower stream, in this call */
    struct ssl_offload *offload; /* owned; NULL: none is wanted */
    struct ssl_verify verify;
};

/**
 * What ssl_context_wrap_socket() demands of a name, to know it before there is
 * a socket.
 *
 * @return 0, or -1: ERR_USAGE
 */
MUST_USE int ssl_socket_check_hostname(const struct ssl_context *ctx,
                                       const char *server_hostname,
                                       struct err *err);

/**
 * Make `sock` a TLS connection over `lower`. No byte moves yet.
 *
 * MicroPython: SSLContext.wrap_socket(sock, server_side=,
 * do_handshake_on_connect=, server_hostname=). Differs: the role is the
 * context's; the handshake is ssl_socket_do_handshake(), or happens inside the
 * first read, write or end (do_handshake_on_connect=False); no SNI is sent for
 * an address (RFC 6066 3); '' waives the name check of CERT_REQUIRED.
 *
 * @param sock   the caller's memory; may be freed whatever is returned
 * @param lower  borrowed, and must outlive `sock`
 * @param server_hostname  for SNI and the name check; NULL: none; copied.
 *        A name with bytes over 0x7f is refused: use its A-labels (xn--).
 * @return 0, or -1: ERR_USAGE for a bad name, or none where the mode is
 *         CERT_REQUIRED on a client; ERR_TLS; ERR_DEVICE
 */
MUST_USE int ssl_context_wrap_socket(struct ssl_context *ctx,
                                     struct ssl_socket *sock,
                                     struct stream *lower,
                                     const char *server_hostname,
                                     struct err *err);

/**
 * One call from bytes to a connection.
 *
 * MicroPython: ssl.wrap_socket(). Differs: `do_handshake` cannot block, so
 * with it the handshake is tried once, and the caller goes on with
 * ssl_socket_do_handshake() until that is done.
 *
 * @param ctx   made here by ssl_wrap_context(), unless the caller has done so
 *              from the same arguments, to know what is wrong with them or to
 *              wrap several sockets; zeroed before; to be freed after `sock`
 * @return 0, or -1 as ssl_wrap_context and ssl_context_wrap_socket, or, with
 *         do_handshake, as the handshake. Both frees are due in every case.
 */
MUST_USE int ssl_wrap_socket(struct ssl_context *ctx, struct ssl_socket *sock,
                             struct stream *lower,
                             const struct ssl_wrap_args *args, struct err *err);

/**
 * Go on with the handshake. What it sends before the peer's turn leaves in one
 * write. Where `stream.more` is set, the lower stream is told of the last of
 * these that more will follow.
 *
 * MicroPython: do_handshake_on_connect=True does this inside wrap_socket.
 *
 * @return 0: done, now or before; STREAM_WANT_RD, STREAM_WANT_WR; STREAM_ERROR
 */
MUST_USE int ssl_socket_do_handshake(struct ssl_socket *sock, struct err *err);

/**
 * MicroPython: SSLSocket.read(n), on a non-blocking socket. Differs: a peer
 * that closes without close_notify is ERR_TRUNCATED, unless the context's
 * allow_truncation is set.
 *
 * @return bytes read, or STREAM_EOF (the peer's close_notify; stays so), or a
 *         STREAM_* value
 */
ssize_t ssl_socket_read(struct ssl_socket *sock, void *buf, size_t len,
                        struct err *err);

/**
 * MicroPython: SSLSocket.write(buf). At most one record is taken; the lower
 * stream is told that more will follow at once if that is not all.
 *
 * @param len  1 or more
 * @return bytes taken, or a STREAM_* value
 */
ssize_t ssl_socket_write(struct ssl_socket *sock, const void *buf, size_t len,
                         struct err *err);

/**
 * Send close_notify, after which reading may go on (RFC 8446 6.1). After the
 * peer's the lower stream is told that more will follow: its own end.
 *
 * MicroPython: close() sends none; with the context's no_close_notify only the
 * lower stream is ended.
 *
 * @return 0: sent, now or before; STREAM_WANT_RD, _WANT_WR; STREAM_ERROR
 */
int ssl_socket_end(struct ssl_socket *sock, struct err *err);

/**
 * Hold as little memory as possible until the next call: the peer is waited
 * for, and may be for hours. The buffers of the records, 33 kB, are given up if
 * nothing is in them, and come back by themselves; where there is no memory for
 * that, that call fails with ERR_TLS (MBEDTLS_ERR_SSL_ALLOC_FAILED).
 *
 * Not in MicroPython.
 */
void ssl_socket_rest(struct ssl_socket *sock);

/** Free all that `sock` holds, sending nothing; may be called twice. */
void ssl_socket_free(struct ssl_socket *sock);

/**
 * MicroPython: SSLSocket.cipher(). Differs: NULL before the handshake, where
 * MicroPython crashes.
 *
 * @param version  set to "TLSv1.2" or "TLSv1.3", static; not NULL
 * @param buf      SSL_CIPHER_NAME_MAX bytes
 * @return buf with the IANA name, or NULL
 */
const char *ssl_socket_cipher(const struct ssl_socket *sock,
                              const char **version, char *buf);

/**
 * MicroPython: SSLSocket.getpeercert(True).
 *
 * @param len  set to the bytes of the certificate
 * @return the peer's own certificate in DER, owned by `sock`; NULL if it sent
 *         none, or the handshake is not done
 */
const unsigned char *ssl_socket_getpeercert(const struct ssl_socket *sock,
                                            size_t *len);

/**
 * A certificate of the peer's Certificate message, also of one that was
 * refused; not in MicroPython.
 *
 * @param i    0: the peer's own
 * @param len  set to the bytes of its DER
 * @return the DER, owned by `sock`; NULL past the last
 */
const unsigned char *ssl_socket_sent_certificate(struct ssl_socket *sock,
                                                 size_t i, size_t *len);

/**
 * Be told of each message; to be called before the first byte moves. Not in
 * MicroPython.
 *
 * @param listener  borrowed with its argument until `sock` is freed
 */
void ssl_socket_listen(struct ssl_socket *sock, ssl_tap_listener *listener,
                       void *arg);

/**
 * What a handshake that has not ended is waiting for; not in MicroPython.
 *
 * @return e.g. "the server's ServerHello"; static
 */
const char *ssl_socket_awaiting(const struct ssl_socket *sock);

/**
 * Fill the report; may be called at any time, also after a failure.
 *
 * @param buf  SSL_CIPHER_NAME_MAX bytes, where info->cipher will point
 */
void ssl_socket_info(struct ssl_socket *sock, struct ssl_info *info, char *buf);

/**
 * The same without what the records have to tell, which need not be looked at
 * then: version, cipher and certificates, and how they were judged.
 */
void ssl_socket_summary(const struct ssl_socket *sock, struct ssl_info *info,
                        char *buf);

/**
 * Find out why, after a handshake or a failure: the chain as it was sent, what
 * each end offers, and findings (tls/ssl_diagnose.h).
 *
 * @param e     how it ended; ERR_NONE: well, of which there may be notes
 * @param info  filled by ssl_socket_info(); added to
 */
void ssl_socket_diagnose(struct ssl_socket *sock, const struct err *e,
                         struct ssl_info *info);

#endif
