#include "tls/ssl_context.h"
#include "tls/compat.h"

#include <mbedtls/debug.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

#include "accel/accel.h"
#include "base/cpu.h"
#include "tls/ssl_failure.h"
#include "tls/ssl_identity.h"
#include "tls/ssl_parse.h"
#include "tls/ssl_verify.h"

/* What is offered and accepted, best first. PKCS#1 v1.5 stands before PSS:
 * with PSS first, Mbed TLS 3.6.6 offering both versions fails against a
 * server of TLS 1.2 only that signs with RSA (Mbed-TLS/mbedtls #10668). In
 * TLS 1.3 the v1.5 values mean certificates only (RFC 8446 4.2.3). */
static const uint16_t sig_algs[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
    MBEDTLS_TLS1_3_SIG_NONE,
};

enum { DHM_MIN_BITS = 2048 }; /* the library would take 1024 */

static void set_versions(struct ssl_context *ctx) {
    static const mbedtls_ssl_protocol_version ids[] = {
        [SSL_TLS_1_2] = MBEDTLS_SSL_VERSION_TLS1_2,
        [SSL_TLS_1_3] = MBEDTLS_SSL_VERSION_TLS1_3,
    };
    mbedtls_ssl_conf_min_tls_version(&ctx->conf, ids[ctx->min_version]);
    mbedtls_ssl_conf_max_tls_version(&ctx->conf, ids[ctx->max_version]);
}

static void set_authmode(struct ssl_context *ctx) {
    static const int modes[] = {
        [SSL_CERT_NONE] = MBEDTLS_SSL_VERIFY_NONE,
        [SSL_CERT_OPTIONAL] = MBEDTLS_SSL_VERIFY_OPTIONAL,
        [SSL_CERT_REQUIRED] = MBEDTLS_SSL_VERIFY_REQUIRED,
    };
    int mode = modes[ctx->verify_mode];
    if (ctx->pins.n > 0 && ctx->verify_mode == SSL_CERT_NONE &&
        ctx->protocol == SSL_PROTOCOL_TLS_SERVER) {
        mode = MBEDTLS_SSL_VERIFY_OPTIONAL; /* or it would not ask for one */
    }
    mbedtls_ssl_conf_authmode(&ctx->conf, mode);
}

/* Mbed TLS gives the reason of a failure only here: in its last line that
 * does not just repeat an error code or tell of progress. */
static void on_debug(void *arg, int level, const char *file, int line,
                     const char *text) {
    static const char *const idle[] = { "Negotiated version", "Switch to ",
                                        "Perform PSA" };
    struct ssl_context *ctx = arg;
    char all[512];
    (void)file;
    (void)line;
    if (ctx->debug != NULL) {
        snprintf(all, sizeof all, "%.*s", (int)strcspn(text, "\n"), text);
        ctx->debug(ctx->debug_arg, level, all);
    }
    if (level > 1) {
        return;
    }
    static const char cause[] = "DHM prime too short"; /* and two follow-ups */
    bool news = strstr(text, "() returned") == NULL &&
                strncmp(ctx->detail, cause, sizeof cause - 1) != 0;
    for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++) {
        news = news && strncmp(text, idle[i], strlen(idle[i])) != 0;
    }
    if (news) {
        snprintf(ctx->detail, sizeof ctx->detail, "%.*s",
                 (int)strcspn(text, "\n"), text);
    }
}

/* PSA allocates its table with the first key, and keeps it: that is not to be
 * charged to whichever connection comes first. */
static psa_status_t first_key(void) {
    static const unsigned char nothing[1] = "";
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t key;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_RAW_DATA);
    psa_status_t status =
        psa_import_key(&attributes, nothing, sizeof nothing, &key);
    return status == PSA_SUCCESS ? psa_destroy_key(key) : status;
}

