#include "tls/ecdsa.h"

#include <dlfcn.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/psa_util.h>
#include <stdint.h>
#include <string.h>

static bool used;

void ecdsa_use_library(bool use) {
    used = use;
}

#ifdef MBEDTLS_WRAP

/* GMP's mp_limb_t, as it is wherever a long has the size of a register. */
typedef unsigned long limb;

enum {
    BYTES = 32, /* of a coordinate, and of each half of a signature */
    LIMB = sizeof(limb),
    LIMBS = BYTES / LIMB,
    SCRATCH = 8192 / LIMB
};

struct curve;

/* Nettle 3.6 and later of Nettle 3. The functions of this name are declared in
 * nettle/ecdsa.h, and allocate nothing. */
static const char name[] = "libhogweed.so.6";

static struct {
    bool tried;
    void *handle;
    const struct curve *curve; /* NULL: there is no library */
    int (*verify)(const struct curve *curve, const limb *point, size_t hash_len,
                  const uint8_t *hash, const limb *r, const limb *s,
                  limb *scratch);
    void (*sign)(const struct curve *curve, const limb *key, const limb *nonce,
                 size_t hash_len, const uint8_t *hash, limb *r, limb *s,
                 limb *scratch);
} lib;

/* ISO C has no cast from what dlsym() returns to a function's address.
 * @param pointer  set to it */
static bool find(void *handle, const char *symbol, void *pointer) {
    void *address = dlsym(handle, symbol);
    memcpy(pointer, &address, sizeof address);
    return address != NULL;
}

static void open_library(void) {
    const struct curve *(*curve)(void);
    long (*to_verify)(const struct curve *), (*to_sign)(const struct curve *);
    const int *bits;
    lib.tried = true;
    void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    if (handle == NULL) {
        return;
    }
    if (find(handle, "__gmp_bits_per_limb", &bits) && *bits == 8 * LIMB &&
        find(handle, "nettle_get_secp_256r1", &curve) &&
        find(handle, "nettle_ecc_ecdsa_verify_itch", &to_verify) &&
        find(handle, "nettle_ecc_ecdsa_verify", &lib.verify) &&
        find(handle, "nettle_ecc_ecdsa_sign_itch", &to_sign) &&
        find(handle, "nettle_ecc_ecdsa_sign", &lib.sign) &&
        to_verify(curve()) <= SCRATCH && to_sign(curve()) <= SCRATCH) {
        lib.curve = curve();
        lib.handle = handle;
    } else {
        dlclose(handle);
    }
}

const char *ecdsa_library(void) {
    if (!lib.tried) {
        open_library();
    }
    return lib.curve != NULL ? name : NULL;
}

void ecdsa_disable(void) {
    lib.tried = true;
    lib.curve = NULL;
}

void ecdsa_release(void) {
    if (lib.curve != NULL) {
        dlclose(lib.handle);
        lib.curve = NULL;
        lib.tried = false;
    }
}

/* From the highest byte first to the lowest limb first. */
static void to_limbs(const unsigned char bytes[BYTES], limb out[LIMBS]) {
    for (size_t i = 0; i < LIMBS; i++) {
        const unsigned char *p = bytes + BYTES - (i + 1) * LIMB;
        out[i] = 0;
        for (size_t k = 0; k < LIMB; k++) {
            out[i] = out[i] << 8 | p[k];
        }
    }
}

/* One half of a signature (RFC 3279 2.2.3). */
static bool read_half(unsigned char **p, const unsigned char *end,
                      limb out[LIMBS]) {
    unsigned char bytes[BYTES] = { 0 };
    size_t len;
    if (mbedtls_asn1_get_tag(p, end, &len, MBEDTLS_ASN1_INTEGER) != 0) {
        return false;
    }
    const unsigned char *number = *p;
    *p += len;
    if (len == 0 || number[0] >= 0x80) {
        return false;
    }
    for (; len > 0 && number[0] == 0; len--) {
        number++;
    }
    if (len > BYTES) {
        return false;
    }
    memcpy(bytes + BYTES - len, number, len);
    to_limbs(bytes, out);
    return true;
}

static bool read_signature(const unsigned char *sig, size_t len, limb r[LIMBS],
                           limb s[LIMBS]) {
    unsigned char *p = (unsigned char *)(uintptr_t)sig, *end = p + len;
    size_t body;
    return mbedtls_asn1_get_tag(&p, end, &body,
                                MBEDTLS_ASN1_CONSTRUCTED |
                                    MBEDTLS_ASN1_SEQUENCE) == 0 &&
           body == (size_t)(end - p) && read_half(&p, end, r) &&
           read_half(&p, end, s) && p == end;
}

/* Mbed TLS has seen to it that the point is on the curve. */
static bool read_point(mbedtls_ecdsa_context *key, limb out[2 * LIMBS]) {
    unsigned char point[1 + 2 * BYTES];
    size_t len;
    if (mbedtls_ecp_keypair_get_group_id(key) != MBEDTLS_ECP_DP_SECP256R1 ||
        mbedtls_ecp_write_public_key(key, MBEDTLS_ECP_PF_UNCOMPRESSED, &len,
                                     point, sizeof point) != 0 ||
        len != sizeof point) {
        return false;
    }
    to_limbs(point + 1, out);
    to_limbs(point + 1 + BYTES, out + LIMBS);
    return true;
}

