/*
 * ssl_cipher.h - the names of cipher suites, in every spelling users meet.
 *
 * IANA:     TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (RFC 8446 B.4, RFC 5246)
 * Mbed TLS: TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256 (what boards spell)
 * OpenSSL:  ECDHE-ECDSA-AES128-GCM-SHA256
 * number:   0xC02B
 */
#ifndef TLS_SSL_CIPHER_H
#define TLS_SSL_CIPHER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SSL_CIPHER_NAME_MAX = 64, /* the longest name and its NUL */
    SSL_CIPHERS_MAX = 256     /* more than any build has */
};

/**
 * @param id   a suite's number, e.g. 0xC02B
 * @param buf  SSL_CIPHER_NAME_MAX bytes; the name goes here
 * @return buf with the IANA name, or NULL if this build does not have `id`
 */
const char *ssl_cipher_iana(int id, char *buf);

/**
 * As ssl_cipher_iana, with OpenSSL's spelling; for suites that OpenSSL does
 * not have it is what its rules would give.
 */
const char *ssl_cipher_openssl(int id, char *buf);

/**
 * Find a suite by any of its spellings; case does not matter.
 *
 * @param name  one spelling; borrowed
 * @param len   its bytes
 * @return the suite's number, or 0 if this build has none of that name
 */
int ssl_cipher_find(const char *name, size_t len);

/**
 * @param name  a name that ssl_cipher_find() did not find
 * @param buf   SSL_CIPHER_NAME_MAX bytes
 * @return buf with the nearest name, in the spelling that is nearest, or NULL
 */
const char *ssl_cipher_nearest(const char *name, char *buf);

/**
 * All suites of this build in the order of our preference: Mbed TLS's, but
 * where the CPU has instructions for AES, those with ChaCha20-Poly1305, which
 * is what has been quicker without them, come after their likes with AES-GCM,
 * and of these, as in browsers, one with AES-128 before its like with AES-256:
 * with it go SHA-256 and not SHA-384, for which few CPUs have instructions.
 *
 * @param aes  whether it has them
 * @param out  SSL_CIPHERS_MAX + 1 numbers; ends in 0
 */
void ssl_cipher_list(bool aes, int *out);

/**
 * @param id     a suite's number
 * @param tls12  set to whether it can be used in TLS 1.2
 * @param tls13  set to whether it can be used in TLS 1.3
 */
void ssl_cipher_versions(int id, bool *tls12, bool *tls13);

#endif
