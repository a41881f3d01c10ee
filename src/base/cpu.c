#include "base/cpu.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

/* __builtin_cpu_supports() asks the CPU dozens of times before main(), each of
 * which a virtual machine has to answer: 40 us, whether it is needed or not. */
bool cpu_has_aes(void) {
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_AES) != 0 &&
           (c & bit_PCLMUL) != 0;
#elif defined(__aarch64__) && defined(__linux__)
    return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#elif defined(__ARM_FEATURE_AES)
    return true;
#else
    return false;
#endif
}
