#include "tls/ssl_own_key.h"

#include <mbedtls/ecp.h>

enum ssl_suite_key ssl_own_key(const struct ssl_context *ctx) {
    if (!ctx->have_cert) {
        return SSL_KEY_NONE;
    }
    switch (mbedtls_pk_get_type(&ctx->cert.pk)) {
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

unsigned ssl_own_key_curve(const struct ssl_context *ctx) {
    if (ssl_own_key(ctx) != SSL_KEY_EC) {
        return 0;
    }
    mbedtls_ecp_group_id id =
        mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(ctx->cert.pk));
    const mbedtls_ecp_curve_info *curve =
        mbedtls_ecp_curve_info_from_grp_id(id);
    return curve != NULL ? curve->tls_id : 0;
}

static bool allows(const struct ssl_context *ctx, unsigned usage) {
    return mbedtls_x509_crt_check_key_usage(&ctx->cert, usage) == 0;
}

bool ssl_own_key_fits(const struct ssl_context *ctx,
                      const struct ssl_suite *s) {
    enum ssl_suite_key key = ssl_own_key(ctx);
    if (s->tls13) {
        return key != SSL_KEY_NONE &&
               allows(ctx, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    }
    if (s->key == SSL_KEY_NONE) {
        return true;
    }
    if (s->key != key) {
        return false;
    }
    unsigned usage = s->signs ? MBEDTLS_X509_KU_DIGITAL_SIGNATURE
                     : s->ec  ? MBEDTLS_X509_KU_KEY_AGREEMENT
                              : MBEDTLS_X509_KU_KEY_ENCIPHERMENT;
    return allows(ctx, usage);
}

bool ssl_own_key_signs(const struct ssl_context *ctx, unsigned sig_alg,
                       bool tls13) {
    enum ssl_suite_key key = ssl_own_key(ctx);
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
    unsigned curve = ssl_own_key_curve(ctx);
    return curve >= 23 && curve <= 25 &&
           sig_alg == ((curve - 23 + 4) << 8 | 0x03);
}
