#include <mbedtls/ssl.h>

#include <stdio.h>

#include "base/cpu.h"
#include "test.h"
#include "tls/ssl_context.h"

static const struct {
    int id;
    const char *iana, *board, *openssl;
} rows[] = {
    { 0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",
      "ECDHE-ECDSA-AES128-GCM-SHA256" },
    { 0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
      "TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384" },
    { 0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS-RSA-WITH-AES-128-CBC-SHA",
      "AES128-SHA" },
    { 0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256",
      "TLS-RSA-WITH-AES-256-CBC-SHA256", "AES256-SHA256" },
    { 0xC0AE, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
      "TLS-ECDHE-ECDSA-WITH-AES-128-CCM-8", "ECDHE-ECDSA-AES128-CCM8" },
    { 0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
      "TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256",
      "ECDHE-RSA-CHACHA20-POLY1305" },
    { 0x00AE, "TLS_PSK_WITH_AES_128_CBC_SHA256",
      "TLS-PSK-WITH-AES-128-CBC-SHA256", "PSK-AES128-CBC-SHA256" },
    { 0x1301, "TLS_AES_128_GCM_SHA256", "TLS1-3-AES-128-GCM-SHA256",
      "TLS_AES_128_GCM_SHA256" },
};

static void every_spelling_finds_the_suite_in_any_case(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[SSL_CIPHER_NAME_MAX], number[16], lower[SSL_CIPHER_NAME_MAX];
        int id = rows[i].id;
        assert_string_equal(ssl_cipher_iana(id, buf), rows[i].iana);
        assert_string_equal(ssl_cipher_openssl(id, buf), rows[i].openssl);
        assert_int_equal(ssl_cipher_find(rows[i].iana, strlen(rows[i].iana)),
                         id);
        assert_int_equal(ssl_cipher_find(rows[i].board, strlen(rows[i].board)),
                         id);
        assert_int_equal(
            ssl_cipher_find(rows[i].openssl, strlen(rows[i].openssl)), id);
        snprintf(number, sizeof number, "0x%04x", (unsigned)id);
        assert_int_equal(ssl_cipher_find(number, 6), id);
        for (size_t k = 0; k <= strlen(rows[i].iana); k++) {
            char c = rows[i].iana[k];
            lower[k] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        assert_int_equal(ssl_cipher_find(lower, strlen(lower)), id);
    }
}

static void every_suite_of_the_build_is_found_by_its_own_names(void **state) {
    (void)state;
    for (const int *id = mbedtls_ssl_list_ciphersuites(); *id != 0; id++) {
        char buf[SSL_CIPHER_NAME_MAX];
        assert_non_null(ssl_cipher_iana(*id, buf));
        assert_int_equal(ssl_cipher_find(buf, strlen(buf)), *id);
        assert_null(strchr(buf, '-'));
        assert_non_null(ssl_cipher_openssl(*id, buf));
        assert_int_equal(ssl_cipher_find(buf, strlen(buf)), *id);
    }
}

static void what_is_no_suite_is_not_found(void **state) {
    static const char *const names[] = { "",     "TLS",     "0x",   "0x0000",
                                         "0xZZ", "0x10000", "NULL", "0xC02B " };
    char buf[SSL_CIPHER_NAME_MAX], longest[200];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(ssl_cipher_find(names[i], strlen(names[i])), 0);
    }
    memset(longest, 'A', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(ssl_cipher_find(longest, strlen(longest)), 0);
    assert_null(ssl_cipher_nearest(longest, buf));
    assert_null(ssl_cipher_iana(0x0000, buf));
}

