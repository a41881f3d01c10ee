#include <inttypes.h>

#include "report/json_write.h"
#include "report/report.h"

void report_text_worker(FILE *f, const struct report_worker *w) {
    char how[64], next[128] = "";
    if (w->signal != 0) {
        snprintf(how, sizeof how, "was killed by signal %d", w->signal);
    } else {
        snprintf(how, sizeof how, "ended with status %d", w->status);
    }
    if (w->next != 0) {
        snprintf(next, sizeof next, "; started anew as pid %" PRId64, w->next);
    } else if (w->delay_ms != 0) {
        snprintf(next, sizeof next, "; started anew in %" PRId64 " ms%s%s",
                 w->delay_ms, w->why != NULL ? ": " : "",
                 w->why != NULL ? w->why : "");
    }
    report_line(f, "worker %u (pid %" PRId64 ") %s%s", w->worker, w->pid, how,
                next);
}

void report_json_worker(FILE *f, const struct report_worker *w) {
    struct json j = { .f = f };
    json_open(&j, NULL, '{');
    json_int(&j, "v", 1);
    json_text(&j, "event", "worker");
    json_int(&j, "worker", w->worker);
    json_int(&j, "pid", w->pid);
    json_count_or_null(&j, "signal", (uint64_t)w->signal);
    if (w->status >= 0) {
        json_int(&j, "status", w->status);
    } else {
        json_null(&j, "status");
    }
    json_count_or_null(&j, "next", (uint64_t)w->next);
    json_count_or_null(&j, "delay_ms", (uint64_t)w->delay_ms);
    json_text(&j, "text", w->why);
    json_close(&j, '}');
    fputc('\n', f);
}
