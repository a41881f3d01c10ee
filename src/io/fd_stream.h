/*
 * fd_stream.h - a stream over a descriptor whose flags are left alone.
 *
 * O_NONBLOCK belongs to the open file, which the parent shell shares, so it is
 * never set on it: readiness is asked for each call, or a pipe opened once
 * more, which makes an open file of our own. SIGPIPE must be ignored by the
 * caller if a pipe's EPIPE is to be an error rather than a signal.
 */
#ifndef IO_FD_STREAM_H
#define IO_FD_STREAM_H

#include <stdbool.h>

#include "base/stream.h"

enum fd_stream_kind {
    FD_STREAM_SHARED, /* a write might wait, and takes PIPE_BUF bytes at most */
    FD_STREAM_SOCKET,
    FD_STREAM_FREE /* a write never waits: a file, or O_NONBLOCK is set */
};

struct fd_stream {
    struct stream stream;     /* first, so that a fd_stream is a stream */
    enum err_origin origin;   /* of its failures */
    enum fd_stream_kind kind; /* how it is written to */
    const char *name;         /* for messages; borrowed */
    bool close_at_end;        /* `end` closes it; see fd_stream_init_file */
    int twin;   /* and this one, where `fd` is another open file; -1: none */
    bool ahead; /* fd_stream_look() was called: more is read at once
                   than is asked for */
    unsigned char *kept; /* that; owned; NULL: nothing */
    size_t kept_at, kept_len;
    int kept_errno; /* what to fail with after it; 0: nothing */
};

/**
 * Make `s` a stream over a file, a pipe or a terminal.
 *
 * A write takes what there is room for in a file, a socket, or what is
 * O_NONBLOCK; else at most PIPE_BUF bytes, which a pipe that polls writable
 * takes without blocking. `end` leaves the descriptor open and succeeds; with
 * `close_at_end`, to be set by the caller, it lets whoever reads see the end:
 * the file is closed, which may fail as a write may, and the descriptor's
 * number is held by a pipe that nobody writes to.
 *
 * @param fd    borrowed, and must outlive `s`
 * @param name  what to call it in errors, e.g. "stdin"; borrowed
 *
 * Failures: ERR_OS with the errno of poll, read or write.
 */
void fd_stream_init_file(struct fd_stream *s, int fd, const char *name);

/**
 * Open the pipe that `fd` writes to once more, with O_NONBLOCK, which those who
 * share `fd` do not see: a write to it takes all that there is room for.
 *
 * @return a descriptor for fd_stream_init_file(), which the caller closes, with
 *         `fd` as its twin; -1: it is no pipe, or the system has no way, or the
 *         pipe is another user's
 */
int fd_stream_open_pipe(int fd);

/**
 * As fd_stream_init_file, over a connected stream socket; raises no SIGPIPE.
 * Failures are ERR_NET.
 *
 * `end` shuts down sending; ERR_NET with the errno of shutdown, where a peer
 * that has already gone (ENOTCONN) is a success.
 */
void fd_stream_init_socket(struct fd_stream *s, int fd, const char *name);

/**
 * Is there something to read from a socket: bytes, its end, or a failure? From
 * now on reads read ahead, and poll cannot see what they keep: read until
 * STREAM_WANT_RD before waiting. fd_stream_free() is due in the end.
 */
bool fd_stream_look(struct fd_stream *s);

/** Forget what was read ahead; may be called twice. */
void fd_stream_free(struct fd_stream *s);

#endif
