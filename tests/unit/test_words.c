#include <stdlib.h>
#include <string.h>

#include "cli/words.h"
#include "test.h"

static void texts_are_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *text, *words[5];
    } rows[] = {
        { "cat", { "cat" } },
        { "  grep\t-v \n x ", { "grep", "-v", "x" } },
        { "a 'b c' d", { "a", "b c", "d" } },
        { "a \"b c\" d", { "a", "b c", "d" } },
        { "a b\\ c d", { "a", "b c", "d" } },
        { "a'b'\"c\"d", { "abcd" } },
        { "'' \"\"", { "", "" } },
        { "a ''", { "a", "" } },
        { "'\\' \"", { NULL } }, /* the second quote has no end */
        { "'\\'", { "\\" } },
        { "\"\\\"\\\\\\n\"", { "\"\\\\n" } },
        { "\\'a \\\"b \\\\", { "'a", "\"b", "\\" } },
        { "a $HOME * | >x", { "a", "$HOME", "*", "|", ">x" } },
        { "'a\nb'", { "a\nb" } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = ERR_INIT;
        char **words = NULL;
        int rc = words_split("--exec", rows[i].text, &words, &err);
        if (rows[i].words[0] == NULL) {
            assert_int_equal(rc, -1);
            continue;
        }
        assert_int_equal(rc, 0);
        size_t n = 0;
        for (; n < 5 && rows[i].words[n] != NULL; n++) {
            assert_non_null(words[n]);
            assert_string_equal(words[n], rows[i].words[n]);
        }
        assert_null(words[n]);
        free(words);
    }
}

static void what_cannot_be_taken_apart_is_a_usage_error(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        { "", "--exec: there is no command in it: ''" },
        { " \t\n", "--exec: there is no command in it" },
        { "a 'b", "--exec: a quote has no end: 'a 'b'" },
        { "a \"b", "--exec: a quote has no end" },
        { "\"a\\\"", "--exec: a quote has no end" },
        { "'", "--exec: a quote has no end" },
        { "a \\", "--exec: it ends in a backslash: 'a \\'" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = ERR_INIT;
        char **words = NULL;
        assert_int_equal(words_split("--exec", rows[i][0], &words, &err), -1);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_int_equal(err.code, 0);
        assert_memory_equal(err.msg, rows[i][1], strlen(rows[i][1]));
        assert_null(words);
    }
}

/* The most words that a text can have. */
static void one_letter_words_fit(void **state) {
    (void)state;
    char text[200];
    for (size_t len = 1; len < sizeof text; len++) {
        struct err err = ERR_INIT;
        char **words = NULL;
        for (size_t i = 0; i < len; i++) {
            text[i] = i % 2 == 0 ? 'a' : ' ';
        }
        text[len] = '\0';
        assert_int_equal(words_split("--exec", text, &words, &err), 0);
        size_t n = 0;
        while (words[n] != NULL) {
            assert_string_equal(words[n++], "a");
        }
        assert_int_equal(n, (len + 1) / 2);
        free(words);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_taken_apart),
        cmocka_unit_test(what_cannot_be_taken_apart_is_a_usage_error),
        cmocka_unit_test(one_letter_words_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
