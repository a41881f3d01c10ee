/*
 * ssl_context.h - what connections share: keys, trust, ciphers.
 *
 * MicroPython: SSLContext. Set it up, then wrap sockets; don't change it while
 * a socket made from it lives. Nothing here does I/O, prints or exits: data
 * comes in as bytes. One thread.
 *
 * Functions returning int: 0, or -1 with *err set (base/err.h), after which
 * the context may still be used or freed.
 */
#ifndef TLS_SSL_CONTEXT_H
#define TLS_SSL_CONTEXT_H

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include "base/err.h"
#include "tls/ssl_cipher.h"
#include "tls/ssl_device.h"
#include "tls/ssl_info.h"
#include "tls/ssl_keylog.h"
#include "tls/ssl_pin.h"
#include "tls/ssl_store.h"

/* MicroPython: PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, with its values. */
enum ssl_protocol { SSL_PROTOCOL_TLS_CLIENT = 0, SSL_PROTOCOL_TLS_SERVER = 1 };

enum {
    SSL_ALPN_MAX = 16, /* protocols that can be offered */
    SSL_ALPN_LEN = 512 /* bytes of all their names */
};

enum ssl_version { SSL_TLS_1_2 = 0, SSL_TLS_1_3 = 1 };

/**
 * Where a chain's anchor is looked for when none was loaded, e.g. the system's
 * store. Called at the first chain that asks, at most once per context.
 *
 * @param arg  as given with the function
 * @param pem  set to certificates in PEM; borrowed by the context until it is
 *             freed
 * @param len  set to its bytes
 * @return 0, or -1 with *err set
 */
typedef int ssl_ca_source(void *arg, const unsigned char **pem, size_t *len,
                          struct err *err);

/**
 * Take a line of what Mbed TLS says of itself.
 *
 * @param arg    as given with the function
 * @param level  1 (failures) to 4 (every byte)
 * @param line   without its newline; borrowed for the call
 */
typedef void ssl_debug(const void *arg, int level, const char *line);

struct ssl_identity;

struct ssl_context {
    enum ssl_protocol protocol;
    enum ssl_verify_mode verify_mode;
    mbedtls_ssl_config conf;
    struct ssl_identity *own; /* our certificates; NULL: none */
    mbedtls_x509_crt ca;
    mbedtls_x509_crl crl;
    struct ssl_pins pins;
    const mbedtls_x509_time *now; /* the clock that validity is judged by,
                                     UTC; NULL: the system's, read by Mbed
                                     TLS; set by the caller; borrowed */
    const mbedtls_x509_crt_profile *profile; /* keys and hashes of a chain */
    int ciphers[SSL_CIPHERS_MAX + 1];        /* best first; ends in 0 */
    char alpn[SSL_ALPN_LEN];                 /* names, each with a NUL */
    const char *alpn_list[SSL_ALPN_MAX + 1]; /* into alpn; ends in NULL */
    struct ssl_device device;                /* all zeros: none is played */
    struct ssl_heap_account *heap; /* of what is loaded; NULL: not counted */
    mbedtls_ssl_ticket_context *tickets; /* owned; NULL: none are given */
    bool made;                           /* by ssl_wrap_context() */
    bool have_ca;
    bool ca_was_pem; /* some of `ca`; a board wants DER */
    bool have_crl;
    bool allow_truncation;
    bool no_close_notify;
    bool keep_top; /* of each path that is verified (ssl_verify.h) */
    bool quick;    /* nobody is told of what goes well, nor what it takes of the
                      heap: ssl_tap_defer() and accel_nettle_use() may be */
    enum ssl_version min_wanted, max_wanted;   /* as set_versions says */
    enum ssl_version min_version, max_version; /* as the suites allow */
    ssl_keylog *keylog;                        /* NULL: secrets stay secret */
    void *keylog_arg;
    ssl_debug *debug; /* NULL: nobody listens */
    const void *debug_arg;
    ssl_ca_source *ca_source; /* NULL: none */
    void *ca_arg;
    struct ssl_store store; /* what ca_source gave */
    struct err ca_err;      /* why ca_source failed */
    char detail[112];       /* what Mbed TLS last said, in its last call */
};

/**
 * Make a context.
 *
 * MicroPython: SSLContext(protocol). verify_mode begins as tls.SSLContext's:
 * required for a client, none for a server.
 *
 * @param ctx       the caller's memory, which must stay where it is; safe to
 *                  free whatever is returned
 * @param protocol  the role of every socket wrapped with it
 * @return 0, or -1: ERR_TLS with MBEDTLS_ERR_*_ALLOC_FAILED or, with a PSA
 *         status, where the random generator cannot be started
 */
MUST_USE int ssl_context_init(struct ssl_context *ctx,
                              enum ssl_protocol protocol, struct err *err);

/** Free all that `ctx` holds; may be called twice. Sockets go first. */
void ssl_context_free(struct ssl_context *ctx);

/**
 * Play a device: to be called before anything is loaded; not in MicroPython.
 *
 * What is loaded afterwards counts towards the device's heap: certificates and
 * keys, where PEM is refused if the device cannot read it.
 *
 * @param device  copied; all zeros: none
 * @return 0, or -1: ERR_TLS with MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE where this
 *         build cannot count the heap and a limit is wanted
 */
