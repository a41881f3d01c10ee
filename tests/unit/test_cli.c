/*
 * test_cli.c - the options that make a context, the system's store, reports'
 * destinations.
 */
#include <errno.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/ca_store.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/tls_options.h"
#include "test.h"

static struct tls_setup setup;

static int setup_with(const struct tls_options *o, bool server,
                      struct err *err) {
    return tls_setup_init(&setup, o, server, NULL, err);
}

static void the_tables_are_well_formed(void **state) {
    static const struct opt *const tables[] = { tls_opts, tls_trust_opts,
                                                tls_pipe_opts, tls_time_opts,
                                                tls_output_opts };
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const struct opt_group groups[] = { { "t", tables[i], 0 },
                                            OPT_GROUPS_END };
        struct err err = ERR_INIT;
        if (opt_check(groups, &err) != 0) {
            fail_msg("%s", err.msg);
        }
    }
}

static void the_role_and_mp_defaults_choose_what_is_verified(void **state) {
    static const struct {
        bool server, mp;
        int verify;
        enum ssl_verify_mode mode;
        bool store;
    } rows[] = {
        { false, false, -1, SSL_CERT_REQUIRED, true },
        { false, true, -1, SSL_CERT_NONE, false },
        { false, true, SSL_CERT_REQUIRED, SSL_CERT_REQUIRED, false },
        { false, false, SSL_CERT_NONE, SSL_CERT_NONE, false },
        { false, false, SSL_CERT_OPTIONAL, SSL_CERT_OPTIONAL, true },
        { true, false, -1, SSL_CERT_NONE, false },
        { true, false, SSL_CERT_REQUIRED, SSL_CERT_REQUIRED, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tls_options o = TLS_OPTIONS_INIT;
        struct err err = ERR_INIT;
        o.verify = rows[i].verify;
        o.mp_defaults = rows[i].mp;
        assert_int_equal(setup_with(&o, rows[i].server, &err), 0);
        assert_int_equal(setup.ctx.verify_mode, rows[i].mode);
        assert_int_equal(setup.ctx.ca_source != NULL, rows[i].store);
        assert_int_equal(setup.ctx.no_close_notify, rows[i].mp);
        tls_setup_free(&setup);
        tls_setup_free(&setup);
    }
}

static void wrong_options_are_refused_with_their_values(void **state) {
    static const struct {
        struct tls_options o;
        enum err_origin origin;
        int64_t code;
        const char *said;
    } rows[] = {
        { { .cafile = "certs/root.pem", .cadata = "certs/root.der" },
          ERR_USAGE,
          0,
          "--cafile and --cadata" },
        { { .certs = { { "certs/server-ec256.pem" }, 1 } },
          ERR_USAGE,
          0,
          "--key" },
        { { .keys = { { "hex:00112233" }, 1 } }, ERR_USAGE, 0, "--cert" },
        { { .cafile = "certs/none.pem" }, ERR_FILE, ENOENT, "certs/none.pem" },
        { { .cafile = "certs" }, ERR_FILE, EISDIR, "certs" },
        { { .cadata = "hex:zz" }, ERR_USAGE, 0, "--cadata" },
        { { .cadata = "certs/server-ec256-key.der" },
          ERR_TLS,
          MBEDTLS_ERR_X509_INVALID_FORMAT + MBEDTLS_ERR_ASN1_UNEXPECTED_TAG,
          "--cadata certs/server-ec256-key.der" },
        { { .certs = { { "certs/server-ec256.pem" }, 1 },
            .keys = { { "certs/server-ec256-key-encrypted.pem" }, 1 } },
          ERR_TLS,
          MBEDTLS_ERR_PK_PASSWORD_REQUIRED,
          "encrypted" },
        { { .cafile = "certs/root.pem", .crl = "certs/crl.pem" },
          ERR_USAGE,
          0,
          "--crl wants --verify" },
        { { .pins = { { "sha256/x" }, 1 } },
          ERR_USAGE,
          0,
          "--pin: 'sha256/x'" },
        { { .time = "noon" }, ERR_USAGE, 0, "--time: 'noon'" },
        { { .ciphers = "AES129-SHA" },
          ERR_TLS,
          MBEDTLS_ERR_SSL_BAD_CONFIG,
          "AES128-SHA" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tls_options o = rows[i].o;
        struct err err = ERR_INIT;
        o.verify = SSL_CERT_NONE;
        o.min_version = o.max_version = o.on_eof = -1;
        assert_int_equal(setup_with(&o, false, &err), -1);
        assert_int_equal(err.origin, rows[i].origin);
        assert_int_equal(err.code, rows[i].code);
        if (strstr(err.msg, rows[i].said) == NULL) {
            fail_msg("%s", err.msg);
        }
        assert_null(strstr(err.msg, "00112233"));
        tls_setup_free(&setup);
    }
}

static void the_end_of_stdin_means_what_the_role_says(void **state) {
    struct tls_options o = TLS_OPTIONS_INIT;
    (void)state;
    assert_int_equal(tls_on_eof(&o, false), PUMP_HALF_CLOSE);
    assert_int_equal(tls_on_eof(&o, true), PUMP_WAIT_EMPTY);
    o.on_eof = 2;
    assert_int_equal(tls_on_eof(&o, true), PUMP_WAIT);
    o.on_eof = 0;
    assert_int_equal(tls_on_eof(&o, true), PUMP_HALF_CLOSE);
}

static void the_store_is_what_the_environment_names(void **state) {
    struct ca_store s;
    struct err err = ERR_INIT;
    const unsigned char *pem;
    size_t len;
    (void)state;
    setenv("SSL_CERT_FILE", "certs/root.pem", 1);
    setenv("SSL_CERT_DIR", "certs", 1);
    assert_int_equal(ca_store_find(&s, &err), 0);
    assert_string_equal(s.where, "the system's certs/root.pem and certs");
    assert_int_equal(ca_store_read(&s, &pem, &len, &err), 0);
    assert_int_equal(pem[len], '\0');
    assert_int_equal(strlen((const char *)pem) <= len, 1);
    ca_store_free(&s);
    ca_store_free(&s);
    setenv("SSL_CERT_FILE", "certs/none.pem", 1);
    assert_int_equal(ca_store_find(&s, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, ENOENT);
    assert_non_null(strstr(err.msg, "SSL_CERT_FILE: read certs/none.pem"));
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
}

static void json_goes_to_its_file_one_line_a_report(void **state) {
    char name[] = "/tmp/mptls-test-XXXXXX";
    static struct report r;
    struct output out;
    struct err err = ERR_INIT;
    char line[4096];
    int fd = mkstemp(name);
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    const struct opt_optional json = { true, name };
    assert_int_equal(output_open(&out, 0, &json, &err), 0);
    r.command = "connect";
    assert_int_equal(output_end(&out, &r), 0);
    r.err = (struct err){ ERR_TRUNCATED, 0, "truncated" };
    assert_int_equal(output_end(&out, &r), 40);
    output_close(&out);
    output_close(&out);
    FILE *f = fopen(name, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_non_null(strstr(line, "\"ok\":true"));
    assert_non_null(fgets(line, sizeof line, f));
    assert_non_null(strstr(line, "\"class\":\"truncated\""));
    assert_null(fgets(line, sizeof line, f));
    fclose(f);
    unlink(name);
    const struct opt_optional bad = { true, "certs/none/x" };
    assert_int_equal(output_open(&out, 0, &bad, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, ENOENT);
}

static void a_signal_can_be_polled_and_told(void **state) {
    int fd;
    const volatile sig_atomic_t *number;
    struct err err = ERR_INIT;
    char byte;
    (void)state;
    assert_int_equal(signals_catch(&fd, &number, &err), 0);
    assert_int_equal(*number, 0);
    raise(SIGTERM);
    assert_int_equal(*number, SIGTERM);
    assert_int_equal(read(fd, &byte, 1), 1);
    struct sigaction now;
    assert_int_equal(sigaction(SIGTERM, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_DFL); /* the second one kills */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_well_formed),
        cmocka_unit_test(the_role_and_mp_defaults_choose_what_is_verified),
        cmocka_unit_test(wrong_options_are_refused_with_their_values),
        cmocka_unit_test(the_end_of_stdin_means_what_the_role_says),
        cmocka_unit_test(the_store_is_what_the_environment_names),
        cmocka_unit_test(json_goes_to_its_file_one_line_a_report),
        cmocka_unit_test(a_signal_can_be_polled_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
