#include "cli/tls_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "cli/clock.h"
#include "cli/device.h"
#include "cli/jail.h"
#include "cli/trace.h"
#include "io/data.h"
#include "io/file.h"
#include "tls/ssl_self_signed.h"

static const char *const verify_names[] = { "none", "optional", "required",
                                            NULL };
const char *const tls_version_names[] = { "1.2", "1.3", NULL };
static const char *const color_names[] = { "auto", "always", "never", NULL };
const char *const tls_fragment_names[] = { "512", "1024", "2048", "4096",
                                           NULL };
static const char *const on_eof_names[] = { "half-close", "close", "wait",
                                            NULL };

#define T struct tls_options

const struct opt tls_opts[] = {
    OPT_ROW_CHOICE(T, verify, 0, "verify", "MODE", verify_names,
                   "check the peer's certificate: required unless given, for "
                   "serve none"),
    OPT_ROW_MANY(T, certs, 0, "cert", "DATA",
                 "our certificate and its chain, PEM or DER"),
    OPT_ROW_MANY(T, keys, 0, "key", "DATA",
                 "the private key of --cert, PEM or DER"),
    OPT_ROW_LIST(T, ciphers, 0, "ciphers", "NAME[,NAME...]",
                 "offer or accept these suites only (see mptls ciphers)"),
    OPT_ROW_CHOICE(T, min_version, 0, "min-version", "VERSION",
                   tls_version_names, "lowest TLS version"),
    OPT_ROW_CHOICE(T, max_version, 0, "max-version", "VERSION",
                   tls_version_names, "highest TLS version"),
    OPT_ROW_LIST(T, alpn, 0, "alpn", "NAME[,NAME...]",
                 "application protocols to offer or to choose from"),
    OPT_ROW_FLAG(T, mp_defaults, 0, "mp-defaults",
                 "as MicroPython's ssl does: verify nothing, send no "
                 "close_notify"),
    OPT_END
};

const struct opt tls_trust_opts[] = {
    OPT_ROW_STRING(T, cafile, 0, "cafile", "FILE",
                   "trust the CAs in this file, PEM or DER"),
    OPT_ROW_STRING(T, cadata, 0, "cadata", "DATA",
                   "trust these CAs, PEM or DER, in place of the system's"),
    OPT_ROW_STRING(T, crl, 0, "crl", "DATA",
                   "refuse what these CRLs revoke, PEM or DER"),
    OPT_ROW_MANY(T, pins, 0, "pin", "PIN",
                 "take only this key: sha256/ and the base64 of its SHA-256"),
    OPT_ROW_STRING(T, time, 0, "time", "WHEN",
                   "the clock, UTC: 2000-01-01T00:00:00Z, 2000-01-01 or now"),
    OPT_END
};

const struct opt tls_expect_opts[] = {
    OPT_ROW_MANY(T, expects, 0, "expect", "KEY=VALUE",
                 "exit 0 if all that is expected is so, else 50"),
    OPT_END
};

const struct opt tls_save_opts[] = {
    OPT_ROW_STRING(T, save_chain, 0, "save-chain", "FILE",
                   "write the certificates that the peer sends, in PEM"),
    OPT_ROW_STRING(T, save_peer, 0, "save-peer", "FILE",
                   "write the peer's own certificate, in PEM"),
    OPT_END
};

const struct opt tls_pipe_opts[] = {
    OPT_ROW_FLAG(T, defer_handshake, 0, "defer-handshake",
                 "no handshake before there is something to send or to read"),
    OPT_ROW_CHOICE(T, on_eof, 0, "on-eof", "WHAT", on_eof_names,
                   "what the end of stdin does: half-close unless given"),
    OPT_ROW_FLAG(T, allow_truncation, 0, "allow-truncation",
                 "a peer that closes without close_notify is no error"),
    OPT_ROW_DURATION(T, idle_timeout, 0, "idle-timeout",
                     "end when no byte moves for this long"),
    OPT_ROW_FLAG(T, ktls, 0, "ktls",
                 "after the handshake, have the kernel encrypt, if it can"),
    OPT_END
};

