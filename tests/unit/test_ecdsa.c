#include <mbedtls/asn1write.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>
#include <stdio.h>

#include "accel/accel.h"
#include "test.h"
#include "tls/ssl_heap.h"

enum { HASH_MAX = 64, FEW = 30 /* allocations */ };

static mbedtls_ecdsa_context key;
static unsigned char hash[HASH_MAX];

static void make_key(mbedtls_ecp_group_id id) {
    mbedtls_ecdsa_free(&key);
    mbedtls_ecdsa_init(&key);
    assert_int_equal(mbedtls_ecdsa_genkey(&key, id, mbedtls_psa_get_random,
                                          MBEDTLS_PSA_RANDOM_STATE),
                     0);
}

static size_t sign(size_t hash_len, unsigned char *sig, size_t size) {
    size_t len;
    assert_int_equal(mbedtls_ecdsa_write_signature(&key, MBEDTLS_MD_SHA256,
                                                   hash, hash_len, sig, size,
                                                   &len, mbedtls_psa_get_random,
                                                   MBEDTLS_PSA_RANDOM_STATE),
                     0);
    return len;
}

/* cmocka lets a test be skipped, and its setup not. */
static void need_library(void **state) {
    (void)state;
    if (!ssl_heap_counts() || accel_nettle_library() == NULL) {
        print_message("%s\n", accel_nettle_lack());
        skip();
    }
}

static int begin(void **state) {
    (void)state;
    (void)ssl_heap_start();
    if (psa_crypto_init() != PSA_SUCCESS) {
        return -1;
    }
    for (size_t i = 0; i < sizeof hash; i++) {
        hash[i] = (unsigned char)(i * 7 + 1);
    }
    mbedtls_ecdsa_init(&key);
    return 0;
}

static int end(void **state) {
    (void)state;
    accel_nettle_use(false);
    mbedtls_ecdsa_free(&key);
    return 0;
}

/* @param allocations  Mbed TLS makes hundreds to check a signature, and few to
 *                     read one for the library; NULL: they do not matter */
static int check(bool use, size_t hash_len, const unsigned char *sig,
                 size_t len, uint64_t *allocations) {
    struct ssl_heap_account *a = ssl_heap_open(NULL);
    assert_non_null(a);
    accel_nettle_use(use);
    ssl_heap_charge(a);
    int ret = mbedtls_ecdsa_read_signature(&key, hash, hash_len, sig, len);
    ssl_heap_charge(NULL);
    if (allocations != NULL) {
        *allocations = a->count;
    }
    ssl_heap_close(a);
    return ret;
}

/* Whatever it is, both say the same of it. */
static int agreed(size_t hash_len, const unsigned char *sig, size_t len) {
    int ret = check(false, hash_len, sig, len, NULL);
    assert_int_equal(check(true, hash_len, sig, len, NULL), ret);
    return ret;
}

static void a_good_one_is_the_librarys_where_it_is_used(void **state) {
    static const size_t lens[] = { 1, 20, 28, 32, 48, 64 };
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN];
    uint64_t n;
    need_library(state);
    for (int i = 0; i < 50; i++) {
        size_t hash_len = lens[(size_t)i % (sizeof lens / sizeof lens[0])];
        make_key(MBEDTLS_ECP_DP_SECP256R1);
        size_t len = sign(hash_len, sig, sizeof sig);
        assert_int_equal(check(true, hash_len, sig, len, &n), 0);
        assert_true(n < FEW);
        assert_int_equal(check(false, hash_len, sig, len, &n), 0);
        assert_true(n > FEW);
    }
}

/* What is signed is always the same for a key and a hash (RFC 6979).
 * @return whether the library has made one of both */
