/*
 * commands.h - the subcommands there are.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_connect;
extern const struct command cmd_serve;
extern const struct command cmd_check;
extern const struct command cmd_verify;
extern const struct command cmd_ciphers;
extern const struct command cmd_profiles;
extern const struct command cmd_explain;
extern const struct command cmd_completion;
extern const struct command cmd_help;

/** All of them, ended by NULL, the main ones first; defined in main.c. */
extern const struct command *const commands[];

/**
 * @param name  a word of the command line
 * @return the command, or NULL: ERR_USAGE with the nearest name
 */
const struct command *command_find(const char *name, struct err *err);

/**
 * Parse a command's arguments, and deal with what ends it there: --help is
 * printed.
 *
 * @param status  set if the command is over
 * @return 0: go on; OPT_HELP: the command is over, *status is its exit status;
 *         -1: *err says what is wrong
 */
MUST_USE int command_parse(const struct command *c, void *options, int argc,
                           char **argv, const char **operands,
                           size_t *operand_count, size_t operand_max,
                           int *status, struct err *err);

/**
 * Say on stderr what is wrong and where help is.
 *
 * @return the exit status
 */
int command_failed(const struct command *c, const struct err *err);

/** @return 0 if all of stdout was written, else 1 after saying so */
int command_flush(void);

#endif