int ssl_context_init(struct ssl_context *ctx, enum ssl_protocol protocol,
                     struct err *err) {
    memset(ctx, 0, sizeof *ctx);
    ctx->protocol = protocol;
    ctx->min_version = ctx->min_wanted = SSL_TLS_1_2;
    ctx->max_version = ctx->max_wanted = SSL_TLS_1_3;
    bool client = protocol == SSL_PROTOCOL_TLS_CLIENT;
    ctx->verify_mode = client ? SSL_CERT_REQUIRED : SSL_CERT_NONE;
    mbedtls_ssl_config_init(&ctx->conf);
    mbedtls_x509_crt_init(&ctx->ca);
    mbedtls_x509_crl_init(&ctx->crl);
    psa_status_t status = psa_crypto_init();
    status = status == PSA_SUCCESS ? first_key() : status;
    if (status != PSA_SUCCESS) {
        return err_set(err, ERR_TLS, status, "start the random generator");
    }
    ctx->heap = ssl_heap_open(NULL);
    int ret = mbedtls_ssl_config_defaults(
        &ctx->conf, client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (ret != 0) {
        return ssl_failure_of(err, ret, "make a context");
    }
    mbedtls_ssl_conf_rng(&ctx->conf, mbedtls_psa_get_random,
                         MBEDTLS_PSA_RANDOM_STATE);
    ctx->profile = &mbedtls_x509_crt_profile_default;
    mbedtls_ssl_conf_cert_profile(&ctx->conf, ctx->profile);
    mbedtls_ssl_conf_sig_algs(&ctx->conf, sig_algs);
    ssl_cipher_list(cpu_has_aes(), ctx->ciphers);
    mbedtls_ssl_conf_ciphersuites(&ctx->conf, ctx->ciphers);
    mbedtls_ssl_conf_dhm_min_bitlen(&ctx->conf, DHM_MIN_BITS);
    mbedtls_ssl_conf_dbg(&ctx->conf, on_debug, ctx);
    mbedtls_debug_set_threshold(1);
    set_versions(ctx);
    set_authmode(ctx);
    return 0;
}

void ssl_context_warm(struct ssl_context *ctx) {
    if (!ctx->have_ca) {
        ssl_verify_load_store(ctx);
    }
    if (ctx->quick) {
        (void)accel_nettle_library();
    }
}

void ssl_context_end(void) {
    mbedtls_psa_crypto_free();
}

int ssl_context_forked(struct err *err) {
    unsigned char drawn[1];
    psa_status_t status = compat_forked();
    status = status == PSA_SUCCESS ? first_key() : status;
    /* Not as part of the first handshake, whose heap is counted. */
    status = status == PSA_SUCCESS ? psa_generate_random(drawn, sizeof drawn)
                                   : status;
    return status == PSA_SUCCESS
               ? 0
               : err_set(err, ERR_TLS, status, "start the random generator");
}

static void free_tickets(struct ssl_context *ctx) {
    if (ctx->tickets != NULL) {
        mbedtls_ssl_ticket_free(ctx->tickets);
        mbedtls_free(ctx->tickets);
    }
}

void ssl_context_free(struct ssl_context *ctx) {
    mbedtls_ssl_config_free(&ctx->conf);
    ssl_identity_free(ctx->own);
    free_tickets(ctx);
    mbedtls_x509_crt_free(&ctx->ca);
    mbedtls_x509_crl_free(&ctx->crl);
    ssl_store_free(&ctx->store);
    ssl_heap_close(ctx->heap);
    memset(ctx, 0, sizeof *ctx);
    mbedtls_ssl_config_init(&ctx->conf);
    mbedtls_x509_crt_init(&ctx->ca);
    mbedtls_x509_crl_init(&ctx->crl);
}

int ssl_context_set_device(struct ssl_context *ctx,
                           const struct ssl_device *device, struct err *err) {
    ctx->device = *device;
    if (ctx->heap != NULL) {
        ctx->heap->limit.bytes = device->heap.bytes;
    }
    bool wanted = device->heap.bytes != 0 || device->heap.fail_at != 0;
    return !wanted || ssl_heap_counts()
               ? 0
               : err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE,
                         "this build cannot count the heap");
}

/* As the parser of a library without PEM would end. */
static int check_der(const struct ssl_context *ctx, const unsigned char *data,
                     size_t len, const char *what, struct err *err) {
    return !ctx->device.der_only || !ssl_parse_is_pem(data, len)
               ? 0
               : err_set(err, ERR_TLS, MBEDTLS_ERR_X509_INVALID_FORMAT,
                         "%s is in PEM, and the device reads DER only: openssl "
                         "%s -outform DER converts it",
                         what, strcmp(what, "the key") == 0 ? "pkey" : "x509");
}

