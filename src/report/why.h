/*
 * why.h - why one connection failed: what was found out of it, or else what the
 * table of causes says of its code.
 */
#ifndef REPORT_WHY_H
#define REPORT_WHY_H

#include <stdbool.h>

#include "report/explain.h"
#include "report/report.h"

struct why {
    const struct ssl_finding *finding; /* that it is told by; NULL: none */
    const struct explain_advice *advice;
    const char *name; /* the finding's, or the report's */
    const char *more; /* what `mptls explain` takes; NULL: nothing */
    const char *what;
    const char *who; /* as in struct explain_cause */
    const char *step;
};

/**
 * @param w  filled; points into `r` and the table
 * @return false if there is nothing to explain: a success, a mistake on the
 *         command line, a signal, --max-time, or a failure of this machine
 *         itself, all of which the message names
 */
bool why_of(const struct report *r, struct why *w);

#endif
