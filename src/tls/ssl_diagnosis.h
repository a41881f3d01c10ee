/*
 * ssl_diagnosis.h - what the parts of the diagnosis of a chain share; for
 * ssl_diagnose*.c only.
 */
#ifndef TLS_SSL_DIAGNOSIS_H
#define TLS_SSL_DIAGNOSIS_H

#include "tls/ssl_diagnose.h"

struct ssl_diagnosis {
    const mbedtls_x509_crt *sent; /* not NULL: the leaf, and so on */
    struct ssl_context *ctx;
    const struct ssl_verify *v;
    uint32_t flags;
    struct ssl_info *info; /* `sent` is filled */
    const char *who;       /* sent it: "server", "client" */
};

/** @return the place among info->sent of the i-th of the path, or -1 */
int ssl_diagnosis_place(const struct ssl_diagnosis *d, size_t i);

/** @return the i-th of those sent, which is there */
const mbedtls_x509_crt *ssl_diagnosis_sent(const struct ssl_diagnosis *d,
                                           int i);

/* Each adds what it finds; all may be called for any chain. */
void ssl_diagnose_name(struct ssl_diagnosis *d);
void ssl_diagnose_crl(struct ssl_diagnosis *d);
void ssl_diagnose_trust(struct ssl_diagnosis *d);

#endif
