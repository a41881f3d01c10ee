/*
 * opt.h - a command's options: the table, and the parser that reads it.
 *
 * One table feeds the parser, the help, the completion and the test of the man
 * page. A row says which member of the command's options struct it fills; the
 * OPT_ROW_* macros make a member of another type fail to compile.
 *
 * struct tls_options { int verify; const char *cert; };
 * struct connect_options { bool quiet; struct tls_options tls; };
 *
 * static const char *const verify_modes[] = { "none", "required", NULL };
 * const struct opt tls_opts[] = {
 *     OPT_ROW_CHOICE(struct tls_options, verify, 0, "verify", "MODE",
 *                    verify_modes, "how far to check the peer's certificate"),
 *     OPT_ROW_STRING(struct tls_options, cert, 'c', "cert", "DATA",
 *                    "our certificate chain"),
 *     OPT_END
 * };
 * static const struct opt connect_opts[] = {
 *     OPT_ROW_FLAG(struct connect_options, quiet, 'q', "quiet", "say less"),
 *     OPT_END
 * };
 * static const struct opt_group groups[] = {
 *     { "TLS", tls_opts, offsetof(struct connect_options, tls) },
 *     { "Output", connect_opts, 0 },
 *     OPT_GROUPS_END
 * };
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define OPT_MAX 128     /* the most options a command can have */
#define OPT_MANY_MAX 32 /* the most values of one repeatable option */
#define OPT_HELP 1      /* what opt_parse returns for --help */

/* The longest duration, a year: adding one to a clock cannot overflow. */
#define OPT_DURATION_MAX (INT64_C(365) * 24 * 3600 * 1000)

enum opt_type {
    OPT_FLAG,     /* bool: true */
    OPT_COUNT,    /* unsigned: how often it was given */
    OPT_STRING,   /* const char *: points into argv; may be empty */
    OPT_LIST,     /* as OPT_STRING: whoever uses it splits it at commas */
    OPT_MANY,     /* struct opt_many: may be repeated */
    OPT_OPTIONAL, /* struct opt_optional */
    OPT_CHOICE,   /* int: index into choices */
    OPT_UINT,     /* unsigned: min..max, decimal */
    OPT_DURATION, /* int64_t: milliseconds, 0..OPT_DURATION_MAX; 0: no limit */
    OPT_SIZE      /* int64_t: bytes, min..max */
};

/* Only --name=VALUE gives a value: the word after a bare --name isn't one. */
struct opt_optional {
    bool given;
    const char *value; /* points into argv; NULL if there is none */
};

/* The values of an option that may be repeated, in their order. */
struct opt_many {
    const char *value[OPT_MANY_MAX]; /* point into argv; may be empty */
    size_t n;
};

struct opt {
    char letter;      /* 0 if it has only a long name */
    const char *name; /* without the leading dashes; NULL ends a table */
    const char *arg;  /* what to call its value in the help; NULL: none */
    const char *help; /* lower case, no full stop */
    enum opt_type type;
    size_t offset;              /* of the member, in the group's struct */
    const char *const *choices; /* OPT_CHOICE: ended by NULL */
    int64_t min, max;           /* OPT_UINT, OPT_SIZE: inclusive */
};

struct opt_group {
    const char *title;      /* in the help, e.g. "Time-outs"; NULL: these
                               go on with the group before */
    const struct opt *opts; /* ended by OPT_END; NULL ends the groups */
    size_t base; /* offset of these options' struct in the command's */
};

#define OPT_END                                                                \
    { 0 }
#define OPT_GROUPS_END                                                         \
    { 0 }

#define OPT_OFFSET(s, m, type) _Generic(&((s *)0)->m, type * : offsetof(s, m))

#define OPT_ROW(s, m, l, n, a, h, kind, ctype)                                 \
    .letter = (l), .name = (n), .arg = (a), .help = (h), .type = (kind),       \
    .offset = OPT_OFFSET(s, m, ctype)

/* s: the options struct, m: its member, l: letter or 0, n: name, h: help;
 * a: what to call the value, c: choices, lo and hi: the range. */
#define OPT_ROW_FLAG(s, m, l, n, h)                                            \
    { OPT_ROW(s, m, l, n, NULL, h, OPT_FLAG, bool) }
