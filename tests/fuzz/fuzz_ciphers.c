/*
 * fuzz_ciphers.c - lists of cipher suites, in every spelling.
 */
#include "fuzz.h"

#include "tls/ssl_context.h"

/* Every spelling of a suite that was found leads back to it. */
static void check_found(int id) {
    char buf[SSL_CIPHER_NAME_MAX], number[16];
    bool tls12, tls13;
    const char *name = ssl_cipher_iana(id, buf);
    CHECK(name == buf && ssl_cipher_find(name, strlen(name)) == id);
    fuzz_check_ascii(name, sizeof buf);
    name = ssl_cipher_openssl(id, buf);
    CHECK(name == buf && ssl_cipher_find(name, strlen(name)) == id);
    fuzz_check_ascii(name, sizeof buf);
    snprintf(number, sizeof number, "0x%04X", (unsigned)id);
    CHECK(ssl_cipher_find(number, strlen(number)) == id);
    ssl_cipher_versions(id, &tls12, &tls13);
    CHECK(tls12 != tls13);
}

static void check_name(const char *text, size_t len) {
    char near[SSL_CIPHER_NAME_MAX];
    int id = ssl_cipher_find(text, len);
    if (id != 0) {
        check_found(id);
        return;
    }
    const char *name = ssl_cipher_nearest(text, near);
    CHECK(name == NULL || name == near);
    CHECK(name == NULL || ssl_cipher_find(name, strlen(name)) != 0);
}

static size_t copy_list(int *to, const int *from) {
    size_t n = 0;
    while ((to[n] = from[n]) != 0) {
        n++;
        CHECK(n <= SSL_CIPHERS_MAX);
    }
    return n;
}

/* Set, or as it was. */
static void check_set(struct ssl_context *ctx, const char *names) {
    int before[SSL_CIPHERS_MAX + 1], after[SSL_CIPHERS_MAX + 1];
    struct err err = ERR_INIT;
    size_t had = copy_list(before, ssl_context_get_ciphers(ctx));
    int rc = ssl_context_set_ciphers(ctx, names, &err);
    size_t n = copy_list(after, ssl_context_get_ciphers(ctx));
    CHECK(rc == 0 || rc == -1);
    fuzz_check_err(rc != 0, &err);
    CHECK(n > 0 && ctx->min_version <= ctx->max_version);
    if (rc != 0) {
        CHECK(n == had && memcmp(before, after, n * sizeof *after) == 0);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            CHECK(after[k] != after[i]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct ssl_context ctx;
    struct err err = ERR_INIT;
    if (size == 0) {
        return 0;
    }
    enum ssl_version min = data[0] & 1, max = data[0] >> 1 & 1;
    char *text = (char *)fuzz_copy(data + 1, size - 1, 1);
    check_name(text, strlen(text));
    CHECK(ssl_context_init(&ctx, data[0] >> 2 & 1, &err) == 0);
    CHECK((ssl_context_set_versions(&ctx, min, max, &err) != 0) == (min > max));
    check_set(&ctx, text);
    check_set(&ctx, "TLS_AES_128_GCM_SHA256");
    ssl_context_free(&ctx);
    free(text);
    return 0;
}
