/*
 * fuzz_certs.c - certificates and keys, PEM or DER, as the user gives them and
 * as a peer or a CA store has them.
 *
 * The input: two bytes, the length of the first part, then both parts.
 */
#include "fuzz.h"

#include <mbedtls/platform.h>

#include "cert_data.h"
#include "tls/ssl_context.h"
#include "tls/ssl_diagnose.h"
#include "tls/ssl_identity.h"
#include "tls/ssl_verify.h"

struct part {
    unsigned char *data; /* in a block of its own size */
    size_t len;
};

static struct ssl_context ctx;
static struct part store;

static void check_described(const struct ssl_cert_info *info) {
    fuzz_check_ascii(info->subject, sizeof info->subject);
    fuzz_check_ascii(info->issuer, sizeof info->issuer);
    fuzz_check_ascii(info->names, sizeof info->names);
    fuzz_check_ascii(info->not_before, sizeof info->not_before);
    fuzz_check_ascii(info->not_after, sizeof info->not_after);
    fuzz_check_ascii(info->key, sizeof info->key);
    fuzz_check_ascii(info->signature, sizeof info->signature);
    fuzz_check_ascii(info->ca_url, sizeof info->ca_url);
    CHECK(info->der_len > 0 && info->flags == 0);
}

/* Some names, and that each DNS name of its own is one it bears. */
static void check_names(const mbedtls_x509_crt *crt) {
    static const char *const names[] = {
        "localhost", "localhost.",       "127.0.0.1",
        "::1",       "a.example.test",   ".",
        "",          "a.b.example.test", "*.example.test"
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ssl_verify_name(crt, names[i]);
    }
    const mbedtls_x509_sequence *s = &crt->subject_alt_names;
    for (; s != NULL && s->buf.p != NULL; s = s->next) {
        char *name = (char *)fuzz_copy(s->buf.p, s->buf.len, 1);
        bool plain = strlen(name) == s->buf.len && s->buf.len > 0 &&
                     strchr(name, '*') == NULL && name[s->buf.len - 1] != '.' &&
                     !ssl_verify_is_address(name);
        bool dns = (s->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == 2;
        CHECK(!plain || !dns || ssl_verify_name(crt, name));
        free(name);
    }
}

/* By what is trusted, judged and not judged. */
static void check_diagnosis(const mbedtls_x509_crt *chain,
                            const struct ssl_verify *v) {
    static const struct ssl_verify nothing;
    static struct ssl_info info;
    for (int judged = 0; judged < 2; judged++) {
        memset(&info, 0, sizeof info);
        ssl_diagnose_chain(chain, &ctx, judged ? v : &nothing,
                           judged ? UINT32_MAX : 0, &info);
        CHECK(info.finding_count <= SSL_FINDINGS_MAX);
        for (size_t i = 0; i < info.finding_count; i++) {
            const struct ssl_finding *f = &info.findings[i];
            fuzz_check_ascii(f->text, sizeof f->text);
            fuzz_check_ascii(f->here, sizeof f->here);
            fuzz_check_ascii(f->there, sizeof f->there);
        }
        CHECK(chain->raw.p == NULL ||
              (info.sent_count > 0 && info.sent_count <= SSL_CHAIN_MAX));
    }
}

static void check_chain(mbedtls_x509_crt *chain) {
    static struct ssl_verify v;
    static struct ssl_cert_info info;
    memset(&v, 0, sizeof v);
    v.ctx = &ctx;
    v.name = "localhost";
    int depth = 0;
    for (mbedtls_x509_crt *crt = chain; crt != NULL; crt = crt->next) {
        uint32_t flags = depth % 2 == 0 ? UINT32_MAX : 0;
        ssl_cert_describe(crt, NULL, &info);
        check_described(&info);
        check_names(crt);
        CHECK(ssl_verify_callback(&v, crt, depth++, &flags) == 0);
    }
    CHECK(v.called && v.cert_count <= SSL_CHAIN_MAX);
    check_diagnosis(chain, &v);
    for (size_t len = 1; len < 400; len += 133) {
        char text[400];
        memset(text, '!', sizeof text);
        ssl_verify_explain(&v, UINT32_MAX, text, len);
        fuzz_check_ascii(text, len);
    }
    ssl_verify_free(&v);
}

/* What was there before stays there. */
static void check_trust(const struct part *p) {
    struct err err = ERR_INIT;
    for (int again = 0; again < 2; again++) {
        int rc = ssl_context_load_verify_locations(&ctx, p->data, p->len, &err);
        CHECK(rc == 0 || rc == -1);
        fuzz_check_err(rc != 0, &err);
        CHECK(rc == 0 || (err.origin == ERR_TLS && err.code < 0));
        CHECK(rc == 0 || ctx.ca.next == NULL);
        err = (struct err)ERR_INIT;
    }
    CHECK(ctx.have_ca && ctx.ca.raw.len == sizeof root_cert &&
          memcmp(ctx.ca.raw.p, root_cert, sizeof root_cert) == 0);
    check_chain(&ctx.ca);
}

static void check_own(const struct part *cert, const struct part *key) {
    struct err err = ERR_INIT;
    int rc = ssl_context_load_cert_chain(&ctx, cert->data, cert->len, key->data,
                                         key->len, &err);
    CHECK(rc == 0 || rc == -1);
    fuzz_check_err(rc != 0, &err);
    CHECK(rc == 0 || (err.origin == ERR_TLS && err.code < 0));
    CHECK((ctx.own != NULL) == (rc == 0));
    if (rc == 0) {
        check_chain(&ctx.own->cert);
    }
}

static int give_store(void *arg, const unsigned char **pem, size_t *len,
                      struct err *err) {
    (void)arg;
    (void)err;
    *pem = store.data;
    *len = store.len;
    return 0;
}

static void check_find(const mbedtls_x509_crt *child) {
    mbedtls_x509_crt *found = NULL;
    if (ssl_verify_find_ca(&ctx, child, &found) != 0 || found == NULL) {
        CHECK(found == NULL);
        return;
    }
    for (const mbedtls_x509_crt *c = found; c != NULL; c = c->next) {
        CHECK(c->subject_raw.len == child->issuer_raw.len);
    }
    mbedtls_x509_crt_free(found);
    mbedtls_free(found);
}

/* The part as a CA store, for a child of our root and one of its own. */
static void check_store(const struct part *p) {
    mbedtls_x509_crt child;
    struct err err = ERR_INIT;
    CHECK(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err) == 0);
    store = *p;
    ssl_context_set_ca_source(&ctx, give_store, NULL);
    mbedtls_x509_crt_init(&child);
    CHECK(mbedtls_x509_crt_parse_der(&child, server_cert, sizeof server_cert) ==
          0);
    check_find(&child);
    mbedtls_x509_crt_free(&child);
    mbedtls_x509_crt_init(&child);
    if (mbedtls_x509_crt_parse(&child, p->data, p->len + 1) >= 0 &&
        child.raw.p != NULL) {
        check_find(&child);
    }
    mbedtls_x509_crt_free(&child);
    ssl_context_free(&ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err err = ERR_INIT;
    if (size < 2) {
        return 0;
    }
    size_t first = (size_t)data[0] << 8 | data[1];
    data += 2;
    size -= 2;
    first = first < size ? first : size;
    struct part a = { fuzz_copy(data, first, 0), first };
    struct part b = { fuzz_copy(data + first, size - first, 0), size - first };
    struct part pem = { fuzz_copy(data, first, 1), first };
    CHECK(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_SERVER, &err) == 0);
    CHECK(ssl_context_load_verify_locations(&ctx, root_cert, sizeof root_cert,
                                            &err) == 0);
    check_trust(&a);
    check_own(&a, &b);
    ssl_context_free(&ctx);
    check_store(&pem);
    free(a.data);
    free(b.data);
    free(pem.data);
    return 0;
}
