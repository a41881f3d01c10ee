#include <mbedtls/chachapoly.h>
#include <stdio.h>

#include "aead.h"

#ifdef MBEDTLS_CHACHAPOLY_ALT

#include "accel/ipsec_mb.h"

static struct message m;

static bool library(void) {
    return ipsec_mb_for(ACCEL_AFTER) != NULL;
}

static int encrypt(mbedtls_chachapoly_context *ctx, const uint8_t *in,
                   uint8_t *out, uint8_t *tag) {
    return mbedtls_chachapoly_encrypt_and_tag(ctx, m.len, m.iv,
                                              m.aad_len > 0 ? m.aad : NULL,
                                              m.aad_len, in, out, tag);
}

static int decrypt(mbedtls_chachapoly_context *ctx, const uint8_t *in,
                   uint8_t *out) {
    return mbedtls_chachapoly_auth_decrypt(ctx, m.len, m.iv,
                                           m.aad_len > 0 ? m.aad : NULL,
                                           m.aad_len, m.tag, in, out);
}

/* Both into another buffer and in place. */
static void check_whole(mbedtls_chachapoly_context *ctx) {
    uint8_t tag[16], *out = place(&m);
    bool in_place = random_below(2) != 0;
    if (in_place) {
        memcpy(out, m.plain, m.len);
    }
    assert_int_equal(encrypt(ctx, in_place ? out : m.plain, out, tag), 0);
    assert_memory_equal(out, m.cipher, m.len);
    assert_memory_equal(tag, m.tag, sizeof tag);
    assert_guarded(&m, out);
    out = place(&m);
    if (in_place) {
        memcpy(out, m.cipher, m.len);
    }
    assert_int_equal(decrypt(ctx, in_place ? out : m.cipher, out), 0);
    assert_memory_equal(out, m.plain, m.len);
    assert_guarded(&m, out);
}

/* RFC 8439, section 2.8.2. Before the library is used, and after. */
static void the_published_vector_comes_out(void **state) {
    mbedtls_chachapoly_context ctx;
    (void)state;
    mbedtls_chachapoly_init(&ctx);
    from_hex("808182838485868788898a8b8c8d8e8f"
             "909192939495969798999a9b9c9d9e9f",
             m.key);
    assert_int_equal(mbedtls_chachapoly_setkey(&ctx, m.key), 0);
    m.iv_len = from_hex("070000004041424344454647", m.iv);
    m.aad_len = from_hex("50515253c0c1c2c3c4c5c6c7", m.aad);
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only "
        "one tip for the future, sunscreen would be it.";
    m.len = strlen(text);
    memcpy(m.plain, text, m.len);
    assert_int_equal(
        from_hex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee"
                 "62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b6"
                 "7ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585"
                 "808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
                 m.cipher),
        m.len);
    m.tag_len = from_hex("1ae10b594f09e26a7e902ecbd0600691", m.tag);
    check_whole(&ctx);
    if (!library()) {
        print_message("%s\n", accel_lack());
    }
    check_whole(&ctx);
    mbedtls_chachapoly_free(&ctx);
}

static void check_pieces(mbedtls_chachapoly_context *ctx,
                         mbedtls_chachapoly_mode_t mode) {
    const uint8_t *in = mode == MBEDTLS_CHACHAPOLY_ENCRYPT ? m.plain : m.cipher;
    uint8_t tag[16], *out = place(&m);
    size_t n;
    assert_int_equal(mbedtls_chachapoly_starts(ctx, m.iv, mode), 0);
    for (size_t at = 0; at < m.aad_len; at += n) {
        n = 1 + random_below((uint32_t)(m.aad_len - at));
        assert_int_equal(mbedtls_chachapoly_update_aad(ctx, m.aad + at, n), 0);
    }
    for (size_t at = 0; at < m.len; at += n) {
        n = 1 + random_below((uint32_t)(m.len - at));
        assert_int_equal(mbedtls_chachapoly_update(ctx, n, in + at, out + at),
                         0);
    }
    assert_int_equal(mbedtls_chachapoly_finish(ctx, tag), 0);
    assert_memory_equal(
        out, mode == MBEDTLS_CHACHAPOLY_ENCRYPT ? m.cipher : m.plain, m.len);
    assert_memory_equal(tag, m.tag, sizeof tag);
}

