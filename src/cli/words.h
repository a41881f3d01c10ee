/*
 * words.h - a command line in one text, taken apart without a shell.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include "base/err.h"

/**
 * Take a text apart at blanks and newlines.
 *
 * Within '...' every character is itself; within "..." too, but for \" and \\;
 * outside, a backslash makes the next character itself. Nothing else is
 * special: no variables, patterns, pipes or redirections.
 *
 * @param option  for messages, e.g. "--exec"
 * @param words   on success ended by NULL, one or more before it: one block,
 *                to be freed by the caller; else untouched
 * @return 0, or -1: ERR_USAGE for no word at all, a quote without its end, or a
 *         backslash at the end; ERR_OS (ENOMEM)
 */
MUST_USE int words_split(const char *option, const char *text, char ***words,
                         struct err *err);

#endif
