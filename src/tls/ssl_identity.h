/*
 * ssl_identity.h - who we are: our certificates with their keys, and which of
 * them a client is shown.
 *
 * Those that have the name that the client asks for (SNI, RFC 6066 3) come into
 * question; if none has it, or the client asks for none, all do. Of these Mbed
 * TLS takes, in TLS 1.2, the first that fits the first of its suites that the
 * client offers and that any fits; in TLS 1.3, the first that fits the first of
 * the client's signature algorithms that any fits.
 */
#ifndef TLS_SSL_IDENTITY_H
#define TLS_SSL_IDENTITY_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>

#include "base/err.h"

struct ssl_identity {
    mbedtls_x509_crt cert; /* ours, then those that lead to its CA */
    mbedtls_pk_context key;
    struct ssl_identity *next; /* in the order of loading; NULL: no more */
};

/**
 * Read a chain and its key, and check that they go together.
 *
 * @param server  it must be fit for one
 * @return to be freed by ssl_identity_free(), or NULL with *err set as
 *         ssl_context_load_cert_chain() has it
 */
struct ssl_identity *ssl_identity_new(const unsigned char *cert,
                                      size_t cert_len, const unsigned char *key,
                                      size_t key_len, bool server,
                                      struct err *err);

/** Free the list that begins here; NULL: nothing. */
void ssl_identity_free(struct ssl_identity *own);

/**
 * Which name decides?
 *
 * @param all   the first of all; NULL: there are none
 * @param name  that the client asks for, "": none
 * @return `name` if one of them bears it, else ""
 */
const char *ssl_identity_name(const struct ssl_identity *all, const char *name);

/**
 * Go through those that come into question: begin with the first of all, and go
 * on with the next of the last that was given.
 *
 * @param from  the first to look at; NULL: there is none
 * @param name  from ssl_identity_name()
 * @return the first from there on that comes into question, or NULL
 */
const struct ssl_identity *ssl_identity_find(const struct ssl_identity *from,
                                             const char *name);

/**
 * For mbedtls_ssl_conf_cert_cb(), on a configuration whose user data is the
 * first of all: give Mbed TLS those that come into question.
 *
 * @return 0 or an MBEDTLS_ERR_* value
 */
int ssl_identity_choose(mbedtls_ssl_context *ssl);

#endif
