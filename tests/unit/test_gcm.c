#include <mbedtls/gcm.h>
#include <stdio.h>
#include <stdlib.h>

#include "aead.h"

#ifdef MBEDTLS_GCM_ALT

#include "accel/ipsec_mb.h"

#define KEY "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define IV "cafebabefacedbaddecaf888"
#define IV_SHORT "cafebabefacedbad"
#define IV_LONG                                                                \
    "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728"         \
    "c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b"
#define AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define TEXT                                                                   \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"         \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"

/* The test cases of McGrew and Viega's specification, which NIST took over. */
static const struct {
    unsigned bits;
    const char *key, *iv, *aad, *plain, *cipher, *tag;
} vectors[] = {
    { 128, ZERO, "000000000000000000000000", "", "", "",
      "58e2fccefa7e3061367f1d57a4e7455a" },
    { 128, ZERO, "000000000000000000000000", "",
      "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
      "ab6e47d42cec13bdf53a67b21257bddf" },
    { 128, KEY, IV, "", TEXT "1aafd255",
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
      "4d5c2af327cd64a62cf35abd2ba6fab4" },
    { 128, KEY, IV, AAD, TEXT,
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
      "5bc94fbc3221a5db94fae95ae7121a47" },
    { 128, KEY, IV_SHORT, AAD, TEXT,
      "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c7423"
      "73806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598",
      "3612d2e79e3b0785561be14aaca2fccb" },
    { 128, KEY, IV_LONG, AAD, TEXT,
      "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca7"
      "01e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5",
      "619cc5aefffe0bfa462af43c1699d050" },
    { 192, ZERO, "000000000000000000000000", "",
      "00000000000000000000000000000000", "98e7247c07f0fe411c267e4384b0f600",
      "2ff58d80033927ab8ef4d4587514f0fb" },
    { 192, KEY, IV, "", TEXT "1aafd255",
      "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
      "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710acade256",
      "9924a7c8587336bfb118024db8674a14" },
    { 192, KEY, IV, AAD, TEXT,
      "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
      "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
      "2519498e80f1478f37ba55bd6d27618c" },
    { 192, KEY, IV_SHORT, AAD, TEXT,
      "0f10f599ae14a154ed24b36e25324db8c566632ef2bbb34f8347280fc4507057"
      "fddc29df9a471f75c66541d4d4dad1c9e93a19a58e8b473fa0f062f7",
      "65dcc57fcf623a24094fcca40d3533f8" },
    { 192, KEY, IV_LONG, AAD, TEXT,
      "d27e88681ce3243c4830165a8fdcf9ff1de9a1d8e6b447ef6ef7b79828666e45"
      "81e79012af34ddd9e2f037589b292db3e67c036745fa22e7e9b7373b",
      "dcf566ff291c25bbb8568fc3d376a6d9" },
    { 256, ZERO, "000000000000000000000000", "",
      "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
      "d0d1c8a799996bf0265b98b5d48ab919" },
    { 256, KEY, IV, "", TEXT "1aafd255",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
      "b094dac5d93471bdec1a502270e3cc6c" },
    { 256, KEY, IV, AAD, TEXT,
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
      "76fc6ece0f4e1768cddf8853bb2d551b" },
    { 256, KEY, IV_SHORT, AAD, TEXT,
      "c3762df1ca787d32ae47c13bf19844cbaf1ae14d0b976afac52ff7d79bba9de0"
      "feb582d33934a4f0954cc2363bc73f7862ac430e64abe499f47c9b1f",
      "3a337dbf46a792c45e454913fe2ea8f2" },
    { 256, KEY, IV_LONG, AAD, TEXT,
      "5a8def2f0c9e53f1f75d7853659e2a20eeb2b22aafde6419a058ab4f6f746bf4"
      "0fc0c3b780f244452da3ebf1c5d82cdea2418997200ef82e44ae7e3f",
      "a44a8266ee1c8eb0c8b5d4cf5ae9f19a" },
};

static struct message m;

static bool library(void) {
    return ipsec_mb_for(ACCEL_AFTER) != NULL;
}

static void need_library(void) {
    if (!library()) {
        print_message("%s\n", accel_lack());
        skip();
    }
}