MUST_USE int ssl_context_set_device(struct ssl_context *ctx,
                                    const struct ssl_device *device,
                                    struct err *err);

/* The longest key that Mbed TLS has, RSA of 8192 bits (RFC 8017 A.1.2). */
enum { SSL_KEY_DER_MAX = 6 * 1024 };

/**
 * Write a key that was loaded, for another context; not in MicroPython.
 *
 * @param i    the i-th that was loaded, from 0
 * @param der  SSL_KEY_DER_MAX bytes: the DER (RFC 8017 A.1.2, RFC 5915), which
 *             the caller wipes, then zeros
 * @param len  set to its bytes
 * @return 0, or -1: ERR_TLS with MBEDTLS_ERR_PK_*
 */
MUST_USE int ssl_context_write_key(const struct ssl_context *ctx, size_t i,
                                   unsigned char *der, size_t *len,
                                   struct err *err);

/**
 * Load our certificate chain and its private key. Calls accumulate: a server
 * chooses by the client's hello (ssl_identity.h), a client has use for the
 * first only.
 *
 * MicroPython: SSLContext.load_cert_chain(cert, key). Differs: the key is
 * checked against the certificate here, not at the handshake; DER may hold a
 * chain, one certificate after the other; bytes after the last are an error.
 *
 * @param cert      PEM or DER, our certificate first; copied
 * @param cert_len  bytes
 * @param key       PEM or DER, unencrypted; parsed, the input is not kept
 * @param key_len   bytes
 * @return 0, or -1: ERR_TLS with MBEDTLS_ERR_X509_*, _PEM_* or _PK_*, or
 *         MBEDTLS_ERR_SSL_BAD_CERTIFICATE for a server's certificate that is
 *         not for servers (RFC 5280 4.2.1.3, 4.2.1.12), or
 *         MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL for a chain over one message of
 *         16384 bytes; what was loaded before is still there
 */
MUST_USE int ssl_context_load_cert_chain(struct ssl_context *ctx,
                                         const unsigned char *cert,
                                         size_t cert_len,
                                         const unsigned char *key,
                                         size_t key_len, struct err *err);

/**
 * Add certificates to trust. Calls accumulate.
 *
 * MicroPython: SSLContext.load_verify_locations(cadata=data). Differs: a PEM
 * bundle and DER one after the other are taken whole.
 *
 * @param cadata  PEM or DER; copied
 * @param len     bytes
 * @return 0, or -1: ERR_TLS with MBEDTLS_ERR_X509_* or _PEM_*; what was loaded
 *         before is still there
 */
MUST_USE int ssl_context_load_verify_locations(struct ssl_context *ctx,
                                               const unsigned char *cadata,
                                               size_t len, struct err *err);

/**
 * Load lists of revoked certificates (RFC 5280 5); not in MicroPython.
 *
 * A list counts for the certificates that its issuer, a CA of the path, has
 * signed; those of a CA without a list are not looked up. It must be the CA's,
 * strong enough, and in date by the context's clock; one without a nextUpdate,
 * which RFC 5280 5.1.2.5 wants, never is. Only what load_verify_locations
 * loaded is judged by it, not what a ca_source gives.
 *
 * @param data  PEM or DER, one list or several; copied; in place of what was
 *              loaded before
 * @return 0, or -1: ERR_TLS with MBEDTLS_ERR_X509_* or _PEM_*; there is no list
 *         then
 */
MUST_USE int ssl_context_load_crl(struct ssl_context *ctx,
                                  const unsigned char *data, size_t len,
                                  struct err *err);

/**
 * Where to look when load_verify_locations was not called; not in MicroPython.
 *
 * @param source  borrowed, with its argument, until the context is freed
 */
void ssl_context_set_ca_source(struct ssl_context *ctx, ssl_ca_source *source,
                               void *arg);

/**
 * Hear what Mbed TLS says; not in MicroPython.
 *
 * @param level  the least important to hear, 1 to 4; for all contexts of the
 *               process, since the library has one threshold only
 * @param debug  borrowed, with its argument, until the context is freed
 */
void ssl_context_set_debug(struct ssl_context *ctx, int level, ssl_debug *debug,
                           const void *arg);

/**
 * MicroPython: SSLContext.verify_mode = mode. Differs: other values are
 * refused, and OPTIONAL on a client keeps what was found (ssl_info).
 *
 * @return 0, or -1: ERR_USAGE
 */
MUST_USE int ssl_context_set_verify_mode(struct ssl_context *ctx,
                                         enum ssl_verify_mode mode,
                                         struct err *err);

/** MicroPython: SSLContext.verify_mode. */
enum ssl_verify_mode ssl_context_get_verify_mode(const struct ssl_context *ctx);

