/*
 * check_targets.h - what check is to check: operands, and the lines of a file.
 */
#ifndef CLI_CHECK_TARGETS_H
#define CLI_CHECK_TARGETS_H

#include <stddef.h>

#include "base/err.h"
#include "io/net.h"

struct check_target {
    const char *text; /* as it was given; borrowed or in `data` */
    size_t line;      /* of the file, from 1; 0: an operand */
};

struct check_targets {
    struct check_target *at;
    size_t n;
    const char *file; /* for messages; NULL: there was none */
    unsigned char *data;
};

/**
 * Take operands, then the file's lines: a HOST:PORT on each, with white space
 * around it or none; '#' at the beginning or after white space starts a
 * remark; what is empty then is skipped. A line may be wrong; see
 * check_target_parse().
 *
 * @param t     overwritten; check_targets_free() is due in every case
 * @param file  a path, "-" for stdin, or NULL
 * @return 0, or -1: ERR_USAGE for a wrong operand, or for none at all; ERR_FILE
 *         for a file that cannot be read or has no target; ERR_OS
 */
MUST_USE int check_targets_init(struct check_targets *t,
                                const char *const *operands, size_t n,
                                const char *file, struct err *err);

/** May be called twice. */
void check_targets_free(struct check_targets *t);

/**
 * Take one apart.
 *
 * @return 0, or -1: ERR_USAGE as net_parse_target, of a line with "FILE:LINE:"
 *         before it
 */
MUST_USE int check_target_parse(const struct check_targets *t, size_t i,
                                struct net_target *out, struct err *err);

/** Say that it cannot be used, as check_target_parse() does. @return -1 */
int check_target_wrong(const struct check_targets *t, size_t i,
                       const struct err *why, struct err *err);

#endif
