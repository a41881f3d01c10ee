#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "report/report.h"

enum { DAY = 24 * 60 * 60, LIST_MAX = 512, NAME_LEN = 13 };

/* "name:        value", and "             value" where the name is "". */
static void row(FILE *f, const char *name, const char *fmt, ...)
    ERR_PRINTF(3, 4);

static void row(FILE *f, const char *name, const char *fmt, ...) {
    va_list ap;
    fprintf(f, "%s%-*s", name, NAME_LEN - (int)strlen(name),
            name[0] != '\0' ? ":" : "");
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    fputc('\n', f);
}

/* One more item of a list. */
static void add(char *list, const char *fmt, ...) ERR_PRINTF(2, 3);

static void add(char *list, const char *fmt, ...) {
    size_t at = strlen(list);
    va_list ap;
    at += (size_t)snprintf(list + at, LIST_MAX - at, "%s", at ? ", " : "");
    va_start(ap, fmt);
    vsnprintf(list + at, LIST_MAX - at, fmt, ap);
    va_end(ap);
}

static void add_time(char *list, const char *what, int64_t us) {
    if (us >= 0) {
        add(list, "%s %" PRId64 ".%" PRId64 " ms", what, us / 1000,
            us % 1000 / 100);
    }
}

/* What a user gave may have anything in it. */
static const char *target(const struct report *r, char *buf, size_t size) {
    buf[0] = '\0';
    const char *t = r->target != NULL ? r->target : "?";
    text_append(buf, size, t, strlen(t));
    return buf;
}

static void ways(FILE *f, const struct report *r) {
    char name[LIST_MAX], times[LIST_MAX] = "";
    row(f, "target", "%s", target(r, name, sizeof name));
    for (size_t i = 0; i < r->address_count; i++) {
        const struct report_address *a = &r->addresses[i];
        char took[LIST_MAX] = "";
        add_time(took, a->error[0] != '\0' ? "failed in" : "connected in",
                 a->us);
        row(f, "address", "%s, %s%s%s", a->address,
            a->us >= 0 ? took : "given up", a->error[0] != '\0' ? ": " : "",
            a->error);
    }
    add_time(times, "resolve", r->resolve_us);
    add_time(times, "connect", r->connect_us);
    add_time(times, "handshake", r->handshake_us);
    add_time(times, "total", r->total_us);
    row(f, "times", "%s", times[0] != '\0' ? times : "none");
}

/* A number of TLS by its name; 0 is none. A handshake that failed may not have
 * got that far, which is no news. */
static void named(FILE *f, const struct report *r, const char *name,
                  enum ssl_kind kind, unsigned id) {
    char label[SSL_LABEL_MAX];
    if (id != 0) {
        row(f, name, "%s", ssl_name(kind, id, label));
    } else if (r->tls.handshake_done) {
        row(f, name, "none");
    }
}

static const char *answered(const struct ssl_info *t, uint16_t extension) {
    return ssl_ids_has(&t->extensions, extension) ? "yes" : "no";
}

static void add_bytes(char *list, const char *what, size_t bytes) {
    if (bytes != 0) {
        add(list, "%s %zu bytes", what, bytes);
    } else {
        add(list, "%s no", what);
    }
}

static void extensions(FILE *f, const struct ssl_info *t) {
    enum { ENCRYPT_THEN_MAC = 22, EXTENDED_MASTER_SECRET = 23 };
    char list[LIST_MAX] = "";
    add_bytes(list, "max_fragment_length", t->max_fragment_length);
    add_bytes(list, "record_size_limit", t->record_size_limit);
    row(f, "extensions", "%s", list);
    if (strcmp(t->version, "TLSv1.2") == 0) { /* 1.3 has no need of them */
        row(f, "", "extended_master_secret %s, encrypt_then_mac %s",
            answered(t, EXTENDED_MASTER_SECRET), answered(t, ENCRYPT_THEN_MAC));
    }
    row(f, "tickets", "%u", t->tickets);
}

static void traffic(FILE *f, const char *name, const struct ssl_traffic *w) {
    char message[SSL_LABEL_MAX];
    if (w->records == 0) {
        return;
    }
    row(f, name,
        "%" PRIu64 " bytes of handshake, largest record %zu, largest message "
        "%zu (%s)",
        w->handshake_bytes, w->largest_record, w->largest_message,
        w->largest_message != 0
            ? ssl_name(SSL_KIND_MESSAGE, w->largest_type, message)
            : "none");
}

static void handshake(FILE *f, const struct report *r) {
    char heap[160];
    const struct ssl_info *t = &r->tls;
    if (t->version != NULL && t->cipher != NULL) {
        row(f, "version", "%s", t->version);
        row(f, "cipher", "%s", t->cipher);
    }
    named(f, r, "group", SSL_KIND_GROUP, t->group);
    named(f, r, "signature", SSL_KIND_SIG_ALG, t->sig_alg);
    if (t->handshake_done) {
        row(f, "alpn", "%s", t->alpn[0] != '\0' ? t->alpn : "none");
        if (t->version != NULL) {
            extensions(f, t);
        }
        row(f, "round trips", "%u", t->round_trips);
    }
    traffic(f, "received", &t->in);
    traffic(f, "sent", &t->out);
    report_heap(&t->heap, heap, sizeof heap);
    if (heap[0] != '\0') {
        row(f, "heap", "%s", heap);
    }
}