const struct opt tls_time_opts[] = {
    OPT_ROW_DURATION(T, handshake_timeout, 0, "handshake-timeout",
                     "give the handshake this long (default 10)"),
    OPT_ROW_DURATION(T, max_time, 0, "max-time",
                     "end the whole run after this long"),
    OPT_END
};

const struct opt tls_wire_opts[] = {
    OPT_ROW_STRING(T, keylog, 0, "keylog", "FILE",
                   "append the secrets to this file, for Wireshark (default "
                   "SSLKEYLOGFILE)"),
    OPT_ROW_OPTIONAL(T, trace, 0, "trace", "hex",
                     "show each message as it goes by, or its bytes too, and "
                     "what it cost"),
    OPT_ROW_CHOICE(T, color, 0, "color", "WHEN", color_names,
                   "colours in what --trace shows: auto unless given"),
    OPT_END
};

const struct opt tls_output_opts[] = {
    OPT_ROW_COUNT(T, verbose, 'v', "verbose",
                  "say on stderr what was agreed on, and how it ended"),
    OPT_ROW_OPTIONAL(T, json, 0, "json", "FILE",
                     "report as JSON on stderr, or in this file"),
    OPT_END
};

#undef T

/* Bytes that a DATA option named; freed after they are loaded. */
struct piece {
    unsigned char *data;
    size_t len;
};

/* A file of certificates may have their key as well. */
static void piece_free(struct piece *p) {
    wipe_free(p->data, p->len);
}

static int read_piece(struct piece *p, const char *option, const char *data,
                      struct err *err) {
    struct err why = ERR_INIT;
    if (data == NULL || data_read(data, &p->data, &p->len, &why) == 0) {
        return 0;
    }
    return err_set(err, why.origin, why.code, "%s: %s", option, why.msg);
}

/* A path as it is, without the forms that DATA has. */
static int read_file(struct piece *p, const char *option, const char *path,
                     struct err *err) {
    struct err why = ERR_INIT;
    if (path != NULL && path[0] == '\0') {
        return err_set(err, ERR_USAGE, 0, "%s: the path is empty", option);
    }
    if (path == NULL ||
        file_read(path, FILE_MAX, &p->data, &p->len, &why) == 0) {
        return 0;
    }
    return err_set(err, why.origin, why.code, "%s: %s", option, why.msg);
}

const char *tls_data_name(const char *data) {
    static const char *const forms[] = { "base64:", "hex:", "pem:" };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strncmp(data, forms[i], strlen(forms[i])) == 0) {
            return forms[i];
        }
    }
    return data;
}

static bool is_inline(const char *data) {
    return tls_data_name(data) != data;
}

int tls_options_hide(struct tls_options *o, struct err *err) {
    for (size_t i = 0; i < o->keys.n; i++) {
        const char *given = o->keys.value[i];
        if (!is_inline(given) || o->hidden[i] != NULL) {
            continue;
        }
        char *copy = strdup(given);
        if (copy == NULL) {
            return err_set(err, ERR_OS, ENOMEM, "out of memory");
        }
        char *at = (char *)(uintptr_t)given + strlen(tls_data_name(given));
        memset(at, 'x', strlen(at));
        o->keys.value[i] = copy;
        o->hidden[i] = given;
    }
    return 0;
}

void tls_options_forget(struct tls_options *o) {
    for (size_t i = 0; i < o->keys.n; i++) {
        if (o->hidden[i] != NULL) {
            char *copy = (char *)(uintptr_t)o->keys.value[i];
            wipe_free(copy, strlen(copy));
            o->keys.value[i] = o->hidden[i];
            o->hidden[i] = NULL;
        }
    }
    if (o->self_signed != NULL) {
        ssl_self_signed_wipe_key(o->self_signed);
    }
}

static void add_source(char *buf, size_t len, const char *option,
                       const char *data) {
    size_t at = strlen(buf);
    if (data != NULL) {
        snprintf(buf + at, len - at, "%s%s %.60s", at != 0 ? ", " : "", option,
                 tls_data_name(data));
    }
}

