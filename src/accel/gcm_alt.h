/*
 * gcm_alt.h - the context of our mbedtls_gcm_*(). Mbed TLS's gcm.h includes it
 * in place of its own; tests/deps.sh puts a copy where it looks.
 */
#ifndef ACCEL_GCM_ALT_H
#define ACCEL_GCM_ALT_H

/* The same header once more declares Mbed TLS's own context and functions. */
#include "accel/own.h"
#undef MBEDTLS_GCM_H
#undef MBEDTLS_GCM_ALT
#include <mbedtls/gcm.h>
#define MBEDTLS_GCM_ALT
#include "accel/own.h"

typedef struct mbedtls_gcm_context {
    mptls_own_gcm_context own;
    void *fast;    /* the library's expanded key, owned; NULL: not yet */
    uint32_t seen; /* bytes before that */
    uint32_t bits; /* of `key`; 0: the cipher is not AES, or there is no key */
    unsigned char key[32];
} mbedtls_gcm_context;

#endif
