/*
 * nettle.h - Nettle's libhogweed, as far as we call it.
 *
 * Its headers are not needed to build: what is here is its ABI for as long as
 * the library has the name NETTLE_HOGWEED. Where they are, ecdsa.c has them
 * compared.
 */
#ifndef ACCEL_NETTLE_H
#define ACCEL_NETTLE_H

#include <stddef.h>
#include <stdint.h>

#define NETTLE_HOGWEED "libhogweed.so.6"

/* Before 3.7.2, ecc_ecdsa_verify() went wrong on signatures that are easy to
 * make, and it could not be ruled out that it took them (CVE-2021-20305). The
 * library tells these two numbers of its version. */
enum { NETTLE_MAJOR = 3, NETTLE_MINOR_MIN = 8 };

/* GMP's mp_limb_t; numbers have the lowest first. */
typedef unsigned long nettle_limb;

struct ecc_curve;

/* nettle_get_secp_256r1(): P-256. */
typedef const struct ecc_curve *nettle_get_curve(void);

/* nettle_ecc_ecdsa_verify_itch() and _sign_itch(): limbs of scratch that the
 * next ones need. */
typedef long nettle_itch(const struct ecc_curve *curve);

/**
 * nettle_ecc_ecdsa_verify(): whether a signature holds (FIPS 186-4, 6.4). It
 * allocates nothing and keeps nothing.
 *
 * @param point    x and y, which it does not check: on the curve, not infinity
 * @param hash     of any length; what is more than the curve has is left out
 * @param r, s     of the curve's size; out of 1 to n-1 they do not hold
 * @return 1, or 0
 */
typedef int nettle_verify(const struct ecc_curve *curve,
                          const nettle_limb *point, size_t hash_len,
                          const uint8_t *hash, const nettle_limb *r,
                          const nettle_limb *s, nettle_limb *scratch);

/**
 * nettle_ecc_ecdsa_sign(): makes a signature, in a time that says nothing of
 * the key or the nonce. It allocates nothing; what it leaves in `scratch` is
 * secret.
 *
 * @param key, nonce  from 1 to n-1, which it does not check
 * @param r, s        set; 0 by a chance that there is not
 */
typedef void nettle_sign(const struct ecc_curve *curve, const nettle_limb *key,
                         const nettle_limb *nonce, size_t hash_len,
                         const uint8_t *hash, nettle_limb *r, nettle_limb *s,
                         nettle_limb *scratch);

/* nettle_version_major() and _minor(), of libnettle. */
typedef int nettle_number(void);

/** As accel_disable(), which calls this, too. */
void nettle_disable(const char *why);

#endif
