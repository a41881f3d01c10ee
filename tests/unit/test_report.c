#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/report.h"
#include "test.h"

static char *text;
static size_t text_len;

static FILE *paper(void) {
    free(text);
    text = NULL;
    return open_memstream(&text, &text_len);
}

static struct report sample(void) {
    static struct report r;
    memset(&r, 0, sizeof r);
    r.command = "connect";
    r.stage = STAGE_STREAM;
    r.status_name = r.exit_name = "ok";
    r.target = "localhost:1";
    r.peer = "127.0.0.1:1";
    r.local = "127.0.0.1:2";
    r.resolve_us = 1;
    r.connect_us = 1234;
    r.handshake_us = 5000000;
    r.total_us = -1;
    r.bytes_in = 7;
    r.stdin_ended = true;
    r.tls.handshake_done = true;
    r.tls.version = "TLSv1.3";
    r.tls.cipher = "TLS_AES_128_GCM_SHA256";
    r.tls.verify_mode = SSL_CERT_REQUIRED;
    r.tls.verified = true;
    r.tls.name_checked = true;
    snprintf(r.tls.server_hostname, SSL_NAME_MAX, "localhost");
    r.tls.cert_count = 1;
    snprintf(r.tls.certs[0].subject, SSL_NAME_MAX, "CN=\"x\"");
    return r;
}

