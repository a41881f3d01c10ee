#include <inttypes.h>
#include <string.h>

#include "report/report.h"

static void text_hex(FILE *f, const unsigned char *p, size_t len) {
    enum { ROW = 16 };
    for (size_t at = 0; at < len; at += ROW) {
        char line[3 * ROW + 1] = "";
        for (size_t i = 0; i < ROW && at + i < len; i++) {
            snprintf(line + 3 * i, sizeof line - 3 * i, " %02x", p[at + i]);
        }
        report_line(f, "trace:   %04zx %s", at, line);
    }
}

void report_text_message(FILE *f, const struct report_message *m) {
    char spread[32] = "";
    if (m->records > 1) {
        snprintf(spread, sizeof spread, " in %u records", m->records);
    }
    report_line(f,
                "trace: %4" PRId64 ".%03" PRId64 " ms %s %s%s, %zu bytes%s%s%s",
                m->us / 1000, m->us % 1000, m->out ? "->" : "<-", m->name,
                m->encrypted ? "*" : "", m->bytes, spread,
                m->text[0] != '\0' ? ": " : "", m->text);
    if (m->hex != NULL) {
        text_hex(f, m->hex, m->bytes);
    }
}

void report_json_message(FILE *f, const struct report_message *m) {
    fprintf(f, "{\"v\":1,\"event\":\"message\",\"direction\":\"%s\",",
            m->out ? "out" : "in");
    fprintf(f,
            "\"time_ms\":%" PRId64 ".%03" PRId64 ",\"message\":", m->us / 1000,
            m->us % 1000);
    report_json_string(f, m->name, strlen(m->name));
    fprintf(f, ",\"bytes\":%zu,\"records\":%u,\"encrypted\":%s,\"text\":",
            m->bytes, m->records, m->encrypted ? "true" : "false");
    report_json_string(f, m->text, strlen(m->text));
    fputs(",\"hex\":", f);
    if (m->hex == NULL) {
        fputs("null", f);
    }
    for (size_t i = 0; m->hex != NULL && i < m->bytes; i++) {
        fprintf(f, "%s%02x", i == 0 ? "\"" : "", m->hex[i]);
    }
    fputs(m->hex != NULL && m->bytes > 0 ? "\"}\n" : "}\n", f);
}
