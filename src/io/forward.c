#include "io/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/net.h"
#include "io/resolve.h"

static int unix_target(struct forward_target *t, const char *path,
                       struct err *err) {
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof sa.sun_path) {
        return err_set(err, ERR_USAGE, 0,
                       "'unix:%.120s' wants a path of 1 to %zu bytes", path,
                       sizeof sa.sun_path - 1);
    }
    memcpy(sa.sun_path, path, len + 1);
    memcpy(&t->addr[0].sa, &sa, sizeof sa);
    t->addr[0].len = sizeof sa;
    t->n = 1;
    return 0;
}

int forward_target_init(struct forward_target *t, const char *text,
                        const struct loop *l, const struct loop_limit *limit,
                        struct err *err) {
    static const char prefix[] = "unix:";
    struct net_target where;
    struct addrinfo *list = NULL;
    snprintf(t->name, sizeof t->name, "%s", text);
    t->n = 0;
    if (strncmp(text, prefix, sizeof prefix - 1) == 0) {
        return unix_target(t, text + sizeof prefix - 1, err);
    }
    if (net_parse_target(text, &where, err) != 0 ||
        resolve(l, where.host, where.port, limit, &list, err) != 0) {
        return -1;
    }
    const struct addrinfo *ai = list;
    for (; ai != NULL && t->n < FORWARD_ADDRS_MAX; ai = ai->ai_next) {
        struct forward_addr *a = &t->addr[t->n++];
        memcpy(&a->sa, ai->ai_addr, ai->ai_addrlen);
        a->len = ai->ai_addrlen;
    }
    freeaddrinfo(list);
    return 0;
}

static void set_socket(struct forward *f, int fd) {
    fd_stream_init_socket(&f->socket, fd, f->to->name);
    f->in.stream.fd = f->out.stream.fd = fd;
}

void forward_close(struct forward *f) {
    if (f->socket.stream.fd >= 0) {
        close(f->socket.stream.fd);
        set_socket(f, -1);
    }
}

static void address_failed(struct forward *f, int why) {
    forward_close(f);
    if (f->why == 0) {
        f->why = why;
    }
}

static void try_next(struct forward *f) {
    const struct forward_addr *a = &f->to->addr[f->next++];
    const struct sockaddr *sa = (const struct sockaddr *)&a->sa;
    int on = 1;
    int fd = socket(a->sa.ss_family, SOCK_STREAM, 0);
    if (fd < 0) {
        address_failed(f, errno);
        return;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    /* A preference, and unknown to a local socket. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    set_socket(f, fd);
    if (connect(fd, sa, a->len) == 0) {
        f->standing = true;
    } else if (errno != EINPROGRESS && errno != EINTR) {
        address_failed(f, errno);
    }
}

/* Has the attempt ended? */
static bool look(struct forward *f) {
    struct pollfd p = { .fd = f->socket.stream.fd, .events = POLLOUT };
    int why = 0;
    socklen_t len = sizeof why;
    if (poll(&p, 1, 0) <= 0) {
        return false;
    }
    if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &why, &len) != 0) {
        why = errno;
    }
    f->standing = why == 0;
    if (why != 0) {
        address_failed(f, why);
    }
    return true;
}

int forward_stand(struct forward *f, struct err *err) {
    char words[LOOP_DURATION_MAX];
    while (!f->standing) {
        bool trying = f->socket.stream.fd >= 0;
        if (!trying && f->next < f->to->n) {
            try_next(f);
        } else if (!trying) {
            f->failed = true;
            return err_set(err, ERR_NET, f->why, "forward to %s: %s",
                           f->to->name, strerror(f->why));
        } else if (!look(f)) {
            if (f->due_ms == 0 || loop_now_ms() < f->due_ms) {
                return STREAM_WANT_WR;
            }
            f->failed = true;
            return err_set(err, ERR_TIMEOUT, f->timeout_ms,
                           "forward to %s: no answer within %s", f->to->name,
                           loop_duration(f->timeout_ms, words));
        }
    }
    return 0;
}

static struct forward *forward_of(struct stream *s) {
    return ((struct forward_end *)s)->of;
}

static ssize_t remember(struct forward *f, ssize_t n) {
    f->failed = f->failed || n == STREAM_ERROR;
    return n;
}

static ssize_t forward_read(struct stream *s, void *buf, size_t len,
                            struct err *err) {
    struct forward *f = forward_of(s);
    struct stream *to = &f->socket.stream;
    int rc = forward_stand(f, err);
    return rc != 0 ? rc : remember(f, to->ops->read(to, buf, len, err));
}

static ssize_t forward_write(struct stream *s, const void *buf, size_t len,
                             struct err *err) {
    struct forward *f = forward_of(s);
    struct stream *to = &f->socket.stream;
    int rc = forward_stand(f, err);
    return rc != 0 ? rc : remember(f, to->ops->write(to, buf, len, err));
}

static int forward_end(struct stream *s, struct err *err) {
    struct forward *f = forward_of(s);
    struct stream *to = &f->socket.stream;
    int rc = forward_stand(f, err);
    return rc != 0 ? rc : (int)remember(f, to->ops->end(to, err));
}

void forward_init(struct forward *f, const struct forward_target *t,
                  int64_t timeout_ms) {
    static const struct stream_ops in = { .read = forward_read };
    static const struct stream_ops out = { .write = forward_write,
                                           .end = forward_end };
    struct loop_limit limit = loop_limit_start(timeout_ms);
    *f = (struct forward){ .in = { { .ops = &in, .fd = -1 }, f },
                           .out = { { .ops = &out, .fd = -1 }, f },
                           .to = t,
                           .timeout_ms = limit.ms,
                           .due_ms = limit.at_ms };
    set_socket(f, -1);
}