/* So that the library has it from here on, where there is one. */
static void warm(mbedtls_gcm_context *ctx) {
    static uint8_t zero[4096], out[4096], tag[16];
    bool here = library();
    assert_int_equal(mbedtls_gcm_crypt_and_tag(ctx, MBEDTLS_GCM_ENCRYPT,
                                               sizeof zero, zero, 12, NULL, 0,
                                               zero, out, 16, tag),
                     0);
    assert_int_equal(ctx->fast != NULL, here);
}

static int encrypt(mbedtls_gcm_context *ctx, const uint8_t *in, uint8_t *out,
                   uint8_t *tag) {
    return mbedtls_gcm_crypt_and_tag(ctx, MBEDTLS_GCM_ENCRYPT, m.len, m.iv,
                                     m.iv_len, m.aad_len > 0 ? m.aad : NULL,
                                     m.aad_len, in, out, m.tag_len, tag);
}

static int decrypt(mbedtls_gcm_context *ctx, const uint8_t *in, uint8_t *out) {
    return mbedtls_gcm_auth_decrypt(ctx, m.len, m.iv, m.iv_len,
                                    m.aad_len > 0 ? m.aad : NULL, m.aad_len,
                                    m.tag, m.tag_len, in, out);
}

static void check_vector(mbedtls_gcm_context *ctx, size_t i) {
    uint8_t tag[16];
    m.iv_len = from_hex(vectors[i].iv, m.iv);
    m.aad_len = from_hex(vectors[i].aad, m.aad);
    m.len = from_hex(vectors[i].plain, m.plain);
    from_hex(vectors[i].cipher, m.cipher);
    m.tag_len = from_hex(vectors[i].tag, m.tag);
    uint8_t *out = place(&m);
    assert_int_equal(encrypt(ctx, m.plain, out, tag), 0);
    assert_memory_equal(out, m.cipher, m.len);
    assert_memory_equal(tag, m.tag, sizeof tag);
    assert_int_equal(decrypt(ctx, out, out), 0);
    assert_memory_equal(out, m.plain, m.len);
    assert_guarded(&m, out);
}

static void the_published_vectors_come_out(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        mbedtls_gcm_context ctx;
        mbedtls_gcm_init(&ctx);
        from_hex(vectors[i].key, m.key);
        assert_int_equal(mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, m.key,
                                            vectors[i].bits),
                         0);
        check_vector(&ctx, i);
        assert_null(ctx.fast);
        warm(&ctx);
        check_vector(&ctx, i);
        mbedtls_gcm_free(&ctx);
    }
}

/* In pieces, which nobody says how long they are. */
static void check_pieces(mbedtls_gcm_context *ctx) {
    uint8_t tag[16], *out = place(&m);
    size_t n, done;
    assert_int_equal(
        mbedtls_gcm_starts(ctx, MBEDTLS_GCM_ENCRYPT, m.iv, m.iv_len), 0);
    for (size_t at = 0; at < m.aad_len; at += n) {
        n = 1 + random_below((uint32_t)(m.aad_len - at));
        assert_int_equal(mbedtls_gcm_update_ad(ctx, m.aad + at, n), 0);
    }
    for (size_t at = 0; at < m.len; at += n) {
        n = 1 + random_below((uint32_t)(m.len - at));
        assert_int_equal(
            mbedtls_gcm_update(ctx, m.plain + at, n, out + at, n, &done), 0);
        assert_int_equal(done, n);
    }
    assert_int_equal(mbedtls_gcm_finish(ctx, NULL, 0, &done, tag, m.tag_len),
                     0);
    assert_memory_equal(out, m.cipher, m.len);
    assert_memory_equal(tag, m.tag, m.tag_len);
}

/* Both into another buffer and in place. */
static void check_whole(mbedtls_gcm_context *ctx) {
    uint8_t tag[17] = { 0 }, *out = place(&m);
    tag[m.tag_len] = GUARD;
    bool in_place = random_below(2) != 0;
    if (in_place) {
        memcpy(out, m.plain, m.len);
    }
    assert_int_equal(encrypt(ctx, in_place ? out : m.plain, out, tag), 0);
    assert_memory_equal(out, m.cipher, m.len);
    assert_memory_equal(tag, m.tag, m.tag_len);
    assert_int_equal(tag[m.tag_len], GUARD);
    assert_guarded(&m, out);
    out = place(&m);
    if (in_place) {
        memcpy(out, m.cipher, m.len);
    }
    assert_int_equal(decrypt(ctx, in_place ? out : m.cipher, out), 0);
    assert_memory_equal(out, m.plain, m.len);
    assert_guarded(&m, out);
}

