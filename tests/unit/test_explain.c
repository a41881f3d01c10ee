#include <errno.h>
#include <mbedtls/bignum.h>
#include <mbedtls/rsa.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "cli/explain_code.h"
#include "cli/status.h"
#include "report/explain.h"
#include "test.h"
#include "tls/ssl_alert.h"
#include "tls/ssl_info.h"

enum { KEYS_MAX = 400 };

static struct explain_key keys[KEYS_MAX];
static size_t key_count;

static int read_all(void **state) {
    (void)state;
    const struct explain_cause *c;
    for (size_t i = 0; (c = explain_at(i)) != NULL; i++) {
        const char *at = c->keys;
        while ((at = explain_next_key(at, &keys[key_count])) != NULL) {
            assert_true(++key_count < KEYS_MAX);
        }
    }
    return 0;
}

static void no_two_rows_have_the_same_key(void **state) {
    (void)state;
    assert_true(key_count > 200);
    for (size_t i = 0; i < key_count; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_false(keys[i].code == keys[k].code &&
                         strcmp(keys[i].origin, keys[k].origin) == 0);
        }
    }
}

static void every_row_is_whole(void **state) {
    (void)state;
    const struct explain_cause *c;
    for (size_t i = 0; (c = explain_at(i)) != NULL; i++) {
        assert_true(strcmp(c->who, "we") == 0 || strcmp(c->who, "peer") == 0 ||
                    strcmp(c->who, "network") == 0 ||
                    strcmp(c->who, "nobody") == 0);
        const char *const texts[] = { c->advice->causes, c->advice->board,
                                      c->advice->server };
        assert_true(c->advice->step[0] != '\0');
        for (size_t k = 0; k < 3; k++) {
            size_t len = strlen(texts[k]);
            assert_true(len > 0 && texts[k][len - 1] == '.');
            assert_null(strstr(texts[k], "  "));
        }
    }
}

static void names_are_whole(void **state) {
    static const char *const named[] = { "tls2",  "psa",    "axtls",
                                         "errno", "newlib", "dns",
                                         "flag",  "value",  "why" };
    (void)state;
    for (size_t i = 0; i < key_count; i++) {
        bool wanted = false;
        for (size_t k = 0; k < sizeof named / sizeof named[0]; k++) {
            wanted = wanted || strcmp(keys[i].origin, named[k]) == 0;
        }
        assert_int_equal(wanted, keys[i].name[0] != '\0');
        assert_true(strlen(keys[i].name) < sizeof keys[i].name - 1);
    }
}

static void every_alert_flag_and_status_has_a_row(void **state) {
    (void)state;
    const struct ssl_flag *f;
    for (int i = 0; i < 256; i++) {
        bool named = strcmp(ssl_alert_name(i), "unknown") != 0;
        assert_int_equal(explain_find("alert", i, NULL) != NULL, named);
    }
    for (size_t i = 0; (f = ssl_flag_at(i)) != NULL; i++) {
        struct explain_key key;
        assert_non_null(explain_find("flag", f->bit, &key));
        assert_string_equal(key.name, f->name);
    }
    for (size_t i = 0; status_at(i).name != NULL; i++) {
        assert_non_null(explain_find("exit", status_at(i).number, NULL));
    }
}

