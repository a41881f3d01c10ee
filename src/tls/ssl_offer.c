#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tls/ssl_diagnose.h"

static void copy(char *buf, size_t size, const char *text) {
    if (text != NULL) {
        text_append(buf, size, text, strlen(text));
    }
}

struct ssl_finding *ssl_diagnose_add(struct ssl_info *info, const char *name,
                                     const char *here, const char *there,
                                     const char *fmt, ...) {
    for (size_t i = 0; i < info->finding_count; i++) {
        if (strcmp(info->findings[i].name, name) == 0) {
            return NULL;
        }
    }
    if (info->finding_count >= SSL_FINDINGS_MAX) {
        return NULL;
    }
    struct ssl_finding *f = &info->findings[info->finding_count++];
    char text[SSL_TEXT_MAX] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memset(f, 0, sizeof *f);
    f->name = name;
    copy(f->text, sizeof f->text, text);
    copy(f->here, sizeof f->here, here);
    copy(f->there, sizeof f->there, there);
    return f;
}
