#include "io/fd_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum { AHEAD_MAX = 4096 }; /* some small records, or the head of a large one */

#ifndef MSG_MORE /* only Linux has it */
#define MSG_MORE 0
#endif

static ssize_t fd_failed(const struct stream *s, const char *verb, ssize_t want,
                         struct err *err) {
    const struct fd_stream *f = (const struct fd_stream *)s;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return want;
    }
    return err_set(err, f->origin, errno, "%s %s: %s", verb, f->name,
                   strerror(errno));
}

/* Any answer of poll counts as ready: the read or write finds the cause. */
static int fd_ready(const struct stream *s, short events) {
    struct pollfd p = { .fd = s->fd, .events = events };
    return poll(&p, 1, 0);
}

static ssize_t file_read(struct stream *s, void *buf, size_t len,
                         struct err *err) {
    int ready = fd_ready(s, POLLIN);
    if (ready == 0) {
        return STREAM_WANT_RD;
    }
    ssize_t n = ready < 0 ? -1 : read(s->fd, buf, len);
    return n < 0 ? fd_failed(s, "read from", STREAM_WANT_RD, err) : n;
}

static ssize_t shared_write(struct stream *s, const void *buf, size_t len) {
    int ready = fd_ready(s, POLLOUT);
    if (ready == 0) {
        errno = EAGAIN;
    }
    return ready > 0 ? write(s->fd, buf, len < PIPE_BUF ? len : PIPE_BUF) : -1;
}

static ssize_t file_write(struct stream *s, const void *buf, size_t len,
                          struct err *err) {
    const struct fd_stream *f = (const struct fd_stream *)s;
    ssize_t n = f->kind == FD_STREAM_FREE ? write(s->fd, buf, len)
                : f->kind == FD_STREAM_SOCKET
                    ? send(s->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                    : shared_write(s, buf, len);
    return n < 0 ? fd_failed(s, "write to", STREAM_WANT_WR, err) : n;
}

/* Close it, and let the reading end of a pipe without a writer hold its number,
 * which works in a root without /dev/null, too. */
static int close_and_hold(int fd) {
    (void)shutdown(fd, SHUT_WR); /* of a socket there may be copies */
    int ends[2];
    if (pipe(ends) != 0) {
        return -1;
    }
    int rc = close(fd);
    int why = errno;
    if (rc == 0 || why == EINTR) {
        rc = 0;
        dup2(ends[0], fd);
    }
    close(ends[0]);
    close(ends[1]);
    errno = why;
    return rc;
}

static int file_end(struct stream *s, struct err *err) {
    struct fd_stream *f = (struct fd_stream *)s;
    if (!f->close_at_end) {
        return 0;
    }
    f->close_at_end = false;
    if (close_and_hold(s->fd) != 0 ||
        (f->twin >= 0 && close_and_hold(f->twin) != 0)) {
        return (int)fd_failed(s, "close", 0, err);
    }
    return 0;
}

static ssize_t take_kept(struct fd_stream *f, void *buf, size_t len) {
    size_t left = f->kept_len - f->kept_at;
    size_t n = left < len ? left : len;
    memcpy(buf, f->kept + f->kept_at, n);
    f->kept_at += n;
    if (n == left) {
        fd_stream_free(f);
    }
    return (ssize_t)n;
}

/* @return as recv, with errno; bytes are kept */
static ssize_t read_ahead(struct fd_stream *f) {
    ssize_t n = recv(f->stream.fd, f->kept, AHEAD_MAX, MSG_DONTWAIT);
    int why = errno;
    if (n > 0) {
        f->kept_at = 0;
        f->kept_len = (size_t)n;
        f->stream.held = true;
    } else {
        fd_stream_free(f);
        errno = why;
    }
    return n;
}

static ssize_t socket_read(struct stream *s, void *buf, size_t len,
                           struct err *err) {
    struct fd_stream *f = (struct fd_stream *)s;
    ssize_t n;
    if (f->kept != NULL) {
        return take_kept(f, buf, len);
    }
    if (f->kept_errno != 0) {
        errno = f->kept_errno;
        f->kept_errno = 0;
        n = -1;
    } else if (f->ahead && len < AHEAD_MAX &&
               (f->kept = malloc(AHEAD_MAX)) != NULL) {
        n = read_ahead(f);
        n = n > 0 ? take_kept(f, buf, len) : n;
    } else {
        n = recv(s->fd, buf, len, MSG_DONTWAIT);
    }
    return n < 0 ? fd_failed(s, "read from", STREAM_WANT_RD, err) : n;
}

bool fd_stream_look(struct fd_stream *f) {
    f->ahead = true;
    if (f->kept != NULL || f->kept_errno != 0 ||
        (f->kept = malloc(AHEAD_MAX)) == NULL) {
        return true;
    }
    ssize_t n = read_ahead(f);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return false;
    }
    f->kept_errno = n < 0 ? errno : 0;
    return true;
}

void fd_stream_free(struct fd_stream *f) {
    free(f->kept);
    f->kept = NULL;
    f->stream.held = false;
}

static ssize_t socket_write(struct stream *s, const void *buf, size_t len,
                            struct err *err) {
    int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (s->more ? MSG_MORE : 0);
    ssize_t n = send(s->fd, buf, len, flags);
    return n < 0 ? fd_failed(s, "write to", STREAM_WANT_WR, err) : n;
}

static int socket_end(struct stream *s, struct err *err) {
    if (shutdown(s->fd, SHUT_WR) != 0 && errno != ENOTCONN) {
        return (int)fd_failed(s, "shut down sending to", STREAM_WANT_WR, err);
    }
    return 0;
}

static enum fd_stream_kind kind_of(int fd) {
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    if (fstat(fd, &st) != 0) {
        return FD_STREAM_SHARED;
    }
    return S_ISSOCK(st.st_mode) ? FD_STREAM_SOCKET
           : S_ISREG(st.st_mode) || (flags >= 0 && (flags & O_NONBLOCK) != 0)
               ? FD_STREAM_FREE
               : FD_STREAM_SHARED;
}

int fd_stream_open_pipe(int fd) {
#ifdef __linux__ /* elsewhere the file is the same, and so are its flags */
    char name[32];
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        return open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    }
#else
    (void)fd;
#endif
    return -1;
}

static void init(struct fd_stream *s, const struct stream_ops *ops, int fd,
                 const char *name) {
    *s = (struct fd_stream){ .stream = { .ops = ops, .fd = fd },
                             .name = name,
                             .twin = -1 };
}

void fd_stream_init_file(struct fd_stream *s, int fd, const char *name) {
    static const struct stream_ops ops = { file_read, file_write, file_end };
    init(s, &ops, fd, name);
    s->origin = ERR_OS;
    s->kind = kind_of(fd);
}

void fd_stream_init_socket(struct fd_stream *s, int fd, const char *name) {
    static const struct stream_ops ops = { socket_read, socket_write,
                                           socket_end };
    init(s, &ops, fd, name);
    s->origin = ERR_NET;
    s->kind = FD_STREAM_SOCKET;
}
