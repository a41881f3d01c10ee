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
} told[] = { { SIGHUP, { -1, -1 } }, { SIGUSR1, { -1, -1 } } };

static struct told *told_of(int number) {
    struct told *t = told;
    while (t->number != number) {
        t++;
    }
    return t;
}
static bool terminal[STDERR_FILENO + 1]; /* which of 0, 1, 2 were one */
static bool pipe_kills; /* SIGPIPE would, had we not ignored it */

static void on_signal(int number) {
    int saved = errno;
    caught = number;
    ssize_t n = write(wake[1], "", 1);
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
    if (sigaction(number, NULL, &was) == 0 && was.sa_handler != SIG_IGN) {
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

int signals_forked(struct err *err) {
    signal(SIGINT, SIG_IGN);
    close(wake[0]);
    close(wake[1]);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        struct told *t = &told[i];
        if (t->ends[0] >= 0) {
            close(t->ends[0]);
            close(t->ends[1]);
            if (open_pipe(t->ends, err) != 0) {
                return -1;
            }
        }
    }
    return open_pipe(wake, err);
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
        catch_one(number, on_told, SA_RESTART);
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
