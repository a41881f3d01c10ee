#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/access.h"
#include "test.h"

static char *text;
static size_t text_len;

static FILE *paper(void) {
    free(text);
    text = NULL;
    return open_memstream(&text, &text_len);
}

/* Of somebody who left before anything was known. */
static struct report *nothing(void) {
    static struct report r;
    memset(&r, 0, sizeof r);
    r.exit_name = "ok";
    r.resolve_us = r.connect_us = r.handshake_us = r.total_us = -1;
    return &r;
}

static struct report *everything(void) {
    struct report *r = nothing();
    r->peer = "127.0.0.1:5555";
    r->exit = 22;
    r->exit_name = "alert";
    r->err = (struct err){ ERR_ALERT, 48, "the client \"left\"" };
    r->tls.version = "TLSv1.3";
    r->tls.cipher = "TLS_AES_128_GCM_SHA256";
    snprintf(r->tls.theirs.server_name, sizeof r->tls.theirs.server_name,
             "board.local");
    snprintf(r->tls.alpn, sizeof r->tls.alpn, "http/1.1");
    r->tls.cert_count = 1;
    snprintf(r->tls.certs[0].subject, SSL_NAME_MAX, "CN=board 7");
    r->bytes_in = UINT64_MAX;
    r->bytes_out = 2;
    r->handshake_us = 4210;
    r->total_us = 31000;
    r->exec = (struct report_exec){ .known = true, .status = 3 };
    return r;
}

static const char *line(int64_t seconds, long ns, const struct report *r) {
    const struct timespec when = { (time_t)seconds, ns };
    FILE *f = paper();
    report_access_text(f, &when, r);
    fclose(f);
    return text;
}

static const char *object(const struct report *r) {
    const struct timespec when = { 1764052812, 345678901 };
    FILE *f = paper();
    report_access_json(f, &when, r);
    fclose(f);
    return text;
}

/* Those of date -u. */
static void the_time_is_utc_of_the_calendar(void **state) {
    static const struct {
        int64_t seconds;
        long ns;
        const char *out;
    } rows[] = {
        { 0, 0, "1970-01-01T00:00:00.000Z" },
        { 1764052812, 345678901, "2025-11-25T06:40:12.345Z" },
        { 951782399, 999999999, "2000-02-28T23:59:59.999Z" },
        { 951782400, 0, "2000-02-29T00:00:00.000Z" },
        { 951868800, 0, "2000-03-01T00:00:00.000Z" },
        { 1709164800, 1000000, "2024-02-29T00:00:00.001Z" },
        { 1735689599, 0, "2024-12-31T23:59:59.000Z" },
        { 1735689600, 0, "2025-01-01T00:00:00.000Z" },
        { 2147483648, 0, "2038-01-19T03:14:08.000Z" },
        { 4107456000, 0, "2100-02-28T00:00:00.000Z" },
        { 4107542400, 0, "2100-03-01T00:00:00.000Z" },
        { 253402300799, 0, "9999-12-31T23:59:59.000Z" },
        { -1, 500000000, "1969-12-31T23:59:59.500Z" },
        { -2208988800, 0, "1900-01-01T00:00:00.000Z" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (sizeof(time_t) < 8 && rows[i].seconds > INT32_MAX) {
            continue;
        }
        const char *got = line(rows[i].seconds, rows[i].ns, nothing());
        assert_memory_equal(got, rows[i].out, strlen(rows[i].out));
        assert_int_equal(got[strlen(rows[i].out)], ' ');
    }
}

static void every_day_has_its_date(void **state) {
    (void)state;
    for (int64_t day = -40000; day < 80000; day++) {
        char wanted[32];
        struct tm tm;
        time_t t = (time_t)(day * 86400);
        if ((int64_t)t != day * 86400) {
            continue;
        }
        assert_non_null(gmtime_r(&t, &tm));
        strftime(wanted, sizeof wanted, "%Y-%m-%dT00:00:00.000Z ", &tm);
        const char *got = line(day * 86400, 0, nothing());
        assert_memory_equal(got, wanted, strlen(wanted));
    }
}

static void what_is_known_comes_in_order(void **state) {
    (void)state;
    assert_string_equal(line(0, 0, nothing()),
                        "1970-01-01T00:00:00.000Z - ok in=0 out=0\n");
    assert_string_equal(
        line(0, 0, everything()),
        "1970-01-01T00:00:00.000Z 127.0.0.1:5555 alert version=TLSv1.3 "
        "cipher=TLS_AES_128_GCM_SHA256 sni=board.local alpn=http/1.1 "
        "subject=\"CN=board 7\" in=18446744073709551615 out=2 "
        "handshake_ms=4.210 total_ms=31.000 exec_status=3 "
        "message=\"the client \\\"left\\\"\"\n");
    struct report *r = nothing();
    r->peer = "127.0.0.1:1";
    r->client = "127.0.0.1:2"; /* of a tunnel, which has both */
    r->exec = (struct report_exec){ .known = true, .status = -1, .signal = 9 };
    assert_string_equal(line(0, 0, r),
                        "1970-01-01T00:00:00.000Z 127.0.0.1:2 ok in=0 out=0 "
                        "exec_signal=9\n");
}

static void no_value_can_be_taken_for_another(void **state) {
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "a-b.c", "a-b.c" },
        { "a b", "\"a b\"" },
        { "a=b", "\"a=b\"" },
        { "a\"b", "\"a\\\"b\"" },
        { "a\\", "\"a\\\\\"" },
        { "\n2026 x", "\"\\x0A2026 x\"" },
        { "\x1b[2J\x7f", "\"\\x1B[2J\\x7F\"" },
        { "\xc3\xa9", "\"\\xC3\\xA9\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char wanted[160];
        struct report *r = nothing();
        r->peer = rows[i].in;
        snprintf(r->tls.theirs.server_name, sizeof r->tls.theirs.server_name,
                 "%s", rows[i].in);
        snprintf(r->tls.alpn, sizeof r->tls.alpn, "%s", rows[i].in);
        r->tls.cert_count = 1;
        snprintf(r->tls.certs[0].subject, SSL_NAME_MAX, "%s", rows[i].in);
        snprintf(wanted, sizeof wanted,
                 "1970-01-01T00:00:00.000Z %s ok sni=%s alpn=%s subject=%s "
                 "in=0 out=0\n",
                 rows[i].out, rows[i].out, rows[i].out, rows[i].out);
        assert_string_equal(line(0, 0, r), wanted);
    }
}

