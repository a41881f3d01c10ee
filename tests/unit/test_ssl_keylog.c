#include "test.h"
#include "tls/ssl_keylog.h"

static void a_secret_is_one_line_of_rfc_9850(void **state) {
    unsigned char random[32], secret[48];
    char line[SSL_KEYLOG_LINE_MAX];
    (void)state;
    memset(random, 0xAB, sizeof random);
    memset(secret, 0x0F, sizeof secret);
    size_t n = ssl_keylog_format(MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET,
                                 secret, 2, random, line);
    assert_int_equal(n, strlen(line));
    assert_string_equal(line, "CLIENT_RANDOM abababababababababababababababab"
                              "abababababababababababababababab 0f0f\n");
    n = ssl_keylog_format(
        MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET, secret,
        sizeof secret, random, line);
    assert_int_equal(n, strlen(line));
    assert_int_equal(n,
                     strlen("SERVER_HANDSHAKE_TRAFFIC_SECRET") + 64 + 96 + 3);
    assert_true(n < sizeof line);
}

static void what_has_no_label_has_no_line(void **state) {
    unsigned char random[32] = { 0 }, secret[49] = { 0 };
    char line[SSL_KEYLOG_LINE_MAX];
    (void)state;
    assert_int_equal(ssl_keylog_format((mbedtls_ssl_key_export_type)99, secret,
                                       1, random, line),
                     0);
    assert_int_equal(
        ssl_keylog_format(MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET, secret,
                          sizeof secret, random, line),
        0);
    assert_string_equal(line, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_one_line_of_rfc_9850),
        cmocka_unit_test(what_has_no_label_has_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
