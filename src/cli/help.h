/*
 * help.h - what --help prints, made from the tables, within 79 columns.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/**
 * Print one command's help: usage, summary, examples, then its options.
 *
 * Choices are listed behind an option's help, and what TIME, SIZE and DATA
 * mean is said once below, where an option takes one. Examples are printed as
 * they are; all else is wrapped.
 */
void help_command(FILE *f, const struct command *c);

/**
 * Print the program's help: usage, an example of each of the first two
 * commands, and the table of commands.
 */
void help_all(FILE *f, const struct command *const *commands);

#endif
