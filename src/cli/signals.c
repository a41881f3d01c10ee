#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static int wake[2] = { -1, -1 };
static bool pipe_kills; /* SIGPIPE would, had we not ignored it */

static void on_signal(int number) {
    int saved = errno;
    caught = number;
    ssize_t n = write(wake[1], "", 1);
    (void)n; /* full: already readable */
    errno = saved;
}

static void catch_one(int number) {
    struct sigaction was, now;
    memset(&now, 0, sizeof now);
    now.sa_handler = on_signal;
    now.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&now.sa_mask);
    if (sigaction(number, NULL, &was) == 0 && was.sa_handler != SIG_IGN) {
        sigaction(number, &now, NULL);
    }
}

static int open_wake(struct err *err) {
    if (pipe(wake) != 0) {
        return err_set(err, ERR_OS, errno, "make a pipe: %s", strerror(errno));
    }
    for (int i = 0; i < 2; i++) {
        fcntl(wake[i], F_SETFD, FD_CLOEXEC);
        fcntl(wake[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

int signals_forked(struct err *err) {
    signal(SIGINT, SIG_IGN);
    close(wake[0]);
    close(wake[1]);
    return open_wake(err);
}

int signals_catch(int *wake_fd, const volatile sig_atomic_t **number,
                  struct err *err) {
    if (wake[0] < 0) {
        if (open_wake(err) != 0) {
            return -1;
        }
        struct sigaction was;
        pipe_kills =
            sigaction(SIGPIPE, NULL, &was) == 0 && was.sa_handler != SIG_IGN;
        signal(SIGPIPE, SIG_IGN);
        catch_one(SIGINT);
        catch_one(SIGTERM);
    }
    *wake_fd = wake[0];
    *number = &caught;
    return 0;
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
