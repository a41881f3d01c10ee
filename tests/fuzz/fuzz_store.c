/*
 * fuzz_store.c - a store of CA certificates as text: what its reader takes is
 * what Mbed TLS takes, and what is found is what bears the name.
 */
#include "fuzz.h"

#include <mbedtls/pem.h>
#include <mbedtls/platform.h>

#include "base/pem.h"
#include "cert_data.h"
#include "tls/ssl_store.h"

static const char begin[] = "-----BEGIN CERTIFICATE-----";
static const char finish[] = "-----END CERTIFICATE-----";

/* The beginning of a block, in a block of memory of its own size. */
static void check_beginning(const struct pem_block *b, size_t room,
                            const unsigned char *all, size_t all_len) {
    unsigned char *out = fuzz_copy(NULL, 0, room);
    size_t len;
    bool ok = pem_decode(b, out, room, &len);
    CHECK(len <= room);
    CHECK(all == NULL || ok || room == 0);
    CHECK(all == NULL || !ok ||
          (len == (room < all_len ? room : all_len) &&
           memcmp(out, all, len) == 0));
    free(out);
}

/* Certificates that can be parsed go to the list `all`. */
static void check_block(const struct pem_block *b, mbedtls_x509_crt *all) {
    unsigned char *out = fuzz_copy(NULL, 0, pem_room(b));
    size_t len, used, their_len;
    bool ok = pem_decode(b, out, pem_room(b), &len);
    mbedtls_pem_context pem;
    mbedtls_pem_init(&pem);
    const char *from = b->text - (sizeof begin - 1);
    size_t text_len = (size_t)(b->after - from) + sizeof finish - 1;
    unsigned char *text = fuzz_copy((const uint8_t *)from, text_len, 1);
    int ret =
        mbedtls_pem_read_buffer(&pem, begin, finish, text, NULL, 0, &used);
    CHECK(ok == (ret == 0) || memchr(text, 0, text_len) != NULL);
    if (ok) {
        const unsigned char *theirs = mbedtls_pem_get_buffer(&pem, &their_len);
        CHECK(len == their_len && memcmp(out, theirs, len) == 0);
        mbedtls_x509_crt_parse_der(all, out, len);
    }
    for (size_t room = 0; room < 9; room++) {
        check_beginning(b, room, ok ? out : NULL, len);
        check_beginning(b, len + room, ok ? out : NULL, len);
    }
    mbedtls_pem_free(&pem);
    free(text);
    free(out);
}

static bool is_issuer(const mbedtls_x509_crt *ca,
                      const mbedtls_x509_crt *child) {
    return ca->raw.p != NULL && ca->subject_raw.len == child->issuer_raw.len &&
           memcmp(ca->subject_raw.p, child->issuer_raw.p,
                  ca->subject_raw.len) == 0;
}

/* All that bear the very name are found, once each. */
static void check_find(struct ssl_store *s, const mbedtls_x509_crt *all,
                       const mbedtls_x509_crt *child) {
    mbedtls_x509_crt *found;
    size_t wanted = 0, same = 0;
    CHECK(ssl_store_find(s, child, &found) == 0);
    for (const mbedtls_x509_crt *c = all; c != NULL; c = c->next) {
        wanted += is_issuer(c, child);
    }
    for (const mbedtls_x509_crt *c = found; c != NULL; c = c->next) {
        same += is_issuer(c, child);
        CHECK(c->subject_raw.len == child->issuer_raw.len);
    }
    CHECK(same == wanted);
    mbedtls_x509_crt_free(found);
    mbedtls_free(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { CHILDREN = 8 };
    unsigned char *text = fuzz_copy(data, size, 0);
    const char *at = (const char *)text, *end = at + size;
    mbedtls_x509_crt all, ours;
    struct pem_block b;
    mbedtls_x509_crt_init(&all);
    mbedtls_x509_crt_init(&ours);
    CHECK(mbedtls_x509_crt_parse_der(&ours, server_cert, sizeof server_cert) ==
          0);
    while (pem_next(at, end, &b)) {
        CHECK(b.text > at && b.text + b.len == b.after && b.after < end);
        check_block(&b, &all);
        at = b.after;
    }
    struct ssl_store s = { 0 };
    ssl_store_set(&s, text, size);
    check_find(&s, &all, &ours);
    int n = 0;
    for (const mbedtls_x509_crt *c = &all; c != NULL && n++ < CHILDREN;
         c = c->next) {
        if (c->raw.p != NULL) {
            check_find(&s, &all, c);
        }
    }
    ssl_store_free(&s);
    mbedtls_x509_crt_free(&all);
    mbedtls_x509_crt_free(&ours);
    free(text);
    return 0;
}
