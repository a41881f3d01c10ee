#include "tls/ssl_profile.h"

#include <stdio.h>
#include <string.h>

#include "tls/ssl_socket.h"

enum {
    TLS12 = 0x0303,
    TLS13 = 0x0304,
    SCSV = 0x00FF, /* TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 3.3) */
    SERVER_NAME = 0,
    MAX_FRAGMENT_LENGTH = 1,
    ENCRYPT_THEN_MAC = 22,
    EXTENDED_MASTER_SECRET = 23,
    SESSION_TICKET = 35
};

/* Made from src/profiles: { NAME, TEXT }, ... */
static const struct {
    const char *name, *text;
} built_in[] = {
#include "profiles.inc"
};

const char *ssl_profile_name(size_t i) {
    return i < sizeof built_in / sizeof built_in[0] ? built_in[i].name : NULL;
}

const char *ssl_profile_text(const char *name) {
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
        if (strcmp(built_in[i].name, name) == 0) {
            return built_in[i].text;
        }
    }
    return NULL;
}

int ssl_profile_load(struct ssl_profile *p, const char *name, struct err *err) {
    const char *text = ssl_profile_text(name);
    return text != NULL ? ssl_profile_read(p, name, text, err)
                        : err_set(err, ERR_USAGE, 0,
                                  "there is no profile '%.60s'", name);
}

static bool sends(const struct ssl_profile *p, unsigned extension) {
    return ssl_ids_has(&p->extensions, extension);
}

/* What a device with this buffer would ask for. */
static size_t fragment_of(const struct ssl_profile *p) {
    size_t n = 4096;
    while (n > 512 && n > p->device.max_in_record) {
        n /= 2;
    }
    return n;
}

int ssl_profile_apply(const struct ssl_profile *p, struct ssl_context *ctx,
                      struct err *err) {
    mbedtls_ssl_config *conf = &ctx->conf;
    size_t n = 0;
    _Static_assert((int)SSL_PROFILE_IDS <= (int)SSL_CIPHERS_MAX, "room");
    for (const uint16_t *c = p->ciphers; *c != 0; c++) {
        if (mbedtls_ssl_ciphersuite_from_id(*c) != NULL) {
            ctx->ciphers[n++] = *c;
        }
    }
    ctx->ciphers[n] = 0;
    mbedtls_ssl_conf_ciphersuites(conf, ctx->ciphers);
    mbedtls_ssl_conf_groups(conf, p->groups);
    mbedtls_ssl_conf_sig_algs(conf, p->sig_algs);
    mbedtls_ssl_conf_extended_master_secret(
        conf, sends(p, EXTENDED_MASTER_SECRET)
                  ? MBEDTLS_SSL_EXTENDED_MS_ENABLED
                  : MBEDTLS_SSL_EXTENDED_MS_DISABLED);
    mbedtls_ssl_conf_encrypt_then_mac(conf, sends(p, ENCRYPT_THEN_MAC)
                                                ? MBEDTLS_SSL_ETM_ENABLED
                                                : MBEDTLS_SSL_ETM_DISABLED);
    mbedtls_ssl_conf_session_tickets(
        conf, sends(p, SESSION_TICKET) ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                       : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    if (sends(p, MAX_FRAGMENT_LENGTH) &&
        ssl_context_set_max_fragment_length(ctx, fragment_of(p), err) != 0) {
        return -1;
    }
    ctx->profile = &p->certs;
    mbedtls_ssl_conf_cert_profile(conf, ctx->profile);
    ctx->no_close_notify = !p->close_notify;
    return ssl_context_set_versions(
        ctx, p->min_version < TLS13 ? SSL_TLS_1_2 : SSL_TLS_1_3,
        p->max_version < TLS13 ? SSL_TLS_1_2 : SSL_TLS_1_3, err);
}

/* A stream that takes all that is written, and has nothing to read. */
static ssize_t nothing(struct stream *s, void *buf, size_t len,
                       struct err *err) {
    (void)s;
    (void)buf;
    (void)len;
    (void)err;
    return STREAM_WANT_RD;
}

static ssize_t taken(struct stream *s, const void *buf, size_t len,
                     struct err *err) {
    (void)s;
    (void)buf;
    (void)err;
    return (ssize_t)len;
}

static int ended(struct stream *s, struct err *err) {
    (void)s;
    (void)err;
    return 0;
}

/* The hello that a client of this profile sends. */
static int hello(const struct ssl_profile *p, struct ssl_offer *offer,
                 struct err *err) {
    static const struct stream_ops ops = { nothing, taken, ended };
    static struct ssl_info info;
    struct stream sink = { .ops = &ops, .fd = -1 };
    struct ssl_context ctx;
    struct ssl_socket sock;
    char cipher[SSL_CIPHER_NAME_MAX];
    int rc = -1;
    memset(&sock, 0, sizeof sock);
    memset(&info, 0, sizeof info);
    mbedtls_ssl_init(&sock.ssl);
    if (ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, err) == 0 &&
        ssl_context_set_verify_mode(&ctx, SSL_CERT_NONE, err) == 0 &&
        ssl_profile_apply(p, &ctx, err) == 0 &&
        ssl_context_wrap_socket(&ctx, &sock, &sink,
                                sends(p, SERVER_NAME) ? "localhost" : NULL,
                                err) == 0 &&
        ssl_socket_do_handshake(&sock, err) == STREAM_WANT_RD) {
        ssl_socket_info(&sock, &info, cipher);
        *offer = info.ours;
        rc = 0;
    }
    ssl_socket_free(&sock);
    ssl_context_free(&ctx);
    return rc;
}

