/* SO_REUSEPORT and accept4() are not in POSIX. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/stream.h"
#include "io/net.h"
#include "io/net_socket.h"

/* Does a connection that is accepted have the options of its listener? Ours is
 * then given them, once. */
#ifdef __linux__
enum { NET_INHERITS = 1 };
#else
enum { NET_INHERITS = 0 };
#endif

/* A record is not to wait for an acknowledgement, nor is a board without power
 * to hold a descriptor for ever. */
static void net_tune(int fd) {
    net_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    net_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    net_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    net_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    net_set(fd, IPPROTO_TCP, TCP_KEEPCNT, 6);
#ifdef TCP_USER_TIMEOUT
    /* This stands in for the count of probes, too (tcp(7)): no less. */
    net_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 120000);
#endif
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
    if (NET_INHERITS) {
        net_tune(fd);
    }
    if (s->shared) {
        net_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
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

static int net_listen_on(const char *addr, const char *port,
                         struct net_listener *out, struct err *err) {
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

int net_listen(const char *addr, const char *port, struct net_listener *out,
               struct err *err) {
    *out = (struct net_listener){ .n = 0 };
    return net_listen_on(addr, port, out, err);
}

/* A socket that nobody listens on is left by a program that was killed. */
static bool net_is_stale(const struct sockaddr_un *sa) {
    struct stat st;
    if (lstat(sa->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        return false;
    }
    int fd = net_socket(AF_UNIX);
    bool stale = fd >= 0 &&
                 connect(fd, (const struct sockaddr *)sa, sizeof *sa) != 0 &&
                 errno == ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    return stale;
}

/* @return 0, or -1 with errno */
static int net_bind_path(int fd, const struct sockaddr_un *sa) {
    const struct sockaddr *generic = (const struct sockaddr *)sa;
    int rc = bind(fd, generic, sizeof *sa);
    if (rc == 0 || errno != EADDRINUSE) {
        return rc;
    }
    if (!net_is_stale(sa)) {
        errno = EADDRINUSE;
        return -1;
    }
    (void)unlink(sa->sun_path); /* binding again says if that failed */
    return bind(fd, generic, sizeof *sa);
}

static int net_listen_path(const char *path, struct net_listener *out,
                           struct err *err) {
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    struct stat st;
    *out = (struct net_listener){ .n = 0 };
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    int fd = net_socket(AF_UNIX);
    bool bound = fd >= 0 && net_bind_path(fd, &sa) == 0;
    if (!bound || listen(fd, SOMAXCONN) != 0 || stat(path, &st) != 0) {
        int why = errno;
        if (bound) {
            (void)unlink(path);
        }
        if (fd >= 0) {
            close(fd);
        }
        return err_set(err, ERR_NET, why, "listen on unix:%.120s: %s", path,
                       strerror(why));
    }
    out->n = 1;
    out->fd[0] = fd;
    snprintf(out->address[0], NET_ADDR_MAX, "unix:%s", path);
    memcpy(out->path, sa.sun_path, sizeof out->path);
    out->dev = st.st_dev;
    out->ino = st.st_ino;
    out->pid = getpid();
    return 0;
}

int net_listen_copy(const struct net_listener *s, struct net_listener *out,
                    struct err *err) {
    *out = *s;
    out->n = 0;
    out->path[0] = '\0';
    for (; out->n < s->n; out->n++) {
        int fd = fcntl(s->fd[out->n], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fd < 0) {
            err_set(err, ERR_NET, errno, "copy the socket of %s: %s",
                    s->address[out->n], strerror(errno));
            net_listener_close(out);
            return -1;
        }
        out->fd[out->n] = fd;
    }
    return 0;
}

static int net_listen_first(const struct net_target *where,
                            struct net_listener *out, struct err *err) {
    return where->path[0] != '\0'
               ? net_listen_path(where->path, out, err)
               : net_listen(where->host, where->port, out, err);
}

int net_listen_at(const struct net_target *where, size_t n,
                  struct net_listener *out, struct err *err) {
    char port[8];
    size_t made = 1;
    if (net_listen_first(where, &out[0], err) != 0) {
        return -1;
    }
    if (n == 1) {
        return 0;
    }
    /* The first knows the port, and that it is nobody else's; it cannot share
     * it any more. */
    bool again = where->path[0] == '\0';
    snprintf(port, sizeof port, "%u", out[0].port);
    if (again) {
        net_listener_close(&out[0]);
        made = 0;
    }
    for (; made < n; made++) {
        struct net_listener *l = &out[made];
        *l = (struct net_listener){ .shared = true };
        if ((again ? net_listen_on(where->host, port, l, err)
                   : net_listen_copy(&out[0], l, err)) != 0) {
            break;
        }
    }
    if (made == n) {
        return 0;
    }
    while (made > 0) {
        net_listener_close(&out[--made]);
    }
    return -1;
}

static int net_adopt_one(int fd, struct net_listener *out, struct err *err) {
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof sa, size = sizeof(int);
    int listens = 0, type = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
        !listens || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        type != SOCK_STREAM ||
        getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
        return err_set(err, ERR_USAGE, 0,
                       "descriptor %d, which LISTEN_FDS hands over, is no "
                       "stream socket that listens",
                       fd);
    }
    net_own(fd);
    net_print(&sa, len, out->address[out->n]);
    if (sa.ss_family != AF_UNIX) {
        out->port = net_port_of(&sa);
    }
    out->fd[out->n++] = fd;
    return 0;
}

int net_listen_adopt(int first, size_t n, struct net_listener *out,
                     struct err *err) {
    *out = (struct net_listener){ .adopted = true };
    if (n > NET_LISTEN_MAX) {
        return err_set(err, ERR_USAGE, 0,
                       "LISTEN_FDS hands over %zu sockets, over %d", n,
                       NET_LISTEN_MAX);
    }
    while (out->n < n) {
        if (net_adopt_one(first + (int)out->n, out, err) != 0) {
            return -1;
        }
    }
    return 0;
}

void net_listener_close(struct net_listener *s) {
    struct stat st;
    while (s->n > 0) {
        close(s->fd[--s->n]);
    }
    if (s->path[0] != '\0' && s->pid == getpid() && lstat(s->path, &st) == 0 &&
        st.st_dev == s->dev && st.st_ino == s->ino) {
        (void)unlink(s->path); /* as far as we may */
    }
    s->path[0] = '\0';
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

int net_accept_now(const struct net_listener *s, size_t i,
                   struct net_peer *from, struct err *err) {
    socklen_t len = sizeof from->at;
#ifdef __linux__
    int fd =
        accept4(s->fd[i], &from->at.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    int fd = accept(s->fd[i], &from->at.any, &len);
#endif
    if (fd < 0) {
        return net_passing(errno)
                   ? STREAM_WANT_RD
                   : err_set(err, ERR_NET, errno, "accept on %s: %s",
                             s->address[i], strerror(errno));
    }
#ifndef __linux__
    net_own(fd);
#endif
    if ((!NET_INHERITS || s->adopted) && !net_is_local(from)) {
        net_tune(fd);
    }
    return fd;
}

int net_accepted(int fd, struct net_peer *from, struct err *err) {
    socklen_t len = sizeof from->at, size = sizeof(int);
    int type = 0;
    if (getpeername(fd, &from->at.any, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        type != SOCK_STREAM) {
        return err_set(err, ERR_USAGE, 0,
                       "descriptor %d is no connected stream socket", fd);
    }
    if (!net_is_local(from)) {
        net_tune(fd);
    }
    return 0;
}

void net_tell(int fd, const struct net_peer *from, struct net_path *path) {
    struct sockaddr_storage sa = { 0 };
    bool v6 = from->at.any.sa_family == AF_INET6;
    memcpy(&sa, &from->at, sizeof from->at);
    *path = (struct net_path){ .tried = 1 };
    net_print_local(fd, path->local);
    if (net_is_local(from)) { /* a client has no name of its own */
        memcpy(path->address, path->local, sizeof path->address);
    } else {
        net_print(&sa, v6 ? sizeof from->at.v6 : sizeof from->at.v4,
                  path->address);
    }
}

bool net_is_local(const struct net_peer *from) {
    return from->at.any.sa_family == AF_UNIX;
}

bool net_starved(const struct err *e) {
    return e->origin == ERR_NET && (e->code == EMFILE || e->code == ENFILE ||
                                    e->code == ENOBUFS || e->code == ENOMEM);
}

bool net_can_close(int fd, size_t most) {
#ifdef TIOCOUTQ /* which tcp(7) calls SIOCOUTQ */
    unsigned char byte;
    int queued = 0;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return (n == 0 || (n < 0 && errno == EAGAIN)) &&
           ioctl(fd, TIOCOUTQ, &queued) == 0 && (size_t)queued <= most;
#else
    (void)fd;
    (void)most;
    return false;
#endif
}

void net_push(int fd) {
    net_set(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* even if it is set */
}

void net_ack_now(int fd) {
#ifdef TCP_QUICKACK
    net_set(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
#else
    (void)fd;
#endif
}

int net_accept(const struct loop *l, const struct net_listener *s,
               const struct loop_limit *limit, struct net_path *path,
               struct err *err) {
    struct pollfd fds[NET_LISTEN_MAX];
    struct net_peer from;
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
        int fd = net_accept_now(s, i, &from, err);
        if (fd >= 0) {
            net_tell(fd, &from, path);
        }
        if (fd != STREAM_WANT_RD) {
            return fd;
        }
    }
}
