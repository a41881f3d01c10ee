#include "io/net_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/net.h"

void net_print(const struct sockaddr_storage *sa, socklen_t len, char *out) {
    static const char mapped[] = "::ffff:";
    char host[64], port[8];
    if (sa->ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)sa;
        size_t room = len > offsetof(struct sockaddr_un, sun_path)
                          ? len - offsetof(struct sockaddr_un, sun_path)
                          : 0;
        bool abstract = room > 0 && un->sun_path[0] == '\0';
        snprintf(out, NET_ADDR_MAX, "unix:%s%.*s", abstract ? "@" : "",
                 (int)room - abstract, un->sun_path + abstract);
        return;
    }
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

void net_print_info(const struct addrinfo *ai, char *out) {
    struct sockaddr_storage sa = { 0 };
    memcpy(&sa, ai->ai_addr, ai->ai_addrlen);
    net_print(&sa, ai->ai_addrlen, out);
}

void net_print_local(int fd, char *out) {
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof sa;
    out[0] = '\0';
    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0) {
        net_print(&sa, len, out);
    }
}

/* Only for descriptors made here: flags belong to the open file. */
void net_own(int fd) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void net_set(int fd, int level, int option, int value) {
    /* Each is a preference: a socket without it works. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

int net_socket(int family) {
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd >= 0) {
        net_own(fd);
    }
    return fd;
}
