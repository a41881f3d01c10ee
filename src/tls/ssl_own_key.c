#include "tls/ssl_own_key.h"

#include <mbedtls/ecp.h>

#include "tls/ssl_identity.h"

static enum ssl_suite_key kind_of(const struct ssl_identity *own) {
    switch (mbedtls_pk_get_type(&own->cert.pk)) {
    case MBEDTLS_PK_RSA:
    case MBEDTLS_PK_RSASSA_PSS:
        return SSL_KEY_RSA;
    case MBEDTLS_PK_ECKEY:
    case MBEDTLS_PK_ECDSA:
    case MBEDTLS_PK_ECKEY_DH:
        return SSL_KEY_EC;
    default:
        return SSL_KEY_NONE;
    }
}

static unsigned curve_of(const struct ssl_identity *own) {
    if (kind_of(own) != SSL_KEY_EC) {
        return 0;
    }
    mbedtls_ecp_group_id id =
        mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(own->cert.pk));
    const mbedtls_ecp_curve_info *curve =
        mbedtls_ecp_curve_info_from_grp_id(id);
    return curve != NULL ? curve->tls_id : 0;
}

static bool allows(const struct ssl_identity *own, unsigned usage) {
    return mbedtls_x509_crt_check_key_usage(&own->cert, usage) == 0;
}

static bool fits(const struct ssl_identity *own, const struct ssl_suite *s) {
    enum ssl_suite_key key = kind_of(own);
    if (s->tls13) {
        return key != SSL_KEY_NONE &&
               allows(own, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    }
    if (s->key != key) {
        return false;
    }
    unsigned usage = s->signs ? MBEDTLS_X509_KU_DIGITAL_SIGNATURE
                     : s->ec  ? MBEDTLS_X509_KU_KEY_AGREEMENT
                              : MBEDTLS_X509_KU_KEY_ENCIPHERMENT;
    return allows(own, usage);
}

static bool signs(const struct ssl_identity *own, unsigned sig_alg,
                  bool tls13) {
    enum ssl_suite_key key = kind_of(own);
    bool pair = sig_alg >> 8 <= 6; /* of a hash and a key, RFC 5246 */
    if (key == SSL_KEY_NONE || ssl_suite_signer(sig_alg) != key) {
        return false;
    }
    if (!tls13) {
        return pair; /* Mbed TLS signs with PSS in TLS 1.3 only */
    }
    if (key == SSL_KEY_RSA) {
        return !pair;
    }
    /* secp256r1, 384r1, 521r1 with SHA-256, 384, 512 */
    unsigned curve = curve_of(own);
    return curve >= 23 && curve <= 25 &&
           sig_alg == ((curve - 23 + 4) << 8 | 0x03);
}

bool ssl_own_key(const struct ssl_context *ctx, const char *name,
                 enum ssl_suite_key kind) {
    name = ssl_identity_name(ctx->own, name);
    for (const struct ssl_identity *own = ssl_identity_find(ctx->own, name);
         own != NULL; own = ssl_identity_find(own->next, name)) {
        if (kind == SSL_KEY_NONE || kind_of(own) == kind) {
            return true;
        }
    }
    return false;
}

unsigned ssl_own_key_curve(const struct ssl_context *ctx, const char *name,
                           const struct ssl_ids *groups) {
    name = ssl_identity_name(ctx->own, name);
    for (const struct ssl_identity *own = ssl_identity_find(ctx->own, name);
         own != NULL; own = ssl_identity_find(own->next, name)) {
        unsigned curve = curve_of(own);
        if (curve != 0 && (groups == NULL || ssl_ids_has(groups, curve))) {
            return curve;
        }
    }
    return 0;
}

bool ssl_own_key_fits(const struct ssl_context *ctx, const char *name,
                      const struct ssl_suite *s) {
    if (!s->tls13 && s->key == SSL_KEY_NONE) {
        return true;
    }
    name = ssl_identity_name(ctx->own, name);
    for (const struct ssl_identity *own = ssl_identity_find(ctx->own, name);
         own != NULL; own = ssl_identity_find(own->next, name)) {
        if (fits(own, s)) {
            return true;
        }
    }
    return false;
}

bool ssl_own_key_signs(const struct ssl_context *ctx, const char *name,
                       unsigned sig_alg, bool tls13) {
    name = ssl_identity_name(ctx->own, name);
    for (const struct ssl_identity *own = ssl_identity_find(ctx->own, name);
         own != NULL; own = ssl_identity_find(own->next, name)) {
        if (signs(own, sig_alg, tls13)) {
            return true;
        }
    }
    return false;
}