static void check_tampered(mbedtls_gcm_context *ctx) {
    if (tamper(&m)) {
        uint8_t *out = place(&m);
        assert_int_equal(decrypt(ctx, m.cipher, out),
                         MBEDTLS_ERR_GCM_AUTH_FAILED);
        assert_all(out, out + m.len, 0);
        assert_guarded(&m, out);
    }
}

static void random_message(void) {
    m.iv_len = random_below(4) != 0 ? 12 : 1 + random_below(IV_MAX);
    m.aad_len = random_below(AAD_MAX);
    m.tag_len = random_below(4) != 0 ? 16 : 4 + random_below(13);
    m.len = random_length();
    random_bytes(m.iv, m.iv_len);
    random_bytes(m.aad, m.aad_len);
    random_bytes(m.plain, m.len);
}

/* The context is used for one key after another, and is switched in between. */
static void it_is_what_mbedtls_makes_of_it(void **state) {
    mbedtls_gcm_context ctx;
    mptls_own_gcm_context own;
    (void)state;
    mbedtls_gcm_init(&ctx);
    for (unsigned round = 0; round < 60; round++) {
        unsigned bits = 128 + 64 * (round % 3);
        random_bytes(m.key, sizeof m.key);
        mptls_own_gcm_init(&own);
        assert_int_equal(
            mptls_own_gcm_setkey(&own, MBEDTLS_CIPHER_ID_AES, m.key, bits), 0);
        assert_int_equal(
            mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, m.key, bits), 0);
        assert_null(ctx.fast);
        for (unsigned i = 0; i < 20; i++) {
            random_message();
            assert_int_equal(mptls_own_gcm_crypt_and_tag(
                                 &own, MBEDTLS_GCM_ENCRYPT, m.len, m.iv,
                                 m.iv_len, m.aad, m.aad_len, m.plain, m.cipher,
                                 m.tag_len, m.tag),
                             0);
            check_whole(&ctx);
            check_pieces(&ctx);
            check_tampered(&ctx);
        }
        assert_int_equal(ctx.fast != NULL, library());
        mptls_own_gcm_free(&own);
    }
    mbedtls_gcm_free(&ctx);
}

static void decrypting_need_not_check(void **state) {
    mbedtls_gcm_context ctx;
    uint8_t tag[16], *out;
    (void)state;
    mbedtls_gcm_init(&ctx);
    assert_int_equal(
        mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, m.key, 256), 0);
    warm(&ctx);
    random_message();
    m.iv_len = 12;
    m.tag_len = 16;
    assert_int_equal(encrypt(&ctx, m.plain, m.cipher, m.tag), 0);
    out = place(&m);
    assert_int_equal(mbedtls_gcm_crypt_and_tag(&ctx, MBEDTLS_GCM_DECRYPT, m.len,
                                               m.iv, m.iv_len, m.aad, m.aad_len,
                                               m.cipher, out, 16, tag),
                     0);
    assert_memory_equal(out, m.plain, m.len);
    assert_memory_equal(tag, m.tag, sizeof tag);
    mbedtls_gcm_free(&ctx);
}

static void few_bytes_expand_no_key(void **state) {
    mbedtls_gcm_context ctx;
    (void)state;
    need_library();
    mbedtls_gcm_init(&ctx);
    assert_int_equal(
        mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, m.key, 128), 0);
    random_message();
    m.iv_len = 12;
    m.tag_len = 16;
    m.len = 1000;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(encrypt(&ctx, m.plain, m.cipher, m.tag), 0);
        assert_null(ctx.fast);
    }
    assert_int_equal(encrypt(&ctx, m.plain, m.cipher, m.tag), 0);
    assert_non_null(ctx.fast);
    mbedtls_gcm_free(&ctx);
    assert_null(ctx.fast);
}

