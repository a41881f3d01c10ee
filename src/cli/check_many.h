/*
 * check_many.h - many targets: some at a time, one report after the other, and
 * the sum.
 */
#ifndef CLI_CHECK_MANY_H
#define CLI_CHECK_MANY_H

#include "cli/check_targets.h"
#include "cli/output.h"
#include "io/loop.h"

struct check_many {
    const struct check_targets *targets;
    unsigned at_once; /* 1..CHECK_JOBS_MAX */
    const struct loop *loop;
    const struct output *out; /* its json_file gets the JSON */
    bool text;                /* stdout has text, stderr the sum */
    /**
     * Check one, in another process, and report to stdout, stderr and `json`.
     * Nothing may be left of it when the process is given another.
     *
     * @return the exit status that it comes to
     */
    int (*one)(void *arg, size_t i, FILE *json);
    void *arg;
};

/**
 * Check them all. Each one's report is printed whole when it is done. On a
 * terminal a line of stderr says how far it is.
 *
 * @param r  r->err says why it ended before all were done, if it did
 * @return the largest exit status of those that are done, 0 if there are none
 */
int check_many_run(const struct check_many *m, struct report *r);

#endif
