#include "tls/ssl_diagnose.h"

#include <mbedtls/oid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tls/ssl_diagnosis.h"

enum {
    TIMES = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE,
    USES = MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
    WEAK = MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
           MBEDTLS_X509_BADCERT_BAD_KEY
};

static bool same_cert(const struct ssl_cert_info *a,
                      const struct ssl_cert_info *b) {
    return memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

int ssl_diagnosis_place(const struct ssl_diagnosis *d, size_t i) {
    for (size_t k = 0; k < d->info->sent_count; k++) {
        if (same_cert(&d->info->sent[k], &d->v->certs[i])) {
            return (int)k;
        }
    }
    return -1;
}

const mbedtls_x509_crt *ssl_diagnosis_sent(const struct ssl_diagnosis *d,
                                           int i) {
    const mbedtls_x509_crt *crt = d->sent;
    while (i-- > 0) {
        crt = crt->next;
    }
    return crt;
}

/* The path; its anchor is needed only where it is the leaf. */
static void mark_path(struct ssl_diagnosis *d) {
    for (size_t i = 0; i < d->v->cert_count; i++) {
        int place = ssl_diagnosis_place(d, i);
        if (place >= 0) {
            struct ssl_cert_info *c = &d->info->sent[place];
            c->flags = d->v->certs[i].flags;
            c->needed =
                d->info->anchored && (i == 0 || i + 1 < d->v->cert_count);
        }
    }
}

/* The first one not marked yet that has the issuer's name; 0: none. */
static size_t issuer_of(const struct ssl_diagnosis *d, size_t i) {
    const mbedtls_x509_buf *name = &ssl_diagnosis_sent(d, (int)i)->issuer_raw;
    for (size_t k = 1; k < d->info->sent_count; k++) {
        if (!d->info->sent[k].needed &&
            ssl_cert_same(&ssl_diagnosis_sent(d, (int)k)->subject_raw, name)) {
            return k;
        }
    }
    return 0;
}

/* No path leads to an anchor: go by the names. */
static void mark_by_name(struct ssl_diagnosis *d) {
    struct ssl_cert_info *sent = d->info->sent;
    size_t i = 0;
    do {
        sent[i].needed = true;
        i = sent[i].self_issued ? 0 : issuer_of(d, i);
    } while (i != 0 && !sent[i].self_issued);
}

static void fill_sent(struct ssl_diagnosis *d) {
    struct ssl_info *info = d->info;
    const mbedtls_x509_crt *crt = d->sent;
    info->sent_count = 0;
    for (; crt != NULL && info->sent_count < SSL_CHAIN_MAX; crt = crt->next) {
        ssl_cert_describe(crt, d->ctx->now, &info->sent[info->sent_count++]);
    }
    info->anchored = ssl_verify_anchored(d->v);
    mark_path(d);
    if (!info->anchored) {
        mark_by_name(d);
    }
}

/* When the whole path is valid; times of this form sort as text. */
static void validity(const struct ssl_verify *v, const char **from,
                     const char **to) {
    *from = v->certs[0].not_before;
    *to = v->certs[0].not_after;
    for (size_t i = 1; i < v->cert_count; i++) {
        const struct ssl_cert_info *c = &v->certs[i];
        *from = strcmp(c->not_before, *from) > 0 ? c->not_before : *from;
        *to = strcmp(c->not_after, *to) < 0 ? c->not_after : *to;
    }
}

/* The certificate furthest from its validity, on the side that `late` says. */
static const struct ssl_cert_info *worst(const struct ssl_verify *v, bool late,
                                         int64_t *off) {
    const uint32_t bit =
        late ? MBEDTLS_X509_BADCERT_EXPIRED : MBEDTLS_X509_BADCERT_FUTURE;
    const struct ssl_cert_info *c = NULL;
    *off = 0;
    for (size_t i = 0; i < v->cert_count; i++) {
        int64_t o = v->seconds_off[i];
        if ((v->certs[i].flags & bit) != 0 &&
            (c == NULL || (late ? o > *off : o < *off))) {
            c = &v->certs[i];
            *off = o;
        }
    }
    return c;
}

static void diagnose_time(struct ssl_diagnosis *d) {
    bool late = (d->flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0;
    int64_t off;
    const struct ssl_cert_info *c = worst(d->v, late, &off);
    if ((d->flags & TIMES) == 0 || (d->flags & ~(uint32_t)TIMES) != 0 ||
        c == NULL) {
        return;
    }
    const char *from, *to;
    validity(d->v, &from, &to);
    bool never = strcmp(from, to) > 0;
    char clock[SSL_CLOCK_MAX], here[SSL_NAME_MAX], there[SSL_NAME_MAX];
    ssl_verify_clock(d->v, off, clock, sizeof clock);
    snprintf(here, sizeof here,
             late ? "--time %s, to see that the rest is good"
                  : "set the clock: --time now; on a board ntptime.settime()",
             to);
    snprintf(there, sizeof there, "renew %.150s, %s %s", c->subject,
             late ? "which expired at" : "valid only from",
             late ? c->not_after : c->not_before);
    ssl_diagnose_add(
        d->info, late ? "clock-late" : "clock-early", never ? NULL : here,
        late || never ? there : NULL, "nothing but the time is wrong: %s%s%s",
        clock, clock[0] != '\0' ? "; " : "",
        never ? "at no time are all certificates of the chain valid" : "");
    if (!never && d->info->finding_count > 0) {
        struct ssl_finding *f = &d->info->findings[d->info->finding_count - 1];
        char span[96];
        snprintf(span, sizeof span, "the chain is valid from %s to %s", from,
                 to);
        text_append(f->text, sizeof f->text, span, strlen(span));
    }
}

/* The first certificate is a CA's, and a later one is not. */
static void diagnose_first(struct ssl_diagnosis *d) {
    const struct ssl_cert_info *sent = d->info->sent;
    size_t i = 1;
    while (i < d->info->sent_count && sent[i].ca) {
        i++;
    }
    if (!sent[0].ca || i >= d->info->sent_count) {
        return;
    }
    char there[SSL_NAME_MAX];
    snprintf(there, sizeof there, "send %.200s first", sent[i].subject);
    ssl_diagnose_add(d->info, "wrong-order", NULL, there,
                     "certificate 0 (%.120s) is a CA's, and certificate %zu "
                     "(%.120s) is not: the %s's own goes first",
                     sent[0].subject, i, sent[i].subject, d->who);
}

/* Those of the path do not each certify the one before (RFC 5246 7.4.2). */
static void diagnose_order(struct ssl_diagnosis *d) {
    const struct ssl_cert_info *sent = d->info->sent;
    int before = 0;
    for (size_t i = 1; i < d->v->cert_count; i++) {
        int place = ssl_diagnosis_place(d, i);
        if (place < 0 || place > before) {
            before = place < 0 ? before : place;
            continue;
        }
        char there[SSL_NAME_MAX];
        snprintf(there, sizeof there, "send %.100s before %.100s",
                 sent[before].subject, sent[place].subject);
        ssl_diagnose_add(d->info, "wrong-order", NULL, there,
                         "certificate %d (%.100s) is signed by certificate %d "
                         "(%.100s), which stands before it: Mbed TLS sorts "
                         "them, others refuse the chain",
                         before, sent[before].subject, place,
                         sent[place].subject);
        return;
    }
}

/* keyUsage before extKeyUsage; @return what is wanted, or NULL: it is fine. */
static const char *wanted_use(const struct ssl_diagnosis *d,
                              const mbedtls_x509_crt *crt, bool leaf,
                              bool *extended) {
    const char *oid = ssl_verify_purpose(d->ctx);
    *extended =
        mbedtls_x509_crt_check_extended_key_usage(crt, oid, strlen(oid)) != 0;
    if (leaf && (d->flags & MBEDTLS_X509_BADCERT_KEY_USAGE) != 0) {
        *extended = false;
        return mbedtls_x509_crt_check_key_usage(
                   crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0
                   ? "digitalSignature"
                   : "keyEncipherment, for a suite without forward secrecy";
    }
    return !*extended                                    ? NULL
           : d->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT ? "serverAuth"
                                                         : "clientAuth";
}

static void diagnose_use(struct ssl_diagnosis *d) {
    for (size_t i = 0; i < d->v->cert_count && (d->flags & USES) != 0; i++) {
        int place = ssl_diagnosis_place(d, i);
        bool extended;
        const char *wanted = place < 0
                                 ? NULL
                                 : wanted_use(d, ssl_diagnosis_sent(d, place),
                                              i == 0, &extended);
        if (wanted == NULL) {
            continue;
        }
        char usage[SSL_NAME_MAX], purposes[SSL_NAME_MAX], there[SSL_NAME_MAX];
        ssl_cert_usage(ssl_diagnosis_sent(d, place), usage, purposes);
        const char *what = extended ? "extKeyUsage" : "keyUsage";
        snprintf(there, sizeof there, "a %s with the %s %s",
                 i == 0 ? "certificate" : "CA's certificate", what, wanted);
        ssl_diagnose_add(d->info, "wrong-purpose", NULL, there,
                         "certificate %zu (%.120s) is for %.120s (%s), and a "
                         "%s's needs %s",
                         i, d->v->certs[i].subject, extended ? purposes : usage,
                         what, d->who, wanted);
    }
}

/* Those of the names that are allowed: "A, B or C". */
struct allowed {
    uint32_t flag;
    const char *name;
};

static void list_allowed(const struct allowed *rows, size_t n, uint32_t flags,
                         char *buf, size_t len) {
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        left += (flags & rows[i].flag) != 0;
    }
    for (size_t i = 0; i < n; i++) {
        if ((flags & rows[i].flag) != 0) {
            const char *and = --left > 0 ? ", " : " or ";
            and = buf[0] != '\0' ? and : "";
            text_append(buf, len, and, strlen(and));
            text_append(buf, len, rows[i].name, strlen(rows[i].name));
        }
    }
}

/* What the profile that is verified with takes in the place of a weak key, or
 * hash: a device's has no curves, it may be. */
static void cure_weak(const mbedtls_x509_crt_profile *p, bool key, char *buf,
                      size_t len) {
    static const struct allowed curves[] = {
        { MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1), "EC P-256" },
        { MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1), "EC P-384" },
        { MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1), "EC P-521" },
    };
    static const struct allowed hashes[] = {
        { MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256), "SHA-256" },
        { MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384), "SHA-384" },
        { MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512), "SHA-512" },
    };
    buf[0] = '\0';
    if (key) {
        snprintf(buf, len, "RSA of %u bits", (unsigned)p->rsa_min_bitlen);
        list_allowed(curves, sizeof curves / sizeof curves[0],
                     p->allowed_curves, buf, len);
    } else {
        list_allowed(hashes, sizeof hashes / sizeof hashes[0], p->allowed_mds,
                     buf, len);
    }
}

