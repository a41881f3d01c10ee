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
    r.status_name = "ok";
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
    char good[2048], bad[2048];
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
    r.status = 30;
    r.status_name = "untrusted";
    r.tls.verify_flags = (uint32_t)r.err.code;
    f = paper();
    report_json(f, &r);
    fclose(f);
    assert_non_null(strstr(text, "\"error\":{\"origin\":\"verify\",\"code\":9,"
                                 "\"text\":\"no\",\"micropython\":null}"));
    assert_non_null(strstr(text, "\"stdin_ended\":true"));
    assert_non_null(strstr(text, "\"flags\":[\"untrusted\",\"expired\"]"));
    keys_of(text, bad, sizeof bad);
    const char *e = strstr(good, "error ");
    size_t same = (size_t)(e - good) + strlen("error ");
    assert_memory_equal(good, bad, same);
    assert_string_equal(good + same,
                        bad + same + strlen("origin code text micropython "));
}

static void success_is_silent_unless_verbose(void **state) {
    (void)state;
    struct report r = sample();
    FILE *f = paper();
    report_text_end(f, &r, false);
    fclose(f);
    assert_string_equal(text, "");
    f = paper();
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
        "mptls: 0 bytes sent, 7 received; close_notify neither sent nor "
        "received\n");
}

static void a_failure_is_told_with_what_micropython_raises(void **state) {
    (void)state;
    struct report r = sample();
    r.err = (struct err){ ERR_ALERT, 40, "the peer\nsent \x1b[31m" };
    r.micropython = "OSError(-30592)";
    FILE *f = paper();
    report_text_end(f, &r, false);
    fclose(f);
    assert_string_equal(text, "mptls: the peer?sent ?[31m\n"
                              "mptls: micropython: OSError(-30592)\n");
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
        cmocka_unit_test(success_is_silent_unless_verbose),
        cmocka_unit_test(a_failure_is_told_with_what_micropython_raises),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
