/*
 * ssl_cert.h - what a certificate says, as plain data.
 */
#ifndef TLS_SSL_CERT_H
#define TLS_SSL_CERT_H

#include <mbedtls/x509_crt.h>

#include "tls/ssl_info.h"

/**
 * Describe `crt`.
 *
 * @param now   the clock that seconds_left counts from, UTC; NULL: unknown, and
 *              seconds_left is 0
 * @param info  overwritten; flags and `needed` are left 0
 */
void ssl_cert_describe(const mbedtls_x509_crt *crt,
                       const mbedtls_x509_time *now,
                       struct ssl_cert_info *info);

/** Write a distinguished name into SSL_NAME_MAX bytes. */
void ssl_cert_name(const mbedtls_x509_name *dn, char *buf);

/** Write a time as RFC 3339 does, into SSL_TIME_MAX bytes. */
void ssl_cert_time(const mbedtls_x509_time *t, char *buf);

/** @return seconds since 1970-01-01; negative before */
int64_t ssl_cert_seconds(const mbedtls_x509_time *t);

/**
 * What a certificate may be used for.
 *
 * @param key_usage      set to keyUsage (RFC 5280 4.2.1.3), "digitalSignature,
 *                       cRLSign"; "" if it has none
 * @param ext_key_usage  set to extKeyUsage (4.2.1.12), "serverAuth, 1.2.3"; ""
 *                       if it has none
 */
void ssl_cert_usage(const mbedtls_x509_crt *crt, char key_usage[SSL_NAME_MAX],
                    char ext_key_usage[SSL_NAME_MAX]);

/**
 * Write bytes in hexadecimal, those that fit.
 *
 * @param size  of `buf`; 48 is enough for a serial number or a key identifier
 */
void ssl_cert_hex(const mbedtls_x509_buf *b, char *buf, size_t size);

/** @return whether `a` and `b` are the same bytes */
bool ssl_cert_same(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b);

#endif