/* What is strong enough can still be unknown to a device. */
static const char *name_weakness(const struct ssl_cert_info *c, bool key) {
    enum { STRONG = 256 };
    bool ec = strncmp(c->key, "EC ", 3) == 0;
    if (key) {
        return ec && strtol(c->key + 3, NULL, 10) >= STRONG
                   ? "has a key of a curve that is not taken"
                   : "has a weak key";
    }
    return strstr(c->signature, "SHA1") != NULL ||
                   strstr(c->signature, "MD5") != NULL
               ? "is signed with a weak hash"
               : "is signed with a hash that is not taken";
}

/* A key algorithm that the profile does not allow would not have been parsed.
 */
static void diagnose_weak(struct ssl_diagnosis *d) {
    for (size_t i = 0; i < d->v->cert_count; i++) {
        const struct ssl_cert_info *c = &d->v->certs[i];
        bool key = (c->flags & MBEDTLS_X509_BADCERT_BAD_KEY) != 0;
        char cure[96];
        if ((c->flags & WEAK) == 0) {
            continue;
        }
        cure_weak(d->ctx->profile, key, cure, sizeof cure);
        char there[SSL_NAME_MAX];
        snprintf(there, sizeof there, "a certificate %s %s",
                 key ? "with a key of" : "signed with", cure);
        ssl_diagnose_add(d->info, "weak", NULL, there,
                         "certificate %zu (%.120s) %s, %s: %s would do", i,
                         c->subject, name_weakness(c, key),
                         key ? c->key : c->signature, cure);
        return;
    }
}

