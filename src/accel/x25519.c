/*
 * x25519.c - public keys of X25519 by Nettle; src/tls/x25519.c calls it.
 */
#include <mbedtls/platform_util.h>

#include "accel/accel.h"
#include "accel/nettle.h"

enum { BELOW = 2048 };

/* Where the stack frames of what was called before have been, and the secret
 * in one of them. */
static __attribute__((noinline)) void wipe_below(void) {
    unsigned char below[BELOW];
    mbedtls_platform_zeroize(below, sizeof below);
}

bool accel_x25519(unsigned char key[32], const unsigned char secret[32]) {
    const struct nettle *lib = nettle_opened();
    if (lib != NULL) {
        lib->mul_g(key, secret);
        wipe_below();
    }
    return lib != NULL;
}
