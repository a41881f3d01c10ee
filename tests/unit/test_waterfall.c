#include "report/waterfall.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static char *text;
static size_t text_len;

static int forget(void **state) {
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static const char *printed(const struct waterfall *w, unsigned width,
                           bool colour) {
    const struct waterfall_look look = { width, colour };
    (void)forget(NULL);
    FILE *f = open_memstream(&text, &text_len);
    assert_non_null(f);
    report_text_waterfall(f, w, &look);
    assert_int_equal(fclose(f), 0);
    return text;
}

/* Ten milliseconds, and a heap if `heap` is not 0. */
static struct waterfall sample(size_t heap) {
    static const struct waterfall_row rows[] = {
        { "ClientHello", true, 451, 1000, { 0, 1000, 1, 2 } },
        { "ServerHello", false, 122, 5000, { 3500, 500, 3, 4 } },
        { "Certificate*", false, 5213, 5001, { 0, 1, 2, 3 } },
        { "Finished*", true, 36, 9000, { 999, 3000, 3, 9 } },
    };
    struct waterfall w = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct waterfall_row r = rows[i];
        r.cost.heap *= heap;
        r.cost.heap_peak *= heap;
        waterfall_add(&w, &r);
    }
    const struct waterfall_cost end = { 600, 400, 4 * heap, 5 * heap };
    waterfall_end(&w, true, 10000, &end);
    return w;
}

static void sums_and_the_highest_peak_are_kept(void **state) {
    (void)state;
    struct waterfall w = sample(1000);
    assert_int_equal(w.n, 4);
    assert_int_equal(w.sum.waited_us, 5099);
    assert_int_equal(w.sum.computed_us, 4901);
    assert_int_equal(w.sum.heap, 4000);
    assert_int_equal(w.sum.heap_peak, 9000);
}

static void a_line_has_the_numbers_it_has_room_for(void **state) {
    static const struct {
        unsigned room;
        bool heap;
        struct waterfall_columns wanted;
    } rows[] = {
        { 0, false, { true, true, true, false, false, 0 } },
        { 0, true, { true, true, true, true, true, 0 } },
        { 22, true, { false, false, false, false, false, 0 } },
        { 32, true, { false, false, false, false, false, 8 } },
        { 33, true, { true, false, false, false, false, 0 } },
        { 41, true, { true, true, false, false, false, 0 } },
        { 49, true, { true, true, false, false, false, 0 } },
        { 50, true, { true, true, false, false, false, 8 } },
        { 52, true, { true, true, false, false, false, 10 } },
        { 71, false, { true, true, false, false, false, 29 } },
        { 72, true, { true, true, false, false, true, 21 } },
        { 82, false, { true, true, true, false, false, 20 } },
        { 91, true, { true, true, true, false, true, 20 } },
        { 100, true, { true, true, true, true, true, 20 } },
        { 112, true, { true, true, true, true, true, 32 } },
        { 5000, true, { true, true, true, true, true, WATERFALL_BAR_MAX } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct waterfall_columns *w = &rows[i].wanted;
        struct waterfall_columns c =
            waterfall_columns(rows[i].room, rows[i].heap);
        if (c.at != w->at || c.bytes != w->bytes || c.split != w->split ||
            c.heap != w->heap || c.peak != w->peak || c.bar != w->bar) {
            fail_msg("room %u, heap %d: at %d bytes %d split %d heap %d peak "
                     "%d bar %u",
                     rows[i].room, rows[i].heap, c.at, c.bytes, c.split, c.heap,
                     c.peak, c.bar);
        }
    }
}

static void a_bar_shows_when_and_what(void **state) {
    static const struct {
        size_t row;
        unsigned columns;
        const char *wanted;
    } rows[] = {
        { 0, 20, "##" },
        { 1, 20, "  #......." },
        { 2, 20, "          |" },
        { 3, 20, "          ..######" },
        { 4, 20, "                  #." },
        { 0, 1, "|" },
        { 1, 1, "." },
        { 2, 1, "|" },
        { 4, 1, "|" },
    };
    (void)state;
    struct waterfall w = sample(0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char bar[WATERFALL_BAR_MAX + 1];
        waterfall_bar(&w, rows[i].row, rows[i].columns, bar);
        assert_string_equal(bar, rows[i].wanted);
    }
}

/* What printing took is in the times, but in no message's cost. */
static void bars_stay_within_their_columns(void **state) {
    static const int64_t ends[] = { 0, 1, 999, INT64_C(31536000000000) };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (unsigned columns = 1; columns <= WATERFALL_BAR_MAX; columns++) {
            struct waterfall w = { 0 };
            struct waterfall_row r = { .us = ends[i],
                                       .cost = { ends[i], 7, 0, 0 } };
            char bar[WATERFALL_BAR_MAX + 2];
            waterfall_add(&w, &r);
            r.out = true;
            waterfall_add(&w, &r);
            waterfall_end(&w, false, ends[i], &r.cost);
            for (size_t at = 0; at <= w.n; at++) {
                memset(bar, 'X', sizeof bar);
                waterfall_bar(&w, at, columns, bar);
                assert_in_range(strlen(bar), 1, columns);
                assert_int_equal(bar[columns + 1], 'X');
            }
        }
    }
}

