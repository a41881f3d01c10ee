#include "tls/ssl_verify.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* In the order of the exit statuses, so that the first one said is it. */
static const struct ssl_flag flag_table[] = {
    { MBEDTLS_X509_BADCERT_NOT_TRUSTED, "untrusted",
      "is not signed by a trusted CA" },
    { MBEDTLS_X509_BADCERT_KEY_USAGE, "key-usage",
      "has a keyUsage that does not allow this" },
    { MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "ext-key-usage",
      "has an extKeyUsage that does not allow this" },
    { MBEDTLS_X509_BADCERT_NS_CERT_TYPE, "ns-cert-type",
      "has an nsCertType that does not allow this" },
    { MBEDTLS_X509_BADCERT_OTHER, "other", "is refused" },
    { MBEDTLS_X509_BADCERT_SKIP_VERIFY, "skipped", "was not verified" },
    { MBEDTLS_X509_BADCERT_EXPIRED, "expired", "has expired" },
    { MBEDTLS_X509_BADCERT_FUTURE, "not-yet-valid", "is not valid yet" },
    { MBEDTLS_X509_BADCERT_CN_MISMATCH, "name-mismatch",
      "does not bear the name" },
    { MBEDTLS_X509_BADCERT_REVOKED, "revoked", "has been revoked" },
    { MBEDTLS_X509_BADCRL_NOT_TRUSTED, "crl-untrusted",
      "has a CRL that is not trusted" },
    { MBEDTLS_X509_BADCRL_EXPIRED, "crl-expired", "has a CRL that expired" },
    { MBEDTLS_X509_BADCRL_FUTURE, "crl-not-yet-valid",
      "has a CRL that is not valid yet" },
    { MBEDTLS_X509_BADCRL_BAD_MD, "crl-bad-hash",
      "has a CRL signed with a weak hash" },
    { MBEDTLS_X509_BADCRL_BAD_PK, "crl-bad-pk",
      "has a CRL signed with an unacceptable algorithm" },
    { MBEDTLS_X509_BADCRL_BAD_KEY, "crl-bad-key",
      "has a CRL signed with a weak key" },
    { MBEDTLS_X509_BADCERT_BAD_MD, "weak-hash", "is signed with a weak hash" },
    { MBEDTLS_X509_BADCERT_BAD_PK, "bad-algorithm",
      "has an unacceptable key algorithm" },
    { MBEDTLS_X509_BADCERT_BAD_KEY, "weak-key",
      "has a weak or unacceptable key" },
    { SSL_BADCERT_PIN, "pin-mismatch", "has a key that is not pinned" },
    { MBEDTLS_X509_BADCERT_MISSING, "missing", "was not sent" },
};

const struct ssl_flag *ssl_flag_at(size_t i) {
    size_t n = sizeof flag_table / sizeof flag_table[0];
    return i < n ? &flag_table[i] : NULL;
}

bool ssl_verify_is_address(const char *name) {
    unsigned char ip[16];
    return inet_pton(AF_INET, name, ip) == 1 ||
           inet_pton(AF_INET6, name, ip) == 1;
}

/* RFC 9525 6.3; both without a final dot. */
static bool dns_match(const char *pat, size_t pat_len, const char *name,
                      size_t name_len) {
    if (pat_len > 2 && pat[0] == '*' && pat[1] == '.') {
        const char *dot = memchr(name, '.', name_len);
        if (dot == NULL || dot == name ||
            memchr(pat + 2, '.', pat_len - 2) == NULL) {
            return false;
        }
        name_len -= (size_t)(dot - name);
        name = dot;
        pat++;
        pat_len--;
    }
    return pat_len == name_len && memchr(pat, '*', pat_len) == NULL &&
           memchr(pat, '\0', pat_len) == NULL &&
           strncasecmp(pat, name, name_len) == 0;
}

enum { SAN_DNS = 2, SAN_IP = 7 }; /* RFC 5280 4.2.1.6, the context tags */

static int san_type(const mbedtls_asn1_buf *b) {
    return b->tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
}

bool ssl_verify_name(const mbedtls_x509_crt *crt, const char *name) {
    unsigned char ip[16];
    size_t ip_len = inet_pton(AF_INET, name, ip) == 1    ? 4
                    : inet_pton(AF_INET6, name, ip) == 1 ? 16
                                                         : 0;
    size_t len = strlen(name);
    if (ip_len == 0 && len > 1 && name[len - 1] == '.') {
        len--;
    }
    const mbedtls_x509_sequence *s = &crt->subject_alt_names;
    for (; s != NULL && s->buf.p != NULL; s = s->next) {
        const char *p = (const char *)s->buf.p;
        if (ip_len != 0) {
            if (san_type(&s->buf) == SAN_IP && s->buf.len == ip_len &&
                memcmp(p, ip, ip_len) == 0) {
                return true;
            }
        } else if (san_type(&s->buf) == SAN_DNS &&
                   dns_match(p, s->buf.len, name, len)) {
            return true;
        }
    }
    return false;
}

