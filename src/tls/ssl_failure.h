/*
 * ssl_failure.h - from what Mbed TLS returned to what went wrong.
 *
 * The library's code alone rarely says it: the alert's number, the refused
 * certificate's flags, the plaintext that came in place of TLS and the lower
 * stream's errno are gathered here.
 */
#ifndef TLS_SSL_FAILURE_H
#define TLS_SSL_FAILURE_H

#include "tls/ssl_socket.h"

/**
 * Record a code in the library's own words.
 *
 * @param ret   an MBEDTLS_ERR_* value
 * @param what  what was being done
 * @return -1, with ERR_TLS
 */
int ssl_failure_of(struct err *err, int ret, const char *what);

/**
 * Record why a call on a connection failed, and send what alert is pending.
 *
 * @param ret  what the call returned; neither success nor WANT
 * @return STREAM_ERROR, with ERR_DEVICE, ERR_ALERT, ERR_VERIFY, ERR_TLS or the
 *         lower stream's failure
 */
int ssl_failure(struct ssl_socket *s, int ret, struct err *err);

/**
 * The same of a connection that could not be made, on which nothing is sent.
 *
 * @return -1, with ERR_DEVICE or ERR_TLS
 */
int ssl_failure_setup(const struct ssl_socket *s, int ret, struct err *err);

/**
 * The lower stream has ended without close_notify.
 *
 * @return STREAM_EOF, where the context allows that, or STREAM_ERROR with
 *         ERR_TRUNCATED
 */
int ssl_failure_truncated(const struct ssl_socket *s, struct err *err);

/**
 * Record why an allocation failed, if it was for the limit of an account.
 *
 * @param a       NULL: not counted
 * @param during  "while ..."
 * @param ret     what the library made of it
 * @return whether that is why; *err is ERR_DEVICE then
 */
bool ssl_failure_heap(const struct ssl_heap_account *a, const char *during,
                      int ret, struct err *err);

/**
 * The handshake is done: has the peer a pinned key? If not, tell it by an alert
 * (certificate_unknown, as Mbed TLS does for a reason of ours), and remember it
 * in `pin_refused`. May be called again.
 *
 * @return 0, or STREAM_ERROR: ERR_VERIFY with SSL_BADCERT_PIN
 */
int ssl_failure_pin(struct ssl_socket *s, struct err *err);

/**
 * Keep the first bytes that came, to quote them if they are not TLS.
 */
void ssl_failure_keep(struct ssl_socket *s, const unsigned char *buf, size_t n);

#endif
