#include <inttypes.h>

#include "base/text.h"
#include "report/json_info.h"
#include "report/report.h"

void report_text_self_signed(FILE *f, const struct ssl_cert_info *c,
                             const char *cadata) {
    char pin[64];
    report_line(f, "self-signed: %s", c->names);
    fputs("mptls: sha256: ", f);
    for (size_t i = 0; i < sizeof c->sha256; i++) {
        fprintf(f, "%02" PRIx8, c->sha256[i]);
    }
    fputc('\n', f);
    text_base64(c->spki_sha256, sizeof c->spki_sha256, pin);
    report_line(f, "pin: sha256/%s", pin);
    fprintf(f, "mptls: cadata: %s\n", cadata);
}

void report_json_self_signed(FILE *f, const struct ssl_cert_info *c,
                             const char *cadata) {
    struct json j = { .f = f };
    json_open(&j, NULL, '{');
    json_int(&j, "v", 1);
    json_text(&j, "event", "self-signed");
    json_cert(&j, "certificate", c);
    json_text(&j, "cadata", cadata);
    json_close(&j, '}');
    fputc('\n', f);
}
