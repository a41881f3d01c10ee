/*
 * chachapoly.c - mbedtls_chachapoly_*() for a Mbed TLS with
 * MBEDTLS_CHACHAPOLY_ALT; as gcm.c. The library expands no key.
 */
#include <mbedtls/chachapoly.h>
#include <mbedtls/constant_time.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#include "accel/ipsec_mb.h"

enum { TAG_LEN = 16 };

#define LENGTH_MAX (UINT64_C(0xFFFFFFFF) * 64) /* RFC 8439, section 2.8 */

/* @return the library, if it is to do this */
static const struct ipsec_mb *library(size_t length, const unsigned char *input,
                                      const unsigned char *output) {
    return length == 0 || length > LENGTH_MAX ||
                   !ipsec_mb_takes(input, output, length)
               ? NULL
               : ipsec_mb_for(length);
}

static void crypt(const mbedtls_chachapoly_context *ctx,
                  const struct ipsec_mb *lib,
                  chacha_poly_enc_dec_update_t function, size_t length,
                  const unsigned char *nonce, const unsigned char *aad,
                  size_t aad_len, const unsigned char *input,
                  unsigned char *output, unsigned char *tag) {
    struct chacha20_poly1305_context_data state;
    lib->chacha_init(ctx->key, &state, nonce, aad, aad_len);
    function(ctx->key, &state, output, input, length);
    lib->chacha_finish(&state, tag, TAG_LEN);
    mbedtls_platform_zeroize(&state, sizeof state);
}

void mbedtls_chachapoly_init(mbedtls_chachapoly_context *ctx) {
    memset(ctx, 0, sizeof *ctx);
    mptls_own_chachapoly_init(&ctx->own);
}

void mbedtls_chachapoly_free(mbedtls_chachapoly_context *ctx) {
    if (ctx != NULL) {
        mptls_own_chachapoly_free(&ctx->own);
        mbedtls_platform_zeroize(ctx->key, sizeof ctx->key);
    }
}

int mbedtls_chachapoly_setkey(mbedtls_chachapoly_context *ctx,
                              const unsigned char key[32]) {
    memcpy(ctx->key, key, sizeof ctx->key);
    return mptls_own_chachapoly_setkey(&ctx->own, key);
}

int mbedtls_chachapoly_encrypt_and_tag(
    mbedtls_chachapoly_context *ctx, size_t length,
    const unsigned char nonce[12], const unsigned char *aad, size_t aad_len,
    const unsigned char *input, unsigned char *output, unsigned char tag[16]) {
    const struct ipsec_mb *lib = library(length, input, output);
    if (lib == NULL) {
        return mptls_own_chachapoly_encrypt_and_tag(
            &ctx->own, length, nonce, aad, aad_len, input, output, tag);
    }
    crypt(ctx, lib, lib->chacha_encrypt, length, nonce, aad, aad_len, input,
          output, tag);
    return 0;
}

int mbedtls_chachapoly_auth_decrypt(mbedtls_chachapoly_context *ctx,
                                    size_t length,
                                    const unsigned char nonce[12],
                                    const unsigned char *aad, size_t aad_len,
                                    const unsigned char tag[16],
                                    const unsigned char *input,
                                    unsigned char *output) {
    const struct ipsec_mb *lib = library(length, input, output);
    if (lib == NULL) {
        return mptls_own_chachapoly_auth_decrypt(&ctx->own, length, nonce, aad,
                                                 aad_len, tag, input, output);
    }
    unsigned char whole[TAG_LEN];
    crypt(ctx, lib, lib->chacha_decrypt, length, nonce, aad, aad_len, input,
          output, whole);
    if (mbedtls_ct_memcmp(tag, whole, sizeof whole) != 0) {
        mbedtls_platform_zeroize(output, length);
        return MBEDTLS_ERR_CHACHAPOLY_AUTH_FAILED;
    }
    return 0;
}

int mbedtls_chachapoly_starts(mbedtls_chachapoly_context *ctx,
                              const unsigned char nonce[12],
                              mbedtls_chachapoly_mode_t mode) {
    return mptls_own_chachapoly_starts(&ctx->own, nonce,
                                       mode == MBEDTLS_CHACHAPOLY_ENCRYPT
                                           ? MPTLS_OWN_CHACHAPOLY_ENCRYPT
                                           : MPTLS_OWN_CHACHAPOLY_DECRYPT);
}

int mbedtls_chachapoly_update_aad(mbedtls_chachapoly_context *ctx,
                                  const unsigned char *aad, size_t aad_len) {
    return mptls_own_chachapoly_update_aad(&ctx->own, aad, aad_len);
}

int mbedtls_chachapoly_update(mbedtls_chachapoly_context *ctx, size_t len,
                              const unsigned char *input,
                              unsigned char *output) {
    return mptls_own_chachapoly_update(&ctx->own, len, input, output);
}

int mbedtls_chachapoly_finish(mbedtls_chachapoly_context *ctx,
                              unsigned char mac[16]) {
    return mptls_own_chachapoly_finish(&ctx->own, mac);
}
