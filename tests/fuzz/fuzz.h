/*
 * fuzz.h - what the fuzz targets share.
 *
 * A target has one entry point, which libFuzzer or main.c calls with each
 * input. A claim that does not hold aborts, as a memory error does.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Not assert(): it must hold under NDEBUG too. */
#define CHECK(claim)                                                           \
    do {                                                                       \
        if (!(claim)) {                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,  \
                    #claim);                                                   \
            abort();                                                           \
        }                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** @return a copy in a block of its own size, so that overruns are seen, with
 *          `extra` zero bytes after it; the caller frees it */
static inline unsigned char *fuzz_copy(const uint8_t *data, size_t size,
                                       size_t extra) {
    unsigned char *copy = malloc(size + extra + (size + extra == 0));
    CHECK(copy != NULL);
    if (size != 0) {
        memcpy(copy, data, size);
    }
    memset(copy + size, 0, extra);
    return copy;
}

/** The text ends within `size` bytes and has no control byte. */
static inline void fuzz_check_line(const char *text, size_t size) {
    const char *end = memchr(text, '\0', size);
    CHECK(end != NULL);
    for (const char *p = text; p < end; p++) {
        CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
    }
}

/** As fuzz_check_line; and nothing but printable ASCII. */
static inline void fuzz_check_ascii(const char *text, size_t size) {
    fuzz_check_line(text, size);
    for (const char *p = text; *p != '\0'; p++) {
        CHECK((unsigned char)*p < 0x7f);
    }
}

/** *err says what went wrong if something did, and is as new otherwise. */
static inline void fuzz_check_err(bool failed, const struct err *err) {
    CHECK(failed == (err->origin != ERR_NONE));
    CHECK(failed == (err->msg[0] != '\0'));
    CHECK((unsigned)err->origin < ERR_ORIGINS);
    fuzz_check_line(err->msg, sizeof err->msg);
}

#endif
