/*
 * ssl_keys.h - from the secrets that Mbed TLS exports to the keys that seal
 * records (RFC 8446 7.3, RFC 5246 6.3). Not in MicroPython.
 */
#ifndef TLS_SSL_KEYS_H
#define TLS_SSL_KEYS_H

#include <mbedtls/ssl.h>

#include "base/records.h"

/* What is exported, and no longer kept than needed; zeroed: nothing. */
struct ssl_secrets {
    size_t len;                /* bytes of each secret; 0: none */
    bool tls13, sha384;        /* else TLS 1.2, SHA-256 */
    unsigned char client[48];  /* TLS 1.3: what the client's traffic comes from;
                                  TLS 1.2: the master secret */
    unsigned char server[48];  /* TLS 1.3 only */
    unsigned char randoms[64]; /* TLS 1.2: the server's and the client's */
};

/**
 * HKDF-Expand-Label with an empty context (RFC 8446 7.1).
 *
 * @param secret  32 bytes, or 48 for a suite with SHA-384
 * @param label   without "tls13 ", at most 16 bytes
 * @param len     1..255
 * @return whether it worked
 */
bool ssl_keys_expand(const unsigned char *secret, size_t secret_len,
                     const char *label, unsigned char *out, size_t len);

/**
 * Take what mbedtls_ssl_set_export_keys_cb()'s function is told, as it is
 * told; other secrets than those of the data are ignored.
 */
void ssl_keys_keep(struct ssl_secrets *s, mbedtls_ssl_key_export_type type,
                   const unsigned char *secret, size_t len,
                   const unsigned char client_random[32],
                   const unsigned char server_random[32],
                   mbedtls_tls_prf_types prf);

/**
 * The keys of one direction.
 *
 * @param suite   its IANA name
 * @param client  what the client sends, else what the server does
 * @param seq     of the next record
 * @param keys    filled; the caller wipes it in every case
 * @return NULL, or why there are none, static
 */
const char *ssl_keys_derive(const struct ssl_secrets *s, const char *suite,
                            bool client, uint64_t seq,
                            struct record_keys *keys);

#endif
