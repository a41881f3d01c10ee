/*
 * keylog.h - the file that --keylog or SSLKEYLOGFILE names.
 */
#ifndef CLI_KEYLOG_H
#define CLI_KEYLOG_H

#include <stdbool.h>

#include "tls/ssl_context.h"

struct keylog {
    int fd; /* owned; -1: none */
    const char *path;
    bool failed; /* a line could not be written whole */
};

/**
 * Open the file for appending, readable by its owner only if it is new.
 *
 * @param path  --keylog's; NULL: what SSLKEYLOGFILE says, if anything
 * @return 0, also if there is nothing to open; -1: ERR_FILE; ERR_USAGE: ""
 */
MUST_USE int keylog_open(struct keylog *k, const char *path, struct err *err);

/** A ssl_keylog (tls/ssl_keylog.h); `arg` is the keylog. One write a line. */
void keylog_write(void *arg, const char *line, size_t len);

/** May be called twice, and on a zeroed `k`. */
void keylog_close(struct keylog *k);

#endif
