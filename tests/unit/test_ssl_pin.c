#include <psa/crypto.h>

#include "pki.h"
#include "test.h"
#include "tls/ssl_pin.h"

/* 32 bytes, 0 to 31, as `base64` writes them. */
static const char counting[] =
    "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static void a_pin_is_read_and_written(void **state) {
    struct ssl_pin pin;
    char text[SSL_PIN_TEXT_MAX];
    (void)state;
    assert_true(ssl_pin_read(counting, &pin));
    for (size_t i = 0; i < sizeof pin.sha256; i++) {
        assert_int_equal(pin.sha256[i], i);
    }
    assert_string_equal(ssl_pin_text(pin.sha256, text), counting);
    memset(pin.sha256, 0xff, sizeof pin.sha256);
    ssl_pin_text(pin.sha256, text);
    assert_string_equal(text,
                        "sha256///////////////////////////////////////////8=");
}

static void what_is_none_is_refused(void **state) {
    static const char *const rows[] = {
        "",
        "sha256/",
        "sha256",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "sha1/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A",
        "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\n\n8=",
        "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-=",
    };
    struct ssl_pin pin;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (ssl_pin_read(rows[i], &pin)) {
            fail_msg("%s", rows[i]);
        }
    }
}

static void curls_second_slash_is_skipped(void **state) {
    struct ssl_pin pin;
    (void)state;
    assert_true(ssl_pin_read(
        "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &pin));
    assert_int_equal(pin.sha256[31], 31);
    /* Here it is a digit. */
    assert_true(ssl_pin_read(
        "sha256//wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &pin));
    assert_int_equal(pin.sha256[0], 0xff);
}

/* openssl x509 -in certs/server-ec256.pem -noout -pubkey |
 *     openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary |
 *     base64 */
static void any_pin_of_several_matches(void **state) {
    struct ssl_pin pins[2];
    mbedtls_x509_crt crt;
    (void)state;
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    const struct pki_data *d = pki("server-ec256.der");
    mbedtls_x509_crt_init(&crt);
    assert_int_equal(mbedtls_x509_crt_parse_der(&crt, d->data, d->len), 0);
    assert_true(ssl_pin_read(counting, &pins[0]));
    assert_true(ssl_pin_read(
        "sha256/8w9mjdhTUdZoMSv3mmHOvvaMEto417lO1tk8r2yYmgE=", &pins[1]));
    struct ssl_pins none = { 0, NULL }, one = { 1, pins }, two = { 2, pins };
    assert_true(ssl_pin_match(&none, &crt));
    assert_true(ssl_pin_match(&none, NULL));
    assert_false(ssl_pin_match(&one, &crt));
    assert_true(ssl_pin_match(&two, &crt));
    assert_false(ssl_pin_match(&two, NULL));
    mbedtls_x509_crt_free(&crt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pin_is_read_and_written),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(curls_second_slash_is_skipped),
        cmocka_unit_test(any_pin_of_several_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
