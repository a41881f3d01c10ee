#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/fd_stream.h"
#include "test.h"

static ssize_t rd(struct fd_stream *s, void *buf, size_t len, struct err *e) {
    return s->stream.ops->read(&s->stream, buf, len, e);
}

static ssize_t wr(struct fd_stream *s, const void *buf, size_t len,
                  struct err *e) {
    return s->stream.ops->write(&s->stream, buf, len, e);
}

static void a_pipe_never_blocks_and_keeps_its_flags(void **state) {
    (void)state;
    static char big[65536];
    struct err err = ERR_INIT;
    struct fd_stream r, w;
    int p[2];
    assert_int_equal(pipe(p), 0);
    int before = fcntl(p[1], F_GETFL);
    fd_stream_init_file(&r, p[0], "in");
    fd_stream_init_file(&w, p[1], "out");
    assert_int_equal(rd(&r, big, sizeof big, &err), STREAM_WANT_RD);
    size_t sent = 0, got = 0;
    ssize_t n;
    while ((n = wr(&w, big, sizeof big, &err)) > 0) {
        sent += (size_t)n;
    }
    assert_int_equal(n, STREAM_WANT_WR);
    assert_int_equal(fcntl(p[1], F_GETFL), before);
    close(p[1]);
    while ((n = rd(&r, big, sizeof big, &err)) > 0) {
        got += (size_t)n;
    }
    assert_int_equal(n, STREAM_EOF);
    assert_int_equal(got, sent);
    assert_int_equal(err.origin, ERR_NONE);
    close(p[0]);
}

static void a_broken_pipe_is_epipe(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct fd_stream w;
    int p[2];
    assert_int_equal(pipe(p), 0);
    close(p[0]);
    int own = fd_stream_open_pipe(p[1]);
    for (int i = 0; i < 2; i++) {
        err = (struct err)ERR_INIT;
        fd_stream_init_file(&w, i > 0 && own >= 0 ? own : p[1], "out");
        assert_int_equal(wr(&w, "x", 1, &err), STREAM_ERROR);
        assert_int_equal(err.origin, ERR_OS);
        assert_int_equal(err.code, EPIPE);
        assert_string_equal(err.msg, "write to out: Broken pipe");
    }
    close(own);
    close(p[1]);
}

static void a_full_device_is_enospc(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct fd_stream w;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    fd_stream_init_file(&w, fd, "stdout");
    assert_int_equal(wr(&w, "x", 1, &err), STREAM_ERROR);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, ENOSPC);
    close(fd);
}

static void a_closed_descriptor_is_ebadf(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct fd_stream r;
    char c;
    int fd = dup(0);
    close(fd);
    fd_stream_init_file(&r, fd, "stdin");
    assert_int_equal(rd(&r, &c, 1, &err), STREAM_ERROR);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, EBADF);
}

static void a_socket_half_closes_and_reads_on(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct fd_stream a, b;
    char buf[8];
    int s[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    fd_stream_init_socket(&a, s[0], "a");
    fd_stream_init_socket(&b, s[1], "b");
    assert_int_equal(rd(&b, buf, sizeof buf, &err), STREAM_WANT_RD);
    assert_int_equal(a.stream.ops->end(&a.stream, &err), 0);
    assert_int_equal(rd(&b, buf, sizeof buf, &err), STREAM_EOF);
    assert_int_equal(wr(&b, "late", 4, &err), 4);
    assert_int_equal(rd(&a, buf, sizeof buf, &err), 4);
    assert_memory_equal(buf, "late", 4);
    close(s[1]);
    assert_int_equal(wr(&a, "x", 1, &err), STREAM_ERROR);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EPIPE);
    close(s[0]);
}

