/*
 * status.h - from a failure to the exit status: one table.
 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "report/report.h"

struct status {
    int number;       /* 0..255 */
    const char *name; /* the class, for machines: "untrusted"; static */
};

/**
 * The exit status. Of several reasons to refuse a certificate the one with the
 * lowest number counts.
 *
 * @param e          what went wrong; ERR_NONE is 0
 * @param stage      how far it had got
 * @param cert_refused  the peer's alert was about our certificate
 * @return a signal is 128 plus its number
 */
struct status status_of(const struct err *e, enum report_stage stage,
                        bool cert_refused);

/**
 * The classes there are, for the man page's test.
 *
 * @param i  0, 1, ...
 * @return the i-th, in rising order of their numbers; name NULL past the last
 */
struct status status_at(size_t i);

#endif
