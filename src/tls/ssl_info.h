/*
 * ssl_info.h - what is known of a connection, as plain data for the reports.
 *
 * Nothing here needs Mbed TLS, so that the layers above can read it without.
 * Texts are NUL-terminated, and cut where they would not fit; bytes that are
 * not printable ASCII are written \xHH, so that a peer's certificate cannot
 * drive a terminal.
 */
#ifndef TLS_SSL_INFO_H
#define TLS_SSL_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SSL_NAME_MAX = 256,  /* a distinguished name, a list of names */
    SSL_CHAIN_MAX = 10,  /* leaf, 8 intermediates (Mbed TLS's limit), anchor */
    SSL_SHA256_LEN = 32, /* bytes */
    SSL_TIME_MAX = 24    /* "2020-01-01T00:00:00Z" */
};

/* MicroPython: CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, with its values. */
enum ssl_verify_mode {
    SSL_CERT_NONE = 0,
    SSL_CERT_OPTIONAL = 1,
    SSL_CERT_REQUIRED = 2
};

/* One certificate of the peer's chain. */
struct ssl_cert_info {
    char subject[SSL_NAME_MAX];
    char issuer[SSL_NAME_MAX];
    char names[SSL_NAME_MAX]; /* the SANs, "DNS:a, IP:127.0.0.1"; "" if none */
    char not_before[SSL_TIME_MAX]; /* UTC */
    char not_after[SSL_TIME_MAX];
    char key[16];   /* type and bits: "EC 256", "RSA 2048" */
    size_t der_len; /* bytes */
    uint32_t flags; /* MBEDTLS_X509_BADCERT_* found for it; 0: none */
    unsigned char sha256[SSL_SHA256_LEN]; /* of the DER */
};

struct ssl_info {
    bool handshake_done;
    bool server_side;
    const char *version; /* "TLSv1.2", "TLSv1.3"; NULL before the handshake */
    const char *cipher;  /* IANA name; NULL before the handshake */
    enum ssl_verify_mode verify_mode;
    bool verified;         /* a chain was looked at */
    uint32_t verify_flags; /* all that was found; 0 and verified: trusted */
    bool name_checked;     /* against server_hostname */
    char server_hostname[SSL_NAME_MAX]; /* "" if there was none */
    size_t cert_count; /* leaf first; the verified path ends in its anchor */
    struct ssl_cert_info certs[SSL_CHAIN_MAX];
    uint64_t wire_in, wire_out; /* bytes below TLS, handshake included */
    bool cert_refused;          /* the peer's alert was about our certificate */
    bool close_notify_sent;
    bool close_notify_received;
};

/* One reason why a chain is refused. */
struct ssl_flag {
    uint32_t bit;     /* MBEDTLS_X509_BADCERT_* */
    const char *name; /* for machines: "expired" */
    const char *text; /* for people: "has expired" */
};

/**
 * @param i  0, 1, ... in the order in which reasons are listed
 * @return the i-th reason there is, or NULL past the last; static
 */
const struct ssl_flag *ssl_flag_at(size_t i);

#endif
