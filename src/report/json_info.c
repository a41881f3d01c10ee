#include "report/json_info.h"

#include <string.h>

#include "base/text.h"

void json_flags(struct json *j, uint32_t bits) {
    const struct ssl_flag *flag;
    json_open(j, "flags", '[');
    for (size_t i = 0; (flag = ssl_flag_at(i)) != NULL; i++) {
        if ((bits & flag->bit) != 0) {
            json_text(j, NULL, flag->name);
        }
    }
    json_close(j, ']');
}

/* As --pin takes it. */
static void pin(struct json *j, const char *key, const unsigned char *hash) {
    char text[64] = "sha256/";
    text_base64(hash, SSL_SHA256_LEN, text + strlen(text));
    json_text(j, key, text);
}

void json_cert(struct json *j, const char *key, const struct ssl_cert_info *c) {
    enum { DAY = 24 * 60 * 60 };
    int64_t left = c->seconds_left;
    json_open(j, key, '{');
    json_text(j, "subject", c->subject);
    json_text(j, "issuer", c->issuer);
    json_text(j, "names", c->names);
    json_text(j, "not_before", c->not_before);
    json_text(j, "not_after", c->not_after);
    /* Rounded down: -1 for what ran out a minute ago. */
    json_int(j, "days_left", left / DAY - (left % DAY < 0));
    json_text(j, "key", c->key);
    json_text(j, "signature", c->signature);
    json_bool(j, "ca", c->ca);
    json_bool(j, "self_issued", c->self_issued);
    json_bool(j, "needed", c->needed);
    json_text_or_null(j, "ca_url", c->ca_url);
    json_int(j, "der_bytes", (int64_t)c->der_len);
    json_hex(j, "sha256", c->sha256, sizeof c->sha256);
    pin(j, "spki_sha256", c->spki_sha256);
    json_flags(j, c->flags);
    json_close(j, '}');
}

void json_certs(struct json *j, const char *key, const struct ssl_cert_info *c,
                size_t n) {
    json_open(j, key, '[');
    for (size_t i = 0; i < n; i++) {
        json_cert(j, NULL, &c[i]);
    }
    json_close(j, ']');
}

static void name(struct json *j, const char *key, enum ssl_kind kind,
                 unsigned id, bool known) {
    char label[SSL_LABEL_MAX];
    json_text(j, key, known ? ssl_name(kind, id, label) : NULL);
}

void json_ids(struct json *j, const char *key, enum ssl_kind kind,
              const struct ssl_ids *ids) {
    json_open(j, key, '[');
    for (size_t i = 0; i < ids->n; i++) {
        name(j, NULL, kind, ids->id[i], true);
    }
    json_close(j, ']');
}

/* TLS 1.3 has in itself what these two extensions add to TLS 1.2. */
static void added(struct json *j, const char *key, const struct ssl_info *t,
                  uint16_t extension) {
    if (t->version == NULL || strcmp(t->version, "TLSv1.2") != 0) {
        json_null(j, key);
        return;
    }
    json_bool(j, key, ssl_ids_has(&t->extensions, extension));
}

static const char *ktls(const struct ssl_info *t) {
    return !t->ktls_wanted ? NULL
           : t->ktls_out   ? "both"
           : t->ktls_in    ? "receive"
                           : "none";
}

void json_tls(struct json *j, const struct ssl_info *t) {
    enum { ENCRYPT_THEN_MAC = 22, EXTENDED_MASTER_SECRET = 23 };
    json_open(j, "tls", '{');
    json_text(j, "version", t->version);
    json_text(j, "cipher", t->cipher);
    json_text(j, "encrypted_by", t->encrypted_by);
    json_text(j, "ktls", ktls(t));
    json_text_or_null(j, "ktls_lack", t->ktls_lack);
    name(j, "group", SSL_KIND_GROUP, t->group, t->group != 0);
    name(j, "sig_alg", SSL_KIND_SIG_ALG, t->sig_alg, t->sig_alg != 0);
    if (t->own_sent) {
        json_cert(j, "certificate", &t->own);
    } else {
        json_null(j, "certificate");
    }
    json_text_or_null(j, "alpn", t->alpn);
    json_ids(j, "extensions", SSL_KIND_EXTENSION, &t->extensions);
    json_count_or_null(j, "max_fragment_length", t->max_fragment_length);
    json_count_or_null(j, "record_size_limit", t->record_size_limit);
    added(j, "ems", t, EXTENDED_MASTER_SECRET);
    added(j, "etm", t, ENCRYPT_THEN_MAC);
    json_bool(j, "resumed", t->resumed);
    json_count(j, "tickets", t->tickets);
    json_count(j, "round_trips", t->round_trips);
    json_bool(j, "close_notify_sent", t->close_notify_sent);
    json_bool(j, "close_notify_received", t->close_notify_received);
    json_close(j, '}');
}

