#include <mbedtls/ecp.h>
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>
#include <stdio.h>

#include "accel/accel.h"
#include "test.h"

#if defined(MBEDTLS_WRAP) && defined(MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED)

enum { BYTES = 32, OWN = 4 /* tests of what Mbed TLS does */ };

/* RFC 7748 6.1. */
static const unsigned char alice[BYTES] = {
    0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1,
    0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0,
    0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a
};
static const unsigned char alice_public[BYTES] = {
    0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
    0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
    0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a
};
#ifdef MPTLS_ACCEL
static const unsigned char bob[BYTES] = {
    0x5d, 0xab, 0x08, 0x7e, 0x62, 0x4a, 0x8a, 0x4b, 0x79, 0xe1, 0x7f,
    0x8b, 0x83, 0x80, 0x0e, 0xe6, 0x6f, 0x3b, 0xb1, 0x29, 0x26, 0x18,
    0xb6, 0xfd, 0x1c, 0x2f, 0x8b, 0x27, 0xff, 0x88, 0xe0, 0xeb
};
static const unsigned char bob_public[BYTES] = {
    0xde, 0x9e, 0xdb, 0x7d, 0x7b, 0x7d, 0xc1, 0xb4, 0xd3, 0x5b, 0x61,
    0xc2, 0xec, 0xe4, 0x35, 0x37, 0x3f, 0x83, 0x43, 0xc8, 0x5b, 0x78,
    0x67, 0x4d, 0xad, 0xfc, 0x7e, 0x14, 0x6f, 0x88, 0x2b, 0x4f
};
#endif

struct curve {
    mbedtls_ecp_group grp;
    mbedtls_mpi secret;
    mbedtls_ecp_point ours, theirs;
};

static void begin_curve(struct curve *c, mbedtls_ecp_group_id id) {
    mbedtls_ecp_group_init(&c->grp);
    mbedtls_mpi_init(&c->secret);
    mbedtls_ecp_point_init(&c->ours);
    mbedtls_ecp_point_init(&c->theirs);
    assert_int_equal(mbedtls_ecp_group_load(&c->grp, id), 0);
}

static void end_curve(struct curve *c) {
    mbedtls_ecp_group_free(&c->grp);
    mbedtls_mpi_free(&c->secret);
    mbedtls_ecp_point_free(&c->ours);
    mbedtls_ecp_point_free(&c->theirs);
}

static int begin(void **state) {
    (void)state;
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

static void psa_makes_the_public_key_of_the_rfc(void **state) {
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t key;
    unsigned char out[BYTES];
    size_t len;
    (void)state;
    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY));
    assert_int_equal(psa_import_key(&a, alice, sizeof alice, &key),
                     PSA_SUCCESS);
    assert_int_equal(psa_export_public_key(key, out, sizeof out, &len),
                     PSA_SUCCESS);
    assert_int_equal(len, BYTES);
    assert_memory_equal(out, alice_public, BYTES);
    assert_int_equal(psa_destroy_key(key), PSA_SUCCESS);
}

/* The _restartable function is Mbed TLS's own, and wants random numbers. */
static void public_keys_are_those_of_mbedtls(void **state) {
    enum { KEYS = 50 };
    (void)state;
    for (int i = 0; i < KEYS; i++) {
        struct curve c;
        begin_curve(&c, MBEDTLS_ECP_DP_CURVE25519);
        assert_int_equal(mbedtls_ecp_gen_privkey(&c.grp, &c.secret,
                                                 mbedtls_psa_get_random,
                                                 MBEDTLS_PSA_RANDOM_STATE),
                         0);
        assert_int_equal(
            mbedtls_ecp_mul(&c.grp, &c.ours, &c.secret, &c.grp.G, NULL, NULL),
            0);
        assert_int_equal(
            mbedtls_ecp_mul_restartable(&c.grp, &c.theirs, &c.secret, &c.grp.G,
                                        mbedtls_psa_get_random,
                                        MBEDTLS_PSA_RANDOM_STATE, NULL),
            0);
        assert_int_equal(mbedtls_ecp_point_cmp(&c.ours, &c.theirs), 0);
        end_curve(&c);
    }
}

static void a_secret_that_is_none_is_refused_as_by_mbedtls(void **state) {
    static const char *const secrets[] = {
        "0",
        "9", /* the highest bit is not set */
        "4000000000000000000000000000000000000000000000000000000000000001",
        "8000000000000000000000000000000000000000000000000000000000000000",
        "C000000000000000000000000000000000000000000000000000000000000000",
        "010000000000000000000000000000000000000000000000000000000000000000",
    };
    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        struct curve c;
        begin_curve(&c, MBEDTLS_ECP_DP_CURVE25519);
        assert_int_equal(mbedtls_mpi_read_string(&c.secret, 16, secrets[i]), 0);
        int theirs = mbedtls_ecp_mul_restartable(
            &c.grp, &c.theirs, &c.secret, &c.grp.G, mbedtls_psa_get_random,
            MBEDTLS_PSA_RANDOM_STATE, NULL);
        assert_int_equal(theirs, MBEDTLS_ERR_ECP_INVALID_KEY);
        assert_int_equal(
            mbedtls_ecp_mul(&c.grp, &c.ours, &c.secret, &c.grp.G, NULL, NULL),
            theirs);
        end_curve(&c);
    }
}