static void failures_find_their_row(void **state) {
    static const struct {
        enum err_origin origin;
        int64_t code;
        int status;
        const char *key;
        int64_t wanted;
    } rows[] = {
        { ERR_ALERT, 48, 22, "alert", 48 },
        { ERR_ALERT, 40, 22, "alert", 40 },
        { ERR_ALERT, 40, 37, "alert", 116 }, /* TLS 1.2's words for it */
        { ERR_ALERT, 200, 22, "exit", 22 },
        { ERR_TLS, MBEDTLS_ERR_SSL_CONN_EOF, 24, "tls", -0x7280 },
        { ERR_TLS,
          MBEDTLS_ERR_RSA_PRIVATE_FAILED + MBEDTLS_ERR_MPI_ALLOC_FAILED, 23,
          "tls", MBEDTLS_ERR_MPI_ALLOC_FAILED },
        { ERR_TLS, MBEDTLS_ERR_SSL_INVALID_RECORD - 0x7F, 23, "tls", -0x7200 },
        { ERR_TLS, -0x1000, 23, "exit", 23 },
        { ERR_VERIFY,
          MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_NOT_TRUSTED, 30,
          "flag", MBEDTLS_X509_BADCERT_NOT_TRUSTED },
        { ERR_VERIFY, 0, 30, "exit", 30 },
        { ERR_NET, 104, 24, "errno", 104 },
        { ERR_NET, 104, 43, "exit", 43 },
        { ERR_NET, 98, 14, "errno", 98 },
        { ERR_NET, 9999, 14, "exit", 14 },
        { ERR_DNS, -2, 10, "dns", -2 },
        { ERR_TRUNCATED, 0, 40, "exit", 40 },
        { ERR_TIMEOUT, 10000, 12, "exit", 12 },
        { ERR_TIMEOUT, 10000, 20, "exit", 20 },
        { ERR_TIMEOUT, 10000, 41, "exit", 41 },
        { ERR_MAX_TIME, 5, 42, "exit", 42 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct err e = { rows[i].origin, rows[i].code, "" };
        const struct explain_cause *c =
            explain_find(rows[i].key, rows[i].wanted, NULL);
        assert_non_null(c);
        assert_ptr_equal(explain_of(&e, rows[i].status, NULL), c);
    }
    static const struct err none[] = { { ERR_NONE, 0, "" },
                                       { ERR_USAGE, 0, "" },
                                       { ERR_SIGNAL, 15, "" } };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_null(explain_of(&none[i], 2, NULL));
    }
}

