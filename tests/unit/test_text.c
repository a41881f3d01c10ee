#include "base/text.h"

#include "test.h"
#include <stdio.h>

static const char *at(const void *names, size_t i) {
    return ((const char *const *)names)[i];
}

static const char *const options[] = {
    "cert", "key", "verify", "server-port", "server-hostname", "json", NULL
};

static const char *near(const char *word) {
    return text_nearest(word, at, options);
}

static void each_slip_of_typing_counts_one(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = { { "", "", 0 },
                  { "", "abc", 3 },
                  { "abc", "", 3 },
                  { "verify", "verify", 0 },
                  { "verfy", "verify", 1 },
                  { "verifyy", "verify", 1 },
                  { "verifi", "verify", 1 },
                  { "evrify", "verify", 1 },
                  { "VERIFY", "verify", 0 },
                  { "kitten", "sitting", 3 },
                  { "ca", "abc", 3 },
                  { "abcd", "badc", 2 },
                  { "[", "{", 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t ab = text_distance(cases[i].a, cases[i].b);
        size_t ba = text_distance(cases[i].b, cases[i].a);
        assert_int_equal(ab, cases[i].distance);
        assert_int_equal(ba, cases[i].distance);
    }
}

static void a_word_over_64_bytes_is_far_from_all(void **state) {
    (void)state;
    char word[66];
    memset(word, 'a', sizeof word);
    word[64] = '\0';
    assert_int_equal(text_distance(word, word), 0);
    assert_int_equal(text_distance(word, ""), 64);
    word[64] = 'a';
    word[65] = '\0';
    assert_true(text_distance(word, word) == TEXT_FAR);
    assert_true(text_distance("a", word) == TEXT_FAR);
    assert_null(near(word));
}

static void a_slip_finds_the_name(void **state) {
    (void)state;
    assert_string_equal(near("verfy"), "verify");
    assert_string_equal(near("KEY"), "key");
    assert_string_equal(near("kye"), "key");
    assert_string_equal(near("jsno"), "json");
    assert_string_equal(near("sevrer-hostnmae"), "server-hostname");
}

static void a_beginning_is_near_however_long_the_rest(void **state) {
    (void)state;
    assert_string_equal(near("server-host"), "server-hostname");
    assert_string_equal(near("se"), "server-port");
    assert_string_equal(near("certificate-file"), "cert");
}

static void what_is_too_far_is_not_suggested(void **state) {
    (void)state;
    assert_null(near(""));
    assert_null(near("s"));
    assert_null(near("xyz"));
    assert_null(near("kxx"));
    assert_null(near("timeout"));
    static const char *const none[] = { NULL };
    assert_null(text_nearest("key", at, none));
}

static void what_is_not_printable_is_written_as_a_number(void **state) {
    char buf[16] = "a ";
    (void)state;
    text_append(buf, sizeof buf, "\x1b[\0~\x7f", 5);
    assert_string_equal(buf, "a \\x1B[\\x00~");
    text_append(buf, sizeof buf, "bcd", 3);
    assert_string_equal(buf, "a \\x1B[\\x00~bcd");
    text_append(buf, sizeof buf, "efg", 3);
    assert_string_equal(buf, "a \\x1B[\\x00~bcd");
}

static void what_drives_a_terminal_is_cleaned(void **state) {
    static const char *const rows[][2] = {
        { "", "" },
        { "a\x1b[31m\n\x7f", "a?[31m??" },
        { "h\xc3\xa4user \xe2\x82\xac \xf0\x9f\x98\x80",
          "h\xc3\xa4user \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "\xc2\x9b"
          "31m\xc2\xa0",
          "??31m\xc2\xa0" },                 /* CSI; a space */
        { "\x9b\xc3", "??" },                /* one byte, the half of two */
        { "\xc0\x9b\xed\xa0\x80", "?????" }, /* overlong, a surrogate */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s", rows[i][0]);
        text_clean(text);
        assert_string_equal(text, rows[i][1]);
    }
}

/* RFC 4648 10 */
static void bytes_are_written_in_base64(void **state) {
    static const char *const rows[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xfb\xff\xbf", "+/+/" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[16];
        text_base64((const unsigned char *)rows[i][0], strlen(rows[i][0]), out);
        assert_string_equal(out, rows[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_slip_of_typing_counts_one),
        cmocka_unit_test(a_word_over_64_bytes_is_far_from_all),
        cmocka_unit_test(a_slip_finds_the_name),
        cmocka_unit_test(a_beginning_is_near_however_long_the_rest),
        cmocka_unit_test(what_is_too_far_is_not_suggested),
        cmocka_unit_test(what_is_not_printable_is_written_as_a_number),
        cmocka_unit_test(what_drives_a_terminal_is_cleaned),
        cmocka_unit_test(bytes_are_written_in_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