/* What is in `a` and not in `b`. */
static void less(const struct ssl_ids *a, const struct ssl_ids *b,
                 struct ssl_ids *out) {
    out->n = 0;
    for (size_t i = 0; i < a->n; i++) {
        if (!ssl_ids_has(b, a->id[i])) {
            ssl_ids_add(out, a->id[i]);
        }
    }
}

static void as_ids(const uint16_t *list, struct ssl_ids *ids) {
    for (; *list != 0; list++) {
        ssl_ids_add(ids, *list);
    }
}

void ssl_profile_offer(const struct ssl_profile *p, struct ssl_offer *offer) {
    memset(offer, 0, sizeof *offer);
    offer->known = true;
    for (unsigned v = p->max_version; v >= p->min_version; v--) {
        ssl_ids_add(&offer->of[SSL_KIND_VERSION], v);
    }
    as_ids(p->ciphers, &offer->of[SSL_KIND_CIPHER]);
    as_ids(p->groups, &offer->of[SSL_KIND_GROUP]);
    as_ids(p->sig_algs, &offer->of[SSL_KIND_SIG_ALG]);
    offer->of[SSL_KIND_EXTENSION] = p->extensions;
}

int ssl_profile_compare(const struct ssl_profile *p, struct ssl_offer *lacks,
                        struct ssl_offer *more, struct err *err) {
    struct ssl_offer got, wanted;
    ssl_profile_offer(p, &wanted);
    memset(lacks, 0, sizeof *lacks);
    memset(more, 0, sizeof *more);
    if (hello(p, &got, err) != 0) {
        return -1;
    }
    /* A suite that means something else, and is Mbed TLS's in each hello. */
    ssl_ids_add(&wanted.of[SSL_KIND_CIPHER], SCSV);
    /* A hello for TLS 1.2 is one for all that is older as well: it cannot say
     * that we have none of that. */
    struct ssl_ids *versions = &got.of[SSL_KIND_VERSION];
    while (versions->n > 0 && versions->id[versions->n - 1] < TLS12) {
        versions->n--;
    }
    for (int k = 0; k < SSL_OFFER_KINDS; k++) {
        less(&wanted.of[k], &got.of[k], &lacks->of[k]);
        less(&got.of[k], &wanted.of[k], &more->of[k]);
    }
    lacks->known = more->known = true;
    return 0;
}
