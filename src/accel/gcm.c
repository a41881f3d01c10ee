/*
 * gcm.c - mbedtls_gcm_*() for a Mbed TLS with MBEDTLS_GCM_ALT; its header has
 * the contract. What TLS calls for each record is done by libipsec-mb where it
 * can be; the piecewise calls, which TLS does not use, ciphers other than AES,
 * and unusual arguments are left to Mbed TLS's own code.
 */
#include <mbedtls/constant_time.h>
#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>
#include <stdlib.h>
#include <string.h>

#include "accel/ipsec_mb.h"

/* Bytes of one context before its key is expanded for the library, 1 KB each:
 * an idle connection, or one of few words, has no need of that. */
enum { FAST_AFTER = 4096 };

enum { IV_LEN = 12, TAG_MIN = 4, TAG_MAX = 16, KEY_ALIGN = 64 };

#define LENGTH_MAX UINT64_C(0xFFFFFFFE0) /* NIST SP 800-38D, 5.2.1.1 */

static unsigned key_index(const mbedtls_gcm_context *ctx) {
    return (ctx->bits - 128) / 64;
}

static void forget(mbedtls_gcm_context *ctx) {
    if (ctx->fast != NULL) {
        mbedtls_platform_zeroize(ctx->fast, sizeof(struct gcm_key_data));
        free(ctx->fast);
        ctx->fast = NULL;
    }
    mbedtls_platform_zeroize(ctx->key, sizeof ctx->key);
    ctx->bits = 0;
    ctx->seen = 0;
}

/* Not from Mbed TLS's allocator, which stands for a device's heap. */
static void expand(mbedtls_gcm_context *ctx, const struct ipsec_mb *lib) {
    if (posix_memalign(&ctx->fast, KEY_ALIGN, sizeof(struct gcm_key_data)) !=
        0) {
        ctx->fast = NULL;
        return;
    }
    lib->gcm_pre[key_index(ctx)](ctx->key, ctx->fast);
}

/* @return the library, if it is to do this; ctx->fast is then there */
static const struct ipsec_mb *library(mbedtls_gcm_context *ctx, size_t length,
                                      size_t iv_len, size_t tag_len,
                                      const unsigned char *input,
                                      const unsigned char *output) {
    if (ctx->bits == 0 || length == 0 || length > LENGTH_MAX ||
        iv_len != IV_LEN || tag_len < TAG_MIN || tag_len > TAG_MAX ||
        !ipsec_mb_takes(input, output, length)) {
        return NULL;
    }
    const struct ipsec_mb *lib = ipsec_mb_for(length);
    if (ctx->fast == NULL) {
        ctx->seen += length < FAST_AFTER ? (uint32_t)length : FAST_AFTER;
        if (lib != NULL && ctx->seen >= FAST_AFTER) {
            expand(ctx, lib);
        }
    }
    return ctx->fast != NULL ? lib : NULL;
}

/* @param tag  TAG_MAX bytes */
static void crypt(const mbedtls_gcm_context *ctx, aes_gcm_enc_dec_t function,
                  size_t length, const unsigned char *iv,
                  const unsigned char *add, size_t add_len,
                  const unsigned char *input, unsigned char *output,
                  unsigned char *tag) {
    struct gcm_context_data state;
    function(ctx->fast, &state, output, input, length, iv, add, add_len, tag,
             TAG_MAX);
    mbedtls_platform_zeroize(&state, sizeof state);
}

void mbedtls_gcm_init(mbedtls_gcm_context *ctx) {
    memset(ctx, 0, sizeof *ctx);
    mptls_own_gcm_init(&ctx->own);
}

void mbedtls_gcm_free(mbedtls_gcm_context *ctx) {
    if (ctx != NULL) {
        forget(ctx);
        mptls_own_gcm_free(&ctx->own);
    }
}

int mbedtls_gcm_setkey(mbedtls_gcm_context *ctx, mbedtls_cipher_id_t cipher,
                       const unsigned char *key, unsigned int keybits) {
    forget(ctx);
    int rc = mptls_own_gcm_setkey(&ctx->own, cipher, key, keybits);
    if (rc == 0 && cipher == MBEDTLS_CIPHER_ID_AES) {
        memcpy(ctx->key, key, keybits / 8);
        ctx->bits = keybits;
    }
    return rc;
}

int mbedtls_gcm_crypt_and_tag(mbedtls_gcm_context *ctx, int mode, size_t length,
                              const unsigned char *iv, size_t iv_len,
                              const unsigned char *add, size_t add_len,
                              const unsigned char *input, unsigned char *output,
                              size_t tag_len, unsigned char *tag) {
    const struct ipsec_mb *lib =
        library(ctx, length, iv_len, tag_len, input, output);
    if (lib == NULL) {
        return mptls_own_gcm_crypt_and_tag(&ctx->own, mode, length, iv, iv_len,
                                           add, add_len, input, output, tag_len,
                                           tag);
    }
    unsigned char whole[TAG_MAX];
    crypt(ctx,
          (mode == MBEDTLS_GCM_ENCRYPT ? lib->gcm_encrypt
                                       : lib->gcm_decrypt)[key_index(ctx)],
          length, iv, add, add_len, input, output, whole);
    memcpy(tag, whole, tag_len);
    return 0;
}

int mbedtls_gcm_auth_decrypt(mbedtls_gcm_context *ctx, size_t length,
                             const unsigned char *iv, size_t iv_len,
                             const unsigned char *add, size_t add_len,
                             const unsigned char *tag, size_t tag_len,
                             const unsigned char *input,
                             unsigned char *output) {
    const struct ipsec_mb *lib =
        library(ctx, length, iv_len, tag_len, input, output);
    if (lib == NULL) {
        return mptls_own_gcm_auth_decrypt(&ctx->own, length, iv, iv_len, add,
                                          add_len, tag, tag_len, input, output);
    }
    unsigned char whole[TAG_MAX];
    crypt(ctx, lib->gcm_decrypt[key_index(ctx)], length, iv, add, add_len,
          input, output, whole);
    if (mbedtls_ct_memcmp(tag, whole, tag_len) != 0) {
        mbedtls_platform_zeroize(output, length);
        return MBEDTLS_ERR_GCM_AUTH_FAILED;
    }
    return 0;
}

int mbedtls_gcm_starts(mbedtls_gcm_context *ctx, int mode,
                       const unsigned char *iv, size_t iv_len) {
    return mptls_own_gcm_starts(&ctx->own, mode, iv, iv_len);
}

int mbedtls_gcm_update_ad(mbedtls_gcm_context *ctx, const unsigned char *add,
                          size_t add_len) {
    return mptls_own_gcm_update_ad(&ctx->own, add, add_len);
}

int mbedtls_gcm_update(mbedtls_gcm_context *ctx, const unsigned char *input,
                       size_t input_length, unsigned char *output,
                       size_t output_size, size_t *output_length) {
    return mptls_own_gcm_update(&ctx->own, input, input_length, output,
                                output_size, output_length);
}

int mbedtls_gcm_finish(mbedtls_gcm_context *ctx, unsigned char *output,
                       size_t output_size, size_t *output_length,
                       unsigned char *tag, size_t tag_len) {
    return mptls_own_gcm_finish(&ctx->own, output, output_size, output_length,
                                tag, tag_len);
}
