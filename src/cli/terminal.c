/* Not POSIX, but on every Unix: TIOCGWINSZ and struct winsize. */
#define _DEFAULT_SOURCE

#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH = 80, WIDTH_MAX = 10000 };

/* @return the variable's value; NULL if it is empty, too */
static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static unsigned width_of(int fd) {
    struct winsize size;
    const char *columns = variable("COLUMNS");
    long n = columns != NULL ? strtol(columns, NULL, 10) : 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        n = size.ws_col;
    }
    return n > 1 && n <= WIDTH_MAX ? (unsigned)n : WIDTH;
}

void terminal_look(int fd, int color, struct waterfall_look *look) {
    bool terminal = isatty(fd) == 1;
    const char *kind = variable("TERM");
    bool able = terminal && variable("NO_COLOR") == NULL &&
                (kind == NULL || strcmp(kind, "dumb") != 0);
    *look = (struct waterfall_look){
        .width = terminal || color == COLOR_ALWAYS ? width_of(fd) - 1 : 0,
        .colour = color == COLOR_ALWAYS || (color == COLOR_AUTO && able),
    };
}
