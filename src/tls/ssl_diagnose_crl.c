#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tls/ssl_diagnosis.h"

enum {
    DATES = MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE,
    WEAK = MBEDTLS_X509_BADCRL_BAD_MD | MBEDTLS_X509_BADCRL_BAD_PK |
           MBEDTLS_X509_BADCRL_BAD_KEY
};

/* The entry of one of its issuer's lists, or NULL. */
static const mbedtls_x509_crl_entry *entry_of(const struct ssl_diagnosis *d,
                                              const mbedtls_x509_crt *crt) {
    const mbedtls_x509_crl *crl = &d->ctx->crl;
    for (; d->ctx->have_crl && crl != NULL; crl = crl->next) {
        const mbedtls_x509_crl_entry *e = &crl->entry;
        for (; ssl_cert_same(&crl->issuer_raw, &crt->issuer_raw) && e != NULL &&
               e->serial.p != NULL;
             e = e->next) {
            if (ssl_cert_same(&e->serial, &crt->serial)) {
                return e;
            }
        }
    }
    return NULL;
}

static void revoked(struct ssl_diagnosis *d, size_t i,
                    const mbedtls_x509_crt *crt) {
    const struct ssl_cert_info *c = &d->v->certs[i];
    const mbedtls_x509_crl_entry *e = entry_of(d, crt);
    char serial[48], at[SSL_TIME_MAX] = "";
    ssl_cert_hex(&crt->serial, serial, sizeof serial);
    if (e != NULL) {
        ssl_cert_time(&e->revocation_date, at);
    }
    ssl_diagnose_add(
        d->info, "revoked", NULL, "a new certificate, with a new key",
        "certificate %zu (%.100s, serial number %s) was revoked%s"
        "%s, by the CRL of %.100s",
        i, c->subject, serial, at[0] != '\0' ? " at " : "", at, c->issuer);
}

/* The list of the issuer that a flag is about. */
static const mbedtls_x509_crl *list_of(const struct ssl_diagnosis *d,
                                       const mbedtls_x509_crt *crt,
                                       uint32_t flags) {
    const mbedtls_x509_time *now = d->ctx->now;
    const mbedtls_x509_crl *crl = &d->ctx->crl, *found = NULL;
    for (; d->ctx->have_crl && crl != NULL; crl = crl->next) {
        if (!ssl_cert_same(&crl->issuer_raw, &crt->issuer_raw)) {
            continue;
        }
        bool in_date =
            now == NULL ||
            (ssl_cert_seconds(&crl->this_update) <= ssl_cert_seconds(now) &&
             ssl_cert_seconds(now) <= ssl_cert_seconds(&crl->next_update));
        if (found == NULL || ((flags & DATES) != 0 && !in_date)) {
            found = crl;
        }
    }
    return found;
}

static void bad_list(struct ssl_diagnosis *d, size_t i,
                     const mbedtls_x509_crt *crt, uint32_t flags) {
    const mbedtls_x509_crl *crl = list_of(d, crt, flags);
    const char *issuer = d->v->certs[i].issuer;
    char from[SSL_TIME_MAX] = "?", to[SSL_TIME_MAX] = "?", why[96];
    if (crl != NULL) {
        ssl_cert_time(&crl->this_update, from);
        ssl_cert_time(&crl->next_update, to);
    }
    if ((flags & MBEDTLS_X509_BADCRL_NOT_TRUSTED) != 0) {
        snprintf(why, sizeof why,
                 "is not signed by that CA's key, or the CA may not sign "
                 "CRLs");
    } else if ((flags & DATES) != 0) {
        snprintf(why, sizeof why, "is for the time from %s to %s", from, to);
    } else {
        snprintf(why, sizeof why, "has a weak signature");
    }
    char here[SSL_NAME_MAX];
    snprintf(here, sizeof here, "--crl with %s CRL of %.200s",
             (flags & MBEDTLS_X509_BADCRL_FUTURE) != 0    ? "an earlier"
             : (flags & MBEDTLS_X509_BADCRL_EXPIRED) != 0 ? "the latest"
                                                          : "the real",
             issuer);
    ssl_diagnose_add(d->info, "crl", here, NULL,
                     "the CRL of %.150s %s: it does not say whether "
                     "certificate %zu is revoked",
                     issuer, why, i);
}

void ssl_diagnose_crl(struct ssl_diagnosis *d) {
    const uint32_t list = DATES | WEAK | MBEDTLS_X509_BADCRL_NOT_TRUSTED;
    for (size_t i = 0; i < d->v->cert_count; i++) {
        uint32_t flags = d->flags & d->v->certs[i].flags;
        int place = ssl_diagnosis_place(d, i);
        if (place < 0) {
            continue;
        }
        const mbedtls_x509_crt *crt = ssl_diagnosis_sent(d, place);
        if ((flags & MBEDTLS_X509_BADCERT_REVOKED) != 0) {
            revoked(d, i, crt);
        }
        if ((flags & list) != 0) {
            bad_list(d, i, crt, flags & list);
        }
    }
}
