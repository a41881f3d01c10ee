#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/forward.h"
#include "test.h"

static struct forward f;
static struct forward_target target;
static struct loop loop;
static const struct loop_limit none;

/* A listener on loopback, and "127.0.0.1:PORT". */
static int listen_on(char *name, size_t size) {
    struct sockaddr_in sa = { .sin_family = AF_INET };
    socklen_t len = sizeof sa;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    snprintf(name, size, "127.0.0.1:%d", ntohs(sa.sin_port));
    return fd;
}

static void aim(const char *text) {
    struct err err = ERR_INIT;
    assert_int_equal(forward_target_init(&target, text, &loop, &none, &err), 0);
}

/* Call until it answers something else than WANT, polling as it asks. */
static ssize_t take(char *buf, size_t len, struct err *err) {
    for (int i = 0; i < 100; i++) {
        struct stream *s = &f.in.stream;
        ssize_t n = s->ops->read(s, buf, len, err);
        if (n != STREAM_WANT_RD && n != STREAM_WANT_WR) {
            return n;
        }
        struct pollfd p = { s->fd, n == STREAM_WANT_RD ? POLLIN : POLLOUT, 0 };
        assert_true(s->fd >= 0);
        assert_int_equal(s->fd, f.out.stream.fd);
        assert_int_equal(poll(&p, 1, 10000), 1);
    }
    fail_msg("it never ends");
    return 0;
}

static void give(const char *text) {
    struct err err = ERR_INIT;
    struct stream *s = &f.out.stream;
    ssize_t n;
    while ((n = s->ops->write(s, text, strlen(text), &err)) == STREAM_WANT_WR) {
        struct pollfd p = { s->fd, POLLOUT, 0 };
        assert_int_equal(poll(&p, 1, 10000), 1);
    }
    assert_int_equal(n, strlen(text));
}

/* Both ways, and both ends, with a listener that accepts. */
static void talk(int listener) {
    struct err err = ERR_INIT;
    char buf[16];
    forward_init(&f, &target, 0);
    assert_int_equal(f.due_ms, 0);
    give("hello");
    int peer = accept(listener, NULL, NULL);
    assert_int_equal(read(peer, buf, sizeof buf), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(f.out.stream.ops->end(&f.out.stream, &err), 0);
    assert_int_equal(read(peer, buf, sizeof buf), 0);
    assert_int_equal(f.in.stream.ops->read(&f.in.stream, buf, 1, &err),
                     STREAM_WANT_RD);
    assert_int_equal(write(peer, "bye", 3), 3);
    assert_int_equal(take(buf, sizeof buf, &err), 3);
    close(peer);
    assert_int_equal(take(buf, sizeof buf, &err), STREAM_EOF);
    assert_int_equal(err.origin, ERR_NONE);
    assert_false(f.failed);
    forward_close(&f);
    forward_close(&f);
    close(listener);
}

static void a_port_is_talked_to(void **state) {
    (void)state;
    char name[32];
    int listener = listen_on(name, sizeof name);
    aim(name);
    talk(listener);
}

static void a_local_socket_is_talked_to(void **state) {
    (void)state;
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    char name[64], folder[] = "/tmp/mptls-forward-XXXXXX";
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "unix:%s/s", folder);
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s/s", folder);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(listener, 1), 0);
    aim(name);
    talk(listener);
    unlink(sa.sun_path);
    rmdir(folder);
}

static void one_that_refuses_fails_both_ways(void **state) {
    (void)state;
    char name[32], buf[4];
    struct err err = ERR_INIT;
    close(listen_on(name, sizeof name));
    aim(name);
    forward_init(&f, &target, 1000);
    assert_int_equal(take(buf, sizeof buf, &err), STREAM_ERROR);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, ECONNREFUSED);
    assert_non_null(strstr(err.msg, name));
    assert_true(f.failed);
    assert_false(f.standing);
    err = (struct err)ERR_INIT;
    assert_int_equal(f.out.stream.ops->write(&f.out.stream, "x", 1, &err),
                     STREAM_ERROR);
    assert_int_equal(err.code, ECONNREFUSED);
    forward_close(&f);
}

static void the_next_address_is_tried(void **state) {
    (void)state;
    char refuses[32], name[32];
    close(listen_on(refuses, sizeof refuses));
    aim(refuses);
    struct forward_addr first = target.addr[0];
    int listener = listen_on(name, sizeof name);
    aim(name);
    target.addr[1] = target.addr[0];
    target.addr[0] = first;
    target.n = 2;
    talk(listener);
}

/* A listener whose queue is full does not answer. */
static void one_that_does_not_answer_is_given_up(void **state) {
    (void)state;
    char name[32], buf[4];
    struct err err = ERR_INIT;
    int listener = listen_on(name, sizeof name), fill[8];
    aim(name);
    for (size_t i = 0; i < 8; i++) {
        struct forward full;
        forward_init(&full, &target, 0);
        (void)full.in.stream.ops->read(&full.in.stream, buf, 1, &err);
        fill[i] = full.socket.stream.fd; /* kept */
    }
    forward_init(&f, &target, 20);
    ssize_t n;
    while ((n = f.in.stream.ops->read(&f.in.stream, buf, 1, &err)) ==
           STREAM_WANT_WR) {
        struct pollfd p = { f.in.stream.fd, POLLOUT, 0 };
        poll(&p, 1, 5);
    }
    assert_int_equal(n, STREAM_ERROR);
    assert_int_equal(err.origin, ERR_TIMEOUT);
    assert_int_equal(err.code, 20);
    assert_true(f.failed);
    forward_close(&f);
    for (size_t i = 0; i < 8; i++) {
        close(fill[i]);
    }
    close(listener);
}

static void targets_that_are_none(void **state) {
    (void)state;
    char longest[200];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "unix:", 5);
    longest[sizeof longest - 1] = '\0';
    const char *const rows[] = { "unix:", longest, "localhost", "1.2.3.4:0",
                                 ":80" };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(
            forward_target_init(&target, rows[i], &loop, &none, &err), -1);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_int_equal(err.code, 0);
    }
    struct err err = ERR_INIT;
    assert_int_equal(forward_target_init(&target, "no-such-host.invalid:1",
                                         &loop, &none, &err),
                     -1);
    assert_int_equal(err.origin, ERR_DNS);
}

int main(void) {
    loop_init(&loop, -1, NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_is_talked_to),
        cmocka_unit_test(a_local_socket_is_talked_to),
        cmocka_unit_test(one_that_refuses_fails_both_ways),
        cmocka_unit_test(the_next_address_is_tried),
        cmocka_unit_test(one_that_does_not_answer_is_given_up),
        cmocka_unit_test(targets_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
