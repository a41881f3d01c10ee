#include "io/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net_socket.h"

/* A message has 191 bytes: a long name must leave room for the reason. */
#define NAME "%.110s"

/* The attempts to connect, RFC 8305 section 5. */
struct race {
    const struct addrinfo *addr[NET_ADDRS_MAX];
    int fd[NET_ADDRS_MAX];  /* -1: not tried yet, or failed */
    int why[NET_ADDRS_MAX]; /* errno of the failed */
    int64_t began_us[NET_ADDRS_MAX];
    int64_t us[NET_ADDRS_MAX]; /* it took; -1: it has not ended */
    size_t n, tried, pending;
    int64_t next_at_ms; /* when the next is tried, whatever the others do */
    int winner;         /* -1: none yet */
};

static const struct addrinfo *race_pick(const struct addrinfo *ai, int family,
                                        bool same) {
    while (ai != NULL && (ai->ai_family == family) != same) {
        ai = ai->ai_next;
    }
    return ai;
}

static void race_init(struct race *r, const struct addrinfo *list) {
    int family = list->ai_family;
    const struct addrinfo *same = race_pick(list, family, true);
    const struct addrinfo *other = race_pick(list, family, false);
    *r = (struct race){ .winner = -1 };
    while (r->n < NET_ADDRS_MAX && (same != NULL || other != NULL)) {
        r->fd[r->n] = -1;
        if (other == NULL || (same != NULL && r->n % 2 == 0)) {
            r->addr[r->n++] = same;
            same = race_pick(same->ai_next, family, true);
        } else {
            r->addr[r->n++] = other;
            other = race_pick(other->ai_next, family, false);
        }
    }
}

static void race_lost(struct race *r, size_t i, int why) {
    if (r->fd[i] >= 0) {
        close(r->fd[i]);
        r->fd[i] = -1;
    }
    r->why[i] = why;
    r->us[i] = loop_now_us() - r->began_us[i];
    r->next_at_ms = 0;
}

static void race_won(struct race *r, size_t i) {
    r->winner = (int)i;
    r->us[i] = loop_now_us() - r->began_us[i];
}

static void race_start(struct race *r) {
    size_t i = r->tried++;
    const struct addrinfo *ai = r->addr[i];
    r->next_at_ms = loop_now_ms() + NET_STAGGER_MS;
    r->began_us[i] = loop_now_us();
    r->us[i] = -1;
    r->fd[i] = net_socket(ai->ai_family);
    if (r->fd[i] < 0) {
        race_lost(r, i, errno);
    } else if (connect(r->fd[i], ai->ai_addr, ai->ai_addrlen) == 0) {
        race_won(r, i);
    } else if (errno == EINPROGRESS || errno == EINTR) {
        r->pending++;
    } else {
        race_lost(r, i, errno);
    }
}

/* Wait until an attempt has ended or the next one is due. */
static int race_wait(struct race *r, const struct loop *l, const char *name,
                     const struct loop_limit *limit, struct err *err) {
    struct pollfd fds[NET_ADDRS_MAX];
    char awaiting[NET_HOST_MAX + 32], words[LOOP_DURATION_MAX];
    struct loop_limit until = *limit;
    struct err why = ERR_INIT;
    bool next =
        r->tried < r->n && (limit->ms == 0 || r->next_at_ms < limit->at_ms);
    if (next) {
        until = (struct loop_limit){ NET_STAGGER_MS, r->next_at_ms };
    }
    for (size_t i = 0; i < r->tried; i++) {
        fds[i] = (struct pollfd){ .fd = r->fd[i], .events = POLLOUT };
    }
    snprintf(awaiting, sizeof awaiting, "a connection to " NAME, name);
    if (loop_wait(l, fds, r->tried, &until, awaiting, &why) != 0) {
        if (why.origin != ERR_TIMEOUT) {
            return err_set(err, why.origin, why.code, "%s", why.msg);
        }
        return next ? 0
                    : err_set(err, ERR_TIMEOUT, limit->ms,
                              "connect to " NAME ": no answer within %s", name,
                              loop_duration(limit->ms, words));
    }
    for (size_t i = 0; i < r->tried && r->winner < 0; i++) {
        int st = 0;
        socklen_t len = sizeof st;
        if (r->fd[i] < 0 || fds[i].revents == 0) {
            continue;
        }
        if (getsockopt(r->fd[i], SOL_SOCKET, SO_ERROR, &st, &len) != 0) {
            st = errno;
        }
        r->pending--;
        if (st == 0) {
            race_won(r, i);
        } else {
            race_lost(r, i, st);
        }
    }
    return 0;
}

/* Not the peer's fault: there is no socket to be had. */
static bool is_ours(int why) {
    return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

static int race_failed(const struct race *r, struct err *err) {
    char first[NET_ADDR_MAX];
    if (is_ours(r->why[0])) {
        return err_set(err, ERR_OS, r->why[0], "make a socket: %s",
                       strerror(r->why[0]));
    }
    net_print_info(r->addr[0], first);
    if (r->n == 1) {
        return err_set(err, ERR_NET, r->why[0], "connect to %s: %s", first,
                       strerror(r->why[0]));
    }
    return err_set(err, ERR_NET, r->why[0],
                   "connect to %s: %s (all %zu addresses failed)", first,
                   strerror(r->why[0]), r->n);
}

static int race_run(struct race *r, const struct loop *l, const char *name,
                    const struct loop_limit *limit, struct err *err) {
    while (r->winner < 0) {
        if (r->tried < r->n &&
            (r->pending == 0 || loop_now_ms() >= r->next_at_ms)) {
            race_start(r);
        } else if (r->pending == 0) {
            return race_failed(r, err);
        } else if (race_wait(r, l, name, limit, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void race_tell(const struct race *r, struct net_path *path) {
    path->tried = (unsigned)r->tried;
    for (size_t i = 0; i < r->tried; i++) {
        struct net_try *t = &path->tries[i];
        net_print_info(r->addr[i], t->address);
        t->us = r->us[i];
        t->error = r->why[i];
    }
}

int net_connect_addrs(const struct loop *l, const struct addrinfo *list,
                      const char *name, const struct loop_limit *limit,
                      struct net_path *path, struct err *err) {
    struct race r;
    int fd = -1;
    int64_t began = loop_now_us();
    race_init(&r, list);
    if (race_run(&r, l, name, limit, err) == 0) {
        fd = r.fd[r.winner];
        r.fd[r.winner] = -1;
        net_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        net_print_info(r.addr[r.winner], path->address);
        net_print_local(fd, path->local);
        path->connect_us = loop_now_us() - began;
    }
    race_tell(&r, path);
    for (size_t i = 0; i < r.n; i++) {
        if (r.fd[i] >= 0) {
            close(r.fd[i]);
        }
    }
    return fd;
}

int net_connect(const struct loop *l, const char *host, const char *port,
                int64_t timeout_ms, struct net_path *path, struct err *err) {
    char name[NET_HOST_MAX + RESOLVE_PORT_MAX + 4];
    struct addrinfo *list = NULL;
    struct loop_limit limit = loop_limit_start(timeout_ms);
    int64_t began = loop_now_us();
    path->tried = 0;
    path->resolve_us = -1;
    if (resolve(l, host, port, &limit, &list, err) != 0) {
        return -1;
    }
    path->resolve_us = loop_now_us() - began;
    snprintf(name, sizeof name, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s",
             host, port);
    int fd = net_connect_addrs(l, list, name, &limit, path, err);
    freeaddrinfo(list);
    return fd;
}
