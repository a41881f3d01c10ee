#include <arpa/inet.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "tls/ssl_diagnosis.h"

enum { SAN_DNS = 2, SAN_IP = 7 }; /* RFC 5280 4.2.1.6, the context tags */

static bool is_dns(const mbedtls_x509_sequence *s) {
    return (s->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == SAN_DNS;
}

static bool is_ip(const mbedtls_x509_sequence *s) {
    return (s->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == SAN_IP;
}

/* Without regard to case, and to the dot that may end the name asked for. */
static bool equals(const mbedtls_x509_buf *b, const char *name) {
    size_t len = strlen(name);
    len -= len > 1 && name[len - 1] == '.';
    return b->len == len && strncasecmp((const char *)b->p, name, len) == 0;
}

static bool in_common_name(const mbedtls_x509_crt *leaf, const char *name) {
    const mbedtls_x509_name *n = &leaf->subject;
    for (; n != NULL; n = n->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0 &&
            equals(&n->val, name)) {
            return true;
        }
    }
    return false;
}

static bool in_dns_names(const mbedtls_x509_crt *leaf, const char *name) {
    const mbedtls_x509_sequence *s = &leaf->subject_alt_names;
    for (; s != NULL && s->buf.p != NULL; s = s->next) {
        if (is_dns(s) && equals(&s->buf, name)) {
            return true;
        }
    }
    return false;
}

/* As someone may hope who wrote the pattern: any * for any text. */
static bool loosely(const char *p, const char *end, const char *name) {
    const char *star = NULL, *from = NULL;
    while (*name != '\0') {
        if (p < end && *p == '*') {
            star = p++;
            from = name;
        } else if (p < end && strncasecmp(p, name, 1) == 0) {
            p++;
            name++;
        } else if (star != NULL) {
            p = star + 1;
            name = ++from;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*') {
        p++;
    }
    return p == end;
}

static bool wildcard_is_near(const mbedtls_x509_crt *leaf, const char *name) {
    const mbedtls_x509_sequence *s = &leaf->subject_alt_names;
    for (; s != NULL && s->buf.p != NULL; s = s->next) {
        const char *p = (const char *)s->buf.p, *end = p + s->buf.len;
        if (!is_dns(s) || memchr(p, '*', s->buf.len) == NULL) {
            continue;
        }
        if (loosely(p, end, name) ||
            (s->buf.len > 2 && p[1] == '.' && loosely(p + 2, end, name))) {
            return true;
        }
    }
    return false;
}

/* As a text that may be asked for; "NAME" stands in a wildcard's place. */
static void name_of(const mbedtls_x509_sequence *s, char buf[SSL_NAME_MAX]) {
    const char *p = (const char *)s->buf.p;
    size_t n = s->buf.len;
    buf[0] = '\0';
    if (is_ip(s) && (n == 4 || n == 16)) {
        inet_ntop(n == 4 ? AF_INET : AF_INET6, p, buf, SSL_NAME_MAX);
    } else if (is_dns(s) && n > 0) {
        bool wild = p[0] == '*';
        text_append(buf, SSL_NAME_MAX, "NAME", wild ? 4 : 0);
        text_append(buf, SSL_NAME_MAX, p + wild, n - wild);
    }
}

/* A name to ask for instead, as the option to write; "" if there is none. An
 * address in place of an address, if there is one. */
static void suggest(const mbedtls_x509_crt *leaf, bool address, char *buf,
                    size_t size) {
    char name[SSL_NAME_MAX];
    const mbedtls_x509_sequence *s = &leaf->subject_alt_names;
    buf[0] = '\0';
    for (bool found = false; s != NULL && s->buf.p != NULL; s = s->next) {
        name_of(s, name);
        if (!ssl_verify_name(leaf, name) ||
            (found && ssl_verify_is_address(name) != address)) {
            continue;
        }
        snprintf(buf, size, "--server-hostname %.200s", name);
        if (ssl_verify_is_address(name) == address) {
            return;
        }
        found = true;
    }
}

void ssl_diagnose_name(struct ssl_diagnosis *d) {
    const char *name = d->v->name;
    if ((d->flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) == 0 || name == NULL) {
        return;
    }
    bool address = ssl_verify_is_address(name);
    const char *names = d->info->sent[0].names;
    char here[SSL_NAME_MAX], there[SSL_NAME_MAX];
    suggest(d->sent, address, here, sizeof here);
    snprintf(there, sizeof there,
             "a certificate with the subjectAltName %s:%.200s",
             address ? "IP" : "DNS", name);
    if (address && in_dns_names(d->sent, name)) {
        ssl_diagnose_add(d->info, "address-as-name", here, there,
                         "the certificate has the address %.64s as a DNS name; "
                         "an address counts only as an iPAddress (RFC 9525)",
                         name);
    } else if (in_common_name(d->sent, name)) {
        ssl_diagnose_add(d->info, "name-only-in-cn", here, there,
                         "the certificate has %.100s only as its common name, "
                         "which does not count (RFC 9525); %s%.200s",
                         name,
                         names[0] != '\0' ? "it is for "
                                          : "it has no "
                                            "subjectAlt"
                                            "Name",
                         names);
    } else {
        ssl_diagnose_add(
            d->info, "name-mismatch", here, there,
            "the certificate is not for %.80s but for %.160s%s", name,
            names[0] != '\0' ? names
                             : "no name at all: it has no "
                               "subjectAltName",
            wildcard_is_near(d->sent, name)
                ? "; a * stands for one label, the whole first one, before "
                  "two more"
                : "");
    }
}
