#include <mbedtls/ssl.h>

#include <stdio.h>

#include "test.h"
#include "tls/ssl_diagnose.h"

static struct ssl_info info;

static int clean(void **state) {
    (void)state;
    memset(&info, 0, sizeof info);
    return 0;
}

static void a_finding_is_added_once(void **state) {
    (void)state;
    struct ssl_finding *f =
        ssl_diagnose_add(&info, "weak", "--a", NULL, "%s of %d bits", "RSA", 1);
    assert_ptr_equal(f, &info.findings[0]);
    assert_string_equal(f->name, "weak");
    assert_string_equal(f->text, "RSA of 1 bits");
    assert_string_equal(f->here, "--a");
    assert_string_equal(f->there, "");
    assert_null(ssl_diagnose_add(&info, "weak", NULL, NULL, "again"));
    assert_int_equal(info.finding_count, 1);
    assert_string_equal(info.findings[0].text, "RSA of 1 bits");
}

static void a_finding_cannot_drive_a_terminal_and_is_cut(void **state) {
    (void)state;
    char text[2 * SSL_TEXT_MAX];
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct ssl_finding *f =
        ssl_diagnose_add(&info, "crl", "\x1b", text, "%s", text);
    assert_non_null(f);
    assert_string_equal(f->here, "\\x1B");
    assert_int_equal(strspn(f->text, "\\x0A"), strlen(f->text));
    assert_in_range(strlen(f->text), SSL_TEXT_MAX - 5, SSL_TEXT_MAX - 1);
    assert_in_range(strlen(f->there), SSL_NAME_MAX - 5, SSL_NAME_MAX - 1);
}

static void what_is_over_the_most_is_not_added(void **state) {
    static const char *const names[] = { "a", "b", "c", "d", "e",
                                         "f", "g", "h", "i" };
    (void)state;
    for (size_t i = 0; i < SSL_FINDINGS_MAX; i++) {
        assert_non_null(ssl_diagnose_add(&info, names[i], NULL, NULL, "x"));
    }
    assert_null(
        ssl_diagnose_add(&info, names[SSL_FINDINGS_MAX], NULL, NULL, "x"));
    assert_int_equal(info.finding_count, SSL_FINDINGS_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_finding_is_added_once, clean),
        cmocka_unit_test_setup(a_finding_cannot_drive_a_terminal_and_is_cut,
                               clean),
        cmocka_unit_test_setup(what_is_over_the_most_is_not_added, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
