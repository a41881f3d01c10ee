#include "report/why.h"

#include <string.h>

#include "report/offers.h"

/* Findings of a chain explain a refused one, findings of two offers a handshake
 * that came to nothing, those of a device its limits: what was found and let
 * pass is not why. */
static bool applies(const struct report *r, const struct explain_key *key) {
    enum {
        NOTHING_IN_COMMON = 21,
        CLOSED = 24,
        UNTRUSTED = 30,
        NONE_SENT = 36,
        DEVICE_LIMIT = 51
    };
    if (key->code >= EXPLAIN_DEVICE || r->status == DEVICE_LIMIT) {
        return key->code >= EXPLAIN_DEVICE && r->status == DEVICE_LIMIT;
    }
    return key->code >= EXPLAIN_HELLO
               ? r->stage == STAGE_HANDSHAKE &&
                     r->status >= NOTHING_IN_COMMON && r->status <= CLOSED
               : r->status >= UNTRUSTED && r->status <= NONE_SENT;
}

static bool remark(const struct explain_cause *c) {
    return strcmp(c->who, "nobody") == 0;
}

/* @return the cause of a finding that has to do with the failure, or NULL */
static const struct explain_cause *cause_of(const struct report *r,
                                            const struct ssl_finding *f) {
    struct explain_key key;
    const struct explain_cause *c = explain_find_name("why", f->name, &key);
    bool told = c != NULL && applies(r, &key) &&
                (!remark(c) || key.code >= EXPLAIN_HELLO);
    return told ? c : NULL;
}

static void add_finding(const struct report *r, struct why *w) {
    for (size_t i = 0; i < r->tls.finding_count; i++) {
        const struct ssl_finding *f = &r->tls.findings[i];
        const struct explain_cause *c = cause_of(r, f);
        if (c != NULL && !remark(c)) {
            w->finding = f;
            w->name = f->name;
            w->what = f->text;
            w->advice = c->advice;
            return;
        }
    }
}

/* A server connects to nobody but the backend of --forward. */
static bool is_backend(const struct report *r) {
    return r->tls.server_side && r->stage == STAGE_CONNECT;
}

bool why_of(const struct report *r, struct why *w) {
    static const char backend[] = "backend-unreachable";
    const struct explain_cause *c = NULL;
    if (is_backend(r)) {
        c = explain_find_name("why", backend, NULL);
        *w = (struct why){ .advice = c->advice,
                           .name = backend,
                           .more = backend,
                           .what = c->what,
                           .who = c->who,
                           .step = c->advice->step };
        return true;
    }
    switch (r->err.origin) {
    case ERR_OS:
    case ERR_FILE:
    case ERR_MAX_TIME:
        break;
    default:
        c = explain_of(&r->err, r->status, NULL);
        break;
    }
    if (c == NULL) {
        return false;
    }
    *w = (struct why){ .advice = c->advice,
                       .name = r->name,
                       .more = r->name,
                       .what = c->what,
                       .who = c->who,
                       .step = c->advice->step };
    add_finding(r, w);
    return true;
}

static void field_if(FILE *f, const char *label, const char *text) {
    if (text != NULL && text[0] != '\0') {
        report_field(f, label, text);
    }
}

/* What else was found, beside the finding that tells why. */
static void also(FILE *f, const struct report *r, const struct why *w) {
    for (size_t i = 0; i < r->tls.finding_count; i++) {
        const struct ssl_finding *at = &r->tls.findings[i];
        if (at != w->finding && cause_of(r, at) != NULL) {
            report_field(f, "also:", at->text);
        }
    }
}

static void likely(FILE *f, const char *causes) {
    bool several = strchr(causes, '\n') != NULL;
    for (int i = 1; *causes != '\0'; i++) {
        char label[24], text[SSL_TEXT_MAX];
        size_t len = strcspn(causes, "\n");
        snprintf(text, sizeof text, "%.*s", (int)len, causes);
        if (several) {
            snprintf(label, sizeof label, "%s %d.",
                     i == 1 ? "likely:" : "       ", i);
        } else {
            snprintf(label, sizeof label, "likely:");
        }
        report_field(f, label, text);
        causes += len + (causes[len] != '\0' ? 1 : 0);
    }
}

static void who_and_when(FILE *f, const struct report *r, const struct why *w) {
    enum { NOTHING_IN_COMMON = 21 };
    static const char *const rows[][3] = {
        { "we", "we refused", "we ended it" },
        { "peer", "the peer refused", "the peer ended it" },
        { "network", "the network", "the network, or the peer's system" },
        { "nobody", "nobody", "nobody" },
    };
    bool refused = r->err.origin == ERR_VERIFY || r->err.origin == ERR_ALERT ||
                   r->status == NOTHING_IN_COMMON;
    char text[SSL_TEXT_MAX];
    size_t i = 0;
    while (strcmp(rows[i][0], w->who) != 0) {
        i++;
    }
    snprintf(text, sizeof text, "%s, %s", rows[i][refused ? 1 : 2], w->step);
    report_field(f, "who:", text);
}

/* A name that a shell reads as one word needs no quotes. */
static void more(FILE *f, const char *name) {
    const char *quote = strchr(name, ' ') != NULL ? "'" : "";
    report_line(f, "more: mptls explain %s%s%s", quote, name, quote);
}

/* What to do: what was found out of this case goes before the general. */
static void advice(FILE *f, const struct report *r, const struct why *w) {
    const struct ssl_finding *found = w->finding;
    const char *server = "";
    if (found != NULL) {
        field_if(f, "here:", found->here);
        field_if(f, "there:", found->there);
        server = r->tls.server_side ? found->here : found->there;
    }
    report_field(f, "on the board:", w->advice->board);
    if (server[0] == '\0' && r->stage != STAGE_SETUP) {
        report_field(f, "on the server:", w->advice->server);
    }
}

void report_text_why(FILE *f, const struct report *r) {
    struct why w;
    bool known = why_of(r, &w);
    if (known && r->stage != STAGE_SETUP) {
        /* Of flags the message has said what the table says. */
        if (w.finding != NULL || r->err.origin != ERR_VERIFY) {
            field_if(f, "why:", w.what);
        }
        who_and_when(f, r, &w);
    }
    if (known) {
        if (w.finding == NULL) {
            likely(f, w.advice->causes);
        }
        also(f, r, &w);
        offers_text(f, r);
        advice(f, r, &w);
        field_if(f, "code:", r->mbedtls);
    }
    if (r->micropython != NULL) {
        report_line(f, "micropython: %s", r->micropython);
    }
    if (known && w.more != NULL) {
        more(f, w.more);
    }
    if (r->can_ask) {
        report_line(f, "more: --why asks the server what it takes");
    }
}
