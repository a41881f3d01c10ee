#include "cli/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/net.h"
#include "io/notify.h"

enum { LISTEN_FDS_START = 3 }; /* sd_listen_fds(3) */

static bool is_connected(int fd) {
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    return getpeername(fd, (struct sockaddr *)&sa, &len) == 0;
}

/* @return a number of 0 or more, or -1: it is none */
static long number(const char *text) {
    char *end = NULL;
    errno = 0;
    long n = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : -1;
    return end != NULL && *end == '\0' && errno == 0 ? n : -1;
}

static int take_sockets(struct handover *h, struct err *err) {
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    if (pid == NULL || fds == NULL || number(pid) != (long)getpid()) {
        return 0;
    }
    long n = number(fds);
    if (n == 0) {
        return 0;
    }
    if (n < 0 || n > NET_LISTEN_MAX) {
        return err_set(err, ERR_USAGE, 0,
                       "LISTEN_FDS is '%.40s', not a number up to %d", fds,
                       NET_LISTEN_MAX);
    }
    for (int i = 0; i < (int)n; i++) {
        fcntl(LISTEN_FDS_START + i, F_SETFD, FD_CLOEXEC);
    }
    h->first = LISTEN_FDS_START;
    if (n == 1 && is_connected(h->first)) { /* Accept=yes */
        h->accepted = h->first;
    } else {
        h->n = (size_t)n;
    }
    return 0;
}

static bool same_file(const struct stat *a, int fd) {
    struct stat b;
    return fstat(fd, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* inetd has the connection as all three. */
static int take_stdin(struct handover *h, struct err *err) {
    struct stat st;
    if (!is_connected(STDIN_FILENO) || fstat(STDIN_FILENO, &st) != 0) {
        return err_set(err, ERR_USAGE, 0,
                       "--inetd: standard input is no connection");
    }
    h->accepted = STDIN_FILENO;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        if (!same_file(&st, fd)) {
            continue;
        }
        int null = open("/dev/null", O_RDWR);
        if (null < 0) { /* what is said then is lost, too */
            int why = errno;
            close(STDOUT_FILENO);
            close(STDERR_FILENO);
            return err_set(err, ERR_OS, why, "/dev/null: %s", strerror(why));
        }
        dup2(null, fd);
        close(null);
    }
    return 0;
}

int handover_take(struct handover *h, bool inetd, struct err *err) {
    const char *where = getenv("NOTIFY_SOCKET");
    *h = (struct handover){ .accepted = -1, .notify = -1, .unheard = ERR_INIT };
    int rc = inetd ? take_stdin(h, err) : take_sockets(h, err);
    if (rc == 0 && where != NULL && where[0] != '\0') {
        h->notify = notify_open(where, &h->unheard);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    unsetenv("NOTIFY_SOCKET");
    return rc;
}

void handover_close(struct handover *h) {
    if (h->notify >= 0) {
        close(h->notify);
        h->notify = -1;
    }
}
