#include <mbedtls/ssl.h>

#include <stdio.h>

#include "base/stream.h"
#include "pki.h"
#include "test.h"
#include "tls/ssl_diagnose.h"
#include "tls/ssl_hello.h"
#include "tls/ssl_suite.h"

static struct ssl_info info;

static int clean(void **state) {
    (void)state;
    memset(&info, 0, sizeof info);
    return 0;
}

static void a_finding_is_added_once(void **state) {
    (void)state;
    struct ssl_finding *f =
        ssl_diagnose_add(&info, "weak", "--a", NULL, "%s of %d bits", "RSA", 1);
    assert_ptr_equal(f, &info.findings[0]);
    assert_string_equal(f->name, "weak");
    assert_string_equal(f->text, "RSA of 1 bits");
    assert_string_equal(f->here, "--a");
    assert_string_equal(f->there, "");
    assert_null(ssl_diagnose_add(&info, "weak", NULL, NULL, "again"));
    assert_int_equal(info.finding_count, 1);
    assert_string_equal(info.findings[0].text, "RSA of 1 bits");
}

static void a_finding_cannot_drive_a_terminal_and_is_cut(void **state) {
    (void)state;
    char text[2 * SSL_TEXT_MAX];
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct ssl_finding *f =
        ssl_diagnose_add(&info, "crl", "\x1b", text, "%s", text);
    assert_non_null(f);
    assert_string_equal(f->here, "\\x1B");
    assert_int_equal(strspn(f->text, "\\x0A"), strlen(f->text));
    assert_in_range(strlen(f->text), SSL_TEXT_MAX - 5, SSL_TEXT_MAX - 1);
    assert_in_range(strlen(f->there), SSL_NAME_MAX - 5, SSL_NAME_MAX - 1);
}

static void what_is_over_the_most_is_not_added(void **state) {
    static const char *const names[] = { "a", "b", "c", "d", "e",
                                         "f", "g", "h", "i" };
    (void)state;
    for (size_t i = 0; i < SSL_FINDINGS_MAX; i++) {
        assert_non_null(ssl_diagnose_add(&info, names[i], NULL, NULL, "x"));
    }
    assert_null(
        ssl_diagnose_add(&info, names[SSL_FINDINGS_MAX], NULL, NULL, "x"));
    assert_int_equal(info.finding_count, SSL_FINDINGS_MAX);
}

static struct ssl_context ctx;
static struct ssl_offer offer;

static void init(enum ssl_protocol protocol) {
    struct err err = ERR_INIT;
    assert_int_equal(ssl_context_init(&ctx, protocol, &err), 0);
}

static int done(void **state) {
    (void)state;
    ssl_context_free(&ctx);
    return 0;
}

static void set_ciphers(const char *names) {
    struct err err = ERR_INIT;
    assert_int_equal(ssl_context_set_ciphers(&ctx, names, &err), 0);
}

static void set_versions(enum ssl_version min, enum ssl_version max) {
    struct err err = ERR_INIT;
    assert_int_equal(ssl_context_set_versions(&ctx, min, max, &err), 0);
}

static unsigned char sent[4096];
static size_t sent_len;

static int keep(void *arg, const unsigned char *buf, size_t len) {
    (void)arg;
    assert_true(len <= sizeof sent - sent_len);
    memcpy(sent + sent_len, buf, len);
    sent_len += len;
    return (int)len;
}

static int nothing(void *arg, unsigned char *buf, size_t len) {
    (void)arg;
    (void)buf;
    (void)len;
    return MBEDTLS_ERR_SSL_WANT_READ;
}

