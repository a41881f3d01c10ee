/*
 * tls_options.h - the options that connect and serve share, and what they
 * make: a context.
 */
#ifndef CLI_TLS_OPTIONS_H
#define CLI_TLS_OPTIONS_H

#include "cli/ca_store.h"
#include "cli/keylog.h"
#include "cli/opt.h"
#include "io/pump.h"
#include "tls/ssl_context.h"
#include "tls/ssl_profile.h"

struct ssl_self_signed;

/* The device that is played. */
struct device {
    bool played; /* `profile` is filled */
    struct ssl_profile profile;
    struct ssl_device limits; /* the profile's, and those of the options */
    char *text;               /* of a file of the user's; owned; NULL: none */
};

/* As the command line gave them; TLS_OPTIONS_INIT where it did not. */
struct tls_options {
    const char *cafile, *cadata, *ciphers, *alpn, *keylog;
    const char *crl, *save_chain, *save_peer;
    struct opt_many certs, keys; /* the n-th key is the n-th certificate's */
    struct ssl_self_signed *self_signed; /* in place of --cert and --key;
                                                  borrowed; NULL: none */
    struct opt_many pins, expects;
    const char *time;             /* --time; NULL: now */
    int verify;                   /* ssl_verify_mode; -1: the default */
    int min_version, max_version; /* ssl_version; -1: the default */
    bool mp_defaults, allow_truncation, defer_handshake, tickets, ktls;
    int on_eof;     /* index into on_eof_names; -1: the default */
    const char *as; /* --as; NULL: no device is played */
    int64_t max_in_record, max_out_record, heap_limit; /* bytes; 0: none */
    unsigned heap_fail_at;                             /* 0: none */
    int max_fragment_length; /* index into its names; -1: not asked for */
    struct device device;    /* what these make, by device_read() */
    int64_t handshake_timeout, idle_timeout, max_time; /* ms; 0: none */
    unsigned verbose;
    struct opt_optional json, trace;
    int color;                        /* terminal_color */
    const char *hidden[OPT_MANY_MAX]; /* what keys.value[i] was in argv, if it
                                         is a copy; NULL: it is none */
};

enum { TLS_HANDSHAKE_TIMEOUT = 10000, TLS_CONNECT_TIMEOUT = 10000 }; /* ms */

#define TLS_OPTIONS_INIT                                                       \
    {                                                                          \
        .verify = -1, .min_version = -1, .max_version = -1, .on_eof = -1,      \
        .max_fragment_length = -1, .handshake_timeout = TLS_HANDSHAKE_TIMEOUT  \
    }

/* The tables; their offsets are in struct tls_options. */
extern const struct opt tls_opts[];        /* our certificate, versions */
extern const struct opt tls_trust_opts[];  /* what makes a peer's good; verify
                                              and check have these, too */
extern const struct opt tls_expect_opts[]; /* on every command that reports */
extern const struct opt tls_save_opts[];   /* the peer's certificates */
extern const struct opt tls_pipe_opts[];   /* what there is to it if bytes are
                                              piped */
extern const struct opt tls_time_opts[];
extern const struct opt tls_wire_opts[];   /* what went over it */
extern const struct opt tls_output_opts[]; /* of those that pipe */

/**
 * Take keys that are given inline, "hex:..." and the like, out of the command
 * line, which everybody on the machine can read, into memory of ours. Due as
 * soon as the options are parsed.
 *
 * @return 0, or -1: ERR_OS (ENOMEM); tls_options_forget() is due in every case
 */
MUST_USE int tls_options_hide(struct tls_options *o, struct err *err);

/**
 * Wipe these and that of a self-signed certificate, once they are loaded. May
 * be called twice. A later tls_setup_init() has them from the setup before.
 */
void tls_options_forget(struct tls_options *o);

/* A context and what it borrows. */
struct tls_setup {
    unsigned users; /* of reload_take() */
    struct ssl_context ctx;
    struct ca_store store;
    struct keylog keylog;
    struct ssl_wrap_args args; /* its data is freed once it is loaded */
    const char *trust;         /* where the anchors come from; NULL: none */
    struct ssl_pin pins[OPT_MANY_MAX];
    mbedtls_x509_time now; /* the context's clock */
};

/**
 * Read the files and make the context.
 *
 * @param s       the caller's memory; tls_setup_free() is due in every case
 * @param server  the role
 * @param before  whose place it takes, and which has the keys that are in
 *                memory only; NULL: it is the first
 * @return 0, or -1: ERR_USAGE, ERR_FILE, ERR_TLS (the files' content; the
 *         text ends in the options that named them)
 */
MUST_USE int tls_setup_init(struct tls_setup *s, const struct tls_options *o,
                            bool server, const struct tls_setup *before,
                            struct err *err);

/**
 * Read the clock anew, for a chain that comes now; --time stays what it is.
 *
 * @return 0, or -1: ERR_OS
 */
MUST_USE int tls_setup_clock(struct tls_setup *s, const struct tls_options *o,
                             struct err *err);

/** May be called twice. */
void tls_setup_free(struct tls_setup *s);

/** What --max-fragment-length takes. */
extern const char *const tls_fragment_names[];

/** What --min-version, --max-version and ciphers take, by ssl_version. */
extern const char *const tls_version_names[];

/**
 * What to call DATA in a message: inline data may be a key, and is not
 * repeated.
 *
 * @return `data`, or the form that it begins with, e.g. "base64:"
 */
const char *tls_data_name(const char *data);

/** What the end of stdin does, for this role. */
enum pump_on_eof tls_on_eof(const struct tls_options *o, bool server);

#endif
