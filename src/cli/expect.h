/*
 * expect.h - --expect KEY=VALUE: what a run must come to, for the exit status
 * to be 0.
 *
 * All hold: 0, whatever else happened. One does not: 50. But
 *
 *   a signal, and a mistake on the command line, keep their status;
 *   so does a failure of this machine (1), unless `exit` is expected;
 *   in the stage `setup` nothing but `exit` is known.
 *
 * What is not known does not hold.
 */
#ifndef CLI_EXPECT_H
#define CLI_EXPECT_H

#include "cli/opt.h"
#include "report/report.h"

struct expect_key;

struct expect {
    size_t n;
    const struct expect_key *keys[OPT_MANY_MAX];
    struct report_expect rows[OPT_MANY_MAX];
};

/**
 * Read what is expected.
 *
 * @param given  borrowed
 * @return 0, or -1: ERR_USAGE for a KEY that there is not, or a VALUE that it
 *         cannot have; `e` expects nothing then
 */
MUST_USE int expect_read(struct expect *e, const struct opt_many *given,
                         struct err *err);

/**
 * Compare, and let that decide the exit status.
 *
 * @param r  complete; `expects` and, where they decide, `exit` and `exit_name`
 *           are set; it points into `e`
 */
void expect_judge(struct expect *e, struct report *r);

/** @return the i-th KEY there is, for the man page's test, or NULL */
const char *expect_key_at(size_t i);

#endif
