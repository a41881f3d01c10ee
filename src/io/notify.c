#include "io/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/loop.h"

int notify_open(const char *where, struct err *err) {
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    size_t len = strlen(where);
    bool abstract = where[0] == '@';
    if ((where[0] != '/' && !abstract) || len < 2 ||
        len >= sizeof sa.sun_path) {
        return err_set(err, ERR_USAGE, 0,
                       "NOTIFY_SOCKET is '%.100s', which is no path, nor '@' "
                       "and a name",
                       where);
    }
    memcpy(sa.sun_path, where, len);
    if (abstract) {
        sa.sun_path[0] = '\0';
    }
    socklen_t size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + !abstract);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, size) != 0) {
        err_set(err, ERR_NET, errno, "NOTIFY_SOCKET %.100s: %s", where,
                strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

void notify_send(int fd, const char *lines) {
    if (fd >= 0) {
        (void)send(fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void notify_reloading(int fd) {
    char lines[64];
    snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             loop_now_us());
    notify_send(fd, lines);
}

void notify_ready(int fd, const char *address) {
    char lines[240];
    snprintf(lines, sizeof lines, "READY=1%s%s",
             address != NULL ? "\nSTATUS=listening on " : "",
             address != NULL ? address : "");
    notify_send(fd, lines);
}
