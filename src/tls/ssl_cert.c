#include "tls/ssl_cert.h"

#include <arpa/inet.h>
#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum {
    SEQUENCE = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE,
    /* RFC 5280 4.2.1.6, the context tags of a GeneralName */
    SAN_DNS = 2,
    SAN_URI = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 6,
    SAN_IP = 7
};

/* Add to a list of texts that commas part. */
static void add(char *list, size_t size, const char *kind, const char *text,
                size_t len) {
    text_append(list, size, ", ", list[0] != '\0' ? 2 : 0);
    text_append(list, size, kind, strlen(kind));
    text_append(list, size, text, len);
}

/* A comma in a name must not look like the end of it. */
static void add_dns(char *list, size_t size, const char *p, size_t n) {
    add(list, size, "DNS:", "", 0);
    for (size_t i = 0; i < n; i++) {
        bool comma = p[i] == ',';
        text_append(list, size, comma ? "\\x2C" : p + i, comma ? 4 : 1);
    }
}

static void describe_names(const mbedtls_x509_crt *crt, char *buf,
                           size_t size) {
    static const char more[] = ", ...";
    enum { ESCAPED = 4 }; /* bytes that one may take */
    const size_t room = size - sizeof more;
    const mbedtls_x509_sequence *s = &crt->subject_alt_names;
    for (; s != NULL && s->buf.p != NULL; s = s->next) {
        char text[INET6_ADDRSTRLEN];
        const char *p = (const char *)s->buf.p;
        size_t n = s->buf.len;
        int type = s->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
        if (type == SAN_IP && (n == 4 || n == 16)) {
            p = inet_ntop(n == 4 ? AF_INET : AF_INET6, p, text, sizeof text);
            n = strlen(text);
        } else if (type != SAN_DNS) {
            continue;
        }
        size_t before = strlen(buf);
        if (type == SAN_IP) {
            add(buf, room, "IP:", p, n);
        } else {
            add_dns(buf, room, p, n);
        }
        if (strlen(buf) + ESCAPED >= room) { /* it may have been cut */
            buf[before] = '\0';
            text_append(buf, size, more + (before == 0 ? 2 : 0),
                        strlen(more) - (before == 0 ? 2 : 0));
            return;
        }
    }
}

void ssl_cert_time(const mbedtls_x509_time *t, char *buf) {
    snprintf(buf, SSL_TIME_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ",
             (unsigned)t->year % 10000u, (unsigned)t->mon % 100u,
             (unsigned)t->day % 100u, (unsigned)t->hour % 100u,
             (unsigned)t->min % 100u, (unsigned)t->sec % 100u);
}

/* In the proleptic Gregorian calendar; a year begins in March here, so that
 * the leap day is its last, and they are counted from the year -400, so that
 * none is negative. */
int64_t ssl_cert_seconds(const mbedtls_x509_time *t) {
    const int64_t epoch = 719468 + 146097; /* days from there to 1970 */
    int64_t year = 400 + (t->mon > 2 ? t->year : t->year - 1);
    int64_t month = (t->mon + 9) % 12;
    int64_t days = 365 * year + year / 4 - year / 100 + year / 400 +
                   (153 * month + 2) / 5 + t->day - 1 - epoch;
    return ((days * 24 + t->hour) * 60 + t->min) * 60 + t->sec;
}

void ssl_cert_name(const mbedtls_x509_name *dn, char *buf) {
    char text[SSL_NAME_MAX];
    int n = mbedtls_x509_dn_gets(text, sizeof text, dn);
    buf[0] = '\0';
    if (n < 0) {
        n = snprintf(text, sizeof text, "(too long to show)");
    }
    text_append(buf, SSL_NAME_MAX, text, (size_t)n);
}