/* A log is read by line, and the longest has to have an end. */
static void a_line_is_bounded(void **state) {
    struct report *r = everything();
    (void)state;
    memset(r->tls.theirs.server_name, '\n',
           sizeof r->tls.theirs.server_name - 1);
    memset(r->tls.alpn, '\1', sizeof r->tls.alpn - 1);
    memset(r->tls.certs[0].subject, '\xff', SSL_NAME_MAX - 1);
    memset(r->err.msg, '\x80', sizeof r->err.msg - 1);
    const char *got = line(0, 0, r);
    assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
    assert_true(strlen(got) < 512 + 4 * (sizeof r->tls.theirs.server_name +
                                         sizeof r->tls.alpn + SSL_NAME_MAX +
                                         sizeof r->err.msg));
    got = object(r);
    assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
}

static void an_object_always_has_every_key(void **state) {
    (void)state;
    assert_string_equal(
        object(nothing()),
        "{\"v\":1,\"event\":\"access\",\"time\":\"2025-11-25T06:40:12.345Z\","
        "\"peer\":null,\"ok\":true,\"status\":0,\"class\":\"ok\","
        "\"text\":null,\"version\":null,\"cipher\":null,\"alpn\":null,"
        "\"server_name\":null,\"subject\":null,\"exec\":null,"
        "\"bytes\":{\"in\":0,\"out\":0,\"wire_in\":0,\"wire_out\":0,"
        "\"stdin_ended\":false},\"times_ms\":{\"resolve\":null,"
        "\"connect\":null,\"handshake\":null,\"total\":null}}\n");
    const char *got = object(everything());
    assert_non_null(strstr(got, "\"ok\":false,\"status\":22,"
                                "\"class\":\"alert\","
                                "\"text\":\"the client \\\"left\\\"\","));
    assert_non_null(strstr(got, "\"server_name\":\"board.local\","
                                "\"subject\":\"CN=board 7\","
                                "\"exec\":{\"status\":3,\"signal\":null}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_is_utc_of_the_calendar),
        cmocka_unit_test(every_day_has_its_date),
        cmocka_unit_test(what_is_known_comes_in_order),
        cmocka_unit_test(no_value_can_be_taken_for_another),
        cmocka_unit_test(a_line_is_bounded),
        cmocka_unit_test(an_object_always_has_every_key),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    free(text);
    return rc;
}
