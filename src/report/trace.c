#include <inttypes.h>

#include "report/json_write.h"
#include "report/report.h"

static void text_hex(FILE *f, const char *whose, const unsigned char *p,
                     size_t len) {
    enum { ROW = 16 };
    for (size_t at = 0; at < len; at += ROW) {
        char line[3 * ROW + 1] = "";
        for (size_t i = 0; i < ROW && at + i < len; i++) {
            snprintf(line + 3 * i, sizeof line - 3 * i, " %02x", p[at + i]);
        }
        report_line(f, "trace: %s  %04zx %s", whose, at, line);
    }
}

void report_text_message(FILE *f, const struct report_message *m) {
    char spread[32] = "", whose[96] = "";
    if (m->many) {
        snprintf(whose, sizeof whose, "%s ", m->peer);
    }
    if (m->records > 1) {
        snprintf(spread, sizeof spread, " in %u records", m->records);
    }
    report_line(
        f, "trace: %s%4" PRId64 ".%03" PRId64 " ms %s %s%s, %zu byte%s%s%s%s",
        whose, m->us / 1000, m->us % 1000, m->out ? "->" : "<-", m->name,
        m->encrypted ? "*" : "", m->bytes, m->bytes == 1 ? "" : "s", spread,
        m->text[0] != '\0' ? ": " : "", m->text);
    if (m->hex != NULL) {
        text_hex(f, whose, m->hex, m->bytes);
    }
}

static void json_heap_of(struct json *j, const struct waterfall_cost *c) {
    if (c->heap_peak == 0) {
        json_null(j, "heap");
        json_null(j, "heap_peak");
    } else {
        json_count(j, "heap", c->heap);
        json_count(j, "heap_peak", c->heap_peak);
    }
}

void report_json_message(FILE *f, const struct report_message *m) {
    struct json j = { .f = f };
    json_open(&j, NULL, '{');
    json_int(&j, "v", 1);
    json_text(&j, "event", "message");
    json_text(&j, "peer", m->peer);
    json_text(&j, "direction", m->out ? "out" : "in");
    json_ms(&j, "time_ms", m->us);
    json_ms(&j, "waited_ms", m->cost.waited_us);
    json_ms(&j, "computed_ms", m->cost.computed_us);
    json_heap_of(&j, &m->cost);
    json_text(&j, "message", m->name);
    json_count(&j, "bytes", m->bytes);
    json_count(&j, "records", m->records);
    json_bool(&j, "encrypted", m->encrypted);
    json_text(&j, "text", m->text);
    json_hex(&j, "hex", m->hex, m->bytes);
    json_close(&j, '}');
    fputc('\n', f);
}