static void a_typo_gets_the_nearest_in_its_own_spelling(void **state) {
    char buf[SSL_CIPHER_NAME_MAX];
    (void)state;
    assert_string_equal(
        ssl_cipher_nearest("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265", buf),
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_string_equal(ssl_cipher_nearest("ECDHE-RSA-AES128-GCMSHA256", buf),
                        "ECDHE-RSA-AES128-GCM-SHA256");
    assert_null(ssl_cipher_nearest("xyzzy", buf));
}

static void a_list_chooses_suites_order_and_versions(void **state) {
    static const struct {
        const char *names;
        int ids[3];
        enum ssl_version min, max;
    } lists[] = {
        { "0xC02B,AES128-SHA", { 0xC02B, 0x2F }, SSL_TLS_1_2, SSL_TLS_1_2 },
        { "TLS_AES_128_GCM_SHA256", { 0x1301 }, SSL_TLS_1_3, SSL_TLS_1_3 },
        { "0x1301:0xC02B:0x1301",
          { 0x1301, 0xC02B },
          SSL_TLS_1_2,
          SSL_TLS_1_3 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct ssl_context ctx;
        struct err err = ERR_INIT;
        assert_int_equal(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err),
                         0);
        assert_int_equal(ssl_context_set_ciphers(&ctx, lists[i].names, &err),
                         0);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(ssl_context_get_ciphers(&ctx)[k], lists[i].ids[k]);
            if (lists[i].ids[k] == 0) {
                break;
            }
        }
        assert_int_equal(ctx.min_version, lists[i].min);
        assert_int_equal(ctx.max_version, lists[i].max);
        ssl_context_free(&ctx);
    }
}

static void a_bad_list_changes_nothing(void **state) {
    static const struct {
        const char *names, *said;
    } lists[] = {
        { "", "(empty)" },
        { "0xC02B,", "(empty)" },
        { "ECDHE-RSA-AES128-GCM-SHA265",
          "did you mean ECDHE-RSA-AES128-GCM-SHA256?" },
        { "nonsense", "unknown cipher suite nonsense" },
    };
    int expected[SSL_CIPHERS_MAX + 1];
    (void)state;
    struct ssl_context ctx;
    struct err none = ERR_INIT;
    assert_int_equal(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &none), 0);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(ssl_context_set_ciphers(&ctx, lists[i].names, &err),
                         -1);
        assert_int_equal(err.origin, ERR_TLS);
        assert_int_equal(err.code, MBEDTLS_ERR_SSL_BAD_CONFIG);
        assert_non_null(strstr(err.msg, lists[i].said));
        const int *all = ssl_context_get_ciphers(&ctx);
        ssl_cipher_list(cpu_has_aes(), expected);
        for (size_t k = 0; k == 0 || expected[k - 1] != 0; k++) {
            assert_int_equal(all[k], expected[k]);
        }
    }
    ssl_context_free(&ctx);
}

static size_t place_of(int id, const int *list) {
    size_t i = 0;
    while (list[i] != id) {
        assert_int_not_equal(list[i], 0);
        i++;
    }
    return i;
}

static void what_the_cpu_is_good_at_comes_first(void **state) {
    static const struct {
        int aes, chacha, less; /* the last has no instruction */
    } kinds[] = {
        { 0x1301, 0x1303, 0x1304 }, /* TLS 1.3; AES-128-CCM */
        { 0xC02C, 0xCCA9, 0xC0AD }, /* ECDHE-ECDSA; AES-256-CCM */
        { 0xC030, 0xCCA8, 0xC028 }, /* ECDHE-RSA; AES-256-CBC */
    };
    int with[SSL_CIPHERS_MAX + 1], without[SSL_CIPHERS_MAX + 1];
    const int *all = mbedtls_ssl_list_ciphersuites();
    (void)state;
    ssl_cipher_list(true, with);
    ssl_cipher_list(false, without);
    size_t n = 0;
    for (; all[n] != 0; n++) {
        assert_int_equal(without[n], all[n]);
        place_of(all[n], with);
    }
    assert_int_equal(without[n], 0);
    assert_int_equal(with[n], 0);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t aes = place_of(kinds[i].aes, with);
        size_t chacha = place_of(kinds[i].chacha, with);
        assert_true(aes < chacha);
        assert_true(chacha < place_of(kinds[i].less, with));
        assert_true(place_of(kinds[i].chacha, without) <
                    place_of(kinds[i].aes, without));
    }
    static const int aes_128[] = { 0x1301, 0xC02B, 0xC02F, 0x009E, 0x009C,
                                   0x00A8, 0x00AA, 0x00AC, 0xC02D, 0xC031 };
    for (size_t i = 0; i < sizeof aes_128 / sizeof aes_128[0]; i++) {
        int id = aes_128[i];
        assert_int_equal(place_of(id, with) + 1, place_of(id + 1, with));
        assert_true(place_of(id + 1, without) < place_of(id, without));
    }
}

