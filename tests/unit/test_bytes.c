#include "base/bytes.h"

#include "test.h"

static void bytes_are_kept_in_order(void **state) {
    (void)state;
    enum { N = 5000 };
    struct bytes b = { .buf = NULL };
    assert_true(bytes_add(&b, "", 0, 0));
    for (int i = 0; i < N; i++) {
        unsigned char two[2] = { (unsigned char)i, (unsigned char)(i >> 8) };
        assert_true(bytes_add(&b, two, sizeof two, SIZE_MAX / 2));
    }
    assert_int_equal(b.len, 2 * N);
    for (int i = 0; i < N; i++) {
        assert_int_equal(b.buf[2 * i] | b.buf[2 * i + 1] << 8, i);
    }
    bytes_free(&b);
    assert_int_equal(b.len, 0);
    bytes_free(&b);
}

static void more_than_it_may_hold_changes_nothing(void **state) {
    (void)state;
    struct bytes b = { .buf = NULL };
    assert_true(bytes_add(&b, "12345", 5, 6));
    assert_false(bytes_add(&b, "67", 2, 6));
    assert_false(bytes_add(&b, "6", 1, 4));
    assert_true(bytes_add(&b, "6", 1, 6));
    assert_int_equal(b.len, 6);
    assert_memory_equal(b.buf, "123456", 6);
    bytes_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_kept_in_order),
        cmocka_unit_test(more_than_it_may_hold_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
