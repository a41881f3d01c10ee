/*
 * signals.h - SIGINT, SIGTERM, SIGHUP and SIGUSR1 as something to poll.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"

/**
 * Catch SIGINT and SIGTERM once each (the second one kills), and ignore
 * SIGPIPE. Those that were ignored already stay so.
 *
 * @param wake_fd  set to a descriptor that is readable once a signal came
 * @param number   set to where its number then is, 0 before
 * @return 0, or -1: ERR_OS
 */
MUST_USE int signals_catch(int *wake_fd, const volatile sig_atomic_t **number,
                           struct err *err);

/**
 * In a process forked after that: descriptors of its own, which signals_catch()
 * and signals_tell() give from now on. SIGINT, which a terminal sends to the
 * parent as well, is ignored; the parent ends its children by SIGTERM.
 *
 * @return 0, or -1: ERR_OS
 */
MUST_USE int signals_forked(struct err *err);

/**
 * Catch SIGHUP or SIGUSR1, too, each time that it comes; without this it ends
 * the process. If it was ignored already it stays so.
 *
 * @param number  one of these two
 * @param fd      set to a descriptor that is readable once it came
 * @return 0, or -1: ERR_OS
 */
MUST_USE int signals_tell(int number, int *fd, struct err *err);

/** @return whether that signal came since the last call; any number counts as
 * one */
bool signals_take(int number);

/**
 * @return whether stdin, stdout or stderr was a terminal when SIGHUP was first
 *         caught, and is gone: SIGHUP then means what it has always meant
 */
bool signals_terminal_gone(void);

/** @return whether a closed stdout is to end us by SIGPIPE, silently */
bool signals_pipe_kills(void);

/**
 * End by SIGPIPE, as other filters do. Returns if it came to us ignored, or is
 * not caught, in which case it has had its chance.
 */
void signals_die_of_pipe(void);

#endif