/* What Mbed TLS itself says with this configuration. */
static void real_hello(struct ssl_offer *real) {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_init(&ssl);
    sent_len = 0;
    assert_int_equal(mbedtls_ssl_setup(&ssl, &ctx.conf), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&ssl, NULL), 0);
    mbedtls_ssl_set_bio(&ssl, NULL, keep, nothing, NULL);
    assert_int_equal(mbedtls_ssl_handshake(&ssl), MBEDTLS_ERR_SSL_WANT_READ);
    mbedtls_ssl_free(&ssl);
    assert_true(sent_len > 9);
    assert_true(ssl_hello_read_client(sent + 9, sent_len - 9, real));
}

static void what_a_client_offers_is_what_mbed_tls_sends(void **state) {
    static const struct {
        const char *ciphers; /* NULL: all */
        enum ssl_version min, max;
    } rows[] = {
        { NULL, SSL_TLS_1_2, SSL_TLS_1_3 },
        { NULL, SSL_TLS_1_2, SSL_TLS_1_2 },
        { NULL, SSL_TLS_1_3, SSL_TLS_1_3 },
        { "AES128-SHA", SSL_TLS_1_2, SSL_TLS_1_3 },
        { "AES128-SHA,TLS_AES_128_GCM_SHA256", SSL_TLS_1_2, SSL_TLS_1_3 },
        { "PSK-AES128-CBC-SHA256,ECDHE-RSA-AES128-GCM-SHA256", SSL_TLS_1_2,
          SSL_TLS_1_2 },
    };
    struct err err = ERR_INIT;
    static struct ssl_offer real;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        init(SSL_PROTOCOL_TLS_CLIENT);
        set_versions(rows[i].min, rows[i].max);
        if (rows[i].ciphers != NULL) {
            set_ciphers(rows[i].ciphers);
        }
        if (i == 0) {
            assert_int_equal(ssl_context_set_alpn(&ctx, "h2,http/1.1", &err),
                             0);
        }
        real_hello(&real);
        ssl_diagnose_ours(&ctx, "", &offer);
        assert_true(offer.known);
        for (int kind = 0; kind < SSL_KIND_EXTENSION; kind++) {
            if (kind == SSL_KIND_VERSION && ctx.max_version == SSL_TLS_1_2) {
                continue; /* a hello's version stands for those below it */
            }
            assert_int_equal(offer.of[kind].n, real.of[kind].n);
            assert_memory_equal(offer.of[kind].id, real.of[kind].id,
                                2 * real.of[kind].n);
        }
        assert_string_equal(offer.alpn, real.alpn);
        ssl_context_free(&ctx);
    }
}

static void load(const char *cert, const char *key) {
    struct err err = ERR_INIT;
    const struct pki_data *c = pki(cert), *k = pki(key);
    assert_int_equal(ssl_context_load_cert_chain(&ctx, c->data, c->len, k->data,
                                                 k->len, &err),
                     0);
}

