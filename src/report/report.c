#include "report/report.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

const char *report_stage_name(enum report_stage stage) {
    static const char *const names[STAGES] = {
        [STAGE_SETUP] = "setup",     [STAGE_LISTEN] = "listen",
        [STAGE_CONNECT] = "connect", [STAGE_HANDSHAKE] = "handshake",
        [STAGE_STREAM] = "stream",
    };
    return (unsigned)stage < STAGES ? names[stage] : "unknown";
}

void report_line(FILE *f, const char *fmt, ...) {
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n >= 0) {
        text_clean(line);
    }
    fprintf(f, "mptls: %s\n", n >= 0 ? line : "");
}

void report_field(FILE *f, const char *label, const char *text) {
    enum { WIDTH = 79 - 7 }; /* without the prefix */
    char line[1024];
    const size_t indent = strlen(label) + 1;
    size_t at = (size_t)snprintf(line, sizeof line, "%s ", label);
    bool fresh = true;
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        if (!fresh && at + 1 + len > WIDTH) {
            report_line(f, "%s", line);
            at = (size_t)snprintf(line, sizeof line, "%*s", (int)indent, "");
            fresh = true;
        }
        at += (size_t)snprintf(line + at, sizeof line - at, "%s%.*s",
                               fresh ? "" : " ", (int)len, text);
        at = at < sizeof line ? at : sizeof line - 1;
        text += len;
        fresh = false;
    }
    report_line(f, "%s", line);
}
