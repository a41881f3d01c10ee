#include "report/report.h"

#include <stdarg.h>

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
    for (char *p = line; n >= 0 && *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
    fprintf(f, "mptls: %s\n", n >= 0 ? line : "");
}