/* The library's answer would be silence. */
static void bad_arguments_are_refused_as_by_mbedtls(void **state) {
    static const struct {
        size_t iv_len, tag_len;
    } rows[] = { { 0, 16 }, { 12, 0 }, { 12, 3 }, { 12, 17 } };
    mbedtls_gcm_context ctx;
    uint8_t tag[32] = { 0 };
    (void)state;
    mbedtls_gcm_init(&ctx);
    assert_int_equal(mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, m.key, 64),
                     MBEDTLS_ERR_GCM_BAD_INPUT);
    assert_int_equal(
        mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, m.key, 256), 0);
    warm(&ctx);
    random_message();
    m.len = 5000;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m.iv_len = rows[i].iv_len;
        m.tag_len = rows[i].tag_len;
        assert_int_equal(encrypt(&ctx, m.plain, m.cipher, tag),
                         MBEDTLS_ERR_GCM_BAD_INPUT);
        assert_int_equal(decrypt(&ctx, m.plain, m.cipher),
                         MBEDTLS_ERR_GCM_BAD_INPUT);
    }
    mbedtls_gcm_free(&ctx);
}

/* Mbed TLS allows an output that begins before the input, and no other. */
static void overlaps_are_as_by_mbedtls(void **state) {
    mbedtls_gcm_context ctx;
    uint8_t tag[16];
    (void)state;
    mbedtls_gcm_init(&ctx);
    assert_int_equal(
        mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, m.key, 256), 0);
    warm(&ctx);
    for (size_t by = 1; by < ROOM; by += 13) {
        random_message();
        m.iv_len = 12;
        m.tag_len = 16;
        m.len = 5000;
        assert_int_equal(encrypt(&ctx, m.plain, m.cipher, m.tag), 0);
        uint8_t *at = place(&m);
        memcpy(at, m.plain, m.len);
        assert_int_equal(encrypt(&ctx, at, at + by, tag),
                         MBEDTLS_ERR_GCM_BAD_INPUT);
        assert_int_equal(encrypt(&ctx, at, at - by, tag), 0);
        assert_memory_equal(at - by, m.cipher, m.len);
        assert_memory_equal(tag, m.tag, sizeof tag);
    }
    mbedtls_gcm_free(&ctx);
}

static void other_ciphers_are_left_to_mbedtls(void **state) {
    static const mbedtls_cipher_id_t ids[] = { MBEDTLS_CIPHER_ID_ARIA,
                                               MBEDTLS_CIPHER_ID_CAMELLIA };
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        mbedtls_gcm_context ctx;
        mbedtls_gcm_init(&ctx);
        assert_int_equal(mbedtls_gcm_setkey(&ctx, ids[i], m.key, 256), 0);
        random_message();
        m.iv_len = 12;
        m.tag_len = 16;
        m.len = 50000;
        assert_int_equal(encrypt(&ctx, m.plain, m.cipher, m.tag), 0);
        assert_null(ctx.fast);
        assert_int_equal(decrypt(&ctx, m.cipher, m.cipher), 0);
        assert_memory_equal(m.cipher, m.plain, m.len);
        mbedtls_gcm_free(&ctx);
    }
}

/* Last, since it is for good. */
static void without_the_library_a_context_goes_on(void **state) {
    mbedtls_gcm_context ctx;
    uint8_t tag[16], *out = place(&m);
    (void)state;
    need_library();
    mbedtls_gcm_init(&ctx);
    assert_int_equal(
        mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, m.key, 192), 0);
    warm(&ctx);
    random_message();
    m.iv_len = 12;
    m.tag_len = 16;
    assert_int_equal(encrypt(&ctx, m.plain, m.cipher, m.tag), 0);
    accel_disable("a test");
    assert_int_equal(encrypt(&ctx, m.plain, out, tag), 0);
    assert_memory_equal(out, m.cipher, m.len);
    assert_memory_equal(tag, m.tag, sizeof tag);
    mbedtls_gcm_free(&ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_come_out),
        cmocka_unit_test(it_is_what_mbedtls_makes_of_it),
        cmocka_unit_test(decrypting_need_not_check),
        cmocka_unit_test(few_bytes_expand_no_key),
        cmocka_unit_test(bad_arguments_are_refused_as_by_mbedtls),
        cmocka_unit_test(overlaps_are_as_by_mbedtls),
        cmocka_unit_test(other_ciphers_are_left_to_mbedtls),
        cmocka_unit_test(without_the_library_a_context_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) {
    puts("SKIP: src/accel is not in this build");
    return 0;
}

#endif
