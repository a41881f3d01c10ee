#include "report/offers.h"

#include <string.h>

enum {
    KINDS = SSL_KIND_SIG_ALG + 1, /* extensions are not agreed on so */
    COMMON_ROWS = 1,              /* shown of what is in common */
    EACH_ROWS = 2                 /* and of each end's, where nothing is */
};

static bool in_list(const struct ssl_ids *ids, uint16_t id) {
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->id[i] == id) {
            return true;
        }
    }
    return false;
}

/* RFC 8701: values that mean nothing, in both ends' lists by chance. */
static bool grease(enum ssl_kind kind, uint16_t id) {
    char label[SSL_LABEL_MAX];
    return strcmp(ssl_name(kind, id, label), "GREASE") == 0;
}

/* @param want  whether what is counted is in `other`, too */
static size_t count(enum ssl_kind kind, const struct ssl_ids *ids,
                    const struct ssl_ids *other, bool want) {
    size_t n = 0;
    for (size_t i = 0; i < ids->n; i++) {
        n += !grease(kind, ids->id[i]) && in_list(other, ids->id[i]) == want;
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
        if (!grease(kind, id) && in_list(s->other, id) == want) {
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
    size_t common = count(kind, ours, theirs, true);
    size_t our_n = count(kind, ours, theirs, false);
    size_t their_n = count(kind, theirs, ours, false);
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

static bool nothing_in_common(enum ssl_kind kind, const struct ssl_ids *ours,
                              const struct ssl_ids *theirs) {
    return count(kind, ours, theirs, true) == 0 &&
           count(kind, ours, theirs, false) > 0 &&
           count(kind, theirs, ours, false) > 0;
}

void offers_text(FILE *f, const struct report *r) {
    static const char *const labels[KINDS] = {
        [SSL_KIND_VERSION] = "version",
        [SSL_KIND_CIPHER] = "suite",
        [SSL_KIND_GROUP] = "group",
        [SSL_KIND_SIG_ALG] = "signature",
    };
    const struct ssl_offer *ours = &r->tls.ours, *theirs = &r->tls.theirs;
    bool empty = false;
    for (int k = 0; k < KINDS; k++) {
        empty = empty || nothing_in_common((enum ssl_kind)k, &ours->of[k],
                                           &theirs->of[k]);
    }
    if (!ours->known || !theirs->known || !empty ||
        r->stage != STAGE_HANDSHAKE) {
        return;
    }
    report_line(f, "offers:     %-46sours peer", "");
    for (int k = 0; k < KINDS; k++) {
        kind_text(f, (enum ssl_kind)k, labels[k], &ours->of[k], &theirs->of[k]);
    }
}
