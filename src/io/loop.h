/*
 * loop.h - waiting, for one client, under limits and signals.
 *
 * Every wait of a run goes through here, so that a step's limit, the whole
 * run's limit and a signal end it alike, and the message names what was
 * awaited. All clocks are CLOCK_MONOTONIC: setting the date changes nothing.
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <poll.h>
#include <signal.h>
#include <stdint.h>

#include "base/err.h"

enum { LOOP_FDS_MAX = 1024, LOOP_DURATION_MAX = 32 };

struct loop {
    int wake_fd; /* readable once a signal came, never read; borrowed; -1 */
    const volatile sig_atomic_t *signal; /* its number, 0: none came; or NULL */
    int64_t max_time_ms;                 /* the whole run's limit; 0: none */
    int64_t max_at_ms;                   /* when that is, if there is one */
};

/* The limit of one step, e.g. of the handshake. */
struct loop_limit {
    int64_t ms;    /* as the user gave it; 0: none */
    int64_t at_ms; /* when it passes, on loop_now_ms()'s clock */
};

/** @return milliseconds on the monotonic clock; only differences mean much */
int64_t loop_now_ms(void);

/** @return as loop_now_ms, in microseconds */
int64_t loop_now_us(void);

/**
 * Start the run: its limit counts from this call.
 *
 * @param wake_fd      what the signal handler makes readable, after it has
 *                     stored the number; borrowed; -1 if there is none, which
 *                     leaves a signal just before poll unnoticed
 * @param signal       where the handler stores the number; borrowed, must
 *                     outlive `l`; NULL if there is none
 * @param max_time_ms  0 or more; 0: no limit
 */
void loop_init(struct loop *l, int wake_fd, const volatile sig_atomic_t *signal,
               int64_t max_time_ms);

/** @return a limit of `ms` from now; 0 or less: none; never overflows */
struct loop_limit loop_limit_start(int64_t ms);

/** Let *due be `at` if that comes before; 0 in either means never. */
void loop_sooner(int64_t *due, int64_t at);

/**
 * @param awaiting  as for loop_wait()
 * @return 0: it has not passed, or is none; -1: ERR_TIMEOUT (limit->ms)
 */
MUST_USE int loop_limit_check(const struct loop_limit *limit,
                              const char *awaiting, struct err *err);

/**
 * @param ms   0 or more
 * @param buf  room for LOOP_DURATION_MAX bytes
 * @return buf, with the duration in words: "300 ms", "1.5 s", "2 min", "1 h"
 */
const char *loop_duration(int64_t ms, char *buf);

/**
 * Wait until a descriptor is ready; a signal without a handler that stores its
 * number does not end the wait.
 *
 * A signal goes before a ready descriptor. So does a limit that has passed
 * before the call: a peer that always has one byte more cannot outlive it.
 *
 * @param fds       as for poll; revents are set where the answer is 0; a
 *                  negative fd is never ready; may be NULL if n is 0
 * @param n         0..LOOP_FDS_MAX; 0 sleeps until a limit or a signal
 * @param limit     this step's; NULL: none
 * @param awaiting  a noun for the message, e.g. "the server's hello"
 * @return 0 when at least one of `fds` is ready, else -1 with
 *         ERR_SIGNAL (the number), ERR_TIMEOUT (limit->ms), ERR_MAX_TIME
 *         (max_time_ms; of the two limits the one that passes first), or
 *         ERR_OS (errno of poll; EINVAL: n is too large; EBADF: wake_fd is
 *         broken)
 */
int loop_wait(const struct loop *l, struct pollfd *fds, nfds_t n,
              const struct loop_limit *limit, const char *awaiting,
              struct err *err);

/**
 * For work that never has to wait: has a signal come, or the run's limit
 * passed?
 *
 * @param awaiting  as for loop_wait()
 * @return 0: go on; -1 with ERR_SIGNAL or ERR_MAX_TIME
 */
int loop_check(const struct loop *l, const char *awaiting, struct err *err);

#endif