static void without_a_terminal_it_is_a_table(void **state) {
    (void)state;
    struct waterfall w = sample(1000);
    assert_string_equal(
        printed(&w, 0, false),
        "mptls: cost:    message                bytes     at ms    waited  "
        "computed     heap     peak\n"
        "mptls: cost: -> ClientHello              451     1.000     0.000     "
        "1.000     1000     2000\n"
        "mptls: cost: <- ServerHello              122     5.000     3.500     "
        "0.500     3000     4000\n"
        "mptls: cost: <- Certificate*            5213     5.001     0.000     "
        "0.001     2000     3000\n"
        "mptls: cost: -> Finished*                 36     9.000     0.999     "
        "3.000     3000     9000\n"
        "mptls: cost:    done                            10.000     0.600     "
        "0.400     4000     5000\n"
        "mptls: cost: waited 5.099 ms, computed 4.901 ms, heap at most 9000 "
        "bytes\n");
    w = sample(0);
    w.peer = "[::1]:4433";
    w.done = false;
    (void)printed(&w, 0, false);
    assert_null(strstr(text, "heap"));
    assert_non_null(strstr(text, "mptls: cost: [::1]:4433 <- Certificate* "));
    assert_non_null(strstr(text, "mptls: cost: [::1]:4433    failed "));
    size_t lines = 0, named = 0;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++) {
        lines++;
    }
    for (const char *p = text; (p = strstr(p, "[::1]:4433 ")) != NULL; p++) {
        named++;
    }
    assert_int_equal(lines, 7);
    assert_int_equal(named, lines);
}

static void on_a_terminal_it_has_bars(void **state) {
    (void)state;
    struct waterfall w = sample(1000);
    assert_string_equal(
        printed(&w, 78, false),
        "mptls:    message                bytes     at ms     peak . waited # "
        "computed\n"
        "mptls: -> ClientHello              451     1.000     2000 ##\n"
        "mptls: <- ServerHello              122     5.000     4000   "
        "#.......\n"
        "mptls: <- Certificate*            5213     5.001     3000           "
        "|\n"
        "mptls: -> Finished*                 36     9.000     9000           "
        "..######\n"
        "mptls:    done                            10.000     5000           "
        "        #.\n"
        "mptls: waited 5.099 ms, computed 4.901 ms, heap at most 9000 bytes\n");
    w.peer = "127.0.0.1:4433";
    (void)printed(&w, 79, false);
    assert_ptr_equal(strstr(text, "mptls: 127.0.0.1:4433\n"), text);
}

static void colours_are_only_added(void **state) {
    (void)state;
    struct waterfall w = sample(1000);
    struct waterfall_row alert = { "alert", false, 2, 9500, { 500, 0, 1, 1 } };
    char plain[4096], stripped[4096];
    size_t n = 0;
    waterfall_add(&w, &alert);
    snprintf(plain, sizeof plain, "%s", printed(&w, 99, false));
    assert_null(strchr(plain, '\033'));
    (void)printed(&w, 99, true);
    assert_non_null(strstr(text, "\033[36m-> ClientHello"));
    assert_non_null(strstr(text, "\033[31m<- alert"));
    assert_non_null(strstr(text, "\033[32m   done"));
    assert_non_null(strstr(text, "\033[33m#"));
    assert_non_null(strstr(text, "\033[34m...."));
    for (const char *p = text; *p != '\0'; p++) {
        p += *p == '\033' ? strcspn(p, "m") + 1 : 0;
        p += *p == '\033' ? strcspn(p, "m") + 1 : 0;
        stripped[n++] = *p;
    }
    stripped[n] = '\0';
    assert_string_equal(stripped, plain);
}

/* More, longer and slower than there is room for. */
static void no_line_is_wider_than_the_terminal(void **state) {
    (void)state;
    struct waterfall w = { .peer = "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff%"
                                   "interface]:65535" };
    struct waterfall_row r = { .bytes = SIZE_MAX,
                               .us = INT64_C(31536000000000),
                               .cost = { INT64_C(31535999000000), 1000000,
                                         SIZE_MAX, SIZE_MAX } };
    memset(r.name, 'N', WATERFALL_NAME);
    for (int i = 0; i < WATERFALL_ROWS + 5; i++) {
        r.out = i % 2 != 0;
        waterfall_add(&w, &r);
    }
    waterfall_end(&w, false, r.us, &r.cost);
    for (unsigned width = 8; width < 520; width++) {
        size_t lines = 0;
        (void)printed(&w, width, false);
        for (char *p = text, *end; (end = strchr(p, '\n')) != NULL;
             p = end + 1) {
            lines++;
            if ((size_t)(end - p) > width) {
                fail_msg("%u columns, but %.*s", width, (int)(end - p), p);
            }
        }
        assert_int_equal(lines, WATERFALL_ROWS + 5);
    }
    assert_non_null(strstr(text, "   and 5 more\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_the_highest_peak_are_kept),
        cmocka_unit_test(a_line_has_the_numbers_it_has_room_for),
        cmocka_unit_test(a_bar_shows_when_and_what),
        cmocka_unit_test(bars_stay_within_their_columns),
        cmocka_unit_test_teardown(without_a_terminal_it_is_a_table, forget),
        cmocka_unit_test_teardown(on_a_terminal_it_has_bars, forget),
        cmocka_unit_test_teardown(colours_are_only_added, forget),
        cmocka_unit_test_teardown(no_line_is_wider_than_the_terminal, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
