#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tls/compat.h"
#include "tls/ssl_diagnose.h"
#include "tls/ssl_own_key.h"
#include "tls/ssl_suite.h"

static void copy(char *buf, size_t size, const char *text) {
    if (text != NULL) {
        text_append(buf, size, text, strlen(text));
    }
}

struct ssl_finding *ssl_diagnose_add(struct ssl_info *info, const char *name,
                                     const char *here, const char *there,
                                     const char *fmt, ...) {
    for (size_t i = 0; i < info->finding_count; i++) {
        if (strcmp(info->findings[i].name, name) == 0) {
            return NULL;
        }
    }
    if (info->finding_count >= SSL_FINDINGS_MAX) {
        return NULL;
    }
    struct ssl_finding *f = &info->findings[info->finding_count++];
    char text[SSL_TEXT_MAX] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memset(f, 0, sizeof *f);
    f->name = name;
    copy(f->text, sizeof f->text, text);
    copy(f->here, sizeof f->here, here);
    copy(f->there, sizeof f->there, there);
    return f;
}

static bool is_server(const struct ssl_context *ctx) {
    return ctx->protocol == SSL_PROTOCOL_TLS_SERVER;
}

static bool usable(const struct ssl_context *ctx, const char *asked,
                   const struct ssl_suite *s) {
    if (s->psk && !compat_has_psk(&ctx->conf)) {
        return false;
    }
    if ((s->tls12 && ctx->min_version > SSL_TLS_1_2) ||
        (s->tls13 && ctx->max_version < SSL_TLS_1_3)) {
        return false;
    }
    return !is_server(ctx) || ssl_own_key_fits(ctx, asked, s);
}

static void list_ciphers(const struct ssl_context *ctx, const char *asked,
                         struct ssl_offer *offer, bool *ec) {
    const int *ids = ssl_context_get_ciphers(ctx);
    for (*ec = false; *ids != 0; ids++) {
        struct ssl_suite s = ssl_suite_of((unsigned)*ids);
        if (usable(ctx, asked, &s)) {
            ssl_ids_add(&offer->of[SSL_KIND_CIPHER], (unsigned)*ids);
            *ec = *ec || s.ec;
        }
    }
    if (!is_server(ctx)) { /* TLS_EMPTY_RENEGOTIATION_INFO_SCSV, RFC 5746 */
        ssl_ids_add(&offer->of[SSL_KIND_CIPHER], 0x00FF);
    }
}

/* What a server signs a handshake with. In TLS 1.2 Mbed TLS takes whatever hash
 * the client names first, if it has it, and does not look at its own list. */
static void list_signatures(const struct ssl_context *ctx, const char *asked,
                            struct ssl_offer *offer) {
    static const struct {
        unsigned id; /* RFC 5246 7.4.1.4.1 */
        mbedtls_md_type_t md;
    } hashes[] = { { 4, MBEDTLS_MD_SHA256 }, { 5, MBEDTLS_MD_SHA384 },
                   { 6, MBEDTLS_MD_SHA512 }, { 3, MBEDTLS_MD_SHA224 },
                   { 2, MBEDTLS_MD_SHA1 },   { 1, MBEDTLS_MD_MD5 } };
    struct ssl_ids *out = &offer->of[SSL_KIND_SIG_ALG];
    const uint16_t *ids = compat_sig_algs(&ctx->conf);
    bool tls12 = ctx->min_version == SSL_TLS_1_2;
    for (; ids != NULL && *ids != 0; ids++) {
        if (ctx->max_version == SSL_TLS_1_3 &&
            ssl_own_key_signs(ctx, asked, *ids, true)) {
            ssl_ids_add(out, *ids);
        }
    }
    for (size_t i = 0; tls12 && i < sizeof hashes / sizeof hashes[0]; i++) {
        static const unsigned keys[] = { 3, 1 }; /* ECDSA, RSA */
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            unsigned id = hashes[i].id << 8 | keys[k];
            if (mbedtls_md_info_from_type(hashes[i].md) != NULL &&
                ssl_own_key_signs(ctx, asked, id, false)) {
                ssl_ids_add(out, id);
            }
        }
    }
}

static void list_sig_algs(const struct ssl_context *ctx, const char *asked,
                          struct ssl_offer *offer) {
    const uint16_t *ids = compat_sig_algs(&ctx->conf);
    if (is_server(ctx)) {
        list_signatures(ctx, asked, offer);
        return;
    }
    for (; ids != NULL && *ids != 0; ids++) {
        bool pair = *ids >> 8 <= 6; /* as TLS 1.2 writes them */
        if (pair || ctx->max_version == SSL_TLS_1_3) {
            ssl_ids_add(&offer->of[SSL_KIND_SIG_ALG], *ids);
        }
    }
}

void ssl_diagnose_ours(const struct ssl_context *ctx, const char *asked,
                       struct ssl_offer *offer) {
    memset(offer, 0, sizeof *offer);
    offer->known = true;
    bool ec, tls13 = ctx->max_version == SSL_TLS_1_3;
    if (tls13) {
        ssl_ids_add(&offer->of[SSL_KIND_VERSION], 0x0304);
    }
    if (ctx->min_version == SSL_TLS_1_2) {
        ssl_ids_add(&offer->of[SSL_KIND_VERSION], 0x0303);
    }
    list_ciphers(ctx, asked, offer, &ec);
    const uint16_t *groups = compat_groups(&ctx->conf);
    for (; groups != NULL && *groups != 0; groups++) {
        if ((tls13 && ssl_suite_group(*groups, true)) ||
            (ec && ssl_suite_group(*groups, false))) {
            ssl_ids_add(&offer->of[SSL_KIND_GROUP], *groups);
        }
    }
    list_sig_algs(ctx, asked, offer);
    for (const char *const *alpn = ctx->alpn_list; *alpn != NULL; alpn++) {
        copy(offer->alpn, sizeof offer->alpn, offer->alpn[0] ? ", " : "");
        copy(offer->alpn, sizeof offer->alpn, *alpn);
    }
}
