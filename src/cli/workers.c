#include "cli/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "cli/signals.h"

struct worker {
    pid_t pid;                 /* 0: none runs */
    int control;               /* what it reads as signals; -1 */
    int64_t born_ms, start_ms; /* start_ms: when the next is due */
    unsigned young;            /* how many in a row died so */
    bool succeeds;             /* another had its number */
};

struct crew {
    const struct workers *config;
    struct worker worker[WORKERS_MAX];
    int chld_fd;
    bool ending;        /* nobody is started any more */
    int told;           /* the last signal to end that was passed on */
    int64_t kill_at_ms; /* when those left are killed; 0: not */
    int status;         /* of work that cannot be done; -1 */
    struct err *err;    /* else why it ends */
};

static void close_control(struct worker *w) {
    if (w->control >= 0) {
        close(w->control);
        w->control = -1;
    }
}

/* The new process; all signals are blocked. */
static _Noreturn void child(struct crew *c, unsigned i, int control,
                            pid_t parent, const sigset_t *mask) {
    struct err err = ERR_INIT;
    int status = 1;
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent) { /* it died before that */
        _exit(status);
    }
    for (unsigned k = 0; k < c->config->n; k++) {
        close_control(&c->worker[k]);
    }
    if (signals_follow(control, &err) == 0) {
        sigprocmask(SIG_SETMASK, mask, NULL);
        status = c->config->work(c->config->arg, i);
    } else {
        output_warning(c->config->out, err.msg);
    }
    fflush(NULL);
    _exit(status); /* what atexit() would do is the parent's */
}

/* @return 0, or -1 with errno */
static int start(struct crew *c, unsigned i) {
    struct worker *w = &c->worker[i];
    pid_t parent = getpid();
    sigset_t all, mask;
    int ends[2];
    if (pipe(ends) != 0) {
        return -1;
    }
    for (int k = 0; k < 2; k++) {
        fcntl(ends[k], F_SETFD, FD_CLOEXEC);
        fcntl(ends[k], F_SETFL, O_NONBLOCK);
    }
    w->control = ends[1];
    fflush(NULL);
    /* One that came in between would be taken for the parent's. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &mask);
    w->pid = fork();
    if (w->pid == 0) {
        child(c, i, ends[0], parent, &mask);
    }
    int why = errno;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    close(ends[0]);
    w->born_ms = loop_now_ms();
    w->start_ms = 0;
    if (w->pid < 0) {
        w->pid = 0;
        close_control(w);
        errno = why;
        return -1;
    }
    return 0;
}

static void tell(struct crew *c, int number) {
    unsigned char byte = (unsigned char)number;
    for (unsigned i = 0; i < c->config->n; i++) {
        if (c->worker[i].pid > 0) {
            /* One that is full is not being read, and one that is closed is
             * about to be waited for. */
            ssize_t n = write(c->worker[i].control, &byte, 1);
            (void)n;
        }
    }
}

/* @param number  what they are told; 0: they know */
static void end_all(struct crew *c, int number) {
    int64_t grace = WORKERS_GRACE_MS;
    if (number == SIGTERM) {
        grace += c->config->drain_ms;
    }
    int64_t at = loop_limit_start(grace).at_ms;
    if (c->kill_at_ms == 0 || at < c->kill_at_ms) {
        c->kill_at_ms = at;
    }
    if (!c->ending) {
        c->ending = true;
        c->config->closing(c->config->arg);
    }
    if (number != 0) {
        tell(c, number);
    }
}

static int64_t delay_of(const struct worker *w) {
    int64_t delay = WORKERS_DELAY_MS;
    if (w->young < 2) {
        return 0;
    }
    for (unsigned k = 2; k < w->young && delay < WORKERS_DELAY_MAX_MS; k++) {
        delay *= 2;
    }
    return delay < WORKERS_DELAY_MAX_MS ? delay : WORKERS_DELAY_MAX_MS;
}

/* Start a successor now, or see to it later. */
static void succeed(struct crew *c, unsigned i, struct report_worker *event) {
    struct worker *w = &c->worker[i];
    int64_t delay = delay_of(w);
    w->succeeds = true;
    if (delay == 0 && start(c, i) == 0) {
        event->next = w->pid;
    } else {
        event->why = delay == 0 ? strerror(errno) : NULL;
        event->delay_ms = delay != 0 ? delay : WORKERS_DELAY_MS;
        w->start_ms = loop_now_ms() + event->delay_ms;
    }
    output_worker(c->config->out, event);
}

static void dead(struct crew *c, unsigned i, int status) {
    struct worker *w = &c->worker[i];
    struct report_worker event = {
        .worker = i + 1,
        .pid = w->pid,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
    };
    bool young = loop_now_ms() - w->born_ms < WORKERS_YOUNG_MS;
    w->pid = 0;
    close_control(w);
    if (c->ending) {
        if (event.signal != 0) {
            output_worker(c->config->out, &event);
        }
        return;
    }
    w->young = young ? w->young + 1 : 1;
    bool in_vain = !w->succeeds || w->young >= WORKERS_TRIES;
    if (event.signal == 0 && young && in_vain) {
        c->status = event.status;
        output_worker(c->config->out, &event);
        end_all(c, SIGINT);
        return;
    }
    succeed(c, i, &event);
}

