/*
 * check_jobs.h - pieces of work, done by processes, some at a time.
 *
 * Processes rather than threads, because Mbed TLS is built without locks, and
 * so that what goes wrong in one takes nothing else with it. Each does one
 * piece after the other; one that dies takes the piece with it that it had, and
 * another takes its place.
 */
#ifndef CLI_CHECK_JOBS_H
#define CLI_CHECK_JOBS_H

#include <stddef.h>
#include <stdio.h>

#include "io/loop.h"

enum {
    CHECK_JOBS_MAX = 256,             /* at a time */
    CHECK_JOB_TEXT_MAX = 4096 * 1024, /* bytes of one text that are kept: of
                                         more, its beginning and its end */
    CHECK_JOB_LOST = -1000            /* the process ended, and nobody knows
                                         why */
};

/* What a piece of work may write into. */
enum check_job_text {
    CHECK_JOB_OUT,  /* its stdout */
    CHECK_JOB_ERR,  /* its stderr */
    CHECK_JOB_JSON, /* without a NUL */
    CHECK_JOB_TEXTS
};

/* What came of one. */
struct check_job_result {
    size_t i;
    int status; /* what `work` returned; -N: signal N ended the process;
                   CHECK_JOB_LOST */
    const char *text[CHECK_JOB_TEXTS]; /* borrowed for the call */
    size_t len[CHECK_JOB_TEXTS];
};

struct check_jobs {
    size_t n;                /* pieces, 0..n-1 */
    unsigned at_once;        /* 1..CHECK_JOBS_MAX */
    const struct loop *loop; /* its limit and signals end everything */
    /**
     * In another process, which may have done other pieces before:
     * signals_catch() gives a descriptor of its own, SIGINT is ignored and
     * SIGTERM is told.
     *
     * @return 0..255
     */
    int (*work)(void *arg, size_t i, FILE *json);
    /**
     * In this process, as each one ends.
     *
     * @return 0, or -1 with *err set: end everything
     */
    int (*done)(void *arg, const struct check_job_result *r, struct err *err);
    /** Whenever that has changed. */
    void (*progress)(void *arg, unsigned running);
    void *arg;
};

/**
 * Do all pieces, in their order as far as they begin.
 *
 * If something ends it early, no further piece begins; those that are running
 * get SIGTERM for a signal, have a short while to end, and are killed then.
 * `done` is told of each one that came to an end by itself. No process and no
 * descriptor is left.
 *
 * @return 0: all are done; -1: ERR_SIGNAL, ERR_MAX_TIME, ERR_OS (no process or
 *         pipe, not even for one at a time), or what `done` has set
 */
MUST_USE int check_jobs_run(const struct check_jobs *j, struct err *err);

#endif