/* Which suites they are is told by number, and here by name. */
static void those_of_a_kind_keep_their_order(void **state) {
    static const char *const kinds[] = { "-CHACHA20-", "-AES-128-GCM-",
                                         "-AES-256-GCM-", "-CCM", "-CBC-" };
    int with[SSL_CIPHERS_MAX + 1];
    const int *all = mbedtls_ssl_list_ciphersuites();
    (void)state;
    ssl_cipher_list(true, with);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t k = 0, found = 0;
        for (size_t n = 0; all[n] != 0; n++) {
            if (strstr(mbedtls_ssl_get_ciphersuite_name(all[n]), kinds[i]) ==
                NULL) {
                continue;
            }
            while (strstr(mbedtls_ssl_get_ciphersuite_name(with[k]),
                          kinds[i]) == NULL) {
                k++;
            }
            assert_int_equal(with[k++], all[n]);
            found++;
        }
        assert_true(found > 2);
    }
    /* After a ChaCha20-Poly1305 no AES-GCM follows at once. */
    for (size_t n = 1; with[n] != 0; n++) {
        const char *before = mbedtls_ssl_get_ciphersuite_name(with[n - 1]);
        const char *name = mbedtls_ssl_get_ciphersuite_name(with[n]);
        assert_false(strstr(before, "-CHACHA20-") != NULL &&
                     strstr(name, "-AES-") != NULL &&
                     strstr(name, "-GCM-") != NULL);
    }
}

static void
suites_and_versions_that_exclude_each_other_are_refused(void **state) {
    (void)state;
    struct ssl_context ctx;
    struct err err = ERR_INIT;
    assert_int_equal(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err), 0);
    assert_int_equal(ssl_context_set_ciphers(&ctx, "AES128-SHA", &err), 0);
    assert_int_equal(
        ssl_context_set_versions(&ctx, SSL_TLS_1_3, SSL_TLS_1_3, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_int_equal(err.code, 0);
    err = (struct err)ERR_INIT;
    assert_int_equal(
        ssl_context_set_versions(&ctx, SSL_TLS_1_3, SSL_TLS_1_2, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_int_equal(err.code, 0);
    /* The list is as it was, and a list of 1.3 brings 1.3 back. */
    err = (struct err)ERR_INIT;
    assert_int_equal(ssl_context_set_ciphers(&ctx, "0x1301", &err), 0);
    assert_int_equal(ctx.max_version, SSL_TLS_1_3);
    assert_int_equal(
        ssl_context_set_versions(&ctx, SSL_TLS_1_3, SSL_TLS_1_3, &err), 0);
    assert_int_equal(ssl_context_set_ciphers(&ctx, "AES128-SHA", &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_int_equal(err.code, 0);
    assert_int_equal(ssl_context_get_ciphers(&ctx)[0], 0x1301);
    ssl_context_free(&ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_finds_the_suite_in_any_case),
        cmocka_unit_test(every_suite_of_the_build_is_found_by_its_own_names),
        cmocka_unit_test(what_is_no_suite_is_not_found),
        cmocka_unit_test(a_typo_gets_the_nearest_in_its_own_spelling),
        cmocka_unit_test(a_list_chooses_suites_order_and_versions),
        cmocka_unit_test(a_bad_list_changes_nothing),
        cmocka_unit_test(what_the_cpu_is_good_at_comes_first),
        cmocka_unit_test(those_of_a_kind_keep_their_order),
        cmocka_unit_test(
            suites_and_versions_that_exclude_each_other_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
