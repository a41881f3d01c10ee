/*
 * print_cadata.h - --print-cadata: the one CA that a board needs.
 *
 * MicroPython: what load_verify_locations(cadata=) wants, which most ports take
 * in DER only.
 */
#ifndef CLI_PRINT_CADATA_H
#define CLI_PRINT_CADATA_H

#include <stdio.h>

#include "cli/opt.h"
#include "tls/ssl_chain.h"
#include "tls/ssl_socket.h"

/* The order of print_cadata_names. */
enum print_cadata { CADATA_DER, CADATA_BASE64, CADATA_MICROPYTHON };

/* What --print-cadata takes, ended by NULL. */
extern const char *const print_cadata_names[];

struct cadata {
    unsigned char *der; /* owned; NULL: there is no such certificate */
    size_t len;
    bool verified; /* a trusted one; else one that the peer sent */
    struct ssl_cert_info info;
};

/**
 * Pick it: the trust anchor of the path that was verified; if there is none,
 * the certificate at the top of what the peer sent, if it is a CA's or its own
 * issuer.
 *
 * @param c     overwritten; cadata_free() is due
 * @param sock  after the handshake, or after its failure; keep_top of its
 *              context must have been set
 */
void cadata_of_socket(struct cadata *c, struct ssl_socket *sock);

/** The same, of a chain after ssl_chain_verify(). */
void cadata_of_chain(struct cadata *c, const struct ssl_chain *chain);

/** May be called twice, and on a zeroed one. */
void cadata_free(struct cadata *c);

/**
 * Can it be printed so, there?
 *
 * @return 0, or -1: ERR_USAGE for DER on a terminal
 */
MUST_USE int print_cadata_check(int format, struct err *err);

/**
 * Print it on `f`: DER, one line of base64, or Python that sets `cadata`.
 *
 * @return 0, or -1: ERR_OS with code 0 if there is none; whether it was written
 *         the caller finds out when it flushes
 */
MUST_USE int print_cadata(FILE *f, enum print_cadata format,
                          const struct cadata *c, struct err *err);

/** A line that says that nothing vouches for it; NULL if something does. */
const char *print_cadata_warning(const struct cadata *c);

#endif
