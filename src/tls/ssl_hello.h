/*
 * ssl_hello.h - the messages in which the two ends tell what they can do, read
 * and written as bytes.
 *
 * Mbed TLS gives up on a hello before it says what was in it; a diagnosis
 * wants that most then. Nothing here decides anything about a connection.
 *
 * A message is given without its header of four bytes. What is malformed is
 * read as far as it goes; no input is an error of the program's.
 */
#ifndef TLS_SSL_HELLO_H
#define TLS_SSL_HELLO_H

#include "tls/ssl_info.h"

/* SSL_KIND_MESSAGE numbers (RFC 8446 4, RFC 5246 7.4). */
enum {
    SSL_MSG_CLIENT_HELLO = 1,
    SSL_MSG_SERVER_HELLO = 2,
    SSL_MSG_NEW_SESSION_TICKET = 4,
    SSL_MSG_ENCRYPTED_EXTENSIONS = 8,
    SSL_MSG_CERTIFICATE = 11,
    SSL_MSG_SERVER_KEY_EXCHANGE = 12,
    SSL_MSG_CERTIFICATE_REQUEST = 13,
    SSL_MSG_SERVER_HELLO_DONE = 14,
    SSL_MSG_CERTIFICATE_VERIFY = 15,
    SSL_MSG_CLIENT_KEY_EXCHANGE = 16,
    SSL_MSG_FINISHED = 20
};

/* What a server has decided, as far as its messages have told. */
struct ssl_chosen {
    uint16_t version; /* 0x0303; from supported_versions where it has one */
    uint16_t cipher;
    uint16_t group;            /* key_share, or ServerKeyExchange; 0: none */
    uint16_t sig_alg;          /* ServerKeyExchange, CertificateVerify */
    bool retry;                /* the last hello was a HelloRetryRequest */
    struct ssl_ids extensions; /* of ServerHello and EncryptedExtensions */
    char alpn[SSL_NAME_MAX];
    unsigned max_fragment_length; /* bytes; 0: not agreed on */
    unsigned record_size_limit;
};

/**
 * Read a ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2).
 *
 * A hello without supported_versions offers, as SSL_KIND_VERSION, its
 * client_version and the versions below it, down to TLS 1.0; the newest first.
 *
 * @param offer  overwritten; `known` is set
 * @return whether all of it was well formed
 */
bool ssl_hello_read_client(const unsigned char *msg, size_t len,
                           struct ssl_offer *offer);

/**
 * Read one message of the server's: ServerHello, HelloRetryRequest,
 * EncryptedExtensions, ServerKeyExchange, CertificateVerify. Others are
 * skipped.
 *
 * @param type    SSL_MSG_*
 * @param chosen  added to
 * @return whether all of it was well formed
 */
bool ssl_hello_read_server(unsigned type, const unsigned char *msg, size_t len,
                           struct ssl_chosen *chosen);

/**
 * The i-th certificate of a Certificate message, of TLS 1.2 or 1.3.
 *
 * @param version  0x0303 or 0x0304
 * @param len      set to the bytes of its DER
 * @return the DER, within `msg`; NULL past the last
 */
const unsigned char *ssl_hello_certificate(const unsigned char *msg,
                                           size_t msg_len, unsigned version,
                                           size_t i, size_t *len);

/**
 * Write a ClientHello, for asking a server what it takes rather than for a
 * handshake. With TLS 1.3 among the versions its list of key shares is empty,
 * to which a server answers with a HelloRetryRequest that names its choice
 * (RFC 8446 4.2.8).
 *
 * @param offer   versions, ciphers, groups, sig_algs, ALPN and server_name,
 * each left out where it is empty; TLS 1.3 wants groups and signature
 * algorithms (RFC 8446 9.2). Of its list of extensions these are read, to be
 * sent as well: max_fragment_length (of 512), encrypt_then_mac, session_ticket
 * @param random  64 bytes: the hello's, and its session id for TLS 1.3
 * @param buf     the message goes here in one record, its header included
 * @return its bytes, or 0 if it does not fit
 */
size_t ssl_hello_write_client(const struct ssl_offer *offer,
                              const unsigned char random[64],
                              unsigned char *buf, size_t len);

#endif