int ssl_context_load_cert_chain(struct ssl_context *ctx,
                                const unsigned char *cert, size_t cert_len,
                                const unsigned char *key, size_t key_len,
                                struct err *err) {
    struct ssl_identity **end = &ctx->own;
    struct err why = ERR_INIT;
    if (check_der(ctx, cert, cert_len, "the certificate", err) != 0 ||
        check_der(ctx, key, key_len, "the key", err) != 0) {
        return -1;
    }
    ssl_heap_charge(ctx->heap);
    struct ssl_identity *fresh =
        ssl_identity_new(cert, cert_len, key, key_len,
                         ctx->protocol == SSL_PROTOCOL_TLS_SERVER, &why);
    ssl_heap_charge(NULL);
    if (fresh == NULL) {
        return ssl_failure_heap(ctx->heap, "to load the certificate and key",
                                (int)why.code, err)
                   ? -1
                   : err_set(err, why.origin, why.code, "%s", why.msg);
    }
    int ret = mbedtls_ssl_conf_own_cert(&ctx->conf, &fresh->cert, &fresh->key);
    if (ret != 0) {
        ssl_identity_free(fresh);
        return ssl_failure_of(err, ret, "use the certificate");
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = fresh;
    mbedtls_ssl_conf_set_user_data_p(&ctx->conf, ctx->own);
    mbedtls_ssl_conf_cert_cb(&ctx->conf, ssl_identity_choose);
    return 0;
}

int ssl_context_write_key(const struct ssl_context *ctx, size_t i,
                          unsigned char *der, size_t *len, struct err *err) {
    const struct ssl_identity *own = ctx->own;
    for (; own != NULL && i > 0; i--) {
        own = own->next;
    }
    int n = own == NULL
                ? MBEDTLS_ERR_PK_BAD_INPUT_DATA
                : mbedtls_pk_write_key_der(&own->key, der, SSL_KEY_DER_MAX);
    *len = n < 0 ? 0 : (size_t)n;
    memmove(der, der + SSL_KEY_DER_MAX - *len, *len); /* it is at the end */
    mbedtls_platform_zeroize(der + *len, SSL_KEY_DER_MAX - *len);
    return n < 0 ? ssl_failure_of(err, n, "copy the key") : 0;
}

static void set_ca_chain(struct ssl_context *ctx) {
    if (ctx->have_ca) {
        mbedtls_ssl_conf_ca_chain(&ctx->conf, &ctx->ca,
                                  ctx->have_crl ? &ctx->crl : NULL);
    }
}

int ssl_context_load_verify_locations(struct ssl_context *ctx,
                                      const unsigned char *cadata, size_t len,
                                      struct err *err) {
    mbedtls_x509_crt fresh;
    if (check_der(ctx, cadata, len, "the CA", err) != 0) {
        return -1;
    }
    mbedtls_x509_crt_init(&fresh);
    ssl_heap_charge(ctx->heap);
    int ret = ssl_parse_certs(&fresh, cadata, len);
    ssl_heap_charge(NULL);
    if (ret != 0) {
        mbedtls_x509_crt_free(&fresh);
        return ssl_failure_heap(ctx->heap, "to load the CA", ret, err)
                   ? -1
                   : ssl_parse_failed(err, ret, "the CA");
    }
    mbedtls_x509_crt *last = &ctx->ca;
    if (!ctx->have_ca) {
        *last = fresh;
    } else {
        while (last->next != NULL) {
            last = last->next;
        }
        last->next = mbedtls_calloc(1, sizeof fresh);
        if (last->next == NULL) {
            mbedtls_x509_crt_free(&fresh);
            return ssl_failure_of(err, MBEDTLS_ERR_X509_ALLOC_FAILED, "the CA");
        }
        *last->next = fresh;
    }
    ctx->have_ca = true;
    ctx->ca_was_pem = ctx->ca_was_pem || ssl_parse_is_pem(cadata, len);
    set_ca_chain(ctx);
    return 0;
}

int ssl_context_load_crl(struct ssl_context *ctx, const unsigned char *data,
                         size_t len, struct err *err) {
    mbedtls_x509_crl_free(&ctx->crl);
    mbedtls_x509_crl_init(&ctx->crl);
    int ret = ssl_parse_crls(&ctx->crl, data, len);
    if (ret != 0) {
        mbedtls_x509_crl_free(&ctx->crl);
        mbedtls_x509_crl_init(&ctx->crl);
    }
    ctx->have_crl = ret == 0;
    set_ca_chain(ctx);
    return ret == 0 ? 0 : ssl_failure_of(err, ret, "the CRL");
}

/* The library asks us: a device has its CA in its context, not a store. */
static int find_ca(void *ctx, const mbedtls_x509_crt *child,
                   mbedtls_x509_crt **cas) {
    struct ssl_heap_account *caller = ssl_heap_charge(NULL);
    int ret = ssl_verify_find_ca(ctx, child, cas);
    ssl_heap_charge(caller);
    return ret;
}

void ssl_context_set_ca_source(struct ssl_context *ctx, ssl_ca_source *source,
                               void *arg) {
    ctx->ca_source = source;
    ctx->ca_arg = arg;
    if (!ctx->have_ca) {
        mbedtls_ssl_conf_ca_cb(&ctx->conf, find_ca, ctx);
    }
}

void ssl_context_set_debug(struct ssl_context *ctx, int level, ssl_debug *debug,
                           const void *arg) {
    ctx->debug = debug;
    ctx->debug_arg = arg;
    mbedtls_debug_set_threshold(level);
}

int ssl_context_set_verify_mode(struct ssl_context *ctx,
                                enum ssl_verify_mode mode, struct err *err) {
    if (mode != SSL_CERT_NONE && mode != SSL_CERT_OPTIONAL &&
        mode != SSL_CERT_REQUIRED) {
        return err_set(err, ERR_USAGE, 0, "verify_mode %d is none of 0, 1, 2",
                       (int)mode);
    }
    ctx->verify_mode = mode;
    set_authmode(ctx);
    return 0;
}

void ssl_context_set_pins(struct ssl_context *ctx, const struct ssl_pin *pins,
                          size_t n) {
    ctx->pins = (struct ssl_pins){ n, pins };
    set_authmode(ctx);
}

enum ssl_verify_mode
ssl_context_get_verify_mode(const struct ssl_context *ctx) {
    return ctx->verify_mode;
}

const int *ssl_context_get_ciphers(const struct ssl_context *ctx) {
    return ctx->ciphers;
}

/* Which versions the suites chosen can speak. */
static void cipher_versions(const int *ciphers, bool *tls12, bool *tls13) {
    *tls12 = *tls13 = false;
    for (; *ciphers != 0; ciphers++) {
        bool is12, is13;
        ssl_cipher_versions(*ciphers, &is12, &is13);
        *tls12 |= is12;
        *tls13 |= is13;
    }
}

static int fit_versions(struct ssl_context *ctx, const int *ciphers,
                        enum ssl_version min, enum ssl_version max,
                        struct err *err) {
    static const char *const names[] = { "1.2", "1.3" };
    if (min > max) {
        return err_set(err, ERR_USAGE, 0,
                       "the lowest version, TLS %s, is above the highest, "
                       "TLS %s",
                       names[min], names[max]);
    }
    bool tls12, tls13;
    cipher_versions(ciphers, &tls12, &tls13);
    if (max == SSL_TLS_1_3 && !tls13) {
        max = SSL_TLS_1_2;
    }
    if (min == SSL_TLS_1_2 && !tls12) {
        min = SSL_TLS_1_3;
    }
    if (min > max) {
        return err_set(err, ERR_USAGE, 0,
                       "none of the cipher suites chosen works with the "
                       "TLS versions chosen");
    }
    ctx->min_version = min;
    ctx->max_version = max;
    set_versions(ctx);
    return 0;
}

int ssl_context_set_ciphers(struct ssl_context *ctx, const char *names,
                            struct err *err) {
    int chosen[SSL_CIPHERS_MAX + 1];
    size_t n = 0;
    for (const char *p = names;; p++) {
        size_t len = strcspn(p, ",:");
        int id = ssl_cipher_find(p, len);
        if (id == 0) {
            char word[SSL_CIPHER_NAME_MAX], near[SSL_CIPHER_NAME_MAX];
            snprintf(word, sizeof word, "%.*s", (int)len, p);
            const char *hint = ssl_cipher_nearest(word, near);
            return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_BAD_CONFIG,
                           "unknown cipher suite %s%s%s%s",
                           len == 0 ? "(empty)" : word,
                           hint != NULL ? "; did you mean " : "",
                           hint != NULL ? hint : "", hint != NULL ? "?" : "");
        }
        bool twice = false;
        for (size_t i = 0; i < n; i++) {
            twice |= chosen[i] == id;
        }
        if (!twice && n < SSL_CIPHERS_MAX) {
            chosen[n++] = id;
        }
        p += len;
        if (*p == '\0') {
            break;
        }
    }
    chosen[n] = 0;
    if (fit_versions(ctx, chosen, ctx->min_wanted, ctx->max_wanted, err) != 0) {
        return -1;
    }
    memcpy(ctx->ciphers, chosen, (n + 1) * sizeof chosen[0]);
    mbedtls_ssl_conf_ciphersuites(&ctx->conf, ctx->ciphers);
    return 0;
}

