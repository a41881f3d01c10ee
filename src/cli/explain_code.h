/*
 * explain_code.h - a code by its names and numbers, which the table of causes
 * leaves to Mbed TLS and to the list of alerts.
 */
#ifndef CLI_EXPLAIN_CODE_H
#define CLI_EXPLAIN_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "report/explain.h"

enum { EXPLAIN_CODE_MAX = 256, EXPLAIN_NAME_MAX = 160 };

/** @return Mbed TLS's name for one of its codes, without the "MBEDTLS_ERR_", or
 *          NULL; static */
const char *explain_tls_name(int64_t code);

/** @return the code that has this name, two names with '+' between them
 *          included, with or without "MBEDTLS_ERR_"; 0 if there is none */
int explain_tls_code(const char *name);

/**
 * The numbers of a code, and what the generations of Mbed TLS make of it (its
 * migration guides).
 *
 * @param origin  "tls" or "tls2"
 * @param code    the half that is meant, or `whole`
 * @param whole   negative
 * @param buf     EXPLAIN_CODE_MAX bytes
 */
void explain_numbers(const char *origin, int64_t code, int64_t whole,
                     char *buf);

/**
 * What Mbed TLS would return for a failure, by name and number, and an alert's
 * number.
 *
 * @param buf  EXPLAIN_CODE_MAX bytes
 * @return buf, or NULL if the failure is none of TLS
 */
const char *explain_mbedtls(const struct err *e, char *buf);

/**
 * What `mptls explain` takes for a failure: "untrusted", "handshake_failure",
 * "SSL_CONN_EOF", "ECONNREFUSED", "exit 40".
 *
 * @param status  its exit status
 * @param buf     EXPLAIN_NAME_MAX bytes
 * @return buf, or NULL if there is nothing to explain
 */
const char *explain_name(const struct err *e, int status, char *buf);

#endif
