#include "base/cpu.h"

#include "test.h"

static void aes_is_there_if_the_compiler_says_so(void **state) {
    (void)state;
#if defined(__x86_64__) || defined(__i386__)
    assert_int_equal(cpu_has_aes(), __builtin_cpu_supports("aes") &&
                                        __builtin_cpu_supports("pclmul"));
#elif defined(__ARM_FEATURE_AES)
    assert_true(cpu_has_aes());
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_is_there_if_the_compiler_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
