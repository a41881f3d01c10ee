/*
 * ssl_profile.h - how a device speaks TLS: a profile, as text, read into what a
 * context can play.
 *
 * The profiles that are built in are the files src/profiles/NAME.profile; a
 * user's own has the same form. A line is a key, white space, and its value;
 * '#' begins a comment, and what is not said is taken from the profile that
 * `like` names, which stands first, or is that of Mbed TLS's defaults.
 *
 *   like NAME               begin with that profile's values
 *   title TEXT              which devices
 *   source TEXT             where its facts come from; several lines
 *   library TEXT            of the firmware: "Mbed TLS 3.6.2"
 *   versions NAME ...       TLSv1.0 to TLSv1.3
 *   ciphers NAME ...        in its order, any spelling or number; several lines
 *   groups NAME ...         likewise
 *   sig-algs NAME ...       as its ClientHello has them
 *   extensions NAME ...     of its ClientHello
 *   max-in-record BYTES     of content that it takes in a record
 *   max-in-message BYTES    of a handshake message; 0: of any length; goes
 *                           with max-in-record if they were the same
 *   max-out-record BYTES    of content that it puts into a record
 *   messages joined|whole   may a message come in several records?
 *   verify none|optional|required  unless its program says otherwise
 *   trust store|none        has it CAs of its own?
 *   formats pem der | der   of certificates and keys
 *   rsa MIN MAX             bits of the RSA keys of a chain
 *   curves NAME ...         of its EC keys
 *   hashes NAME ...         that it is signed with: sha256
 *   pss yes|no              RSASSA-PSS signatures in a chain
 *   dates checked|ignored
 *   clock TIME|host         after power on: 2000-01-01T00:00:00Z
 *   close-notify yes|no     is it sent?
 *   sni-address yes|no      is SNI sent for an address, against RFC 6066 3?
 *   heap BYTES              that its program can have at most; 0: unknown
 *   errors micropython|axtls|none  how a failure looks in its program
 *   unlike TEXT             what is not played; several lines
 *
 * Not in MicroPython.
 */
#ifndef TLS_SSL_PROFILE_H
#define TLS_SSL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/mp_error.h"
#include "tls/ssl_context.h"

enum { SSL_PROFILE_IDS = 64 };

struct ssl_profile {
    char name[40];
    char title[100];
    const char *text;                      /* what it was read from; borrowed */
    uint16_t min_version, max_version;     /* 0x0303 */
    uint16_t ciphers[SSL_PROFILE_IDS + 1]; /* in its order, ending in 0 */
    uint16_t groups[SSL_PROFILE_IDS + 1];
    uint16_t sig_algs[SSL_PROFILE_IDS + 1];
    struct ssl_ids extensions;
    struct ssl_device device;
    mbedtls_x509_crt_profile certs; /* what it can verify */
    enum ssl_verify_mode verify_mode;
    bool has_store;
    bool close_notify;
    char clock[SSL_TIME_MAX]; /* "": the host's */
    enum mp_errors errors;
};

/** @return the name of the i-th that is built in, or NULL past the last */
const char *ssl_profile_name(size_t i);

/** @return the text of the one of that name, or NULL */
const char *ssl_profile_text(const char *name);

/**
 * Read a profile.
 *
 * @param p     filled
 * @param name  of the profile, for messages and reports
 * @param text  NUL-terminated; borrowed as long as `p` is used
 * @return 0, or -1: ERR_FILE with the line and what is wrong with it
 */
MUST_USE int ssl_profile_read(struct ssl_profile *p, const char *name,
                              const char *text, struct err *err);

/** The same of the one that is built in; -1: there is none of that name. */
MUST_USE int ssl_profile_load(struct ssl_profile *p, const char *name,
                              struct err *err);

/**
 * The values of a key, one after the other.
 *
 * @param text   of a profile; or what this function returned
 * @param value  set to the value, which is not NUL-terminated
 * @param len    set to its bytes
 * @return where to go on, or NULL: there was no other
 */
const char *ssl_profile_next(const char *text, const char *key,
                             const char **value, size_t *len);

/**
 * Make a context offer, or accept, what the device does, in its order. What
 * this Mbed TLS lacks is left out; ssl_profile_compare() tells what.
 *
 * @param p    outlives `ctx`
 * @param ctx  made by ssl_context_init(), in either role
 * @return 0, or -1: ERR_USAGE as ssl_context_set_versions()
 */
MUST_USE int ssl_profile_apply(const struct ssl_profile *p,
                               struct ssl_context *ctx, struct err *err);

/** What the device's ClientHello offers; `offer` is overwritten. */
void ssl_profile_offer(const struct ssl_profile *p, struct ssl_offer *offer);

/**
 * What a ClientHello that is made by the profile differs in from the device's:
 * a hello is made, and nothing is sent.
 *
 * @param lacks  filled with what the device offers and the hello does not
 * @param more   filled with what the hello offers and the device does not
 * @return 0, or -1: ERR_TLS, ERR_USAGE
 */
MUST_USE int ssl_profile_compare(const struct ssl_profile *p,
                                 struct ssl_offer *lacks,
                                 struct ssl_offer *more, struct err *err);

#endif