static void failures_have_a_name_that_explain_takes(void **state) {
    static const struct {
        struct err e;
        int status;
        const char *name, *mbedtls;
    } rows[] = {
        { { ERR_ALERT, 48, "" },
          37,
          "unknown_ca",
          "alert 48; MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE -0x7780 = -30592" },
        { { ERR_ALERT, 40, "" },
          37,
          "handshake_failure",
          "alert 40; MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE -0x7780 = -30592" },
        { { ERR_TLS, MBEDTLS_ERR_SSL_CONN_EOF, "" },
          24,
          "SSL_CONN_EOF",
          "MBEDTLS_ERR_SSL_CONN_EOF -0x7280 = -29312" },
        { { ERR_TLS, MBEDTLS_ERR_SSL_DECODE_ERROR, "" },
          23,
          "SSL_DECODE_ERROR",
          "MBEDTLS_ERR_SSL_DECODE_ERROR -0x7300 = -29440; in 2.28 this number "
          "is "
          "MBEDTLS_ERR_SSL_UNKNOWN_CIPHER" },
        { { ERR_TLS, MBEDTLS_ERR_SSL_ALLOC_FAILED, "" },
          1,
          "SSL_ALLOC_FAILED",
          "MBEDTLS_ERR_SSL_ALLOC_FAILED -0x7F00 = -32512; in 4.x "
          "PSA_ERROR_INSUFFICIENT_MEMORY, -141" },
        { { ERR_TLS,
            MBEDTLS_ERR_RSA_PRIVATE_FAILED + MBEDTLS_ERR_MPI_ALLOC_FAILED, "" },
          23,
          "RSA_PRIVATE_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED",
          "MBEDTLS_ERR_RSA_PRIVATE_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED "
          "-0x4310 = -17168: -0x4300 and -0x0010; 4.x has no such sums" },
        { { ERR_VERIFY, MBEDTLS_X509_BADCERT_EXPIRED, "" },
          31,
          "expired",
          "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED -0x2700 = -9984; flags 0x1" },
        { { ERR_VERIFY, SSL_BADCERT_PIN, "" }, 35, "pin-mismatch", NULL },
        { { ERR_NET, 111, "" }, 11, "ECONNREFUSED", NULL },
        { { ERR_DNS, -2, "" }, 10, "EAI_NONAME", NULL },
        { { ERR_TRUNCATED, 0, "" }, 40, "exit 40", NULL },
        { { ERR_USAGE, 0, "" }, 2, NULL, NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[EXPLAIN_NAME_MAX], code[EXPLAIN_CODE_MAX];
        const char *n = explain_name(&rows[i].e, rows[i].status, name);
        const char *c = explain_mbedtls(&rows[i].e, code);
        assert_int_equal(n == NULL, rows[i].name == NULL);
        assert_int_equal(c == NULL, rows[i].mbedtls == NULL);
        if (n != NULL) {
            assert_string_equal(n, rows[i].name);
        }
        if (c != NULL) {
            assert_string_equal(c, rows[i].mbedtls);
        }
    }
}

/* The names in tls/ssl_diagnose.h. */
static void every_finding_has_a_row(void **state) {
    static const char *const names[] = {
        "clock-early",
        "clock-late",
        "name-mismatch",
        "name-only-in-cn",
        "address-as-name",
        "wrong-order",
        "self-signed",
        "missing-intermediate",
        "ca-is-leaf",
        "ca-other-key",
        "unknown-root",
        "wrong-purpose",
        "weak",
        "revoked",
        "crl",
        "pin-mismatch",
        "unnecessary",
        "cadata-pem",
        "cadata-many",
        "path-too-long",
        "issuer-not-ca",
        "issuer-other-key",
        "backend-unreachable",
        "no-common-version",
        "no-common-cipher",
        "no-common-group",
        "no-common-alpn",
        "no-common-sig-alg",
        "cipher-wants-other-key",
        "no-server-name",
        "server-name-refused",
        "version-intolerant",
        "refuses-all",
        "device-chain",
        "device-record",
        "device-spread",
        "device-output",
        "device-heap",
        "device-key",
        "device-message",
    };
    enum { NAMES = sizeof names / sizeof names[0] };
    size_t found = 0;
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        struct explain_key key;
        assert_non_null(explain_find_name("why", names[i], &key));
        assert_int_equal(key.code >= EXPLAIN_HELLO, i >= 23);
        assert_int_equal(key.code >= EXPLAIN_DEVICE, i >= 33);
    }
    for (size_t i = 0; i < key_count; i++) {
        found += strcmp(keys[i].origin, "why") == 0;
    }
    assert_int_equal(found, NAMES);
    assert_null(explain_find_name("why", "missing", NULL));
}

static void numbers_with_several_readings_have_them_all(void **state) {
    static const struct {
        const char *origin;
        int64_t code;
        const char *name;
    } rows[] = {
        { "errno", 113, "EHOSTUNREACH" },
        { "newlib", 113, "ECONNABORTED" },
        { "dns", -2, "EAI_NONAME" },
        { "axtls", -2, "DEAD" },
        { "tls", -0x7300, "" },
        { "tls2", -0x7300, "SSL_UNKNOWN_CIPHER" },
        { "tls", -0x7A00, "" },
        { "tls2", -0x7A00, "SSL_BAD_HS_CERTIFICATE" },
        { "alert", 40, "" },
        { "exit", 40, "" },
        { "errno", 16, "EBUSY" },
        { "tls", -0x10, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct explain_key key;
        assert_non_null(explain_find(rows[i].origin, rows[i].code, &key));
        assert_string_equal(key.name, rows[i].name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_rows_have_the_same_key),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(names_are_whole),
        cmocka_unit_test(every_alert_flag_and_status_has_a_row),
        cmocka_unit_test(failures_find_their_row),
        cmocka_unit_test(failures_have_a_name_that_explain_takes),
        cmocka_unit_test(every_finding_has_a_row),
        cmocka_unit_test(numbers_with_several_readings_have_them_all),
    };
    return cmocka_run_group_tests(tests, read_all, NULL);
}
