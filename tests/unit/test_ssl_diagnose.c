#include "pki.h"
#include "test.h"
#include "tls/ssl_chain.h"
#include "tls/ssl_diagnose.h"

static mbedtls_x509_time in_2030 = { 2030, 1, 1, 0, 0, 0 };

static struct ssl_context ctx;
static struct ssl_chain chain;
static struct ssl_info info;
static struct err err;

static void trust(const char *name) {
    const struct pki_data *d = pki(name);
    assert_int_equal(
        ssl_context_load_verify_locations(&ctx, d->data, d->len, &err), 0);
}

/* What is found of a chain, by the context as it is. */
static void judge(const char *name, const char *host) {
    const struct pki_data *d = pki(name);
    ssl_chain_free(&chain);
    err = (struct err)ERR_INIT;
    assert_int_equal(ssl_chain_load(&chain, d->data, d->len, &err), 0);
    int rc = ssl_chain_verify(&chain, &ctx, host, &err);
    assert_int_equal(rc == 0, err.origin == ERR_NONE);
    ssl_chain_info(&chain, &ctx, &info);
}

static void make(enum ssl_protocol protocol) {
    err = (struct err)ERR_INIT;
    ssl_chain_init(&chain);
    assert_int_equal(ssl_context_init(&ctx, protocol, &err), 0);
    ctx.now = &in_2030;
}

static void unmake(void) {
    ssl_chain_free(&chain);
    ssl_context_free(&ctx);
}

/* What is found, names parted by spaces. */
static const char *names(void) {
    static char list[256];
    list[0] = '\0';
    for (size_t i = 0; i < info.finding_count; i++) {
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", at > 0 ? " " : "",
                 info.findings[i].name);
    }
    return list;
}

static const struct ssl_finding *finding(const char *name) {
    for (size_t i = 0; i < info.finding_count; i++) {
        if (strcmp(info.findings[i].name, name) == 0) {
            return &info.findings[i];
        }
    }
    fail_msg("no %s, but %s", name, names());
    return NULL;
}

static void assert_has(const char *text, const char *words) {
    if (strstr(text, words) == NULL) {
        fail_msg("'%s' is not in '%s'", words, text);
    }
}

struct row {
    const char *chain, *host, *trust, *found;
    const char *text, *here, *there; /* words of the first finding */
};

static void check_rows(enum ssl_protocol protocol, const struct row *rows,
                       size_t n) {
    for (size_t i = 0; i < n; i++) {
        make(protocol);
        trust(rows[i].trust);
        judge(rows[i].chain, rows[i].host);
        if (strcmp(names(), rows[i].found) != 0) {
            fail_msg("%s, %s: %s", rows[i].chain, rows[i].trust, names());
        }
        if (info.finding_count > 0) {
            assert_has(info.findings[0].text, rows[i].text);
            assert_has(info.findings[0].here, rows[i].here);
            assert_has(info.findings[0].there, rows[i].there);
        }
        unmake();
    }
}

