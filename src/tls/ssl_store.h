/*
 * ssl_store.h - a store of many CA certificates in PEM, of which a chain needs
 * one: they are told apart by their subjects, and parsed when asked for.
 *
 * MicroPython: has no such store.
 */
#ifndef TLS_SSL_STORE_H
#define TLS_SSL_STORE_H

#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One that has a subject. */
struct ssl_store_entry {
    uint32_t hash; /* of the subject */
    size_t at;     /* where to look for it in the text */
};

/* All zero: not given. */
struct ssl_store {
    const unsigned char *pem; /* borrowed; NULL: not given */
    size_t len;
    bool indexed;
    struct ssl_store_entry *entries; /* owned */
    size_t count, room;
};

/**
 * Give it the certificates. They are looked at when the first is asked for.
 *
 * @param pem  borrowed until ssl_store_free(); text and other blocks between
 *             the certificates do not matter, nor do bad ones among them
 */
void ssl_store_set(struct ssl_store *s, const unsigned char *pem, size_t len);

/**
 * Look at them now, unless that is done.
 *
 * @return 0, or MBEDTLS_ERR_X509_ALLOC_FAILED: the next one who asks tries
 * again
 */
int ssl_store_index(struct ssl_store *s);

/** May be called twice. */
void ssl_store_free(struct ssl_store *s);

/**
 * Parse the certificates that may have signed another one, by the names.
 *
 * Names are the same if their bytes are but for the case of ASCII letters and
 * for the kind of string, which is more than Mbed TLS takes for the same: it
 * compares what is found again (RFC 5280 7.1).
 *
 * @param child  whose issuer they shall bear as their subject
 * @param found  set to a list that mbedtls_x509_crt_free() and mbedtls_free()
 *               are for, or to NULL: there are none
 * @return 0, or MBEDTLS_ERR_X509_ALLOC_FAILED
 */
int ssl_store_find(struct ssl_store *s, const mbedtls_x509_crt *child,
                   mbedtls_x509_crt **found);

#endif