static bool both_sign_the_same(size_t hash_len) {
    unsigned char one[MBEDTLS_ECDSA_MAX_LEN], two[MBEDTLS_ECDSA_MAX_LEN];
    struct ssl_heap_account *a = ssl_heap_open(NULL), *b = ssl_heap_open(NULL);
    assert_non_null(a);
    assert_non_null(b);
    ssl_heap_charge(a);
    size_t len = sign(hash_len, one, sizeof one);
    accel_nettle_use(true);
    ssl_heap_charge(b);
    assert_int_equal(sign(hash_len, two, sizeof two), len);
    ssl_heap_charge(NULL);
    accel_nettle_use(false);
    assert_memory_equal(one, two, len);
    bool fewer = b->count * 2 < a->count;
    ssl_heap_close(a);
    ssl_heap_close(b);
    return fewer;
}

static void both_sign_the_same_way(void **state) {
    static const size_t lens[] = { 1, 20, 28, 32, 48, 64 };
    need_library(state);
    for (int i = 0; i < 120; i++) {
        make_key(MBEDTLS_ECP_DP_SECP256R1);
        assert_true(both_sign_the_same(lens[(size_t)i % 6]));
    }
    memset(hash, 0, sizeof hash);
    assert_true(both_sign_the_same(32));
    memset(hash, 0xff, sizeof hash);
    assert_true(both_sign_the_same(32));
    make_key(MBEDTLS_ECP_DP_SECP384R1);
    assert_false(both_sign_the_same(32));
}

static void other_curves_are_mbedtls_own(void **state) {
    static const mbedtls_ecp_group_id ids[] = { MBEDTLS_ECP_DP_SECP384R1,
                                                MBEDTLS_ECP_DP_SECP521R1,
                                                MBEDTLS_ECP_DP_SECP256K1,
                                                MBEDTLS_ECP_DP_BP256R1 };
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN];
    uint64_t n;
    need_library(state);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        make_key(ids[i]);
        size_t len = sign(32, sig, sizeof sig);
        assert_int_equal(check(true, 32, sig, len, &n), 0);
        assert_true(n > FEW);
        sig[len - 1] ^= 1;
        assert_int_equal(agreed(32, sig, len), MBEDTLS_ERR_ECP_VERIFY_FAILED);
    }
}

static void a_bit_more_or_less_is_refused(void **state) {
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN];
    need_library(state);
    make_key(MBEDTLS_ECP_DP_SECP256R1);
    size_t len = sign(32, sig, sizeof sig);
    for (size_t i = 0; i < len * 8; i++) {
        unsigned char bit = (unsigned char)(1u << i % 8);
        sig[i / 8] ^= bit;
        assert_int_not_equal(check(true, 32, sig, len, NULL), 0);
        sig[i / 8] ^= bit;
    }
    for (size_t i = 0; i < 32; i++) {
        hash[i] ^= 0x10;
        assert_int_equal(agreed(32, sig, len), MBEDTLS_ERR_ECP_VERIFY_FAILED);
        hash[i] ^= 0x10;
    }
    for (size_t i = 0; i < len; i++) {
        assert_int_not_equal(agreed(32, sig, i), 0);
    }
    assert_int_equal(agreed(32, sig, len), 0);
    make_key(MBEDTLS_ECP_DP_SECP256R1);
    assert_int_equal(agreed(32, sig, len), MBEDTLS_ERR_ECP_VERIFY_FAILED);
}

/* The DER of a signature of two numbers in hexadecimal. */
static size_t write_numbers(const char *r, const char *s, unsigned char *out,
                            size_t size) {
    const char *numbers[] = { s, r };
    unsigned char *p = out + size;
    int len = 0;
    for (int i = 0; i < 2; i++) {
        mbedtls_mpi n;
        mbedtls_mpi_init(&n);
        assert_int_equal(mbedtls_mpi_read_string(&n, 16, numbers[i]), 0);
        len += mbedtls_asn1_write_mpi(&p, out, &n);
        mbedtls_mpi_free(&n);
    }
    len += mbedtls_asn1_write_len(&p, out, (size_t)len);
    len += mbedtls_asn1_write_tag(&p, out, 0x30);
    memmove(out, p, (size_t)len);
    return (size_t)len;
}

