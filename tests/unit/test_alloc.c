/*
 * test_alloc.c - the nth allocation fails, for many n, from making the
 * contexts to the first byte: nothing leaks, and no failure is called a
 * success.
 */
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>
#include <stdlib.h>

#include "fake_stream.h"
#include "pki.h"
#include "test.h"
#include "tls/ssl_socket.h"

/* Every allocation up to here fails once, then fewer and fewer: bignums make
 * tens of thousands, all alike. */
enum { DENSE = 100 };

/* What Mbed TLS 3.6.6 loses in all: where the second of the two contexts of a
 * TLS 1.3 transform cannot be had, it forgets the first; at both ends, for the
 * handshake and for the data. */
enum { LOST_MAX = 4 };

/* Before each allocation; the newest comes first. */
struct block {
    struct block *prev, *next;
    max_align_t bytes[];
};

static long countdown; /* allocations until one fails; 0: none does */
static struct block *blocks;
static int failed_one;

static void *counting_calloc(size_t n, size_t size) {
    if (countdown > 0 && --countdown == 0) {
        failed_one = 1;
        return NULL;
    }
    struct block *b = calloc(1, sizeof *b + n * size);
    if (b == NULL) {
        return NULL;
    }
    b->next = blocks;
    if (blocks != NULL) {
        blocks->prev = b;
    }
    blocks = b;
    return b->bytes;
}

static void counting_free(void *p) {
    if (p == NULL) {
        return;
    }
    struct block *b =
        (struct block *)(void *)((char *)p - offsetof(struct block, bytes));
    *(b->prev != NULL ? &b->prev->next : &blocks) = b->next;
    if (b->next != NULL) {
        b->next->prev = b->prev;
    }
    free(b);
}

/* Free what is newer than `old`. @return how many there were */
static unsigned free_newer(const struct block *old) {
    unsigned n = 0;
    while (blocks != old) {
        counting_free(blocks->bytes);
        n++;
    }
    return n;
}

static struct mem wire_c, wire_s;
static struct ssl_context ctx_c, ctx_s;
static struct ssl_socket client, server;

static int store(void *arg, const unsigned char **pem, size_t *len,
                 struct err *err) {
    const struct pki_data *root = arg;
    (void)err;
    *pem = root->data;
    *len = root->len;
    return 0;
}

static int exchange(struct err *err_c, struct err *err_s) {
    int c = STREAM_WANT_RD, s = STREAM_WANT_RD;
    ssize_t w = STREAM_WANT_RD, r = STREAM_WANT_RD;
    unsigned char byte;
    for (int i = 0; i < 10000; i++) {
        c = c < STREAM_ERROR ? ssl_socket_do_handshake(&client, err_c) : c;
        s = s < STREAM_ERROR ? ssl_socket_do_handshake(&server, err_s) : s;
        if (c == 0 && w < STREAM_ERROR) {
            w = ssl_socket_write(&client, "x", 1, err_c);
        }
        if (s == 0 && r < STREAM_ERROR) {
            r = ssl_socket_read(&server, &byte, 1, err_s);
        }
        if (c == STREAM_ERROR || s == STREAM_ERROR || r >= STREAM_ERROR ||
            w == STREAM_ERROR) {
            break;
        }
    }
    return r == 1 ? 0 : -1;
}

/* @return whether all of it worked */
static int attempt(enum ssl_version version, struct pki_data *root,
                   const struct pki_data *crt, const struct pki_data *key,
                   struct err *err_c, struct err *err_s) {
    const struct ssl_wrap_args s = { .server_side = true,
                                     .cert = crt->data,
                                     .cert_len = crt->len,
                                     .key = key->data,
                                     .key_len = key->len };
    const struct ssl_wrap_args c = { .cert_reqs = SSL_CERT_REQUIRED,
                                     .server_hostname = "localhost" };
    int ok = 0;
    mem_init(&wire_c, &wire_s, 1 << 16);
    wire_c.never_want = wire_s.never_want = 1;
    memset(&ctx_c, 0, sizeof ctx_c);
    memset(&client, 0, sizeof client);
    if (ssl_wrap_socket(&ctx_s, &server, &wire_s.stream, &s, err_s) == 0 &&
        ssl_wrap_context(&ctx_c, &c, err_c) == 0 &&
        ssl_context_set_versions(&ctx_c, version, version, err_c) == 0 &&
        ssl_wrap_socket(&ctx_c, &client, &wire_c.stream, &c, err_c) == 0) {
        ssl_context_set_ca_source(&ctx_c, store, root);
        ok = exchange(err_c, err_s) == 0;
        if (ok) {
            assert_int_equal(mbedtls_ssl_get_version_number(&client.ssl),
                             version == SSL_TLS_1_2
                                 ? MBEDTLS_SSL_VERSION_TLS1_2
                                 : MBEDTLS_SSL_VERSION_TLS1_3);
        }
    }
    ssl_socket_free(&client);
    ssl_socket_free(&server);
    ssl_context_free(&ctx_c);
    ssl_context_free(&ctx_s);
    return ok;
}

static void
an_allocation_that_fails_is_an_error_and_leaks_nothing(void **state) {
    static struct pki_data root, crt, key;
    unsigned lost = 0;
    (void)state;
    root = *pki("root.pem");
    root.data[root.len] = '\0';
    crt = *pki("server-ec256.pem");
    key = *pki("server-ec256-key.pem");
    for (int version = SSL_TLS_1_2; version <= SSL_TLS_1_3; version++) {
        long nth = 1;
        struct err none = ERR_INIT;
        /* The first run leaves PSA's own tables behind. */
        int ok =
            attempt((enum ssl_version)version, &root, &crt, &key, &none, &none);
        for (;; nth += 1 + nth / DENSE) {
            struct err err_c = ERR_INIT, err_s = ERR_INIT;
            const struct block *before = blocks;
            failed_one = 0;
            countdown = nth;
            ok = attempt((enum ssl_version)version, &root, &crt, &key, &err_c,
                         &err_s);
            countdown = 0;
            unsigned left = free_newer(before);
            assert_in_range(left, 0, version == SSL_TLS_1_3 && failed_one);
            lost += left;
            assert_in_range(lost, 0, LOST_MAX);
            if (!failed_one) {
                break; /* fewer than nth in all: this was the real thing */
            }
            /* Within a chain's signatures Mbed TLS takes it for a bad one
             * (Mbed-TLS/mbedtls #663), which at least refuses. */
            assert_true(ok || err_c.origin == ERR_TLS ||
                        err_s.origin == ERR_TLS || err_c.origin == ERR_VERIFY);
        }
        assert_true(ok);
        assert_true(nth > DENSE);
    }
}

static int setup(void **state) {
    (void)state;
    mbedtls_platform_set_calloc_free(counting_calloc, counting_free);
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_allocation_that_fails_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