static void check_tampered(mbedtls_chachapoly_context *ctx) {
    if (tamper(&m)) {
        uint8_t *out = place(&m);
        assert_int_equal(decrypt(ctx, m.cipher, out),
                         MBEDTLS_ERR_CHACHAPOLY_AUTH_FAILED);
        assert_all(out, out + m.len, 0);
        assert_guarded(&m, out);
    }
}

static void random_message(void) {
    m.iv_len = 12;
    m.tag_len = 16;
    m.aad_len = random_below(AAD_MAX);
    m.len = random_length();
    random_bytes(m.iv, m.iv_len);
    random_bytes(m.aad, m.aad_len);
    random_bytes(m.plain, m.len);
}

static void it_is_what_mbedtls_makes_of_it(void **state) {
    mbedtls_chachapoly_context ctx;
    mptls_own_chachapoly_context own;
    (void)state;
    mbedtls_chachapoly_init(&ctx);
    mptls_own_chachapoly_init(&own);
    for (unsigned i = 0; i < 1000; i++) {
        if (i % 20 == 0) {
            random_bytes(m.key, sizeof m.key);
            assert_int_equal(mbedtls_chachapoly_setkey(&ctx, m.key), 0);
            assert_int_equal(mptls_own_chachapoly_setkey(&own, m.key), 0);
        }
        random_message();
        assert_int_equal(
            mptls_own_chachapoly_encrypt_and_tag(
                &own, m.len, m.iv, m.aad, m.aad_len, m.plain, m.cipher, m.tag),
            0);
        check_whole(&ctx);
        check_pieces(&ctx, MBEDTLS_CHACHAPOLY_ENCRYPT);
        check_pieces(&ctx, MBEDTLS_CHACHAPOLY_DECRYPT);
        check_tampered(&ctx);
    }
    mptls_own_chachapoly_free(&own);
    mbedtls_chachapoly_free(&ctx);
}

static void pieces_out_of_order_are_refused_as_by_mbedtls(void **state) {
    mbedtls_chachapoly_context ctx;
    uint8_t tag[16];
    (void)state;
    mbedtls_chachapoly_init(&ctx);
    assert_int_equal(mbedtls_chachapoly_setkey(&ctx, m.key), 0);
    assert_int_equal(mbedtls_chachapoly_update_aad(&ctx, m.aad, 1),
                     MBEDTLS_ERR_CHACHAPOLY_BAD_STATE);
    assert_int_equal(mbedtls_chachapoly_update(&ctx, 1, m.plain, m.cipher),
                     MBEDTLS_ERR_CHACHAPOLY_BAD_STATE);
    assert_int_equal(mbedtls_chachapoly_finish(&ctx, tag),
                     MBEDTLS_ERR_CHACHAPOLY_BAD_STATE);
    mbedtls_chachapoly_free(&ctx);
}

/* An output that begins before the input is no business of the library's. */
static void overlaps_are_as_by_mbedtls(void **state) {
    mbedtls_chachapoly_context ctx;
    uint8_t tag[16];
    (void)state;
    mbedtls_chachapoly_init(&ctx);
    assert_int_equal(mbedtls_chachapoly_setkey(&ctx, m.key), 0);
    for (size_t by = 1; by < ROOM; by += 13) {
        random_message();
        m.len = 5000;
        assert_int_equal(encrypt(&ctx, m.plain, m.cipher, m.tag), 0);
        uint8_t *at = place(&m);
        memcpy(at, m.plain, m.len);
        assert_int_equal(encrypt(&ctx, at, at - by, tag), 0);
        assert_memory_equal(at - by, m.cipher, m.len);
        assert_memory_equal(tag, m.tag, sizeof tag);
    }
    mbedtls_chachapoly_free(&ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vector_comes_out),
        cmocka_unit_test(it_is_what_mbedtls_makes_of_it),
        cmocka_unit_test(pieces_out_of_order_are_refused_as_by_mbedtls),
        cmocka_unit_test(overlaps_are_as_by_mbedtls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) {
    puts("SKIP: src/accel is not in this build");
    return 0;
}

#endif
