#include <errno.h>
#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <netdb.h>

#include "test.h"
#include "tls/mp_error.h"
#include "tls/ssl_alert.h"
#include "tls/ssl_info.h"

static const char *said(enum err_origin origin, int64_t code) {
    static char buf[MP_ERROR_MAX];
    struct err e = { origin, code, "" };
    return mp_error(&e, buf, sizeof buf);
}

static void failures_are_what_micropython_raises(void **state) {
    static const struct {
        enum err_origin origin;
        int64_t code;
        const char *raised;
    } rows[] = {
        { ERR_ALERT, 40,
          "OSError(-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')" },
        { ERR_TLS, MBEDTLS_ERR_SSL_CONN_EOF,
          "OSError(-29312, 'MBEDTLS_ERR_SSL_CONN_EOF')" },
        { ERR_TLS, MBEDTLS_ERR_SSL_INVALID_RECORD,
          "OSError(-29184, 'MBEDTLS_ERR_SSL_INVALID_RECORD')" },
        { ERR_TLS, MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED,
          "OSError(-30336, 'MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED')" },
        { ERR_TLS, MBEDTLS_ERR_SSL_BAD_CONFIG,
          "OSError(-24192, 'MBEDTLS_ERR_SSL_BAD_CONFIG')" },
        { ERR_TLS, MBEDTLS_ERR_SSL_ALLOC_FAILED, "OSError(12)" },
        { ERR_TLS, MBEDTLS_ERR_PK_BAD_INPUT_DATA, "ValueError('invalid key')" },
        { ERR_TLS, MBEDTLS_ERR_X509_BAD_INPUT_DATA,
          "ValueError('invalid cert')" },
        { ERR_TLS, -0x10, "OSError(16)" },
        { ERR_TLS, -0x7D34, "OSError(-32052, 'MBEDTLS_ERR_UNKNOWN (0x7D34)')" },
        { ERR_TLS,
          MBEDTLS_ERR_RSA_PRIVATE_FAILED + MBEDTLS_ERR_MPI_ALLOC_FAILED,
          "OSError(-17168, 'MBEDTLS_ERR_RSA_PRIVATE_FAILED+"
          "MBEDTLS_ERR_MPI_ALLOC_FAILED')" },
        { ERR_VERIFY, MBEDTLS_X509_BADCERT_EXPIRED,
          "ValueError('\\nThe certificate validity has expired\\n')" },
        { ERR_VERIFY,
          MBEDTLS_X509_BADCERT_CN_MISMATCH | MBEDTLS_X509_BADCERT_NOT_TRUSTED,
          "ValueError('\\nThe certificate Common Name (CN) does not match with "
          "the expected CN\\n\\nThe certificate is not correctly signed by the "
          "trusted CA\\n')" },
        { ERR_VERIFY, MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
          "OSError(-31232, 'MBEDTLS_ERR_SSL_BAD_CERTIFICATE')" },
        { ERR_VERIFY, SSL_BADCERT_PIN | MBEDTLS_X509_BADCERT_EXPIRED,
          "ValueError('\\nThe certificate validity has expired\\n')" },
        { ERR_VERIFY, SSL_BADCERT_PIN | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
          "OSError(-31232, 'MBEDTLS_ERR_SSL_BAD_CERTIFICATE')" },
        { ERR_NET, ECONNREFUSED, "OSError(111)" },
        { ERR_NET, ECONNRESET, "OSError(104)" },
        { ERR_DNS, EAI_NONAME, "OSError(-2)" },
        { ERR_TIMEOUT, 10000, "OSError(110)" },
        { ERR_TRUNCATED, 0, "b'' (it takes this for an ordinary end)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(said(rows[i].origin, rows[i].code), rows[i].raised);
    }
}

static void what_only_we_have_raises_nothing(void **state) {
    (void)state;
    assert_null(said(ERR_NONE, 0));
    assert_null(said(ERR_USAGE, 0));
    assert_null(said(ERR_SIGNAL, 15));
    assert_null(said(ERR_MAX_TIME, 100));
    assert_null(said(ERR_VERIFY, SSL_BADCERT_PIN));
}

static void every_flag_fits(void **state) {
    (void)state;
    const char *all = said(ERR_VERIFY, 0xFFFFF);
    assert_memory_equal(all, "ValueError('\\n", 14);
    assert_string_equal(all + strlen(all) - 2, "')");
}

static void alerts_have_their_rfc_names(void **state) {
    (void)state;
    assert_string_equal(ssl_alert_name(40), "handshake_failure");
    assert_string_equal(ssl_alert_name(116), "certificate_required");
    assert_string_equal(ssl_alert_name(70), "protocol_version");
    assert_string_equal(ssl_alert_name(255), "unknown");
    assert_string_equal(ssl_alert_name(-1), "unknown");
    assert_true(ssl_alert_is_about_certificate(48));
    assert_true(ssl_alert_is_about_certificate(116));
    assert_false(ssl_alert_is_about_certificate(40));
    assert_false(ssl_alert_is_about_certificate(51));
}

static void what_cannot_be_loaded_is_an_invalid_cert_or_key(void **state) {
    static const struct {
        enum err_origin origin;
        int64_t code;
        const char *raised; /* NULL: nothing */
    } rows[] = {
        { ERR_TLS, MBEDTLS_ERR_X509_INVALID_FORMAT,
          "ValueError('invalid cert')" },
        { ERR_TLS,
          MBEDTLS_ERR_X509_INVALID_EXTENSIONS + MBEDTLS_ERR_ASN1_UNEXPECTED_TAG,
          "ValueError('invalid cert')" },
        { ERR_TLS, MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT,
          "ValueError('invalid cert')" },
        { ERR_TLS, MBEDTLS_ERR_PK_KEY_INVALID_FORMAT,
          "ValueError('invalid key')" },
        { ERR_TLS, MBEDTLS_ERR_PK_PASSWORD_REQUIRED,
          "ValueError('invalid key')" },
        { ERR_TLS, MBEDTLS_ERR_PEM_PASSWORD_REQUIRED,
          "ValueError('invalid key')" },
        { ERR_TLS, MBEDTLS_ERR_PK_TYPE_MISMATCH, NULL },
        { ERR_TLS, MBEDTLS_ERR_ECP_BAD_INPUT_DATA, NULL },
        { ERR_TLS, MBEDTLS_ERR_SSL_BAD_CERTIFICATE, NULL },
        { ERR_TLS, MBEDTLS_ERR_SSL_BAD_CONFIG,
          "OSError(-24192, 'MBEDTLS_ERR_SSL_BAD_CONFIG')" },
        { ERR_USAGE, 0, NULL },
        { ERR_FILE, 0, NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[MP_ERROR_MAX];
        const struct err e = { rows[i].origin, rows[i].code, "" };
        const char *raised = mp_error_loading(&e, buf, sizeof buf);
        if (rows[i].raised == NULL) {
            assert_null(raised);
        } else {
            assert_string_equal(raised, rows[i].raised);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_what_micropython_raises),
        cmocka_unit_test(what_cannot_be_loaded_is_an_invalid_cert_or_key),
        cmocka_unit_test(what_only_we_have_raises_nothing),
        cmocka_unit_test(every_flag_fits),
        cmocka_unit_test(alerts_have_their_rfc_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
