#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>

#include "test.h"
#include "tls/ssl_cert.h"
#include "tls/ssl_context.h"
#include "tls/ssl_self_signed.h"
#include "tls/ssl_verify.h"

static struct ssl_self_signed made;

static void names_that_a_certificate_can_bear(void **state) {
    static const struct {
        const char *name;
        bool good;
    } rows[] = {
        { "localhost", true },
        { "board-1.local", true },
        { "my_board.local", true },
        { "192.168.4.1", true },
        { "::1", true },
        { "fe80::1", true },
        { "*.example.com", true },
        { "xn--bcher-kva.example", true },
        { "", false },
        { ".", false },
        { "a..b", false },
        { "a.", false },
        { "-a", false },
        { "a-", false },
        { "a b", false },
        { "b\xC3\xBC"
          "cher.example",
          false },
        { "*", false },
        { "*.com", false },
        { "a.*.com", false },
        { "w*.example.com", false },
        { "[::1]", false },
        { "localhost:4433", false },
        { "fe80::1%eth0", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (ssl_self_signed_name(rows[i].name, strlen(rows[i].name)) !=
            rows[i].good) {
            fail_msg("'%s'", rows[i].name);
        }
    }
    /* The longest label and the longest name. */
    char name[256];
    memset(name, 'a', sizeof name);
    assert_true(ssl_self_signed_name(name, 63));
    assert_false(ssl_self_signed_name(name, 64));
    for (size_t i = 50; i < sizeof name; i += 50) {
        name[i] = '.';
    }
    assert_true(ssl_self_signed_name(name, 253));
    assert_false(ssl_self_signed_name(name, 254));
    assert_false(ssl_self_signed_name("a\0b", 3));
}

static void parse(mbedtls_x509_crt *crt) {
    mbedtls_x509_crt_init(crt);
    assert_int_equal(mbedtls_x509_crt_parse_der(crt, made.cert, made.cert_len),
                     0);
}

static void it_is_what_a_server_can_have(void **state) {
    struct err err = ERR_INIT;
    mbedtls_x509_crt crt;
    char usage[SSL_NAME_MAX], purpose[SSL_NAME_MAX];
    struct ssl_cert_info info;
    (void)state;
    assert_int_equal(
        ssl_self_signed_make("localhost,127.0.0.1,::1", &made, &err), 0);
    parse(&crt);
    ssl_cert_describe(&crt, NULL, &info);
    ssl_cert_usage(&crt, usage, purpose);
    assert_string_equal(info.names, "DNS:localhost, IP:127.0.0.1, IP:::1");
    assert_string_equal(info.subject, "CN=mptls self-signed");
    assert_string_equal(info.key, "EC 256");
    assert_string_equal(info.not_before, "1970-01-01T00:00:00Z");
    assert_string_equal(info.not_after, "2049-12-31T23:59:59Z");
    assert_string_equal(info.signature, "ECDSA with SHA256");
    assert_string_equal(usage, "digitalSignature");
    assert_string_equal(purpose, "serverAuth");
    assert_true(info.self_issued);
    assert_false(info.ca);
    assert_int_equal(crt.version, 3);
    assert_true(ssl_verify_name(&crt, "localhost"));
    assert_true(ssl_verify_name(&crt, "0:0::1"));
    assert_false(ssl_verify_name(&crt, "127.0.0.2"));
    mbedtls_x509_crt_free(&crt);
}

static void a_context_takes_it_and_trusts_it(void **state) {
    struct err err = ERR_INIT;
    struct ssl_context ctx;
    mbedtls_x509_crt crt;
    uint32_t flags = 0;
    (void)state;
    assert_int_equal(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_SERVER, &err), 0);
    assert_int_equal(ssl_self_signed_make("a.example", &made, &err), 0);
    assert_int_equal(ssl_context_load_cert_chain(&ctx, made.cert, made.cert_len,
                                                 made.key, made.key_len, &err),
                     0);
    assert_int_equal(
        ssl_context_load_verify_locations(&ctx, made.cert, made.cert_len, &err),
        0);
    parse(&crt);
    assert_int_equal(mbedtls_x509_crt_verify_with_profile(
                         &crt, &ctx.ca, NULL, &mbedtls_x509_crt_profile_default,
                         NULL, &flags, NULL, NULL),
                     0);
    mbedtls_x509_crt_free(&crt);
    ssl_context_free(&ctx);
}

static void no_two_are_alike(void **state) {
    static struct ssl_self_signed other;
    struct err err = ERR_INIT;
    mbedtls_x509_crt a, b;
    (void)state;
    assert_int_equal(ssl_self_signed_make("a", &other, &err), 0);
    assert_int_equal(ssl_self_signed_make("a", &made, &err), 0);
    parse(&a);
    mbedtls_x509_crt_init(&b);
    assert_int_equal(mbedtls_x509_crt_parse_der(&b, other.cert, other.cert_len),
                     0);
    assert_int_equal(a.serial.len, 16);
    assert_memory_not_equal(a.serial.p, b.serial.p, 16);
    assert_memory_not_equal(made.key, other.key, made.key_len);
    mbedtls_x509_crt_free(&a);
    mbedtls_x509_crt_free(&b);
}

static void the_longest_list_fits_and_no_more(void **state) {
    static char list[17 * 254];
    struct err err = ERR_INIT;
    (void)state;
    for (size_t i = 0; i < 17; i++) {
        char *name = list + i * 254;
        memset(name, 'a', 253);
        for (size_t j = 50; j < 253; j += 50) {
            name[j] = '.';
        }
        name[253] = i < 15 ? ',' : '\0';
    }
    assert_int_equal(ssl_self_signed_make(list, &made, &err), 0);
    list[16 * 254 - 1] = ',';
    assert_int_equal(ssl_self_signed_make(list, &made, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_string_equal(err.msg, "a certificate has 16 names at most");
    assert_int_equal(made.cert_len, 0);
}

static void a_name_that_is_none_is_named(void **state) {
    static const char *const rows[][2] = { { "", "''" },
                                           { "a,,b", "''" },
                                           { "a,b,", "''" },
                                           { "a,b c", "'b c'" },
                                           { "a, b", "' b'" } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(ssl_self_signed_make(rows[i][0], &made, &err), -1);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_memory_equal(err.msg, rows[i][1], strlen(rows[i][1]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_a_certificate_can_bear),
        cmocka_unit_test(it_is_what_a_server_can_have),
        cmocka_unit_test(a_context_takes_it_and_trusts_it),
        cmocka_unit_test(no_two_are_alike),
        cmocka_unit_test(the_longest_list_fits_and_no_more),
        cmocka_unit_test(a_name_that_is_none_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
