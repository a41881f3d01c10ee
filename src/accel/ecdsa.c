/*
 * ecdsa.c - mbedtls_ecdsa_verify() and mbedtls_ecdsa_sign() for a Mbed TLS with
 * MBEDTLS_ECDSA_VERIFY_ALT and MBEDTLS_ECDSA_SIGN_ALT; its header has the
 * contract. Keys, signatures and nonces are read, written and made by Mbed TLS.
 * Nettle is only given numbers of P-256 that are checked here. A signature that
 * it does not take is judged by Mbed TLS's own code; one that it makes is the
 * same as Mbed TLS's, bit for bit, since the nonce is (RFC 6979). Some that it
 * has found good are remembered.
 */
#include <mbedtls/ecdsa.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/psa_util.h>
#include <stdbool.h>
#include <string.h>

#include "accel/nettle.h"

enum {
    BYTES = 32, /* of a coordinate, and of each half of a signature */
    LIMB = sizeof(nettle_limb),
    LIMBS = BYTES / LIMB,
    HASH_MAX = 64, /* SHA-512's */
    GOOD_MAX = 16
};

typedef int random_source(void *arg, unsigned char *out, size_t len);

int mptls_own_ecdsa_verify(mbedtls_ecp_group *grp, const unsigned char *buf,
                           size_t blen, const mbedtls_ecp_point *Q,
                           const mbedtls_mpi *r, const mbedtls_mpi *s);
int mptls_own_ecdsa_sign_restartable(mbedtls_ecp_group *grp, mbedtls_mpi *r,
                                     mbedtls_mpi *s, const mbedtls_mpi *d,
                                     const unsigned char *buf, size_t blen,
                                     random_source *f_rng, void *p_rng,
                                     random_source *f_rng_blind,
                                     void *p_rng_blind,
                                     mbedtls_ecdsa_restart_ctx *rs_ctx);

/* From the highest byte first. */
static void to_limbs(const unsigned char bytes[BYTES], nettle_limb out[LIMBS]) {
    for (size_t i = 0; i < LIMBS; i++) {
        const unsigned char *p = bytes + BYTES - (i + 1) * LIMB;
        out[i] = 0;
        for (size_t k = 0; k < LIMB; k++) {
            out[i] = out[i] << 8 | p[k];
        }
    }
}

static bool in_range(const mbedtls_ecp_group *grp, const mbedtls_mpi *n) {
    return mbedtls_mpi_cmp_int(n, 1) >= 0 &&
           mbedtls_mpi_cmp_mpi(n, &grp->N) < 0;
}

/* A private key, a nonce or one half of a signature, which are in range. */
static bool read_number(const mbedtls_ecp_group *grp, const mbedtls_mpi *n,
                        nettle_limb out[LIMBS]) {
    unsigned char bytes[BYTES];
    bool ok = in_range(grp, n) &&
              mbedtls_mpi_write_binary(n, bytes, sizeof bytes) == 0;
    if (ok) {
        to_limbs(bytes, out);
    }
    mbedtls_platform_zeroize(bytes, sizeof bytes);
    return ok;
}

static bool write_number(const mbedtls_ecp_group *grp,
                         const nettle_limb in[LIMBS], mbedtls_mpi *n) {
    unsigned char bytes[BYTES];
    for (size_t i = 0; i < BYTES; i++) {
        bytes[BYTES - 1 - i] = (unsigned char)(in[i / LIMB] >> i % LIMB * 8);
    }
    return mbedtls_mpi_read_binary(n, bytes, sizeof bytes) == 0 &&
           in_range(grp, n);
}

/* A point on the curve, and not infinity. */
static bool read_point(const mbedtls_ecp_group *grp, const mbedtls_ecp_point *Q,
                       nettle_limb out[2 * LIMBS]) {
    unsigned char bytes[1 + 2 * BYTES];
    size_t len;
    if (mbedtls_ecp_check_pubkey(grp, Q) != 0 ||
        mbedtls_ecp_point_write_binary(grp, Q, MBEDTLS_ECP_PF_UNCOMPRESSED,
                                       &len, bytes, sizeof bytes) != 0 ||
        len != sizeof bytes) {
        return false;
    }
    to_limbs(bytes + 1, out);
    to_limbs(bytes + 1 + BYTES, out + LIMBS);
    return true;
}

/* All that a verdict depends on. */
struct signature {
    nettle_limb halves[2][LIMBS];
    nettle_limb point[2 * LIMBS];
    uint64_t hash_len;
    unsigned char hash[HASH_MAX]; /* filled up with zeros */
};
_Static_assert(sizeof(struct signature) == 4 * BYTES + 8 + HASH_MAX,
               "a comparison would see padding");