static const mbedtls_x509_time *clock_of(const struct ssl_verify *v) {
    return v->ctx != NULL ? v->ctx->now : NULL;
}

/* Mbed TLS has judged the time by the system's clock: judge it anew.
 * @return how far `now` is outside the validity, as seconds_off */
static int64_t judge_time(const mbedtls_x509_crt *crt,
                          const mbedtls_x509_time *now, uint32_t *flags) {
    int64_t at = ssl_cert_seconds(now);
    int64_t early = at - ssl_cert_seconds(&crt->valid_from);
    int64_t late = at - ssl_cert_seconds(&crt->valid_to);
    *flags &=
        ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    *flags |= early < 0 ? MBEDTLS_X509_BADCERT_FUTURE : 0u;
    *flags |= late > 0 ? MBEDTLS_X509_BADCERT_EXPIRED : 0u;
    return early < 0 ? early : late > 0 ? late : 0;
}

/* The same for the CRLs of its issuer, which Mbed TLS looks at where that is in
 * the path. One that is not the CA's own ends its search, whatever its date. */
static void judge_crls(struct ssl_verify *v, const mbedtls_x509_crt *crt,
                       size_t depth, uint32_t *flags) {
    const uint32_t early = MBEDTLS_X509_BADCRL_FUTURE;
    const uint32_t late = MBEDTLS_X509_BADCRL_EXPIRED;
    const mbedtls_x509_time *now = clock_of(v);
    const mbedtls_x509_crl *crl = &v->ctx->crl;
    if (!v->ctx->have_crl || depth + 1 >= v->cert_count) {
        return;
    }
    if (now != NULL) {
        *flags &= ~(early | late);
    }
    for (; crl != NULL; crl = crl->next) {
        if (!ssl_cert_same(&crl->issuer_raw, &crt->issuer_raw)) {
            continue;
        }
        v->crl_used = true;
        if (now == NULL || (*flags & MBEDTLS_X509_BADCRL_NOT_TRUSTED) != 0) {
            continue;
        }
        int64_t at = ssl_cert_seconds(now);
        *flags |= at < ssl_cert_seconds(&crl->this_update) ? early : 0;
        *flags |= at > ssl_cert_seconds(&crl->next_update) ? late : 0;
    }
}

static bool key_is_weak(const mbedtls_x509_crt_profile *profile,
                        const mbedtls_pk_context *pk) {
    if (mbedtls_pk_can_do(pk, MBEDTLS_PK_RSA)) {
        return mbedtls_pk_get_bitlen(pk) < profile->rsa_min_bitlen;
    }
    if (!mbedtls_pk_can_do(pk, MBEDTLS_PK_ECKEY)) {
        return true;
    }
    mbedtls_ecp_group_id id =
        mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk));
    return (profile->allowed_curves & MBEDTLS_X509_ID_FLAG(id)) == 0;
}

/* Mbed TLS blames a CA's weak key on what it has signed: blame the CA's
 * certificate, which came before. */
static void judge_key(const struct ssl_verify *v, const mbedtls_x509_crt *crt,
                      size_t depth, uint32_t *flags) {
    const uint32_t weak = MBEDTLS_X509_BADCERT_BAD_KEY;
    if (key_is_weak(v->ctx->profile, &crt->pk)) {
        *flags |= weak;
    } else if (depth + 1 < v->cert_count &&
               (v->certs[depth + 1].flags & weak) != 0) {
        *flags &= ~weak;
    }
}

/* RFC 5280 leaves open what extKeyUsage means in a CA's certificate; web PKI,
 * OpenSSL and Go let it limit what is issued, Mbed TLS ignores it. */
static void judge_ca_purpose(const struct ssl_verify *v,
                             const mbedtls_x509_crt *crt, uint32_t *flags) {
    const char *oid = ssl_verify_purpose(v->ctx);
    if (mbedtls_x509_crt_check_extended_key_usage(crt, oid, strlen(oid)) != 0) {
        *flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    }
}

const char *ssl_verify_purpose(const struct ssl_context *ctx) {
    return ctx->protocol == SSL_PROTOCOL_TLS_CLIENT ? MBEDTLS_OID_SERVER_AUTH
                                                    : MBEDTLS_OID_CLIENT_AUTH;
}

static void keep_top(struct ssl_verify *v, const mbedtls_x509_crt *crt) {
    v->top = mbedtls_calloc(1, crt->raw.len);
    if (v->top != NULL) {
        memcpy(v->top, crt->raw.p, crt->raw.len);
        v->top_len = crt->raw.len;
    }
}

