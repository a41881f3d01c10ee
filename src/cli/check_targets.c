#include "cli/check_targets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"

enum { TARGET_MAX = 1024 };

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* End the line where its target does, or where no target is as long.
 * @return the target, which may be "" */
static const char *trim(char *line) {
    while (is_space(*line)) {
        line++;
    }
    char *end = line;
    for (char *p = line; *p != '\0'; p++) {
        if (*p == '#' && (p == line || is_space(p[-1]))) {
            break;
        }
        if (!is_space(*p)) {
            end = p + 1;
        }
    }
    if (end - line > TARGET_MAX) {
        end = line + TARGET_MAX;
    }
    *end = '\0';
    return line;
}

static int read_list(struct check_targets *t, size_t *len, struct err *err) {
    struct err why = ERR_INIT;
    bool in = strcmp(t->file, "-") == 0;
    int rc =
        in ? file_read_fd(STDIN_FILENO, "stdin", FILE_MAX, &t->data, len, &why)
           : file_read(t->file, FILE_MAX, &t->data, len, &why);
    if (rc != 0) {
        return err_set(err, why.origin, why.code, "--targets: %s", why.msg);
    }
    for (size_t i = 0; i < *len; i++) { /* no line ends within itself */
        t->data[i] = t->data[i] == '\0' ? 1 : t->data[i];
    }
    t->file = in ? "stdin" : t->file;
    return 0;
}

static void take_lines(struct check_targets *t) {
    char *next = (char *)t->data;
    for (size_t line = 1; next != NULL; line++) {
        char *this = next;
        next = strchr(this, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        const char *text = trim(this);
        if (*text != '\0') {
            t->at[t->n++] = (struct check_target){ text, line };
        }
    }
}

int check_targets_init(struct check_targets *t, const char *const *operands,
                       size_t n, const char *file, struct err *err) {
    struct net_target unused;
    size_t len = 0, most = n + 1;
    *t = (struct check_targets){ .file = file };
    if (n == 0 && file == NULL) {
        return err_set(err, ERR_USAGE, 0,
                       "check wants HOST:PORT, or --targets FILE");
    }
    for (size_t i = 0; i < n; i++) {
        if (net_parse_target(operands[i], &unused, err) != 0) {
            return -1;
        }
    }
    if (file != NULL && read_list(t, &len, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        most += t->data[i] == '\n';
    }
    t->at = calloc(most, sizeof *t->at);
    if (t->at == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "no memory for the targets");
    }
    for (; t->n < n; t->n++) {
        t->at[t->n].text = operands[t->n];
    }
    if (file != NULL) {
        take_lines(t);
    }
    return t->n > 0 ? 0
                    : err_set(err, ERR_FILE, 0,
                              "--targets: %.100s has no target", t->file);
}

void check_targets_free(struct check_targets *t) {
    free(t->at);
    free(t->data);
    *t = (struct check_targets){ .at = NULL };
}

int check_target_wrong(const struct check_targets *t, size_t i,
                       const struct err *why, struct err *err) {
    char place[96] = "";
    if (t->at[i].line != 0) {
        snprintf(place, sizeof place, "%.60s:%zu: ", t->file, t->at[i].line);
    }
    return err_set(err, why->origin, why->code, "%s%s", place, why->msg);
}

int check_target_parse(const struct check_targets *t, size_t i,
                       struct net_target *out, struct err *err) {
    struct err why = ERR_INIT;
    return net_parse_target(t->at[i].text, out, &why) == 0
               ? 0
               : check_target_wrong(t, i, &why, err);
}
