#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
    fd_stream_init_file(&w, p[1], "out");
    assert_int_equal(wr(&w, "x", 1, &err), STREAM_ERROR);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, EPIPE);
    assert_string_equal(err.msg, "write to out: Broken pipe");
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

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_never_blocks_and_keeps_its_flags),
        cmocka_unit_test(a_broken_pipe_is_epipe),
        cmocka_unit_test(a_full_device_is_enospc),
        cmocka_unit_test(a_closed_descriptor_is_ebadf),
        cmocka_unit_test(a_socket_half_closes_and_reads_on),
        cmocka_unit_test(closing_at_the_end_shows_the_reader_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