static void diagnose_pin(struct ssl_diagnosis *d) {
    const struct ssl_cert_info *c = &d->info->sent[0];
    char pin[SSL_PIN_TEXT_MAX], here[SSL_NAME_MAX];
    if ((d->flags & SSL_BADCERT_PIN) == 0) {
        return;
    }
    snprintf(here, sizeof here, "--pin %s, if that is its key",
             ssl_pin_text(c->spki_sha256, pin));
    ssl_diagnose_add(d->info, "pin-mismatch", here, NULL,
                     "the key of certificate 0 (%.120s) is none of the %zu "
                     "that are pinned: its pin is %s",
                     c->subject, d->ctx->pins.n, pin);
}

/* Where the chain does not lead anywhere, it is too early to save. */
static void diagnose_unnecessary(struct ssl_diagnosis *d) {
    const struct ssl_info *info = d->info;
    char list[SSL_TEXT_MAX] = "";
    size_t n = 0, bytes = 0, all = 0;
    for (size_t i = 0; i < info->sent_count; i++) {
        const struct ssl_cert_info *c = &info->sent[i];
        all += c->der_len;
        if (!c->needed) {
            char one[160];
            snprintf(one, sizeof one, "%s%zu (%.80s, %zu bytes)",
                     n == 0 ? "" : ", ", i, c->subject, c->der_len);
            text_append(list, sizeof list, one, strlen(one));
            n++;
            bytes += c->der_len;
        }
    }
    if (n > 0 && info->anchored) {
        ssl_diagnose_add(d->info, "unnecessary", NULL,
                         "send only what leads to the root",
                         "%zu of the %zu bytes sent are not needed: "
                         "certificate%s %s",
                         bytes, all, n == 1 ? "" : "s", list);
    }
}

