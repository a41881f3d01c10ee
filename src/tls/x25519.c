/*
 * x25519.c - X25519 by Nettle's or Project Everest's code wherever Mbed TLS
 * multiplies the base point of Curve25519.
 *
 * Mbed TLS has the latter in it (MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED), and
 * uses it for the shared secret, and for the public key in TLS 1.2: for TLS 1.3
 * PSA makes that by the multiplication for all curves, which takes ten times as
 * long. So the linker sends the calls between Mbed TLS's objects to here
 * (--wrap in the Makefile), under names that it gives.
 */
#include <mbedtls/ecp.h>

#if defined(MBEDTLS_WRAP) && defined(MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED)

#include <everest/x25519.h>
#include <string.h>

#include "accel/accel.h"

typedef int random_source(void *arg, unsigned char *out, size_t len);

int __real_mbedtls_ecp_mul(mbedtls_ecp_group *grp, mbedtls_ecp_point *r,
                           const mbedtls_mpi *m, const mbedtls_ecp_point *p,
                           random_source *rng, void *rng_arg);
int __wrap_mbedtls_ecp_mul(mbedtls_ecp_group *grp, mbedtls_ecp_point *r,
                           const mbedtls_mpi *m, const mbedtls_ecp_point *p,
                           random_source *rng, void *rng_arg);

void __real_Hacl_Curve25519_crypto_scalarmult(uint8_t *out, uint8_t *secret,
                                              uint8_t *point);
void __wrap_Hacl_Curve25519_crypto_scalarmult(uint8_t *out, uint8_t *secret,
                                              uint8_t *point);

/* The secret shared with a peer whose public key is the base point is our
 * public key (RFC 7748 6.1). Numbers have 32 bytes, the lowest first. */
static int mul_base(mbedtls_ecp_group *grp, mbedtls_ecp_point *r,
                    const mbedtls_mpi *m) {
    mbedtls_x25519_context ours = { .peer_point = { 9 } };
    unsigned char out[MBEDTLS_X25519_KEY_SIZE_BYTES];
    size_t len;
    int ret = mbedtls_ecp_check_privkey(grp, m);
    if (ret == 0) {
        ret = mbedtls_mpi_write_binary_le(m, ours.our_secret,
                                          sizeof ours.our_secret);
    }
    if (ret == 0) {
        ret = mbedtls_x25519_calc_secret(&ours, &len, out, sizeof out, NULL,
                                         NULL);
    }
    if (ret == 0) {
        ret = mbedtls_ecp_point_read_binary(grp, r, out, sizeof out);
    }
    mbedtls_x25519_free(&ours);
    return ret;
}

int __wrap_mbedtls_ecp_mul(mbedtls_ecp_group *grp, mbedtls_ecp_point *r,
                           const mbedtls_mpi *m, const mbedtls_ecp_point *p,
                           random_source *rng, void *rng_arg) {
    return grp->id == MBEDTLS_ECP_DP_CURVE25519 && p == &grp->G
               ? mul_base(grp, r, m)
               : __real_mbedtls_ecp_mul(grp, r, m, p, rng, rng_arg);
}

void __wrap_Hacl_Curve25519_crypto_scalarmult(uint8_t *out, uint8_t *secret,
                                              uint8_t *point) {
    static const uint8_t base[MBEDTLS_X25519_KEY_SIZE_BYTES] = { 9 };
    if (memcmp(point, base, sizeof base) != 0 || !accel_x25519(out, secret)) {
        __real_Hacl_Curve25519_crypto_scalarmult(out, secret, point);
    }
}

#endif
