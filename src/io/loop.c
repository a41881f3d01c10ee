#include "io/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MS = 1000, MINUTE_MS = 60 * MS, HOUR_MS = 60 * MINUTE_MS };

int64_t loop_now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t loop_now_ms(void) {
    return loop_now_us() / 1000;
}

struct loop_limit loop_limit_start(int64_t ms) {
    if (ms <= 0) {
        return (struct loop_limit){ 0, 0 };
    }
    int64_t now = loop_now_ms();
    return (struct loop_limit){ ms,
                                ms < INT64_MAX - now ? now + ms : INT64_MAX };
}

void loop_init(struct loop *l, int wake_fd, const volatile sig_atomic_t *signal,
               int64_t max_time_ms) {
    struct loop_limit all = loop_limit_start(max_time_ms);
    l->wake_fd = wake_fd;
    l->signal = signal;
    l->max_time_ms = all.ms;
    l->max_at_ms = all.at_ms;
}

const char *loop_duration(int64_t ms, char *buf) {
    if (ms < MS) {
        snprintf(buf, LOOP_DURATION_MAX, "%" PRId64 " ms", ms);
    } else if (ms % HOUR_MS == 0) {
        snprintf(buf, LOOP_DURATION_MAX, "%" PRId64 " h", ms / HOUR_MS);
    } else if (ms % MINUTE_MS == 0) {
        snprintf(buf, LOOP_DURATION_MAX, "%" PRId64 " min", ms / MINUTE_MS);
    } else {
        int n = snprintf(buf, LOOP_DURATION_MAX, "%" PRId64 ".%03d", ms / MS,
                         (int)(ms % MS));
        while (buf[n - 1] == '0') {
            n--;
        }
        n -= buf[n - 1] == '.';
        snprintf(buf + n, (size_t)(LOOP_DURATION_MAX - n), " s");
    }
    return buf;
}

void loop_sooner(int64_t *due, int64_t at) {
    if (at != 0 && (*due == 0 || at < *due)) {
        *due = at;
    }
}

int loop_limit_check(const struct loop_limit *limit, const char *awaiting,
                     struct err *err) {
    char words[LOOP_DURATION_MAX];
    if (limit->ms <= 0 || loop_now_ms() < limit->at_ms) {
        return 0;
    }
    return err_set(err, ERR_TIMEOUT, limit->ms,
                   "nothing within %s: still waiting for %s",
                   loop_duration(limit->ms, words), awaiting);
}

static int loop_signalled(const struct loop *l, const char *awaiting,
                          struct err *err) {
    int number = l->signal != NULL ? (int)*l->signal : 0;
    return err_set(err, ERR_SIGNAL, number,
                   "stopped by signal %d, still waiting for %s", number,
                   awaiting);
}

/* What ends the wait whatever the descriptors say; else, in *timeout, what
 * poll is to be given. */
static int loop_left(const struct loop *l, const struct loop_limit *limit,
                     const char *awaiting, int *timeout, struct err *err) {
    char words[LOOP_DURATION_MAX];
    bool step = limit != NULL && limit->ms > 0;
    bool run = l->max_time_ms > 0;
    if (l->signal != NULL && *l->signal != 0) {
        return loop_signalled(l, awaiting, err);
    }
    *timeout = -1;
    if (!step && !run) {
        return 0;
    }
    bool run_first = run && (!step || l->max_at_ms < limit->at_ms);
    int64_t left = (run_first ? l->max_at_ms : limit->at_ms) - loop_now_ms();
    if (left > 0) {
        /* A wait beyond poll's 24 days is made of several. */
        *timeout = left < INT_MAX ? (int)left : INT_MAX;
        return 0;
    }
    if (run_first) {
        return err_set(err, ERR_MAX_TIME, l->max_time_ms,
                       "the %s for the whole run are over: "
                       "still waiting for %s",
                       loop_duration(l->max_time_ms, words), awaiting);
    }
    return loop_limit_check(limit, awaiting, err);
}

int loop_check(const struct loop *l, const char *awaiting, struct err *err) {
    int unused;
    return loop_left(l, NULL, awaiting, &unused, err);
}

int loop_wait(const struct loop *l, struct pollfd *fds, nfds_t n,
              const struct loop_limit *limit, const char *awaiting,
              struct err *err) {
    struct pollfd set[LOOP_FDS_MAX + 1];
    if (n > LOOP_FDS_MAX) {
        return err_set(err, ERR_OS, EINVAL, "wait for %s: too many descriptors",
                       awaiting);
    }
    if (n > 0) {
        memcpy(set, fds, n * sizeof *set);
    }
    set[n] = (struct pollfd){ .fd = l->wake_fd, .events = POLLIN };
    for (;;) {
        int timeout;
        if (loop_left(l, limit, awaiting, &timeout, err) != 0) {
            return -1;
        }
        int ready = poll(set, n + 1, timeout);
        if (ready < 0 && errno != EINTR && errno != EAGAIN) {
            return err_set(err, ERR_OS, errno, "wait for %s", awaiting);
        }
        if (ready <= 0) {
            continue;
        }
        if (set[n].revents != 0) {
            return (set[n].revents & POLLIN) != 0
                       ? loop_signalled(l, awaiting, err)
                       : err_set(err, ERR_OS, EBADF, "wait for signals");
        }
        memcpy(fds, set, n * sizeof *set);
        return 0;
    }
}
