/*
 * signals.h - SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD as something to poll.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"

/**
 * Catch SIGINT and SIGTERM once each (the second one kills), and ignore
 * SIGPIPE and SIGXFSZ. Those that were ignored already stay so.
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
 * In a worker forked after that, with all signals blocked: what its parent
 * writes to a pipe takes the place of signals, a byte for each, its number.
 * Those that the parent has caught are ignored, since a terminal and a service
 * manager send them to every process, and the parent passes them on once.
 * SIGCHLD is as by default.
 *
 * signals_catch() and signals_tell() give descriptors of its own from now on.
 *
 * @param fd  the pipe, non-blocking; owned
 * @return 0, or -1: ERR_OS
 */
MUST_USE int signals_follow(int fd, struct err *err);

/**
 * Take from the descriptor of signals_catch() what has come, so that it is
 * readable anew with the next signal. In a worker this is also what makes a
 * signal of the parent's bytes; that the parent is gone counts as one, SIGHUP,
 * which ends it.
 *
 * @return whether more can come; false: the parent is gone
 */
bool signals_hear(void);

/**
 * Catch SIGHUP, SIGUSR1 or SIGCHLD, too, each time that it comes; without this
 * the first two end the process. If one of them was ignored already it stays
 * so; SIGCHLD never, since who asks for it waits for its children.
 *
 * @param number  one of these
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