static void hashes(FILE *f, const struct ssl_cert_info *c) {
    char pin[64], hash[2 * SSL_SHA256_LEN + 1];
    for (size_t i = 0; i < sizeof c->sha256; i++) {
        snprintf(hash + 2 * i, 3, "%02x", c->sha256[i]);
    }
    text_base64(c->spki_sha256, sizeof c->spki_sha256, pin);
    row(f, "", "SHA-256 %s", hash);
    row(f, "", "pin sha256/%s", pin);
}

static void cert(FILE *f, const struct ssl_cert_info *c, const char *name) {
    /* Rounded down: -1 for what ran out a minute ago. */
    int64_t days = c->seconds_left / DAY - (c->seconds_left % DAY < 0);
    row(f, name, "%s", c->subject);
    if (c->self_issued) {
        row(f, "", "its own issuer%s", c->ca ? ", a CA" : "");
    } else {
        row(f, "", "issuer %s%s", c->issuer, c->ca ? "; a CA" : "");
    }
    if (c->names[0] != '\0') {
        row(f, "", "names %s", c->names);
    }
    row(f, "", "%s, signed by %s, %zu bytes", c->key,
        c->signature[0] != '\0' ? c->signature : "unknown", c->der_len);
    row(f, "", "%.10s to %.10s, %" PRId64 " day%s left", c->not_before,
        c->not_after, days, days == 1 ? "" : "s");
    hashes(f, c);
}

/* The chain as it was sent, or, where that was not seen, as it was verified. */
static void chain(FILE *f, const struct report *r) {
    const struct ssl_info *t = &r->tls;
    bool seen = t->sent_count != 0;
    bool good = t->verified && t->verify_flags == 0;
    const struct ssl_cert_info *certs = seen ? t->sent : t->certs;
    size_t n = seen ? t->sent_count : t->cert_count, bytes = 0;
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "chain %zu", i);
        cert(f, &certs[i], name);
        bytes += certs[i].der_len;
        if (seen && good && !certs[i].needed) {
            row(f, "", "unnecessary: %zu bytes less without it",
                certs[i].der_len);
        }
    }
    if (n > 0) {
        row(f, "chain", "%zu certificate%s, %zu bytes", n, n == 1 ? "" : "s",
            bytes);
    }
    if (t->anchored && t->cert_count > 0) {
        const struct ssl_cert_info *a = &t->certs[t->cert_count - 1];
        row(f, "anchor", "%s (%s, until %.10s), from %s", a->subject, a->key,
            a->not_after, r->trust != NULL ? r->trust : "nowhere");
    }
}

static void verified(FILE *f, const struct ssl_info *t) {
    const struct ssl_flag *flag;
    char list[LIST_MAX] = "";
    if (!t->verified) {
        if (t->handshake_done) {
            row(f, "verified", "no: the peer could be anyone");
        }
        return;
    }
    for (size_t i = 0; (flag = ssl_flag_at(i)) != NULL; i++) {
        if ((t->verify_flags & flag->bit) != 0) {
            add(list, "%s", flag->name);
        }
    }
    if (list[0] != '\0') {
        row(f, "verified", "no: %s", list);
    } else {
        row(f, "verified", "yes%s%s", t->name_checked ? ", is " : "",
            t->name_checked ? t->server_hostname : "");
    }
}

static void notes(FILE *f, const struct ssl_info *t) {
    for (size_t i = 0; i < t->finding_count; i++) {
        const struct ssl_finding *n = &t->findings[i];
        row(f, "note", "%s", n->text);
        if (n->here[0] != '\0') {
            row(f, "", "here: %s", n->here);
        }
        if (n->there[0] != '\0') {
            row(f, "", "there: %s", n->there);
        }
    }
}

void report_text_check(FILE *f, const struct report *r) {
    ways(f, r);
    handshake(f, r);
    chain(f, r);
    verified(f, &r->tls);
    notes(f, &r->tls);
    if (r->err.origin == ERR_NONE) {
        row(f, "verdict", "ok");
    } else {
        row(f, "verdict", "%d %s: %s", r->status, r->status_name, r->err.msg);
    }
}

void report_text_check_line(FILE *f, const struct report *r) {
    char name[LIST_MAX];
    const struct ssl_info *t = &r->tls;
    fprintf(f, "%s: ", target(r, name, sizeof name));
    if (r->err.origin != ERR_NONE) {
        fprintf(f, "%d %s: %s\n", r->status, r->status_name, r->err.msg);
        return;
    }
    fprintf(f, "ok: %s, %s", t->version, t->cipher);
    if (t->cert_count > 0) {
        fprintf(f, ", until %.10s", t->certs[0].not_after);
    }
    fprintf(f, "%s\n",
            t->verified && t->verify_flags == 0 ? "" : ", not verified");
}
