#include <mbedtls/oid.h>
#include <mbedtls/ssl.h>

#include <stdio.h>
#include <stdlib.h>

#include "hello_data.h"
#include "pki.h"
#include "test.h"
#include "tls/ssl_diagnose.h"
#include "tls/ssl_hello.h"
#include "tls/ssl_identity.h"

static struct ssl_context ctx;
static struct ssl_info info;
static unsigned char hello[4096];
static size_t hello_len, hello_at, answer_len;
static unsigned char answer[8];

enum { EC256, EC384, RSA, NONE, EC256_RSA, RSA_EC256, EC384_EC256 };

static void load(int which) {
    static const char *const names[][2] = {
        [EC256] = { "server-ec256.pem", "server-ec256-key.pem" },
        [EC384] = { "server-ec384.pem", "server-ec384-key.pem" },
        [RSA] = { "server-rsa2048.pem", "server-rsa2048-key.pem" },
    };
    struct err err = ERR_INIT;
    const struct pki_data *c = pki(names[which][0]), *k = pki(names[which][1]);
    assert_int_equal(ssl_context_load_cert_chain(&ctx, c->data, c->len, k->data,
                                                 k->len, &err),
                     0);
}

static void load_all(int which) {
    static const int pairs[][2] = {
        [EC256_RSA] = { EC256, RSA },
        [RSA_EC256] = { RSA, EC256 },
        [EC384_EC256] = { EC384, EC256 },
    };
    if (which < NONE) {
        load(which);
    } else if (which > NONE) {
        load(pairs[which][0]);
        load(pairs[which][1]);
    }
}

static void make(enum ssl_protocol protocol, enum ssl_version min,
                 enum ssl_version max, const char *ciphers) {
    struct err err = ERR_INIT;
    memset(&info, 0, sizeof info);
    info.server_side = protocol == SSL_PROTOCOL_TLS_SERVER;
    assert_int_equal(ssl_context_init(&ctx, protocol, &err), 0);
    assert_int_equal(ssl_context_set_versions(&ctx, min, max, &err), 0);
    if (ciphers != NULL) {
        assert_int_equal(ssl_context_set_ciphers(&ctx, ciphers, &err), 0);
    }
}

static int done(void **state) {
    (void)state;
    ssl_context_free(&ctx);
    return 0;
}

static int keep(void *arg, const unsigned char *buf, size_t len) {
    (void)arg;
    for (size_t i = 0; i < len && answer_len < sizeof answer; i++) {
        answer[answer_len++] = buf[i];
    }
    return (int)len;
}

static int give(void *arg, unsigned char *buf, size_t len) {
    (void)arg;
    len = len < hello_len - hello_at ? len : hello_len - hello_at;
    memcpy(buf, hello + hello_at, len);
    hello_at += len;
    return len > 0 ? (int)len : MBEDTLS_ERR_SSL_WANT_READ;
}

/* Does Mbed TLS answer the hello with a ServerHello? */
static bool answered(void) {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_init(&ssl);
    hello_at = answer_len = 0;
    assert_int_equal(mbedtls_ssl_setup(&ssl, &ctx.conf), 0);
    mbedtls_ssl_set_bio(&ssl, NULL, keep, give, NULL);
    int ret = mbedtls_ssl_handshake(&ssl);
    mbedtls_ssl_free(&ssl);
    return ret == MBEDTLS_ERR_SSL_WANT_READ && answer_len == sizeof answer &&
           answer[0] == 22 && answer[5] == 2;
}

static void read_ids(struct ssl_ids *ids, const char *text) {
    for (; *text != '\0'; text += strspn(text, " ")) {
        char *end;
        ids->id[ids->n++] = (uint16_t)strtoul(text, &end, 16);
        text = end;
    }
}

/* Put a key share of secp256r1, its generator, in place of the empty list at
 * the end: a server that is sent none asks for one before it looks further. */