int ssl_context_set_versions(struct ssl_context *ctx, enum ssl_version min,
                             enum ssl_version max, struct err *err) {
    if (fit_versions(ctx, ssl_context_get_ciphers(ctx), min, max, err) != 0) {
        return -1;
    }
    ctx->min_wanted = min;
    ctx->max_wanted = max;
    return 0;
}

int ssl_context_give_tickets(struct ssl_context *ctx, struct err *err) {
    static const char what[] = "make a key for tickets";
    ctx->tickets = mbedtls_calloc(1, sizeof *ctx->tickets);
    if (ctx->tickets == NULL) {
        return ssl_failure_of(err, MBEDTLS_ERR_SSL_ALLOC_FAILED, what);
    }
    mbedtls_ssl_ticket_init(ctx->tickets);
    int ret = mbedtls_ssl_ticket_setup(
        ctx->tickets, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE,
        MBEDTLS_CIPHER_AES_256_GCM, SSL_TICKET_SECONDS);
    if (ret != 0) {
        return ssl_failure_of(err, ret, what);
    }
    mbedtls_ssl_conf_session_tickets_cb(&ctx->conf, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, ctx->tickets);
    return 0;
}

int ssl_context_set_max_fragment_length(struct ssl_context *ctx, size_t bytes,
                                        struct err *err) {
    static const struct {
        size_t bytes;
        unsigned char code;
    } rows[] = {
        { 512, MBEDTLS_SSL_MAX_FRAG_LEN_512 },
        { 1024, MBEDTLS_SSL_MAX_FRAG_LEN_1024 },
        { 2048, MBEDTLS_SSL_MAX_FRAG_LEN_2048 },
        { 4096, MBEDTLS_SSL_MAX_FRAG_LEN_4096 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].bytes == bytes) {
            int ret = mbedtls_ssl_conf_max_frag_len(&ctx->conf, rows[i].code);
            return ret == 0 ? 0
                            : ssl_failure_of(err, ret, "max_fragment_length");
        }
    }
    return err_set(
        err, ERR_USAGE, 0,
        "max_fragment_length %zu is none of 512, 1024, 2048 and 4096", bytes);
}

