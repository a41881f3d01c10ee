#include "tls/ssl_identity.h"

#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform.h>
#include <mbedtls/psa_util.h>
#include <stdio.h>
#include <string.h>

#include "tls/ssl_failure.h"
#include "tls/ssl_heap.h"
#include "tls/ssl_parse.h"
#include "tls/ssl_verify.h"

/* Without one of these no suite can use it (RFC 5246 7.4.2). */
static bool has_use(const mbedtls_x509_crt *crt) {
    static const unsigned uses[] = { MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
                                     MBEDTLS_X509_KU_KEY_ENCIPHERMENT,
                                     MBEDTLS_X509_KU_KEY_AGREEMENT };
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (mbedtls_x509_crt_check_key_usage(crt, uses[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* What Mbed TLS would find out in every handshake, and not say. */
static int check_sendable(const struct ssl_identity *own, bool server,
                          struct err *err) {
    enum { EACH = 5, ALL = 8 }; /* RFC 8446 4.4.2: lengths and extensions */
    size_t total = ALL;
    for (const mbedtls_x509_crt *c = &own->cert; c != NULL; c = c->next) {
        total += c->raw.len + EACH;
    }
    if (total > MBEDTLS_SSL_OUT_CONTENT_LEN) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL,
                       "the certificate chain takes %zu bytes, and this build "
                       "sends at most %d in a message",
                       total, MBEDTLS_SSL_OUT_CONTENT_LEN);
    }
    if (server && mbedtls_x509_crt_check_extended_key_usage(
                      &own->cert, MBEDTLS_OID_SERVER_AUTH,
                      MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) != 0) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_BAD_CERTIFICATE,
                       "the certificate is not for servers (extKeyUsage)");
    }
    if (server && !has_use(&own->cert)) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_BAD_CERTIFICATE,
                       "the certificate is neither for signatures nor for key "
                       "exchange (keyUsage)");
    }
    return 0;
}

static int load(struct ssl_identity *own, const unsigned char *cert,
                size_t cert_len, const unsigned char *key, size_t key_len,
                struct err *err) {
    int ret = ssl_parse_certs(&own->cert, cert, cert_len);
    if (ret != 0) {
        return ssl_parse_failed(err, ret, "the certificate");
    }
    ret = ssl_parse_key(&own->key, key, key_len);
    if (ret == MBEDTLS_ERR_PK_PASSWORD_REQUIRED ||
        ret == MBEDTLS_ERR_PEM_PASSWORD_REQUIRED) {
        return err_set(err, ERR_TLS, ret,
                       "the key is encrypted: decrypt it first");
    }
    if (ret != 0) {
        bool pem = ret <= MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT &&
                   ret >= MBEDTLS_ERR_PEM_BAD_INPUT_DATA;
        return ssl_failure_of(
            err, pem ? MBEDTLS_ERR_PK_KEY_INVALID_FORMAT : ret, "the key");
    }
    /* MicroPython: this is found out by the peer, in the handshake. */
    struct ssl_heap_account *caller = ssl_heap_charge(NULL);
    ret =
        mbedtls_pk_check_pair(&own->cert.pk, &own->key, mbedtls_psa_get_random,
                              MBEDTLS_PSA_RANDOM_STATE);
    ssl_heap_charge(caller);
    if (ret != 0) {
        return err_set(err, ERR_TLS, ret,
                       "the key is not that of the certificate");
    }
    return 0;
}

struct ssl_identity *ssl_identity_new(const unsigned char *cert,
                                      size_t cert_len, const unsigned char *key,
                                      size_t key_len, bool server,
                                      struct err *err) {
    struct ssl_identity *own = mbedtls_calloc(1, sizeof *own);
    if (own == NULL) {
        ssl_failure_of(err, MBEDTLS_ERR_X509_ALLOC_FAILED, "the certificate");
        return NULL;
    }
    mbedtls_x509_crt_init(&own->cert);
    mbedtls_pk_init(&own->key);
    if (load(own, cert, cert_len, key, key_len, err) != 0 ||
        check_sendable(own, server, err) != 0) {
        ssl_identity_free(own);
        return NULL;
    }
    return own;
}

void ssl_identity_free(struct ssl_identity *own) {
    while (own != NULL) {
        struct ssl_identity *next = own->next;
        mbedtls_x509_crt_free(&own->cert);
        mbedtls_pk_free(&own->key);
        mbedtls_free(own);
        own = next;
    }
}

const char *ssl_identity_name(const struct ssl_identity *all,
                              const char *name) {
    for (; name[0] != '\0' && all != NULL; all = all->next) {
        if (ssl_verify_name(&all->cert, name)) {
            return name;
        }
    }
    return "";
}

const struct ssl_identity *ssl_identity_find(const struct ssl_identity *from,
                                             const char *name) {
    while (from != NULL && name[0] != '\0' &&
           !ssl_verify_name(&from->cert, name)) {
        from = from->next;
    }
    return from;
}

int ssl_identity_choose(mbedtls_ssl_context *ssl) {
    const mbedtls_ssl_config *conf = mbedtls_ssl_context_get_config(ssl);
    struct ssl_identity *all =
        mbedtls_ssl_conf_get_user_data_p((mbedtls_ssl_config *)(uintptr_t)conf);
    char name[SSL_NAME_MAX] = "";
    size_t len = 0;
    const unsigned char *asked = mbedtls_ssl_get_hs_sni(ssl, &len);
    /* No name has a NUL in it, or is that long: what does is nobody's. */
    if (asked != NULL && len < sizeof name && memchr(asked, 0, len) == NULL) {
        memcpy(name, asked, len);
    }
    /* A second ClientHello comes here again (RFC 8446 4.1.2). */
    int ret = mbedtls_ssl_set_hs_own_cert(ssl, NULL, NULL);
    const char *which = ssl_identity_name(all, name);
    for (const struct ssl_identity *i = ssl_identity_find(all, which);
         i != NULL && ret == 0; i = ssl_identity_find(i->next, which)) {
        struct ssl_identity *own = (struct ssl_identity *)(uintptr_t)i;
        ret = mbedtls_ssl_set_hs_own_cert(ssl, &own->cert, &own->key);
    }
    return ret;
}