bool ssl_verify_room(struct ssl_verify *v, size_t n) {
    if (n <= v->cert_room) {
        return true;
    }
    struct ssl_cert_info *more = mbedtls_calloc(n, sizeof *more);
    if (more == NULL) {
        return false;
    }
    if (v->cert_count > 0) {
        memcpy(more, v->certs, v->cert_count * sizeof *more);
    }
    mbedtls_free(v->certs);
    v->certs = more;
    v->cert_room = n;
    return true;
}

void ssl_verify_info(const struct ssl_verify *v, struct ssl_info *info) {
    info->cert_count = v->cert_count;
    if (v->cert_count > 0) {
        memcpy(info->certs, v->certs, v->cert_count * sizeof *v->certs);
    }
}

void ssl_verify_free(struct ssl_verify *v) {
    mbedtls_free(v->certs);
    v->certs = NULL;
    v->cert_count = v->cert_room = 0;
    mbedtls_free(v->top);
    v->top = NULL;
    v->top_len = 0;
}

int ssl_verify_device(struct ssl_verify *v, const mbedtls_x509_crt *crt,
                      size_t i, bool used) {
    const struct ssl_device *d = &v->ctx->device;
    size_t bits = mbedtls_pk_can_do(&crt->pk, MBEDTLS_PK_RSA)
                      ? mbedtls_pk_get_bitlen(&crt->pk)
                      : 0;
    char subject[SSL_NAME_MAX];
    int ret = 0;
    ssl_cert_name(&crt->subject, subject);
    if (d->no_pss &&
        MBEDTLS_OID_CMP(MBEDTLS_OID_RSASSA_PSS, &crt->sig_oid) == 0) {
        ret = MBEDTLS_ERR_X509_INVALID_ALG;
        err_set(&v->device, ERR_DEVICE, ret,
                "certificate %zu (%.64s) is signed by RSASSA-PSS, which the "
                "device cannot read",
                i, subject);
    } else if (used && d->rsa_max_bits != 0 && bits > d->rsa_max_bits) {
        ret = MBEDTLS_ERR_X509_FATAL_ERROR;
        err_set(&v->device, ERR_DEVICE, ret,
                "certificate %zu (%.64s) has an RSA key of %zu bits, and the "
                "device computes with %u at most",
                i, subject, bits, d->rsa_max_bits);
    }
    return ret;
}

int ssl_verify_callback(void *arg, mbedtls_x509_crt *crt, int depth,
                        uint32_t *flags) {
    struct ssl_verify *v = arg;
    if (v->pins_only) {
        *flags = 0;
        return 0;
    }
    const mbedtls_x509_time *now = clock_of(v);
    int64_t off = now != NULL ? judge_time(crt, now, flags) : 0;
    size_t i = (size_t)depth;
    /* It goes from the top down: the first has the highest number. */
    if (i < SSL_CHAIN_MAX && !ssl_verify_room(v, i + 1)) {
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    }
    int ret = ssl_verify_device(v, crt, i, true);
    if (v->ctx->device.no_dates) {
        *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED |
                              MBEDTLS_X509_BADCERT_FUTURE);
        off = 0;
    }
    judge_crls(v, crt, i, flags);
    judge_key(v, crt, i, flags);
    if (depth > 0) {
        judge_ca_purpose(v, crt, flags);
    } else {
        *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
        if (v->name != NULL && !ssl_verify_name(crt, v->name)) {
            *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
        }
        if (!ssl_pin_match(&v->ctx->pins, crt)) {
            *flags |= SSL_BADCERT_PIN;
        }
    }
    if (!v->called && v->ctx->keep_top) {
        keep_top(v, crt);
    }
    v->called = true;
    if (i < SSL_CHAIN_MAX) {
        ssl_cert_describe(crt, now, &v->certs[i]);
        v->certs[i].flags = *flags;
        v->seconds_off[i] = off;
        v->cert_count = i >= v->cert_count ? i + 1 : v->cert_count;
    }
    return ret;
}

bool ssl_verify_anchored(const struct ssl_verify *v) {
    return v->called && v->cert_count > 0 &&
           (v->certs[v->cert_count - 1].flags &
            MBEDTLS_X509_BADCERT_NOT_TRUSTED) == 0;
}

void ssl_verify_load_store(struct ssl_context *ctx) {
    static const unsigned char nothing[1] = "";
    if (ctx->store.pem == NULL && ctx->ca_source != NULL) {
        const unsigned char *pem;
        size_t len;
        int rc = ctx->ca_source(ctx->ca_arg, &pem, &len, &ctx->ca_err);
        ssl_store_set(&ctx->store, rc == 0 ? pem : nothing, rc == 0 ? len : 0);
        (void)ssl_store_index(&ctx->store); /* or later */
    }
}