static const struct row server_rows[] = {
    { "server-ec256.pem", "localhost", "root.der", "", "", "", "" },
    { "server-chain.pem", "localhost", "root.der", "", "", "", "" },
    { "server-expired.pem", "localhost", "root.der", "clock-late",
      "2030-01-01, 3287 days late; the chain is valid from "
      "2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z",
      "--time 2021-01-01T00:00:00Z", "renew CN=localhost" },
    { "server-not-yet-valid.pem", "localhost", "root.der", "clock-early",
      "2030-01-01, 10592 days early; the chain is valid from "
      "2059-01-01T00:00:00Z to 2060-01-01T00:00:00Z",
      "--time now", "" },
    { "server-expired-untrusted.pem", "localhost", "root.der", "unknown-root",
      "leads to CN=mptls other root",
      "--cadata with the root CN=mptls other root", "a root that is trusted" },
    { "server-wrong-host.pem", "localhost", "root.der", "name-mismatch",
      "not for localhost but for DNS:other.example",
      "--server-hostname other.example", "subjectAltName DNS:localhost" },
    { "server-ec256.pem", "board", "root.der", "name-mismatch",
      "DNS:localhost, IP:127.0.0.1, IP:::1", "--server-hostname localhost",
      "DNS:board" },
    { "server-ec256.pem", "192.0.2.1", "root.der", "name-mismatch", "",
      "--server-hostname 127.0.0.1", "IP:192.0.2.1" },
    { "server-ip-san.pem", "board", "root.der", "name-mismatch", "",
      "--server-hostname 127.0.0.1", "DNS:board" },
    { "server-no-san.pem", "localhost", "root.der", "name-only-in-cn",
      "only as its common name", "", "DNS:localhost" },
    { "server-no-san.pem", "LOCALHOST.", "root.der", "name-only-in-cn",
      "it has no subjectAltName", "", "" },
    { "server-no-san.pem", "board", "root.der", "name-mismatch",
      "it has no subjectAltName", "", "DNS:board" },
    { "server-ip-in-dns.pem", "127.0.0.1", "root.der", "address-as-name",
      "counts only as an iPAddress", "", "subjectAltName IP:127.0.0.1" },
    { "server-wildcard.pem", "a.b.example.test", "root.der", "name-mismatch",
      "a * stands for one label", "--server-hostname NAME.example.test", "" },
    { "server-wildcard.pem", "example.test", "root.der", "name-mismatch",
      "a * stands for one label", "NAME.example.test", "" },
    { "server-wildcard-mid.pem", "foo.b.example.test", "root.der",
      "name-mismatch", "a * stands for one label", "", "" },
    { "server-reversed-chain.pem", "localhost", "root.der",
      "wrong-order unnecessary",
      "certificate 2 (CN=mptls test intermediate) is signed by "
      "certificate 1 (CN=mptls test root), which stands before it",
      "", "CN=mptls test intermediate before CN=mptls test root" },
    { "server-self-signed.pem", "localhost", "root.der", "self-signed",
      "signed by its own key", "this very certificate",
      "that a trusted CA signed" },
    { "server-self-signed.pem", "localhost", "server-self-signed.pem",
      "cadata-pem", "DER", "openssl x509 -in FILE -outform DER", "" },
    { "server-self-signed.pem", "localhost", "server-ec256.der",
      "ca-other-key self-signed", "another key: was the server's made anew",
      "the very certificate", "" },
    { "server-ec256.pem", "localhost", "server-ec256.der", "ca-is-leaf",
      "the server's own certificate, which a CA has signed",
      "--cadata with the CA CN=mptls test root", "self-signed" },
    { "server-ec256.pem", "localhost", "server-rsa2048.der", "ca-is-leaf",
      "what is trusted, CN=localhost, is an end's", "mptls test root", "" },
    { "server-from-leaf.pem", "localhost", "server-wrong-host.pem",
      "ca-is-leaf issuer-not-ca cadata-pem", "CN=other.example",
      "--cadata with the CA CN=other.example", "" },
    { "server-ca-same-name.pem", "localhost", "root.der", "ca-other-key",
      "wanted is 21befbe88174a3ae9013be1996853aeeb9fa8651",
      "CN=mptls test root of key identifier 21befbe8", "" },
    { "server-issuer-same-name.pem", "localhost", "root.der",
      "issuer-other-key",
      "the CN=mptls test intermediate that was sent has another key", "",
      "send the CN=mptls test intermediate" },
    { "server-path-too-long.pem", "localhost", "root.der", "path-too-long",
      "CN=mptls test intermediate does not allow", "", "nearer" },
    { "server-path-too-long.pem", "localhost", "intermediate.pem",
      "path-too-long cadata-pem", "the trusted CN=mptls test intermediate", "",
      "nearer" },
    { "server-from-leaf.pem", "localhost", "root.der", "issuer-not-ca",
      "CN=other.example signed certificate 0", "", "signed by a CA" },
    { "server-missing-intermediate.pem", "localhost", "root.der",
      "missing-intermediate",
      "CN=mptls test intermediate, which signed certificate 0 "
      "(CN=localhost), was not sent and is not trusted",
      "--cadata with CN=mptls test intermediate",
      "send CN=mptls test intermediate after the server's" },
    { "server-aia.pem", "localhost", "root.der", "missing-intermediate",
      "; it is at http://ca.example/intermediate.der", "", "" },
    { "server-unknown-root.pem", "localhost", "root.der", "unknown-root",
      "CN=mptls other root, which is not trusted (trusted: CN=mptls test "
      "root)",
      "CN=mptls other root, which was sent", "" },
    { "server-chain.pem", "localhost", "other-root.der", "unknown-root",
      "leads to CN=mptls test root", "", "" },
    { "server-wrong-eku.pem", "localhost", "root.der", "wrong-purpose",
      "is for clientAuth (extKeyUsage), and a server's needs serverAuth", "",
      "extKeyUsage serverAuth" },
    { "server-wrong-ku.pem", "localhost", "root.der", "wrong-purpose",
      "is for keyCertSign (keyUsage), and a server's needs "
      "digitalSignature",
      "", "keyUsage digitalSignature" },
    { "server-wrong-eku-ca.pem", "localhost", "root.der", "wrong-purpose",
      "certificate 1 (CN=mptls test for clients) is for clientAuth", "",
      "a CA's certificate" },
    { "server-sha1.pem", "localhost", "root.der", "weak",
      "a weak hash, ECDSA with SHA1: SHA-256", "", "SHA-256" },
    { "server-rsa1024.pem", "localhost", "root.der", "weak",
      "certificate 0 (CN=localhost) has a weak key, RSA 1024: RSA of 2048", "",
      "2048" },
    { "server-weak-ca.pem", "localhost", "root.der", "weak",
      "certificate 1 (CN=mptls test weak) has a weak key", "", "" },
    { "server-extra.pem", "localhost", "root.der", "unnecessary",
      "certificates 2 (CN=mptls test root, 364 bytes), 3 (CN=mptls other "
      "root, 366 bytes)",
      "", "send only" },
    { "server-extra.pem", "localhost", "intermediate.pem",
      "unnecessary cadata-pem", "certificates 1 (CN=mptls test inter", "", "" },
    { "intermediate.pem", "", "root.der", "wrong-purpose", "", "", "" },
    { "server-name-constraints.pem", "localhost", "root.der", "", "", "", "" },
};