#define OPT_ROW_COUNT(s, m, l, n, h)                                           \
    { OPT_ROW(s, m, l, n, NULL, h, OPT_COUNT, unsigned) }
#define OPT_ROW_STRING(s, m, l, n, a, h)                                       \
    { OPT_ROW(s, m, l, n, a, h, OPT_STRING, const char *) }
#define OPT_ROW_LIST(s, m, l, n, a, h)                                         \
    { OPT_ROW(s, m, l, n, a, h, OPT_LIST, const char *) }
#define OPT_ROW_MANY(s, m, l, n, a, h)                                         \
    { OPT_ROW(s, m, l, n, a, h, OPT_MANY, struct opt_many) }
#define OPT_ROW_OPTIONAL(s, m, l, n, a, h)                                     \
    { OPT_ROW(s, m, l, n, a, h, OPT_OPTIONAL, struct opt_optional) }
#define OPT_ROW_CHOICE(s, m, l, n, a, c, h)                                    \
    { OPT_ROW(s, m, l, n, a, h, OPT_CHOICE, int), .choices = (c) }
#define OPT_ROW_UINT(s, m, l, n, a, lo, hi, h)                                 \
    { OPT_ROW(s, m, l, n, a, h, OPT_UINT, unsigned), .min = (lo), .max = (hi) }
#define OPT_ROW_DURATION(s, m, l, n, h)                                        \
    { OPT_ROW(s, m, l, n, "TIME", h, OPT_DURATION, int64_t) }
#define OPT_ROW_SIZE(s, m, l, n, lo, hi, h)                                    \
    {                                                                          \
        OPT_ROW(s, m, l, n, "SIZE", h, OPT_SIZE, int64_t), .min = (lo),        \
                                                           .max = (hi)         \
    }

/** The row of -h and --help, which every command has beside its table. */
extern const struct opt opt_help;

/**
 * @param groups  a command's groups; NULL: it has no options of its own
 * @param base    NULL, or set to the base of the row's group
 * @return the i-th row over all groups, opt_help after the last of them, and
 *         then NULL
 */
const struct opt *opt_at(const struct opt_group *groups, size_t i,
                         size_t *base);

/** @return whether --name=VALUE is right for this option */
bool opt_takes_value(const struct opt *o);

/** @return whether the option may be given more than once */
bool opt_may_repeat(const struct opt *o);

/** @return whether --name without a value is wrong for this option */
bool opt_needs_value(const struct opt *o);

/**
 * Fill a command's options from its arguments.
 *
 * Options stand anywhere: --name VALUE, --name=VALUE, -x VALUE, -xVALUE, and
 * letters without values together, -vq. "--" ends them and "-" is an operand;
 * so is '-' with a digit that is no option's letter (-0x7280). No
 * abbreviations. A given option's VALUE is any word but one of this command's
 * --names, which after --name is taken for a forgotten value; --name=--other
 * says that it is meant.
 *
 * TIME is decimal seconds, or has ms, s, m or h after it, and is rounded up to
 * a millisecond, so that only 0 is 0. SIZE is bytes, or has k, m or g after
 * it: powers of 1024.
 *
 * @param groups         the command's table
 * @param options        its options struct, filled with defaults; a member
 *                       whose option isn't given, or is wrong, keeps its own
 * @param argc           words in argv
 * @param argv           argv[0] is the command's name; strings point into it
 * @param operands       room for operand_max
 * @param operand_count  set, at most operand_max
 * @param err            the first thing that was wrong, ERR_USAGE
 * @return 0; -1 with *err set, after reading on to the end, so that options
 *         that say how to report an error are known; OPT_HELP if help was asked
 *         for, whatever else is wrong
 */
MUST_USE int opt_parse(const struct opt_group *groups, void *options, int argc,
                       char **argv, const char **operands,
                       size_t *operand_count, size_t operand_max,
                       struct err *err);

/**
 * Check a table, for tests: names and letters are unique and well formed, the
 * help is lower case (an acronym may begin it) without a full stop, and what
 * each type needs is there.
 *
 * @return 0, or -1: ERR_USAGE naming the row
 */
MUST_USE int opt_check(const struct opt_group *groups, struct err *err);

#endif
