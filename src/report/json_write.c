#include "report/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/report.h"

static void begin(struct json *j, const char *key) {
    if (j->comma) {
        fputc(',', j->f);
    }
    j->comma = true;
    if (key != NULL) {
        fprintf(j->f, "\"%s\":", key);
    }
}

void json_open(struct json *j, const char *key, char bracket) {
    begin(j, key);
    fputc(bracket, j->f);
    j->comma = false;
}

void json_close(struct json *j, char bracket) {
    fputc(bracket, j->f);
    j->comma = true;
}

void json_text(struct json *j, const char *key, const char *s) {
    json_text_n(j, key, s, s != NULL ? strlen(s) : 0);
}

void json_text_or_null(struct json *j, const char *key, const char *s) {
    json_text(j, key, s != NULL && s[0] != '\0' ? s : NULL);
}

void json_text_n(struct json *j, const char *key, const char *s, size_t len) {
    begin(j, key);
    report_json_string(j->f, s, len);
}

void json_hex(struct json *j, const char *key, const unsigned char *p,
              size_t len) {
    if (p == NULL) {
        json_null(j, key);
        return;
    }
    begin(j, key);
    fputc('"', j->f);
    for (size_t i = 0; i < len; i++) {
        fprintf(j->f, "%02x", p[i]);
    }
    fputc('"', j->f);
}

void json_null(struct json *j, const char *key) {
    json_text(j, key, NULL);
}

void json_bool(struct json *j, const char *key, bool b) {
    begin(j, key);
    fputs(b ? "true" : "false", j->f);
}

void json_int(struct json *j, const char *key, int64_t n) {
    begin(j, key);
    fprintf(j->f, "%" PRId64, n);
}

void json_count(struct json *j, const char *key, uint64_t n) {
    begin(j, key);
    fprintf(j->f, "%" PRIu64, n);
}

void json_count_or_null(struct json *j, const char *key, uint64_t n) {
    if (n == 0) {
        json_null(j, key);
    } else {
        json_count(j, key, n);
    }
}

void json_ms(struct json *j, const char *key, int64_t us) {
    if (us < 0) {
        json_null(j, key);
    } else {
        begin(j, key);
        fprintf(j->f, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
    }
}

void report_json_string(FILE *f, const char *s, size_t len) {
    if (s == NULL) {
        fputs("null", f);
        return;
    }
    const unsigned char *p = (const unsigned char *)s;
    fputc('"', f);
    while (len > 0) {
        size_t n = text_utf8_len(p, len);
        if (n == 0) {
            fputs("\\ufffd", f);
        } else if (text_is_control(p, n)) {
            fprintf(f, "\\u%04x", n == 1 ? p[0] : p[1]); /* of C1 */
        } else if (*p == '"' || *p == '\\') {
            fprintf(f, "\\%c", *p);
        } else {
            fwrite(p, 1, n, f);
        }
        n = n == 0 ? 1 : n;
        p += n;
        len -= n;
    }
    fputc('"', f);
}
