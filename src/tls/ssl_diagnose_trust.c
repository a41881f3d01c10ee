#include <mbedtls/platform.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "tls/ssl_diagnosis.h"

/* The certificate that no trusted one was found for, in the path's i-th
 * place, and the certificates that might have signed it. */
struct gap {
    struct ssl_diagnosis *d;
    size_t at;
    const mbedtls_x509_crt *child;
    const struct ssl_cert_info *info; /* the child's */
    const mbedtls_x509_crt *trusted;  /* with those of other names */
};

/* What signs certificates: an old one, or one that says so. */
static bool is_ca(const mbedtls_x509_crt *crt) {
    return crt->version < 3 || (mbedtls_x509_crt_get_ca_istrue(crt) == 1 &&
                                mbedtls_x509_crt_check_key_usage(
                                    crt, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0);
}

/* Is the signature of `child`, taken alone, `ca`'s? Other flags do not count.
 */
static bool signs(const struct gap *g, const mbedtls_x509_crt *ca) {
    mbedtls_x509_crt child = *g->child, anchor = *ca;
    uint32_t flags = 0;
    child.next = anchor.next = NULL;
    int ret = mbedtls_x509_crt_verify_with_profile(
        &child, &anchor, NULL, g->d->ctx->profile, NULL, &flags, NULL, NULL);
    return (ret == 0 || ret == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) &&
           (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) == 0;
}

static void other_key(const struct gap *g, const mbedtls_x509_crt *ca) {
    char wanted[48], has[48], here[SSL_NAME_MAX];
    ssl_cert_hex(&g->child->authority_key_id.keyIdentifier, wanted,
                 sizeof wanted);
    ssl_cert_hex(&ca->subject_key_id, has, sizeof has);
    bool known = wanted[0] != '\0' && has[0] != '\0';
    snprintf(here, sizeof here, "--cadata with the %.120s%s%s", g->info->issuer,
             known ? " of key identifier " : " that signed it",
             known ? wanted : "");
    ssl_diagnose_add(g->d->info, "ca-other-key", here, NULL,
                     "the trusted certificate named %.120s has another key "
                     "than the one that signed certificate %zu%s%s%s%s",
                     g->info->issuer, g->at,
                     known ? ": its key identifier is " : "", known ? has : "",
                     known ? ", wanted is " : "", known ? wanted : "");
}

static void no_ca(const struct gap *g, const mbedtls_x509_crt *ca) {
    char name[SSL_NAME_MAX], here[SSL_NAME_MAX];
    bool own = ssl_cert_same(&ca->raw, &g->d->sent->raw);
    ssl_cert_name(&ca->subject, name);
    snprintf(here, sizeof here, "--cadata with the CA %.200s", g->info->issuer);
    ssl_diagnose_add(g->d->info, "ca-is-leaf", here,
                     own ? "a self-signed certificate, to have it trusted as "
                           "it is"
                         : NULL,
                     "what is trusted, %.100s, is %s%s%s, and not a CA's", name,
                     own ? "the " : "an end's certificate",
                     own ? g->d->who : "",
                     own ? "'s own certificate, which a CA has signed" : "");
}

/* Of a trusted certificate, or one that was sent, that has the issuer's name:
 * why does it not do? */
static void judge_trusted(const struct gap *g, const mbedtls_x509_crt *ca) {
    if (!is_ca(ca)) {
        no_ca(g, ca);
    } else if (!signs(g, ca)) {
        other_key(g, ca);
    } else {
        ssl_diagnose_add(g->d->info, "path-too-long", NULL,
                         "have the certificate signed by a CA nearer to the "
                         "root",
                         "the trusted %.120s does not allow as many CAs "
                         "beneath it (pathLenConstraint)",
                         g->info->issuer);
    }
}

static void judge_sent(const struct gap *g, const mbedtls_x509_crt *ca) {
    struct ssl_info *info = g->d->info;
    char there[SSL_NAME_MAX];
    if (!is_ca(ca)) {
        snprintf(there, sizeof there,
                 "have %.90s signed by a CA, or %.90s made one",
                 g->info->subject, g->info->issuer);
        ssl_diagnose_add(info, "issuer-not-ca", NULL, there,
                         "%.120s signed certificate %zu (%.120s), and is not "
                         "a CA (basicConstraints CA:TRUE, keyUsage "
                         "keyCertSign)",
                         g->info->issuer, g->at, g->info->subject);
    } else if (!signs(g, ca)) {
        snprintf(there, sizeof there,
                 "send the %.120s that signed it, or have it signed anew",
                 g->info->issuer);
        ssl_diagnose_add(info, "issuer-other-key", NULL, there,
                         "the %.120s that was sent has another key than the "
                         "one that signed certificate %zu (%.120s)",
                         g->info->issuer, g->at, g->info->subject);
    } else {
        ssl_diagnose_add(info, "path-too-long", NULL,
                         "have the certificate signed by a CA nearer to the "
                         "root",
                         "%.120s does not allow as many CAs beneath it "
                         "(pathLenConstraint): the path is too long",
                         g->info->issuer);
    }
}

/* The names alone may be alike by chance. */
static bool is_self_signed(const mbedtls_x509_crt *crt) {
    const mbedtls_x509_buf *issuer = &crt->authority_key_id.keyIdentifier;
    const mbedtls_x509_buf *own = &crt->subject_key_id;
    return ssl_cert_same(&crt->subject_raw, &crt->issuer_raw) &&
           (issuer->p == NULL || own->p == NULL || ssl_cert_same(issuer, own));
}

/* A leaf that signed itself is trusted if it is there itself. */
static void self_signed(const struct gap *g) {
    struct ssl_info *info = g->d->info;
    const mbedtls_x509_crt *ca = g->trusted;
    for (; ca != NULL && ca->raw.p != NULL; ca = ca->next) {
        if (ssl_cert_same(&ca->subject_raw, &g->child->subject_raw)) {
            ssl_diagnose_add(
                info, "ca-other-key", "--cadata with the very certificate",
                NULL,
                "another certificate of the name %.120s is trusted, with %s "
                "key: was the %s's made anew?",
                g->info->subject,
                ssl_cert_same(&ca->pk_raw, &g->child->pk_raw) ? "the same"
                                                              : "another",
                g->d->who);
        }
    }
    ssl_diagnose_add(info, "self-signed", "--cadata with this very certificate",
                     "a certificate that a trusted CA signed",
                     "certificate 0 (%.120s) is signed by its own key, and is "
                     "not trusted itself",
                     g->info->subject);
}

/* The names of what is trusted, as " (trusted: A, B)"; "" if unknown. */
static void list_trusted(const struct gap *g, char *buf, size_t size) {
    enum { MOST = 3 };
    size_t n = 0;
    buf[0] = '\0';
    for (const mbedtls_x509_crt *ca = g->trusted;
         g->d->ctx->have_ca && ca != NULL; ca = ca->next, n++) {
        char name[SSL_NAME_MAX], one[80];
        ssl_cert_name(&ca->subject, name);
        snprintf(one, sizeof one, "%s%.60s", n == 0 ? " (trusted: " : ", ",
                 n < MOST ? name : "...");
        if (n <= MOST) {
            text_append(buf, size, one, strlen(one));
        }
    }
    text_append(buf, size, ")", buf[0] != '\0');
}

static void unknown_root(const struct gap *g) {
    char trusted[256], here[SSL_NAME_MAX];
    bool sent = g->info->self_issued;
    list_trusted(g, trusted, sizeof trusted);
    snprintf(here, sizeof here, "--cadata with the root %.160s%s",
             g->info->issuer, sent ? ", which was sent" : "");
    ssl_diagnose_add(
        g->d->info, "unknown-root", here,
        g->d->ctx->have_ca ? "a chain to a root that is trusted" : NULL,
        "the chain leads to %.120s, which is not trusted%s%s%.120s",
        g->info->issuer, trusted,
        g->info->ca_url[0] != '\0' && !sent ? "; it is at " : "",
        !sent ? g->info->ca_url : "");
}

static void missing_intermediate(const struct gap *g) {
    char here[SSL_NAME_MAX], there[SSL_NAME_MAX];
    snprintf(here, sizeof here, "--cadata with %.200s", g->info->issuer);
    if (g->at == 0) {
        snprintf(there, sizeof there, "send %.150s after the %s's certificate",
                 g->info->issuer, g->d->who);
    } else {
        snprintf(there, sizeof there, "send %.110s after %.110s",
                 g->info->issuer, g->info->subject);
    }
    ssl_diagnose_add(g->d->info, "missing-intermediate", here, there,
                     "%.100s, which signed certificate %zu (%.80s), was not "
                     "sent and is not trusted%s%.120s",
                     g->info->issuer, g->at, g->info->subject,
                     g->info->ca_url[0] != '\0' ? "; it is at " : "",
                     g->info->ca_url);
}

static bool says_root(const char *name) {
    for (; *name != '\0'; name++) {
        if (strncasecmp(name, "root", 4) == 0) {
            return true;
        }
    }
    return false;
}

/* Nothing bears the issuer's name. A root is not sent as a rule, so that what
 * a CA's certificate wants is likely one; what a leaf wants is an intermediate
 * one, unless its name says what it is. */
static void judge_absence(const struct gap *g) {
    const mbedtls_x509_crt *ca = g->trusted;
    size_t before = g->d->info->finding_count;
    bool none_is_ca = g->d->ctx->have_ca;
    for (; g->d->ctx->have_ca && ca != NULL; ca = ca->next) {
        if (ssl_cert_same(&ca->raw, &g->d->sent->raw)) {
            no_ca(g, ca);
        }
        none_is_ca = none_is_ca && !is_ca(ca);
    }
    if (none_is_ca) {
        no_ca(g, g->trusted);
    }
    if (g->d->info->finding_count > before) {
        return;
    }
    if (g->info->self_issued || g->at > 0 || says_root(g->info->issuer)) {
        unknown_root(g);
    } else {
        missing_intermediate(g);
    }
}

static void judge(const struct gap *g) {
    size_t before = g->d->info->finding_count;
    if (g->at == 0 && is_self_signed(g->child)) {
        self_signed(g);
        return;
    }
    const mbedtls_x509_crt *ca = g->trusted;
    for (; ca != NULL && ca->raw.p != NULL; ca = ca->next) {
        if (ssl_cert_same(&ca->subject_raw, &g->child->issuer_raw)) {
            judge_trusted(g, ca);
        }
    }
    for (ca = g->d->sent; ca != NULL; ca = ca->next) {
        if (ssl_cert_same(&ca->subject_raw, &g->child->issuer_raw) &&
            !ssl_cert_same(&ca->raw, &g->child->raw)) {
            judge_sent(g, ca);
        }
    }
    if (g->d->info->finding_count == before) {
        judge_absence(g);
    }
}

void ssl_diagnose_trust(struct ssl_diagnosis *d) {
    const uint32_t bit = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    struct gap g = { .d = d };
    while (g.at < d->v->cert_count && (d->v->certs[g.at].flags & bit) == 0) {
        g.at++;
    }
    int place = g.at < d->v->cert_count ? ssl_diagnosis_place(d, g.at) : -1;
    if ((d->flags & bit) == 0 || place < 0) {
        return;
    }
    g.info = &d->v->certs[g.at];
    g.child = ssl_diagnosis_sent(d, place);
    mbedtls_x509_crt *found = NULL;
    if (d->ctx->have_ca) {
        g.trusted = &d->ctx->ca;
    } else {
        ssl_verify_find_ca(d->ctx, g.child, &found);
        g.trusted = found;
    }
    judge(&g);
    if (found != NULL) {
        mbedtls_x509_crt_free(found);
        mbedtls_free(found);
    }
}
