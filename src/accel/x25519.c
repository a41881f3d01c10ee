/*
 * x25519.c - public keys of X25519 by Nettle; src/tls/x25519.c calls it.
 */
#include "accel/accel.h"
#include "accel/nettle.h"

bool accel_x25519(unsigned char key[32], const unsigned char secret[32]) {
    const struct nettle *lib = nettle_opened();
    if (lib != NULL) {
        lib->mul_g(key, secret);
        nettle_wipe_stack();
    }
    return lib != NULL;
}
