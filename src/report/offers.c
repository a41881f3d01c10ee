#include "report/offers.h"

#include <string.h>

enum {
    KINDS = SSL_KIND_SIG_ALG + 1, /* extensions are not agreed on so */
    COMMON_ROWS = 1,              /* shown of what is in common */
    EACH_ROWS = 2                 /* and of each end's, where nothing is */
};

/* What is in a list and offers nothing: GREASE (RFC 8701), the signals among
 * the suites (RFC 5746 3.3, RFC 7507). */
static bool no_offer(enum ssl_kind kind, uint16_t id) {
    enum { RENEGOTIATION_INFO = 0x00FF, FALLBACK = 0x5600 };
    char label[SSL_LABEL_MAX];
    bool signal =
        kind == SSL_KIND_CIPHER && (id == RENEGOTIATION_INFO || id == FALLBACK);
    return signal || strcmp(ssl_name(kind, id, label), "GREASE") == 0;
}

/* What of a list can come to be used.
 * @param version  the only one in common, whose suites they are; 0: several */
static struct ssl_ids usable(enum ssl_kind kind, const struct ssl_ids *ids,
                             unsigned version) {
    enum { TLS13 = 0x0304, TLS13_SUITES = 0x13 };
    struct ssl_ids out = { 0, { 0 } };
    for (size_t i = 0; i < ids->n; i++) {
        bool of_13 = ids->id[i] >> 8 == TLS13_SUITES;
        bool fits = kind != SSL_KIND_CIPHER || version == 0 ||
                    of_13 == (version == TLS13);
        if (fits && !no_offer(kind, ids->id[i])) {
            out.id[out.n++] = ids->id[i];
        }
    }
    return out;
}

/* @param want  whether what is counted is in `other`, too */
static size_t count(const struct ssl_ids *ids, const struct ssl_ids *other,
                    bool want) {
    size_t n = 0;
    for (size_t i = 0; i < ids->n; i++) {
        n += ssl_ids_has(other, ids->id[i]) == want;
    }
    return n;
}

/* One end's offer of a kind, in the words of its column. */
struct side {
    const struct ssl_ids *ids, *other;
    const char *ours, *theirs;
};

/* Up to `rows` of a list, with the label before the first. */
static void rows_of(FILE *f, enum ssl_kind kind, const struct side *s,
                    bool want, size_t rows, const char *label) {
    char name[SSL_LABEL_MAX];
    for (size_t i = 0; i < s->ids->n && rows > 0; i++) {
        uint16_t id = s->ids->id[i];
        if (ssl_ids_has(s->other, id) == want) {
            report_line(f, "  %-10s%-46s%-5s%s", label,
                        ssl_name(kind, id, name), s->ours, s->theirs);
            label = "";
            rows--;
        }
    }
}

static void left_out(FILE *f, size_t n, size_t shown, const char *whose) {
    if (n > shown) {
        report_line(f, "  %-10sand %zu more %s", "", n - shown, whose);
    }
}

static void kind_text(FILE *f, enum ssl_kind kind, const char *label,
                      const struct ssl_ids *ours,
                      const struct ssl_ids *theirs) {
    const struct side both = { ours, theirs, "yes", "yes" };
    const struct side we = { ours, theirs, "yes", "-" };
    const struct side they = { theirs, ours, "-", "yes" };
    size_t common = count(ours, theirs, true);
    size_t our_n = count(ours, theirs, false);
    size_t their_n = count(theirs, ours, false);
    if (common > 0) {
        rows_of(f, kind, &both, true, COMMON_ROWS, label);
        left_out(f, common, COMMON_ROWS, "in common");
    } else if (our_n == 0 || their_n == 0) {
        report_line(f, "  %-10s%s names none", label,
                    our_n == 0 ? "our end" : "the peer");
    } else {
        report_line(f, "  %-10s<- nothing in common", label);
        rows_of(f, kind, &we, false, EACH_ROWS, "");
        left_out(f, our_n, EACH_ROWS, "of ours");
        rows_of(f, kind, &they, false, EACH_ROWS, "");
        left_out(f, their_n, EACH_ROWS, "of the peer's");
    }
}

static bool nothing_in_common(const struct ssl_ids *ours,
                              const struct ssl_ids *theirs) {
    return count(ours, theirs, true) == 0 && ours->n > 0 && theirs->n > 0;
}

/* @return the version that is the only one in common, or 0 */
static unsigned only_version(const struct ssl_ids *ours,
                             const struct ssl_ids *theirs) {
    unsigned version = 0;
    for (size_t i = 0; i < ours->n; i++) {
        version = ssl_ids_has(theirs, ours->id[i]) ? ours->id[i] : version;
    }
    return count(ours, theirs, true) == 1 ? version : 0;
}

void offers_text(FILE *f, const struct report *r) {
    static const char *const labels[KINDS] = {
        [SSL_KIND_VERSION] = "version",
        [SSL_KIND_CIPHER] = "suite",
        [SSL_KIND_GROUP] = "group",
        [SSL_KIND_SIG_ALG] = "signature",
    };
    const struct ssl_offer *we = &r->tls.ours, *they = &r->tls.theirs;
    struct ssl_ids ours[KINDS], theirs[KINDS];
    unsigned version =
        only_version(&we->of[SSL_KIND_VERSION], &they->of[SSL_KIND_VERSION]);
    bool empty = false;
    for (int k = 0; k < KINDS; k++) {
        ours[k] = usable((enum ssl_kind)k, &we->of[k], version);
        theirs[k] = usable((enum ssl_kind)k, &they->of[k], version);
        empty = empty || nothing_in_common(&ours[k], &theirs[k]);
    }
    if (!we->known || !they->known || !empty || r->stage != STAGE_HANDSHAKE) {
        return;
    }
    report_line(f, "offers:     %-46sours peer", "");
    /* Without a version nothing else can be agreed on. */
    bool none =
        nothing_in_common(&ours[SSL_KIND_VERSION], &theirs[SSL_KIND_VERSION]);
    for (int k = 0; k < (none ? 1 : KINDS); k++) {
        kind_text(f, (enum ssl_kind)k, labels[k], &ours[k], &theirs[k]);
    }
}