bool ssl_cert_same(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

void ssl_cert_hex(const mbedtls_x509_buf *b, char *buf, size_t size) {
    buf[0] = '\0';
    for (size_t i = 0; b->p != NULL && i < b->len; i++) {
        char hex[3];
        snprintf(hex, sizeof hex, "%02x", b->p[i]);
        text_append(buf, size, hex, 2);
    }
}

/* The number of an OID, for those without a name. */
static void add_oid(char *list, size_t size, const mbedtls_x509_buf *oid) {
    char number[64];
    int n = mbedtls_oid_get_numeric_string(number, sizeof number, oid);
    if (n < 0) {
        n = snprintf(number, sizeof number, "an unreadable number");
    }
    add(list, size, "", number, (size_t)n);
}

static void describe_signature(const mbedtls_x509_crt *crt, char *buf,
                               size_t size) {
    const char *name;
    if (mbedtls_oid_get_sig_alg_desc(&crt->sig_oid, &name) == 0) {
        text_append(buf, size, name, strlen(name));
    } else {
        add_oid(buf, size, &crt->sig_oid);
    }
}

/* An AccessDescription of id-ad-caIssuers with a URL. */
static void read_access(unsigned char *p, const unsigned char *end, char *buf,
                        size_t size) {
    static const unsigned char issuers[] = { 0x2b, 6, 1, 5, 5, 7, 0x30, 2 };
    size_t len;
    if (mbedtls_asn1_get_tag(&p, end, &len, MBEDTLS_ASN1_OID) != 0 ||
        len != sizeof issuers || memcmp(p, issuers, len) != 0) {
        return;
    }
    p += len;
    if (mbedtls_asn1_get_tag(&p, end, &len, SAN_URI) == 0 && len > 4 &&
        memcmp(p, "http", 4) == 0 && buf[0] == '\0') {
        text_append(buf, size, (const char *)p, len);
    }
}

/* The value of the extension authorityInfoAccess (RFC 5280 4.2.2.1). */
static void read_aia(unsigned char *p, const unsigned char *end, char *buf,
                     size_t size) {
    size_t len;
    if (mbedtls_asn1_get_tag(&p, end, &len, SEQUENCE) != 0) {
        return;
    }
    end = p + len;
    while (p < end && mbedtls_asn1_get_tag(&p, end, &len, SEQUENCE) == 0) {
        read_access(p, p + len, buf, size);
        p += len;
    }
}

/* Mbed TLS has checked the extensions' form, and does not look at this one.
 * Each is a sequence of its OID, a BOOLEAN if it is critical, its value. */
static void describe_ca_url(const mbedtls_x509_crt *crt, char *buf,
                            size_t size) {
    static const unsigned char aia[] = { 0x2b, 6, 1, 5, 5, 7, 1, 1 };
    unsigned char *p = crt->v3_ext.p;
    size_t len;
    if (p == NULL ||
        mbedtls_asn1_get_tag(&p, p + crt->v3_ext.len, &len, SEQUENCE) != 0) {
        return;
    }
    const unsigned char *end = p + len;
    while (p < end && mbedtls_asn1_get_tag(&p, end, &len, SEQUENCE) == 0) {
        unsigned char *at = p;
        const unsigned char *next = p + len;
        int critical;
        bool found =
            mbedtls_asn1_get_tag(&at, next, &len, MBEDTLS_ASN1_OID) == 0 &&
            len == sizeof aia && memcmp(at, aia, len) == 0;
        p += next - p;
        if (!found) {
            continue;
        }
        at += len;
        int ret = mbedtls_asn1_get_bool(&at, next, &critical);
        if ((ret == 0 || ret == MBEDTLS_ERR_ASN1_UNEXPECTED_TAG) &&
            mbedtls_asn1_get_tag(&at, next, &len, MBEDTLS_ASN1_OCTET_STRING) ==
                0) {
            read_aia(at, at + len, buf, size);
        }
    }
}

void ssl_cert_usage(const mbedtls_x509_crt *crt, char key_usage[SSL_NAME_MAX],
                    char ext_key_usage[SSL_NAME_MAX]) {
    static const struct {
        unsigned bit;
        const char *name;
    } usages[] = {
        { MBEDTLS_X509_KU_DIGITAL_SIGNATURE, "digitalSignature" },
        { MBEDTLS_X509_KU_NON_REPUDIATION, "nonRepudiation" },
        { MBEDTLS_X509_KU_KEY_ENCIPHERMENT, "keyEncipherment" },
        { MBEDTLS_X509_KU_DATA_ENCIPHERMENT, "dataEncipherment" },
        { MBEDTLS_X509_KU_KEY_AGREEMENT, "keyAgreement" },
        { MBEDTLS_X509_KU_KEY_CERT_SIGN, "keyCertSign" },
        { MBEDTLS_X509_KU_CRL_SIGN, "cRLSign" },
    };
    static const struct {
        const char *oid, *name;
    } purposes[] = {
        { MBEDTLS_OID_SERVER_AUTH, "serverAuth" },
        { MBEDTLS_OID_CLIENT_AUTH, "clientAuth" },
        { MBEDTLS_OID_CODE_SIGNING, "codeSigning" },
        { MBEDTLS_OID_EMAIL_PROTECTION, "emailProtection" },
        { MBEDTLS_OID_TIME_STAMPING, "timeStamping" },
        { MBEDTLS_OID_OCSP_SIGNING, "OCSPSigning" },
    };
    key_usage[0] = ext_key_usage[0] = '\0';
    bool limited =
        mbedtls_x509_crt_has_ext_type(crt, MBEDTLS_X509_EXT_KEY_USAGE) != 0;
    for (size_t i = 0; i < sizeof usages / sizeof usages[0] && limited; i++) {
        if (mbedtls_x509_crt_check_key_usage(crt, usages[i].bit) == 0) {
            add(key_usage, SSL_NAME_MAX, "", usages[i].name,
                strlen(usages[i].name));
        }
    }
    const mbedtls_x509_sequence *s = &crt->ext_key_usage;
    for (; s != NULL && s->buf.p != NULL; s = s->next) {
        size_t i = 0, n = sizeof purposes / sizeof purposes[0];
        while (i < n && (strlen(purposes[i].oid) != s->buf.len ||
                         memcmp(purposes[i].oid, s->buf.p, s->buf.len) != 0)) {
            i++;
        }
        if (i < n) {
            add(ext_key_usage, SSL_NAME_MAX, "", purposes[i].name,
                strlen(purposes[i].name));
        } else {
            add_oid(ext_key_usage, SSL_NAME_MAX, &s->buf);
        }
    }
}

static void hash(const mbedtls_x509_buf *b, unsigned char out[SSL_SHA256_LEN]) {
    size_t n;
    if (psa_hash_compute(PSA_ALG_SHA_256, b->p, b->len, out, SSL_SHA256_LEN,
                         &n) != PSA_SUCCESS) {
        memset(out, 0, SSL_SHA256_LEN);
    }
}

void ssl_cert_describe(const mbedtls_x509_crt *crt,
                       const mbedtls_x509_time *now,
                       struct ssl_cert_info *info) {
    memset(info, 0, sizeof *info);
    ssl_cert_name(&crt->subject, info->subject);
    ssl_cert_name(&crt->issuer, info->issuer);
    describe_names(crt, info->names, sizeof info->names);
    ssl_cert_time(&crt->valid_from, info->not_before);
    ssl_cert_time(&crt->valid_to, info->not_after);
    snprintf(info->key, sizeof info->key, "%s %u",
             mbedtls_pk_get_name(&crt->pk),
             (unsigned)mbedtls_pk_get_bitlen(&crt->pk));
    describe_signature(crt, info->signature, sizeof info->signature);
    describe_ca_url(crt, info->ca_url, sizeof info->ca_url);
    info->ca = mbedtls_x509_crt_get_ca_istrue(crt) == 1;
    info->self_issued = ssl_cert_same(&crt->subject_raw, &crt->issuer_raw);
    info->seconds_left =
        now != NULL ? ssl_cert_seconds(&crt->valid_to) - ssl_cert_seconds(now)
                    : 0;
    info->der_len = crt->raw.len;
    hash(&crt->raw, info->sha256);
    hash(&crt->pk_raw, info->spki_sha256);
}