#define ORDER "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"
#define ORDER_LESS_1                                                           \
    "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550"
#define ORDER_PLUS_1                                                           \
    "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632552"
#define PRIME "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF"

static void numbers_out_of_range_are_refused(void **state) {
    static const char *const numbers[] = {
        "0",
        "1",
        ORDER_LESS_1,
        ORDER,
        ORDER_PLUS_1,
        PRIME,
        ("1" ORDER),
        "0100000000000000000000000000000000000000000000000000000000000001"
    };
    enum { COUNT = sizeof numbers / sizeof numbers[0] };
    unsigned char sig[256];
    need_library(state);
    make_key(MBEDTLS_ECP_DP_SECP256R1);
    for (size_t i = 0; i < COUNT * COUNT; i++) {
        size_t len = write_numbers(numbers[i / COUNT], numbers[i % COUNT], sig,
                                   sizeof sig);
        assert_int_equal(agreed(32, sig, len), MBEDTLS_ERR_ECP_VERIFY_FAILED);
    }
}

static void what_is_not_der_is_judged_by_mbedtls(void **state) {
    static const unsigned char odd[][10] = {
        { 0x30, 0x00 },
        { 0x30, 0x04, 0x02, 0x00, 0x02, 0x00 },
        { 0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01 },
        { 0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x81 },
        { 0x30, 0x08, 0x02, 0x02, 0x00, 0x01, 0x02, 0x02, 0x00, 0x01 },
        { 0x30, 0x80, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00, 0x00 },
        { 0x31, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01 },
        { 0x30, 0x06, 0x03, 0x01, 0x01, 0x02, 0x01, 0x01 },
        { 0x30, 0x06, 0x02, 0x7f, 0x01, 0x02, 0x01, 0x01 },
    };
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN + 8] = { 0 };
    need_library(state);
    make_key(MBEDTLS_ECP_DP_SECP256R1);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        for (size_t len = 0; len <= sizeof odd[0]; len++) {
            assert_int_not_equal(agreed(32, odd[i], len), 0);
        }
    }
    size_t len = sign(32, sig, sizeof sig - 8);
    assert_int_not_equal(agreed(32, sig, len + 1), 0);
    sig[1] += 2; /* and what is behind both is a part of it */
    assert_int_equal(agreed(32, sig, len + 2),
                     MBEDTLS_ERR_ECP_SIG_LEN_MISMATCH);
}

/* A good signature, its numbers written as they should not be. */
static size_t write_oddly(const unsigned char *sig, bool long_form,
                          size_t zeros, bool bare, unsigned char *out) {
    unsigned char *p = out + (long_form ? 3 : 2);
    const unsigned char *number = sig + 2;
    for (int i = 0; i < 2; i++) {
        size_t len = number[1], skip_zero = bare && number[2] == 0;
        *p++ = 0x02;
        if (long_form) {
            *p++ = 0x81;
        }
        *p++ = (unsigned char)(len + zeros - skip_zero);
        memset(p, 0, zeros);
        p += zeros;
        memcpy(p, number + 2 + skip_zero, len - skip_zero);
        p += len - skip_zero;
        number += 2 + len;
    }
    size_t body = (size_t)(p - out) - (long_form ? 3 : 2);
    out[0] = 0x30;
    out[1] = long_form ? 0x81 : (unsigned char)body;
    if (long_form) {
        out[2] = (unsigned char)body;
    }
    return (size_t)(p - out);
}

static void odd_der_of_a_good_one_is_read_by_mbedtls(void **state) {
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN], odd[256];
    need_library(state);
    for (int i = 0; i < 8; i++) { /* with highest bits that are set, and not */
        make_key(MBEDTLS_ECP_DP_SECP256R1);
        (void)sign(32, sig, sizeof sig);
        for (size_t how = 0; how < 12; how++) {
            size_t len = write_oddly(sig, how & 1, how / 4 * 3, how & 2, odd);
            int ret = agreed(32, odd, len);
            assert_true(ret == 0 || (how & 2) != 0);
            odd[len - 1] ^= 1;
            assert_int_not_equal(agreed(32, odd, len), 0);
        }
    }
}

