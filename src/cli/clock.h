/*
 * clock.h - the clock that certificates are judged by: the system's, which is
 * read here only, or what --time says in its place.
 *
 * MicroPython: the board's RTC, which begins at 2000-01-01 or 1970-01-01 where
 * nothing has set it.
 */
#ifndef CLI_CLOCK_H
#define CLI_CLOCK_H

#include <mbedtls/x509_crt.h>
#include <stdint.h>

#include "base/err.h"

/**
 * @param when  --time's value: "2000-01-01T00:00:00Z" (RFC 3339 5.6, UTC and
 *              whole seconds), "2000-01-01", which means its first second, or
 *              "now"; NULL is "now"
 * @param t     set to that time, UTC
 * @return 0, or -1: ERR_USAGE for what is no time, ERR_OS
 */
MUST_USE int clock_read(const char *when, mbedtls_x509_time *t,
                        struct err *err);

/**
 * As gmtime(), which would read the system's time zone for it.
 *
 * @param since_1970  seconds, 0 or more, up to some thousand years
 */
void clock_of(int64_t since_1970, mbedtls_x509_time *t);

#endif
