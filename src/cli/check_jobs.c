#include "cli/check_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/signals.h"

enum { GRACE_MS = 3000, READ_LEN = 65536 };

/* A worker, which does one piece after the other, and what it has written of
 * the one at hand. JSON comes by a socket, which tells it what to do; after the
 * JSON of a piece, in which no NUL is, come a NUL and the status. */
struct worker {
    pid_t pid;
    bool busy; /* with piece i */
    size_t i;
    int fd[CHECK_JOB_TEXTS]; /* to read from; -1: it has ended */
    struct bytes text[CHECK_JOB_TEXTS];
    bool nul;   /* came; the status is next */
    int status; /* that came; -1: none yet */
};

struct pool {
    const struct check_jobs *jobs;
    struct worker *worker; /* those there are, in no order */
    unsigned running, most;
    size_t next; /* the piece that begins next */
    bool ending; /* whose end counts only if it came by itself */
};

static void close_one(int *fd) {
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void close_all(int *fd) {
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        close_one(&fd[t]);
    }
}

/* @return 0, or -1 with errno */
static int open_pair(size_t t, int ends[2]) {
    int rc = t == CHECK_JOB_JSON ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends)
                                 : pipe(ends);
    if (rc == 0) {
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
    }
    return rc;
}

/* @return 0, or -1 with errno */
static int open_pairs(int ours[CHECK_JOB_TEXTS], int its[CHECK_JOB_TEXTS]) {
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        ours[t] = its[t] = -1;
    }
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        int ends[2];
        if (open_pair(t, ends) != 0) {
            int why = errno;
            close_all(ours);
            close_all(its);
            errno = why;
            return -1;
        }
        ours[t] = ends[0];
        its[t] = ends[1];
    }
    return 0;
}

/* @return whether there is another piece */
static bool take(int orders, size_t *i) {
    ssize_t n;
    do { /* a signal ends the next piece, which is how it is told */
        n = read(orders, i, sizeof *i);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *i;
}

/* Piece after piece. What is buffered for the parent's files is the parent's,
 * and nobody is left to be told what cannot be written. */
static void work(const struct check_jobs *jobs, int orders, FILE *json) {
    size_t i;
    while (take(orders, &i)) {
        int status = jobs->work(jobs->arg, i, json);
        fflush(stdout);
        fflush(stderr);
        fputc('\0', json);
        fputc(status, json);
        fflush(json);
    }
}

/* The new process. */
static _Noreturn void child(const struct pool *p, int its[CHECK_JOB_TEXTS]) {
    struct err err = ERR_INIT;
    for (unsigned k = 0; k < p->running; k++) {
        close_all(p->worker[k].fd);
    }
    FILE *json = fdopen(its[CHECK_JOB_JSON], "w");
    if (json != NULL && signals_forked(&err) == 0 &&
        dup2(its[CHECK_JOB_OUT], STDOUT_FILENO) >= 0 &&
        dup2(its[CHECK_JOB_ERR], STDERR_FILENO) >= 0) {
        close_one(&its[CHECK_JOB_OUT]);
        close_one(&its[CHECK_JOB_ERR]);
        work(p->jobs, its[CHECK_JOB_JSON], json);
    }
    _exit(0);
}

/* If it cannot be told, it has died, which is seen soon. */
static void give(struct pool *p, struct worker *w) {
    w->busy = true;
    w->i = p->next++;
    w->status = -1;
    ssize_t n = send(w->fd[CHECK_JOB_JSON], &w->i, sizeof w->i, MSG_NOSIGNAL);
    (void)n;
}

/* @return 0, or -1 with errno */
static int start(struct pool *p) {
    struct worker *w = &p->worker[p->running];
    int its[CHECK_JOB_TEXTS];
    *w = (struct worker){ .status = -1 };
    if (open_pairs(w->fd, its) != 0) {
        return -1;
    }
    fflush(NULL);
    w->pid = fork();
    if (w->pid == 0) {
        close_all(w->fd);
        child(p, its);
    }
    int why = errno;
    close_all(its);
    if (w->pid < 0) {
        close_all(w->fd);
        errno = why;
        return -1;
    }
    p->running++;
    give(p, w);
    return 0;
}

/* As many as there may be. Where the system allows fewer, fewer it is. */
static int start_some(struct pool *p, struct err *err) {
    while (p->running < p->most && p->next < p->jobs->n) {
        if (start(p) != 0) {
            if (p->running == 0) {
                return err_set(err, ERR_OS, errno, "start a process: %s",
                               strerror(errno));
            }
            p->most = p->running;
        }
    }
    p->jobs->progress(p->jobs->arg, p->running);
    return 0;
}

/* Where the line that has the byte at `at` ends, or 0. */
static size_t line_end(const struct bytes *text, size_t at) {
    const unsigned char *end =
        at < text->len ? memchr(text->buf + at, '\n', text->len - at) : NULL;
    return end != NULL ? (size_t)(end - text->buf) + 1 : 0;
}

/* Too much: leave out lines in the middle. The first say how it began, and the
 * last are the report. No line is nearly as long as a quarter. */
static void cut(struct bytes *text) {
    enum { QUARTER = CHECK_JOB_TEXT_MAX / 4 };
    size_t from = line_end(text, QUARTER);
    size_t to = line_end(text, 3 * QUARTER);
    from = from <= 2 * QUARTER ? from : 0;
    to = to != 0 ? to : text->len;
    memmove(text->buf + from, text->buf + to, text->len - to);
    text->len -= to - from;
}

/* The pipe is kept empty, whatever comes of it. */
static void keep(struct bytes *text, const char *buf, size_t len) {
    if (len > CHECK_JOB_TEXT_MAX - text->len) {
        cut(text);
    }
    (void)bytes_add(text, buf, len, CHECK_JOB_TEXT_MAX);
}

/* The JSON ends where a NUL is. */
static void keep_json(struct worker *w, const char *buf, size_t len) {
    const char *nul = memchr(buf, '\0', len);
    size_t n = nul != NULL ? (size_t)(nul - buf) : len;
    if (!w->nul) {
        keep(&w->text[CHECK_JOB_JSON], buf, n);
        w->nul = nul != NULL;
        n += nul != NULL;
    } else {
        n = 0;
    }
    if (w->nul && n < len) {
        w->status = (unsigned char)buf[n];
        w->nul = false;
    }
}

/* @return whether more may be there */
static bool read_some(struct worker *w, size_t t) {
    char buf[READ_LEN];
    if (w->fd[t] < 0) {
        return false;
    }
    ssize_t n = read(w->fd[t], buf, sizeof buf);
    if (n > 0 && t == CHECK_JOB_JSON) {
        keep_json(w, buf, (size_t)n);
    } else if (n > 0) {
        keep(&w->text[t], buf, (size_t)n);
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        close_one(&w->fd[t]);
    }
    return n == (ssize_t)sizeof buf;
}

static bool has_ended(const struct worker *w) {
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        if (w->fd[t] >= 0) {
            return false;
        }
    }
    return true;
}

