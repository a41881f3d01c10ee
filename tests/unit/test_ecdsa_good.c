/* What libhogweed found good once, it is not asked for again. */
#include <mbedtls/ecdsa.h>
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>
#include <stdio.h>

#include "accel/accel.h"
#include "test.h"

#ifdef MBEDTLS_ECDSA_VERIFY_ALT

#include "accel/nettle.h"

enum { HASH_MAX = 64, KNOWN = 16 };

static struct {
    mbedtls_ecp_group grp;
    mbedtls_ecp_point q;
    mbedtls_mpi d, r, s;
    unsigned char hash[HASH_MAX + 1];
} is;

static nettle_verify *real;
static unsigned asked; /* times */

static int count(const struct ecc_curve *curve, const nettle_limb *point,
                 size_t hash_len, const uint8_t *hash, const nettle_limb *r,
                 const nettle_limb *s, nettle_limb *scratch) {
    asked++;
    return real(curve, point, hash_len, hash, r, s, scratch);
}

/* Opened anew, the library has its own functions again. */
static void count_from_now(void) {
    struct nettle *lib = (struct nettle *)nettle_open();
    if (lib == NULL) {
        print_message("%s\n", accel_nettle_lack());
        skip();
    }
    if (lib->verify != count) {
        real = lib->verify;
        lib->verify = count;
    }
}

static void make_key(void) {
    assert_int_equal(mbedtls_ecp_gen_keypair(&is.grp, &is.d, &is.q,
                                             mbedtls_psa_get_random,
                                             MBEDTLS_PSA_RANDOM_STATE),
                     0);
}

/* The same again for the same hash (RFC 6979). */
static void sign(size_t hash_len) {
    assert_int_equal(mbedtls_ecdsa_sign_det_ext(
                         &is.grp, &is.r, &is.s, &is.d, is.hash, hash_len,
                         MBEDTLS_MD_SHA256, mbedtls_psa_get_random,
                         MBEDTLS_PSA_RANDOM_STATE),
                     0);
}

static int begin(void **state) {
    (void)state;
    if (psa_crypto_init() != PSA_SUCCESS) {
        return -1;
    }
    memset(is.hash, 0x55, sizeof is.hash);
    mbedtls_ecp_group_init(&is.grp);
    mbedtls_ecp_point_init(&is.q);
    mbedtls_mpi_init(&is.d);
    mbedtls_mpi_init(&is.r);
    mbedtls_mpi_init(&is.s);
    accel_nettle_use(true);
    return mbedtls_ecp_group_load(&is.grp, MBEDTLS_ECP_DP_SECP256R1);
}

static int end(void **state) {
    (void)state;
    accel_nettle_use(false);
    accel_nettle_release();
    mbedtls_ecp_group_free(&is.grp);
    mbedtls_ecp_point_free(&is.q);
    mbedtls_mpi_free(&is.d);
    mbedtls_mpi_free(&is.r);
    mbedtls_mpi_free(&is.s);
    return 0;
}

/* @return whether the library is asked */
static bool asks(size_t hash_len, bool good) {
    asked = 0;
    assert_int_equal(
        mbedtls_ecdsa_verify(&is.grp, is.hash, hash_len, &is.q, &is.r, &is.s),
        good ? 0 : MBEDTLS_ERR_ECP_VERIFY_FAILED);
    assert_true(asked <= 1);
    return asked == 1;
}

/* @return likewise, whatever the verdict is, which is none to be kept */
static bool asks_twice_of_bad(size_t hash_len) {
    return asks(hash_len, false) && asks(hash_len, false);
}

static void a_good_one_is_remembered(void **state) {
    (void)state;
    count_from_now();
    make_key();
    for (size_t len = 1; len <= HASH_MAX; len++) {
        sign(len);
        assert_true(asks(len, true));
        assert_false(asks(len, true));
    }
    accel_nettle_release();
    count_from_now();
    assert_false(asks(HASH_MAX, true));
    sign(HASH_MAX + 1); /* is not taken */
    assert_false(asks(HASH_MAX + 1, true));
    accel_nettle_use(false);
    sign(32);
    assert_false(asks(32, true));
    accel_nettle_use(true);
    assert_true(asks(32, true));
}

