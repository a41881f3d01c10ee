#include "cli/check_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/signals.h"

enum { GRACE_MS = 3000, READ_LEN = 65536 };

/* One process, and what it has written so far. */
struct job {
    size_t i;
    pid_t pid;
    int fd[CHECK_JOB_TEXTS]; /* to read from; -1: it has ended */
    char *text[CHECK_JOB_TEXTS];
    size_t len[CHECK_JOB_TEXTS], size[CHECK_JOB_TEXTS];
};

struct pool {
    const struct check_jobs *jobs;
    struct job *job; /* of those that run, in no order */
    unsigned running, most;
    size_t next; /* the piece that begins next */
    bool ending; /* whose end counts only if it came by itself */
};

static void close_all(int *fd, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (fd[i] >= 0) {
            close(fd[i]);
            fd[i] = -1;
        }
    }
}

/* @return 0, or -1 with errno */
static int open_pipes(int read_end[CHECK_JOB_TEXTS],
                      int write_end[CHECK_JOB_TEXTS]) {
    for (size_t i = 0; i < CHECK_JOB_TEXTS; i++) {
        read_end[i] = write_end[i] = -1;
    }
    for (size_t i = 0; i < CHECK_JOB_TEXTS; i++) {
        int ends[2];
        if (pipe(ends) != 0) {
            int why = errno;
            close_all(read_end, CHECK_JOB_TEXTS);
            close_all(write_end, CHECK_JOB_TEXTS);
            errno = why;
            return -1;
        }
        read_end[i] = ends[0];
        write_end[i] = ends[1];
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    }
    return 0;
}

/* The new process. */
static _Noreturn void child(const struct pool *p, size_t i,
                            int write_end[CHECK_JOB_TEXTS]) {
    struct err err = ERR_INIT;
    int status = 1;
    for (unsigned k = 0; k < p->running; k++) {
        close_all(p->job[k].fd, CHECK_JOB_TEXTS);
    }
    FILE *json = fdopen(write_end[CHECK_JOB_JSON], "w");
    if (json != NULL && signals_forked(&err) == 0 &&
        dup2(write_end[CHECK_JOB_OUT], STDOUT_FILENO) >= 0 &&
        dup2(write_end[CHECK_JOB_ERR], STDERR_FILENO) >= 0) {
        status = p->jobs->work(p->jobs->arg, i, json);
        /* Nobody is left to be told if it cannot be written. */
        fflush(json);
        fflush(stdout);
        fflush(stderr);
    }
    _exit(status); /* what is buffered for the parent's files is the parent's */
}

/* @return 0, or -1 with errno */
static int start(struct pool *p) {
    struct job *job = &p->job[p->running];
    int write_end[CHECK_JOB_TEXTS];
    *job = (struct job){ .i = p->next };
    if (open_pipes(job->fd, write_end) != 0) {
        return -1;
    }
    fflush(NULL);
    job->pid = fork();
    if (job->pid == 0) {
        close_all(job->fd, CHECK_JOB_TEXTS);
        child(p, p->next, write_end);
    }
    int why = errno;
    close_all(write_end, CHECK_JOB_TEXTS);
    if (job->pid < 0) {
        close_all(job->fd, CHECK_JOB_TEXTS);
        errno = why;
        return -1;
    }
    p->running++;
    p->next++;
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
static size_t line_end(const struct job *job, size_t t, size_t at) {
    const char *end = at < job->len[t]
                          ? memchr(job->text[t] + at, '\n', job->len[t] - at)
                          : NULL;
    return end != NULL ? (size_t)(end - job->text[t]) + 1 : 0;
}

/* Too much: leave out lines in the middle. The first say how it began, and the
 * last are the report. No line is nearly as long as a quarter. */
static void cut(struct job *job, size_t t) {
    enum { QUARTER = CHECK_JOB_TEXT_MAX / 4 };
    size_t from = line_end(job, t, QUARTER);
    size_t to = line_end(job, t, 3 * QUARTER);
    from = from <= 2 * QUARTER ? from : 0;
    to = to != 0 ? to : job->len[t];
    memmove(job->text[t] + from, job->text[t] + to, job->len[t] - to);
    job->len[t] -= to - from;
}

/* The pipe is kept empty, whatever comes of it. */
static void keep(struct job *job, size_t t, const char *buf, size_t len) {
    if (len > CHECK_JOB_TEXT_MAX - job->len[t]) {
        cut(job, t);
    }
    if (job->len[t] + len > job->size[t]) {
        size_t size = 2 * (job->len[t] + len);
        char *more = realloc(job->text[t], size);
        if (more == NULL) {
            return;
        }
        job->text[t] = more;
        job->size[t] = size;
    }
    if (len > 0) {
        memcpy(job->text[t] + job->len[t], buf, len);
        job->len[t] += len;
    }
}

static void read_some(struct job *job, size_t t) {
    char buf[READ_LEN];
    ssize_t n = read(job->fd[t], buf, sizeof buf);
    if (n > 0) {
        keep(job, t, buf, (size_t)n);
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        close(job->fd[t]);
        job->fd[t] = -1;
    }
}

static bool has_ended(const struct job *job) {
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        if (job->fd[t] >= 0) {
            return false;
        }
    }
    return true;
}

/* Its pipes are closed, so it has ended or is about to. */
static int reap(struct pool *p, unsigned k, struct err *err) {
    struct job job = p->job[k];
    struct check_job_result r = { .i = job.i };
    int wait_status = 0, rc = 0;
    while (waitpid(job.pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    p->job[k] = p->job[--p->running];
    r.status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
                                      : -WTERMSIG(wait_status);
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        r.text[t] = job.text[t];
        r.len[t] = job.len[t];
    }
    bool ours = p->ending && (r.status == 128 + SIGTERM ||
                              r.status == -SIGTERM || r.status == -SIGKILL);
    if (!ours) {
        rc = p->jobs->done(p->jobs->arg, &r, err);
    }
    for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
        free(job.text[t]);
    }
    return rc;
}

/* Wait until something was written or has ended, and deal with it. */
static int turn(struct pool *p, const struct loop *loop, struct err *err) {
    struct pollfd fds[CHECK_JOBS_MAX * CHECK_JOB_TEXTS];
    nfds_t n = 0;
    for (unsigned k = 0; k < p->running; k++) {
        for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
            fds[n++] =
                (struct pollfd){ .fd = p->job[k].fd[t], .events = POLLIN };
        }
    }
    if (loop_wait(loop, fds, n, NULL, "the targets", err) != 0) {
        return -1;
    }
    /* Backwards, so that what takes a reaped one's place has had its turn. */
    for (unsigned k = p->running; k-- > 0;) {
        for (size_t t = 0; t < CHECK_JOB_TEXTS; t++) {
            if (fds[k * CHECK_JOB_TEXTS + t].revents != 0) {
                read_some(&p->job[k], t);
            }
        }
        if (has_ended(&p->job[k]) && reap(p, k, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void kill_all(const struct pool *p, int number) {
    for (unsigned k = 0; k < p->running; k++) {
        kill(p->job[k].pid, number);
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
    p.job = calloc(j->at_once, sizeof *p.job);
    if (p.job == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "no memory for the targets");
    }
    while (rc == 0 && (p.next < j->n || p.running > 0)) {
        rc = start_some(&p, err);
        rc = rc == 0 ? turn(&p, j->loop, err) : rc;
    }
    if (rc != 0) {
        end_all(&p, err->origin != ERR_MAX_TIME);
    }
    free(p.job);
    return rc;
}
