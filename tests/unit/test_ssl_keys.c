#include <psa/crypto.h>

#include "test.h"
#include "tls/ssl_keys.h"

/* RFC 8448 3, "derive write traffic keys for application data". */
static const unsigned char client_secret[32] = {
    0x9e, 0x40, 0x64, 0x6c, 0xe7, 0x9a, 0x7f, 0x9d, 0xc0, 0x5a, 0xf8,
    0x88, 0x9b, 0xce, 0x65, 0x52, 0x87, 0x5a, 0xfa, 0x0b, 0x06, 0xdf,
    0x00, 0x87, 0xf7, 0x92, 0xeb, 0xb7, 0xc1, 0x75, 0x04, 0xa5
};
static const unsigned char server_secret[32] = {
    0xa1, 0x1a, 0xf9, 0xf0, 0x55, 0x31, 0xf8, 0x56, 0xad, 0x47, 0x11,
    0x6b, 0x45, 0xa9, 0x50, 0x32, 0x82, 0x04, 0xb4, 0xf4, 0x4b, 0xfb,
    0x6b, 0x3a, 0x4b, 0x4f, 0x1f, 0x3f, 0xcb, 0x63, 0x16, 0x43
};
static const struct {
    unsigned char key[16], iv[12];
} written_by[] = {
    { { 0x9f, 0x02, 0x28, 0x3b, 0x6c, 0x9c, 0x07, 0xef, 0xc2, 0x6b, 0xb9, 0xf2,
        0xac, 0x92, 0xe3, 0x56 },
      { 0xcf, 0x78, 0x2b, 0x88, 0xdd, 0x83, 0x54, 0x9a, 0xad, 0xf1, 0xe9,
        0x84 } },
    { { 0x17, 0x42, 0x2d, 0xda, 0x59, 0x6e, 0xd5, 0xd9, 0xac, 0xd8, 0x90, 0xe3,
        0xc6, 0x3f, 0x50, 0x51 },
      { 0x5b, 0x78, 0x92, 0x3d, 0xee, 0x08, 0x57, 0x90, 0x33, 0xe5, 0x23,
        0xd9 } },
};
static const unsigned char random_c[32] = { 1 }, random_s[32] = { 2 };

static void keep(struct ssl_secrets *s, mbedtls_ssl_key_export_type type,
                 const unsigned char *secret, size_t len,
                 mbedtls_tls_prf_types prf) {
    ssl_keys_keep(s, type, secret, len, random_c, random_s, prf);
}

static void keys_are_those_of_rfc8448(void **state) {
    struct ssl_secrets s = { 0 };
    struct record_keys k;
    (void)state;
    keep(&s, MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET,
         client_secret, 32, MBEDTLS_SSL_HKDF_EXPAND_SHA256);
    keep(&s, MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET,
         server_secret, 32, MBEDTLS_SSL_HKDF_EXPAND_SHA256);
    for (int client = 0; client < 2; client++) {
        assert_null(
            ssl_keys_derive(&s, "TLS_AES_128_GCM_SHA256", client == 1, 7, &k));
        assert_true(k.tls13);
        assert_int_equal(k.cipher, RECORD_AES_128_GCM);
        assert_int_equal(k.seq, 7);
        assert_memory_equal(k.key, written_by[client].key, 16);
        assert_memory_equal(k.iv, written_by[client].iv, 12);
    }
}

/* P_SHA256 and P_SHA384 of 48 bytes 0x0b, "key expansion" and the randoms
 * above, by another implementation. */
static const struct {
    const char *suite;
    mbedtls_tls_prf_types prf;
    bool client;
    size_t key_len;
    unsigned char key[4], last, iv[12];
} blocks[] = {
    { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      MBEDTLS_SSL_TLS_PRF_SHA256,
      true,
      16,
      { 0x6f, 0x59, 0xfd, 0x65 },
      0x60,
      { 0x7a, 0xe3, 0xc9, 0xc3, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x12,
        0x34 } },
    { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      MBEDTLS_SSL_TLS_PRF_SHA256,
      false,
      16,
      { 0x3d, 0xba, 0x49, 0xa5 },
      0xa5,
      { 0x69, 0x72, 0xcd, 0x5b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x12,
        0x34 } },
    { "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
      MBEDTLS_SSL_TLS_PRF_SHA384,
      true,
      32,
      { 0x49, 0xe4, 0x73, 0x54 },
      0xd5,
      { 0x77, 0x2b, 0x81, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x12,
        0x34 } },
    { "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
      MBEDTLS_SSL_TLS_PRF_SHA384,
      false,
      32,
      { 0xca, 0xb9, 0x1a, 0x6c },
      0x84,
      { 0xad, 0x9e, 0x43, 0xb7, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x12,
        0x34 } },
    { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
      MBEDTLS_SSL_TLS_PRF_SHA256,
      true,
      32,
      { 0x6f, 0x59, 0xfd, 0x65 },
      0xa5,
      { 0xde, 0x59, 0x4a, 0x30, 0x30, 0xff, 0x50, 0x73, 0x1f, 0x15, 0x19,
        0x64 } },
    { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
      MBEDTLS_SSL_TLS_PRF_SHA256,
      false,
      32,
      { 0x7a, 0xe3, 0xc9, 0xc3 },
      0x78,
      { 0x5a, 0xd7, 0x10, 0x74, 0xd3, 0x78, 0xfd, 0xb7, 0x12, 0x86, 0x73,
        0x19 } },
};

static void key_blocks_are_as_another_makes_them(void **state) {
    unsigned char master[48];
    (void)state;
    memset(master, 0x0b, sizeof master);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct ssl_secrets s = { 0 };
        struct record_keys k;
        keep(&s, MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET, master, 48,
             blocks[i].prf);
        assert_null(
            ssl_keys_derive(&s, blocks[i].suite, blocks[i].client, 0x1234, &k));
        assert_false(k.tls13);
        assert_memory_equal(k.key, blocks[i].key, 4);
        assert_int_equal(k.key[blocks[i].key_len - 1], blocks[i].last);
        assert_memory_equal(k.iv, blocks[i].iv, 12);
    }
}

static void what_there_are_no_keys_for_is_told(void **state) {
    static const char *const suites[] = {
        "TLS_AES_128_CCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_GCM_SHA256", ""
    };
    struct ssl_secrets s = { 0 };
    struct record_keys k;
    (void)state;
    assert_string_equal(
        ssl_keys_derive(&s, "TLS_AES_128_GCM_SHA256", true, 0, &k),
        "there are no secrets to make keys from");
    /* Those of the handshake are not kept. */
    keep(&s, MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET,
         client_secret, 32, MBEDTLS_SSL_HKDF_EXPAND_SHA256);
    assert_int_equal(s.len, 0);
    keep(&s, MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET,
         client_secret, 32, MBEDTLS_SSL_HKDF_EXPAND_SHA256);
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        assert_string_equal(
            ssl_keys_derive(&s, suites[i], true, 0, &k),
            "the cipher suite is none of AES-GCM or ChaCha20-Poly1305");
    }
}

static int start(void **state) {
    (void)state;
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_those_of_rfc8448),
        cmocka_unit_test(key_blocks_are_as_another_makes_them),
        cmocka_unit_test(what_there_are_no_keys_for_is_told),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