static void flip(mbedtls_mpi *n, size_t bit) {
    assert_int_equal(mbedtls_mpi_set_bit(
                         n, bit, (unsigned char)!mbedtls_mpi_get_bit(n, bit)),
                     0);
}

static void a_bit_of_either_half_makes_another(void **state) {
    (void)state;
    count_from_now();
    make_key();
    sign(32);
    assert_true(asks(32, true));
    for (size_t i = 0; i < 512; i += 3) {
        mbedtls_mpi *n = i % 2 ? &is.r : &is.s;
        flip(n, i / 2);
        assert_true(asks_twice_of_bad(32));
        flip(n, i / 2);
        assert_false(asks(32, true));
    }
}

/* All of it is compared, though what is more than 32 bytes changes nothing. */
static void a_bit_of_the_hash_makes_another(void **state) {
    (void)state;
    count_from_now();
    make_key();
    sign(HASH_MAX);
    assert_true(asks(HASH_MAX, true));
    for (size_t i = 0; i < HASH_MAX * 8; i += 5) {
        unsigned char bit = (unsigned char)(1u << i % 8);
        is.hash[i / 8] ^= bit;
        if (i / 8 < 32) {
            assert_true(asks_twice_of_bad(HASH_MAX));
        } else {
            assert_true(asks(HASH_MAX, true));
        }
        is.hash[i / 8] ^= bit;
        assert_false(asks(HASH_MAX, true));
    }
    assert_true(asks(32, true));
    assert_true(asks(33, true));
    memset(is.hash + 33, 0, 1); /* as what fills it up */
    assert_true(asks(34, true));
    assert_true(asks_twice_of_bad(31));
}

static void another_key_makes_another(void **state) {
    (void)state;
    count_from_now();
    make_key();
    sign(32);
    assert_true(asks(32, true));
    mbedtls_mpi *y = &is.q.MBEDTLS_PRIVATE(Y);
    assert_int_equal(mbedtls_mpi_sub_mpi(y, &is.grp.P, y), 0);
    assert_true(asks_twice_of_bad(32));
    assert_int_equal(mbedtls_mpi_sub_mpi(y, &is.grp.P, y), 0);
    assert_false(asks(32, true));
    flip(&is.q.MBEDTLS_PRIVATE(X), 0); /* is no point */
    assert_int_equal(
        mbedtls_ecdsa_verify(&is.grp, is.hash, 32, &is.q, &is.r, &is.s),
        MBEDTLS_ERR_ECP_INVALID_KEY);
    make_key();
    assert_true(asks_twice_of_bad(32));
}

/* One that is asked for again and again stays. */
static void the_latest_are_remembered(void **state) {
    enum { MORE = KNOWN + 4 };
    (void)state;
    count_from_now();
    make_key();
    for (unsigned char i = 0; i < MORE; i++) {
        is.hash[0] = i;
        sign(32);
        assert_true(asks(32, true));
        is.hash[0] = 0;
        sign(32);
        assert_false(asks(32, true));
    }
    for (unsigned char i = MORE - 1; i > MORE - KNOWN; i--) {
        is.hash[0] = i;
        sign(32);
        assert_false(asks(32, true));
    }
    is.hash[0] = 1;
    sign(32);
    assert_true(asks(32, true));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_good_one_is_remembered),
        TEST(a_bit_of_either_half_makes_another),
        TEST(a_bit_of_the_hash_makes_another),
        TEST(another_key_makes_another),
        TEST(the_latest_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) {
    puts("skipped: ECDSA is Mbed TLS's own in this build");
    return 0;
}

#endif
