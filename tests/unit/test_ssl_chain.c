#include <mbedtls/asn1.h>
#include <mbedtls/x509_crt.h>

#include "pki.h"
#include "test.h"
#include "tls/ssl_chain.h"

static const mbedtls_x509_time in_2030 = { 2030, 1, 1, 0, 0, 0 };

static struct ssl_context ctx;
static struct ssl_chain chain;
static struct err err;

static int make(void **state) {
    (void)state;
    err = (struct err)ERR_INIT;
    ssl_chain_init(&chain);
    return ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err);
}

static int unmake(void **state) {
    (void)state;
    ssl_chain_free(&chain);
    ssl_chain_free(&chain);
    ssl_context_free(&ctx);
    return 0;
}

static int load(const char *name) {
    const struct pki_data *d = pki(name);
    ssl_chain_free(&chain);
    err = (struct err)ERR_INIT;
    return ssl_chain_load(&chain, d->data, d->len, &err);
}

static void trust_root(void) {
    const struct pki_data *d = pki("root.der");
    assert_int_equal(
        ssl_context_load_verify_locations(&ctx, d->data, d->len, &err), 0);
}

static int judge(const char *name, const char *host,
                 const mbedtls_x509_time *now) {
    assert_int_equal(load(name), 0);
    ctx.now = now;
    return ssl_chain_verify(&chain, &ctx, host, &err);
}

static void a_chain_is_pem_or_der(void **state) {
    static unsigned char both[8192];
    (void)state;
    assert_int_equal(load("server-chain.pem"), 0);
    assert_int_equal(chain.count, 2);
    assert_int_equal(load("server-rsa2048.der"), 0);
    assert_int_equal(chain.count, 1);
    const struct pki_data *a = pki("server-ec256.der"), *b = pki("root.der");
    memcpy(both, a->data, a->len);
    memcpy(both + a->len, b->data, b->len);
    ssl_chain_free(&chain);
    assert_int_equal(ssl_chain_load(&chain, both, a->len + b->len, &err), 0);
    assert_int_equal(chain.count, 2);
    assert_int_equal(chain.der_len, a->len + b->len);
}

static void what_is_no_chain_is_refused(void **state) {
    static const struct {
        const char *data;
        size_t len;
        const char *said;
    } rows[] = {
        { "", 0, "no certificate" },
        { "text", 4, "certificate 0 is neither" },
        { "\x30\x82", 2, "certificate 0 is neither" },
        { "\x30\x00", 2, "certificate 0: " },
        { "-----BEGIN X-----\n-----END X-----\n", 34, "no certificate" },
        { "-----BEGIN CERTIFICATE-----\n", 28, "certificate 0: " },
        { "-----BEGIN X\0", 13, "NUL" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ssl_chain_free(&chain);
        err = (struct err)ERR_INIT;
        assert_int_equal(ssl_chain_load(&chain,
                                        (const unsigned char *)rows[i].data,
                                        rows[i].len, &err),
                         -1);
        assert_int_equal(err.origin, ERR_TLS);
        assert_non_null(strstr(err.msg, rows[i].said));
    }
    assert_int_equal(load("server-ec256-key.der"), -1);
    assert_int_equal(load("crl.pem"), -1);
}

static void a_good_chain_is_trusted_and_described(void **state) {
    struct ssl_info info;
    (void)state;
    trust_root();
    assert_int_equal(judge("server-chain.pem", "localhost", &in_2030), 0);
    ssl_chain_info(&chain, &ctx, &info);
    assert_true(info.verified && info.name_checked && !info.server_side);
    assert_int_equal(info.verify_mode, SSL_CERT_REQUIRED);
    assert_int_equal(info.verify_flags, 0);
    assert_string_equal(info.server_hostname, "localhost");
    assert_int_equal(info.cert_count, 3);
    assert_string_equal(info.certs[2].subject, "CN=mptls test root");
    /* Nothing is left over from one verdict to the next. */
    assert_int_equal(ssl_chain_verify(&chain, &ctx, "elsewhere", &err), -1);
    assert_int_equal(err.code, MBEDTLS_X509_BADCERT_CN_MISMATCH);
    err = (struct err)ERR_INIT;
    ctx.now = NULL;
    assert_int_equal(ssl_chain_verify(&chain, &ctx, "", &err), 0);
    ssl_chain_info(&chain, &ctx, &info);
    assert_false(info.name_checked);
}

static void the_clock_is_the_given_one(void **state) {
    static const struct {
        const char *name;
        mbedtls_x509_time now;
        int64_t code, off;
        const char *said;
    } rows[] = {
        { "server-ec256.pem",
          { 2019, 12, 31, 23, 59, 59 },
          MBEDTLS_X509_BADCERT_FUTURE,
          -1,
          "59Z, 1 second early" },
        { "server-ec256.pem", { 2020, 1, 1, 0, 0, 0 }, 0, 0, "" },
        { "server-ec256.pem",
          { 1970, 1, 1, 0, 0, 0 },
          MBEDTLS_X509_BADCERT_FUTURE,
          -1577836800,
          "1970-01-01, 18262 days" },
        { "server-ec256.pem",
          { 2000, 2, 29, 12, 0, 0 },
          MBEDTLS_X509_BADCERT_FUTURE,
          -626011200,
          "2000-02-29, 7245 days" },
        { "server-ec256.pem",
          { 0, 1, 1, 0, 0, 0 },
          MBEDTLS_X509_BADCERT_FUTURE,
          -INT64_C(63745056000),
          "days early" },
        { "server-expired.pem", { 2021, 1, 1, 0, 0, 0 }, 0, 0, "" },
        { "server-expired.pem",
          { 2021, 1, 1, 1, 59, 59 },
          MBEDTLS_X509_BADCERT_EXPIRED,
          7199,
          "1 hour late" },
        { "server-expired.pem",
          { 2024, 3, 1, 0, 0, 0 },
          MBEDTLS_X509_BADCERT_EXPIRED,
          99792000,
          "1155 days late" },
        { "server-not-yet-valid.pem", { 2059, 6, 1, 0, 0, 0 }, 0, 0, "" },
    };
    (void)state;
    trust_root();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int rc = judge(rows[i].name, "localhost", &rows[i].now);
        assert_int_equal(rc, rows[i].code == 0 ? 0 : -1);
        assert_int_equal(err.code, rows[i].code);
        assert_int_equal(chain.verify.seconds_off[0], rows[i].off);
        if (strstr(err.msg, rows[i].said) == NULL) {
            fail_msg("%s", err.msg);
        }
    }
    assert_int_equal(judge("server-expired.pem", NULL, NULL), -1);
    assert_null(strstr(err.msg, "the clock says"));
}