/* The core knows bytes only; say which of two options they came from. */
static int bad_data(const struct err *why, const char *option, const char *data,
                    const char *option2, const char *data2, struct err *err) {
    char from[200] = "";
    if (why->origin == ERR_TLS) {
        add_source(from, sizeof from, option, data);
        add_source(from, sizeof from, option2, data2);
    }
    return err_set(err, why->origin, why->code, "%s%s%s%s", why->msg,
                   from[0] != '\0' ? " (" : "", from,
                   from[0] != '\0' ? ")" : "");
}

/* The i-th key as the setup before has it. */
static int copy_key(struct piece *k, const struct tls_setup *before, size_t i,
                    struct err *err) {
    k->len = SSL_KEY_DER_MAX;
    k->data = malloc(k->len);
    if (k->data == NULL) {
        k->len = 0;
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    size_t len = 0;
    int rc = ssl_context_write_key(&before->ctx, i, k->data, &len, err);
    k->len = len;
    return rc;
}

static int load_pair(struct tls_setup *s, const struct tls_options *o, size_t i,
                     const struct tls_setup *before, struct err *err) {
    const char *cert = o->certs.value[i], *key = o->keys.value[i];
    struct piece c = { NULL, 0 }, k = { NULL, 0 };
    struct err why = ERR_INIT;
    int rc = -1;
    if (read_piece(&c, "--cert", cert, err) == 0 &&
        (before != NULL && is_inline(key)
             ? copy_key(&k, before, i, err)
             : read_piece(&k, "--key", key, err)) == 0) {
        rc = ssl_context_load_cert_chain(&s->ctx, c.data, c.len, k.data, k.len,
                                         &why);
        if (rc != 0) {
            bad_data(&why, "--cert", cert, "--key", key, err);
        }
    }
    piece_free(&c);
    piece_free(&k);
    return rc;
}

static int load_self_signed(struct tls_setup *s,
                            const struct ssl_self_signed *made,
                            const struct tls_setup *before, struct err *err) {
    struct piece k = { NULL, 0 };
    int rc = before != NULL ? copy_key(&k, before, 0, err) : 0;
    if (rc == 0) {
        rc = ssl_context_load_cert_chain(&s->ctx, made->cert, made->cert_len,
                                         before != NULL ? k.data : made->key,
                                         before != NULL ? k.len : made->key_len,
                                         err);
    }
    piece_free(&k);
    return rc;
}

static int load_pairs(struct tls_setup *s, const struct tls_options *o,
                      const struct tls_setup *before, struct err *err) {
    for (size_t i = 0; i < o->certs.n; i++) {
        if (load_pair(s, o, i, before, err) != 0) {
            return -1;
        }
    }
    return o->self_signed != NULL
               ? load_self_signed(s, o->self_signed, before, err)
               : 0;
}

static int read_pins(struct tls_setup *s, const struct opt_many *pins,
                     struct err *err) {
    for (size_t i = 0; i < pins->n; i++) {
        if (!ssl_pin_read(pins->value[i], &s->pins[i])) {
            return err_set(err, ERR_USAGE, 0,
                           "--pin: '%.80s' is not sha256/ and 44 digits of "
                           "base64",
                           pins->value[i]);
        }
    }
    return 0;
}

static int make_context(struct tls_setup *s, const struct tls_options *o,
                        const struct tls_setup *before, struct err *err) {
    struct err why = ERR_INIT;
    if (ssl_wrap_context(&s->ctx, &s->args, &why) != 0) {
        return bad_data(&why, "--cafile", o->cafile, "--cadata", o->cadata,
                        err);
    }
    if ((o->device.played &&
         ssl_profile_apply(&o->device.profile, &s->ctx, err) != 0) ||
        load_pairs(s, o, before, err) != 0) {
        return -1;
    }
    if ((o->min_version >= 0 || o->max_version >= 0) &&
        ssl_context_set_versions(
            &s->ctx,
            o->min_version >= 0 ? (enum ssl_version)o->min_version
                                : s->ctx.min_wanted,
            o->max_version >= 0 ? (enum ssl_version)o->max_version
                                : s->ctx.max_wanted,
            err) != 0) {
        return -1;
    }
    if (o->ciphers != NULL &&
        ssl_context_set_ciphers(&s->ctx, o->ciphers, err) != 0) {
        return -1;
    }
    if (o->max_fragment_length >= 0 &&
        ssl_context_set_max_fragment_length(
            &s->ctx, (size_t)512 << o->max_fragment_length, err) != 0) {
        return -1;
    }
    if (o->alpn != NULL && ssl_context_set_alpn(&s->ctx, o->alpn, err) != 0) {
        return -1;
    }
    if (o->tickets && ssl_context_give_tickets(&s->ctx, err) != 0) {
        return -1;
    }
    s->ctx.allow_truncation = o->allow_truncation;
    s->ctx.no_close_notify |= o->mp_defaults;
    s->ctx.now = &s->now;
    ssl_context_set_pins(&s->ctx, s->pins, o->pins.n);
    return 0;
}

static int set_trust(struct tls_setup *s, const struct tls_options *o,
                     struct err *err) {
    if (s->args.cert_reqs == SSL_CERT_NONE) {
        return 0;
    }
    if (o->cafile != NULL || o->cadata != NULL) {
        s->trust = o->cafile != NULL ? "--cafile" : "--cadata";
        return 0;
    }
    /* MicroPython: has no store to fall back on. */
    if (o->mp_defaults || (o->device.played && !o->device.profile.has_store)) {
        return 0;
    }
    if (ca_store_find(&s->store, err) != 0) {
        return -1;
    }
    s->trust = s->store.where;
    ssl_context_set_ca_source(&s->ctx, ca_store_read, &s->store);
    return 0;
}

static int load_crl(struct tls_setup *s, const char *data, struct err *err) {
    struct piece crl = { NULL, 0 };
    struct err why = ERR_INIT;
    if (data == NULL) {
        return 0;
    }
    int rc = read_piece(&crl, "--crl", data, err);
    if (rc == 0 &&
        ssl_context_load_crl(&s->ctx, crl.data, crl.len, &why) != 0) {
        /* MicroPython: reads no CRL, and has no code for it. */
        rc = err_set(err, ERR_FILE, 0, "--crl %.60s: %s", tls_data_name(data),
                     why.msg);
    }
    piece_free(&crl);
    return rc;
}

static enum ssl_verify_mode verify_mode(const struct tls_options *o,
                                        bool server) {
    if (o->verify >= 0) {
        return (enum ssl_verify_mode)o->verify;
    }
    /* MicroPython: cert_reqs=CERT_NONE is wrap_socket's default. */
    if (server || o->mp_defaults) {
        return SSL_CERT_NONE;
    }
    return o->device.played ? o->device.profile.verify_mode : SSL_CERT_REQUIRED;
}

static int check_pairs(const struct tls_options *o, bool server,
                       struct err *err) {
    size_t certs = o->certs.n, keys = o->keys.n;
    if (certs > 1 && keys > 1 && !server) {
        return err_set(err, ERR_USAGE, 0,
                       "only serve takes more than one --cert and --key");
    }
    if (certs > 0 && keys > 0 && certs != keys) {
        return err_set(err, ERR_USAGE, 0,
                       "each --cert wants a --key: there are %zu and %zu",
                       certs, keys);
    }
    if (certs != keys) {
        return err_set(err, ERR_USAGE, 0, "%s wants %s beside it",
                       certs > 0 ? "--cert" : "--key",
                       certs > 0 ? "--key" : "--cert");
    }
    return 0;
}

/* What a device does, and what is seen of a message, is Mbed TLS's. */
static int check_ktls(const struct tls_options *o, struct err *err) {
    const char *other = o->as != NULL            ? "--as"
                        : o->max_in_record != 0  ? "--max-in-record"
                        : o->max_out_record != 0 ? "--max-out-record"
                        : o->heap_limit != 0     ? "--heap-limit"
                        : o->heap_fail_at != 0   ? "--heap-fail-at"
                        : o->trace.given         ? "--trace"
                                                 : NULL;
    if (!o->ktls || other == NULL) {
        return 0;
    }
    return err_set(err, ERR_USAGE, 0,
                   "--ktls does not go with %s, for which Mbed TLS has to "
                   "encrypt",
                   other);
}

static int check_usage(const struct tls_options *o, bool server,
                       struct err *err) {
    if (o->cafile != NULL && o->cadata != NULL) {
        return err_set(err, ERR_USAGE, 0,
                       "--cafile and --cadata are one or the other");
    }
    if (check_pairs(o, server, err) != 0 || check_ktls(o, err) != 0) {
        return -1;
    }
    if (o->tickets &&
        (verify_mode(o, server) != SSL_CERT_NONE || o->pins.n > 0)) {
        return err_set(err, ERR_USAGE, 0,
                       "--tickets goes with neither --verify nor --pin: a "
                       "session that is resumed brings no certificate");
    }
    if (o->crl != NULL && verify_mode(o, server) == SSL_CERT_NONE) {
        return err_set(err, ERR_USAGE, 0,
                       "--crl wants --verify required or optional");
    }
    if (o->crl != NULL && o->cafile == NULL && o->cadata == NULL) {
        return err_set(err, ERR_USAGE, 0, "--crl wants --cafile or --cadata");
    }
    if (o->save_chain != NULL && o->save_peer != NULL &&
        strcmp(o->save_chain, o->save_peer) == 0) {
        return err_set(err, ERR_USAGE, 0,
                       "--save-chain and --save-peer both write %.100s",
                       o->save_peer);
    }
    return 0;
}

int tls_setup_init(struct tls_setup *s, const struct tls_options *o,
                   bool server, const struct tls_setup *before,
                   struct err *err) {
    struct piece ca = { NULL, 0 };
    int rc = -1;
    memset(s, 0, sizeof *s);
    s->keylog.fd = -1;
    if (o->keys.n > 0) {
        jail_no_core_dumps();
    }
    if (trace_check(&o->trace, err) != 0) {
        goto out;
    }
    if (check_usage(o, server, err) != 0 || tls_setup_clock(s, o, err) != 0 ||
        read_pins(s, &o->pins, err) != 0 ||
        read_piece(&ca, "--cadata", o->cadata, err) != 0 ||
        read_file(&ca, "--cafile", o->cafile, err) != 0) {
        goto out;
    }
    s->args = (struct ssl_wrap_args){
        .server_side = server,
        .cadata = ca.data,
        .cadata_len = ca.len,
        .cert_reqs = verify_mode(o, server),
        .do_handshake = !o->defer_handshake,
        .device = &o->device.limits,
    };
    if (make_context(s, o, before, err) != 0 || set_trust(s, o, err) != 0 ||
        load_crl(s, o->crl, err) != 0 ||
        keylog_open(&s->keylog, o->keylog, err) != 0) {
        goto out;
    }
    if (s->keylog.fd >= 0) {
        s->ctx.keylog = keylog_write;
        s->ctx.keylog_arg = &s->keylog;
    }
    rc = 0;
out:
    piece_free(&ca);
    s->args.cadata = NULL;
    return rc;
}

int tls_setup_clock(struct tls_setup *s, const struct tls_options *o,
                    struct err *err) {
    const char *boot = o->device.profile.clock;
    return clock_read(o->time == NULL && boot[0] != '\0' ? boot : o->time,
                      &s->now, err);
}

void tls_setup_free(struct tls_setup *s) {
    ssl_context_free(&s->ctx);
    ca_store_free(&s->store);
    keylog_close(&s->keylog);
}

enum pump_on_eof tls_on_eof(const struct tls_options *o, bool server) {
    if (o->on_eof >= 0) { /* the names are in the enumeration's order */
        return (enum pump_on_eof)o->on_eof;
    }
    return server ? PUMP_WAIT_EMPTY : PUMP_HALF_CLOSE;
}
