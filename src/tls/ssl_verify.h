/*
 * ssl_verify.h - is this chain trusted, and is it the name's?
 *
 * The path is built and its signatures are checked by Mbed TLS (RFC 5280 6);
 * names are matched here, by RFC 9525, because the library also takes a common
 * name, and a DNS name that looks like an address.
 */
#ifndef TLS_SSL_VERIFY_H
#define TLS_SSL_VERIFY_H

#include "tls/ssl_cert.h"
#include "tls/ssl_context.h"

enum { SSL_CLOCK_MAX = 96 }; /* what ssl_verify_clock() writes */

/* What one verification found; the caller zeroes it. */
struct ssl_verify {
    const struct ssl_context *ctx; /* its pins, clock, protocol and profile
                                      count;
                                      borrowed */
    const char *name;              /* to match, or NULL; borrowed */
    bool pins_only; /* nothing else is asked for, and they are judged later */
    bool crl_used;  /* one of the CRLs is of a CA in the path */
    bool called;    /* Mbed TLS got as far as a chain */
    struct err device; /* what the context's device cannot do with the chain */
    size_t cert_count;
    size_t cert_room;
    struct ssl_cert_info *certs; /* leaf first; owned */
    /* How far the clock is outside each one's validity: below 0 before it
     * begins, above 0 after it has ended. */
    int64_t seconds_off[SSL_CHAIN_MAX];
    /* DER of the path's last certificate, if the context's keep_top is set;
     * owned; NULL: none, or no memory for it. */
    unsigned char *top;
    size_t top_len;
};

/**
 * Have room for `n` certificates in `certs`; those that are there stay.
 *
 * @param n  1..SSL_CHAIN_MAX
 * @return whether there is
 */
bool ssl_verify_room(struct ssl_verify *v, size_t n);

/** Fill the certificates of the report. */
void ssl_verify_info(const struct ssl_verify *v, struct ssl_info *info);

/** Free what it owns; may be called twice. */
void ssl_verify_free(struct ssl_verify *v);

/**
 * Mbed TLS's verification callback: records each certificate with what was
 * found, decides the name, the pins and, by the context's clock, the validity
 * of certificates and CRLs (RFC 5280 4.1.2.5, 5.1.2.4). A CA's certificate with
 * an extKeyUsage (4.2.1.12) that lacks the purpose is refused, and a weak key
 * is told of the certificate that has it.
 *
 * With a clock given, one thing still goes by the system's: of several CA
 * certificates with the same name, Mbed TLS prefers one that is valid now.
 *
 * @param arg  a struct ssl_verify
 * @return 0: go on; what is found is in *flags;
 *         MBEDTLS_ERR_X509_ALLOC_FAILED, or as ssl_verify_device()
 */
int ssl_verify_callback(void *arg, mbedtls_x509_crt *crt, int depth,
                        uint32_t *flags);

/**
 * Can the context's device read this certificate, and compute with its key?
 * What it cannot is recorded in `device`, as ERR_DEVICE.
 *
 * @param i     its place in the chain, 0: the peer's own
 * @param used  its key is computed with
 * @return 0, or the MBEDTLS_ERR_* value that the device would end with
 */
int ssl_verify_device(struct ssl_verify *v, const mbedtls_x509_crt *crt,
                      size_t i, bool used);

/** Ask the context's ca_source, unless that is done; ssl_verify_find_ca() does
 * it, too. */
void ssl_verify_load_store(struct ssl_context *ctx);

/**
 * Mbed TLS's CA callback: the certificates of the context's ca_source whose
 * subject is the child's issuer. Only those are parsed.
 *
 * @param arg  a struct ssl_context
 * @param cas  set to the candidates, which Mbed TLS frees, or NULL
 * @return 0, or MBEDTLS_ERR_X509_ALLOC_FAILED; a source that fails leaves its
 *         reason in ca_err and counts as empty
 */
int ssl_verify_find_ca(void *arg, const mbedtls_x509_crt *child,
                       mbedtls_x509_crt **cas);

/**
 * Does the certificate bear the name? RFC 9525: an address only as an
 * iPAddress SAN, a name only as a dNSName SAN, never the common name; a
 * wildcard only as the whole leftmost label, for one label, with at least two
 * labels after it.
 *
 * @param name  a DNS name (A-labels, one final dot allowed) or an address
 */
bool ssl_verify_name(const mbedtls_x509_crt *crt, const char *name);

/** @return whether `name` is an IPv4 or IPv6 literal (no brackets) */
bool ssl_verify_is_address(const char *name);

/** @return the OID that the peer's extKeyUsage must have, as text */
const char *ssl_verify_purpose(const struct ssl_context *ctx);

/** @return whether the last certificate of the path is a trust anchor */
bool ssl_verify_anchored(const struct ssl_verify *v);

/**
 * Say how wrong the clock is: "the clock says 2000-01-01, 7305 days early".
 *
 * @param off  of seconds_off
 * @param buf  SSL_CLOCK_MAX bytes; "" if the clock is unknown or `off` is 0
 */
void ssl_verify_clock(const struct ssl_verify *v, int64_t off, char *buf,
                      size_t len);

/**
 * Why a chain is refused, in one sentence, e.g. "certificate 0 (CN=localhost)
 * has expired (2021-01-01T00:00:00Z); certificate 1 ...". If the clock is
 * known and nothing but time is wrong, by how much: "... is not valid yet
 * (2020-01-01T00:00:00Z): the clock says 2000-01-01, 7305 days early".
 *
 * @param v      what was found
 * @param flags  all flags; those no certificate bears are told without one
 * @param buf    the sentence goes here, NUL-terminated, cut if it must be
 */
void ssl_verify_explain(const struct ssl_verify *v, uint32_t flags, char *buf,
                        size_t len);

#endif
