#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>

#include "cli/expect.h"
#include "cli/status.h"
#include "test.h"

static struct expect e;
static struct report r;
static struct err err;

static int expect(const char *one, const char *two) {
    struct opt_many given = { { one, two }, two != NULL ? 2 : 1 };
    err = (struct err)ERR_INIT;
    return expect_read(&e, &given, &err);
}

/* As output_judge() leaves it. */
static int judged(void) {
    struct status s = status_of(&r.err, r.stage, r.tls.cert_refused);
    r.status = r.exit = s.number;
    r.status_name = r.exit_name = s.name;
    expect_judge(&e, &r);
    return r.exit;
}

static void go_well(void) {
    static const struct ssl_cert_info leaf = {
        .subject = "CN=localhost, O=Boards",
        .issuer = "CN=root",
        .names = "DNS:localhost, IP:127.0.0.1, DNS:*.example.org",
    };
    memset(&r, 0, sizeof r);
    r.stage = STAGE_STREAM;
    r.tls = (struct ssl_info){ .handshake_done = true,
                               .version = "TLSv1.2",
                               .cipher = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_"
                                         "SHA256",
                               .verify_mode = SSL_CERT_REQUIRED,
                               .verified = true,
                               .server_hostname = "localhost",
                               .cert_count = 1,
                               .certs = { leaf },
                               .group = 23,
                               .sig_alg = 0x0403,
                               .alpn = "http/1.1" };
    for (size_t i = 0; i < SSL_SHA256_LEN; i++) {
        r.tls.certs[0].spki_sha256[i] = (unsigned char)i;
    }
}

static void go_wrong(enum report_stage stage, enum err_origin origin,
                     int64_t code) {
    go_well();
    r.stage = stage;
    if (stage < STAGE_HANDSHAKE) {
        memset(&r.tls, 0, sizeof r.tls);
    }
    r.tls.handshake_done = stage == STAGE_STREAM;
    r.err = (struct err){ origin, code, "it" };
}

struct row {
    const char *expected;
    bool met;
    const char *actual;
};

static void check_rows(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (expect(rows[i].expected, NULL) != 0) {
            fail_msg("%s: %s", rows[i].expected, err.msg);
        }
        int status = judged();
        if (status != (rows[i].met ? 0 : 50) ||
            strcmp(e.rows[0].actual, rows[i].actual) != 0 ||
            e.rows[0].met != rows[i].met) {
            fail_msg("%s: %d, actual %s", rows[i].expected, status,
                     e.rows[0].actual);
        }
        assert_string_equal(r.exit_name, rows[i].met ? "ok" : "expect");
        assert_int_equal(r.expect_count, 1);
    }
}

