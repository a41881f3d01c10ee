/*
 * ssl_own_key.h - what the key of our certificate can do in a handshake.
 */
#ifndef TLS_SSL_OWN_KEY_H
#define TLS_SSL_OWN_KEY_H

#include "tls/ssl_context.h"
#include "tls/ssl_suite.h"

/** @return its kind; SSL_KEY_NONE: there is no certificate */
enum ssl_suite_key ssl_own_key(const struct ssl_context *ctx);

/** @return the curve it is on, an SSL_KIND_GROUP number; 0: none */
unsigned ssl_own_key_curve(const struct ssl_context *ctx);

/**
 * Can a server with this certificate use the suite? By the key's kind and the
 * certificate's keyUsage (RFC 5280 4.2.1.3, RFC 5246 7.4.2); whether there is a
 * pre-shared key is not asked.
 */
bool ssl_own_key_fits(const struct ssl_context *ctx, const struct ssl_suite *s);

/**
 * Can it sign a handshake so?
 *
 * @param sig_alg  an SSL_KIND_SIG_ALG number
 * @param tls13    where it is the curve that says the hash, and PKCS#1 v1.5 and
 *                 SHA-1 are for certificates only (RFC 8446 4.2.3)
 */
bool ssl_own_key_signs(const struct ssl_context *ctx, unsigned sig_alg,
                       bool tls13);

#endif
