#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "cli/clock.h"
#include "test.h"

static mbedtls_x509_time t;
static struct err err;

static int read_clock(const char *when) {
    err = (struct err)ERR_INIT;
    return clock_read(when, &t, &err);
}

static void a_time_or_a_date_is_read(void **state) {
    static const struct {
        const char *when;
        mbedtls_x509_time wanted;
    } rows[] = {
        { "2000-01-01T00:00:00Z", { 2000, 1, 1, 0, 0, 0 } },
        { "2000-01-01", { 2000, 1, 1, 0, 0, 0 } },
        { "1970-12-31T23:59:58Z", { 1970, 12, 31, 23, 59, 58 } },
        { "2024-02-29", { 2024, 2, 29, 0, 0, 0 } },
        { "2000-02-29", { 2000, 2, 29, 0, 0, 0 } },
        { "0000-01-01", { 0, 1, 1, 0, 0, 0 } },
        { "9999-12-31T23:59:59Z", { 9999, 12, 31, 23, 59, 59 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(read_clock(rows[i].when), 0);
        assert_memory_equal(&t, &rows[i].wanted, sizeof t);
    }
}

static void seconds_are_a_time_as_gmtime_has_it(void **state) {
    static const int64_t steps[] = { 1, 86399, 86400, 86400 * 27, 7919 * 977 };
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int64_t at = 0;
        for (int n = 0; n < 20000 && at < INT64_C(253402300800); n++) {
            time_t wanted = (time_t)at;
            struct tm tm;
            assert_non_null(gmtime_r(&wanted, &tm));
            clock_of(at, &t);
            assert_int_equal(t.year, tm.tm_year + 1900);
            assert_int_equal(t.mon, tm.tm_mon + 1);
            assert_int_equal(t.day, tm.tm_mday);
            assert_int_equal(t.hour, tm.tm_hour);
            assert_int_equal(t.min, tm.tm_min);
            assert_int_equal(t.sec, tm.tm_sec);
            at += steps[i];
        }
    }
}

static void what_is_no_time_is_refused_with_its_text(void **state) {
    static const char *const rows[] = {
        "",
        "Now",
        "2000",
        "2000-13-01",
        "2000-00-01",
        "2001-02-29",
        "1900-02-29",
        "2000-04-31",
        "2000-01-00",
        "2000-01-01T24:00:00Z",
        "2000-01-01T00:60:00Z",
        "2000-01-01T00:00:60Z",
        "2000-01-01T00:00:00",
        "2000-01-01T00:00:00ZZ",
        "2000-01-01T",
        "2000-1-1",
        "20000-01-01",
        "2000-01-01 ",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[64];
        snprintf(said, sizeof said, "--time: '%s' is no time", rows[i]);
        assert_int_equal(read_clock(rows[i]), -1);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_int_equal(err.code, 0);
        assert_non_null(strstr(err.msg, said));
    }
}

static void now_is_the_systems_clock(void **state) {
    static const char *const rows[] = { NULL, "now" };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        time_t before = time(NULL);
        assert_int_equal(read_clock(rows[i]), 0);
        time_t after = time(NULL);
        struct tm a, b;
        assert_true(gmtime_r(&before, &a) != NULL &&
                    gmtime_r(&after, &b) != NULL);
        assert_in_range(t.year, a.tm_year + 1900, b.tm_year + 1900);
        bool day = (t.mon == a.tm_mon + 1 && t.day == a.tm_mday) ||
                   (t.mon == b.tm_mon + 1 && t.day == b.tm_mday);
        assert_true(day);
        bool hour = t.hour == a.tm_hour || t.hour == b.tm_hour;
        assert_true(hour);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_or_a_date_is_read),
        cmocka_unit_test(seconds_are_a_time_as_gmtime_has_it),
        cmocka_unit_test(what_is_no_time_is_refused_with_its_text),
        cmocka_unit_test(now_is_the_systems_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
