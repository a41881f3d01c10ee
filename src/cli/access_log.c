#include "cli/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/signals.h"
#include "report/access.h"

#define O struct access_log_options

enum format { FORMAT_TEXT, FORMAT_JSON };

static const char *const formats[] = { "text", "json", NULL };

const struct opt access_log_opts[] = {
    OPT_ROW_STRING(O, path, 0, "access-log", "FILE",
                   "append a line for each connection; SIGUSR1 opens it anew"),
    OPT_ROW_CHOICE(O, format, 0, "log-format", "FORMAT", formats,
                   "of the lines of --access-log (default text)"),
    OPT_END
};

#undef O

/* O_NONBLOCK: a named pipe that nobody empties must not hold the clients.
 * @return a descriptor, or -1 with errno */
static int open_path(const char *path) {
    return open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
        0640);
}

int access_log_open(struct access_log *log, const struct access_log_options *o,
                    const struct output *out, struct err *err) {
    *log = (struct access_log){
        .options = o, .out = out, .fd = -1, .usr1_fd = -1
    };
    if (o->path == NULL) {
        return o->format < 0 ? 0
                             : err_set(err, ERR_USAGE, 0,
                                       "--log-format wants --access-log");
    }
    if (o->path[0] == '\0') {
        return err_set(err, ERR_USAGE, 0, "--access-log: the path is empty");
    }
    log->fd = open_path(o->path);
    if (log->fd < 0) {
        return err_set(err, ERR_FILE, errno, "--access-log: write %s: %s",
                       o->path, strerror(errno));
    }
    return signals_tell(SIGUSR1, &log->usr1_fd, err);
}

static void tell(const struct access_log *log, const char *what, uint64_t n,
                 int why) {
    char line[512];
    snprintf(line, sizeof line, "--access-log: %s %.200s%s%s", what,
             log->options->path, why != 0 ? ": " : "",
             why != 0 ? strerror(why) : "");
    if (n != 0) {
        size_t at = strlen(line);
        snprintf(line + at, sizeof line - at, ": %" PRIu64 " line%s lost", n,
                 n == 1 ? " is" : "s are");
    }
    output_warning(log->out, line);
}

/* @return the line, to be freed; NULL: no memory */
static char *make_line(const struct access_log *log, const struct report *r,
                       size_t *len) {
    struct timespec now;
    char *text = NULL;
    FILE *f = open_memstream(&text, len);
    if (f == NULL) {
        return NULL;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    if (log->cut) {
        fputc('\n', f);
    }
    if (log->options->format == FORMAT_JSON) {
        report_access_json(f, &now, r);
    } else {
        report_access_text(f, &now, r);
    }
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* @return whether all of it was written; else errno says why not */
static bool write_line(struct access_log *log, const char *line, size_t len) {
    size_t at = 0;
    while (at < len) {
        ssize_t n = write(log->fd, line + at, len - at);
        if (n > 0) {
            at += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            log->cut |= at > 0;
            return false;
        }
    }
    log->cut = false;
    return true;
}

void access_log_write(struct access_log *log, const struct report *r) {
    if (log->fd < 0) {
        return;
    }
    access_log_reopen(log);
    size_t len = 0;
    char *line = make_line(log, r, &len);
    if (line == NULL) {
        errno = ENOMEM;
    }
    if (line == NULL || !write_line(log, line, len)) {
        if (log->lost++ == 0) {
            tell(log, "cannot write", 0, errno);
        }
    } else if (log->lost > 0) {
        tell(log, "can write again", log->lost, 0);
        log->lost = 0;
    }
    free(line);
}

void access_log_reopen(struct access_log *log) {
    if (log->fd < 0 || !signals_take(SIGUSR1)) {
        return;
    }
    int fd = open_path(log->options->path);
    if (fd < 0) {
        tell(log, "the old file stays in use, for this cannot be opened:", 0,
             errno);
        return;
    }
    close(log->fd);
    log->fd = fd;
    log->cut = false;
    tell(log, "opened anew", 0, 0);
}

void access_log_close(struct access_log *log) {
    if (log->fd >= 0) {
        close(log->fd);
        log->fd = -1;
        if (log->lost > 0) {
            tell(log, "cannot write", log->lost, 0);
        }
    }
}