static void count_unless(struct json *j, const char *key, bool unseen,
                         uint64_t n) {
    if (unseen) {
        json_null(j, key);
    } else {
        json_count(j, key, n);
    }
}

static void traffic(struct json *j, const char *key,
                    const struct ssl_traffic *t, bool unseen) {
    json_open(j, key, '{');
    json_count(j, "bytes", t->handshake_bytes);
    count_unless(j, "records", unseen, t->records);
    count_unless(j, "largest_record", unseen, t->largest_record);
    json_count(j, "largest_message", t->largest_message);
    name(j, "largest_message_type", SSL_KIND_MESSAGE, t->largest_type,
         t->largest_message != 0);
    json_close(j, '}');
}

void json_handshake(struct json *j, const struct ssl_info *t) {
    json_open(j, "handshake", '{');
    traffic(j, "in", &t->in, t->ktls_in);
    traffic(j, "out", &t->out, t->ktls_out);
    json_close(j, '}');
}

const char *json_verify_mode(enum ssl_verify_mode mode) {
    static const char *const modes[] = { "none", "optional", "required" };
    return modes[mode];
}

void json_heap(struct json *j, const struct ssl_heap_info *h) {
    if (!h->known) {
        json_null(j, "heap");
        return;
    }
    json_open(j, "heap", '{');
    json_count(j, "now", h->now);
    json_count(j, "peak", h->peak);
    json_count(j, "context", h->context);
    json_count_or_null(j, "limit", h->limit);
    json_count(j, "allocations", h->count);
    json_open(j, "steps", '[');
    for (unsigned i = 0; i < h->step_count; i++) {
        const struct ssl_heap_step *s = &h->steps[i];
        json_open(j, NULL, '{');
        name(j, "message", SSL_KIND_MESSAGE, s->type, s->type != 0);
        json_text(j, "direction", s->type == 0 ? NULL : s->out ? "out" : "in");
        json_count(j, "now", s->now);
        json_count(j, "peak", s->peak);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

const char *json_offer_key(enum ssl_kind kind) {
    static const char *const keys[SSL_OFFER_KINDS] = {
        [SSL_KIND_VERSION] = "versions",     [SSL_KIND_CIPHER] = "ciphers",
        [SSL_KIND_GROUP] = "groups",         [SSL_KIND_SIG_ALG] = "sig_algs",
        [SSL_KIND_EXTENSION] = "extensions",
    };
    return keys[kind];
}

void json_offer_lists(struct json *j, const struct ssl_offer *o) {
    for (int k = 0; k < SSL_OFFER_KINDS; k++) {
        enum ssl_kind kind = (enum ssl_kind)k;
        json_ids(j, json_offer_key(kind), kind, &o->of[k]);
    }
}

void json_offer(struct json *j, const char *key, const struct ssl_offer *o) {
    if (!o->known) {
        json_null(j, key);
        return;
    }
    json_open(j, key, '{');
    json_offer_lists(j, o);
    json_text_or_null(j, "alpn", o->alpn);
    json_text_or_null(j, "server_name", o->server_name);
    json_close(j, '}');
}

void json_findings(struct json *j, const struct ssl_info *t) {
    json_open(j, "findings", '[');
    for (size_t i = 0; i < t->finding_count; i++) {
        const struct ssl_finding *f = &t->findings[i];
        json_open(j, NULL, '{');
        json_text(j, "name", f->name);
        json_text(j, "text", f->text);
        json_text_or_null(j, "here", f->here);
        json_text_or_null(j, "there", f->there);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void json_exec(struct json *j, const struct report_exec *e) {
    if (!e->known) {
        json_null(j, "exec");
        return;
    }
    json_open(j, "exec", '{');
    if (e->signal != 0) {
        json_null(j, "status");
    } else {
        json_int(j, "status", e->status);
    }
    json_count_or_null(j, "signal", (uint64_t)e->signal);
    json_close(j, '}');
}

void json_counts(struct json *j, const struct report *r) {
    json_open(j, "bytes", '{');
    json_count(j, "in", r->bytes_in);
    json_count(j, "out", r->bytes_out);
    count_unless(j, "wire_in", r->tls.ktls_in, r->tls.wire_in);
    count_unless(j, "wire_out", r->tls.ktls_out, r->tls.wire_out);
    json_bool(j, "stdin_ended", r->stdin_ended);
    json_close(j, '}');
    json_open(j, "times_ms", '{');
    json_ms(j, "resolve", r->resolve_us);
    json_ms(j, "connect", r->connect_us);
    json_ms(j, "handshake", r->handshake_us);
    json_ms(j, "total", r->total_us);
    json_close(j, '}');
}