static void a_server_takes_what_its_key_can_do(void **state) {
    static const struct {
        const char *cert, *key;
        enum ssl_version min, max;
        enum ssl_suite_key kind;
        unsigned sig_algs[7];
    } rows[] = {
        { "server-ec256.pem",
          "server-ec256-key.pem",
          SSL_TLS_1_2,
          SSL_TLS_1_3,
          SSL_KEY_EC,
          { 0x0403, 0x0503, 0x0603, 0x0303, 0x0203, 0x0103 } },
        { "server-ec384.pem",
          "server-ec384-key.pem",
          SSL_TLS_1_2,
          SSL_TLS_1_3,
          SSL_KEY_EC,
          { 0x0503, 0x0403, 0x0603, 0x0303, 0x0203, 0x0103 } },
        { "server-ec384.pem",
          "server-ec384-key.pem",
          SSL_TLS_1_3,
          SSL_TLS_1_3,
          SSL_KEY_EC,
          { 0x0503 } },
        { "server-rsa2048.pem",
          "server-rsa2048-key.pem",
          SSL_TLS_1_2,
          SSL_TLS_1_2,
          SSL_KEY_RSA,
          { 0x0401, 0x0501, 0x0601, 0x0301, 0x0201, 0x0101 } },
        { "server-rsa2048.pem",
          "server-rsa2048-key.pem",
          SSL_TLS_1_3,
          SSL_TLS_1_3,
          SSL_KEY_RSA,
          { 0x0804, 0x0805, 0x0806 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        init(SSL_PROTOCOL_TLS_SERVER);
        load(rows[i].cert, rows[i].key);
        set_versions(rows[i].min, rows[i].max);
        ssl_diagnose_ours(&ctx, "", &offer);
        const struct ssl_ids *ids = &offer.of[SSL_KIND_CIPHER];
        assert_in_range(ids->n, 5, SSL_IDS_MAX);
        for (size_t k = 0; k < ids->n; k++) {
            struct ssl_suite s = ssl_suite_of(ids->id[k]);
            assert_true(s.tls13 ? rows[i].max == SSL_TLS_1_3
                                : s.tls12 && rows[i].min == SSL_TLS_1_2);
            assert_true(s.tls13 || s.key == rows[i].kind);
            assert_false(s.psk);
        }
        ids = &offer.of[SSL_KIND_SIG_ALG];
        for (size_t k = 0; k < ids->n; k++) {
            assert_int_equal(ids->id[k], rows[i].sig_algs[k]);
        }
        assert_int_equal(rows[i].sig_algs[ids->n], 0);
        ssl_context_free(&ctx);
    }
}

static void a_server_of_several_takes_what_one_of_them_can(void **state) {
    static const uint16_t sig_algs[] = {
        0x0403, 0x0804, 0x0805, 0x0806, 0x0401, 0x0503, 0x0501, 0x0603,
        0x0601, 0x0303, 0x0301, 0x0203, 0x0201, 0x0103, 0x0101
    };
    (void)state;
    init(SSL_PROTOCOL_TLS_SERVER);
    load("server-ec256.pem", "server-ec256-key.pem");
    load("server-rsa2048.pem", "server-rsa2048-key.pem");
    load("server-wildcard.pem", "server-wildcard-key.pem");
    ssl_diagnose_ours(&ctx, "localhost", &offer);
    const struct ssl_ids *ids = &offer.of[SSL_KIND_SIG_ALG];
    assert_int_equal(ids->n, sizeof sig_algs / sizeof sig_algs[0]);
    assert_memory_equal(ids->id, sig_algs, sizeof sig_algs);
    /* For a name that one has, that one counts. */
    ssl_diagnose_ours(&ctx, "a.example.test", &offer);
    ids = &offer.of[SSL_KIND_CIPHER];
    assert_in_range(ids->n, 5, SSL_IDS_MAX);
    for (size_t i = 0; i < ids->n; i++) {
        struct ssl_suite s = ssl_suite_of(ids->id[i]);
        assert_true(s.tls13 || s.key == SSL_KEY_EC);
    }
    ssl_context_free(&ctx);
}

static void a_server_without_a_certificate_takes_nothing(void **state) {
    (void)state;
    init(SSL_PROTOCOL_TLS_SERVER);
    ssl_diagnose_ours(&ctx, "", &offer);
    assert_int_equal(offer.of[SSL_KIND_CIPHER].n, 0);
    assert_int_equal(offer.of[SSL_KIND_SIG_ALG].n, 0);
    assert_int_equal(offer.of[SSL_KIND_VERSION].n, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_finding_is_added_once, clean),
        cmocka_unit_test_setup(a_finding_cannot_drive_a_terminal_and_is_cut,
                               clean),
        cmocka_unit_test_setup(what_is_over_the_most_is_not_added, clean),
        cmocka_unit_test_teardown(what_a_client_offers_is_what_mbed_tls_sends,
                                  done),
        cmocka_unit_test_teardown(a_server_takes_what_its_key_can_do, done),
        cmocka_unit_test_teardown(
            a_server_of_several_takes_what_one_of_them_can, done),
        cmocka_unit_test_teardown(a_server_without_a_certificate_takes_nothing,
                                  done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