static void closing_at_the_end_shows_the_reader_the_end(void **state) {
    (void)state;
    struct fd_stream w;
    struct err err = ERR_INIT;
    int p[2];
    char byte;
    assert_int_equal(pipe(p), 0);
    fd_stream_init_file(&w, p[1], "out");
    w.close_at_end = true;
    assert_int_equal(w.stream.ops->end(&w.stream, &err), 0);
    assert_int_equal(read(p[0], &byte, 1), 0);
    /* The number is not free for a socket to take. */
    assert_true(fcntl(p[1], F_GETFD) >= 0);
    assert_int_equal(write(p[1], "x", 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(w.stream.ops->end(&w.stream, &err), 0);
    close(p[0]);
    close(p[1]);
}

static void a_pipe_of_our_own_takes_all_that_fits(void **state) {
    (void)state;
    static char big[1 << 20];
    struct err err = ERR_INIT;
    struct fd_stream w;
    int p[2];
    assert_int_equal(pipe(p), 0);
    int before = fcntl(p[1], F_GETFL);
    int own = fd_stream_open_pipe(p[1]);
#ifndef __linux__
    if (own < 0) {
        skip();
    }
#endif
    assert_true(own >= 0);
    fd_stream_init_file(&w, own, "out");
    w.close_at_end = true;
    w.twin = p[1];
    ssize_t took = wr(&w, big, sizeof big, &err), n = 1;
    assert_true(took > PIPE_BUF);
    assert_int_equal(wr(&w, big, sizeof big, &err), STREAM_WANT_WR);
    assert_int_equal(fcntl(p[1], F_GETFL), before);
    assert_int_equal(w.stream.ops->end(&w.stream, &err), 0);
    for (ssize_t got = 0; n > 0; got += n) { /* does not wait for more */
        n = read(p[0], big, sizeof big);
        assert_true(n > 0 || got == took);
    }
    assert_int_equal(n, 0);
    assert_int_equal(write(p[1], "x", 1), -1);
    close(own);
    close(p[0]);
    close(p[1]);
}

static void only_a_pipe_is_opened_once_more(void **state) {
    (void)state;
    int s[2];
    int null = open("/dev/null", O_WRONLY);
    int gone = dup(null);
    close(gone);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    assert_int_equal(fd_stream_open_pipe(null), -1);
    assert_int_equal(fd_stream_open_pipe(gone), -1);
    assert_int_equal(fd_stream_open_pipe(s[0]), -1);
    close(null);
    close(s[0]);
    close(s[1]);
}

/* As a parent made of sockets gives it, e.g. sshd. */
static void a_socket_for_stdout_never_blocks_either(void **state) {
    (void)state;
    static char big[1 << 22];
    struct err err = ERR_INIT;
    struct fd_stream w;
    int s[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    int before = fcntl(s[1], F_GETFL);
    fd_stream_init_file(&w, s[1], "stdout");
    assert_true(wr(&w, big, sizeof big, &err) > PIPE_BUF);
    ssize_t n;
    while ((n = wr(&w, big, sizeof big, &err)) > 0) {
    }
    assert_int_equal(n, STREAM_WANT_WR);
    assert_int_equal(fcntl(s[1], F_GETFL), before);
    close(s[0]);
    assert_int_equal(wr(&w, "x", 1, &err), STREAM_ERROR);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, EPIPE);
    close(s[1]);
}

static void a_file_takes_all_at_once(void **state) {
    (void)state;
    static char big[1 << 17];
    char name[] = "/tmp/test_fd_stream.XXXXXX";
    struct err err = ERR_INIT;
    struct fd_stream w;
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    fd_stream_init_file(&w, fd, "stdout");
    assert_int_equal(wr(&w, big, sizeof big, &err), sizeof big);
    close(fd);
}

static void what_is_read_ahead_is_held(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct fd_stream r;
    char got[8];
    int s[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    fd_stream_init_socket(&r, s[0], "the peer");
    assert_false(fd_stream_look(&r));
    assert_int_equal(rd(&r, got, sizeof got, &err), STREAM_WANT_RD);
    assert_int_equal(write(s[1], "abcde", 5), 5);
    assert_true(fd_stream_look(&r));
    assert_true(fd_stream_look(&r));
    assert_int_equal(rd(&r, got, 2, &err), 2);
    assert_true(r.stream.held);
    assert_int_equal(rd(&r, got + 2, 6, &err), 3);
    assert_memory_equal(got, "abcde", 5);
    assert_false(r.stream.held);
    assert_int_equal(rd(&r, got, sizeof got, &err), STREAM_WANT_RD);
    assert_int_equal(write(s[1], "fg", 2), 2);
    assert_int_equal(rd(&r, got, 1, &err), 1);
    assert_true(r.stream.held); /* not after the look alone */
    fd_stream_free(&r);
    close(s[1]);
    assert_true(fd_stream_look(&r));
    assert_int_equal(rd(&r, got, sizeof got, &err), STREAM_EOF);
    close(s[0]);
}

static void a_failure_that_was_seen_is_told_by_the_read(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct fd_stream r;
    char got[8];
    int s[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    fd_stream_init_socket(&r, s[0], "the peer");
    assert_int_equal(write(s[0], "x", 1), 1);
    close(s[1]); /* with a byte unread: a reset, which is told once */
    assert_true(fd_stream_look(&r));
    assert_true(fd_stream_look(&r));
    assert_int_equal(rd(&r, got, sizeof got, &err), STREAM_ERROR);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, ECONNRESET);
    close(s[0]);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_never_blocks_and_keeps_its_flags),
        cmocka_unit_test(a_broken_pipe_is_epipe),
        cmocka_unit_test(a_full_device_is_enospc),
        cmocka_unit_test(a_closed_descriptor_is_ebadf),
        cmocka_unit_test(a_socket_half_closes_and_reads_on),
        cmocka_unit_test(a_pipe_of_our_own_takes_all_that_fits),
        cmocka_unit_test(only_a_pipe_is_opened_once_more),
        cmocka_unit_test(a_socket_for_stdout_never_blocks_either),
        cmocka_unit_test(a_file_takes_all_at_once),
        cmocka_unit_test(what_is_read_ahead_is_held),
        cmocka_unit_test(a_failure_that_was_seen_is_told_by_the_read),
        cmocka_unit_test(closing_at_the_end_shows_the_reader_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
