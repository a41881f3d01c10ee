#include "base/err.h"
#include "test.h"

static void the_first_failure_wins(void **state) {
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(err_set(&e, ERR_OS, 104, "read from %s", "peer"), -1);
    assert_int_equal(err_set(&e, ERR_TLS, -0x7280, "later"), -1);
    assert_int_equal(e.origin, ERR_OS);
    assert_int_equal(e.code, 104);
    assert_string_equal(e.msg, "read from peer");
}

static void a_long_text_is_cut_at_191_bytes(void **state) {
    (void)state;
    struct err e = ERR_INIT;
    err_set(&e, ERR_USAGE, 0, "%0300d", 0);
    assert_int_equal(strlen(e.msg), 191);
}

static void control_bytes_cannot_forge_a_line(void **state) {
    (void)state;
    struct err e = ERR_INIT;
    err_set(&e, ERR_TLS, -1, "%s", "a\nmptls: ok\033[2J\177");
    assert_string_equal(e.msg, "a?mptls: ok?[2J?");
}

static void every_origin_has_a_name_of_its_own(void **state) {
    (void)state;
    for (int i = 0; i < ERR_ORIGINS; i++) {
        const char *a = err_origin_name((enum err_origin)i);
        assert_string_not_equal(a, "unknown");
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(a, err_origin_name((enum err_origin)j));
        }
    }
    assert_string_equal(err_origin_name(ERR_ORIGINS), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_failure_wins),
        cmocka_unit_test(a_long_text_is_cut_at_191_bytes),
        cmocka_unit_test(control_bytes_cannot_forge_a_line),
        cmocka_unit_test(every_origin_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