static void only_time_is_blamed_on_the_clock(void **state) {
    (void)state;
    trust_root();
    assert_int_equal(judge("server-expired.pem", "other", &in_2030), -1);
    assert_int_equal(err.code, MBEDTLS_X509_BADCERT_EXPIRED |
                                   MBEDTLS_X509_BADCERT_CN_MISMATCH);
    assert_null(strstr(err.msg, "the clock says"));
}

static void a_server_judges_clients(void **state) {
    struct ssl_info info;
    (void)state;
    trust_root();
    assert_int_equal(judge("client-ec256.pem", NULL, &in_2030), -1);
    assert_int_equal(err.code, MBEDTLS_X509_BADCERT_EXT_KEY_USAGE);
    ctx.protocol = SSL_PROTOCOL_TLS_SERVER;
    assert_int_equal(judge("client-ec256.pem", "whoever", &in_2030), 0);
    ssl_chain_info(&chain, &ctx, &info);
    assert_true(info.server_side && !info.name_checked);
    assert_int_equal(judge("server-ec256.pem", NULL, &in_2030), -1);
    assert_int_equal(err.code, MBEDTLS_X509_BADCERT_EXT_KEY_USAGE);
}

static int give_root(void *arg, const unsigned char **pem, size_t *len,
                     struct err *e) {
    const struct pki_data *d = arg;
    (void)e;
    *pem = d->data;
    *len = d->len;
    return 0;
}

static void the_source_is_asked_where_nothing_is_loaded(void **state) {
    static struct pki_data root;
    (void)state;
    assert_int_equal(judge("server-chain.pem", NULL, &in_2030), -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED);
    root = *pki("root.pem");
    root.data[root.len] = '\0';
    ssl_context_set_ca_source(&ctx, give_root, &root);
    assert_int_equal(judge("server-chain.pem", NULL, &in_2030), 0);
    assert_int_equal(judge("client-other.pem", NULL, &in_2030), -1);
    assert_int_equal(err.code, MBEDTLS_X509_BADCERT_NOT_TRUSTED |
                                   MBEDTLS_X509_BADCERT_EXT_KEY_USAGE);
}

static void what_no_handshake_carries_is_not_judged(void **state) {
    struct ssl_info info;
    (void)state;
    trust_root();
    assert_int_equal(judge("server-huge-chain.pem", NULL, &in_2030), -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL);
    ssl_chain_info(&chain, &ctx, &info);
    assert_false(info.verified);
    assert_int_equal(info.cert_count, 0);
    assert_int_equal(judge("server-ec256.pem", "a b", &in_2030), -1);
    assert_int_equal(err.origin, ERR_USAGE);
}

static void a_leaf_that_is_a_ca_is_noted(void **state) {
    (void)state;
    assert_false(ssl_chain_begins_with_ca(&chain)); /* empty */
    assert_int_equal(load("server-chain.pem"), 0);
    assert_false(ssl_chain_begins_with_ca(&chain));
    assert_int_equal(load("root.pem"), 0);
    assert_true(ssl_chain_begins_with_ca(&chain));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_is_pem_or_der, make, unmake),
        cmocka_unit_test_setup_teardown(what_is_no_chain_is_refused, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(a_good_chain_is_trusted_and_described,
                                        make, unmake),
        cmocka_unit_test_setup_teardown(the_clock_is_the_given_one, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(only_time_is_blamed_on_the_clock, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(a_server_judges_clients, make, unmake),
        cmocka_unit_test_setup_teardown(
            the_source_is_asked_where_nothing_is_loaded, make, unmake),
        cmocka_unit_test_setup_teardown(what_no_handshake_carries_is_not_judged,
                                        make, unmake),
        cmocka_unit_test_setup_teardown(a_leaf_that_is_a_ca_is_noted, make,
                                        unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
