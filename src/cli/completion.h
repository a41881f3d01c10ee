/*
 * completion.h - shell completion scripts, made from the tables.
 *
 * Each completes the commands, a command's options, the values of a choice,
 * file names where a value is a FILE or DATA, and the operands that struct
 * command says completion knows. Nothing is run while completing.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdio.h>

#include "cli/command.h"

/** Write a script for bash (3.2 or later) to source. */
void completion_bash(FILE *f, const struct command *const *commands);

/** Write a script for a file `_mptls` on zsh's fpath, or to source. */
void completion_zsh(FILE *f, const struct command *const *commands);

/** Write a script for fish (3.1 or later) to source. */
void completion_fish(FILE *f, const struct command *const *commands);

#endif