static void add_share(size_t ciphers) {
    static const char share[] =
        "0033"
        "0047"
        "0045"
        "0017"
        "0041"
        "04"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    size_t at = hello_len - 6, extensions = 9 + 2 + 32 + 33 + 2 + ciphers * 2;
    assert_memory_equal(hello + at, "\0\x33\0\2\0\0", 6);
    hello_len = at + hello_bytes(share, hello + at, sizeof hello - at);
    const struct {
        size_t at, from;
    } lengths[] = { { 3, 5 }, { 7, 9 }, { extensions + 2, extensions + 4 } };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t n = hello_len - lengths[i].from;
        hello[lengths[i].at] = (unsigned char)(n >> 8);
        hello[lengths[i].at + 1] = (unsigned char)n;
    }
}

struct client {
    const char *hex; /* a real hello, or NULL: made of the rest */
    const char *versions, *ciphers, *groups, *sig_algs;
};

static void say_hello(const struct client *c) {
    if (c->hex != NULL) {
        size_t n = hello_bytes(c->hex, hello + 9, sizeof hello - 9);
        const unsigned char head[] = { 22,
                                       3,
                                       1,
                                       (unsigned char)((n + 4) >> 8),
                                       (unsigned char)(n + 4),
                                       1,
                                       0,
                                       (unsigned char)(n >> 8),
                                       (unsigned char)n };
        memcpy(hello, head, sizeof head);
        hello_len = n + sizeof head;
    } else {
        static const unsigned char random[64] = { 1, 2, 3 };
        struct ssl_offer offer;
        memset(&offer, 0, sizeof offer);
        read_ids(&offer.of[SSL_KIND_VERSION], c->versions);
        read_ids(&offer.of[SSL_KIND_CIPHER], c->ciphers);
        read_ids(&offer.of[SSL_KIND_GROUP], c->groups);
        read_ids(&offer.of[SSL_KIND_SIG_ALG], c->sig_algs);
        hello_len = ssl_hello_write_client(&offer, random, hello, sizeof hello);
        if (strstr(c->versions, "0304") != NULL &&
            strcmp(c->groups, "17") == 0) {
            add_share(offer.of[SSL_KIND_CIPHER].n);
        }
    }
    assert_true(ssl_hello_read_client(hello + 9, hello_len - 9, &info.theirs));
}

/* Do what a finding says; @return whether it is something that can be done. */
static bool apply(const char *here) {
    struct err err = ERR_INIT;
    if (strncmp(here, "--ciphers ", 10) == 0) {
        assert_int_equal(ssl_context_set_ciphers(&ctx, here + 10, &err), 0);
    } else if (strcmp(here, "--max-version 1.3") == 0) {
        assert_int_equal(
            ssl_context_set_versions(&ctx, SSL_TLS_1_2, SSL_TLS_1_3, &err), 0);
    } else if (strcmp(here, "--min-version 1.2") == 0 ||
               strcmp(here, "--max-version 1.2") == 0) {
        assert_int_equal(
            ssl_context_set_versions(&ctx, SSL_TLS_1_2, SSL_TLS_1_2, &err), 0);
    } else if (strstr(here, "RSA key (--cert, --key)") != NULL) {
        load(RSA);
    } else if (strstr(here, "secp256r1 key (--cert, --key)") != NULL ||
               strstr(here, "EC key (--cert, --key)") != NULL ||
               strcmp(here, "a certificate (--cert, --key)") == 0) {
        load(EC256);
    } else {
        assert_int_equal(strncmp(here, "nothing: ", 9), 0);
        return false;
    }
    return true;
}

#define BOTH SSL_TLS_1_2, SSL_TLS_1_3
#define ONLY_12 SSL_TLS_1_2, SSL_TLS_1_2
#define ONLY_13 SSL_TLS_1_3, SSL_TLS_1_3

