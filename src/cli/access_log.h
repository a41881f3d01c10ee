/*
 * access_log.h - the file that --access-log names: a line for each connection
 * of a server (report/access.h).
 */
#ifndef CLI_ACCESS_LOG_H
#define CLI_ACCESS_LOG_H

#include "cli/opt.h"
#include "cli/output.h"
#include "report/report.h"

struct access_log_options {
    const char *path; /* NULL: no log */
    int format;       /* index into its names; -1: text */
};

#define ACCESS_LOG_OPTIONS_INIT                                                \
    { .format = -1 }

/* The table; its offsets are in struct access_log_options. */
extern const struct opt access_log_opts[];

struct access_log {
    const struct access_log_options *options; /* borrowed */
    const struct output *out;                 /* borrowed */
    int fd;                                   /* owned; -1: there is no log */
    int usr1_fd;   /* readable: access_log_reopen() is due; -1: never */
    bool cut;      /* its last line has no end */
    uint64_t lost; /* lines, since one could last be written */
};

/**
 * Open it for appending; a new file can be read by its owner and group. SIGUSR1
 * is caught from then on.
 *
 * @param log  the caller's memory; access_log_close() is due in every case
 * @param o    borrowed, as `out` is
 * @return 0, also if there is none; -1: ERR_FILE, ERR_USAGE for "" or a format
 *         without a file, ERR_OS
 */
MUST_USE int access_log_open(struct access_log *log,
                             const struct access_log_options *o,
                             const struct output *out, struct err *err);

/**
 * Append a line, by one write, after access_log_reopen(). That it cannot be
 * written is said once, and nothing to the connection; nor does it wait for
 * whoever reads, if it is a pipe.
 *
 * @param r  judged, as output_end() leaves it
 */
void access_log_write(struct access_log *log, const struct report *r);

/**
 * If SIGUSR1 has come: open the path anew, and say so. If that fails the old
 * file stays in use.
 */
void access_log_reopen(struct access_log *log);

/** Say, too, how many lines could not be written last. May be called twice. */
void access_log_close(struct access_log *log);

#endif