static void a_success_is_known_in_full(void **state) {
    static const char pin[] =
        "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    static const char suite[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    static const char names[] =
        "DNS:localhost, IP:127.0.0.1, DNS:*.example.org";
    static const struct row rows[] = {
        { "version=TLSv1.2", true, "TLSv1.2" },
        { "version=1.2", true, "TLSv1.2" },
        { "version=tls 1.2", true, "TLSv1.2" },
        { "version=1.3", false, "TLSv1.2" },
        { "version=1.1", false, "TLSv1.2" },
        { "cipher=ECDHE-ECDSA-AES128-GCM-SHA256", true, suite },
        { "cipher=tls-ecdhe-ecdsa-with-aes-128-gcm-sha256", true, suite },
        { "cipher=0xC02B", true, suite },
        { "cipher=0xC02C", false, suite },
        { "group=secp256r1", true, "secp256r1" },
        { "group=0x0017", true, "secp256r1" },
        { "group=X25519", false, "secp256r1" },
        { "sigalg=ecdsa_secp256r1_sha256", true, "ecdsa_secp256r1_sha256" },
        { "sigalg=rsa_pss_rsae_sha256", false, "ecdsa_secp256r1_sha256" },
        { "alpn=http/1.1", true, "http/1.1" },
        { "alpn=HTTP/1.1", false, "http/1.1" },
        { "alpn=none", false, "http/1.1" },
        { "verify=ok", true, "ok" },
        { "verify=none", false, "ok" },
        { "verify=expired", false, "ok" },
        { "alert=none", true, "none" },
        { "alert=40", false, "none" },
        { "exit=0", true, "0 (ok)" },
        { "exit=ok", true, "0 (ok)" },
        { "exit=50", false, "0 (ok)" },
        { "exit=expired", false, "0 (ok)" },
        { "peer-subject=CN=localhost, O=Boards", true,
          "CN=localhost, O=Boards" },
        { "peer-subject=CN=localhost", false, "CN=localhost, O=Boards" },
        { "peer-issuer=CN=root", true, "CN=root" },
        { "peer-name=localhost", true, names },
        { "peer-name=DNS:LOCALHOST", true, names },
        { "peer-name=127.0.0.1", true, names },
        { "peer-name=*.example.org", true, names },
        { "peer-name=DNS:127.0.0.1", false, names },
        { "peer-name=local", false, names },
        { "peer-name=example.org", false, names },
        { "pin=sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", true,
          pin },
        { "pin=sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", true,
          pin },
        { "pin=sha256/BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", false,
          pin },
        { "server-hostname=localhost", true, "localhost" },
        { "server-hostname=elsewhere", false, "localhost" },
        { "origin=none", true, "none" },
        { "origin=tls", false, "none" },
        { "code=0", true, "0" },
        { "code=-0x7780", false, "0" },
        { "stage=stream", true, "stream" },
        { "stage=handshake", false, "stream" },
        { "finding=none", true, "none" },
        { "finding=unnecessary", false, "none" },
    };
    (void)state;
    go_well();
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void a_refused_chain_is_known_by_its_flags(void **state) {
    static const struct row rows[] = {
        { "verify=expired", true, "untrusted, expired" },
        { "verify=UNTRUSTED", true, "untrusted, expired" },
        { "verify=ok", false, "untrusted, expired" },
        { "exit=30", true, "30 (untrusted)" },
        { "exit=untrusted", true, "30 (untrusted)" },
        { "exit=31", false, "30 (untrusted)" },
        { "origin=verify", true, "verify" },
        { "code=9", true, "9" },
        { "code=0x9", true, "9" },
        { "code=-9", false, "9" },
        { "stage=handshake", true, "handshake" },
        { "alert=none", true, "none" },
        { "alpn=http/1.1", false, "unknown" },
        { "finding=clock-late", true, "clock-late, unknown-root" },
        { "finding=unknown-root", true, "clock-late, unknown-root" },
        { "finding=none", false, "clock-late, unknown-root" },
    };
    (void)state;
    go_wrong(STAGE_HANDSHAKE, ERR_VERIFY,
             MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_NOT_TRUSTED);
    r.tls.verify_flags = (uint32_t)r.err.code;
    r.tls.finding_count = 2;
    r.tls.findings[0].name = "clock-late";
    r.tls.findings[1].name = "unknown-root";
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void an_alert_is_known_by_name_and_number(void **state) {
    static const struct row rows[] = {
        { "alert=handshake_failure", true, "40 (handshake_failure)" },
        { "alert=HANDSHAKE_FAILURE", true, "40 (handshake_failure)" },
        { "alert=40", true, "40 (handshake_failure)" },
        { "alert=0x28", true, "40 (handshake_failure)" },
        { "alert=4", false, "40 (handshake_failure)" },
        { "alert=none", false, "40 (handshake_failure)" },
        { "alert=protocol_version", false, "40 (handshake_failure)" },
        { "exit=peer-alert", true, "22 (peer-alert)" },
        { "code=40", true, "40" },
        { "origin=alert", true, "alert" },
    };
    (void)state;
    go_wrong(STAGE_HANDSHAKE, ERR_ALERT, 40);
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void a_code_of_mbed_tls_has_several_spellings(void **state) {
    static const char is[] = "-29312 (MBEDTLS_ERR_SSL_CONN_EOF)";
    static const struct row rows[] = {
        { "code=-0x7280", true, is },
        { "code=0x7280", true, is },
        { "code=-29312", true, is },
        { "code=MBEDTLS_ERR_SSL_CONN_EOF", true, is },
        { "code=ssl_conn_eof", true, is },
        { "code=SSL_TIMEOUT", false, is },
        { "code=-0x7780", false, is },
    };
    (void)state;
    go_wrong(STAGE_HANDSHAKE, ERR_TLS, MBEDTLS_ERR_SSL_CONN_EOF);
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void what_is_not_known_does_not_hold(void **state) {
    static const struct row connecting[] = {
        { "version=1.2", false, "unknown" },
        { "cipher=0xC02B", false, "unknown" },
        { "group=secp256r1", false, "unknown" },
        { "sigalg=ed25519", false, "unknown" },
        { "alpn=none", false, "unknown" },
        { "alpn=unknown", false, "unknown" },
        { "verify=none", false, "unknown" },
        { "alert=none", false, "unknown" },
        { "peer-subject=unknown", false, "unknown" },
        { "peer-name=unknown", false, "unknown" },
        { "pin=sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", false,
          "unknown" },
        { "exit=11", true, "11 (connect)" },
        { "stage=connect", true, "connect" },
        { "origin=net", true, "net" },
    };
    static const struct row setup[] = {
        { "exit=3", true, "3 (local-file)" },
        { "exit=local-file", true, "3 (local-file)" },
        { "exit=30", false, "3 (local-file)" },
        { "stage=setup", false, "unknown" },
        { "origin=tls", false, "unknown" },
        { "code=-0x2180", false, "unknown" },
        { "verify=none", false, "unknown" },
        { "finding=none", false, "unknown" },
    };
    (void)state;
    go_wrong(STAGE_CONNECT, ERR_NET, 111);
    check_rows(connecting, sizeof connecting / sizeof connecting[0]);
    go_wrong(STAGE_SETUP, ERR_TLS, MBEDTLS_ERR_X509_INVALID_FORMAT);
    check_rows(setup, sizeof setup / sizeof setup[0]);
}

static void some_statuses_stay(void **state) {
    static const struct {
        enum err_origin origin;
        int64_t code;
        enum report_stage stage;
        const char *one, *two;
        int status;
    } rows[] = {
        { ERR_SIGNAL, 15, STAGE_STREAM, "version=1.2", NULL, 143 },
        { ERR_SIGNAL, 15, STAGE_STREAM, "version=1.3", NULL, 143 },
        { ERR_SIGNAL, 2, STAGE_STREAM, "exit=130", NULL, 130 },
        { ERR_USAGE, 0, STAGE_SETUP, "exit=2", NULL, 2 },
        { ERR_USAGE, 0, STAGE_SETUP, "verify=ok", NULL, 2 },
        { ERR_OS, 28, STAGE_STREAM, "version=1.2", NULL, 1 },
        { ERR_OS, 28, STAGE_STREAM, "version=1.3", NULL, 1 },
        { ERR_OS, 28, STAGE_STREAM, "exit=1", NULL, 0 },
        { ERR_OS, 28, STAGE_STREAM, "version=1.2", "exit=local-io", 0 },
        { ERR_OS, 28, STAGE_STREAM, "version=1.3", "exit=1", 50 },
        { ERR_TRUNCATED, 0, STAGE_STREAM, "version=1.2", NULL, 0 },
        { ERR_TRUNCATED, 0, STAGE_STREAM, "version=1.2", "version=1.3", 50 },
        { ERR_TRUNCATED, 0, STAGE_STREAM, "exit=truncated", "version=1.2", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        go_wrong(rows[i].stage, rows[i].origin, rows[i].code);
        assert_int_equal(expect(rows[i].one, rows[i].two), 0);
        if (judged() != rows[i].status) {
            fail_msg("row %zu: %d", i, r.exit);
        }
    }
}

static void without_expectations_nothing_changes(void **state) {
    static const struct opt_many none = { { NULL }, 0 };
    (void)state;
    err = (struct err)ERR_INIT;
    assert_int_equal(expect_read(&e, &none, &err), 0);
    go_wrong(STAGE_STREAM, ERR_TRUNCATED, 0);
    assert_int_equal(judged(), 40);
    assert_string_equal(r.exit_name, "truncated");
    assert_int_equal(r.expect_count, 0);
}

static void what_cannot_be_expected_is_refused(void **state) {
    static const struct {
        const char *expected, *said;
    } rows[] = {
        { "version", "--expect: 'version' is no KEY=VALUE" },
        { "", "--expect: '' is no KEY=VALUE" },
        { "=1", "--expect: there is no key ''" },
        { "verison=1.3", "--expect: there is no key 'verison'; did you mean "
                         "version?" },
        { "peer_subject=CN=x", "did you mean peer-subject?" },
        { "VERSION=1.3", "did you mean version?" },
        { "version=", "--expect: version= has no value" },
        { "version=1.4", "version='1.4' is not TLSv1.3 or TLSv1.2" },
        { "version=SSLv3", "is not TLSv1.3 or TLSv1.2" },
        { "cipher=AES129-SHA", "did you mean AES128-SHA?" },
        { "group=secp256k2", "group='secp256k2' is not a group" },
        { "group=secp256rl", "did you mean secp256r1?" },
        { "sigalg=rsa_pkcs1_sha257", "did you mean rsa_pkcs1_sha256?" },
        { "verify=expird", "did you mean expired?" },
        { "verify=yes", "is not ok, none, or a flag such as expired" },
        { "alert=handshake_failrue", "did you mean handshake_failure?" },
        { "alert=256", "is not an alert's name or number, or none" },
        { "alert=unknown", "is not an alert's name or number, or none" },
        { "exit=256", "is not an exit status or its class" },
        { "exit=-1", "is not an exit status or its class" },
        { "exit=expried", "did you mean expired?" },
        { "pin=sha256/x", "is not sha256/ and 44 digits of base64" },
        { "origin=tsl", "did you mean tls?" },
        { "code=nought", "is not an error's number" },
        { "code=12x", "is not an error's number" },
        { "code=SSL_CONN_OEF", "did you mean SSL_CONN_EOF?" },
        { "code=MBEDTLS_ERR_SSL_CONN_OEF", "is not an error's number" },
        { "stage=handshaking", "did you mean handshake?" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(expect(rows[i].expected, NULL), -1);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_int_equal(err.code, 0);
        if (strstr(err.msg, rows[i].said) == NULL) {
            fail_msg("%s: %s", rows[i].expected, err.msg);
        }
        assert_int_equal(e.n, 0);
    }
}

/* The list after "The keys are:" has an item for each, several in one. */
static void the_man_page_lists_exactly_the_keys(void **state) {
    static char page[1 << 18];
    char items[2048] = " ";
    size_t listed = 0, keys = 0;
    const char *key;
    (void)state;
    FILE *f = fopen("man/mptls.1", "r");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    char *at = strstr(page, "\nThe keys are:\n");
    assert_non_null(at);
    *strstr(at, "\n.El\n") = '\0';
    while ((at = strstr(at, "\n.It Li ")) != NULL) {
        at += strlen("\n.It Li ");
        for (; *at != '\n'; at += strspn(at, " ,")) {
            size_t len = strcspn(at, " ,\n");
            size_t end = strlen(items);
            snprintf(items + end, sizeof items - end, "%.*s ", (int)len, at);
            at += len;
            listed++;
        }
    }
    for (; (key = expect_key_at(keys)) != NULL; keys++) {
        char word[64];
        snprintf(word, sizeof word, " %s ", key);
        if (strstr(items, word) == NULL) {
            fail_msg("the man page lacks the key %s", key);
        }
    }
    assert_int_equal(listed, keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_man_page_lists_exactly_the_keys),
        cmocka_unit_test(a_success_is_known_in_full),
        cmocka_unit_test(a_refused_chain_is_known_by_its_flags),
        cmocka_unit_test(an_alert_is_known_by_name_and_number),
        cmocka_unit_test(a_code_of_mbed_tls_has_several_spellings),
        cmocka_unit_test(what_is_not_known_does_not_hold),
        cmocka_unit_test(some_statuses_stay),
        cmocka_unit_test(without_expectations_nothing_changes),
        cmocka_unit_test(what_cannot_be_expected_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
