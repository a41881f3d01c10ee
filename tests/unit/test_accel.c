#include <stdio.h>

#include "accel/accel.h"
#include "test.h"

#ifdef MBEDTLS_GCM_ALT

#include "accel/ipsec_mb.h"

static const char *const ours[] = {
    "TLS_AES_128_GCM_SHA256",
    "TLS1-3-CHACHA20-POLY1305-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
};

static const char *const mbedtls[] = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256",
    "TLS_RSA_WITH_CAMELLIA_256_GCM_SHA384",
};

static void who_encrypts(const char *is) {
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        assert_string_equal(accel_by(ours[i]), is);
    }
    for (size_t i = 0; i < sizeof mbedtls / sizeof mbedtls[0]; i++) {
        assert_string_equal(accel_by(mbedtls[i]), "Mbed TLS");
    }
}

static void two_buffers_are_one_or_apart(void **state) {
    static const unsigned char b[100];
    (void)state;
    assert_true(ipsec_mb_takes(b, b, 50));
    assert_true(ipsec_mb_takes(b, b + 50, 50));
    assert_true(ipsec_mb_takes(b + 50, b, 50));
    assert_false(ipsec_mb_takes(b, b + 49, 50));
    assert_false(ipsec_mb_takes(b + 1, b, 50));
}

/* The tests from here on follow one another. */
static void few_bytes_are_not_worth_while(void **state) {
    (void)state;
    who_encrypts("Mbed TLS");
    assert_null(ipsec_mb_for(ACCEL_AFTER - 1));
    who_encrypts("Mbed TLS");
}

static void more_are(void **state) {
    (void)state;
    const struct ipsec_mb *lib = ipsec_mb_for(1);
    if (accel_library() == NULL) {
        assert_null(lib);
        print_message("%s\n", accel_lack());
        skip();
    }
    assert_non_null(lib);
    assert_null(accel_lack());
    assert_int_equal(strncmp(accel_library(), "libipsec-mb ", 12), 0);
    who_encrypts(accel_library());
    assert_ptr_equal(ipsec_mb_for(0), lib);
}

static void it_can_be_done_without(void **state) {
    (void)state;
    accel_disable("a test");
    assert_null(accel_library());
    assert_string_equal(accel_lack(), "a test");
    assert_null(ipsec_mb_for(ACCEL_AFTER));
    who_encrypts("Mbed TLS");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_buffers_are_one_or_apart),
        cmocka_unit_test(few_bytes_are_not_worth_while),
        cmocka_unit_test(more_are),
        cmocka_unit_test(it_can_be_done_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void mbedtls_does_it_all(void **state) {
    (void)state;
    accel_disable("a test");
    assert_null(accel_library());
    assert_string_equal(accel_lack(), "not in this build");
    assert_string_equal(accel_by("TLS_AES_128_GCM_SHA256"), "Mbed TLS");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mbedtls_does_it_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
