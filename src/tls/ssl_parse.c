#include "tls/ssl_parse.h"

#include <mbedtls/asn1.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/psa_util.h>
#include <string.h>

#include "base/pem.h"
#include "tls/ssl_failure.h"
#include "tls/ssl_heap.h"

bool ssl_parse_is_pem(const unsigned char *data, size_t len) {
    static const char mark[] = "-----BEGIN ";
    for (size_t i = 0; i + sizeof mark - 1 <= len; i++) {
        if (memcmp(data + i, mark, sizeof mark - 1) == 0) {
            return true;
        }
    }
    return false;
}

/* Mbed TLS wants the NUL that ends PEM text counted. The copy is wiped, and no
 * device's. */
static unsigned char *pem_copy(const unsigned char *data, size_t len) {
    struct ssl_heap_account *caller = ssl_heap_charge(NULL);
    unsigned char *copy = mbedtls_calloc(1, len + 1);
    ssl_heap_charge(caller);
    if (copy != NULL) {
        memcpy(copy, data, len);
    }
    return copy;
}

static void pem_copy_free(unsigned char *copy, size_t len) {
    if (copy != NULL) {
        mbedtls_platform_zeroize(copy, len);
        mbedtls_free(copy);
    }
}

/* Bytes of the DER element at p, its header included; 0 if there is none. */
static size_t der_len(const unsigned char *p, size_t len) {
    unsigned char *at = (unsigned char *)(uintptr_t)p;
    size_t body;
    if (mbedtls_asn1_get_tag(&at, p + len, &body,
                             MBEDTLS_ASN1_CONSTRUCTED |
                                 MBEDTLS_ASN1_SEQUENCE) != 0) {
        return 0;
    }
    return (size_t)(at - p) + body;
}

static int parse_block(mbedtls_x509_crt *crt, const struct pem_block *b) {
    size_t room = pem_room(b), len;
    unsigned char *der = mbedtls_calloc(1, room);
    if (der == NULL) {
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    }
    int ret = pem_decode(b, der, room, &len)
                  ? mbedtls_x509_crt_parse_der(crt, der, len)
                  : MBEDTLS_ERR_X509_INVALID_FORMAT;
    mbedtls_free(der);
    return ret;
}

/* A bundle in which nothing is wrong, as most are.
 * @return 0; else nothing is kept */
static int parse_good(mbedtls_x509_crt *crt, const unsigned char *data,
                      size_t len) {
    const char *at = (const char *)data, *end = at + len;
    struct pem_block b;
    int ret = MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT;
    while (pem_next(at, end, &b)) {
        ret = parse_block(crt, &b);
        if (ret != 0) {
            break;
        }
        at = b.after;
    }
    if (ret != 0) {
        mbedtls_x509_crt_free(crt);
        mbedtls_x509_crt_init(crt);
    }
    return ret;
}

int ssl_parse_certs(mbedtls_x509_crt *crt, const unsigned char *data,
                    size_t len) {
    if (ssl_parse_is_pem(data, len)) {
        /* Mbed TLS reads PEM slowly, and says what is wrong with it. */
        int ret = parse_good(crt, data, len);
        if (ret == 0 || ret == MBEDTLS_ERR_X509_ALLOC_FAILED) {
            return ret;
        }
        unsigned char *copy = pem_copy(data, len);
        if (copy == NULL) {
            return MBEDTLS_ERR_X509_ALLOC_FAILED;
        }
        ret = mbedtls_x509_crt_parse(crt, copy, len + 1);
        pem_copy_free(copy, len);
        return ret;
    }
    if (len == 0) {
        return MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT;
    }
    while (len > 0) {
        size_t n = der_len(data, len);
        if (n == 0) {
            return MBEDTLS_ERR_X509_INVALID_FORMAT;
        }
        int ret = mbedtls_x509_crt_parse_der(crt, data, n);
        if (ret != 0) {
            return ret;
        }
        data += n;
        len -= n;
    }
    return 0;
}

int ssl_parse_key(mbedtls_pk_context *pk, const unsigned char *data,
                  size_t len) {
    bool pem = ssl_parse_is_pem(data, len);
    unsigned char *copy = pem ? pem_copy(data, len) : NULL;
    if (pem && copy == NULL) {
        return MBEDTLS_ERR_PK_ALLOC_FAILED;
    }
    int ret = mbedtls_pk_parse_key(pk, pem ? copy : data, pem ? len + 1 : len,
                                   NULL, 0, mbedtls_psa_get_random,
                                   MBEDTLS_PSA_RANDOM_STATE);
    pem_copy_free(copy, len);
    return ret;
}

int ssl_parse_crls(mbedtls_x509_crl *crl, const unsigned char *data,
                   size_t len) {
    if (ssl_parse_is_pem(data, len)) {
        unsigned char *copy = pem_copy(data, len);
        if (copy == NULL) {
            return MBEDTLS_ERR_X509_ALLOC_FAILED;
        }
        int ret = mbedtls_x509_crl_parse(crl, copy, len + 1);
        pem_copy_free(copy, len);
        return ret;
    }
    int ret = len == 0 ? MBEDTLS_ERR_X509_INVALID_FORMAT : 0;
    while (len > 0 && ret == 0) {
        size_t n = der_len(data, len);
        ret = n == 0 ? MBEDTLS_ERR_X509_INVALID_FORMAT
                     : mbedtls_x509_crl_parse_der(crl, data, n);
        data += n;
        len -= n;
    }
    return ret;
}

int ssl_parse_failed(struct err *err, int ret, const char *what) {
    if (ret > 0) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_X509_INVALID_FORMAT,
                       "%s: %d of its certificates cannot be parsed", what,
                       ret);
    }
    return ssl_failure_of(err, ret, what);
}