/**
 * Take a peer for good only if its own certificate has one of these keys; not
 * in MicroPython. That is in addition to what verify_mode asks for, and holds
 * in every mode, CERT_NONE and CERT_OPTIONAL included: the handshake fails with
 * ERR_VERIFY and SSL_BADCERT_PIN before an application byte moves. A server
 * asks its clients for a certificate, then; one that sends none has no key.
 *
 * @param pins  n of them; borrowed; 0: any key will do
 */
void ssl_context_set_pins(struct ssl_context *ctx, const struct ssl_pin *pins,
                          size_t n);

/**
 * MicroPython: SSLContext.get_ciphers(). Differs: what set_ciphers chose, not
 * always all; numbers, which ssl_cipher_iana() names.
 *
 * @return the suites in order of preference, ending in 0; owned by `ctx`
 */
const int *ssl_context_get_ciphers(const struct ssl_context *ctx);

/**
 * Offer or accept these suites only, in this order.
 *
 * MicroPython: SSLContext.set_ciphers([...]). Differs: one string, every
 * spelling (ssl_cipher.h). A list without a TLS 1.3 suite turns TLS 1.3 off,
 * one of nothing else turns TLS 1.2 off.
 *
 * @param names  separated by commas or colons; "" is an error
 * @return 0, or -1: ERR_TLS with MBEDTLS_ERR_SSL_BAD_CONFIG, naming the unknown
 *         one and the nearest, or ERR_USAGE as set_versions; the list
 *         is then as it was
 */
MUST_USE int ssl_context_set_ciphers(struct ssl_context *ctx, const char *names,
                                     struct err *err);

/**
 * The versions to offer or accept; not in MicroPython. The default is both.
 *
 * @return 0, or -1: ERR_USAGE if min is above max or the suites chosen leave
 *         nothing between them
 */
MUST_USE int ssl_context_set_versions(struct ssl_context *ctx,
                                      enum ssl_version min,
                                      enum ssl_version max, struct err *err);

enum { SSL_TICKET_SECONDS = 2 * 60 * 60 }; /* that one is good for */

/**
 * Give each client a ticket with which it can resume its session (RFC 5077,
 * RFC 8446 4.6.1), sealed by a key that is this context's, and in a process
 * that is forked later its own once SSL_TICKET_SECONDS are over. Not in
 * MicroPython.
 *
 * A session that is resumed brings no certificate, so that this is not for a
 * server that asks its clients for one.
 *
 * @return 0, or -1: ERR_TLS
 */
MUST_USE int ssl_context_give_tickets(struct ssl_context *ctx, struct err *err);

/**
 * Ask the server for records of at most this much (RFC 6066 4); not in
 * MicroPython. TLS 1.3 has record_size_limit in its place, which Mbed TLS does
 * not ask for. A server takes what a client asks for in any case.
 *
 * @param bytes  512, 1024, 2048 or 4096
 * @return 0, or -1: ERR_USAGE for another number
 */
MUST_USE int ssl_context_set_max_fragment_length(struct ssl_context *ctx,
                                                 size_t bytes, struct err *err);

/**
 * Application protocols to offer, or to choose from (RFC 7301); not in
 * MicroPython. A server that has none of the client's refuses it.
 *
 * @param names  separated by commas, the preferred first; 1 to SSL_ALPN_MAX of
 *               1 to 255 bytes, in all under SSL_ALPN_LEN
 * @return 0, or -1: ERR_USAGE with the name that is wrong; ERR_TLS
 */
MUST_USE int ssl_context_set_alpn(struct ssl_context *ctx, const char *names,
                                  struct err *err);

/**
 * Fetch what the first connection would otherwise: what ca_source gives, and
 * the library for signatures. For a process that forks others, each of which
 * would do it anew. What fails is told when it is needed.
 */
void ssl_context_warm(struct ssl_context *ctx);

/**
 * Go on using contexts in a forked process, with random numbers of its own.
 *
 * @return 0, or -1: ERR_TLS with a PSA status
 */
MUST_USE int ssl_context_forked(struct err *err);

/**
 * When no context is left: wipe the state of the random generator, and free
 * what PSA holds. A context may be made all the same.
 */
void ssl_context_end(void);

/** The arguments of ssl.wrap_socket(), under its names. */
struct ssl_wrap_args {
    bool server_side;
    const unsigned char *key; /* NULL: none */
    size_t key_len;
    const unsigned char *cert;
    size_t cert_len;
    enum ssl_verify_mode cert_reqs;
    const unsigned char *cadata;
    size_t cadata_len;
    const char *server_hostname;     /* NULL: none */
    bool do_handshake;               /* false: at the first read or write */
    const struct ssl_device *device; /* to play; NULL: none; not in
                                        MicroPython */
};

/**
 * Make a context from wrap_socket's arguments, so that what is wrong with them
 * is known before there is a socket. ssl_wrap_socket() is this, then the
 * wrapping.
 *
 * @return 0, or -1 as ssl_context_init, _load_cert_chain,
 *         _load_verify_locations, _set_verify_mode; ERR_USAGE if only one of
 *         key and cert is given. In every case ssl_context_free(ctx) is due.
 */
MUST_USE int ssl_wrap_context(struct ssl_context *ctx,
                              const struct ssl_wrap_args *args,
                              struct err *err);

#endif
