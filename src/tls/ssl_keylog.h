/*
 * ssl_keylog.h - a connection's secrets as lines for whoever debugs it with a
 * capture (RFC 9850). Not in MicroPython.
 */
#ifndef TLS_SSL_KEYLOG_H
#define TLS_SSL_KEYLOG_H

#include <stddef.h>

#include <mbedtls/ssl.h>

enum { SSL_KEYLOG_LINE_MAX = 32 + 2 * (32 + 48) + 4 }; /* label, two in hex */

/**
 * Take one line, e.g. "CLIENT_RANDOM 00... 11...\n".
 *
 * @param arg   as given with the function
 * @param line  borrowed for the call
 * @param len   its bytes, the newline included
 */
typedef void ssl_keylog(void *arg, const char *line, size_t len);

/**
 * Format one secret.
 *
 * @param type    which it is; others than RFC 9850 names give ""
 * @param secret  1..48 bytes
 * @param random  the ClientHello's, 32 bytes
 * @param line    SSL_KEYLOG_LINE_MAX bytes; the line and a NUL go here
 * @return the line's bytes without the NUL, 0 for a secret that has no label
 */
size_t ssl_keylog_format(mbedtls_ssl_key_export_type type,
                         const unsigned char *secret, size_t secret_len,
                         const unsigned char *random, char *line);

#endif
