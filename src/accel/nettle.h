/*
 * nettle.h - Nettle's libhogweed and libnettle, as far as we call them, opened
 * at run time.
 *
 * Their headers are not needed to build: what is here is their ABI for as long
 * as the first has the name NETTLE_HOGWEED. Where they are, nettle.c has them
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

enum { NETTLE_SCRATCH = 8192 / sizeof(nettle_limb) };

struct ecc_curve;

/**
 * nettle_ecc_ecdsa_verify(): whether a signature holds (FIPS 186-4, 6.4). It
 * allocates nothing and keeps nothing.
 *
 * @param point    x and y, which it does not check: on the curve, not infinity
 * @param hash     of any length; what is more than the curve has is left out
 * @param r, s     of the curve's size; out of 1 to n-1 they do not hold
 * @param scratch  NETTLE_SCRATCH limbs are enough for P-256
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
 * @param scratch     as above
 */
typedef void nettle_sign(const struct ecc_curve *curve, const nettle_limb *key,
                         const nettle_limb *nonce, size_t hash_len,
                         const uint8_t *hash, nettle_limb *r, nettle_limb *s,
                         nettle_limb *scratch);

/**
 * nettle_curve25519_mul_g(): the public key of a secret, in a time that says
 * nothing of it (RFC 7748, 6.1). What it allocates, half a KiB, is wiped by us.
 *
 * @param q  set; 32 bytes
 * @param n  32 bytes; as always their bits 0 to 2, 254 and 255 do not matter
 */
typedef void nettle_mul_g(uint8_t *q, const uint8_t *n);

/* struct sha256_ctx; `block` is unused while only whole ones are hashed. */
struct nettle_sha256 {
    uint32_t state[8];
    uint64_t count;
    unsigned index; /* bytes in `block` */
    uint8_t block[64];
};

/* nettle_sha256_update() */
typedef void nettle_hash(struct nettle_sha256 *ctx, size_t len,
                         const uint8_t *data);

struct nettle {
    const struct ecc_curve *p256;
    nettle_verify *verify;
    nettle_sign *sign;
    nettle_mul_g *mul_g;
    nettle_hash *sha256;
};

/** @return the library, opened if need be, if there is one and
 *          accel_nettle_use() allows it; NULL */
const struct nettle *nettle_open(void);

/** @return as nettle_open(), but NULL if it is not open */
const struct nettle *nettle_opened(void);

/**
 * Wipe the stack below the caller's frame: due after each call of the library,
 * but for `sha256`. Where a function of it is called for the first time, the
 * loader leaves the vector registers there, and a piece of a key may be in
 * them; mul_g() leaves the secret itself.
 */
void nettle_wipe_stack(void);

/** As accel_disable(), which calls this, too. */
void nettle_disable(const char *why);

#endif