/* MicroPython: cadata is one certificate; in PEM only on the esp32, and since
 * 1.29. */
static void diagnose_cadata(struct ssl_diagnosis *d) {
    const struct ssl_verify *v = d->v;
    char here[SSL_NAME_MAX];
    size_t n = 0;
    for (const mbedtls_x509_crt *c = &d->ctx->ca; d->ctx->have_ca && c != NULL;
         c = c->next) {
        n++;
    }
    if (n > 1) {
        bool known = d->info->anchored;
        const char *anchor = known ? v->certs[v->cert_count - 1].subject : "";
        snprintf(here, sizeof here, "--cadata with %.200s alone",
                 known ? anchor : "the one that is needed");
        ssl_diagnose_add(d->info, "cadata-many", here, NULL,
                         "%zu certificates are trusted, and a board takes one "
                         "as cadata%s%.200s",
                         n, known ? ": this chain needs " : "", anchor);
    }
    if (d->ctx->have_ca && d->ctx->ca_was_pem) {
        ssl_diagnose_add(d->info, "cadata-pem",
                         "openssl x509 -in FILE -outform DER -out ca.der", NULL,
                         "what is trusted was given in PEM, and a board takes "
                         "DER as cadata, unless it is an esp32 or has "
                         "MicroPython 1.29");
    }
}

void ssl_diagnose_chain(const mbedtls_x509_crt *sent, struct ssl_context *ctx,
                        const struct ssl_verify *v, uint32_t flags,
                        struct ssl_info *info) {
    struct ssl_diagnosis d = {
        .sent = sent,
        .ctx = ctx,
        .v = v,
        .flags = flags,
        .info = info,
        .who = ctx->protocol == SSL_PROTOCOL_TLS_CLIENT ? "server" : "client",
    };
    if (sent == NULL || sent->raw.p == NULL) {
        return;
    }
    fill_sent(&d);
    diagnose_time(&d);
    diagnose_first(&d);
    ssl_diagnose_name(&d);
    ssl_diagnose_trust(&d);
    diagnose_use(&d);
    diagnose_weak(&d);
    ssl_diagnose_crl(&d);
    diagnose_pin(&d);
    diagnose_order(&d);
    diagnose_unnecessary(&d);
    diagnose_cadata(&d);
}
