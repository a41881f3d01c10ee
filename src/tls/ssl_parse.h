/*
 * ssl_parse.h - from bytes to Mbed TLS's structures, whether PEM or DER.
 *
 * PEM may have several, with text between them; DER may have several one after
 * the other, and nothing else. The input is not kept.
 */
#ifndef TLS_SSL_PARSE_H
#define TLS_SSL_PARSE_H

#include <mbedtls/pk.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>

#include "base/err.h"

/** @return whether there is an encapsulation boundary (RFC 7468) in it */
bool ssl_parse_is_pem(const unsigned char *data, size_t len);

/**
 * @param crt  initialised and empty; has what was parsed, in case of an error,
 *             too
 * @return 0, an MBEDTLS_ERR_* value, or how many of a PEM bundle could not be
 *         parsed
 */
int ssl_parse_certs(mbedtls_x509_crt *crt, const unsigned char *data,
                    size_t len);

/**
 * Record what ssl_parse_certs() returned, if not 0.
 *
 * @param what  whose certificates, e.g. "the CA"
 * @return -1, with ERR_TLS
 */
int ssl_parse_failed(struct err *err, int ret, const char *what);

/**
 * One private key, without a password.
 *
 * @param pk  initialised
 * @return 0 or an MBEDTLS_ERR_* value
 */
int ssl_parse_key(mbedtls_pk_context *pk, const unsigned char *data,
                  size_t len);

/**
 * @param crl  initialised; what is parsed is added to it
 * @return 0 or an MBEDTLS_ERR_* value
 */
int ssl_parse_crls(mbedtls_x509_crl *crl, const unsigned char *data,
                   size_t len);

#endif