int ssl_context_set_alpn(struct ssl_context *ctx, const char *names,
                         struct err *err) {
    enum { NAME_MAX_BYTES = 255 }; /* RFC 7301 3.1 */
    size_t n = 0, at = 0;
    for (const char *p = names;; p++) {
        size_t len = strcspn(p, ",");
        if (len == 0 || len > NAME_MAX_BYTES || n == SSL_ALPN_MAX ||
            at + len + 1 > sizeof ctx->alpn) {
            return err_set(err, ERR_USAGE, 0,
                           "ALPN '%.60s': 1 to %d protocols of 1 to %d bytes "
                           "are wanted",
                           names, SSL_ALPN_MAX, NAME_MAX_BYTES);
        }
        memcpy(ctx->alpn + at, p, len);
        ctx->alpn[at + len] = '\0';
        ctx->alpn_list[n++] = ctx->alpn + at;
        at += len + 1;
        p += len;
        if (*p == '\0') {
            break;
        }
    }
    ctx->alpn_list[n] = NULL;
    int ret = mbedtls_ssl_conf_alpn_protocols(&ctx->conf, ctx->alpn_list);
    return ret == 0 ? 0 : ssl_failure_of(err, ret, "set the ALPN protocols");
}

int ssl_wrap_context(struct ssl_context *ctx, const struct ssl_wrap_args *args,
                     struct err *err) {
    if (ssl_context_init(ctx,
                         args->server_side ? SSL_PROTOCOL_TLS_SERVER
                                           : SSL_PROTOCOL_TLS_CLIENT,
                         err) != 0) {
        return -1;
    }
    if ((args->cert == NULL) != (args->key == NULL)) {
        return err_set(err, ERR_USAGE, 0,
                       "a certificate and its key go "
                       "together: %s is missing",
                       args->cert == NULL ? "--cert" : "--key");
    }
    if (args->device != NULL &&
        ssl_context_set_device(ctx, args->device, err) != 0) {
        return -1;
    }
    if (args->cert != NULL &&
        ssl_context_load_cert_chain(ctx, args->cert, args->cert_len, args->key,
                                    args->key_len, err) != 0) {
        return -1;
    }
    if (args->cadata != NULL &&
        ssl_context_load_verify_locations(ctx, args->cadata, args->cadata_len,
                                          err) != 0) {
        return -1;
    }
    if (ssl_context_set_verify_mode(ctx, args->cert_reqs, err) != 0) {
        return -1;
    }
    ctx->made = true;
    return 0;
}