static void a_servers_chain_is_diagnosed(void **state) {
    (void)state;
    check_rows(SSL_PROTOCOL_TLS_CLIENT, server_rows,
               sizeof server_rows / sizeof server_rows[0]);
}

static void a_clients_chain_is_diagnosed(void **state) {
    static const struct row rows[] = {
        { "client-ec256.pem", "", "root.der", "", "", "", "" },
        { "client-expired.pem", "", "root.der", "clock-late", "days late",
          "--time 2021-01-01", "renew CN=mptls test client" },
        { "client-other.pem", "", "root.der", "unknown-root",
          "CN=mptls other root", "", "" },
        { "client-self-signed.pem", "", "root.der", "self-signed", "", "", "" },
        { "client-self-signed.pem", "", "client-ec256.der",
          "ca-other-key self-signed", "was the client's made anew", "", "" },
        { "client-ec256.pem", "", "client-ec256.der", "ca-is-leaf",
          "the client's own", "", "" },
        { "client-missing-intermediate.pem", "", "root.der",
          "missing-intermediate", "CN=mptls test intermediate", "",
          "after the client's" },
        { "client-sha1.pem", "", "root.der", "weak", "SHA1", "", "" },
        { "server-ec256.pem", "", "root.der", "wrong-purpose",
          "is for serverAuth (extKeyUsage), and a client's needs clientAuth",
          "", "" },
    };
    (void)state;
    check_rows(SSL_PROTOCOL_TLS_SERVER, rows, sizeof rows / sizeof rows[0]);
}

/* Several PEM files as one chain. */
static void judge_bundle(const char *const *files, const char *host) {
    static unsigned char text[16384];
    size_t len = 0;
    for (; *files != NULL; files++) {
        const struct pki_data *d = pki(*files);
        assert_true(len + d->len < sizeof text);
        memcpy(text + len, d->data, d->len);
        len += d->len;
    }
    ssl_chain_free(&chain);
    assert_int_equal(ssl_chain_load(&chain, text, len, &err), 0);
    int rc = ssl_chain_verify(&chain, &ctx, host, &err);
    (void)rc; /* the findings are looked at */
    ssl_chain_info(&chain, &ctx, &info);
}

