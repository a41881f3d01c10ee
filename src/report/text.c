#include "report/report.h"

#include <inttypes.h>
#include <string.h>

static void add_time(char *buf, size_t len, const char *what, int64_t us) {
    if (us < 0) {
        return;
    }
    size_t at = strlen(buf);
    snprintf(buf + at, len - at, "%s%s %" PRId64 ".%" PRId64 " ms",
             at != 0 ? ", " : "", what, us / 1000, us % 1000 / 100);
}

static void text_trust(FILE *f, const struct report *r) {
    const struct ssl_info *t = &r->tls;
    if (t->cert_count == 0) {
        if (!t->server_side || t->verify_mode != SSL_CERT_NONE) {
            report_line(f, "the peer sent no certificate");
        }
        return;
    }
    if (!t->verified) {
        report_line(f, t->pinned ? "not verified, but its key is pinned"
                                 : "not verified: the peer could be anyone");
    } else if (t->verify_flags != 0) {
        report_line(f, "verification failed, and was optional");
    } else {
        report_line(f, "verified%s%s%s%s", t->name_checked ? ": is " : "",
                    t->name_checked ? t->server_hostname : "",
                    r->trust != NULL ? ", trusted by " : "",
                    r->trust != NULL ? r->trust : "");
    }
    for (size_t i = 0; i < t->cert_count; i++) {
        const struct ssl_cert_info *c = &t->certs[i];
        report_line(f, "certificate %zu: %s (%s, %.10s to %.10s)%s%s", i,
                    c->subject, c->key, c->not_before, c->not_after,
                    c->names[0] != '\0' ? ", names " : "", c->names);
    }
}

/* What was found, and did not keep the handshake from succeeding. */
static void text_notes(FILE *f, const struct ssl_info *t) {
    for (size_t i = 0; i < t->finding_count; i++) {
        report_field(f, "note:", t->findings[i].text);
    }
}

void report_heap(const struct ssl_heap_info *h, char *buf, size_t len) {
    const struct ssl_heap_step *top = &h->steps[0];
    char name[SSL_LABEL_MAX];
    buf[0] = '\0';
    if (!h->known) {
        return;
    }
    for (unsigned i = 1; i < h->step_count; i++) {
        if (h->steps[i].peak > top->peak) {
            top = &h->steps[i];
        }
    }
    snprintf(buf, len,
             "peak %zu bytes, %s%s%s; now %zu, and %zu for the context",
             h->peak, top->type == 0 ? "before the first message" : "after ",
             top->type == 0 ? ""
             : top->out     ? "our "
                            : "the peer's ",
             top->type == 0 ? "" : ssl_name(SSL_KIND_MESSAGE, top->type, name),
             h->now, h->context);
}

/* What a peer's buffer must hold. */
static void text_largest(FILE *f, const char *way,
                         const struct ssl_traffic *t) {
    char name[SSL_LABEL_MAX];
    if (t->largest_message != 0) {
        report_line(f, "largest record %s: %zu bytes; message: %zu, %s", way,
                    t->largest_record, t->largest_message,
                    ssl_name(SSL_KIND_MESSAGE, t->largest_type, name));
    }
}

static void text_ktls(FILE *f, const struct ssl_info *t) {
    if (!t->ktls_wanted) {
        return;
    }
    report_line(f, "kernel TLS: %s%s%s",
                t->ktls_out            ? "in use"
                : t->ktls_in           ? "receives only"
                : t->ktls_lack[0] != 0 ? "not in use"
                                       : "from the peer's first record on",
                t->ktls_lack[0] != '\0' ? ": " : "", t->ktls_lack);
}

void report_text_handshake(FILE *f, const struct report *r) {
    char times[96] = "", heap[160];
    add_time(times, sizeof times, "resolve", r->resolve_us);
    add_time(times, sizeof times, "connect", r->connect_us);
    add_time(times, sizeof times, "handshake", r->handshake_us);
    report_line(f, "%s %s%s%s%s",
                r->tls.server_side ? "client" : "connected to",
                r->peer != NULL ? r->peer : "?", times[0] != '\0' ? " (" : "",
                times, times[0] != '\0' ? ")" : "");
    report_line(f, "%s, %s%s",
                r->tls.version != NULL ? r->tls.version : "no version",
                r->tls.cipher != NULL ? r->tls.cipher : "no cipher suite",
                r->tls.resumed ? ", resumed" : "");
    if (r->tls.own_count > 1 && r->tls.own_sent) {
        report_line(f, "our certificate: %s (%s)%s%s", r->tls.own.subject,
                    r->tls.own.key,
                    r->tls.own.names[0] != '\0' ? ", names " : "",
                    r->tls.own.names);
    }
    text_largest(f, "received", &r->tls.in);
    text_largest(f, "sent", &r->tls.out);
    report_heap(&r->tls.heap, heap, sizeof heap);
    if (heap[0] != '\0') {
        report_line(f, "heap: %s", heap);
    }
    text_ktls(f, &r->tls);
    text_trust(f, r);
    text_notes(f, &r->tls);
}

static void text_success(FILE *f, const struct report *r) {
    const struct ssl_info *t = &r->tls;
    const char *notify =
        t->close_notify_sent
            ? t->close_notify_received ? "sent and received" : "sent only"
        : t->close_notify_received ? "received only"
                                   : "neither sent nor received";
    report_line(f,
                "%" PRIu64 " bytes sent, %" PRIu64 " received; close_notify %s",
                r->bytes_out, r->bytes_in, notify);
    if (t->encrypted_by != NULL) {
        report_line(f, "encrypted by %s", t->encrypted_by);
    }
    if (!r->stdin_ended) {
        report_line(f, "stdin was not read to its end");
    }
}

/* @param who  before each line, "" or "ADDRESS: " */
static void text_exec(FILE *f, const char *who, const struct report_exec *e,
                      bool verbose) {
    if (!e->known || (e->status == 0 && !verbose)) {
        return;
    }
    if (e->signal != 0) {
        report_line(f, "%sthe command was ended by signal %d", who, e->signal);
    } else {
        report_line(f, "%sthe command ended with exit status %d", who,
                    e->status);
    }
}

void report_text_end(FILE *f, const struct report *r, bool verbose) {
    bool failed = r->err.origin != ERR_NONE;
    if (failed) {
        report_line(f, "%s", r->err.msg);
        report_text_why(f, r);
    }
    if (verbose && (!failed || r->stage == STAGE_STREAM)) {
        text_success(f, r);
    }
    text_exec(f, "", &r->exec, verbose);
}

void report_text_client(FILE *f, const struct report *r, bool verbose) {
    bool failed = r->err.origin != ERR_NONE;
    char who[96];
    snprintf(who, sizeof who, "%s: ",
             r->client != NULL ? r->client
             : r->peer != NULL ? r->peer
                               : "?");
    if (failed && (verbose || r->err.origin != ERR_SIGNAL)) {
        report_line(f, "%s%s (%s, %d)", who, r->err.msg, r->status_name,
                    r->status);
    } else if (verbose) {
        report_line(f, "%s%" PRIu64 " bytes sent, %" PRIu64 " received", who,
                    r->bytes_out, r->bytes_in);
    }
    if (failed && verbose) {
        report_text_why(f, r);
    }
    text_exec(f, who, &r->exec, verbose);
}