int ssl_verify_find_ca(void *arg, const mbedtls_x509_crt *child,
                       mbedtls_x509_crt **cas) {
    struct ssl_context *ctx = arg;
    ssl_verify_load_store(ctx);
    return ssl_store_find(&ctx->store, child, cas);
}

/* What makes a reason plain: the date, or the names there are.
 * @param pin  SSL_PIN_TEXT_MAX bytes, where its text may go */
static const char *evidence(const struct ssl_cert_info *c, uint32_t bit,
                            char *pin) {
    switch (bit) {
    case MBEDTLS_X509_BADCERT_EXPIRED:
        return c->not_after;
    case MBEDTLS_X509_BADCERT_FUTURE:
        return c->not_before;
    case MBEDTLS_X509_BADCERT_CN_MISMATCH:
        return c->names[0] != '\0' ? c->names : "it has no SAN";
    case MBEDTLS_X509_BADCERT_BAD_KEY:
        return c->key;
    case MBEDTLS_X509_BADCERT_NOT_TRUSTED:
        return c->issuer;
    case SSL_BADCERT_PIN:
        return ssl_pin_text(c->spki_sha256, pin);
    default:
        return NULL;
    }
}

static void explain_one(const struct ssl_verify *v, size_t i, uint32_t bit,
                        const char *text, char *buf, size_t len) {
    const struct ssl_cert_info *c = &v->certs[i];
    char pin[SSL_PIN_TEXT_MAX];
    const char *why = evidence(c, bit, pin);
    bool name = bit == MBEDTLS_X509_BADCERT_CN_MISMATCH;
    bool issuer = bit == MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    char one[3 * SSL_NAME_MAX];
    snprintf(one, sizeof one, "%scertificate %zu (%.64s) %s%s%.64s%s%s%.64s%s",
             buf[0] != '\0' ? "; " : "", i, c->subject, text,
             name && v->name != NULL ? " " : "",
             name && v->name != NULL ? v->name : "", why != NULL ? " (" : "",
             issuer ? "issuer: " : "", why != NULL ? why : "",
             why != NULL ? ")" : "");
    text_append(buf, len, one, strlen(one));
}

void ssl_verify_clock(const struct ssl_verify *v, int64_t off, char *buf,
                      size_t len) {
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {
        { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" }
    };
    enum { DATE_LEN = 10 };
    int64_t by = off < 0 ? -off : off;
    buf[0] = '\0';
    if (clock_of(v) == NULL || by == 0) {
        return;
    }
    size_t u = 0;
    while (by < units[u].seconds) {
        u++;
    }
    int64_t n = by / units[u].seconds;
    char now[SSL_TIME_MAX];
    ssl_cert_time(clock_of(v), now);
    snprintf(buf, len, "the clock says %.*s, %lld %s%s %s",
             u == 0 ? DATE_LEN : SSL_TIME_MAX, now, (long long)n, units[u].name,
             n == 1 ? "" : "s", off < 0 ? "early" : "late");
}

static void explain_clock(const struct ssl_verify *v, size_t i, char *buf,
                          size_t len) {
    char clock[SSL_CLOCK_MAX], one[SSL_CLOCK_MAX + 2];
    ssl_verify_clock(v, v->seconds_off[i], clock, sizeof clock);
    snprintf(one, sizeof one, "%s%s", clock[0] != '\0' ? ": " : "", clock);
    text_append(buf, len, one, strlen(one));
}

void ssl_verify_explain(const struct ssl_verify *v, uint32_t flags, char *buf,
                        size_t len) {
    const uint32_t times =
        MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
    buf[0] = '\0';
    const struct ssl_flag *f;
    for (size_t k = 0; (f = ssl_flag_at(k)) != NULL; k++) {
        bool told = false;
        for (size_t i = 0; i < v->cert_count && (flags & f->bit) != 0; i++) {
            if ((v->certs[i].flags & f->bit) != 0) {
                explain_one(v, i, f->bit, f->text, buf, len);
                if (!told && (flags & ~times) == 0) {
                    explain_clock(v, i, buf, len);
                }
                told = true;
            }
        }
        if ((flags & f->bit) != 0 && !told && v->cert_count > 0) {
            explain_one(v, 0, f->bit, f->text, buf, len);
        } else if ((flags & f->bit) != 0 && !told) {
            char one[96];
            snprintf(one, sizeof one, "%sthe peer's certificate %s",
                     buf[0] != '\0' ? "; " : "", f->text);
            text_append(buf, len, one, strlen(one));
        }
    }
}
