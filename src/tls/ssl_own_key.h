/*
 * ssl_own_key.h - what the keys of our certificates can do in a handshake.
 *
 * Of a server's certificates those count that come into question for the name
 * which the client asks for (ssl_identity.h), "" for none; one that can is
 * enough.
 */
#ifndef TLS_SSL_OWN_KEY_H
#define TLS_SSL_OWN_KEY_H

#include "tls/ssl_context.h"
#include "tls/ssl_suite.h"

/** @return whether there is a key of this kind; SSL_KEY_NONE: of any */
bool ssl_own_key(const struct ssl_context *ctx, const char *name,
                 enum ssl_suite_key kind);

/**
 * @param groups  NULL: any
 * @return the curve of the first that is on one of these, an SSL_KIND_GROUP
 *         number; 0: none
 */
unsigned ssl_own_key_curve(const struct ssl_context *ctx, const char *name,
                           const struct ssl_ids *groups);

/**
 * Can a server with these certificates use the suite? By the key's kind and the
 * certificate's keyUsage (RFC 5280 4.2.1.3, RFC 5246 7.4.2); whether there is a
 * pre-shared key is not asked.
 */
bool ssl_own_key_fits(const struct ssl_context *ctx, const char *name,
                      const struct ssl_suite *s);

/**
 * Can one of them sign a handshake so?
 *
 * @param sig_alg  an SSL_KIND_SIG_ALG number
 * @param tls13    where it is the curve that says the hash, and PKCS#1 v1.5 and
 *                 SHA-1 are for certificates only (RFC 8446 4.2.3)
 */
bool ssl_own_key_signs(const struct ssl_context *ctx, const char *name,
                       unsigned sig_alg, bool tls13);

#endif
