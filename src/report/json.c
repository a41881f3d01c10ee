#include <inttypes.h>
#include <string.h>

#include "report/report.h"

/* Bytes of the UTF-8 sequence at s, 0 if it is not one (RFC 3629 4). */
static size_t utf8_len(const unsigned char *s, size_t len) {
    static const struct {
        unsigned char lo, hi, second_lo, second_hi;
        size_t n;
    } rows[] = {
        { 0x00, 0x7F, 0, 0, 1 },       { 0xC2, 0xDF, 0x80, 0xBF, 2 },
        { 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
        { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
        { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (s[0] < rows[i].lo || s[0] > rows[i].hi) {
            continue;
        }
        if (rows[i].n > len || (rows[i].n > 1 && (s[1] < rows[i].second_lo ||
                                                  s[1] > rows[i].second_hi))) {
            return 0;
        }
        for (size_t k = 2; k < rows[i].n; k++) {
            if ((s[k] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return rows[i].n;
    }
    return 0;
}

void report_json_string(FILE *f, const char *s, size_t len) {
    if (s == NULL) {
        fputs("null", f);
        return;
    }
    const unsigned char *p = (const unsigned char *)s;
    fputc('"', f);
    while (len > 0) {
        size_t n = utf8_len(p, len);
        if (n == 0) {
            fputs("\\ufffd", f);
        } else if (*p == '"' || *p == '\\') {
            fprintf(f, "\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            fprintf(f, "\\u%04x", *p);
        } else {
            fwrite(p, 1, n, f);
        }
        n = n == 0 ? 1 : n;
        p += n;
        len -= n;
    }
    fputc('"', f);
}

static void string(FILE *f, const char *key, const char *s) {
    fprintf(f, "\"%s\":", key);
    report_json_string(f, s, s != NULL ? strlen(s) : 0);
}

static void boolean(FILE *f, const char *key, bool b) {
    fprintf(f, "\"%s\":%s", key, b ? "true" : "false");
}

static void number(FILE *f, const char *key, int64_t n) {
    fprintf(f, "\"%s\":%" PRId64, key, n);
}

/* Milliseconds with three digits, or null for what did not happen. */
static void times(FILE *f, const char *key, int64_t us) {
    if (us < 0) {
        fprintf(f, "\"%s\":null", key);
    } else {
        fprintf(f, "\"%s\":%" PRId64 ".%03" PRId64, key, us / 1000, us % 1000);
    }
}

static void flags(FILE *f, uint32_t bits) {
    const struct ssl_flag *flag;
    const char *comma = "";
    fputs("\"flags\":[", f);
    for (size_t i = 0; (flag = ssl_flag_at(i)) != NULL; i++) {
        if ((bits & flag->bit) != 0) {
            fprintf(f, "%s\"%s\"", comma, flag->name);
            comma = ",";
        }
    }
    fputc(']', f);
}

static void cert(FILE *f, const struct ssl_cert_info *c) {
    fputc('{', f);
    string(f, "subject", c->subject);
    fputc(',', f);
    string(f, "issuer", c->issuer);
    fputc(',', f);
    string(f, "names", c->names);
    fputc(',', f);
    string(f, "not_before", c->not_before);
    fputc(',', f);
    string(f, "not_after", c->not_after);
    fputc(',', f);
    string(f, "key", c->key);
    fputc(',', f);
    number(f, "der_bytes", (int64_t)c->der_len);
    fputs(",\"sha256\":\"", f);
    for (size_t i = 0; i < sizeof c->sha256; i++) {
        fprintf(f, "%02x", c->sha256[i]);
    }
    fputs("\",", f);
    flags(f, c->flags);
    fputc('}', f);
}

static void error(FILE *f, const struct report *r) {
    if (r->err.origin == ERR_NONE) {
        fputs("\"error\":null", f);
        return;
    }
    fputs("\"error\":{", f);
    string(f, "origin", err_origin_name(r->err.origin));
    fputc(',', f);
    number(f, "code", r->err.code);
    fputc(',', f);
    string(f, "text", r->err.msg);
    fputc(',', f);
    string(f, "micropython", r->micropython);
    fputc('}', f);
}

static void tls(FILE *f, const struct ssl_info *t) {
    fputs("\"tls\":{", f);
    string(f, "version", t->version);
    fputc(',', f);
    string(f, "cipher", t->cipher);
    fputc(',', f);
    boolean(f, "close_notify_sent", t->close_notify_sent);
    fputc(',', f);
    boolean(f, "close_notify_received", t->close_notify_received);
    fputs("},", f);
}

static void verify(FILE *f, const struct report *r) {
    static const char *const modes[] = { "none", "optional", "required" };
    const struct ssl_info *t = &r->tls;
    fputs("\"verify\":{", f);
    string(f, "mode", r->stage != STAGE_SETUP ? modes[t->verify_mode] : NULL);
    fputc(',', f);
    boolean(f, "verified", t->verified && t->verify_flags == 0);
    fputc(',', f);
    string(f, "name", t->name_checked ? t->server_hostname : NULL);
    fputc(',', f);
    string(f, "trust", r->trust);
    fputc(',', f);
    flags(f, t->verify_flags);
    fputs(",\"chain\":[", f);
    for (size_t i = 0; i < t->cert_count; i++) {
        if (i > 0) {
            fputc(',', f);
        }
        cert(f, &t->certs[i]);
    }
    fputs("]},", f);
}

void report_json(FILE *f, const struct report *r) {
    fputs("{\"v\":1,", f);
    string(f, "event", r->event != NULL ? r->event : "connection");
    fputc(',', f);
    string(f, "command", r->command);
    fputc(',', f);
    boolean(f, "ok", r->err.origin == ERR_NONE);
    fputc(',', f);
    number(f, "status", r->status);
    fputc(',', f);
    string(f, "class", r->status_name);
    fputc(',', f);
    string(f, "stage", report_stage_name(r->stage));
    fputc(',', f);
    error(f, r);
    fputc(',', f);
    string(f, "target", r->target);
    fputc(',', f);
    string(f, "peer", r->peer);
    fputc(',', f);
    string(f, "local", r->local);
    fputc(',', f);
    tls(f, &r->tls);
    verify(f, r);
    fprintf(f,
            "\"bytes\":{\"in\":%" PRIu64 ",\"out\":%" PRIu64
            ",\"wire_in\":%" PRIu64 ",\"wire_out\":%" PRIu64 ",",
            r->bytes_in, r->bytes_out, r->tls.wire_in, r->tls.wire_out);
    boolean(f, "stdin_ended", r->stdin_ended);
    fputs("},", f);
    fputs("\"times_ms\":{", f);
    times(f, "resolve", r->resolve_us);
    fputc(',', f);
    times(f, "connect", r->connect_us);
    fputc(',', f);
    times(f, "handshake", r->handshake_us);
    fputc(',', f);
    times(f, "total", r->total_us);
    fputs("}}\n", f);
}

void report_json_listening(FILE *f, const char *address) {
    fputs("{\"v\":1,\"event\":\"listening\",", f);
    string(f, "address", address);
    fputs("}\n", f);
}
