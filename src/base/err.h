/*
 * err.h - what went wrong: whose number, the number, and in words.
 *
 * One number is not enough: on Linux -ECONNRESET equals Mbed TLS's
 * MBEDTLS_ERR_ASN1_INVALID_DATA. The origin says whose number it is.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define ERR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_origin {
    ERR_NONE = 0,  /* no failure recorded */
    ERR_USAGE,     /* the command line, or a call's arguments; code unused */
    ERR_FILE,      /* what the user gave as a file or DATA; code: errno or 0 */
    ERR_OS,        /* the local system; code: errno, positive */
    ERR_NET,       /* a socket; code: errno, positive */
    ERR_DNS,       /* code: an EAI_* value */
    ERR_TLS,       /* code: an MBEDTLS_ERR_* value, negative */
    ERR_VERIFY,    /* code: MBEDTLS_X509_BADCERT_* bits */
    ERR_ALERT,     /* code: TLS alert description the peer sent, 0..255 */
    ERR_DEVICE,    /* a limit of the device that is played; code: what Mbed
                      TLS returns there, an MBEDTLS_ERR_* value */
    ERR_TRUNCATED, /* the peer closed TCP without close_notify */
    ERR_TIMEOUT,   /* one step's limit; code: milliseconds */
    ERR_MAX_TIME,  /* the whole run's limit; code: milliseconds */
    ERR_SIGNAL,    /* code: the signal's number */
    ERR_ORIGINS
};

/* Fixed size, so that reporting out of memory needs no memory. */
struct err {
    enum err_origin origin;
    int64_t code;  /* exactly as its origin gave it */
    char msg[192]; /* what was being done, NUL-terminated, one line */
};

#define ERR_INIT                                                               \
    { ERR_NONE, 0, "" }

/**
 * Record a failure, unless one is already recorded: the first is the cause.
 *
 * Control bytes in the text become '?', so that what a peer or a file said
 * cannot start a line of its own or drive the terminal.
 *
 * @param e       the caller's value, initialised with ERR_INIT
 * @param origin  whose number `code` is; not ERR_NONE
 * @param code    that number, unchanged
 * @param fmt     what was being done, e.g. "connect to %s:%s"; a text over
 *                191 bytes is cut there
 * @return -1 always, so that failing is one statement: return err_set(...)
 */
int err_set(struct err *e, enum err_origin origin, int64_t code,
            const char *fmt, ...) ERR_PRINTF(4, 5);

/**
 * @return the origin's name for reports, e.g. "tls"; static, never NULL,
 *         "unknown" outside the enumeration
 */
const char *err_origin_name(enum err_origin origin);

#endif
