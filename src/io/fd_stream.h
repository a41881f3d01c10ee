/*
 * fd_stream.h - a stream over a descriptor whose flags are left alone.
 *
 * O_NONBLOCK belongs to the open file, which the parent shell shares, so it is
 * never set: readiness is asked for each call. SIGPIPE must be ignored by the
 * caller if a pipe's EPIPE is to be an error rather than a signal.
 */
#ifndef IO_FD_STREAM_H
#define IO_FD_STREAM_H

#include <stdbool.h>

#include "base/stream.h"

struct fd_stream {
    struct stream stream;   /* first, so that a fd_stream is a stream */
    enum err_origin origin; /* of its failures */
    const char *name;       /* for messages; borrowed */
    bool close_at_end;      /* `end` closes it; see fd_stream_init_file */
};

/**
 * Make `s` a stream over a file, a pipe or a terminal.
 *
 * A write takes at most PIPE_BUF bytes, which a pipe that polls writable takes
 * without blocking. `end` leaves the descriptor open and succeeds; with
 * `close_at_end`, to be set by the caller, it lets whoever reads see the end:
 * the file is closed, which may fail as a write may, and the descriptor's
 * number is held by /dev/null.
 *
 * @param fd    borrowed, and must outlive `s`
 * @param name  what to call it in errors, e.g. "stdin"; borrowed
 *
 * Failures: ERR_OS with the errno of poll, read or write.
 */
void fd_stream_init_file(struct fd_stream *s, int fd, const char *name);

/**
 * As fd_stream_init_file, over a connected stream socket; raises no SIGPIPE.
 * Failures are ERR_NET.
 *
 * `end` shuts down sending; ERR_NET with the errno of shutdown, where a peer
 * that has already gone (ENOTCONN) is a success.
 */
void fd_stream_init_socket(struct fd_stream *s, int fd, const char *name);

#endif
