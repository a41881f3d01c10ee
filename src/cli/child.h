/*
 * child.h - a program whose stdin and stdout are a pair of streams.
 *
 * Nothing here blocks, and there is no state but struct child: many of them can
 * run beside each other.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/stream.h"

enum {
    CHILD_STATUS_UNKNOWN = -1, /* SIGCHLD came to us ignored: it is lost */
    CHILD_GRACE_MS =
        2000,          /* from its end of input to SIGTERM, and to SIGKILL */
    CHILD_LOOK_MS = 10 /* between two looks whether it has ended */
};

struct child {
    struct stream in;  /* what it writes; only read; fd -1 once closed */
    struct stream out; /* what it reads; only written and ended; likewise */
    pid_t pid;         /* 0: there is none, or it is over */
    int status;        /* as waitpid() has it, once it is over; or _UNKNOWN */
    int sent;          /* the last signal that we sent it; 0: none */
    int64_t next_ms;   /* when the next is due, once it has been left */
};

/**
 * Start a program, in a process group of its own. It has pipes as stdin and
 * stdout, and our stderr; no other descriptor of ours, every signal's default
 * action, and none blocked.
 *
 * `in` gives what it writes, and ends when it closes its stdout, or with the
 * last process that it left it to. `out` takes what it is to read; when it
 * reads no more, what comes for it is dropped, which is no failure. Other
 * failures of both are ERR_OS with an errno.
 *
 * @param option  for messages, e.g. "--exec"
 * @param argv    looked up in PATH if argv[0] has no slash; ended by NULL
 * @param env     its whole environment; ended by NULL
 * @return 0, or -1: ERR_FILE (errno: argv[0] cannot be run), ERR_OS (errno: no
 *         process, no pipe)
 */
MUST_USE int child_start(struct child *c, const char *option,
                         char *const argv[], char *const env[],
                         struct err *err);

/** @return whether nobody reads `out` any more; poll it for POLLERR */
bool child_deaf(const struct child *c);

/**
 * Close both pipes: it sees the end of its input, and then has CHILD_GRACE_MS
 * to end by itself. Harmless when called again, or without a child.
 *
 * @param now_ms  the time on any clock that only goes forward
 */
void child_leave(struct child *c, int64_t now_ms);

/** Do not wait for that grace; to be called after child_leave(). */
void child_hurry(struct child *c, int64_t now_ms);

/**
 * See whether it is over; one that should be gets SIGTERM, with its process
 * group, and after another CHILD_GRACE_MS SIGKILL.
 *
 * @param now_ms  as for child_leave(), which was called before
 * @return true: it is over, and no process is left to be waited for; false:
 *         call again after CHILD_LOOK_MS
 */
bool child_over(struct child *c, int64_t now_ms);

#endif