/* Below, numbers are given as they are, and not in DER. */
struct numbers {
    mbedtls_ecp_group grp;
    mbedtls_ecp_point q; /* d times the base point */
    mbedtls_mpi d, r, s, h, t;
};

static void number_set(mbedtls_mpi *n, const char *hex) {
    assert_int_equal(mbedtls_mpi_read_string(n, 16, hex), 0);
}

static void times(struct numbers *n, mbedtls_mpi *x, const mbedtls_mpi *a,
                  const mbedtls_mpi *b) {
    assert_int_equal(mbedtls_mpi_mul_mpi(x, a, b), 0);
    assert_int_equal(mbedtls_mpi_mod_mpi(x, x, &n->grp.N), 0);
}

static void multiply(struct numbers *n, mbedtls_ecp_point *r,
                     const mbedtls_mpi *m) {
    assert_int_equal(mbedtls_ecp_mul(&n->grp, r, m, &n->grp.G,
                                     mbedtls_psa_get_random,
                                     MBEDTLS_PSA_RANDOM_STATE),
                     0);
}

static void numbers_open(struct numbers *n) {
    mbedtls_ecp_group_init(&n->grp);
    mbedtls_ecp_point_init(&n->q);
    mbedtls_mpi_init(&n->d);
    mbedtls_mpi_init(&n->r);
    mbedtls_mpi_init(&n->s);
    mbedtls_mpi_init(&n->h);
    mbedtls_mpi_init(&n->t);
    assert_int_equal(mbedtls_ecp_group_load(&n->grp, MBEDTLS_ECP_DP_SECP256R1),
                     0);
    number_set(&n->d, "123456789ABCDEF0FEDCBA98765432100F1E2D3C4B5A69788796A5B4"
                      "C3D2E1F0");
    multiply(n, &n->q, &n->d);
}

static void numbers_close(struct numbers *n) {
    mbedtls_ecp_group_free(&n->grp);
    mbedtls_ecp_point_free(&n->q);
    mbedtls_mpi_free(&n->d);
    mbedtls_mpi_free(&n->r);
    mbedtls_mpi_free(&n->s);
    mbedtls_mpi_free(&n->h);
    mbedtls_mpi_free(&n->t);
}

/* @return what both say of it */
static int verdict(struct numbers *n, const mbedtls_ecp_point *q) {
    unsigned char h[32];
    assert_int_equal(mbedtls_mpi_write_binary(&n->h, h, sizeof h), 0);
    accel_nettle_use(false);
    int ret = mbedtls_ecdsa_verify(&n->grp, h, sizeof h, q, &n->r, &n->s);
    accel_nettle_use(true);
    assert_int_equal(
        mbedtls_ecdsa_verify(&n->grp, h, sizeof h, q, &n->r, &n->s), ret);
    return ret;
}

static void sign_numbers(struct numbers *n, const char *h) {
    unsigned char bytes[32];
    number_set(&n->h, h);
    assert_int_equal(mbedtls_mpi_write_binary(&n->h, bytes, sizeof bytes), 0);
    assert_int_equal(mbedtls_ecdsa_sign(&n->grp, &n->r, &n->s, &n->d, bytes,
                                        sizeof bytes, mbedtls_psa_get_random,
                                        MBEDTLS_PSA_RANDOM_STATE),
                     0);
}

