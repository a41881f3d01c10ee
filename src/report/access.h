/*
 * access.h - a server's log: one line for each connection, whatever became of
 * it.
 */
#ifndef REPORT_ACCESS_H
#define REPORT_ACCESS_H

#include <stdio.h>
#include <time.h>

#include "report/report.h"

/**
 * A line of text: time, peer and class, then `name=value` for what is known,
 * always in this order. The client's name, or a value, that is not a plain word
 * is in quotation marks, in which \" and \\ stand for these two; bytes other
 * than printable ASCII are written \xHH everywhere.
 *
 * @param when  its end, UTC
 * @param r     judged (cli/output.h)
 */
void report_access_text(FILE *f, const struct timespec *when,
                        const struct report *r);

/** The same as one JSON object (event "access") and a newline. */
void report_access_json(FILE *f, const struct timespec *when,
                        const struct report *r);

#endif