static bool is_good(mbedtls_ecdsa_context *key, const unsigned char *hash,
                    size_t hash_len, const unsigned char *sig, size_t sig_len) {
    limb point[2 * LIMBS], r[LIMBS], s[LIMBS], scratch[SCRATCH];
    return used && read_point(key, point) &&
           read_signature(sig, sig_len, r, s) && ecdsa_library() != NULL &&
           lib.verify(lib.curve, point, hash_len, hash, r, s, scratch) == 1;
}

int __real_mbedtls_ecdsa_read_signature(mbedtls_ecdsa_context *key,
                                        const unsigned char *hash,
                                        size_t hash_len,
                                        const unsigned char *sig,
                                        size_t sig_len);
int __wrap_mbedtls_ecdsa_read_signature(mbedtls_ecdsa_context *key,
                                        const unsigned char *hash,
                                        size_t hash_len,
                                        const unsigned char *sig,
                                        size_t sig_len);

int __wrap_mbedtls_ecdsa_read_signature(mbedtls_ecdsa_context *key,
                                        const unsigned char *hash,
                                        size_t hash_len,
                                        const unsigned char *sig,
                                        size_t sig_len) {
    return is_good(key, hash, hash_len, sig, sig_len)
               ? 0
               : __real_mbedtls_ecdsa_read_signature(key, hash, hash_len, sig,
                                                     sig_len);
}

static void to_bytes(const limb in[LIMBS], unsigned char out[BYTES]) {
    for (size_t i = 0; i < BYTES; i++) {
        out[BYTES - 1 - i] = (unsigned char)(in[i / LIMB] >> (i % LIMB * 8));
    }
}

typedef int random_source(void *arg, unsigned char *out, size_t len);

/* A number from 1 to the order of the curve less 1, as a private key is, and
 * drawn like one (FIPS 186-5 A.3.2). */
static bool make_nonce(random_source *rng, void *rng_arg, unsigned char *bytes,
                       limb out[LIMBS]) {
    mbedtls_ecp_group grp;
    mbedtls_mpi k;
    mbedtls_ecp_group_init(&grp);
    mbedtls_mpi_init(&k);
    bool ok = mbedtls_ecp_group_load(&grp, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
              mbedtls_ecp_gen_privkey(&grp, &k, rng, rng_arg) == 0 &&
              mbedtls_mpi_write_binary(&k, bytes, BYTES) == 0;
    if (ok) {
        to_limbs(bytes, out);
    }
    mbedtls_mpi_free(&k);
    mbedtls_ecp_group_free(&grp);
    return ok;
}

/* What a caller's `key` is when it has a private part. */
static bool read_key(const mbedtls_ecdsa_context *key, unsigned char *bytes,
                     limb out[LIMBS]) {
    size_t len;
    if (mbedtls_ecp_keypair_get_group_id(key) != MBEDTLS_ECP_DP_SECP256R1 ||
        mbedtls_ecp_write_key_ext(key, &len, bytes, BYTES) != 0 ||
        len != BYTES) {
        return false;
    }
    to_limbs(bytes, out);
    return true;
}

/* @return whether there is one; *len is set then */
static bool sign(const mbedtls_ecdsa_context *key, const unsigned char *hash,
                 size_t hash_len, unsigned char *sig, size_t size, size_t *len,
                 random_source *rng, void *rng_arg) {
    struct {
        limb key[LIMBS], nonce[LIMBS], scratch[SCRATCH];
        unsigned char bytes[BYTES];
    } secret;
    limb r[LIMBS], s[LIMBS];
    unsigned char both[2 * BYTES];
    if (!used || rng == NULL || ecdsa_library() == NULL) {
        return false;
    }
    bool ok = read_key(key, secret.bytes, secret.key) &&
              make_nonce(rng, rng_arg, secret.bytes, secret.nonce);
    if (ok) {
        lib.sign(lib.curve, secret.key, secret.nonce, hash_len, hash, r, s,
                 secret.scratch);
        to_bytes(r, both);
        to_bytes(s, both + BYTES);
    }
    mbedtls_platform_zeroize(&secret, sizeof secret);
    return ok && mbedtls_ecdsa_raw_to_der(BYTES * 8, both, sizeof both, sig,
                                          size, len) == 0;
}

int __real_mbedtls_ecdsa_write_signature(mbedtls_ecdsa_context *key,
                                         mbedtls_md_type_t md,
                                         const unsigned char *hash,
                                         size_t hash_len, unsigned char *sig,
                                         size_t size, size_t *len,
                                         random_source *rng, void *rng_arg);
int __wrap_mbedtls_ecdsa_write_signature(mbedtls_ecdsa_context *key,
                                         mbedtls_md_type_t md,
                                         const unsigned char *hash,
                                         size_t hash_len, unsigned char *sig,
                                         size_t size, size_t *len,
                                         random_source *rng, void *rng_arg);

/* Mbed TLS's nonce comes of the key and the hash (RFC 6979): ours is random, of
 * the same generator as all keys. */
int __wrap_mbedtls_ecdsa_write_signature(mbedtls_ecdsa_context *key,
                                         mbedtls_md_type_t md,
                                         const unsigned char *hash,
                                         size_t hash_len, unsigned char *sig,
                                         size_t size, size_t *len,
                                         random_source *rng, void *rng_arg) {
    return sign(key, hash, hash_len, sig, size, len, rng, rng_arg)
               ? 0
               : __real_mbedtls_ecdsa_write_signature(
                     key, md, hash, hash_len, sig, size, len, rng, rng_arg);
}

#else

const char *ecdsa_library(void) {
    return NULL;
}

void ecdsa_disable(void) {
}

void ecdsa_release(void) {
}

#endif
