#include "cli/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int keylog_open(struct keylog *k, const char *path, struct err *err) {
    const char *env = getenv("SSLKEYLOGFILE");
    bool named = path != NULL;
    k->fd = -1;
    k->failed = false;
    k->path = named ? path : env;
    if (named && path[0] == '\0') {
        return err_set(err, ERR_USAGE, 0, "--keylog: the path is empty");
    }
    if (k->path == NULL || (!named && k->path[0] == '\0')) {
        return 0;
    }
    k->fd = open(k->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                 S_IRUSR | S_IWUSR);
    if (k->fd < 0) {
        return err_set(err, ERR_FILE, errno, "%s: write %s: %s",
                       named ? "--keylog" : "SSLKEYLOGFILE", k->path,
                       strerror(errno));
    }
    return 0;
}

void keylog_write(void *arg, const char *line, size_t len) {
    struct keylog *k = arg;
    k->failed |= write(k->fd, line, len) != (ssize_t)len;
}

void keylog_close(struct keylog *k) {
    if (k->path != NULL && k->fd >= 0) {
        close(k->fd);
        k->fd = -1;
    }
}
