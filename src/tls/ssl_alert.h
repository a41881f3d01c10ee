/*
 * ssl_alert.h - the names of TLS alerts.
 */
#ifndef TLS_SSL_ALERT_H
#define TLS_SSL_ALERT_H

#include <stdbool.h>

/**
 * @param alert  a description, 0..255
 * @return its name in RFC 8446 6 or RFC 5246 7.2, e.g. "handshake_failure";
 *         "unknown" for the others; static
 */
const char *ssl_alert_name(int alert);

/**
 * @return whether the alert says that our certificate, or our having none, is
 *         what the peer refuses (RFC 8446 6.2)
 */
bool ssl_alert_is_about_certificate(int alert);

#endif
