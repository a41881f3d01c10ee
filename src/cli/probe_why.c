#include <mbedtls/ssl.h>
#include <stdio.h>
#include <string.h>

#include "cli/probe_ask.h"
#include "cli/probe_device.h"
#include "tls/ssl_diagnose.h"

enum {
    TLS13 = 0x0304,
    TLS12 = 0x0303,
    ENOUGH = 6,    /* of a list that is only shown */
    ODD_ENOUGH = 2 /* hellos that were closed on, to say that all are */
};

bool probe_can_tell(const struct report *r) {
    static const int alerts[] = {
        MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
        MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER,
        MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION,
        MBEDTLS_SSL_ALERT_MSG_INSUFFICIENT_SECURITY,
        MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR,
        MBEDTLS_SSL_ALERT_MSG_INAPROPRIATE_FALLBACK,
        MBEDTLS_SSL_ALERT_MSG_MISSING_EXTENSION,
        MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME,
        MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL,
        0,
    };
    static const int codes[] = {
        -MBEDTLS_ERR_SSL_CONN_EOF,
        -MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE,
        -MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION,
        -MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL,
        -MBEDTLS_ERR_SSL_DECODE_ERROR,
        -MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER,
        -MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION,
        -MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE,
        0,
    };
    enum { LOW_HALF = 0x7F }; /* mbedtls/error.h */
    const struct err *e = &r->err;
    if (r->stage != STAGE_HANDSHAKE || r->peer == NULL || r->tls.server_side ||
        r->tls.cert_refused) {
        return false;
    }
    const int *list = e->origin == ERR_ALERT ? alerts
                      : e->origin == ERR_TLS ? codes
                                             : NULL;
    int64_t code = e->origin == ERR_TLS ? -e->code & ~LOW_HALF : e->code;
    while (list != NULL && *list != 0 && *list != code) {
        list++;
    }
    return e->origin == ERR_NET || (list != NULL && *list != 0);
}

/* What is in both, in the order of the first. */
static void common(const struct ssl_ids *a, const struct ssl_ids *b,
                   struct ssl_ids *out) {
    out->n = 0;
    for (size_t i = 0; i < a->n; i++) {
        if (ssl_ids_has(b, a->id[i])) {
            ssl_ids_add(out, a->id[i]);
        }
    }
}

static bool is_usable(enum ssl_kind kind, unsigned version, unsigned id) {
    char name[SSL_LABEL_MAX];
    if (kind == SSL_KIND_CIPHER) {
        ssl_name(kind, id, name);
        return strstr(name, "SCSV") == NULL &&
               (strstr(name, "_WITH_") == NULL) == (version == TLS13);
    }
    return true;
}

static int exhaust(struct probe *p, const struct ssl_offer *o,
                   enum ssl_kind kind, const struct ssl_ids *candidates,
                   size_t most, struct ssl_ids *out) {
    return kind == SSL_KIND_SIG_ALG
               ? probe_sig_algs(p, candidates, most, out)
               : probe_exhaust(p, o, kind, candidates, most, out);
}

/* One list: whether the server takes one of ours, and if it does not, what it
 * takes instead. In TLS 1.2 groups and signatures are seen with ECDHE only. */
static int ask_list(struct probe *p, unsigned version, enum ssl_kind kind,
                    const struct ssl_ids *ours, struct ssl_ids *theirs) {
    struct ssl_offer o;
    struct ssl_ids mine = { .n = 0 }, all;
    size_t before = theirs->n;
    probe_offer(p, version, &o);
    all = o.of[kind];
    if (kind != SSL_KIND_CIPHER && version != TLS13) {
        probe_only(&o.of[SSL_KIND_CIPHER], "TLS_ECDHE_");
    }
    for (size_t i = 0; i < ours->n; i++) {
        if (is_usable(kind, version, ours->id[i])) {
            ssl_ids_add(&mine, ours->id[i]);
        }
    }
    if (exhaust(p, &o, kind, &mine, 1, theirs) != 0) {
        return -1;
    }
    int rc = 0;
    for (size_t at = 0; rc == 0 && theirs->n == before && all.n > 0;) {
        rc = exhaust(p, &o, kind, &all, ENOUGH, theirs);
        all.n = 0;
        if (kind == SSL_KIND_CIPHER && version != TLS13) {
            probe_ciphers(PROBE_RARE, at, &all);
            at += all.n;
        }
    }
    return rc;
}