static const struct {
    int cert;
    enum ssl_version min, max;
    const char *suites; /* NULL: all */
    struct client client;
    const char *name; /* NULL: they agree */
    const char *here, *there;
} rows[] = {
    { EC256, BOTH, NULL, { hello_openssl, 0, 0, 0, 0 }, NULL, NULL, NULL },
    { EC384, ONLY_12, NULL, { hello_openssl, 0, 0, 0, 0 }, NULL, NULL, NULL },
    { RSA, BOTH, NULL, { hello_gnutls, 0, 0, 0, 0 }, NULL, NULL, NULL },
    { RSA, BOTH, NULL, { hello_openssl_all, 0, 0, 0, 0 }, NULL, NULL, NULL },
    { RSA, BOTH, NULL, { hello_axtls, 0, 0, 0, 0 }, NULL, NULL, NULL },
    { EC384, BOTH, NULL, { hello_micropython, 0, 0, 0, 0 }, NULL, NULL, NULL },
    { EC256,
      ONLY_13,
      NULL,
      { hello_micropython, 0, 0, 0, 0 },
      "no-common-version",
      "--min-version 1.2",
      "nothing: MicroPython has no TLS 1.3" },
    { RSA,
      BOTH,
      NULL,
      { hello_openssl_10, 0, 0, 0, 0 },
      "no-common-version",
      "nothing: this build has no TLS 1.0",
      "allow TLS 1.2" },
    { EC256,
      ONLY_12,
      NULL,
      { NULL, "0304", "1301", "17", "403" },
      "no-common-version",
      "--max-version 1.3",
      "allow TLS 1.2" },
    { EC256,
      BOTH,
      NULL,
      { hello_axtls, 0, 0, 0, 0 },
      "cipher-wants-other-key",
      "a certificate with an RSA key (--cert, --key)",
      "nothing: MicroPython on ESP8266 has no suites but these" },
    { RSA,
      ONLY_12,
      NULL,
      { NULL, "0303", "c02b c00a", "17", "403 401" },
      "cipher-wants-other-key",
      "a certificate with an EC key (--cert, --key)",
      "offer TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    { NONE,
      BOTH,
      NULL,
      { hello_openssl, 0, 0, 0, 0 },
      "cipher-wants-other-key",
      "a certificate (--cert, --key)",
      "" },
    { RSA,
      BOTH,
      "ECDHE-RSA-AES128-GCM-SHA256",
      { hello_axtls, 0, 0, 0, 0 },
      "no-common-cipher",
      "--ciphers TLS_RSA_WITH_AES_128_CBC_SHA,TLS_RSA_WITH_AES_128_CBC_SHA256,"
      "TLS_RSA_WITH_AES_256_CBC_SHA",
      "nothing: MicroPython on ESP8266 has no suites but these" },
    { RSA,
      BOTH,
      NULL,
      { NULL, "0303", "5 a", "17", "401" },
      "no-common-cipher",
      "nothing: this build has no TLS_RSA_WITH_RC4_128_SHA",
      "offer TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    { RSA,
      BOTH,
      NULL,
      { NULL, "0303", "ae ff", "17", "401" },
      "no-common-cipher",
      "nothing: we have no pre-shared key for TLS_PSK_WITH_AES_128_CBC_SHA256",
      "offer TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    { RSA,
      ONLY_12,
      NULL,
      { NULL, "0304 0303", "1301 5", "17", "804 401" },
      "no-common-cipher",
      "--max-version 1.3",
      "offer TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    { RSA,
      BOTH,
      NULL,
      { NULL, "0304 0303", "1307 c02f", "17", "804 401" },
      "no-common-cipher",
      "--max-version 1.2",
      "offer TLS_AES_128_GCM_SHA256" },
    { RSA,
      BOTH,
      NULL,
      { NULL, "0304", "1301", "11ec", "804" },
      "no-common-group",
      "nothing: this build has no X25519MLKEM768",
      "offer secp256r1 (P-256)" },
    { RSA,
      BOTH,
      NULL,
      { NULL, "0303", "c02f", "", "401" },
      "no-common-group",
      NULL,
      "offer secp256r1 (P-256)" },
    { EC384,
      BOTH,
      NULL,
      { NULL, "0303", "c02b", "17", "403" },
      "no-common-group",
      "a certificate with a secp256r1 key (--cert, --key)",
      "offer secp384r1" },
    { EC256,
      BOTH,
      NULL,
      { NULL, "0304", "1301", "17", "401 804" },
      "no-common-sig-alg",
      "a certificate with an RSA key (--cert, --key)",
      "offer ecdsa_secp256r1_sha256" },
    { EC384,
      BOTH,
      NULL,
      { NULL, "0304", "1301", "17", "403" },
      "no-common-sig-alg",
      "a certificate with a secp256r1 key (--cert, --key)",
      "offer ecdsa_secp384r1_sha384" },
    { RSA, BOTH, NULL, { NULL, "0303", "c02f", "17", "" }, NULL, NULL, NULL },
    { RSA,
      BOTH,
      NULL,
      { NULL, "0303", "c02f", "17", "804" },
      "no-common-sig-alg",
      "nothing: we do not sign with rsa_pss_rsae_sha256 in TLS 1.2",
      "offer rsa_pkcs1_sha256" },
    { RSA, ONLY_12, NULL, { NULL, "0303", "2f", "", "" }, NULL, NULL, NULL },
    { EC256_RSA,
      BOTH,
      NULL,
      { NULL, "0303", "c02f", "17", "401" },
      NULL,
      NULL,
      NULL },
    { RSA_EC256,
      BOTH,
      NULL,
      { NULL, "0303", "c02b", "17", "403" },
      NULL,
      NULL,
      NULL },
    { EC256_RSA,
      BOTH,
      NULL,
      { NULL, "0304", "1301", "17", "804" },
      NULL,
      NULL,
      NULL },
    { RSA_EC256,
      BOTH,
      NULL,
      { NULL, "0304", "1301", "17", "403" },
      NULL,
      NULL,
      NULL },
    { EC384_EC256,
      BOTH,
      NULL,
      { NULL, "0303", "c02b", "17", "403" },
      NULL,
      NULL,
      NULL },
    { EC384_EC256,
      BOTH,
      NULL,
      { NULL, "0303", "c02f", "17", "401" },
      "cipher-wants-other-key",
      "a certificate with an RSA key (--cert, --key)",
      "offer TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
};

static void a_server_that_refuses_a_hello_knows_why(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make(SSL_PROTOCOL_TLS_SERVER, rows[i].min, rows[i].max, rows[i].suites);
        load_all(rows[i].cert);
        say_hello(&rows[i].client);
        ssl_diagnose_ours(&ctx, "", &info.ours);
        size_t n = ssl_diagnose_offers(&ctx, &info);
        assert_int_equal(n, info.finding_count);
        if (n != (rows[i].name != NULL) || answered() != (n == 0)) {
            fail_msg("row %zu: %zu findings: %s", i, n, info.findings[0].text);
        }
        if (n > 0) {
            const struct ssl_finding *f = &info.findings[0];
            const char *here = rows[i].here != NULL ? rows[i].here : "";
            assert_string_equal(f->name, rows[i].name);
            assert_string_equal(f->here, here);
            assert_string_equal(f->there, rows[i].there);
            if (rows[i].here != NULL && apply(f->here) && !answered()) {
                fail_msg("row %zu: %s does not help", i, f->here);
            }
        }
        ssl_context_free(&ctx);
    }
}

