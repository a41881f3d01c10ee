#include "cli/explain_print.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

/* Label and text, wrapped; a '\n' begins another numbered line. */
static void print_field(const char *label, const char *text) {
    enum { INDENT = 17, WIDTH = 79 };
    bool list = strchr(text, '\n') != NULL;
    int number = 1, column = printf("  %-*s", INDENT - 2, label);
    const int start = column += list ? printf("%d. ", number) : 0;
    while (*text != '\0') {
        int len = (int)strcspn(text, " \n");
        if (column > start && column + 1 + len > WIDTH) {
            column = printf("\n%*s", start, "") - 1;
        } else if (column > start) {
            column += printf(" ");
        }
        column += printf("%.*s", len, text);
        text += len;
        if (*text == '\n') {
            column = printf("\n%*s%d. ", INDENT, "", ++number) - 1;
        }
        text += *text != '\0' ? 1 : 0;
    }
    puts("");
}

enum { FIELDS = 9, CAUSES = 4 };

/* What both forms print: key in JSON, label, text. */
static void fields_of(const struct explain_reading *r,
                      const char *out[FIELDS][3]) {
    const struct explain_cause *c = r->cause;
    const struct explain_advice none = { "", "", "", "" };
    const struct explain_advice *a = c != NULL ? c->advice : &none;
    const char *const rows[FIELDS][3] = {
        { "applies", "read as", r->applies },
        { "what", "what", r->what },
        { "step", "when", a->step },
        { "who", "who ended it", c != NULL ? c->who : "" },
        { "causes", "likely causes", a->causes },
        { "board", "on the board", a->board },
        { "server", "on the server", a->server },
        { "micropython", "micropython", r->micropython },
        { "numbers", "numbers", r->numbers },
    };
    memcpy(out, rows, sizeof rows);
}

void explain_print_text(const char *given, const struct explain_reading *r) {
    const char *rows[FIELDS][3];
    fields_of(r, rows);
    for (const char *p = given; *p != '\0'; p++) {
        putchar(iscntrl((unsigned char)*p) ? ' ' : *p);
    }
    printf(": %s\n", r->name);
    for (size_t i = 0; i < FIELDS; i++) {
        if (rows[i][2][0] != '\0') {
            print_field(rows[i][1], rows[i][2]);
        }
    }
    puts("");
}

static void json_text(const char *key, const char *s) {
    printf(",\"%s\":", key);
    report_json_string(stdout, *s != '\0' ? s : NULL, strlen(s));
}

void explain_print_json(const char *given, const struct explain_reading *r) {
    const char *rows[FIELDS][3];
    fields_of(r, rows);
    printf("{\"v\":1");
    json_text("given", given);
    json_text("origin", r->origin);
    printf(",\"code\":%lld", (long long)r->code);
    json_text("name", r->name);
    for (size_t i = 0; i < FIELDS; i++) {
        const char *at = rows[i][2], *comma = "";
        if (i != CAUSES) {
            json_text(rows[i][0], at);
            continue;
        }
        printf(",\"causes\":[");
        for (; *at != '\0'; comma = ",") {
            size_t len = strcspn(at, "\n");
            printf("%s", comma);
            report_json_string(stdout, at, len);
            at += len + (at[len] != '\0' ? 1 : 0);
        }
        printf("]");
    }
    printf("}\n");
}
