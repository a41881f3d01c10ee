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

/* A message has 191 bytes: a long name must leave room for the reason. */
#define NAME "%.110s"

static void net_print(const struct sockaddr_storage *sa, socklen_t len,
                      char *out) {
    static const char mapped[] = "::ffff:";
    char host[64], port[8];
    if (getnameinfo((const struct sockaddr *)sa, len, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        out[0] = '\0';
        return;
    }
    bool v6 = sa->ss_family == AF_INET6;
    const char *h = host;
    if (v6 && strncmp(host, mapped, sizeof mapped - 1) == 0 &&
        strchr(host, '.') != NULL) {
        h += sizeof mapped - 1;
        v6 = false;
    }
    snprintf(out, NET_ADDR_MAX, v6 ? "[%s]:%s" : "%s:%s", h, port);
}

static void net_print_info(const struct addrinfo *ai, char *out) {
    struct sockaddr_storage sa = { 0 };
    memcpy(&sa, ai->ai_addr, ai->ai_addrlen);
    net_print(&sa, ai->ai_addrlen, out);
}

static void net_print_local(int fd, char *out) {
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof sa;
    out[0] = '\0';
    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0) {
        net_print(&sa, len, out);
    }
}

/* Only for descriptors made here: flags belong to the open file. */
static void net_own(int fd) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void net_set(int fd, int level, int option, int value) {
    /* Each is a preference: a socket without it works. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

static int net_socket(int family) {
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd >= 0) {
        net_own(fd);
    }
    return fd;
}

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

static unsigned net_port_of(const struct sockaddr_storage *sa) {
    return ntohs(sa->ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)sa)->sin6_port
                     : ((const struct sockaddr_in *)sa)->sin_port);
}

static void net_set_port(struct sockaddr_storage *sa, unsigned port) {
    if (sa->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)sa)->sin6_port = htons((uint16_t)port);
    } else {
        ((struct sockaddr_in *)sa)->sin_port = htons((uint16_t)port);
    }
}

/* @return 0, or errno, with the socket closed again */
static int net_bind(struct net_listener *s, struct sockaddr_storage *sa,
                    socklen_t len, bool v6_only) {
    int fd = net_socket(sa->ss_family);
    if (fd < 0) {
        return errno;
    }
    if (s->n > 0) {
        net_set_port(sa, s->port);
    }
    net_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (sa->ss_family == AF_INET6) {
        net_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only);
    }
    if (bind(fd, (struct sockaddr *)sa, len) != 0 ||
        listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)sa, &len) != 0) {
        int why = errno;
        close(fd);
        return why;
    }
    s->port = net_port_of(sa);
    net_print(sa, len, s->address[s->n]);
    s->fd[s->n++] = fd;
    return 0;
}

/* What a machine without IPv6 says: no such family, or (the family disabled)
 * no such address. */
static bool net_lacks(int family, int why) {
    return why == EAFNOSUPPORT || (family == AF_INET6 && why == EADDRNOTAVAIL);
}

static bool net_repeated(const struct addrinfo *list,
                         const struct addrinfo *ai) {
    for (; list != ai; list = list->ai_next) {
        if (list->ai_addrlen == ai->ai_addrlen &&
            memcmp(list->ai_addr, ai->ai_addr, ai->ai_addrlen) == 0) {
            return true;
        }
    }
    return false;
}

static int net_listen_failed(const struct addrinfo *ai, int why,
                             struct err *err) {
    char where[NET_ADDR_MAX];
    net_print_info(ai, where);
    return err_set(err, ERR_NET, why, "listen on %s: %s", where, strerror(why));
}

