#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/status.h"
#include "cli/terminal.h"

enum { OBJECT_MAX = 1 << 18 };

static char to_file[OBJECT_MAX]; /* there is one output in a process */

int output_open(struct output *out, unsigned verbose,
                const struct opt_optional *json, struct err *err) {
    *out = (struct output){ .verbose = verbose };
    out->json_on_stderr = json->given && json->value == NULL;
    out->json_name = json->value;
    if (json->value == NULL) {
        return 0;
    }
    if (json->value[0] == '\0') {
        return err_set(err, ERR_USAGE, 0, "--json: the path is empty");
    }
    out->json_file = fopen(json->value, "we");
    if (out->json_file == NULL) {
        return err_set(err, ERR_FILE, errno, "--json: write %s: %s",
                       json->value, strerror(errno));
    }
    /* Who reads along finds whole lines: each object leaves in one write. */
    setvbuf(out->json_file, to_file, _IOFBF, sizeof to_file);
    return 0;
}

void output_share(struct output *out) {
    static char to_stderr[OBJECT_MAX];
    out->shared = true;
    setvbuf(stderr, to_stderr, _IOLBF, sizeof to_stderr);
}

static bool text(const struct output *out) {
    return !out->json_on_stderr && !out->silent;
}

bool output_tells_all(const struct output *out) {
    return out->verbose > 0 || out->details || out->json_on_stderr ||
           out->json_file != NULL ||
           (out->expect != NULL && out->expect->n > 0);
}

enum { UNMET = 50 };

/* A report that is asked for and cannot be written is a failure of ours. */
static int flush(FILE *f, const char *name, int status) {
    if (fflush(f) == 0 && !ferror(f)) {
        return status;
    }
    report_line(stderr, "--json: write %s: %s", name, strerror(errno));
    return status == 0 ? 1 : status;
}

void output_handshake(const struct output *out, const struct report *r) {
    if (out->verbose > 0 && text(out)) {
        report_text_handshake(stderr, r);
    }
}

/* What the board would raise; NULL: nothing, or it is not what failed. */
static const char *micropython(const struct output *out, const struct report *r,
                               char *buf, size_t len) {
    bool backend = r->tls.server_side && r->stage == STAGE_CONNECT;
    if (backend || out->errors == MP_ERRORS_NONE) {
        return NULL;
    }
    if (out->errors == MP_ERRORS_AXTLS) {
        return mp_error_axtls(&r->err, buf, len);
    }
    return (r->stage == STAGE_SETUP ? mp_error_loading : mp_error)(&r->err, buf,
                                                                   len);
}

void output_judge(const struct output *out, struct report *r,
                  struct output_words *words) {
    struct status s = status_of(&r->err, r->stage, r->tls.cert_refused);
    r->status = s.number;
    r->status_name = s.name;
    r->exit = s.number;
    r->exit_name = s.name;
    r->micropython =
        micropython(out, r, words->micropython, sizeof words->micropython);
    r->name = explain_name(&r->err, r->status, words->name);
    r->mbedtls = explain_mbedtls(&r->err, words->mbedtls);
    if (out->expect != NULL) {
        expect_judge(out->expect, r);
    }
}

void output_unmet(const struct report *r) {
    for (size_t i = 0; i < r->expect_count && r->exit == UNMET; i++) {
        const struct report_expect *e = &r->expects[i];
        if (!e->met) {
            report_line(stderr, "expected %s=%s, but it is %s", e->key,
                        e->wanted, e->actual);
        }
    }
}

/* @param tell  prints the text of it */
static int end(const struct output *out, struct report *r,
               void (*tell)(FILE *f, const struct report *r, bool verbose)) {
    struct output_words words;
    output_judge(out, r, &words);
    int status = r->exit;
    if (text(out)) {
        tell(stderr, r, out->verbose > 0);
        output_unmet(r);
        if (r->err.origin == ERR_USAGE) {
            report_line(stderr, "try 'mptls %s --help'", r->command);
        }
    } else if (out->json_on_stderr) {
        report_json(stderr, r);
        status = flush(stderr, "stderr", status);
    }
    if (out->json_file != NULL) {
        report_json(out->json_file, r);
        status = flush(out->json_file, out->json_name, status);
    }
    r->micropython = r->name = r->mbedtls = NULL; /* they were in `words` */
    return status;
}

int output_end(const struct output *out, struct report *r) {
    return end(out, r, report_text_end);
}

void output_client(const struct output *out, struct report *r) {
    (void)end(out, r, report_text_client);
}

void output_listening(const struct output *out, const char *address) {
    if (text(out)) {
        report_line(stderr, "listening on %s", address);
    } else if (out->json_on_stderr) {
        report_json_listening(stderr, address);
    }
    if (out->json_file != NULL) {
        report_json_listening(out->json_file, address);
        fflush(out->json_file);
    }
}

void output_self_signed(const struct output *out, const struct ssl_cert_info *c,
                        const char *cadata) {
    if (text(out)) {
        report_text_self_signed(stderr, c, cadata);
    } else if (out->json_on_stderr) {
        report_json_self_signed(stderr, c, cadata);
    }
    if (out->json_file != NULL) {
        report_json_self_signed(out->json_file, c, cadata);
        fflush(out->json_file);
    }
}

void output_reload(const struct output *out, const struct err *err) {
    if (out->json_on_stderr) {
        report_json_reload(stderr, err);
    } else if (text(out) && err->origin == ERR_NONE) {
        report_line(stderr, "reloaded: the next clients meet what the files "
                            "have now");
    } else if (text(out)) {
        report_line(stderr, "not reloaded, the old ones stay in use: %s",
                    err->msg);
    }
    if (out->json_file != NULL) {
        report_json_reload(out->json_file, err);
        fflush(out->json_file);
    }
}

void output_worker(const struct output *out, const struct report_worker *w) {
    if (text(out)) {
        report_text_worker(stderr, w);
    } else if (out->json_on_stderr) {
        report_json_worker(stderr, w);
    }
    if (out->json_file != NULL) {
        report_json_worker(out->json_file, w);
        fflush(out->json_file);
    }
}

void output_message(const struct output *out, const struct report_message *m) {
    if (text(out)) {
        report_text_message(stderr, m);
    } else if (out->json_on_stderr) {
        report_json_message(stderr, m);
    }
    if (out->json_file != NULL) {
        report_json_message(out->json_file, m);
        if (out->shared) {
            fflush(out->json_file);
        }
    }
}

void output_waterfall(const struct output *out, const struct waterfall *w,
                      int color) {
    struct waterfall_look look;
    char *lines = NULL;
    size_t len = 0;
    FILE *f = text(out) ? open_memstream(&lines, &len) : NULL;
    if (f == NULL) {
        return;
    }
    terminal_look(STDERR_FILENO, color, &look);
    report_text_waterfall(f, w, &look);
    if (fclose(f) == 0) {
        fwrite(lines, 1, len, stderr);
    }
    free(lines);
}

void output_warning(const struct output *out, const char *warning) {
    if (text(out)) {
        report_line(stderr, "%s", warning);
    }
}

void output_close(struct output *out) {
    if (out->json_file != NULL) {
        fclose(out->json_file);
        out->json_file = NULL;
    }
}
