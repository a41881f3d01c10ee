/*
 * ssl_profile.h - what embedded devices offer: a table, one row a firmware.
 *
 * Each row says where its facts come from. A row is what a device does unless
 * its program says otherwise.
 */
#ifndef TLS_SSL_PROFILE_H
#define TLS_SSL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/ssl_context.h"

struct ssl_profile {
    const char *name;   /* one word, for machines and command lines */
    const char *title;  /* which devices */
    const char *source; /* of the facts: project, version, file */
    uint16_t min_version, max_version; /* 0x0303 */
    const int *ciphers;                /* in its order, ending in 0 */
    const uint16_t *groups;            /* likewise */
    const uint16_t *sig_algs;          /* likewise */
    size_t max_in_record;              /* bytes of a record that it takes */
    size_t max_in_message;  /* of a handshake message; 0: of any length */
    size_t max_out_record;  /* bytes of data that it puts into a record */
    bool joins;             /* a message that comes in several records */
    bool server_name;       /* its programs send SNI, given a name */
    bool master_secret;     /* it offers extended_master_secret (RFC 7627) */
    bool etm;               /* it offers encrypt_then_mac (RFC 7366) */
    bool tickets;           /* it offers session_ticket (RFC 5077) */
    bool ec_keys;           /* certificates may have EC keys */
    bool pss;               /* and be signed by RSASSA-PSS */
    const char *boot_clock; /* what its clock says after power on; NULL: it
                               has none, or does not look at dates */
    const char *notes; /* what is not like it when Mbed TLS plays it; NULL */
};

/** @return the i-th, or NULL past the last; static */
const struct ssl_profile *ssl_profile_at(size_t i);

/** @return the one of that name, or NULL */
const struct ssl_profile *ssl_profile_find(const char *name);

/**
 * Make a client's context offer what the device does, in its order. What this
 * Mbed TLS lacks is left out: versions below TLS 1.2, and what notes says.
 *
 * @param p    outlives `ctx`
 * @param ctx  made by ssl_context_init() as a client
 * @return 0, or -1: ERR_USAGE as ssl_context_set_versions()
 */
MUST_USE int ssl_profile_apply(const struct ssl_profile *p,
                               struct ssl_context *ctx, struct err *err);

#endif