static int ask_lists(struct probe *p, unsigned version, struct ssl_info *info) {
    static const enum ssl_kind kinds[] = { SSL_KIND_CIPHER, SSL_KIND_GROUP,
                                           SSL_KIND_SIG_ALG };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        enum ssl_kind k = kinds[i];
        /* What TLS 1.3 signs with is encrypted. */
        if (k == SSL_KIND_SIG_ALG && version != TLS12) {
            continue;
        }
        if (ask_list(p, version, k, &info->ours.of[k], &info->theirs.of[k]) !=
            0) {
            return -1;
        }
    }
    return 0;
}

static int ask_versions(struct probe *p, struct ssl_ids *theirs) {
    for (unsigned v = TLS13; v > 0x0300; v--) {
        struct report_version version = { .version = (uint16_t)v };
        if (probe_version(p, &version) != 0) {
            return -1;
        }
        if (version.accepted) {
            ssl_ids_add(theirs, v);
        }
    }
    return 0;
}

/* The hello that failed, but for one thing. @return as probe_ask() */
static int ask_as_we_are(struct probe *p, const struct ssl_info *info,
                         bool name, unsigned max_version) {
    struct ssl_offer o = info->ours;
    struct ssl_ids *versions = &o.of[SSL_KIND_VERSION];
    struct ssl_chosen chosen;
    size_t n = 0;
    for (size_t i = 0; i < versions->n; i++) {
        if (versions->id[i] <= max_version) {
            versions->id[n++] = versions->id[i];
        }
    }
    versions->n = n;
    if (!name) {
        o.server_name[0] = '\0';
    }
    return probe_ask(p, &o, &chosen);
}

/* What no list shows: the server dislikes the name, or that TLS 1.3 is
 * offered. */
static int ask_beyond_lists(struct probe *p, struct ssl_info *info) {
    bool name = info->ours.server_name[0] != '\0';
    int as_is = ask_as_we_are(p, info, true, TLS13);
    if (as_is != 0) {
        return as_is < 0 ? -1 : 0;
    }
    int without = name ? ask_as_we_are(p, info, false, TLS13) : 0;
    if (without > 0) {
        ssl_diagnose_add(info, "server-name-refused",
                         "--server-hostname with a name that it serves",
                         "serve this name, or have a default for others",
                         "the server refuses the name %.100s (SNI), and takes "
                         "the same hello without one",
                         info->ours.server_name);
    }
    const struct ssl_ids *versions = &info->ours.of[SSL_KIND_VERSION];
    bool both = ssl_ids_has(versions, TLS13) && ssl_ids_has(versions, TLS12);
    int old = without == 0 && both ? ask_as_we_are(p, info, true, TLS12) : 0;
    if (old > 0) {
        ssl_diagnose_add(info, "version-intolerant", "--max-version 1.2",
                         "take hellos that offer TLS 1.3 too (RFC 8446 4.2.1)",
                         "the server refuses a hello that offers TLS 1.3 and "
                         "1.2, and takes the same with 1.2 alone");
    }
    return without < 0 || old < 0 ? -1 : 0;
}

static int ask_why(struct probe *p, struct ssl_info *info) {
    struct ssl_ids *theirs = &info->theirs.of[SSL_KIND_VERSION];
    struct ssl_ids both;
    p->doing = "versions";
    if (ask_versions(p, theirs) != 0) {
        return -1;
    }
    if (theirs->n == 0) {
        return ask_beyond_lists(p, info);
    }
    info->theirs.known = true;
    p->doing = "what is in common";
    common(theirs, &info->ours.of[SSL_KIND_VERSION], &both);
    for (size_t i = 0; i < both.n; i++) {
        if (ask_lists(p, both.id[i], info) != 0) {
            return -1;
        }
    }
    if (both.n == 0) {
        return ask_lists(p, theirs->id[0], info);
    }
    return ask_beyond_lists(p, info);
}

int probe_why(const struct probe_config *c, struct ssl_info *info,
              char stopped[192], struct err *err) {
    static struct probe p;
    if (!info->ours.known) {
        ssl_diagnose_ours(c->ours, "", &info->ours);
    }
    memset(&info->theirs, 0, sizeof info->theirs);
    if (probe_begin(&p, c, PROBE_WHY_MAX, err) != 0) {
        return -1;
    }
    stopped[0] = '\0';
    bool all = ask_why(&p, info) == 0;
    probe_end(&p);
    if (info->theirs.known) {
        ssl_diagnose_offers(c->ours, info);
    } else if (info->finding_count == 0 && (all || p.odd > ODD_ENOUGH)) {
        ssl_diagnose_add(info, "refuses-all", NULL, NULL,
                         "the server refuses every hello, of any version and "
                         "with any suite: %s",
                         p.refusal);
    } else if (!all) {
        snprintf(stopped, sizeof p.err.msg, "%s", p.err.msg);
    }
    return probe_ended(&p, err);
}
