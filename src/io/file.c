#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/wipe.h"

/* A message has 191 bytes: a long path must leave room for the reason. */
#define NAME "%.110s"

static int file_failed(const char *name, int why, struct err *err) {
    return err_set(err, ERR_FILE, why, "read " NAME ": %s", name,
                   strerror(why));
}

/* As realloc, but leaves nothing behind: it may be a key. */
static unsigned char *file_more(unsigned char *buf, size_t got, size_t room) {
    unsigned char *more = malloc(room);
    if (more != NULL && buf != NULL) {
        memcpy(more, buf, got);
        wipe_free(buf, got);
    }
    return more;
}

/* As read, but waits whatever the descriptor's flags and whoever interrupts. */
static ssize_t file_take(int fd, unsigned char *buf, size_t len) {
    for (;;) {
        ssize_t n = read(fd, buf, len);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN)) {
            return n;
        }
        struct pollfd p = { .fd = fd, .events = POLLIN };
        (void)poll(&p, 1, -1);
    }
}

/* Room for the whole of a file, its NUL, and to see its end; one that is none,
 * or grows, is read as it comes. */
static size_t file_room(int fd, size_t limit) {
    enum { LEAST = 4096, EXTRA = 2 };
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < LEAST ||
        (unsigned long long)st.st_size > limit) {
        return LEAST;
    }
    return (size_t)st.st_size + EXTRA;
}

int file_read_fd(int fd, const char *name, size_t limit, unsigned char **data,
                 size_t *len, struct err *err) {
    size_t room = 0, got = 0;
    unsigned char *buf = NULL;
    ssize_t n;
    do {
        if (room - got < 2) {
            room = room == 0 ? file_room(fd, limit) : room * 2;
            unsigned char *more = file_more(buf, got, room);
            if (more == NULL) {
                err_set(err, ERR_OS, ENOMEM, "read " NAME, name);
                goto fail;
            }
            buf = more;
        }
        n = file_take(fd, buf + got, room - got - 1);
        if (n < 0) {
            file_failed(name, errno, err);
            goto fail;
        }
        got += (size_t)n;
        if (got > limit) {
            err_set(err, ERR_FILE, EFBIG, "read " NAME ": over %zu bytes", name,
                    limit);
            goto fail;
        }
    } while (n > 0);
    buf[got] = '\0';
    *data = buf;
    *len = got;
    return 0;
fail:
    wipe_free(buf, got);
    return -1;
}

int file_read(const char *path, size_t limit, unsigned char **data, size_t *len,
              struct err *err) {
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return file_failed(path, errno, err);
    }
    int st = file_read_fd(fd, path, limit, data, len, err);
    close(fd);
    return st;
}
