/*
 * sha256.c - a block of SHA-256 (FIPS 180-4, 6.2.2) for a Mbed TLS with
 * MBEDTLS_SHA256_PROCESS_ALT: by Nettle, which has the instructions of the CPU
 * for it, once it is open for something else.
 */
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <string.h>

#include "accel/nettle.h"

enum { BLOCK = 64 };

int mptls_own_internal_sha256_process(mbedtls_sha256_context *ctx,
                                      const unsigned char data[BLOCK]);

int mbedtls_internal_sha256_process(mbedtls_sha256_context *ctx,
                                    const unsigned char data[BLOCK]) {
    const struct nettle *lib = nettle_opened();
    if (lib == NULL) {
        return mptls_own_internal_sha256_process(ctx, data);
    }
    struct nettle_sha256 one;
    one.count = 0;
    one.index = 0;
    memcpy(one.state, ctx->MBEDTLS_PRIVATE(state), sizeof one.state);
    lib->sha256(&one, BLOCK, data);
    memcpy(ctx->MBEDTLS_PRIVATE(state), one.state, sizeof one.state);
    mbedtls_platform_zeroize(one.state, sizeof one.state);
    return 0;
}
