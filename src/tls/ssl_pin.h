/*
 * ssl_pin.h - a public key known beforehand: "sha256/" and the base64 of the
 * SHA-256 of its SubjectPublicKeyInfo (RFC 7469 2.4).
 *
 * MicroPython: has no pins.
 */
#ifndef TLS_SSL_PIN_H
#define TLS_SSL_PIN_H

#include <mbedtls/x509_crt.h>
#include <stdbool.h>

#include "tls/ssl_info.h"

enum { SSL_PIN_TEXT_MAX = 64 }; /* "sha256/", 44 digits and the NUL */

struct ssl_pin {
    unsigned char sha256[SSL_SHA256_LEN];
};

/* What is known beforehand. */
struct ssl_pins {
    size_t n;                  /* 0: any key will do */
    const struct ssl_pin *pin; /* borrowed */
};

/**
 * Read a pin. Also curl's spelling, with two slashes.
 *
 * @return whether it is one; else `pin` may be overwritten
 */
bool ssl_pin_read(const char *text, struct ssl_pin *pin);

/**
 * Write a pin.
 *
 * @param buf  SSL_PIN_TEXT_MAX bytes
 * @return buf
 */
const char *ssl_pin_text(const unsigned char sha256[SSL_SHA256_LEN], char *buf);

/**
 * @param crt  the peer's own certificate; NULL: it sent none, which only no
 *             pins match
 * @return whether it has one of the keys, or there are no pins
 */
bool ssl_pin_match(const struct ssl_pins *pins, const mbedtls_x509_crt *crt);

#endif