/* Those whose predecessors died too often. */
static void start_due(struct crew *c) {
    for (unsigned i = 0; i < c->config->n && !c->ending; i++) {
        struct worker *w = &c->worker[i];
        if (w->start_ms != 0 && loop_now_ms() >= w->start_ms &&
            start(c, i) != 0) {
            w->young++;
            w->start_ms = loop_now_ms() + delay_of(w);
        }
    }
}

/* What ends it goes first: with --max-time, and with a terminal that is gone,
 * workers end by themselves. */
static void hear(struct crew *c) {
    const struct workers *config = c->config;
    struct err why = ERR_INIT;
    (void)signals_hear();
    if (loop_check(config->loop, "a client", &why) != 0) {
        int number = why.origin == ERR_SIGNAL ? (int)why.code : 0;
        if (!c->ending || number != c->told) {
            err_set(c->err, why.origin, why.code, "%s", why.msg);
            end_all(c, number);
        }
        c->told = number;
        return;
    }
    const int numbers[] = { SIGHUP, SIGUSR1 };
    const int fds[] = { config->hup_fd, config->usr1_fd };
    for (int i = 0; i < 2 && !c->ending; i++) {
        struct pollfd p = { .fd = fds[i], .events = POLLIN };
        if (poll(&p, 1, 0) != 1) {
            continue;
        }
        if (config->refresh(config->arg, numbers[i], c->err) != 0) {
            end_all(c, SIGINT);
        } else {
            tell(c, numbers[i]);
        }
    }
}

static void reap(struct crew *c) {
    (void)signals_take(SIGCHLD);
    for (unsigned i = 0; i < c->config->n; i++) {
        int status = 0;
        pid_t pid = c->worker[i].pid;
        if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
            hear(c); /* it may be that which ended it */
            dead(c, i, status);
        }
    }
}

static void kill_due(struct crew *c) {
    bool due = c->kill_at_ms != 0 && loop_now_ms() >= c->kill_at_ms;
    for (unsigned i = 0; i < c->config->n && due; i++) {
        if (c->worker[i].pid > 0) {
            kill(c->worker[i].pid, SIGKILL);
        }
    }
}

static bool all_gone(const struct crew *c) {
    for (unsigned i = 0; i < c->config->n; i++) {
        if (c->worker[i].pid > 0) {
            return false;
        }
    }
    return true;
}

/* @return as poll() has it: how long there is nothing to do but wait */
static int wait_ms(const struct crew *c) {
    enum { LONG_MS = 60000 };
    int64_t now = loop_now_ms(), due = now + LONG_MS;
    if (c->kill_at_ms != 0 && c->kill_at_ms < due) {
        due = c->kill_at_ms > now ? c->kill_at_ms : now + WORKERS_DELAY_MS;
    }
    if (!c->ending && c->config->loop->max_at_ms != 0 &&
        c->config->loop->max_at_ms < due) {
        due = c->config->loop->max_at_ms;
    }
    for (unsigned i = 0; i < c->config->n && !c->ending; i++) {
        int64_t start_ms = c->worker[i].start_ms;
        if (start_ms != 0 && start_ms < due) {
            due = start_ms;
        }
    }
    return due > now ? (int)(due - now) : 0;
}

static void supervise(struct crew *c) {
    while (!c->ending || !all_gone(c)) {
        struct pollfd fds[] = {
            { .fd = c->config->loop->wake_fd, .events = POLLIN },
            { .fd = c->config->hup_fd, .events = POLLIN },
            { .fd = c->config->usr1_fd, .events = POLLIN },
            { .fd = c->chld_fd, .events = POLLIN },
        };
        if (c->ending) { /* there is nothing to be done about these */
            fds[1].fd = fds[2].fd = -1;
        }
        (void)poll(fds, sizeof fds / sizeof *fds, wait_ms(c));
        hear(c);
        reap(c);
        kill_due(c);
        start_due(c);
    }
}

int workers_run(const struct workers *config, struct err *err) {
    struct crew c = { .config = config, .status = -1, .err = err };
    for (unsigned i = 0; i < config->n; i++) {
        c.worker[i].control = -1;
    }
    if (signals_tell(SIGCHLD, &c.chld_fd, err) != 0) {
        return -1;
    }
    for (unsigned i = 0; i < config->n; i++) {
        if (start(&c, i) != 0) {
            err_set(err, ERR_OS, errno, "start worker %u of %u: %s", i + 1,
                    config->n, strerror(errno));
            end_all(&c, SIGINT);
            break;
        }
    }
    supervise(&c);
    return c.status;
}
