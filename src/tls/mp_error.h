/*
 * mp_error.h - what MicroPython would have raised.
 */
#ifndef TLS_MP_ERROR_H
#define TLS_MP_ERROR_H

#include <stddef.h>

#include "base/err.h"

enum { MP_ERROR_MAX = 1400 };

/* Whose exceptions a failure is told in: MicroPython's on Mbed TLS, its on
 * axTLS, or nobody's. */
enum mp_errors { MP_ERRORS_MBEDTLS, MP_ERRORS_AXTLS, MP_ERRORS_NONE };

/**
 * The exception that MicroPython since 1.22 raises for this failure, as
 * repr() shows it, e.g. "OSError(-30592,
 * 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')" or "ValueError('\nThe certificate
 * validity has expired\n')"; a truncation, which it does not notice, is "b''",
 * an ordinary end.
 *
 * MicroPython: mbedtls_raise_error() in modtls_mbedtls.c.
 *
 * @param buf  the text goes here, NUL-terminated; MP_ERROR_MAX is enough
 * @return buf, or NULL if MicroPython has no such failure (a wrong option, a
 *         signal, a limit that only we have)
 */
const char *mp_error(const struct err *e, char *buf, size_t len);

/**
 * As mp_error(), for a failure before a connection: MicroPython raises the same
 * for whatever is wrong with a certificate, or with a key, and neither asks
 * whether the two belong together nor what the certificate is for.
 */
const char *mp_error_loading(const struct err *e, char *buf, size_t len);

/**
 * As mp_error(), by a port whose library is axTLS (esp8266): an alert is its
 * number, negated, "OSError(-40)".
 */
const char *mp_error_axtls(const struct err *e, char *buf, size_t len);

/**
 * @param code  an MBEDTLS_ERR_* value, high level, low level or their sum
 * @param buf   its name or names go here, e.g.
 *              "MBEDTLS_ERR_RSA_PRIVATE_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED",
 *              or "MBEDTLS_ERR_UNKNOWN (0x1234)"
 * @return buf
 */
const char *mp_error_name(int code, char *buf, size_t len);

/**
 * @param code  set to the i-th code that Mbed TLS has; may be NULL
 * @return its name, without "MBEDTLS_ERR_"; static; NULL past the last
 */
const char *mp_error_name_at(size_t i, int *code);

#endif
