#include <stdlib.h>

#include "base/wipe.h"
#include "test.h"

static void only_what_is_asked_for_is_wiped(void **state) {
    char buf[] = "a secret";
    (void)state;
    wipe(buf, 5);
    assert_memory_equal(buf, "\0\0\0\0\0ret", sizeof buf);
    wipe(buf, 0);
    assert_int_equal(buf[5], 'r');
}

static void nothing_can_be_wiped(void **state) {
    (void)state;
    wipe(NULL, 0);
    wipe_free(NULL, 0);
    wipe_free(calloc(1, 8), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_asked_for_is_wiped),
        cmocka_unit_test(nothing_can_be_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