static void both_offers_are_in_the_text(void **state) {
    (void)state;
    make(SSL_PROTOCOL_TLS_SERVER, ONLY_12, "ECDHE-RSA-AES128-GCM-SHA256");
    load(RSA);
    const struct client client = { hello_axtls, 0, 0, 0, 0 };
    say_hello(&client);
    ssl_diagnose_ours(&ctx, "", &info.ours);
    assert_int_equal(ssl_diagnose_offers(&ctx, &info), 1);
    assert_string_equal(
        info.findings[0].text,
        "no cipher suite of TLS 1.2 in common: we take "
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256; the client offers "
        "TLS_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA256, "
        "TLS_RSA_WITH_AES_256_CBC_SHA and 1 more");
}

static void a_certificate_must_be_for_what_the_suite_does(void **state) {
    (void)state;
    make(SSL_PROTOCOL_TLS_SERVER, ONLY_12, NULL);
    load(RSA);
    /* digitalSignature alone, where RSA key exchange is to decrypt */
    ctx.own->cert.MBEDTLS_PRIVATE(ext_types) |= MBEDTLS_X509_EXT_KEY_USAGE;
    ctx.own->cert.MBEDTLS_PRIVATE(key_usage) =
        MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    const struct client client = { hello_axtls, 0, 0, 0, 0 };
    say_hello(&client);
    ssl_diagnose_ours(&ctx, "", &info.ours);
    assert_false(answered());
    assert_int_equal(ssl_diagnose_offers(&ctx, &info), 1);
    assert_string_equal(info.findings[0].name, "cipher-wants-other-key");
    assert_string_equal(info.findings[0].here,
                        "a certificate with an RSA key and a keyUsage that "
                        "allows it (--cert, --key)");
}

