/*
 * command.h - what a subcommand is: its texts, its options, its function.
 *
 * Lists of commands are arrays of pointers ended by NULL, the two main
 * commands first.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/opt.h"

struct command {
    const char *name;
    /* After "[options]" in the usage: "HOST:PORT", or NULL. Completion knows
     * FILE and CHAIN (a path), COMMAND, and words parted by '|'. */
    const char *operand;
    const char *summary;         /* one line, lower case, no full stop */
    const char *description;     /* sentences; '\n' ends a line; or NULL */
    const char *const *examples; /* lines ended by NULL; '#' begins a remark */
    const struct opt_group *groups; /* NULL: --help is the only option */
    /** @return the exit status; argv[0] is the command's name */
    int (*run)(int argc, char **argv);
};

#endif
