/*
 * terminal.h - what a terminal can show: its width, and colours.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "report/waterfall.h"

/* --color, by its names. */
enum terminal_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/**
 * How to print to a descriptor.
 *
 * Colours are used where they are asked for, else on a terminal, unless
 * NO_COLOR is set and not empty, or TERM is "dumb". The width is the
 * terminal's, else what COLUMNS says, else 80; one column of it stays free,
 * since some terminals begin a new line as soon as the last is written. With
 * COLOR_ALWAYS what is no terminal is taken for one.
 *
 * @param fd     need not be a terminal
 * @param color  a terminal_color
 */
void terminal_look(int fd, int color, struct waterfall_look *look);

#endif