static void the_leaf_goes_first(void **state) {
    static const char *const files[] = { "intermediate.pem",
                                         "server-missing-intermediate.pem",
                                         NULL };
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    trust("root.der");
    judge_bundle(files, NULL);
    assert_has(finding("wrong-order")->text,
               "certificate 0 (CN=mptls test intermediate) is a CA's, and "
               "certificate 1 (CN=localhost) is not: the server's own");
    assert_string_equal(finding("wrong-order")->there,
                        "send CN=localhost first");
    unmake();
}

static void what_is_sent_is_described_and_marked(void **state) {
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    trust("root.der");
    judge("server-extra.pem", "localhost");
    assert_true(info.anchored);
    assert_int_equal(info.cert_count, 3);
    assert_int_equal(info.sent_count, 4);
    static const bool needed[] = { true, true, false, false };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(info.sent[i].needed, needed[i]);
        assert_int_equal(info.sent[i].seconds_left, 946684800);
    }
    assert_true(info.sent[2].ca && info.sent[2].self_issued);
    assert_true(info.sent[1].ca && !info.sent[1].self_issued);
    assert_false(info.sent[0].ca);
    judge("server-rsa1024.pem", "localhost");
    assert_int_equal(info.sent[0].flags, MBEDTLS_X509_BADCERT_BAD_KEY);
    judge("server-weak-ca.pem", "localhost");
    assert_int_equal(info.sent[0].flags, 0);
    assert_int_equal(info.sent[1].flags, MBEDTLS_X509_BADCERT_BAD_KEY);
    judge("server-unknown-root.pem", "localhost");
    assert_false(info.anchored);
    assert_true(info.sent[0].needed);
    assert_false(info.sent[1].needed);
    in_2030.year = 2070;
    judge("server-ec256.pem", "localhost");
    assert_int_equal(info.sent[0].seconds_left, -315619200);
    in_2030.year = 2030;
    unmake();
}

/* As where --verify none asks for nothing. */
static void without_a_verification_names_lead(void **state) {
    static const struct ssl_verify nothing;
    static const char *const files[] = { "server-chain.pem", "root.pem",
                                         "other-root.pem", "root.pem", NULL };
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    judge_bundle(files, NULL); /* nothing is trusted: no verdict */
    assert_int_equal(err.code, MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED);
    memset(&info, 0, sizeof info);
    ssl_diagnose_chain(&chain.certs, &ctx, &nothing, 0, &info);
    assert_int_equal(info.sent_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(info.sent[i].needed, i < 2);
    }
    assert_false(info.anchored);
    assert_int_equal(info.finding_count, 0);
    ssl_diagnose_chain(NULL, &ctx, &nothing, 0, &info);
    assert_int_equal(info.sent_count, 5);
    unmake();
}

static void a_board_takes_one_certificate(void **state) {
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    trust("root.der");
    trust("other-root.pem");
    judge("server-ec256.pem", "localhost");
    assert_string_equal(names(), "cadata-many cadata-pem");
    assert_has(finding("cadata-many")->text, "2 certificates are trusted");
    assert_string_equal(finding("cadata-many")->here,
                        "--cadata with CN=mptls test root alone");
    judge("server-self-signed.pem", "localhost");
    assert_string_equal(names(), "self-signed cadata-many cadata-pem");
    unmake();
}

static int give_root(void *arg, const unsigned char **pem, size_t *len,
                     struct err *e) {
    const struct pki_data *d = arg;
    (void)e;
    *pem = d->data;
    *len = d->len;
    return 0;
}

static void the_store_is_asked_for_the_issuer(void **state) {
    static struct pki_data root;
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    root = *pki("root.pem");
    root.data[root.len] = '\0';
    ssl_context_set_ca_source(&ctx, give_root, &root);
    judge("server-ca-same-name.pem", "localhost");
    assert_string_equal(names(), "ca-other-key");
    judge("server-unknown-root.pem", "localhost");
    assert_string_equal(names(), "unknown-root");
    assert_null(strstr(finding("unknown-root")->text, "trusted:"));
    judge("server-missing-intermediate.pem", "localhost");
    assert_string_equal(names(), "missing-intermediate");
    judge("server-chain.pem", "localhost");
    assert_string_equal(names(), "");
    unmake();
}