static void other_points_and_curves_are_left_to_mbedtls(void **state) {
    static const mbedtls_ecp_group_id ids[] = { MBEDTLS_ECP_DP_CURVE25519,
                                                MBEDTLS_ECP_DP_SECP256R1,
                                                MBEDTLS_ECP_DP_CURVE448 };
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct curve c;
        begin_curve(&c, ids[i]);
        mbedtls_ecp_point base;
        mbedtls_ecp_point_init(&base);
        assert_int_equal(mbedtls_ecp_copy(&base, &c.grp.G), 0);
        assert_int_equal(mbedtls_ecp_gen_privkey(&c.grp, &c.secret,
                                                 mbedtls_psa_get_random,
                                                 MBEDTLS_PSA_RANDOM_STATE),
                         0);
        assert_int_equal(
            mbedtls_ecp_mul(&c.grp, &c.ours, &c.secret, &base, NULL, NULL),
            MBEDTLS_ERR_ECP_BAD_INPUT_DATA);
        assert_int_equal(mbedtls_ecp_mul(&c.grp, &c.ours, &c.secret, &c.grp.G,
                                         mbedtls_psa_get_random,
                                         MBEDTLS_PSA_RANDOM_STATE),
                         0);
        assert_int_equal(
            mbedtls_ecp_mul_restartable(&c.grp, &c.theirs, &c.secret, &base,
                                        mbedtls_psa_get_random,
                                        MBEDTLS_PSA_RANDOM_STATE, NULL),
            0);
        assert_int_equal(mbedtls_ecp_point_cmp(&c.ours, &c.theirs), 0);
        mbedtls_ecp_point_free(&base);
        end_curve(&c);
    }
}

#ifdef MPTLS_ACCEL

/* Both ends of RFC 7748 6.1, whose secrets have other bits than are used. */
static void nettle_makes_those_of_the_rfc(void **state) {
    unsigned char secret[BYTES], key[BYTES];
    (void)state;
    memcpy(secret, alice, sizeof secret);
    for (int i = 0; i < 32; i++) {
        secret[0] = (unsigned char)((alice[0] & 0xf8) | (i & 7));
        secret[31] = (unsigned char)((alice[31] & 0x3f) | (i / 8 << 6));
        memset(key, 0, sizeof key);
        assert_true(accel_x25519(key, secret));
        assert_memory_equal(key, alice_public, sizeof key);
    }
    assert_true(accel_x25519(key, bob));
    assert_memory_equal(key, bob_public, sizeof key);
}

/* The last one. */
static void nettle_does_nothing_where_it_is_not_to(void **state) {
    unsigned char key[BYTES] = { 0 }, none[BYTES] = { 0 };
    (void)state;
    accel_nettle_use(false);
    assert_false(accel_x25519(key, alice));
    accel_nettle_use(true);
    accel_nettle_release();
    assert_false(accel_x25519(key, alice));
    assert_non_null(accel_nettle_library());
    assert_true(accel_x25519(key, alice));
    memset(key, 0, sizeof key);
    accel_disable("a test");
    assert_false(accel_x25519(key, alice));
    assert_memory_equal(key, none, sizeof key);
}

#endif

/* All of Mbed TLS's again, with what Nettle has in it. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(psa_makes_the_public_key_of_the_rfc),
        cmocka_unit_test(public_keys_are_those_of_mbedtls),
        cmocka_unit_test(a_secret_that_is_none_is_refused_as_by_mbedtls),
        cmocka_unit_test(other_points_and_curves_are_left_to_mbedtls),
#ifdef MPTLS_ACCEL
        cmocka_unit_test(nettle_makes_those_of_the_rfc),
        cmocka_unit_test(nettle_does_nothing_where_it_is_not_to),
#endif
    };
    int failed = _cmocka_run_group_tests("x25519", tests, OWN, begin, NULL);
    accel_nettle_use(true);
    if (accel_nettle_library() == NULL) {
        print_message("Nettle: %s\n", accel_nettle_lack());
        return failed;
    }
    return failed + _cmocka_run_group_tests("x25519 with Nettle", tests,
                                            sizeof tests / sizeof tests[0],
                                            begin, NULL);
}

#else

int main(void) {
    puts("skipped: this Mbed TLS has no Everest");
    return 0;
}

#endif