/* What is known of a server is what it was asked. */
static void a_client_compares_with_what_is_known(void **state) {
    static const struct {
        enum ssl_version min, max;
        const char *suites, *versions, *ciphers, *groups, *sig_algs;
        const char *name, *here, *there;
    } known[] = {
        { BOTH, NULL, "", "", "", "", NULL, NULL, NULL },
        { BOTH, NULL, "0303", "", "", "", NULL, NULL, NULL },
        { BOTH, NULL, "0303", "c02b", "17", "403", NULL, NULL, NULL },
        { BOTH, NULL, "0302 0301", "", "", "", "no-common-version",
          "nothing: this build has no TLS 1.1", "allow TLS 1.2" },
        { ONLY_12, NULL, "0304", "", "", "", "no-common-version",
          "--max-version 1.3", "allow TLS 1.2" },
        { BOTH, "AES128-SHA", "0304", "", "", "", "no-common-version",
          "a suite of TLS 1.3 among --ciphers", "allow TLS 1.2" },
        { BOTH, "AES128-SHA", "0303", "c02f", "", "", "no-common-cipher",
          "--ciphers TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "allow TLS_RSA_WITH_AES_128_CBC_SHA" },
        { BOTH, NULL, "0303", "c02f", "11ec", "", "no-common-group", "",
          "allow secp256r1 (P-256)" },
        { BOTH, NULL, "0304", "1301", "", "807", "no-common-sig-alg",
          "nothing: we do not verify with ed25519 in TLS 1.3",
          "sign with ecdsa_secp256r1_sha256" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        make(SSL_PROTOCOL_TLS_CLIENT, known[i].min, known[i].max,
             known[i].suites);
        snprintf(info.server_hostname, SSL_NAME_MAX, "localhost");
        ssl_diagnose_ours(&ctx, "", &info.ours);
        info.theirs.known = true;
        read_ids(&info.theirs.of[SSL_KIND_VERSION], known[i].versions);
        read_ids(&info.theirs.of[SSL_KIND_CIPHER], known[i].ciphers);
        read_ids(&info.theirs.of[SSL_KIND_GROUP], known[i].groups);
        read_ids(&info.theirs.of[SSL_KIND_SIG_ALG], known[i].sig_algs);
        size_t n = ssl_diagnose_offers(&ctx, &info);
        if (n != (known[i].name != NULL)) {
            fail_msg("row %zu: %zu findings: %s", i, n, info.findings[0].text);
        }
        if (n > 0) {
            assert_string_equal(info.findings[0].name, known[i].name);
            assert_string_equal(info.findings[0].here, known[i].here);
            assert_string_equal(info.findings[0].there, known[i].there);
        }
        ssl_context_free(&ctx);
    }
}

static void a_client_without_a_name_is_told(void **state) {
    static const struct {
        const char *hostname, *sent;
        bool server_side;
        size_t findings;
    } names[] = {
        { "", "", false, 1 },          { "127.0.0.1", "", false, 1 },
        { "::1", "", false, 1 },       { "localhost", "", false, 0 },
        { "", "localhost", false, 0 }, { "", "", true, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        make(SSL_PROTOCOL_TLS_CLIENT, BOTH, NULL);
        info.server_side = names[i].server_side;
        snprintf(info.server_hostname, SSL_NAME_MAX, "%s", names[i].hostname);
        snprintf(info.ours.server_name, SSL_NAME_MAX, "%s", names[i].sent);
        assert_int_equal(ssl_diagnose_offers(&ctx, &info), names[i].findings);
        if (names[i].findings > 0) {
            assert_string_equal(info.findings[0].name, "no-server-name");
            assert_string_equal(info.findings[0].here,
                                "--server-hostname NAME");
        }
        ssl_context_free(&ctx);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_server_that_refuses_a_hello_knows_why,
                                  done),
        cmocka_unit_test_teardown(both_offers_are_in_the_text, done),
        cmocka_unit_test_teardown(a_certificate_must_be_for_what_the_suite_does,
                                  done),
        cmocka_unit_test_teardown(a_client_compares_with_what_is_known, done),
        cmocka_unit_test_teardown(a_client_without_a_name_is_told, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
