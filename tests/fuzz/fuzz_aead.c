/*
 * fuzz_aead.c - AES-GCM and ChaCha20-Poly1305: what src/accel makes of a
 * message is what Mbed TLS's own code makes of it.
 */
#include "fuzz.h"

#include <mbedtls/chachapoly.h>
#include <mbedtls/gcm.h>

#ifdef MBEDTLS_GCM_ALT

#include "accel/accel.h"
#include "accel/ipsec_mb.h"

/* The input in this order, and the rest, which is the plain text. */
struct message {
    uint8_t choice, iv_len, tag_len, aad_len;
    uint8_t key[32], iv[64], aad[64];
};

/* One of each kind, and room that is as large as the text. */
struct text {
    unsigned char *plain, *ours, *own, ours_tag[16], own_tag[16];
    size_t len;
};

static void check_same(const struct text *t, int rc, int own_rc,
                       size_t tag_len) {
    CHECK(rc == own_rc);
    if (rc == 0) {
        CHECK(memcmp(t->ours, t->own, t->len) == 0);
        CHECK(memcmp(t->ours_tag, t->own_tag, tag_len) == 0);
    }
}

static void gcm(const struct message *m, struct text *t) {
    static unsigned char much[4096], tag[16];
    unsigned bits = 128 + 64 * (m->choice % 3u);
    mbedtls_gcm_context ours;
    mptls_own_gcm_context own;
    mbedtls_gcm_init(&ours);
    mptls_own_gcm_init(&own);
    CHECK(mbedtls_gcm_setkey(&ours, MBEDTLS_CIPHER_ID_AES, m->key, bits) == 0);
    CHECK(mptls_own_gcm_setkey(&own, MBEDTLS_CIPHER_ID_AES, m->key, bits) == 0);
    CHECK(mbedtls_gcm_crypt_and_tag(&ours, MBEDTLS_GCM_ENCRYPT, sizeof much,
                                    m->key, 12, NULL, 0, much, much, 16,
                                    tag) == 0);
    int rc = mbedtls_gcm_crypt_and_tag(
        &ours, MBEDTLS_GCM_ENCRYPT, t->len, m->iv, m->iv_len, m->aad,
        m->aad_len, t->plain, t->ours, m->tag_len, t->ours_tag);
    check_same(t, rc,
               mptls_own_gcm_crypt_and_tag(
                   &own, MBEDTLS_GCM_ENCRYPT, t->len, m->iv, m->iv_len, m->aad,
                   m->aad_len, t->plain, t->own, m->tag_len, t->own_tag),
               m->tag_len);
    if (rc == 0) {
        CHECK(mbedtls_gcm_auth_decrypt(&ours, t->len, m->iv, m->iv_len, m->aad,
                                       m->aad_len, t->ours_tag, m->tag_len,
                                       t->ours, t->ours) == 0);
        CHECK(memcmp(t->ours, t->plain, t->len) == 0);
    }
    mbedtls_gcm_free(&ours);
    mptls_own_gcm_free(&own);
}

static void chachapoly(const struct message *m, struct text *t) {
    mbedtls_chachapoly_context ours;
    mptls_own_chachapoly_context own;
    mbedtls_chachapoly_init(&ours);
    mptls_own_chachapoly_init(&own);
    CHECK(mbedtls_chachapoly_setkey(&ours, m->key) == 0);
    CHECK(mptls_own_chachapoly_setkey(&own, m->key) == 0);
    int rc = mbedtls_chachapoly_encrypt_and_tag(&ours, t->len, m->iv, m->aad,
                                                m->aad_len, t->plain, t->ours,
                                                t->ours_tag);
    check_same(t, rc,
               mptls_own_chachapoly_encrypt_and_tag(&own, t->len, m->iv, m->aad,
                                                    m->aad_len, t->plain,
                                                    t->own, t->own_tag),
               sizeof t->own_tag);
    CHECK(mbedtls_chachapoly_auth_decrypt(&ours, t->len, m->iv, m->aad,
                                          m->aad_len, t->ours_tag, t->ours,
                                          t->ours) == 0);
    CHECK(memcmp(t->ours, t->plain, t->len) == 0);
    mbedtls_chachapoly_free(&ours);
    mptls_own_chachapoly_free(&own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct message m;
    if (size < sizeof m) {
        return 0;
    }
    (void)ipsec_mb_for(ACCEL_AFTER);
    memcpy(&m, data, sizeof m);
    m.iv_len = m.iv_len % (sizeof m.iv + 1);
    m.aad_len = m.aad_len % (sizeof m.aad + 1);
    m.tag_len = m.tag_len % 17;
    struct text t = { .len = size - sizeof m };
    t.plain = fuzz_copy(data + sizeof m, t.len, 0);
    t.ours = fuzz_copy(t.plain, t.len, 0);
    t.own = fuzz_copy(t.plain, t.len, 0);
    (m.choice % 4 == 3 ? chachapoly : gcm)(&m, &t);
    free(t.plain);
    free(t.ours);
    free(t.own);
    return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    return 0;
}

#endif