static void forget(struct worker *w) {
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        bytes_free(&w->text[t]);
    }
}

/* It is done with its piece, or has died of it. */
static int tell(const struct pool *p, struct worker *w, int status,
                struct err *err) {
    struct check_job_result r = { .i = w->i, .status = status };
    int rc = 0;
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        r.text[t] = (const char *)w->text[t].buf;
        r.len[t] = w->text[t].len;
    }
    bool ours = p->ending && (status == 128 + SIGTERM || status == -SIGTERM ||
                              status == -SIGKILL);
    w->busy = false;
    if (!ours) {
        rc = p->jobs->done(p->jobs->arg, &r, err);
    }
    forget(w);
    return rc;
}

/* All that it wrote before its status is there. One that got a signal does no
 * more. */
static int finish(struct pool *p, struct worker *w, struct err *err) {
    int status = w->status;
    while (read_some(w, CHECK_JOB_OUT) || read_some(w, CHECK_JOB_ERR)) {
    }
    int rc = tell(p, w, status, err);
    if (rc == 0 && !p->ending && p->next < p->jobs->n &&
        status != 128 + SIGTERM) {
        give(p, w);
    } else {
        close_one(&w->fd[CHECK_JOB_JSON]); /* which ends it */
    }
    return rc;
}

/* Its pipes are closed, so it has ended or is about to. */
static int reap(struct pool *p, unsigned k, struct err *err) {
    struct worker w = p->worker[k];
    int status = 0;
    while (waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
    }
    int how = WIFSIGNALED(status) ? -WTERMSIG(status) : CHECK_JOB_LOST;
    p->worker[k] = p->worker[--p->running];
    int rc = w.busy ? tell(p, &w, how, err) : 0;
    forget(&w);
    return rc;
}

/* Wait until something was written or has ended, and deal with it. */
static int turn(struct pool *p, const struct loop *loop, struct err *err) {
    struct pollfd fds[CHECK_JOBS_MAX * CHECK_JOB_TEXTS];
    nfds_t n = 0;
    for (unsigned k = 0; k < p->running; k++) {
        for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
            fds[n++] =
                (struct pollfd){ .fd = p->worker[k].fd[t], .events = POLLIN };
        }
    }
    if (loop_wait(loop, fds, n, NULL, "the targets", err) != 0) {
        return -1;
    }
    /* Backwards, so that what takes a reaped one's place has had its turn. */
    for (unsigned k = p->running; k-- > 0;) {
        struct worker *w = &p->worker[k];
        for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
            if (fds[k * CHECK_JOB_TEXTS + t].revents != 0) {
                (void)read_some(w, t);
            }
        }
        if ((w->busy && w->status >= 0 && finish(p, w, err) != 0) ||
            (has_ended(w) && reap(p, k, err) != 0)) {
            return -1;
        }
    }
    return 0;
}

static void kill_all(const struct pool *p, int number) {
    for (unsigned k = 0; k < p->running; k++) {
        kill(p->worker[k].pid, number);
    }
}

/* Until none is left. Those that a limit of the run ends, end by themselves. */
static void end_all(struct pool *p, bool told) {
    struct loop grace, forever;
    struct err ignored = ERR_INIT;
    loop_init(&grace, -1, NULL, GRACE_MS);
    loop_init(&forever, -1, NULL, 0);
    p->ending = true;
    if (told) {
        kill_all(p, SIGTERM);
    }
    while (p->running > 0 && turn(p, &grace, &ignored) == 0) {
    }
    kill_all(p, SIGKILL);
    while (p->running > 0) {
        struct err again = ERR_INIT;
        int rc = turn(p, &forever, &again);
        (void)rc; /* whoever cannot be told is not asked again */
    }
}

int check_jobs_run(const struct check_jobs *j, struct err *err) {
    struct pool p = { .jobs = j, .most = j->at_once };
    int rc = 0;
    signal(SIGCHLD, SIG_DFL); /* inherited ignored, no status is kept */
    p.worker = calloc(j->at_once, sizeof *p.worker);
    if (p.worker == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "no memory for the targets");
    }
    while (rc == 0 && (p.next < j->n || p.running > 0)) {
        rc = start_some(&p, err);
        rc = rc == 0 ? turn(&p, j->loop, err) : rc;
    }
    if (rc != 0) {
        end_all(&p, err->origin != ERR_MAX_TIME);
    }
    free(p.worker);
    return rc;
}