static void hashes_at_the_ends_of_the_range(void **state) {
    static const char *const hashes[] = {
        "0",
        "1",
        ORDER_LESS_1,
        ORDER,
        PRIME,
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
    };
    struct numbers n;
    need_library(state);
    numbers_open(&n);
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        sign_numbers(&n, hashes[i]);
        assert_int_equal(verdict(&n, &n.q), 0);
        /* The same numbers modulo n, and the other root. */
        assert_int_equal(mbedtls_mpi_sub_mpi(&n.s, &n.grp.N, &n.s), 0);
        assert_int_equal(verdict(&n, &n.q), 0);
        assert_int_equal(mbedtls_mpi_add_mpi(&n.s, &n.s, &n.grp.N), 0);
        assert_int_equal(verdict(&n, &n.q), MBEDTLS_ERR_ECP_VERIFY_FAILED);
        sign_numbers(&n, hashes[i]);
        assert_int_equal(mbedtls_mpi_sub_mpi(&n.r, &n.r, &n.grp.N), 0);
        assert_int_equal(verdict(&n, &n.q), MBEDTLS_ERR_ECP_VERIFY_FAILED);
        sign_numbers(&n, hashes[i]);
        assert_int_equal(mbedtls_mpi_lset(&n.r, 0), 0);
        assert_int_equal(verdict(&n, &n.q), MBEDTLS_ERR_ECP_VERIFY_FAILED);
        sign_numbers(&n, hashes[i]);
        n.s.MBEDTLS_PRIVATE(s) = -1;
        assert_int_equal(verdict(&n, &n.q), MBEDTLS_ERR_ECP_VERIFY_FAILED);
    }
    numbers_close(&n);
}

static int lame(void *arg, unsigned char *out, size_t len) {
    (void)arg;
    (void)out;
    (void)len;
    return MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

static void where_there_is_no_signature_mbedtls_says_why(void **state) {
    static const char *const keys[] = { "0", ORDER, PRIME, "-1" };
    struct numbers n;
    need_library(state);
    numbers_open(&n);
    accel_nettle_use(true);
    assert_int_equal(
        mbedtls_ecdsa_sign(&n.grp, &n.r, &n.s, &n.d, hash, 32, lame, NULL),
        MBEDTLS_ERR_ECP_RANDOM_FAILED);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        number_set(&n.d, keys[i]);
        assert_int_equal(mbedtls_ecdsa_sign(&n.grp, &n.r, &n.s, &n.d, hash, 32,
                                            mbedtls_psa_get_random,
                                            MBEDTLS_PSA_RANDOM_STATE),
                         MBEDTLS_ERR_ECP_INVALID_KEY);
    }
    numbers_close(&n);
}

/* Nettle's sum of two points is not right where they are the same or opposite.
 * Who knows the key can bring that about: with R = 2 u G for h = r d, and with
 * the point at infinity for h = -r d. */
static void sums_that_nettle_gets_wrong(void **state) {
    struct numbers n;
    mbedtls_ecp_point sum;
    unsigned char bytes[65];
    size_t len;
    need_library(state);
    numbers_open(&n);
    mbedtls_ecp_point_init(&sum);
    number_set(&n.t, "1F00000000000000000000000000000000000000000000000000000"
                     "00000000A"); /* 2 u */
    multiply(&n, &sum, &n.t);
    assert_int_equal(mbedtls_ecp_point_write_binary(&n.grp, &sum,
                                                    MBEDTLS_ECP_PF_UNCOMPRESSED,
                                                    &len, bytes, sizeof bytes),
                     0);
    assert_int_equal(mbedtls_mpi_read_binary(&n.r, bytes + 1, 32), 0);
    assert_int_equal(mbedtls_mpi_mod_mpi(&n.r, &n.r, &n.grp.N), 0);
    times(&n, &n.h, &n.r, &n.d);
    assert_int_equal(mbedtls_mpi_shift_r(&n.t, 1), 0); /* u = h / s */
    assert_int_equal(mbedtls_mpi_inv_mod(&n.t, &n.t, &n.grp.N), 0);
    times(&n, &n.s, &n.h, &n.t);
    assert_int_equal(verdict(&n, &n.q), 0);
    assert_int_equal(mbedtls_mpi_sub_mpi(&n.h, &n.grp.N, &n.h), 0);
    assert_int_equal(verdict(&n, &n.q), MBEDTLS_ERR_ECP_VERIFY_FAILED);
    mbedtls_ecp_point_free(&sum);
    numbers_close(&n);
}

