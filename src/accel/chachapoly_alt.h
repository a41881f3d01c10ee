/*
 * chachapoly_alt.h - the context of our mbedtls_chachapoly_*(); see gcm_alt.h.
 */
#ifndef ACCEL_CHACHAPOLY_ALT_H
#define ACCEL_CHACHAPOLY_ALT_H

#include "accel/own.h"
#undef MBEDTLS_CHACHAPOLY_H
#undef MBEDTLS_CHACHAPOLY_ALT
#include <mbedtls/chachapoly.h>
#define MBEDTLS_CHACHAPOLY_ALT
#include "accel/own.h"

typedef struct mbedtls_chachapoly_context {
    /* Not at the end: libipsec-mb 1.3 reads 16 bytes past it. */
    unsigned char key[32];
    mptls_own_chachapoly_context own;
} mbedtls_chachapoly_context;

#endif
