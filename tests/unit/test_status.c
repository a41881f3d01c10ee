#include <errno.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <netdb.h>

#include "cli/status.h"
#include "test.h"

static int status(enum err_origin origin, int64_t code,
                  enum report_stage stage) {
    struct err e = { origin, code, "" };
    return status_of(&e, stage, false).number;
}

static void each_failure_has_its_number(void **state) {
    static const struct {
        enum err_origin origin;
        int64_t code;
        enum report_stage stage;
        int number;
    } rows[] = {
        { ERR_NONE, 0, STAGE_STREAM, 0 },
        { ERR_OS, ENOSPC, STAGE_STREAM, 1 },
        { ERR_TLS, MBEDTLS_ERR_SSL_ALLOC_FAILED, STAGE_HANDSHAKE, 1 },
        { ERR_USAGE, 0, STAGE_SETUP, 2 },
        { ERR_FILE, ENOENT, STAGE_SETUP, 3 },
        { ERR_TLS, MBEDTLS_ERR_X509_INVALID_FORMAT, STAGE_SETUP, 3 },
        { ERR_TLS, MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE, STAGE_SETUP, 4 },
        { ERR_TLS, MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG - 0x2E, STAGE_SETUP, 4 },
        { ERR_DNS, EAI_NONAME, STAGE_CONNECT, 10 },
        { ERR_NET, ECONNREFUSED, STAGE_CONNECT, 11 },
        { ERR_TIMEOUT, 100, STAGE_CONNECT, 12 },
        { ERR_NET, EADDRINUSE, STAGE_LISTEN, 14 },
        { ERR_TIMEOUT, 100, STAGE_HANDSHAKE, 20 },
        { ERR_TLS, MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, STAGE_HANDSHAKE, 21 },
        { ERR_TLS, MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, STAGE_HANDSHAKE, 21 },
        { ERR_ALERT, 40, STAGE_HANDSHAKE, 22 },
        { ERR_ALERT, 48, STAGE_HANDSHAKE, 22 },
        { ERR_ALERT, 80, STAGE_STREAM, 22 },
        { ERR_TLS, MBEDTLS_ERR_SSL_INVALID_RECORD, STAGE_HANDSHAKE, 23 },
        { ERR_TLS, MBEDTLS_ERR_SSL_INVALID_MAC, STAGE_STREAM, 23 },
        { ERR_TLS, MBEDTLS_ERR_SSL_CONN_EOF, STAGE_HANDSHAKE, 24 },
        { ERR_NET, ECONNRESET, STAGE_HANDSHAKE, 24 },
        { ERR_TLS, MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED, STAGE_HANDSHAKE, 30 },
        { ERR_TLS, MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, STAGE_HANDSHAKE, 36 },
        { ERR_TRUNCATED, 0, STAGE_STREAM, 40 },
        { ERR_TIMEOUT, 100, STAGE_STREAM, 41 },
        { ERR_MAX_TIME, 100, STAGE_HANDSHAKE, 42 },
        { ERR_NET, ECONNRESET, STAGE_STREAM, 43 },
        { ERR_NET, EPIPE, STAGE_STREAM, 43 },
        { ERR_SIGNAL, 2, STAGE_STREAM, 130 },
        { ERR_SIGNAL, 15, STAGE_LISTEN, 143 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int n = status(rows[i].origin, rows[i].code, rows[i].stage);
        if (n != rows[i].number) {
            fail_msg("row %zu: %d, not %d", i, n, rows[i].number);
        }
    }
}

static void of_several_reasons_the_lowest_number_counts(void **state) {
    static const struct {
        uint32_t flags;
        int number;
        const char *name;
    } rows[] = {
        { MBEDTLS_X509_BADCERT_NOT_TRUSTED, 30, "untrusted" },
        { MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, 30, "untrusted" },
        { MBEDTLS_X509_BADCERT_EXPIRED, 31, "expired" },
        { MBEDTLS_X509_BADCERT_FUTURE, 31, "expired" },
        { MBEDTLS_X509_BADCERT_CN_MISMATCH, 32, "name-mismatch" },
        { MBEDTLS_X509_BADCERT_REVOKED, 33, "revoked" },
        { MBEDTLS_X509_BADCERT_BAD_MD, 34, "weak" },
        { MBEDTLS_X509_BADCERT_BAD_KEY, 34, "weak" },
        { MBEDTLS_X509_BADCRL_EXPIRED, 33, "revoked" },
        { MBEDTLS_X509_BADCRL_NOT_TRUSTED, 33, "revoked" },
        { MBEDTLS_X509_BADCRL_FUTURE | MBEDTLS_X509_BADCERT_CN_MISMATCH, 32,
          "name-mismatch" },
        { SSL_BADCERT_PIN, 35, "pin" },
        { SSL_BADCERT_PIN | MBEDTLS_X509_BADCERT_REVOKED, 33, "revoked" },
        { SSL_BADCERT_PIN | MBEDTLS_X509_BADCERT_MISSING, 35, "pin" },
        { MBEDTLS_X509_BADCERT_MISSING, 36, "no-peer-certificate" },
        { MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_NOT_TRUSTED, 30,
          "untrusted" },
        { MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_CN_MISMATCH |
              MBEDTLS_X509_BADCERT_BAD_KEY,
          31, "expired" },
        { MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_CN_MISMATCH, 32,
          "name-mismatch" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = { ERR_VERIFY, rows[i].flags, "" };
        struct status s = status_of(&e, STAGE_HANDSHAKE, false);
        assert_int_equal(s.number, rows[i].number);
        assert_string_equal(s.name, rows[i].name);
    }
}

static void an_alert_about_our_certificate_is_its_refusal(void **state) {
    struct err e = { ERR_ALERT, 48, "" };
    (void)state;
    assert_int_equal(status_of(&e, STAGE_HANDSHAKE, true).number, 37);
    assert_int_equal(status_of(&e, STAGE_STREAM, true).number, 37);
    assert_int_equal(status_of(&e, STAGE_STREAM, false).number, 22);
}

static void the_classes_are_in_rising_order_with_one_name_each(void **state) {
    (void)state;
    int last = -1;
    for (size_t i = 0; status_at(i).name != NULL; i++) {
        assert_true(status_at(i).number > last);
        last = status_at(i).number;
    }
    assert_int_equal(last, 51);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_has_its_number),
        cmocka_unit_test(of_several_reasons_the_lowest_number_counts),
        cmocka_unit_test(an_alert_about_our_certificate_is_its_refusal),
        cmocka_unit_test(the_classes_are_in_rising_order_with_one_name_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
