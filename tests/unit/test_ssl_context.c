#include <mbedtls/ecp.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "pki.h"
#include "test.h"
#include "tls/ssl_context.h"
#include "tls/ssl_identity.h"
#include "tls/ssl_verify.h"

static struct ssl_context ctx;

static int load(const char *cert, const char *key, struct err *err) {
    const struct pki_data *c = pki(cert), *k = pki(key);
    return ssl_context_load_cert_chain(&ctx, c->data, c->len, k->data, k->len,
                                       err);
}

static size_t own_count(void) {
    size_t n = 0;
    for (const struct ssl_identity *i = ctx.own; i != NULL; i = i->next) {
        n++;
    }
    return n;
}

static int make(void **state) {
    struct err err = ERR_INIT;
    (void)state;
    return ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err);
}

static int unmake(void **state) {
    (void)state;
    ssl_context_free(&ctx);
    ssl_context_free(&ctx);
    return 0;
}

static void a_key_is_written_for_another_context(void **state) {
    static const char *const pairs[][2] = {
        { "server-ec256.pem", "server-ec256-key.pem" },
        { "server-rsa2048.pem", "server-rsa2048-key.pem" },
    };
    static unsigned char der[SSL_KEY_DER_MAX];
    struct err err = ERR_INIT;
    size_t len;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(load(pairs[i][0], pairs[i][1], &err), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        struct ssl_context other;
        const struct pki_data *c = pki(pairs[i][0]);
        assert_int_equal(
            ssl_context_init(&other, SSL_PROTOCOL_TLS_CLIENT, &err), 0);
        assert_int_equal(ssl_context_write_key(&ctx, i, der, &len, &err), 0);
        assert_int_equal(ssl_context_load_cert_chain(&other, c->data, c->len,
                                                     der, len, &err),
                         0);
        ssl_context_free(&other);
        /* Mbed TLS wrote it at the end; no copy stays there. */
        for (; len < sizeof der; len++) {
            assert_int_equal(der[len], 0);
        }
    }
    assert_int_equal(ssl_context_write_key(&ctx, 2, der, &len, &err), -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_PK_BAD_INPUT_DATA);
}

