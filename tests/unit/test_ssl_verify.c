#include "pki.h"
#include "test.h"
#include "tls/ssl_verify.h"

/* A certificate with just these names, as the parser would leave them. */
static bool matches(const char *const *dns, const unsigned char *ip,
                    size_t ip_len, const char *name) {
    mbedtls_x509_sequence seq[8];
    mbedtls_x509_crt crt;
    size_t n = 0;
    memset(seq, 0, sizeof seq);
    mbedtls_x509_crt_init(&crt);
    for (; dns[n] != NULL; n++) {
        seq[n].buf.tag = 0x82;
        seq[n].buf.p = (unsigned char *)(uintptr_t)dns[n];
        seq[n].buf.len = strlen(dns[n]);
        seq[n].next = &seq[n + 1];
    }
    if (ip_len != 0) {
        seq[n].buf.tag = 0x87;
        seq[n].buf.p = (unsigned char *)(uintptr_t)ip;
        seq[n].buf.len = ip_len;
        n++;
    }
    if (n > 0) {
        seq[n - 1].next = NULL;
        crt.subject_alt_names = seq[0];
    }
    return ssl_verify_name(&crt, name);
}

static void names_match_as_rfc_9525_says(void **state) {
    static const struct {
        const char *presented, *reference;
        bool match;
    } rows[] = {
        { "example.org", "example.org", true },
        { "example.org", "EXAMPLE.ORG", true },
        { "Example.Org", "example.org", true },
        { "example.org", "example.org.", true },
        { "example.org", "www.example.org", false },
        { "www.example.org", "example.org", false },
        { "example.org", "example.orgx", false },
        { "example.org", "", false },
        { "", "example.org", false },
        { "*.example.org", "www.example.org", true },
        { "*.example.org", "WWW.Example.Org", true },
        { "*.example.org", "example.org", false },
        { "*.example.org", ".example.org", false },
        { "*.example.org", "a.b.example.org", false },
        { "*.example.org", "wwwexample.org", false },
        { "w*.example.org", "www.example.org", false },
        { "*w.example.org", "www.example.org", false },
        { "www.*.org", "www.example.org", false },
        { "*.*.org", "www.example.org", false },
        { "*", "localhost", false },
        { "*.", "localhost.", false },
        { "*.org", "example.org", false },
        { "*.localhost", "board.localhost", false },
        { "xn--bcher-kva.example", "xn--bcher-kva.example", true },
        { "127.0.0.1", "127.0.0.1", false },
        { "*.0.0.1", "127.0.0.1", false },
        { "::1", "::1", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const dns[] = { rows[i].presented, NULL };
        if (matches(dns, NULL, 0, rows[i].reference) != rows[i].match) {
            fail_msg("%s for %s", rows[i].presented, rows[i].reference);
        }
    }
}

static void any_one_of_several_names_is_enough(void **state) {
    static const char *const dns[] = { "a.example", "b.example", NULL };
    (void)state;
    assert_true(matches(dns, NULL, 0, "a.example"));
    assert_true(matches(dns, NULL, 0, "b.example"));
    assert_false(matches(dns, NULL, 0, "c.example"));
}

static void addresses_match_address_sans_only(void **state) {
    static const char *const none[] = { NULL };
    static const unsigned char v4[] = { 192, 0, 2, 1 };
    static const unsigned char v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
    (void)state;
    assert_true(matches(none, v4, 4, "192.0.2.1"));
    assert_false(matches(none, v4, 4, "192.0.2.2"));
    assert_true(matches(none, v6, 16, "2001:db8::1"));
    assert_true(matches(none, v6, 16, "2001:DB8:0:0:0:0:0:1"));
    assert_false(matches(none, v6, 16, "2001:db8::2"));
    assert_false(matches(none, v6, 4, "32.1.13.185"));
    assert_false(matches(none, v4, 3, "192.0.2.1"));
    assert_false(matches(none, v4, 4, "example.org"));
}

static void a_nul_in_a_name_ends_nothing(void **state) {
    static const char evil[] = "example.org\0.evil";
    mbedtls_x509_crt crt;
    (void)state;
    mbedtls_x509_crt_init(&crt);
    crt.subject_alt_names.buf.tag = 0x82;
    crt.subject_alt_names.buf.p = (unsigned char *)(uintptr_t)evil;
    crt.subject_alt_names.buf.len = sizeof evil - 1;
    assert_false(ssl_verify_name(&crt, "example.org"));
}

static void a_certificate_is_described(void **state) {
    mbedtls_x509_crt crt;
    struct ssl_context ctx;
    struct ssl_cert_info info;
    struct err err = ERR_INIT;
    static const unsigned char nothing[SSL_SHA256_LEN];
    (void)state;
    assert_int_equal(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err), 0);
    const struct pki_data *d = pki("server-ec256.der");
    mbedtls_x509_crt_init(&crt);
    assert_int_equal(mbedtls_x509_crt_parse_der(&crt, d->data, d->len), 0);
    ssl_cert_describe(&crt, NULL, &info);
    assert_string_equal(info.subject, "CN=localhost");
    assert_string_equal(info.issuer, "CN=mptls test root");
    assert_string_equal(info.names, "DNS:localhost, IP:127.0.0.1, IP:::1");
    assert_string_equal(info.not_before, "2020-01-01T00:00:00Z");
    assert_string_equal(info.key, "EC 256");
    assert_string_equal(info.signature, "ECDSA with SHA256");
    assert_string_equal(info.ca_url, "");
    assert_false(info.ca || info.self_issued || info.needed);
    assert_int_equal(info.seconds_left, 0);
    assert_int_equal(info.der_len, d->len);
    assert_memory_not_equal(info.sha256, nothing, sizeof nothing);
    assert_memory_not_equal(info.spki_sha256, nothing, sizeof nothing);
    assert_memory_not_equal(info.spki_sha256, info.sha256, sizeof nothing);
    mbedtls_x509_crt_free(&crt);
    ssl_context_free(&ctx);
}

