/*
 * cpu.h - what this CPU can do.
 */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <stdbool.h>

/** @return whether it has instructions for AES-GCM: AES, and the product of
 *          polynomials */
bool cpu_has_aes(void);

#endif