static void every_form_of_a_key_is_taken(void **state) {
    static const char *const pairs[][2] = {
        { "server-ec256.pem", "server-ec256-key.pem" },
        { "server-ec256.der", "server-ec256-key.der" },
        { "server-ec256.der", "server-ec256-key.pem" },
        { "server-ec256.pem", "server-ec256-key-sec1.pem" },
        { "server-ec384.pem", "server-ec384-key.pem" },
        { "server-rsa2048.pem", "server-rsa2048-key.pem" },
        { "server-rsa2048.der", "server-rsa2048-key.der" },
        { "server-rsa2048.pem", "server-rsa2048-key-pkcs1.pem" },
        { "server-chain.pem", "server-chain-key.pem" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(load(pairs[i][0], pairs[i][1], &err), 0);
        assert_int_equal(own_count(), i + 1);
    }
}

static void a_pair_that_is_wrong_is_refused_with_its_cause(void **state) {
    static const struct {
        const char *cert, *key;
        int64_t code;
        const char *said;
    } rows[] = {
        { "server-ec256.pem", "server-ec256-key-encrypted.pem",
          MBEDTLS_ERR_PK_PASSWORD_REQUIRED, "encrypted" },
        { "server-ec256.pem", "server-ec384-key.pem",
          MBEDTLS_ERR_ECP_BAD_INPUT_DATA, "not that of the certificate" },
        { "server-ec256.pem", "server-rsa2048-key.pem",
          MBEDTLS_ERR_PK_TYPE_MISMATCH, "not that of the certificate" },
        { "server-ec256.pem", "root.der", MBEDTLS_ERR_PK_KEY_INVALID_FORMAT,
          "the key" },
        { "server-ec256-key.pem", "server-ec256-key.pem",
          MBEDTLS_ERR_X509_INVALID_FORMAT, "the certificate" },
        { "server-ec256-key.der", "server-ec256-key.der",
          MBEDTLS_ERR_X509_INVALID_FORMAT, "the certificate" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(load(rows[i].cert, rows[i].key, &err), -1);
        assert_int_equal(err.origin, ERR_TLS);
        if (err.code != rows[i].code && -(-err.code & 0xFF80) != rows[i].code) {
            fail_msg("%s: -0x%04llx", err.msg, (unsigned long long)-err.code);
        }
        assert_non_null(strstr(err.msg, rows[i].said));
        assert_int_equal(own_count(), 0);
    }
}

static void a_chain_that_no_message_can_carry_is_refused(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(
        load("server-huge-chain.pem", "server-huge-chain-key.pem", &err), -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL);
}

static void a_server_is_not_given_a_certificate_for_another_use(void **state) {
    static const char *const rows[][3] = {
        { "server-wrong-eku.pem", "server-wrong-eku-key.pem", "extKeyUsage" },
        { "server-wrong-ku.pem", "server-wrong-ku-key.pem", "keyUsage" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = ERR_INIT;
        ctx.protocol = SSL_PROTOCOL_TLS_CLIENT;
        assert_int_equal(load(rows[i][0], rows[i][1], &err), 0);
        ctx.protocol = SSL_PROTOCOL_TLS_SERVER;
        assert_int_equal(load(rows[i][0], rows[i][1], &err), -1);
        assert_int_equal(err.origin, ERR_TLS);
        assert_int_equal(err.code, MBEDTLS_ERR_SSL_BAD_CERTIFICATE);
        assert_non_null(strstr(err.msg, rows[i][2]));
    }
}

static void der_may_hold_several_and_nothing_else(void **state) {
    static unsigned char two[8192];
    (void)state;
    const struct pki_data *a = pki("root.der"), *b = pki("other-root.der");
    memcpy(two, a->data, a->len);
    memcpy(two + a->len, b->data, b->len);
    size_t n = a->len + b->len;
    struct err err = ERR_INIT;
    assert_int_equal(ssl_context_load_verify_locations(&ctx, two, n, &err), 0);
    assert_non_null(ctx.ca.next);
    assert_null(ctx.ca.next->next);
    /* Calls accumulate, and one that fails leaves what was there. */
    assert_int_equal(ssl_context_load_verify_locations(&ctx, two, n + 1, &err),
                     -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_X509_INVALID_FORMAT);
    assert_null(ctx.ca.next->next);
    err = (struct err)ERR_INIT;
    assert_int_equal(ssl_context_load_verify_locations(&ctx, two, n - 1, &err),
                     -1);
    assert_int_equal(err.origin, ERR_TLS);
    err = (struct err)ERR_INIT;
    assert_int_equal(
        ssl_context_load_verify_locations(&ctx, a->data, a->len, &err), 0);
    assert_non_null(ctx.ca.next->next);
}

static void a_bundle_with_a_broken_certificate_is_refused(void **state) {
    static unsigned char text[16384];
    (void)state;
    const struct pki_data *a = pki("root.pem"), *b = pki("other-root.pem");
    memcpy(text, a->data, a->len);
    memcpy(text + a->len, b->data, b->len);
    size_t n = a->len + b->len;
    struct err err = ERR_INIT;
    assert_int_equal(ssl_context_load_verify_locations(&ctx, text, n, &err), 0);
    unsigned char *second = text + a->len + 60;
    memcpy(second, "AAAAAAAA", 8);
    assert_int_equal(ssl_context_load_verify_locations(&ctx, text, n, &err),
                     -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_X509_INVALID_FORMAT);
    assert_non_null(strstr(err.msg, "1 of its certificates"));
}

static void only_the_modes_there_are_can_be_set(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(ssl_context_get_verify_mode(&ctx), SSL_CERT_REQUIRED);
    for (int mode = 0; mode < 3; mode++) {
        assert_int_equal(
            ssl_context_set_verify_mode(&ctx, (enum ssl_verify_mode)mode, &err),
            0);
        assert_int_equal(ssl_context_get_verify_mode(&ctx), mode);
    }
    assert_int_equal(
        ssl_context_set_verify_mode(&ctx, (enum ssl_verify_mode)7, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_int_equal(err.code, 0);
    assert_int_equal(ssl_context_get_verify_mode(&ctx), 2);
}

static void wrap_sockets_arguments_make_a_context(void **state) {
    (void)state;
    const struct pki_data *crt = pki("server-ec256.der");
    struct ssl_context made;
    struct ssl_wrap_args args = { .cert = crt->data, .cert_len = crt->len };
    struct err err = ERR_INIT;
    assert_int_equal(ssl_wrap_context(&made, &args, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_int_equal(err.code, 0);
    ssl_context_free(&made);
    err = (struct err)ERR_INIT;
    const struct pki_data *key = pki("server-ec256-key.der");
    args.key = key->data;
    args.key_len = key->len;
    args.server_side = true;
    assert_int_equal(ssl_wrap_context(&made, &args, &err), 0);
    assert_int_equal(made.protocol, SSL_PROTOCOL_TLS_SERVER);
    assert_int_equal(made.verify_mode, SSL_CERT_NONE);
    ssl_context_free(&made);
}

static int asked;

static int store(void *arg, const unsigned char **pem, size_t *len,
                 struct err *err) {
    const struct pki_data *d = arg;
    asked++;
    if (d == NULL) {
        return err_set(err, ERR_FILE, 2, "no store");
    }
    *pem = d->data;
    *len = d->len;
    return 0;
}

/* A store as distributions have it, where one entry cannot be parsed. */
static void the_store_is_asked_once_and_only_the_issuer_parsed(void **state) {
    static struct pki_data bundle;
    mbedtls_x509_crt leaf, *found;
    (void)state;
    static const char *const parts[] = { "other-root.pem", "root.pem",
                                         "intermediate.pem" };
    bundle.len = (size_t)snprintf((char *)bundle.data, sizeof bundle.data,
                                  "# text\n-----BEGIN CERTIFICATE-----\n"
                                  "bm90IGEgY2VydGlmaWNhdGU=\n"
                                  "-----END CERTIFICATE-----\n");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct pki_data *p = pki(parts[i]);
        memcpy(bundle.data + bundle.len, p->data, p->len);
        bundle.len += p->len;
    }
    const struct pki_data *d = pki("server-ec256.der");
    mbedtls_x509_crt_init(&leaf);
    assert_int_equal(mbedtls_x509_crt_parse_der(&leaf, d->data, d->len), 0);
    asked = 0;
    ssl_context_set_ca_source(&ctx, store, &bundle);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ssl_verify_find_ca(&ctx, &leaf, &found), 0);
        assert_non_null(found);
        assert_null(found->next);
        assert_int_equal(found->subject_raw.len, leaf.issuer_raw.len);
        mbedtls_x509_crt_free(found);
        mbedtls_free(found);
    }
    assert_int_equal(asked, 1);
    mbedtls_x509_crt_free(&leaf);
}

static void a_store_that_fails_is_empty_and_says_why(void **state) {
    mbedtls_x509_crt leaf, *found;
    (void)state;
    const struct pki_data *d = pki("server-ec256.der");
    mbedtls_x509_crt_init(&leaf);
    assert_int_equal(mbedtls_x509_crt_parse_der(&leaf, d->data, d->len), 0);
    asked = 0;
    ssl_context_set_ca_source(&ctx, store, NULL);
    assert_int_equal(ssl_verify_find_ca(&ctx, &leaf, &found), 0);
    assert_int_equal(ssl_verify_find_ca(&ctx, &leaf, &found), 0);
    assert_null(found);
    assert_int_equal(asked, 1);
    assert_int_equal(ctx.ca_err.origin, ERR_FILE);
    assert_int_equal(ctx.ca_err.code, 2);
    mbedtls_x509_crt_free(&leaf);
}

static void a_crl_is_pem_or_der_and_a_bad_one_is_none(void **state) {
    static const unsigned char text[] = "-----BEGIN X509 CRL-----\n";
    struct err err = ERR_INIT;
    (void)state;
    const struct pki_data *d = pki("crl.pem");
    assert_int_equal(ssl_context_load_crl(&ctx, d->data, d->len, &err), 0);
    assert_true(ctx.have_crl);
    static unsigned char twice[4096];
    size_t len = ctx.crl.raw.len;
    assert_in_range(len, 1, sizeof twice / 2);
    memcpy(twice, ctx.crl.raw.p, len);
    memcpy(twice + len, ctx.crl.raw.p, len);
    assert_int_equal(ssl_context_load_crl(&ctx, twice, 2 * len, &err), 0);
    assert_non_null(ctx.crl.next);
    assert_null(ctx.crl.next->next);
    assert_int_equal(ssl_context_load_crl(&ctx, twice, 2 * len - 1, &err), -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_X509_INVALID_FORMAT);
    assert_false(ctx.have_crl);
    err = (struct err)ERR_INIT;
    assert_int_equal(ssl_context_load_crl(&ctx, text, sizeof text - 1, &err),
                     -1);
    assert_int_equal(err.origin, ERR_TLS);
}

static void a_context_may_be_made_after_the_end(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct ssl_context another;
        unsigned char byte;
        struct err why = ERR_INIT;
        assert_int_equal(
            ssl_context_init(&another, SSL_PROTOCOL_TLS_SERVER, &why), 0);
        assert_int_equal(psa_generate_random(&byte, 1), PSA_SUCCESS);
        ssl_context_free(&another);
        ssl_context_end();
        assert_int_equal(psa_generate_random(&byte, 1), PSA_ERROR_BAD_STATE);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_form_of_a_key_is_taken),
        TEST(a_key_is_written_for_another_context),
        TEST(a_pair_that_is_wrong_is_refused_with_its_cause),
        TEST(a_chain_that_no_message_can_carry_is_refused),
        TEST(a_server_is_not_given_a_certificate_for_another_use),
        TEST(der_may_hold_several_and_nothing_else),
        TEST(a_bundle_with_a_broken_certificate_is_refused),
        TEST(only_the_modes_there_are_can_be_set),
        TEST(wrap_sockets_arguments_make_a_context),
        TEST(the_store_is_asked_once_and_only_the_issuer_parsed),
        TEST(a_store_that_fails_is_empty_and_says_why),
        TEST(a_crl_is_pem_or_der_and_a_bad_one_is_none),
        cmocka_unit_test(a_context_may_be_made_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
