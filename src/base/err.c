#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

int err_set(struct err *e, enum err_origin origin, int64_t code,
            const char *fmt, ...) {
    if (e->origin != ERR_NONE) {
        return -1;
    }
    e->origin = origin;
    e->code = code;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    if (n < 0) {
        e->msg[0] = '\0';
    }
    text_clean(e->msg);
    return -1;
}

const char *err_origin_name(enum err_origin origin) {
    static const char *const names[ERR_ORIGINS] = {
        [ERR_NONE] = "none",
        [ERR_USAGE] = "usage",
        [ERR_FILE] = "file",
        [ERR_OS] = "os",
        [ERR_NET] = "net",
        [ERR_DNS] = "dns",
        [ERR_TLS] = "tls",
        [ERR_VERIFY] = "verify",
        [ERR_ALERT] = "alert",
        [ERR_DEVICE] = "device",
        [ERR_TRUNCATED] = "truncated",
        [ERR_TIMEOUT] = "timeout",
        [ERR_MAX_TIME] = "max-time",
        [ERR_SIGNAL] = "signal",
    };
    return (unsigned)origin < ERR_ORIGINS ? names[origin] : "unknown";
}
