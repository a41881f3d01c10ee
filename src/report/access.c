#include "report/access.h"

#include <inttypes.h>
#include <string.h>

#include "report/json_info.h"

enum { WHEN_MAX = 64 };

/* Days since 1970-01-01 as a date of the Gregorian calendar. */
static void date(int64_t days, int64_t *y, unsigned *m, unsigned *d) {
    int64_t shifted = days + 719468; /* from 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned of_era = (unsigned)(shifted - era * 146097);
    unsigned year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* 0: March */
    *d = of_year - (153 * month + 2) / 5 + 1;
    *m = month < 10 ? month + 3 : month - 9;
    *y = (int64_t)year + era * 400 + (*m <= 2 ? 1 : 0);
}

/* RFC 3339 5.6, in milliseconds. */
static const char *print_time(const struct timespec *t, char *buf) {
    int64_t y;
    unsigned m, d;
    int64_t seconds = (int64_t)t->tv_sec;
    int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
    unsigned rest = (unsigned)(seconds - days * 86400);
    date(days, &y, &m, &d);
    snprintf(buf, WHEN_MAX, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u.%03dZ", y,
             m, d, rest / 3600, rest / 60 % 60, rest % 60,
             (int)(t->tv_nsec / 1000000));
    return buf;
}

static bool plain(const char *s) {
    for (const char *p = s; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\' || *p == '=') {
            return false;
        }
    }
    return s[0] != '\0';
}

/* So that it is one field, whoever chose it. */
static void word(FILE *f, const char *value) {
    if (plain(value)) {
        fputs(value, f);
        return;
    }
    fputc('"', f);
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            fprintf(f, "\\%c", *p);
        } else if (*p < ' ' || *p > '~') {
            fprintf(f, "\\x%02X", (unsigned)(unsigned char)*p);
        } else {
            fputc(*p, f);
        }
    }
    fputc('"', f);
}

static void field(FILE *f, const char *name, const char *value) {
    if (value != NULL && value[0] != '\0') {
        fprintf(f, " %s=", name);
        word(f, value);
    }
}

static void field_ms(FILE *f, const char *name, int64_t us) {
    if (us >= 0) {
        fprintf(f, " %s=%" PRId64 ".%03" PRId64, name, us / 1000, us % 1000);
    }
}

static const char *subject(const struct report *r) {
    return r->tls.cert_count > 0 ? r->tls.certs[0].subject : NULL;
}

static const char *client(const struct report *r) {
    return r->client != NULL ? r->client : r->peer;
}

void report_access_text(FILE *f, const struct timespec *when,
                        const struct report *r) {
    char at[WHEN_MAX];
    fprintf(f, "%s ", print_time(when, at));
    word(f, client(r) != NULL ? client(r) : "-");
    fprintf(f, " %s", r->exit_name);
    field(f, "version", r->tls.version);
    field(f, "cipher", r->tls.cipher);
    field(f, "sni", r->tls.theirs.server_name);
    field(f, "alpn", r->tls.alpn);
    field(f, "subject", subject(r));
    fprintf(f, " in=%" PRIu64 " out=%" PRIu64, r->bytes_in, r->bytes_out);
    field_ms(f, "handshake_ms", r->handshake_us);
    field_ms(f, "total_ms", r->total_us);
    if (r->exec.known && r->exec.signal != 0) {
        fprintf(f, " exec_signal=%d", r->exec.signal);
    } else if (r->exec.known) {
        fprintf(f, " exec_status=%d", r->exec.status);
    }
    if (r->err.origin != ERR_NONE) {
        field(f, "message", r->err.msg);
    }
    fputc('\n', f);
}

void report_access_json(FILE *f, const struct timespec *when,
                        const struct report *r) {
    char at[WHEN_MAX];
    struct json j = { .f = f };
    json_open(&j, NULL, '{');
    json_int(&j, "v", 1);
    json_text(&j, "event", "access");
    json_text(&j, "time", print_time(when, at));
    json_text(&j, "peer", client(r));
    json_bool(&j, "ok", r->exit == 0);
    json_int(&j, "status", r->exit);
    json_text(&j, "class", r->exit_name);
    json_text(&j, "text", r->err.origin != ERR_NONE ? r->err.msg : NULL);
    json_text(&j, "version", r->tls.version);
    json_text(&j, "cipher", r->tls.cipher);
    json_text_or_null(&j, "alpn", r->tls.alpn);
    json_text_or_null(&j, "server_name", r->tls.theirs.server_name);
    json_text(&j, "subject", subject(r));
    json_exec(&j, &r->exec);
    json_counts(&j, r);
    json_close(&j, '}');
    fputc('\n', f);
}
