#include <string.h>

#include "report/json_info.h"
#include "report/probe.h"
#include "report/report.h"
#include "report/why.h"

/* Why it failed, as the text says it. */
static void cause(struct json *j, const struct report *r) {
    struct why w;
    if (!why_of(r, &w)) {
        json_null(j, "cause");
        return;
    }
    json_open(j, "cause", '{');
    json_text_or_null(j, "name", w.name);
    json_text(j, "what", w.what);
    json_text(j, "step", w.step);
    json_text(j, "who", w.who);
    json_open(j, "causes", '[');
    for (const char *at = w.advice->causes; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        json_text_n(j, NULL, at, len);
        at += len + (at[len] != '\0' ? 1 : 0);
    }
    json_close(j, ']');
    json_text(j, "board", w.advice->board);
    json_text(j, "server", w.advice->server);
    json_text(j, "mbedtls", r->mbedtls);
    json_text(j, "more", w.more);
    json_close(j, '}');
}

static void error(struct json *j, const struct report *r) {
    if (r->err.origin == ERR_NONE) {
        json_null(j, "error");
        return;
    }
    json_open(j, "error", '{');
    json_text(j, "origin", err_origin_name(r->err.origin));
    json_int(j, "code", r->err.code);
    json_text(j, "text", r->err.msg);
    json_text(j, "micropython", r->micropython);
    cause(j, r);
    json_close(j, '}');
}

static void addresses(struct json *j, const struct report *r) {
    json_open(j, "addresses", '[');
    for (size_t i = 0; i < r->address_count; i++) {
        const struct report_address *a = &r->addresses[i];
        json_open(j, NULL, '{');
        json_text(j, "address", a->address);
        json_ms(j, "ms", a->us);
        json_text_or_null(j, "error", a->error);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void verify(struct json *j, const struct report *r) {
    const struct ssl_info *t = &r->tls;
    json_open(j, "verify", '{');
    json_text(j, "mode",
              r->stage != STAGE_SETUP ? json_verify_mode(t->verify_mode)
                                      : NULL);
    json_bool(j, "verified", t->verified && t->verify_flags == 0);
    json_text(j, "name", t->name_checked ? t->server_hostname : NULL);
    json_text(j, "trust", r->trust);
    json_bool(j, "anchored", t->anchored);
    json_flags(j, t->verify_flags);
    json_certs(j, "chain", t->certs, t->cert_count);
    json_certs(j, "sent", t->sent, t->sent_count);
    json_close(j, '}');
}

static void expect(struct json *j, const struct report *r) {
    json_open(j, "expect", '[');
    for (size_t i = 0; i < r->expect_count; i++) {
        const struct report_expect *e = &r->expects[i];
        json_open(j, NULL, '{');
        json_text(j, "key", e->key);
        json_text(j, "wanted", e->wanted);
        json_text(j, "actual", e->actual);
        json_bool(j, "met", e->met);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void report_json(FILE *f, const struct report *r) {
    struct json j = { .f = f };
    json_open(&j, NULL, '{');
    json_int(&j, "v", 1);
    json_text(&j, "event", r->event != NULL ? r->event : "connection");
    json_text(&j, "command", r->command);
    json_bool(&j, "ok", r->exit == 0);
    json_int(&j, "status", r->exit);
    json_text(&j, "class", r->exit_name);
    json_text(&j, "stage", report_stage_name(r->stage));
    error(&j, r);
    json_findings(&j, &r->tls);
    json_text(&j, "target", r->target);
    json_text(&j, "peer", r->peer);
    json_text(&j, "local", r->local);
    json_text(&j, "client", r->client);
    addresses(&j, r);
    json_tls(&j, &r->tls);
    json_handshake(&j, &r->tls);
    json_heap(&j, &r->tls.heap);
    verify(&j, r);
    json_open(&j, "offers", '{');
    json_offer(&j, "ours", &r->tls.ours);
    json_offer(&j, "theirs", &r->tls.theirs);
    json_close(&j, '}');
    report_json_probe(&j, r->probe);
    expect(&j, r);
    json_exec(&j, &r->exec);
    json_counts(&j, r);
    json_close(&j, '}');
    fputc('\n', f);
}

void report_json_listening(FILE *f, const char *address) {
    struct json j = { .f = f };
    json_open(&j, NULL, '{');
    json_int(&j, "v", 1);
    json_text(&j, "event", "listening");
    json_text(&j, "address", address);
    json_close(&j, '}');
    fputc('\n', f);
}

void report_json_reload(FILE *f, const struct err *err) {
    struct json j = { .f = f };
    bool ok = err->origin == ERR_NONE;
    json_open(&j, NULL, '{');
    json_int(&j, "v", 1);
    json_text(&j, "event", "reload");
    json_bool(&j, "ok", ok);
    json_text(&j, "text", ok ? NULL : err->msg);
    json_close(&j, '}');
    fputc('\n', f);
}
