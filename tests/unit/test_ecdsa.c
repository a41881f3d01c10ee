#include "tls/ecdsa.h"

#include <mbedtls/asn1write.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>
#include <stdio.h>

#include "test.h"
#include "tls/ssl_heap.h"

enum { HASH_MAX = 64 };

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
    if (!ssl_heap_counts() || ecdsa_library() == NULL) {
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
    ecdsa_use_library(false);
    mbedtls_ecdsa_free(&key);
    return 0;
}

/* @param allocations  Mbed TLS makes some to check a signature, and the library
 *                     none; NULL: they do not matter */
static int check(bool use, size_t hash_len, const unsigned char *sig,
                 size_t len, uint64_t *allocations) {
    struct ssl_heap_account *a = ssl_heap_open(NULL);
    assert_non_null(a);
    ecdsa_use_library(use);
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
    static const size_t lens[] = { 20, 28, 32, 48, 64 };
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN];
    uint64_t n;
    need_library(state);
    for (int i = 0; i < 50; i++) {
        size_t hash_len = lens[(size_t)i % (sizeof lens / sizeof lens[0])];
        make_key(MBEDTLS_ECP_DP_SECP256R1);
        size_t len = sign(hash_len, sig, sizeof sig);
        assert_int_equal(check(true, hash_len, sig, len, &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(check(false, hash_len, sig, len, &n), 0);
        assert_true(n > 0);
    }
}

/* Mbed TLS's are always the same for a key and a hash (RFC 6979). */
static bool is_librarys(size_t hash_len) {
    unsigned char one[MBEDTLS_ECDSA_MAX_LEN], two[MBEDTLS_ECDSA_MAX_LEN];
    ecdsa_use_library(true);
    size_t a = sign(hash_len, one, sizeof one);
    size_t b = sign(hash_len, two, sizeof two);
    ecdsa_use_library(false);
    assert_int_equal(check(false, hash_len, one, a, NULL), 0);
    assert_int_equal(check(false, hash_len, two, b, NULL), 0);
    return a != b || memcmp(one, two, a) != 0;
}

static void what_the_library_signs_is_good_to_mbedtls(void **state) {
    static const size_t lens[] = { 20, 28, 32, 48, 64 };
    need_library(state);
    for (int i = 0; i < 100; i++) {
        make_key(MBEDTLS_ECP_DP_SECP256R1);
        assert_true(is_librarys(lens[(size_t)i % 5]));
    }
    make_key(MBEDTLS_ECP_DP_SECP384R1);
    assert_false(is_librarys(32));
}

static int lame(void *arg, unsigned char *out, size_t len) {
    (void)arg;
    (void)out;
    (void)len;
    return MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

static void where_there_is_no_signature_mbedtls_says_why(void **state) {
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN];
    size_t len;
    need_library(state);
    make_key(MBEDTLS_ECP_DP_SECP256R1);
    ecdsa_use_library(true);
    assert_int_equal(mbedtls_ecdsa_write_signature(&key, MBEDTLS_MD_SHA256,
                                                   hash, 32, sig, sizeof sig,
                                                   &len, lame, NULL),
                     MBEDTLS_ERR_ECP_RANDOM_FAILED);
    int ret = mbedtls_ecdsa_write_signature(
        &key, MBEDTLS_MD_SHA256, hash, 32, sig, 20, &len,
        mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    ecdsa_use_library(false);
    assert_int_equal(ret,
                     mbedtls_ecdsa_write_signature(
                         &key, MBEDTLS_MD_SHA256, hash, 32, sig, 20, &len,
                         mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE));
    assert_int_not_equal(ret, 0);
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
        assert_true(n > 0);
        sig[len - 1] ^= 1;
        assert_int_equal(agreed(32, sig, len), MBEDTLS_ERR_ECP_VERIFY_FAILED);
    }
}

static void a_bit_more_or_less_is_refused(void **state) {
    unsigned char sig[MBEDTLS_ECDSA_MAX_LEN];
    need_library(state);
    make_key(MBEDTLS_ECP_DP_SECP256R1);
    size_t len = sign(32, sig, sizeof sig);
    for (size_t i = 0; i < len; i++) {
        unsigned char was = sig[i];
        sig[i] ^= (unsigned char)(1u << i % 8);
        assert_int_not_equal(agreed(32, sig, len), 0);
        sig[i] = was;
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

#define N "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"
#define N_LESS_1                                                               \
    "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550"
#define P "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF"

static void numbers_out_of_range_are_refused(void **state) {
    static const char *const numbers[] = {
        "0",
        "1",
        N_LESS_1,
        N,
        P,
        ("1" N),
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_good_one_is_the_librarys_where_it_is_used),
        TEST(what_the_library_signs_is_good_to_mbedtls),
        TEST(where_there_is_no_signature_mbedtls_says_why),
        TEST(other_curves_are_mbedtls_own),
        TEST(a_bit_more_or_less_is_refused),
        TEST(numbers_out_of_range_are_refused),
        TEST(what_is_not_der_is_judged_by_mbedtls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
