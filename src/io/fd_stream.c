#include "io/fd_stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

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

static ssize_t file_write(struct stream *s, const void *buf, size_t len,
                          struct err *err) {
    int ready = fd_ready(s, POLLOUT);
    if (ready == 0) {
        return STREAM_WANT_WR;
    }
    size_t most = len < PIPE_BUF ? len : PIPE_BUF;
    ssize_t n = ready < 0 ? -1 : write(s->fd, buf, most);
    return n < 0 ? fd_failed(s, "write to", STREAM_WANT_WR, err) : n;
}

static int file_end(struct stream *s, struct err *err) {
    struct fd_stream *f = (struct fd_stream *)s;
    if (!f->close_at_end) {
        return 0;
    }
    f->close_at_end = false;
    (void)shutdown(s->fd, SHUT_WR); /* of a socket there may be copies */
    int ends[2]; /* what takes its place, in a root without /dev/null too */
    int made = pipe(ends);
    int rc = 0;
    if (made != 0 || (close(s->fd) != 0 && errno != EINTR)) {
        rc = (int)fd_failed(s, "close", 0, err);
    } else {
        dup2(ends[0], s->fd);
    }
    if (made == 0) {
        close(ends[0]);
        close(ends[1]);
    }
    return rc;
}

static ssize_t socket_read(struct stream *s, void *buf, size_t len,
                           struct err *err) {
    ssize_t n = recv(s->fd, buf, len, MSG_DONTWAIT);
    return n < 0 ? fd_failed(s, "read from", STREAM_WANT_RD, err) : n;
}

static ssize_t socket_write(struct stream *s, const void *buf, size_t len,
                            struct err *err) {
    ssize_t n = send(s->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? fd_failed(s, "write to", STREAM_WANT_WR, err) : n;
}

static int socket_end(struct stream *s, struct err *err) {
    if (shutdown(s->fd, SHUT_WR) != 0 && errno != ENOTCONN) {
        return (int)fd_failed(s, "shut down sending to", STREAM_WANT_WR, err);
    }
    return 0;
}

void fd_stream_init_file(struct fd_stream *s, int fd, const char *name) {
    static const struct stream_ops ops = { file_read, file_write, file_end };
    s->stream = (struct stream){ &ops, fd };
    s->origin = ERR_OS;
    s->close_at_end = false;
    s->name = name;
}

void fd_stream_init_socket(struct fd_stream *s, int fd, const char *name) {
    static const struct stream_ops ops = { socket_read, socket_write,
                                           socket_end };
    s->stream = (struct stream){ &ops, fd };
    s->origin = ERR_NET;
    s->close_at_end = false;
    s->name = name;
}
