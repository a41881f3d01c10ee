/*
 * explain.h - why a handshake or a connection failed: one table of causes.
 *
 * A cause is found by whose number it is and the number, both plain data, so
 * that `mptls explain` and the report of a failure tell the same. The origins:
 *
 *   tls    a code of Mbed TLS 3.x, negative; one half of a sum
 *   tls2   one that 2.28 used for something else than 3.x does
 *   psa    what Mbed TLS 4.x has in place of some codes
 *   alert  a TLS alert's number (RFC 8446 6)
 *   flag   a MBEDTLS_X509_BADCERT_* bit
 *   axtls  a code of axTLS, MicroPython's library on the esp8266
 *   errno  as Linux and most MicroPython ports number them
 *   newlib an errno that the esp32 numbers in another way
 *   dns    a code of getaddrinfo() on Linux, in lwIP or on the esp32
 *   value  a ValueError of MicroPython's, numbered here; '+' is a space
 *   exit   mptls's own exit status
 *   plain  what an unencrypted protocol begins with: the bytes' name
 *   why    a finding of a diagnosis (tls/ssl_diagnose.h), by its name: one of a
 *          chain, from EXPLAIN_HELLO on of two offers, from EXPLAIN_DEVICE on
 *          of a device's limits
 */
#ifndef REPORT_EXPLAIN_H
#define REPORT_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { EXPLAIN_HELLO = 101, EXPLAIN_DEVICE = 201 };

/* What many causes share. No member is NULL; sentences, parted by spaces. */
struct explain_advice {
    const char *step;   /* where it comes as a rule */
    const char *causes; /* the likeliest first, each but the last with a '\n' */
    const char *board;  /* what to do there */
    const char *server; /* and on the other end */
};

struct explain_cause {
    const char *keys; /* ORIGIN:CODE or ORIGIN:CODE/NAME, parted by spaces */
    const char *who;  /* "we", "peer", "network"; "nobody": no failure */
    const struct explain_advice *advice;
    const char *what; /* what happened; NULL: what the key's name says */
};

/* One of a cause's keys. */
struct explain_key {
    char origin[8];
    int64_t code;
    char name[40]; /* "" if the origin has a table of names elsewhere */
};

/**
 * @param i  0, 1, ...
 * @return the i-th cause, or NULL past the last; static
 */
const struct explain_cause *explain_at(size_t i);

/**
 * Read one key of a cause.
 *
 * @param keys  the cause's `keys`, or what this function returned
 * @return where the next one begins; NULL: there was none left, *key is as it
 *         was
 */
const char *explain_next_key(const char *keys, struct explain_key *key);

/**
 * @param origin  one of the above
 * @param code    that origin's number, of Mbed TLS one half
 * @param key     NULL, or filled with the key that matched
 * @return the cause, static; NULL: the table has none
 */
const struct explain_cause *explain_find(const char *origin, int64_t code,
                                         struct explain_key *key);

/** The same by the name that a key has. */
const struct explain_cause *explain_find_name(const char *origin,
                                              const char *name,
                                              struct explain_key *key);

/**
 * The cause of a failure as the program records it. Of a sum of two Mbed TLS
 * codes the low half decides where it says more; of several flags the first in
 * the order of ssl_flag_at(). What has no row by its code has one by its exit
 * status.
 *
 * @param status  its exit status
 * @param key     NULL, or filled with the key that matched
 * @return static; NULL: the table has none
 */
const struct explain_cause *explain_of(const struct err *e, int status,
                                       struct explain_key *key);

#endif
