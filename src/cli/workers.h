/*
 * workers.h - processes that do the same work side by side, started before
 * there is any, and started anew when they die.
 */
#ifndef CLI_WORKERS_H
#define CLI_WORKERS_H

#include "cli/output.h"
#include "io/loop.h"

enum {
    WORKERS_MAX = 64,
    WORKERS_YOUNG_MS = 1000, /* who dies younger had no luck from the start */
    WORKERS_DELAY_MS = 100,  /* before such a one is started a third time */
    WORKERS_DELAY_MAX_MS = 5000,
    WORKERS_TRIES = 10,       /* that end by themselves, in a row */
    WORKERS_GRACE_MS = 10000, /* to end in, when told to; then SIGKILL */
};

/* All is borrowed while they run. */
struct workers {
    unsigned n; /* 1..WORKERS_MAX */
    const struct output *out;
    const struct loop *loop; /* of signals_catch(); and when all ends */
    int hup_fd, usr1_fd;     /* of signals_tell(); -1: not caught */
    int64_t drain_ms;        /* what SIGTERM gives them to end, in addition */

    /**
     * In each of the processes, which ends with what this returns. What
     * signals_catch() and signals_tell() gave is to be asked for anew, and what
     * comes there to be taken by signals_hear(): SIGTERM, SIGINT, SIGHUP and
     * SIGUSR1 come from the parent, whoever else sends them. Random numbers
     * are the parent's until ssl_context_forked().
     *
     * @param i  0..n-1; a successor has the number of the one that died
     */
    int (*work)(void *arg, unsigned i);

    /**
     * In the parent, before a signal that is not to end them is passed on: do
     * to what successors will inherit what they do to their own.
     *
     * @param number  SIGHUP or SIGUSR1, to be had from signals_take()
     * @return 0, or -1: all are to end at once
     */
    int (*refresh)(void *arg, int number, struct err *err);

    /** In the parent, once no successor will be started: close what only they
     * would have needed. */
    void (*closing)(void *arg);

    void *arg;
};

/**
 * Start them, and stay until all have ended.
 *
 * One that dies is said so, and started anew: at once, but after
 * WORKERS_DELAY_MS, doubled each time up to WORKERS_DELAY_MAX_MS, if its
 * predecessor was young, too. The others are not disturbed.
 *
 * A work that returns has failed, and said why. If it does when it is young,
 * and the first of its number or one of WORKERS_TRIES in a row, there is no
 * point in going on: all end.
 *
 * SIGTERM and SIGINT are passed on to all, one after the other if both come,
 * and nobody is started any more; the same one again kills the parent, and so
 * all of them: on Linux the kernel sees to that, however the parent dies, and
 * elsewhere they hear that it is gone (signals_hear()).
 *
 * @return the status of work that cannot be done; else -1 with ERR_SIGNAL,
 *         ERR_MAX_TIME, what `refresh` said, or ERR_OS if not all could be
 *         started in the first place. No process of them is left.
 */
int workers_run(const struct workers *config, struct err *err);

#endif