static int net_listen_addrs(struct net_listener *out,
                            const struct addrinfo *list, bool v6_only,
                            struct err *err) {
    struct err lacking = ERR_INIT;
    const struct addrinfo *ai = list;
    for (; ai != NULL && out->n < NET_LISTEN_MAX; ai = ai->ai_next) {
        struct sockaddr_storage sa = { 0 };
        if (net_repeated(list, ai)) {
            continue;
        }
        memcpy(&sa, ai->ai_addr, ai->ai_addrlen);
        int why = net_bind(out, &sa, ai->ai_addrlen, v6_only);
        if (why != 0) {
            bool pass = net_lacks(ai->ai_family, why);
            net_listen_failed(ai, why, pass ? &lacking : err);
            if (!pass) {
                return -1;
            }
        }
    }
    return out->n > 0
               ? 0
               : err_set(err, lacking.origin, lacking.code, "%s", lacking.msg);
}

static int net_listen_name(const char *addr, const char *port, bool v6_only,
                           struct net_listener *out, struct err *err) {
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    enum { TRIES = 16 };
    struct err why = ERR_INIT;
    out->n = 0;
    int rc = getaddrinfo(addr, port, &hints, &list);
    if (rc != 0) {
        return resolve_failed(addr, rc, errno, err);
    }
    /* A port that the system chose for one address may be taken on another:
     * then let it choose again. */
    bool again = strspn(port, "0") == strlen(port);
    int st = net_listen_addrs(out, list, v6_only, &why);
    for (int i = 0;
         i < TRIES && again && st != 0 && out->n > 0 && why.code == EADDRINUSE;
         i++) {
        net_listener_close(out);
        why = (struct err)ERR_INIT;
        st = net_listen_addrs(out, list, v6_only, &why);
    }
    freeaddrinfo(list);
    if (st != 0) {
        net_listener_close(out);
        return err_set(err, why.origin, why.code, "%s", why.msg);
    }
    return 0;
}

int net_listen(const char *addr, const char *port, struct net_listener *out,
               struct err *err) {
    struct err why = ERR_INIT;
    if (addr != NULL && addr[0] != '\0') {
        return net_listen_name(addr, port, true, out, err);
    }
    if (net_listen_name("::", port, false, out, &why) == 0) {
        return 0;
    }
    if (why.origin == ERR_NET && net_lacks(AF_INET6, (int)why.code)) {
        return net_listen_name("0.0.0.0", port, true, out, err);
    }
    return err_set(err, why.origin, why.code, "%s", why.msg);
}

void net_listener_close(struct net_listener *s) {
    while (s->n > 0) {
        close(s->fd[--s->n]);
    }
}

/* What accept says of one client, which is gone, and not of the listener. */
static bool net_passing(int why) {
    static const int passing[] = { EAGAIN,    EWOULDBLOCK,  EINTR,
                                   EPROTO,    ECONNABORTED, ECONNRESET,
                                   EPERM,     ENETDOWN,     ENETUNREACH,
                                   ETIMEDOUT, EHOSTUNREACH, ENOPROTOOPT };
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (why == passing[i]) {
            return true;
        }
    }
    return false;
}

int net_accept(const struct loop *l, const struct net_listener *s,
               const struct loop_limit *limit, struct net_path *path,
               struct err *err) {
    struct pollfd fds[NET_LISTEN_MAX];
    for (;;) {
        size_t i = 0;
        for (size_t j = 0; j < s->n; j++) {
            fds[j] = (struct pollfd){ .fd = s->fd[j], .events = POLLIN };
        }
        if (loop_wait(l, fds, s->n, limit, "a client", err) != 0) {
            return -1;
        }
        while (fds[i].revents == 0) {
            i++;
        }
        struct sockaddr_storage sa = { 0 };
        socklen_t len = sizeof sa;
        int fd = accept(s->fd[i], (struct sockaddr *)&sa, &len);
        if (fd >= 0) {
            net_own(fd);
            net_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
            *path = (struct net_path){ .tried = 1 };
            net_print(&sa, len, path->address);
            net_print_local(fd, path->local);
            return fd;
        }
        if (!net_passing(errno)) {
            return err_set(err, ERR_NET, errno, "accept on %s: %s",
                           s->address[i], strerror(errno));
        }
    }
}