static void a_clock_that_is_unknown_is_not_told(void **state) {
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    ctx.now = NULL;
    trust("root.der");
    judge("server-expired.pem", "localhost");
    assert_string_equal(finding("clock-late")->text,
                        "nothing but the time is wrong: the chain is valid "
                        "from 2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z");
    assert_int_equal(info.sent[0].seconds_left, 0);
    unmake();
}

static void no_time_may_do(void **state) {
    static struct ssl_verify v;
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    trust("root.der");
    judge("server-chain.pem", "localhost");
    v = chain.verify;
    snprintf(v.certs[0].not_after, SSL_TIME_MAX, "2025-01-01T00:00:00Z");
    snprintf(v.certs[1].not_before, SSL_TIME_MAX, "2026-01-01T00:00:00Z");
    v.certs[0].flags = MBEDTLS_X509_BADCERT_EXPIRED;
    v.seconds_off[0] = 86400;
    memset(&info, 0, sizeof info);
    ssl_diagnose_chain(&chain.certs, &ctx, &v, v.certs[0].flags, &info);
    assert_has(finding("clock-late")->text, "at no time are all");
    assert_string_equal(finding("clock-late")->here, "");
    assert_has(finding("clock-late")->there, "renew CN=localhost");
    unmake();
}

static void the_pin_that_would_match_is_told(void **state) {
    static const struct ssl_pin pins[2];
    char pin[SSL_PIN_TEXT_MAX];
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    trust("root.der");
    ssl_context_set_pins(&ctx, pins, 2);
    judge("server-chain.pem", "localhost");
    assert_string_equal(names(), "pin-mismatch");
    assert_has(finding("pin-mismatch")->text, "none of the 2 that are pinned");
    assert_has(finding("pin-mismatch")->here,
               ssl_pin_text(info.sent[0].spki_sha256, pin));
    unmake();
}

static void load_crl(void) {
    const struct pki_data *d = pki("crl.pem");
    assert_int_equal(ssl_context_load_crl(&ctx, d->data, d->len, &err), 0);
}

static void a_crl_is_told_of(void **state) {
    (void)state;
    make(SSL_PROTOCOL_TLS_CLIENT);
    trust("root.der");
    load_crl();
    judge("server-ec256.pem", "localhost");
    assert_string_equal(names(), "");
    judge("server-revoked.pem", "localhost");
    assert_string_equal(names(), "revoked");
    assert_string_equal(finding("revoked")->text,
                        "certificate 0 (CN=localhost, serial number 1011) was "
                        "revoked at 2020-06-01T00:00:00Z, by the CRL of "
                        "CN=mptls test root");
    in_2030.year = 2070;
    judge("server-ec256.pem", "localhost");
    in_2030.year = 2030;
    assert_string_equal(names(), "crl");
    assert_has(finding("crl")->text,
               "is for the time from 2020-01-01T00:00:00Z to "
               "2060-01-01T00:00:00Z");
    assert_has(finding("crl")->here, "the latest CRL of CN=mptls test root");
    unmake();
    make(SSL_PROTOCOL_TLS_CLIENT);
    trust("ca-same-name.pem");
    load_crl();
    judge("server-ca-same-name.pem", "localhost");
    assert_string_equal(names(), "crl cadata-pem");
    assert_has(finding("crl")->text, "is not signed by that CA's key");
    unmake();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_servers_chain_is_diagnosed),
        cmocka_unit_test(a_clients_chain_is_diagnosed),
        cmocka_unit_test(the_leaf_goes_first),
        cmocka_unit_test(what_is_sent_is_described_and_marked),
        cmocka_unit_test(without_a_verification_names_lead),
        cmocka_unit_test(a_board_takes_one_certificate),
        cmocka_unit_test(the_store_is_asked_for_the_issuer),
        cmocka_unit_test(a_clock_that_is_unknown_is_not_told),
        cmocka_unit_test(no_time_may_do),
        cmocka_unit_test(the_pin_that_would_match_is_told),
        cmocka_unit_test(a_crl_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
