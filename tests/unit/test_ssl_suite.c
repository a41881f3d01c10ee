#include "test.h"
#include "tls/ssl_suite.h"

static const struct {
    unsigned id;
    struct ssl_suite suite;
} rows[] = {
    /* tls12, tls13, ec, dhe, psk, signs */
    { 0x1301, { false, true, false, false, false, false, SSL_KEY_NONE } },
    { 0x1306, { false, true, false, false, false, false, SSL_KEY_NONE } },
    { 0x00C6, { false, true, false, false, false, false, SSL_KEY_NONE } },
    { 0xC02B, { true, false, true, false, false, true, SSL_KEY_EC } },
    { 0xC02F, { true, false, true, false, false, true, SSL_KEY_RSA } },
    { 0x002F, { true, false, false, false, false, false, SSL_KEY_RSA } },
    { 0x0003, { true, false, false, false, false, false, SSL_KEY_RSA } },
    { 0x009E, { true, false, false, true, false, true, SSL_KEY_RSA } },
    { 0x0032, { true, false, false, true, false, true, SSL_KEY_DSS } },
    { 0x0034, { true, false, false, true, false, false, SSL_KEY_NONE } },
    { 0x0031, { true, false, false, false, false, false, SSL_KEY_RSA } },
    { 0xC018, { true, false, true, false, false, false, SSL_KEY_NONE } },
    { 0xC004, { true, false, true, false, false, false, SSL_KEY_EC } },
    { 0xC00E, { true, false, true, false, false, false, SSL_KEY_EC } },
    { 0x00AE, { true, false, false, false, true, false, SSL_KEY_NONE } },
    { 0x00B2, { true, false, false, true, true, false, SSL_KEY_NONE } },
    { 0xC0AA, { true, false, false, true, true, false, SSL_KEY_NONE } },
    { 0x00B6, { true, false, false, false, true, false, SSL_KEY_RSA } },
    { 0xC037, { true, false, true, false, true, false, SSL_KEY_NONE } },
    { 0x0000, { false, false, false, false, false, false, SSL_KEY_NONE } },
    { 0x00FF, { false, false, false, false, false, false, SSL_KEY_NONE } },
    { 0x5600, { false, false, false, false, false, false, SSL_KEY_NONE } },
    { 0x0A0A, { false, false, false, false, false, false, SSL_KEY_NONE } },
    { 0xFFFF, { false, false, false, false, false, false, SSL_KEY_NONE } },
};

static void what_a_suite_wants_is_in_its_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssl_suite s = ssl_suite_of(rows[i].id), w = rows[i].suite;
        if (s.tls12 != w.tls12 || s.tls13 != w.tls13 || s.ec != w.ec ||
            s.dhe != w.dhe || s.psk != w.psk || s.signs != w.signs ||
            s.key != w.key) {
            fail_msg("0x%04X: %d %d %d %d %d %d %d", rows[i].id, s.tls12,
                     s.tls13, s.ec, s.dhe, s.psk, s.signs, (int)s.key);
        }
    }
}

static void a_signature_is_made_with_one_kind_of_key(void **state) {
    (void)state;
    assert_int_equal(ssl_suite_signer(0x0201), SSL_KEY_RSA);
    assert_int_equal(ssl_suite_signer(0x0804), SSL_KEY_RSA);
    assert_int_equal(ssl_suite_signer(0x0603), SSL_KEY_EC);
    assert_int_equal(ssl_suite_signer(0x0202), SSL_KEY_DSS);
    assert_int_equal(ssl_suite_signer(0x0807), SSL_KEY_NONE);
    assert_int_equal(ssl_suite_signer(0x0809), SSL_KEY_NONE);
    assert_int_equal(ssl_suite_signer(0x0001), SSL_KEY_NONE);
    assert_int_equal(ssl_suite_signer(0x0404), SSL_KEY_NONE);
}

static void a_group_is_of_a_version(void **state) {
    static const struct {
        unsigned id;
        bool tls12, tls13;
    } groups[] = {
        { 23, true, true },    { 29, true, true },       { 22, true, false },
        { 26, true, false },   { 31, true, true },       { 256, false, true },
        { 4588, false, true }, { 0x0A0A, false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        assert_int_equal(ssl_suite_group(groups[i].id, false), groups[i].tls12);
        assert_int_equal(ssl_suite_group(groups[i].id, true), groups[i].tls13);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_suite_wants_is_in_its_name),
        cmocka_unit_test(a_signature_is_made_with_one_kind_of_key),
        cmocka_unit_test(a_group_is_of_a_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
