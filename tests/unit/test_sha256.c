#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>

#include "aead.h"

#ifdef MBEDTLS_SHA256_PROCESS_ALT

#include "accel/nettle.h"

enum { HASH_LEN = 32, DATA_MAX = 1000 };

static int begin(void **state) {
    (void)state;
    accel_nettle_use(true);
    if (nettle_open() == NULL) {
        print_message("%s\n", accel_nettle_lack());
    }
    return 0;
}

static int end(void **state) {
    (void)state;
    accel_nettle_use(false);
    return 0;
}

static void need_library(void) {
    if (nettle_opened() == NULL) {
        skip();
    }
}

static void hash(bool use, bool is224, const unsigned char *data, size_t len,
                 size_t piece, unsigned char out[HASH_LEN]) {
    mbedtls_sha256_context ctx;
    accel_nettle_use(use);
    assert_int_equal(nettle_opened() != NULL, use);
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, is224), 0);
    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        assert_int_equal(mbedtls_sha256_update(&ctx, data + at, n), 0);
    }
    memset(out, 0, HASH_LEN);
    assert_int_equal(mbedtls_sha256_finish(&ctx, out), 0);
    mbedtls_sha256_free(&ctx);
}

/* FIPS 180-4's examples, and a million times "a" (FIPS 180-2, B.3). */
static void the_examples_of_fips_180(void **state) {
    static const struct {
        const char *data;
        bool is224;
        const char *hash;
    } rows[] = {
        { "abc", false,
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", false,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "", false,
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", true,
          "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", true,
          "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525" },
    };
    unsigned char wanted[HASH_LEN], got[HASH_LEN];
    (void)state;
    need_library();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = from_hex(rows[i].hash, wanted);
        hash(true, rows[i].is224, (const unsigned char *)rows[i].data,
             strlen(rows[i].data), 64, got);
        assert_memory_equal(got, wanted, len);
    }
    unsigned char *many = malloc(1000000);
    assert_non_null(many);
    memset(many, 'a', 1000000);
    (void)from_hex("cdc76e5c9914fb9281a1c7e284d73e67"
                   "f1809a48a497200e046d39ccc7112cd0",
                   wanted);
    hash(true, false, many, 1000000, 999, got);
    assert_memory_equal(got, wanted, HASH_LEN);
    free(many);
}

static void both_make_the_same_of_any_length(void **state) {
    unsigned char data[DATA_MAX], one[HASH_LEN], two[HASH_LEN];
    (void)state;
    need_library();
    random_bytes(data, sizeof data);
    for (size_t len = 0; len <= sizeof data; len++) {
        size_t piece = 1 + random_below(200);
        hash(true, len % 2, data, len, piece, one);
        hash(false, len % 2, data, len, piece, two);
        assert_memory_equal(one, two, sizeof one);
        data[random_below(sizeof data)] ^= 1;
        hash(true, len % 2, data, len, piece, two);
        hash(false, len % 2, data, len, piece, one);
        assert_memory_equal(one, two, sizeof one);
    }
}

/* One may begin what the other ends. */
static void a_hash_can_change_hands(void **state) {
    unsigned char data[DATA_MAX], wanted[HASH_LEN], got[HASH_LEN];
    mbedtls_sha256_context ctx;
    (void)state;
    need_library();
    random_bytes(data, sizeof data);
    hash(false, false, data, sizeof data, sizeof data, wanted);
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, 0), 0);
    for (size_t at = 0; at < sizeof data; at += 50) {
        accel_nettle_use(at % 100 == 0);
        assert_int_equal(mbedtls_sha256_update(&ctx, data + at, 50), 0);
    }
    assert_int_equal(mbedtls_sha256_finish(&ctx, got), 0);
    assert_memory_equal(got, wanted, sizeof got);
    mbedtls_sha256_free(&ctx);
}

/* Opening it takes longer than many hashes. */
static void a_hash_does_not_open_the_library(void **state) {
    unsigned char got[HASH_LEN];
    (void)state;
    need_library();
    accel_nettle_release();
    assert_int_equal(mbedtls_sha256((const unsigned char *)"abc", 3, got, 0),
                     0);
    assert_null(nettle_opened());
    assert_non_null(nettle_open());
    accel_nettle_use(false);
    assert_null(nettle_open());
    assert_null(nettle_opened());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_examples_of_fips_180, begin, end),
        cmocka_unit_test_setup_teardown(both_make_the_same_of_any_length, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_hash_can_change_hands, begin, end),
        cmocka_unit_test_setup_teardown(a_hash_does_not_open_the_library, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) {
    puts("skipped: SHA-256 is Mbed TLS's own in this build");
    return 0;
}

#endif
