#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_end(struct stream *s) {
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

static ssize_t child_read(struct stream *s, void *buf, size_t len,
                          struct err *err) {
    ssize_t n = read(s->fd, buf, len);
    if (n >= 0) {
        return n;
    }
    return errno == EAGAIN || errno == EINTR
               ? STREAM_WANT_RD
               : err_set(err, ERR_OS, errno, "read from the command: %s",
                         strerror(errno));
}

static ssize_t child_write(struct stream *s, const void *buf, size_t len,
                           struct err *err) {
    ssize_t n = s->fd >= 0 ? write(s->fd, buf, len) : (ssize_t)len;
    if (n >= 0) {
        return n;
    }
    if (errno == EPIPE) { /* it reads no more, as it may */
        close_end(s);
        return (ssize_t)len;
    }
    return errno == EAGAIN || errno == EINTR
               ? STREAM_WANT_WR
               : err_set(err, ERR_OS, errno, "write to the command: %s",
                         strerror(errno));
}

static int child_end(struct stream *s, struct err *err) {
    (void)err;
    close_end(s);
    return 0;
}

static const struct stream_ops in_ops = { .read = child_read };
static const struct stream_ops out_ops = { .write = child_write,
                                           .end = child_end };

/* A pipe of which our end does not block; the other is another open file, so
 * that the child's does. @return 0, or -1 with errno */
static int open_pipe(int ends[2], int ours) {
    if (pipe(ends) != 0) {
        return -1;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[ours], F_SETFL, fcntl(ends[ours], F_GETFL) | O_NONBLOCK);
    return 0;
}

/* @return 0, or an errno */
static int spawn(pid_t *pid, int in, int out, char *const argv[],
                 char *const env[]) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files) != 0) {
        return ENOMEM;
    }
    if (posix_spawnattr_init(&attr) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
                                        POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    int why = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO) != 0 ||
                      posix_spawn_file_actions_adddup2(&files, out,
                                                       STDOUT_FILENO) != 0
                  ? ENOMEM
                  : posix_spawnp(pid, argv[0], &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return why;
}

/* Is it the program that cannot be run, rather than any? */
static bool program_bad(int why) {
    return why != EAGAIN && why != ENOMEM && why != EMFILE && why != ENFILE;
}

int child_start(struct child *c, const char *option, char *const argv[],
                char *const env[], struct err *err) {
    int to[2], from[2];
    *c = (struct child){ .in = { .ops = &in_ops, .fd = -1 },
                         .out = { .ops = &out_ops, .fd = -1 } };
    if (open_pipe(to, 1) != 0) {
        return err_set(err, ERR_OS, errno, "%s: make a pipe: %s", option,
                       strerror(errno));
    }
    if (open_pipe(from, 0) != 0) {
        err_set(err, ERR_OS, errno, "%s: make a pipe: %s", option,
                strerror(errno));
        close(to[0]);
        close(to[1]);
        return -1;
    }
    int why = spawn(&c->pid, to[0], from[1], argv, env);
    close(to[0]);
    close(from[1]);
    c->in.fd = from[0];
    c->out.fd = to[1];
    if (why != 0) {
        c->pid = 0;
        close_end(&c->in);
        close_end(&c->out);
        return err_set(err, program_bad(why) ? ERR_FILE : ERR_OS, why,
                       "%s: start %.80s: %s", option, argv[0], strerror(why));
    }
    return 0;
}

bool child_deaf(const struct child *c) {
    struct pollfd p = { .fd = c->out.fd };
    return p.fd < 0 || (poll(&p, 1, 0) > 0 && (p.revents & POLLERR) != 0);
}

void child_leave(struct child *c, int64_t now_ms) {
    if (c->pid == 0) {
        return;
    }
    close_end(&c->in);
    close_end(&c->out);
    c->next_ms = now_ms + CHILD_GRACE_MS;
}

void child_hurry(struct child *c, int64_t now_ms) {
    if (c->sent == 0) {
        c->next_ms = now_ms;
    }
}

bool child_over(struct child *c, int64_t now_ms) {
    if (c->pid == 0) {
        return true;
    }
    int status = 0;
    pid_t done = waitpid(c->pid, &status, WNOHANG);
    if (done == c->pid || (done < 0 && errno == ECHILD)) {
        c->pid = 0;
        c->status = done > 0 ? status : CHILD_STATUS_UNKNOWN;
        return true;
    }
    if (now_ms >= c->next_ms) {
        c->sent = c->sent == 0 ? SIGTERM : SIGKILL;
        kill(-c->pid, c->sent);
        c->next_ms = now_ms + CHILD_GRACE_MS;
    }
    return false;
}