static int spoil(mbedtls_ecp_point *q, const mbedtls_mpi *p, int how) {
    mbedtls_mpi *x = &q->MBEDTLS_PRIVATE(X), *y = &q->MBEDTLS_PRIVATE(Y),
                *z = &q->MBEDTLS_PRIVATE(Z);
    switch (how) {
    case 0:
        return mbedtls_ecp_set_zero(q);
    case 1:
        return mbedtls_mpi_lset(z, 0);
    case 2:
        return mbedtls_mpi_lset(z, 2);
    case 3:
        return mbedtls_mpi_add_int(y, y, 1);
    case 4: /* of order 2 on another curve */
        return mbedtls_mpi_lset(y, 0);
    case 5:
        return mbedtls_mpi_lset(x, 0);
    case 6:
        return mbedtls_mpi_lset(x, 0) != 0 ? -1 : mbedtls_mpi_lset(y, 0);
    case 7:
        return mbedtls_mpi_add_mpi(x, x, p);
    default:
        return mbedtls_mpi_sub_mpi(y, y, p);
    }
}

static void keys_that_are_no_point_of_the_curve(void **state) {
    struct numbers n;
    mbedtls_ecp_point bad;
    need_library(state);
    numbers_open(&n);
    mbedtls_ecp_point_init(&bad);
    sign_numbers(&n, "ABCDEF");
    for (int how = 0; how < 9; how++) {
        assert_int_equal(mbedtls_ecp_copy(&bad, &n.q), 0);
        assert_int_equal(spoil(&bad, &n.grp.P, how), 0);
        assert_int_equal(verdict(&n, &bad), MBEDTLS_ERR_ECP_INVALID_KEY);
    }
    /* That of another key, and its opposite. */
    assert_int_equal(mbedtls_ecp_copy(&bad, &n.q), 0);
    assert_int_equal(mbedtls_mpi_sub_mpi(&bad.MBEDTLS_PRIVATE(Y), &n.grp.P,
                                         &n.q.MBEDTLS_PRIVATE(Y)),
                     0);
    assert_int_equal(verdict(&n, &bad), MBEDTLS_ERR_ECP_VERIFY_FAILED);
    assert_int_equal(verdict(&n, &n.grp.G), MBEDTLS_ERR_ECP_VERIFY_FAILED);
    assert_int_equal(verdict(&n, &n.q), 0);
    mbedtls_ecp_point_free(&bad);
    numbers_close(&n);
}

/* The last one. */
static void it_can_be_done_without(void **state) {
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN];
    uint64_t n;
    need_library(state);
    make_key(MBEDTLS_ECP_DP_SECP256R1);
    size_t len = sign(32, sig, sizeof sig);
    assert_null(accel_nettle_lack());
    const char *name = accel_nettle_library();
    assert_true(name != NULL && strncmp(name, "Nettle 3.", 9) == 0);
    accel_nettle_release();
    accel_nettle_release();
    assert_int_equal(check(true, 32, sig, len, &n), 0);
    assert_true(n < FEW);
    accel_disable("a test");
    accel_nettle_release();
    assert_null(accel_nettle_library());
    assert_string_equal(accel_nettle_lack(), "a test");
    assert_int_equal(check(true, 32, sig, len, &n), 0);
    assert_true(n > FEW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_good_one_is_the_librarys_where_it_is_used),
        TEST(both_sign_the_same_way),
        TEST(other_curves_are_mbedtls_own),
        TEST(a_bit_more_or_less_is_refused),
        TEST(numbers_out_of_range_are_refused),
        TEST(what_is_not_der_is_judged_by_mbedtls),
        TEST(odd_der_of_a_good_one_is_read_by_mbedtls),
        TEST(hashes_at_the_ends_of_the_range),
        TEST(where_there_is_no_signature_mbedtls_says_why),
        TEST(sums_that_nettle_gets_wrong),
        TEST(keys_that_are_no_point_of_the_curve),
        TEST(it_can_be_done_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
