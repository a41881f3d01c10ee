#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static int wake[2] = { -1, -1 };

/* Signals that do not end anything, each with a pipe of its own. */
static struct told {
    int number;
    int ends[2];
} told[] = { { SIGHUP, { -1, -1 } },
             { SIGUSR1, { -1, -1 } },
             { SIGCHLD, { -1, -1 } } };

enum { TOLD = sizeof told / sizeof *told };

/* @return NULL: it is none of them */
static struct told *told_of(int number) {
    for (size_t i = 0; i < TOLD; i++) {
        if (told[i].number == number) {
            return &told[i];
        }
    }
    return NULL;
}

static bool terminal[STDERR_FILENO + 1]; /* which of 0, 1, 2 were one */
static bool pipe_kills; /* SIGPIPE would, had we not ignored it */

static void on_signal(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    caught = number;
    ssize_t n = write(wake[1], &byte, 1);
    (void)n; /* full: already readable */
    errno = saved;
}

static void on_told(int number) {
    int saved = errno;
    ssize_t n = write(told_of(number)->ends[1], "", 1);
    (void)n;
    errno = saved;
}

static void catch_one(int number, void (*handler)(int), int flags) {
    struct sigaction was, now;
    memset(&now, 0, sizeof now);
    now.sa_handler = handler;
    now.sa_flags = flags;
    sigemptyset(&now.sa_mask);
    /* A parent that ignores its children does not mean ours. */
    if (sigaction(number, NULL, &was) == 0 &&
        (was.sa_handler != SIG_IGN || number == SIGCHLD)) {
        sigaction(number, &now, NULL);
    }
}

static int open_pipe(int *ends, struct err *err) {
    if (pipe(ends) != 0) {
        return err_set(err, ERR_OS, errno, "make a pipe: %s", strerror(errno));
    }
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

/* In a new process: no pipe is the parent's, too. */
static int own_pipes(struct err *err) {
    for (size_t i = 0; i < TOLD; i++) {
        struct told *t = &told[i];
        if (t->ends[0] >= 0) {
            close(t->ends[0]);
            close(t->ends[1]);
            if (open_pipe(t->ends, err) != 0) {
                t->ends[0] = t->ends[1] = -1;
                return -1;
            }
        }
    }
    close(wake[0]);
    close(wake[1]);
    wake[0] = wake[1] = -1;
    return 0;
}

int signals_forked(struct err *err) {
    signal(SIGINT, SIG_IGN);
    return own_pipes(err) == 0 ? open_pipe(wake, err) : -1;
}

int signals_follow(int fd, struct err *err) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    for (size_t i = 0; i < TOLD; i++) {
        if (told[i].ends[0] >= 0) {
            signal(told[i].number,
                   told[i].number == SIGCHLD ? SIG_DFL : SIG_IGN);
        }
    }
    caught = 0;
    if (own_pipes(err) != 0) {
        return -1;
    }
    wake[0] = fd;
    return 0;
}

bool signals_hear(void) {
    unsigned char some[64];
    ssize_t n;
    while ((n = read(wake[0], some, sizeof some)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            const struct told *t = told_of(some[i]);
            if (t != NULL && t->ends[1] >= 0) {
                on_told(some[i]);
            } else {
                caught = some[i];
            }
        }
    }
    if (n == 0) {
        caught = SIGHUP;
    }
    return n != 0;
}

int signals_catch(int *wake_fd, const volatile sig_atomic_t **number,
                  struct err *err) {
    if (wake[0] < 0) {
        if (open_pipe(wake, err) != 0) {
            return -1;
        }
        struct sigaction was;
        pipe_kills =
            sigaction(SIGPIPE, NULL, &was) == 0 && was.sa_handler != SIG_IGN;
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN); /* a file too large fails, as a full disk */
        catch_one(SIGINT, on_signal, (int)SA_RESETHAND);
        catch_one(SIGTERM, on_signal, (int)SA_RESETHAND);
    }
    *wake_fd = wake[0];
    *number = &caught;
    return 0;
}

int signals_tell(int number, int *fd, struct err *err) {
    struct told *t = told_of(number);
    if (t->ends[0] < 0) {
        if (open_pipe(t->ends, err) != 0) {
            return -1;
        }
        for (int i = 0; number == SIGHUP && i <= STDERR_FILENO; i++) {
            terminal[i] = isatty(i) == 1;
        }
        catch_one(number, on_told, SA_RESTART | SA_NOCLDSTOP);
    }
    *fd = t->ends[0];
    return 0;
}

bool signals_take(int number) {
    const struct told *t = told_of(number);
    char some[64];
    bool came = false;
    while (read(t->ends[0], some, sizeof some) > 0) {
        came = true;
    }
    return came;
}

bool signals_terminal_gone(void) {
    for (int i = 0; i <= STDERR_FILENO; i++) {
        struct pollfd p = { .fd = i, .events = 0 };
        if (terminal[i] && poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0) {
            return true;
        }
    }
    return false;
}

bool signals_pipe_kills(void) {
    return pipe_kills;
}

void signals_die_of_pipe(void) {
    if (pipe_kills) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
}