/* The last ones that held, the latest first; or zeros, which no signature is.
 * Many chains that one process sees have an intermediate in common. */
static struct signature good[GOOD_MAX];

/* @return whether it held before */
static bool is_known(const struct signature *sig) {
    for (size_t i = 0; i < GOOD_MAX; i++) {
        if (memcmp(sig, &good[i], sizeof *sig) == 0) {
            memmove(good + 1, good, i * sizeof *good);
            good[0] = *sig;
            return true;
        }
    }
    return false;
}

static void keep(const struct signature *sig) {
    memmove(good + 1, good, sizeof good - sizeof *good);
    good[0] = *sig;
}

/* @return whether the library is there and finds it good */
static bool holds(const mbedtls_ecp_group *grp, const unsigned char *buf,
                  size_t blen, const mbedtls_ecp_point *Q, const mbedtls_mpi *r,
                  const mbedtls_mpi *s) {
    const struct nettle *lib;
    nettle_limb scratch[NETTLE_SCRATCH];
    struct signature sig = { .hash_len = blen };
    if (grp->id != MBEDTLS_ECP_DP_SECP256R1 || blen > HASH_MAX ||
        (lib = nettle_open()) == NULL || !read_number(grp, r, sig.halves[0]) ||
        !read_number(grp, s, sig.halves[1]) || !read_point(grp, Q, sig.point)) {
        return false;
    }
    memcpy(sig.hash, buf, blen);
    if (is_known(&sig)) {
        return true;
    }
    bool ok = lib->verify(lib->p256, sig.point, blen, buf, sig.halves[0],
                          sig.halves[1], scratch) == 1;
    nettle_wipe_stack();
    if (ok) {
        keep(&sig);
    }
    return ok;
}

int mbedtls_ecdsa_verify(mbedtls_ecp_group *grp, const unsigned char *buf,
                         size_t blen, const mbedtls_ecp_point *Q,
                         const mbedtls_mpi *r, const mbedtls_mpi *s) {
    return holds(grp, buf, blen, Q, r, s)
               ? 0
               : mptls_own_ecdsa_verify(grp, buf, blen, Q, r, s);
}

/* Drawn as Mbed TLS's own code does. */
static bool make_nonce(mbedtls_ecp_group *grp, random_source *f_rng,
                       void *p_rng, nettle_limb out[LIMBS]) {
    mbedtls_mpi k;
    mbedtls_mpi_init(&k);
    bool ok = mbedtls_ecp_gen_privkey(grp, &k, f_rng, p_rng) == 0 &&
              read_number(grp, &k, out);
    mbedtls_mpi_free(&k);
    return ok;
}

static bool sign(mbedtls_ecp_group *grp, mbedtls_mpi *r, mbedtls_mpi *s,
                 const mbedtls_mpi *d, const unsigned char *buf, size_t blen,
                 random_source *f_rng, void *p_rng) {
    struct {
        nettle_limb key[LIMBS], nonce[LIMBS], scratch[NETTLE_SCRATCH];
    } secret;
    nettle_limb halves[2][LIMBS];
    const struct nettle *lib;
    if (grp->id != MBEDTLS_ECP_DP_SECP256R1 || (lib = nettle_open()) == NULL) {
        return false;
    }
    bool ok = read_number(grp, d, secret.key) &&
              make_nonce(grp, f_rng, p_rng, secret.nonce);
    if (ok) {
        lib->sign(lib->p256, secret.key, secret.nonce, blen, buf, halves[0],
                  halves[1], secret.scratch);
        nettle_wipe_stack();
        ok = write_number(grp, halves[0], r) && write_number(grp, halves[1], s);
    }
    mbedtls_platform_zeroize(&secret, sizeof secret);
    return ok;
}

/* The nonce is secret, and what blinds the numbers that Mbed TLS computes with
 * must not be made from it, nor be the same twice. */
int mbedtls_ecdsa_sign(mbedtls_ecp_group *grp, mbedtls_mpi *r, mbedtls_mpi *s,
                       const mbedtls_mpi *d, const unsigned char *buf,
                       size_t blen, random_source *f_rng, void *p_rng) {
    return sign(grp, r, s, d, buf, blen, f_rng, p_rng)
               ? 0
               : mptls_own_ecdsa_sign_restartable(
                     grp, r, s, d, buf, blen, f_rng, p_rng,
                     mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE, NULL);
}