static void strings_are_escaped_and_always_utf8(void **state) {
    static const struct {
        const char *in;
        size_t len;
        const char *out;
    } rows[] = {
        { "", 0, "\"\"" },
        { "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
        { "\n\t\x01\x7f", 4, "\"\\u000a\\u0009\\u0001\\u007f\"" },
        { "a\0b", 3, "\"a\\u0000b\"" },
        { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
          "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
        { "\xff\x80", 2, "\"\\ufffd\\ufffd\"" },
        { "\xc3", 1, "\"\\ufffd\"" },
        { "\xc0\x80", 2, "\"\\ufffd\\ufffd\"" },            /* overlong */
        { "\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"" }, /* surrogate */
        { "\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
        { "\xe2\x82", 2, "\"\\ufffd\\ufffd\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *f = paper();
        report_json_string(f, rows[i].in, rows[i].len);
        fclose(f);
        assert_string_equal(text, rows[i].out);
    }
    FILE *f = paper();
    report_json_string(f, NULL, 0);
    fclose(f);
    assert_string_equal(text, "null");
}

/* The keys in order of appearance, which is the report's shape. */
static void keys_of(const char *json, char *out, size_t len) {
    size_t at = 0;
    for (const char *p = json; (p = strchr(p, '"')) != NULL; p++) {
        const char *start = ++p;
        while (*p != '"') {
            p += *p == '\\' ? 2 : 1;
        }
        if (p[1] == ':' && at + (size_t)(p - start) + 2 < len) {
            memcpy(out + at, start, (size_t)(p - start));
            at += (size_t)(p - start);
            out[at++] = ' ';
        }
    }
    out[at] = '\0';
}

static void json_is_one_line_of_one_shape(void **state) {
    char good[4096], bad[4096];
    (void)state;
    struct report r = sample();
    FILE *f = paper();
    report_json(f, &r);
    fclose(f);
    assert_ptr_equal(strchr(text, '\n'), text + text_len - 1);
    assert_non_null(strstr(text, "{\"v\":1,\"event\":\"connection\","));
    assert_non_null(strstr(text, "\"ok\":true,\"status\":0,\"class\":\"ok\""));
    assert_non_null(strstr(text, "\"error\":null"));
    assert_non_null(strstr(text, "\"connect\":1.234,\"handshake\":5000.000,"
                                 "\"total\":null"));
    assert_non_null(strstr(text, "\"subject\":\"CN=\\\"x\\\"\""));
    keys_of(text, good, sizeof good);
    r.err = (struct err){ ERR_VERIFY,
                          MBEDTLS_X509_BADCERT_EXPIRED |
                              MBEDTLS_X509_BADCERT_NOT_TRUSTED,
                          "no" };
    r.status = r.exit = 30;
    r.status_name = r.exit_name = "untrusted";
    r.tls.verify_flags = (uint32_t)r.err.code;
    f = paper();
    report_json(f, &r);
    fclose(f);
    assert_non_null(strstr(text, "\"error\":{\"origin\":\"verify\",\"code\":9,"
                                 "\"text\":\"no\",\"micropython\":null,"
                                 "\"cause\":{\"name\":null,"));
    assert_non_null(strstr(text, "\"stdin_ended\":true"));
    assert_non_null(strstr(text, "\"flags\":[\"untrusted\",\"expired\"]"));
    keys_of(text, bad, sizeof bad);
    const char *e = strstr(good, "error ");
    size_t same = (size_t)(e - good) + strlen("error ");
    assert_memory_equal(good, bad, same);
    assert_string_equal(good + same,
                        bad + same +
                            strlen("origin code text micropython cause name "
                                   "what step who causes board server mbedtls "
                                   "more "));
}

/* Everything that a report can have in it, once. */
static struct report full(void) {
    static const struct report_expect expects[] = { { "version", "TLSv1.3",
                                                      "TLSv1.2", false } };
    static struct report_probe probe = { .connections = 7,
                                         .server_chooses = true,
                                         .device_count = 1,
                                         .version_count = 1 };
    struct report r = sample();
    probe.devices[0] =
        (struct report_device){ "esp8266", "a board", 21, "no", "but" };
    probe.versions[0] =
        (struct report_version){ .version = 0x0304, .refusal = "closed" };
    probe.accepted = (struct ssl_offer){ .known = true };
    probe.accepted.of[SSL_KIND_VERSION] = (struct ssl_ids){ 1, { 0x0303 } };
    r.probe = &probe;
    r.expects = expects;
    r.expect_count = 1;
    r.address_count = 2;
    r.addresses[0] = (struct report_address){ "[::1]:1", 1500, "refused" };
    r.addresses[1] = (struct report_address){ "127.0.0.1:1", -1, "" };
    r.tls.version = "TLSv1.2";
    r.tls.group = 23;
    r.tls.sig_alg = 0x0403;
    r.tls.extensions = (struct ssl_ids){ 2, { 23, 0xABCD } };
    r.tls.record_size_limit = 512;
    r.tls.resumed = true;
    r.tls.tickets = 2;
    r.tls.in = (struct ssl_traffic){ 900, 4, 800, 700, 11 };
    r.tls.sent_count = 1;
    r.tls.sent[0].seconds_left = -60;
    r.tls.sent[0].ca = r.tls.sent[0].needed = true;
    snprintf(r.tls.sent[0].ca_url, SSL_NAME_MAX, "http://a/b");
    r.tls.finding_count = 1;
    r.tls.findings[0].name = "unnecessary";
    snprintf(r.tls.findings[0].text, SSL_TEXT_MAX, "one is not needed");
    snprintf(r.tls.findings[0].there, SSL_NAME_MAX, "leave it out");
    r.tls.theirs.known = true;
    snprintf(r.tls.theirs.server_name, SSL_NAME_MAX, "a.example");
    return r;
}

static void json_has_all_that_is_known(void **state) {
    static const char *const parts[] = {
        "\"findings\":[{\"name\":\"unnecessary\",\"text\":\"one is not "
        "needed\",\"here\":null,\"there\":\"leave it out\"}]",
        "\"addresses\":[{\"address\":\"[::1]:1\",\"ms\":1.500,\"error\":"
        "\"refused\"},{\"address\":\"127.0.0.1:1\",\"ms\":null,\"error\":"
        "null}]",
        "\"group\":\"secp256r1\",\"sig_alg\":\"ecdsa_secp256r1_sha256\","
        "\"certificate\":null,\"alpn\":null,\"extensions\":[\"extended_master_"
        "secret\","
        "\"0xABCD\"],\"max_fragment_length\":null,\"record_size_limit\":512,"
        "\"ems\":true,\"etm\":false,\"resumed\":true,\"tickets\":2,",
        "\"handshake\":{\"in\":{\"bytes\":900,\"records\":4,"
        "\"largest_record\":800,\"largest_message\":700,"
        "\"largest_message_type\":\"Certificate\"},\"out\":{\"bytes\":0,"
        "\"records\":0,\"largest_record\":0,\"largest_message\":0,"
        "\"largest_message_type\":null}}",
        "\"days_left\":-1,",
        "\"ca\":true,\"self_issued\":false,\"needed\":true,\"ca_url\":"
        "\"http://a/b\",",
        "\"spki_sha256\":\"sha256/"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
        "\"offers\":{\"ours\":null,\"theirs\":{\"versions\":[],",
        "\"alpn\":null,\"server_name\":\"a.example\"}}",
        "\"probe\":{\"connections\":7,\"stopped\":null,\"server_chooses\":true,"
        "\"server_name_needed\":null,\"certificate_wanted\":false,"
        "\"accepted\":{\"versions\":[\"TLSv1.2\"],",
        "\"versions\":[{\"version\":\"TLSv1.3\",\"accepted\":false,"
        "\"refusal\":\"closed\",\"server_chooses\":null,\"ciphers\":[],",
        "\"devices\":[{\"name\":\"esp8266\",\"title\":\"a board\",\"status\":"
        "21,\"result\":\"no\",\"note\":\"but\"}]}",
        "\"expect\":[{\"key\":\"version\",\"wanted\":\"TLSv1.3\","
        "\"actual\":\"TLSv1.2\",\"met\":false}]",
    };
    struct report r = full();
    (void)state;
    FILE *f = paper();
    report_json(f, &r);
    fclose(f);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strstr(text, parts[i]) == NULL) {
            fail_msg("no %s in %s", parts[i], text);
        }
    }
}

static void add(struct report *r, const char *name) {
    struct ssl_finding *f = &r->tls.findings[r->tls.finding_count++];
    f->name = name;
    snprintf(f->text, sizeof f->text, "text of %s", name);
    snprintf(f->here, sizeof f->here, "change of %s", name);
}

static void one_of_several_of_ours_is_told(void **state) {
    (void)state;
    struct report r = sample();
    r.tls.own_sent = true;
    snprintf(r.tls.own.subject, sizeof r.tls.own.subject, "CN=we");
    snprintf(r.tls.own.key, sizeof r.tls.own.key, "EC 256");
    snprintf(r.tls.own.names, sizeof r.tls.own.names, "DNS:us");
    for (r.tls.own_count = 1; r.tls.own_count <= 2; r.tls.own_count++) {
        FILE *f = paper();
        report_text_handshake(f, &r);
        fclose(f);
        assert_int_equal(strstr(text, "mptls: our certificate: CN=we (EC 256), "
                                      "names DNS:us\n") != NULL,
                         r.tls.own_count == 2);
    }
    FILE *f = paper();
    report_json(f, &r);
    fclose(f);
    assert_non_null(strstr(text, "\"certificate\":{\"subject\":\"CN=we\","));
}

static void success_is_silent_unless_verbose(void **state) {
    (void)state;
    struct report r = sample();
    FILE *f = paper();
    report_text_end(f, &r, false);
    fclose(f);
    assert_string_equal(text, "");
    f = paper();
    add(&r, "unnecessary");
    report_text_handshake(f, &r);
    report_text_end(f, &r, true);
    fclose(f);
    assert_string_equal(
        text,
        "mptls: connected to 127.0.0.1:1 (resolve 0.0 ms, connect 1.2 ms, "
        "handshake 5000.0 ms)\n"
        "mptls: TLSv1.3, TLS_AES_128_GCM_SHA256\n"
        "mptls: verified: is localhost\n"
        "mptls: certificate 0: CN=\"x\" (,  to )\n"
        "mptls: note: text of unnecessary\n"
        "mptls: 0 bytes sent, 7 received; close_notify neither sent nor "
        "received\n");
}

/* @return what is said of a failure */
static const char *said(const struct report *r) {
    FILE *f = paper();
    report_text_end(f, r, false);
    fclose(f);
    return text;
}

static void a_failure_is_told_with_what_micropython_raises(void **state) {
    (void)state;
    struct report r = sample();
    r.err = (struct err){ ERR_FILE, 2, "the file\nis \x1b[31m" };
    r.status = r.exit = 3;
    r.micropython = "OSError(2)";
    assert_string_equal(said(&r), "mptls: the file?is ?[31m\n"
                                  "mptls: micropython: OSError(2)\n");
}

static struct report refused(void) {
    struct report r = sample();
    r.stage = STAGE_HANDSHAKE;
    r.err = (struct err){ ERR_VERIFY, MBEDTLS_X509_BADCERT_NOT_TRUSTED,
                          "certificate 0 is not signed by a trusted CA" };
    r.status = r.exit = 30;
    r.name = "untrusted";
    r.mbedtls = "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED -0x2700 = -9984";
    r.micropython = "ValueError('x')";
    return r;
}

static void a_failure_is_explained_by_its_code(void **state) {
    (void)state;
    struct report r = refused();
    assert_string_equal(
        said(&r),
        "mptls: certificate 0 is not signed by a trusted CA\n"
        "mptls: who: we refused, after the peer's Certificate message\n"
        "mptls: likely: 1. The CA given is not the one that signed the chain.\n"
        "mptls:         2. The peer does not send its intermediate "
        "certificate.\n"
        "mptls:         3. The certificate is self-signed, and is not itself "
        "what is\n"
        "mptls:            trusted.\n"
        "mptls:         4. A leaf that a CA signed was given as the CA.\n"
        "mptls: on the board: Give the root, or the intermediate that signed "
        "the leaf,\n"
        "mptls:               as cadata: one certificate in DER; PEM on an "
        "esp32 or\n"
        "mptls:               since MicroPython 1.29.\n"
        "mptls: on the server: Send the intermediate certificates after the "
        "server's\n"
        "mptls:                own.\n"
        "mptls: code: MBEDTLS_ERR_X509_CERT_VERIFY_FAILED -0x2700 = -9984\n"
        "mptls: micropython: ValueError('x')\n"
        "mptls: more: mptls explain untrusted\n");
}

static void a_finding_explains_better_than_a_code(void **state) {
    (void)state;
    struct report r = refused();
    r.tls.finding_count = 0;
    add(&r, "unnecessary");      /* a remark */
    add(&r, "no-common-cipher"); /* not about certificates */
    add(&r, "missing-intermediate");
    add(&r, "unknown-root");
    assert_string_equal(
        said(&r),
        "mptls: certificate 0 is not signed by a trusted CA\n"
        "mptls: why: text of missing-intermediate\n"
        "mptls: who: we refused, after the peer's Certificate message\n"
        "mptls: also: text of unknown-root\n"
        "mptls: here: change of missing-intermediate\n"
        "mptls: on the board: If the server cannot be changed, give the "
        "intermediate as\n"
        "mptls:               cadata; a board fetches nothing.\n"
        "mptls: on the server: Send the whole chain: cert.pem and the "
        "intermediate in\n"
        "mptls:                one file, which many CAs call fullchain.pem.\n"
        "mptls: code: MBEDTLS_ERR_X509_CERT_VERIFY_FAILED -0x2700 = -9984\n"
        "mptls: micropython: ValueError('x')\n"
        "mptls: more: mptls explain untrusted\n");
    FILE *f = paper();
    report_json(f, &r);
    fclose(f);
    assert_non_null(strstr(text, "\"cause\":{\"name\":\"missing-intermediate\","
                                 "\"what\":\"text of missing-intermediate\""));
    assert_non_null(strstr(text, "\"more\":\"untrusted\""));
    /* What may be so is told beside what is likely. */
    r.err = (struct err){ ERR_ALERT, 40, "the peer sent alert 40" };
    r.status = r.exit = 22;
    r.tls.finding_count = 0;
    add(&r, "no-server-name");
    assert_non_null(strstr(said(&r), "mptls: why: It finds nothing"));
    assert_non_null(strstr(text, "mptls: likely: 1. "));
    assert_non_null(strstr(text, "mptls: also: text of no-server-name\n"));
    /* What was found and let pass is not why something later failed. */
    r.err = (struct err){ ERR_TRUNCATED, 0, "truncated" };
    r.status = r.exit = 40;
    r.stage = STAGE_STREAM;
    assert_null(strstr(said(&r), "text of"));
    assert_non_null(strstr(text, "why: It closed TCP without close_notify"));
}

static void what_the_message_says_is_not_explained(void **state) {
    static const struct err rows[] = { { ERR_USAGE, 0, "x" },
                                       { ERR_OS, 32, "x" },
                                       { ERR_FILE, 2, "x" },
                                       { ERR_SIGNAL, 2, "x" },
                                       { ERR_MAX_TIME, 5, "x" } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct report r = sample();
        r.err = rows[i];
        r.status = r.exit = 1;
        assert_string_equal(said(&r), "mptls: x\n");
        FILE *f = paper();
        report_json(f, &r);
        fclose(f);
        assert_non_null(strstr(text, "\"cause\":null"));
    }
}

static void a_file_that_is_no_certificate_has_short_advice(void **state) {
    (void)state;
    struct report r = sample();
    r.stage = STAGE_SETUP;
    r.err = (struct err){ ERR_TLS, MBEDTLS_ERR_X509_INVALID_FORMAT, "bad" };
    r.status = r.exit = 3;
    said(&r);
    assert_non_null(strstr(text, "mptls: likely: 1. PEM where only DER"));
    assert_non_null(strstr(text, "mptls: on the board: Convert: openssl"));
    assert_null(strstr(text, "who:"));
    assert_null(strstr(text, "on the server:"));
}

static void list(struct ssl_ids *ids, size_t n, const uint16_t *id) {
    ids->n = n;
    memcpy(ids->id, id, n * sizeof *id);
}

static struct report nothing_in_common(void) {
    struct report r = sample();
    r.stage = STAGE_HANDSHAKE;
    r.err = (struct err){ ERR_TLS, MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, "none" };
    r.status = r.exit = 21;
    r.tls.server_side = true;
    struct ssl_offer *o = &r.tls.ours, *t = &r.tls.theirs;
    *o = *t = (struct ssl_offer){ .known = true };
    list(&o->of[SSL_KIND_VERSION], 2, (uint16_t[]){ 0x0304, 0x0303 });
    list(&t->of[SSL_KIND_VERSION], 2, (uint16_t[]){ 0x7A7A, 0x0303 });
    list(&o->of[SSL_KIND_CIPHER], 4,
         (uint16_t[]){ 0x1301, 0xC02B, 0xC02C, 0xC023 });
    list(&t->of[SSL_KIND_CIPHER], 4,
         (uint16_t[]){ 0x7A7A, 0x002F, 0x00FF, 0x5600 });
    list(&o->of[SSL_KIND_GROUP], 2, (uint16_t[]){ 29, 23 });
    list(&t->of[SSL_KIND_GROUP], 3, (uint16_t[]){ 23, 29, 24 });
    list(&o->of[SSL_KIND_SIG_ALG], 1, (uint16_t[]){ 0x0403 });
    return r;
}

static void both_offers_are_laid_side_by_side(void **state) {
    static const char table[] =
        "mptls: offers:                                                   "
        "ours peer\n"
        "mptls:   version   TLSv1.2                                       "
        "yes  yes\n"
        "mptls:   suite     <- nothing in common\n"
        "mptls:             TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256       "
        "yes  -\n"
        "mptls:             TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384       "
        "yes  -\n"
        "mptls:             and 1 more of ours\n"
        "mptls:             TLS_RSA_WITH_AES_128_CBC_SHA                  "
        "-    yes\n"
        "mptls:   group     x25519                                        "
        "yes  yes\n"
        "mptls:             and 1 more in common\n"
        "mptls:   signature the peer names none\n";
    (void)state;
    struct report r = nothing_in_common();
    const char *at = strstr(said(&r), "mptls: offers:");
    assert_non_null(at);
    assert_memory_equal(at, table, strlen(table));
    /* Something of everything is in common; or it is not known what. */
    list(&r.tls.theirs.of[SSL_KIND_CIPHER], 1, (uint16_t[]){ 0xC02C });
    assert_null(strstr(said(&r), "offers:"));
    /* Suites of TLS 1.3 are no use in TLS 1.2. */
    list(&r.tls.theirs.of[SSL_KIND_CIPHER], 2, (uint16_t[]){ 0x1301, 0x2F });
    assert_non_null(strstr(said(&r), "suite     <- nothing in common"));
    list(&r.tls.theirs.of[SSL_KIND_VERSION], 2, (uint16_t[]){ 0x0304, 0x0303 });
    assert_null(strstr(said(&r), "offers:"));
    list(&r.tls.theirs.of[SSL_KIND_VERSION], 1, (uint16_t[]){ 0x0302 });
    assert_non_null(strstr(said(&r), "version   <- nothing in common"));
    assert_null(strstr(text, "  suite  "));
    r = nothing_in_common();
    r.tls.theirs.known = false;
    assert_null(strstr(said(&r), "offers:"));
    r = nothing_in_common();
    r.stage = STAGE_STREAM;
    assert_null(strstr(said(&r), "offers:"));
}

static int done(void **state) {
    (void)state;
    free(text);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped_and_always_utf8),
        cmocka_unit_test(json_is_one_line_of_one_shape),
        cmocka_unit_test(json_has_all_that_is_known),
        cmocka_unit_test(one_of_several_of_ours_is_told),
        cmocka_unit_test(success_is_silent_unless_verbose),
        cmocka_unit_test(a_failure_is_told_with_what_micropython_raises),
        cmocka_unit_test(a_failure_is_explained_by_its_code),
        cmocka_unit_test(a_finding_explains_better_than_a_code),
        cmocka_unit_test(what_the_message_says_is_not_explained),
        cmocka_unit_test(a_file_that_is_no_certificate_has_short_advice),
        cmocka_unit_test(both_offers_are_laid_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
