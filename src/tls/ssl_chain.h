/*
 * ssl_chain.h - a chain of certificates judged as a handshake would, without
 * one.
 *
 * The same callback, profile, CAs and words as a connection of the context;
 * what depends on the version or the suite is judged as TLS 1.3 does.
 *
 * MicroPython: has no such thing; what is refused here raises there, in
 * wrap_socket().
 */
#ifndef TLS_SSL_CHAIN_H
#define TLS_SSL_CHAIN_H

#include "tls/ssl_context.h"
#include "tls/ssl_verify.h"

struct ssl_chain {
    mbedtls_x509_crt certs; /* in the order given, the first is judged */
    size_t count;           /* certificates, those refused included */
    size_t der_len;         /* of all of them, in bytes */
    struct err refused;     /* a certificate that no handshake takes */
    bool name_checked;
    char server_hostname[SSL_NAME_MAX];
    struct ssl_verify verify;
    struct ssl_overrun over; /* it does not fit the device's buffer */
    uint32_t flags;          /* all that was found */
};

/** An empty chain, in the caller's memory. */
void ssl_chain_init(struct ssl_chain *c);

/** May be called twice. */
void ssl_chain_free(struct ssl_chain *c);

/**
 * Parse a chain, leaf first, into an empty `c`.
 *
 * A certificate with a critical extension that Mbed TLS does not process (RFC
 * 5280 4.2) is well formed, and is what ssl_chain_verify() refuses.
 *
 * @param data  PEM, in which other blocks and text are skipped, or DER
 *              certificates one after the other; copied
 * @param len   bytes
 * @return 0, or -1: ERR_TLS with MBEDTLS_ERR_X509_*, _PEM_* or _PK_*, naming
 *         the certificate, counted from 0
 */
MUST_USE int ssl_chain_load(struct ssl_chain *c, const unsigned char *data,
                            size_t len, struct err *err);

/**
 * Judge the chain as a connection of `ctx` would judge its peer's: path,
 * signatures, validity, key sizes and hashes (RFC 5280 6), name (RFC 9525, for
 * a client's context), keyUsage and extKeyUsage (RFC 5280 4.2.1.3, 4.2.1.12).
 *
 * @param ctx   a client's, for a server's chain, or a server's; its verify_mode
 *              is taken for required; its clock is borrowed until `c` is freed
 * @param name  to find in the leaf; NULL or "": none is looked for; copied
 * @return 0: trusted; -1: ERR_VERIFY with the flags; ERR_TLS: what ends a
 *         handshake before or without a verdict: MBEDTLS_ERR_X509_* for a
 *         critical extension, for more intermediates than Mbed TLS takes or
 *         for lack of memory, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL for a chain
 *         over one message, MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED where the
 *         context trusts nothing; ERR_USAGE for a bad name
 */
MUST_USE int ssl_chain_verify(struct ssl_chain *c, struct ssl_context *ctx,
                              const char *name, struct err *err);

/** Fill the report, as ssl_socket_info() does, with the findings. */
void ssl_chain_info(const struct ssl_chain *c, struct ssl_context *ctx,
                    struct ssl_info *info);

/** @return whether the first certificate is a CA's, which is no reason to
 *          refuse it */
bool ssl_chain_begins_with_ca(const struct ssl_chain *c);

#endif