static void every_reason_is_told_with_its_certificate(void **state) {
    static struct ssl_verify v;
    char text[400];
    (void)state;
    memset(&v, 0, sizeof v);
    v.name = "board";
    assert_true(ssl_verify_room(&v, 2));
    v.cert_count = 2;
    snprintf(v.certs[0].subject, SSL_NAME_MAX, "CN=a");
    snprintf(v.certs[0].names, SSL_NAME_MAX, "DNS:b");
    v.certs[0].flags =
        MBEDTLS_X509_BADCERT_CN_MISMATCH | MBEDTLS_X509_BADCERT_EXPIRED;
    snprintf(v.certs[0].not_after, SSL_TIME_MAX, "2021-01-01T00:00:00Z");
    snprintf(v.certs[1].subject, SSL_NAME_MAX, "CN=ca");
    v.certs[1].flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    snprintf(v.certs[1].issuer, SSL_NAME_MAX, "CN=top");
    ssl_verify_explain(&v, v.certs[0].flags | v.certs[1].flags, text,
                       sizeof text);
    assert_string_equal(
        text, "certificate 1 (CN=ca) is not signed by a trusted CA (issuer: "
              "CN=top); certificate 0 (CN=a) has expired "
              "(2021-01-01T00:00:00Z); certificate 0 (CN=a) does not bear the "
              "name board (DNS:b)");
    v.cert_count = 0;
    ssl_verify_explain(&v, MBEDTLS_X509_BADCERT_MISSING, text, sizeof text);
    assert_string_equal(text, "the peer's certificate was not sent");
    ssl_verify_explain(&v, UINT32_MAX, text, 20);
    assert_in_range(strlen(text), 1, 19);
    ssl_verify_free(&v);
}

static void every_flag_has_one_name(void **state) {
    const struct ssl_flag *f;
    uint32_t seen = 0;
    (void)state;
    for (size_t i = 0; (f = ssl_flag_at(i)) != NULL; i++) {
        assert_int_equal(seen & f->bit, 0);
        seen |= f->bit;
        assert_true(f->name[0] != '\0' && f->text[0] != '\0');
    }
    assert_int_equal(seen, 0x0FFFFF | SSL_BADCERT_PIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_match_as_rfc_9525_says),
        cmocka_unit_test(any_one_of_several_names_is_enough),
        cmocka_unit_test(addresses_match_address_sans_only),
        cmocka_unit_test(a_nul_in_a_name_ends_nothing),
        cmocka_unit_test(a_certificate_is_described),
        cmocka_unit_test(every_reason_is_told_with_its_certificate),
        cmocka_unit_test(every_flag_has_one_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
