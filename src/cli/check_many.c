#include "cli/check_many.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/check_jobs.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/status.h"

enum { STATUSES = 256, PROGRESS_MS = 100 };

struct many {
    const struct check_many *m;
    size_t done, failed;
    size_t count[STATUSES]; /* by exit status */
    int largest;
    bool terminal;    /* of stderr: it is shown how far we are */
    int shown;        /* columns that the line has; 0: none is there */
    int64_t shown_ms; /* when it was written */
};

static void hide(struct many *s) {
    if (s->shown > 0) {
        fprintf(stderr, "\r%*s\r", s->shown, "");
        fflush(stderr);
        s->shown = 0;
    }
}

static void show(void *arg, unsigned running) {
    struct many *s = arg;
    int64_t now = loop_now_ms();
    if (!s->terminal || (s->shown > 0 && now - s->shown_ms < PROGRESS_MS)) {
        return;
    }
    hide(s);
    s->shown = fprintf(stderr, "mptls: %zu of %zu done, %zu failed, %u running",
                       s->done, s->m->targets->n, s->failed, running);
    fflush(stderr);
    s->shown_ms = now;
}

static int write_all(FILE *f, const char *name, const char *text, size_t len,
                     struct err *err) {
    if (len > 0) {
        fwrite(text, 1, len, f);
    }
    if (fflush(f) != 0 || ferror(f)) {
        return err_set(err, ERR_OS, errno, "write to %s: %s", name,
                       strerror(errno));
    }
    return 0;
}

static void count(struct many *s, int status) {
    s->done++;
    s->failed += status != 0;
    s->count[status]++;
    s->largest = status > s->largest ? status : s->largest;
}

/* Its process has ended too early, so we report for it. */
static int report_death(struct many *s, const struct check_job_result *result,
                        struct err *err) {
    static struct report r;
    const struct check_many *m = s->m;
    struct output_words words;
    session_report_init(&r, "check", m->targets->at[result->i].text);
    if (result->status == CHECK_JOB_LOST) {
        err_set(&r.err, ERR_OS, 0, "its process ended before it was done");
    } else {
        err_set(&r.err, ERR_OS, 0, "its process was ended by signal %d",
                -result->status);
    }
    output_judge(m->out, &r, &words);
    count(s, r.exit);
    if (m->text) {
        report_text_check_line(stdout, &r);
    }
    if (m->out->json_file != NULL) {
        report_json(m->out->json_file, &r);
        if (write_all(m->out->json_file, m->out->json_name, "", 0, err) != 0) {
            return -1;
        }
    }
    return write_all(stdout, "stdout", "", 0, err);
}

static int done(void *arg, const struct check_job_result *r, struct err *err) {
    struct many *s = arg;
    const struct output *out = s->m->out;
    hide(s);
    if (r->status < 0) {
        return report_death(s, r, err);
    }
    count(s, r->status);
    if (write_all(stdout, "stdout", r->text[CHECK_JOB_OUT],
                  r->len[CHECK_JOB_OUT], err) != 0 ||
        write_all(stderr, "stderr", r->text[CHECK_JOB_ERR],
                  r->len[CHECK_JOB_ERR], err) != 0) {
        return -1;
    }
    return out->json_file == NULL ? 0
                                  : write_all(out->json_file, out->json_name,
                                              r->text[CHECK_JOB_JSON],
                                              r->len[CHECK_JOB_JSON], err);
}

static int work(void *arg, size_t i, FILE *json) {
    const struct many *s = arg;
    return s->m->one(s->m->arg, i, json);
}

static const char *name_of(int status) {
    for (size_t i = 0; status_at(i).name != NULL; i++) {
        if (status_at(i).number == status) {
            return status_at(i).name;
        }
    }
    return "signal";
}

static void sum_up(const struct many *s) {
    char line[1024];
    size_t n = s->m->targets->n, at;
    at = (size_t)snprintf(line, sizeof line, "%zu target%s:", n,
                          n == 1 ? "" : "s");
    for (int i = 0; i < STATUSES; i++) {
        if (s->count[i] > 0 && at < sizeof line) {
            at += (size_t)snprintf(line + at, sizeof line - at, " %zu %s,",
                                   s->count[i], name_of(i));
        }
    }
    if (s->done < n && at < sizeof line) {
        at += (size_t)snprintf(line + at, sizeof line - at, " %zu not done,",
                               n - s->done);
    }
    line[strlen(line) - 1] = '\0'; /* the last comma */
    report_line(stderr, "%s", line);
}

int check_many_run(const struct check_many *m, struct report *r) {
    static struct many s;
    s = (struct many){ .m = m, .terminal = isatty(STDERR_FILENO) != 0 };
    const struct check_jobs jobs = {
        .n = m->targets->n,
        .at_once = m->at_once,
        .loop = m->loop,
        .work = work,
        .done = done,
        .progress = show,
        .arg = &s,
    };
    int rc = check_jobs_run(&jobs, &r->err);
    (void)rc; /* r->err says it */
    hide(&s);
    bool broken = r->err.origin == ERR_OS && r->err.code == EPIPE;
    if (m->text && !(broken && signals_pipe_kills())) {
        sum_up(&s);
    }
    return s.largest;
}
