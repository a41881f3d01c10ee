/*
 * ssl_probe.h - one question to a server: a ClientHello, and what it chooses.
 *
 * Not a handshake: as soon as the choice is known, or refused, the question is
 * over, and the connection below is to be closed. No key is made, so that what
 * Mbed TLS cannot do can be asked about, too. Nothing blocks.
 */
#ifndef TLS_SSL_PROBE_H
#define TLS_SSL_PROBE_H

#include "base/stream.h"
#include "tls/ssl_hello.h"

enum ssl_probe_answer {
    SSL_PROBE_NONE,   /* not yet */
    SSL_PROBE_CHOSEN, /* `chosen` says what; of TLS 1.2 the whole flight came */
    SSL_PROBE_ALERT,  /* refused: `alert` */
    SSL_PROBE_CLOSED, /* the end of the stream came before a choice */
    SSL_PROBE_NOT_TLS /* no TLS, or a message that makes no sense */
};

enum {
    SSL_PROBE_HELLO_MAX = 2048,    /* bytes of a hello, its record included */
    SSL_PROBE_MESSAGE_MAX = 8192,  /* of a message that is looked into */
    SSL_PROBE_FLIGHT_MAX = 1 << 18 /* of all that is read for an answer */
};

struct ssl_probe {
    struct stream *lower;
    enum ssl_probe_answer answer;
    struct ssl_chosen chosen;
    bool certificate_wanted; /* TLS 1.2: a CertificateRequest came */
    int alert;               /* its number; -1: none */
    unsigned char out[SSL_PROBE_HELLO_MAX];
    size_t out_len, out_at;
    size_t in; /* bytes that came */
    unsigned char header[5];
    size_t header_len;
    size_t record_left;      /* bytes of the present record still to come */
    unsigned char alerts[2]; /* level and number */
    size_t alert_len;
    unsigned char message[4 + SSL_PROBE_MESSAGE_MAX]; /* its header, its body;
                                                         no more than fits */
    size_t message_at;                                /* bytes that came */
};

/**
 * Begin a question.
 *
 * @param p      the caller's memory; nothing is to be freed
 * @param lower  a stream to the server that nothing was sent on; borrowed
 * @param offer  as for ssl_hello_write_client()
 * @return 0, or -1: ERR_TLS where there are no random bytes (a PSA status),
 *         or with MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL where the hello has over
 *         SSL_PROBE_HELLO_MAX bytes
 */
MUST_USE int ssl_probe_init(struct ssl_probe *p, struct stream *lower,
                            const struct ssl_offer *offer, struct err *err);

/**
 * Go on with it. After a choice the server is told that we leave, if that goes
 * without waiting (user_canceled and close_notify, RFC 8446 6.1).
 *
 * @return 0: there is an answer; STREAM_WANT_RD, STREAM_WANT_WR; STREAM_ERROR:
 *         the lower stream failed
 */
MUST_USE int ssl_probe_run(struct ssl_probe *p, struct err *err);

#endif
