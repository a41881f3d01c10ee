#include "cli/print_cadata.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { LINE_BYTES = 16 };

const char *const print_cadata_names[] = { "der", "base64", "micropython",
                                           NULL };

void cadata_free(struct cadata *c) {
    free(c->der);
    *c = (struct cadata){ .der = NULL };
}

static void take(struct cadata *c, const mbedtls_x509_crt *crt,
                 const mbedtls_x509_time *now) {
    c->der = malloc(crt->raw.len);
    if (c->der != NULL) {
        memcpy(c->der, crt->raw.p, crt->raw.len);
        c->len = crt->raw.len;
        ssl_cert_describe(crt, now, &c->info);
    }
}

static void take_top(struct cadata *c, const struct ssl_verify *v) {
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    if (mbedtls_x509_crt_parse_der(&crt, v->top, v->top_len) == 0) {
        take(c, &crt, v->ctx->now);
    }
    c->verified = c->der != NULL;
    mbedtls_x509_crt_free(&crt);
}

/* The issuer of `crt` among those sent, itself left out. */
static const mbedtls_x509_crt *issuer_in(const mbedtls_x509_crt *sent,
                                         const mbedtls_x509_crt *crt) {
    for (; sent != NULL; sent = sent->next) {
        if (sent != crt && sent->raw.p != NULL &&
            ssl_cert_same(&sent->subject_raw, &crt->issuer_raw)) {
            return sent;
        }
    }
    return NULL;
}

/* Up from the leaf as far as it goes, whatever the order; names that form a
 * ring end the search. */
static void take_sent(struct cadata *c, const mbedtls_x509_crt *sent,
                      const mbedtls_x509_time *now) {
    const mbedtls_x509_crt *top = sent, *next;
    for (size_t i = 0; i < SSL_CHAIN_MAX; i++) {
        bool own = ssl_cert_same(&top->subject_raw, &top->issuer_raw);
        if (own || (next = issuer_in(sent, top)) == NULL) {
            break;
        }
        top = next;
    }
    struct ssl_cert_info info;
    ssl_cert_describe(top, now, &info);
    if (info.ca || info.self_issued) {
        take(c, top, now);
    }
}

void cadata_of_socket(struct cadata *c, struct ssl_socket *sock) {
    const unsigned char *der;
    size_t len;
    *c = (struct cadata){ .der = NULL };
    if (ssl_verify_anchored(&sock->verify) && sock->verify.top != NULL) {
        take_top(c, &sock->verify);
        return;
    }
    mbedtls_x509_crt sent;
    mbedtls_x509_crt_init(&sent);
    for (size_t i = 0; (der = ssl_socket_sent_certificate(sock, i, &len));
         i++) {
        int ret = mbedtls_x509_crt_parse_der(&sent, der, len);
        (void)ret; /* one that cannot be read is no CA for a board either */
    }
    if (sent.raw.p != NULL) {
        take_sent(c, &sent, sock->ctx->now);
    }
    mbedtls_x509_crt_free(&sent);
}

void cadata_of_chain(struct cadata *c, const struct ssl_chain *chain) {
    *c = (struct cadata){ .der = NULL };
    if (ssl_verify_anchored(&chain->verify) && chain->verify.top != NULL) {
        take_top(c, &chain->verify);
    } else if (chain->certs.raw.p != NULL) {
        take_sent(c, &chain->certs,
                  chain->verify.ctx != NULL ? chain->verify.ctx->now : NULL);
    }
}

int print_cadata_check(int format, struct err *err) {
    if (format == CADATA_DER && isatty(STDOUT_FILENO)) {
        return err_set(err, ERR_USAGE, 0,
                       "--print-cadata der is not for a terminal: redirect it "
                       "into a file");
    }
    return 0;
}

static int print_base64(FILE *f, const struct cadata *c, struct err *err) {
    char *text = malloc(4 * (c->len / 3 + 1) + 1);
    if (text == NULL) {
        return err_set(err, ERR_OS, 0, "no memory for the CA");
    }
    text_base64(c->der, c->len, text);
    fprintf(f, "%s\n", text);
    free(text);
    return 0;
}

static void print_micropython(FILE *f, const struct cadata *c) {
    fprintf(f, "# %s, until %.10s%s\ncadata = (", c->info.subject,
            c->info.not_after,
            c->verified ? "" : ": NOT VERIFIED, only what the server sent");
    for (size_t i = 0; i < c->len; i++) {
        fprintf(f, "%s\\x%02x%s", i % LINE_BYTES == 0 ? "\n    b'" : "",
                c->der[i],
                i % LINE_BYTES == LINE_BYTES - 1 || i + 1 == c->len ? "'" : "");
    }
    fputs("\n)\n", f);
}

int print_cadata(FILE *f, enum print_cadata format, const struct cadata *c,
                 struct err *err) {
    if (c->der == NULL) {
        return err_set(
            err, ERR_OS, 0,
            "no CA to print: the peer sent none, and none was found");
    }
    switch (format) {
    case CADATA_DER:
        fwrite(c->der, 1, c->len, f);
        return 0;
    case CADATA_BASE64:
        return print_base64(f, c, err);
    case CADATA_MICROPYTHON:
        print_micropython(f, c);
        return 0;
    }
    return 0;
}

const char *print_cadata_warning(const struct cadata *c) {
    return c->der == NULL || c->verified
               ? NULL
               : "the CA printed is not verified, only what the peer sent: "
                 "compare it with one from another source";
}
