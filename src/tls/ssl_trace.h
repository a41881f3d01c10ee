/*
 * ssl_trace.h - what is in a message of the tap's, in a few words.
 *
 * Not in MicroPython.
 */
#ifndef TLS_SSL_TRACE_H
#define TLS_SSL_TRACE_H

#include "tls/ssl_tap.h"

/**
 * @param buf  SSL_LABEL_MAX bytes
 * @return buf with the message's name: "ClientHello", "alert",
 *         "change_cipher_spec", "application_data"
 */
const char *ssl_trace_name(const struct ssl_tap_message *m, char *buf);

/**
 * What it says: "TLSv1.3, TLS_AES_128_GCM_SHA256, x25519", "fatal
 * handshake_failure (40)". Printable ASCII.
 *
 * @param t    the tap that tells of `m`, for what was said before
 * @param buf  the text goes here, NUL-terminated, cut if it must be; "" if
 *             there is nothing to say
 */
void ssl_trace_describe(const struct ssl_tap *t,
                        const struct ssl_tap_message *m, char *buf, size_t len);

#endif
