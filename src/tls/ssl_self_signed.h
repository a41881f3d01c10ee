/*
 * ssl_self_signed.h - a certificate made on the spot, and its key.
 *
 * For a server that has none: a P-256 key (RFC 5480) and a certificate that it
 * signs itself, in memory. A peer that trusts exactly this certificate, or pins
 * its key, is as safe as with any other.
 */
#ifndef TLS_SSL_SELF_SIGNED_H
#define TLS_SSL_SELF_SIGNED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
    SSL_SELF_SIGNED_NAMES = 16,  /* the most names of one certificate */
    SSL_SELF_SIGNED_CERT = 5120, /* bytes that hold those names and the rest */
    SSL_SELF_SIGNED_KEY = 256
};

struct ssl_self_signed {
    unsigned char cert[SSL_SELF_SIGNED_CERT]; /* DER (RFC 5280) */
    size_t cert_len;
    unsigned char key[SSL_SELF_SIGNED_KEY]; /* DER (RFC 5915) */
    size_t key_len;
};

/**
 * Can a certificate bear it as a subject alternative name?
 *
 * @param name  an IPv4 or IPv6 address without brackets, or a DNS name: labels
 *              of 1 to 63 letters, digits, '-' and '_', 253 bytes in all; a
 *              "*" may be the first of three labels or more (RFC 9525 6.3)
 * @param len   its bytes
 */
bool ssl_self_signed_name(const char *name, size_t len);

/**
 * Make a key and its certificate; not in MicroPython.
 *
 * It is for servers only and no CA; its serial number is random. It is valid
 * from 1970 to the end of 2049, so that it is for a board whose clock has not
 * been set, too: no clock is read.
 *
 * @param names  what it is for, 1 to SSL_SELF_SIGNED_NAMES, separated by commas
 * @param made   overwritten; ssl_self_signed_wipe() is due
 * @return 0, or -1: ERR_USAGE naming the name that is none; ERR_TLS with an
 *         MBEDTLS_ERR_* value or a PSA status
 */
MUST_USE int ssl_self_signed_make(const char *names,
                                  struct ssl_self_signed *made,
                                  struct err *err);

/** Forget it, so that the key is in no memory of ours. */
void ssl_self_signed_wipe(struct ssl_self_signed *made);

/** Forget the key alone. */
void ssl_self_signed_wipe_key(struct ssl_self_signed *made);

#endif
