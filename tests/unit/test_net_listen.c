#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stream.h"
#include "io/net.h"
#include "test.h"

static char dir[64], path[96];

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/mptls-listen-XXXXXX");
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/s", dir);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

static struct net_target at(const char *text) {
    struct net_target t;
    struct err err = ERR_INIT;
    assert_int_equal(net_parse_listen(text, &t, &err), 0);
    return t;
}

static struct net_target at_path(void) {
    char text[128];
    snprintf(text, sizeof text, "unix:%s", path);
    return at(text);
}

static int connect_path(void) {
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    return fd;
}

static int connect_port(unsigned port) {
    struct sockaddr_in sa = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    return fd;
}

static bool is_nonblocking(int fd) {
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 &&
           (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void a_path_is_listened_on_and_removed(void **state) {
    (void)state;
    struct net_target where = at_path();
    struct net_listener l;
    struct net_peer from;
    struct net_path told;
    struct err err = ERR_INIT;
    assert_int_equal(net_listen_at(&where, 1, &l, &err), 0);
    assert_int_equal(l.n, 1);
    assert_true(is_nonblocking(l.fd[0]));
    assert_int_equal(net_accept_now(&l, 0, &from, &err), STREAM_WANT_RD);
    int c = connect_path();
    int s = net_accept_now(&l, 0, &from, &err);
    assert_true(s >= 0);
    assert_true(is_nonblocking(s));
    assert_true(net_is_local(&from));
    net_tell(s, &from, &told);
    assert_string_equal(told.address, l.address[0]);
    assert_string_equal(told.local, l.address[0]);
    assert_memory_equal(l.address[0], "unix:/", 6);
    net_ack_now(s); /* means nothing here, and does nothing */
    assert_int_equal(write(c, "x", 1), 1);
    char got;
    assert_int_equal(read(s, &got, 1), 1);
    close(c);
    close(s);
    net_listener_close(&l);
    assert_int_equal(access(path, F_OK), -1);
    net_listener_close(&l);
}

static void a_socket_that_was_left_is_replaced(void **state) {
    (void)state;
    struct net_target where = at_path();
    struct net_listener l, other;
    struct err err = ERR_INIT;
    assert_int_equal(net_listen_at(&where, 1, &l, &err), 0);
    assert_int_equal(net_listen_at(&where, 1, &other, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EADDRINUSE);
    assert_non_null(strstr(err.msg, path));
    close(l.fd[0]); /* as if killed */
    err = (struct err)ERR_INIT;
    assert_int_equal(net_listen_at(&where, 1, &other, &err), 0);
    close(connect_path());
    net_listener_close(&other);
}

static void one_that_is_crowded_is_not_left(void **state) {
    (void)state;
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    struct net_target where = at_path();
    struct net_listener l;
    struct err err = ERR_INIT;
    int crowd[8];
    size_t n = 0;
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(fd, 0), 0);
    for (int rc = 0; rc == 0; n++) {
        assert_true(n < sizeof crowd / sizeof *crowd);
        crowd[n] = socket(AF_UNIX, SOCK_STREAM, 0);
        fcntl(crowd[n], F_SETFL, O_NONBLOCK);
        rc = connect(crowd[n], (struct sockaddr *)&sa, sizeof sa);
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(net_listen_at(&where, 1, &l, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
    while (n > 0) {
        close(crowd[--n]);
    }
    close(fd);
}

static void what_is_no_socket_stays(void **state) {
    (void)state;
    struct net_target where = at_path();
    struct net_listener l;
    for (int i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        char real[128];
        snprintf(real, sizeof real, "%s/real", dir);
        int fd = open(i == 0 ? path : real, O_CREAT | O_WRONLY, 0600);
        close(fd);
        if (i == 1) {
            assert_int_equal(symlink(real, path), 0);
        }
        assert_int_equal(net_listen_at(&where, 1, &l, &err), -1);
        assert_int_equal(err.origin, ERR_NET);
        assert_int_equal(err.code, EADDRINUSE);
        assert_int_equal(unlink(path), 0);
        (void)unlink(real);
    }
}

static void a_path_that_cannot_be_is_an_error(void **state) {
    (void)state;
    struct net_target where;
    struct net_listener l;
    struct err err = ERR_INIT;
    char text[300] = "unix:";
    assert_int_equal(net_parse_listen("unix:", &where, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    memset(text + 5, 'x', 200);
    err = (struct err)ERR_INIT;
    assert_int_equal(net_parse_listen(text, &where, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    err = (struct err)ERR_INIT;
    where = at("unix:/no/such/folder/s");
    assert_int_equal(net_listen_at(&where, 1, &l, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, ENOENT);
}

static void another_process_leaves_the_path(void **state) {
    (void)state;
    struct net_target where = at_path();
    struct net_listener l;
    struct err err = ERR_INIT;
    int status;
    assert_int_equal(net_listen_at(&where, 1, &l, &err), 0);
    pid_t pid = fork();
    if (pid == 0) {
        net_listener_close(&l);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(connect_path());
    net_listener_close(&l);
    assert_int_equal(access(path, F_OK), -1);
}

static void several_share_a_port(void **state) {
    (void)state;
    enum { GROUPS = 4, CLIENTS = 64 };
    struct net_target where = at("127.0.0.1:0");
    struct net_listener l[GROUPS];
    struct err err = ERR_INIT;
    int clients[CLIENTS];
    unsigned got[GROUPS] = { 0 }, total = 0, used = 0;
    assert_int_equal(net_listen_at(&where, GROUPS, l, &err), 0);
    for (int i = 0; i < GROUPS; i++) {
        assert_int_equal(l[i].port, l[0].port);
        assert_string_equal(l[i].address[0], l[0].address[0]);
        assert_int_equal(l[i].n, 1);
    }
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = connect_port(l[0].port);
    }
    for (int i = 0; i < GROUPS; i++) {
        struct net_peer from;
        int fd;
        while ((fd = net_accept_now(&l[i], 0, &from, &err)) >= 0) {
            close(fd);
            got[i]++;
        }
        total += got[i];
        used += got[i] > 0;
    }
    assert_int_equal(total, CLIENTS);
    assert_in_range(used, 2, GROUPS); /* by the kernel's hash */
    /* Another program does not share it, one like us neither. */
    struct net_listener other[2];
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", l[0].port);
    struct net_target same = at(text);
    for (size_t n = 1; n <= 2; n++) {
        err = (struct err)ERR_INIT;
        assert_int_equal(net_listen_at(&same, n, other, &err), -1);
        assert_int_equal(err.origin, ERR_NET);
        assert_int_equal(err.code, EADDRINUSE);
    }
    for (int i = 0; i < CLIENTS; i++) {
        close(clients[i]);
    }
    for (int i = 0; i < GROUPS; i++) {
        net_listener_close(&l[i]);
    }
}

static void several_have_one_path(void **state) {
    (void)state;
    struct net_target where = at_path();
    struct net_listener l[3];
    struct net_peer from;
    struct err err = ERR_INIT;
    assert_int_equal(net_listen_at(&where, 3, l, &err), 0);
    int c = connect_path();
    int s = net_accept_now(&l[2], 0, &from, &err);
    assert_true(s >= 0);
    assert_int_equal(net_accept_now(&l[0], 0, &from, &err), STREAM_WANT_RD);
    close(c);
    close(s);
    net_listener_close(&l[1]);
    net_listener_close(&l[2]);
    assert_int_equal(access(path, F_OK), 0);
    net_listener_close(&l[0]);
    assert_int_equal(access(path, F_OK), -1);
}

/* Descriptors as another program hands them over: they block. */
static void sockets_are_taken_over(void **state) {
    (void)state;
    enum { FIRST = 200 };
    struct net_target ip = at("127.0.0.1:0"), local = at_path();
    struct net_listener a, b, l;
    struct net_peer from;
    struct err err = ERR_INIT;
    assert_int_equal(net_listen_at(&ip, 1, &a, &err), 0);
    assert_int_equal(net_listen_at(&local, 1, &b, &err), 0);
    assert_int_equal(dup2(a.fd[0], FIRST), FIRST);
    assert_int_equal(dup2(b.fd[0], FIRST + 1), FIRST + 1);
    fcntl(FIRST, F_SETFL, 0);
    fcntl(FIRST + 1, F_SETFL, 0);
    assert_int_equal(net_listen_adopt(FIRST, 2, &l, &err), 0);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.port, a.port);
    assert_string_equal(l.address[0], a.address[0]);
    assert_string_equal(l.address[1], b.address[0]);
    assert_true(is_nonblocking(l.fd[0]) && is_nonblocking(l.fd[1]));
    int c = connect_port(a.port);
    int s = net_accept_now(&l, 0, &from, &err);
    assert_true(s >= 0);
    close(c);
    close(s);
    net_listener_close(&l);
    assert_int_equal(access(path, F_OK), 0); /* it is not ours */
    net_listener_close(&a);
    net_listener_close(&b);
}

static void what_does_not_listen_is_not_taken(void **state) {
    (void)state;
    enum { FIRST = 200 };
    int p[2], pair[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    const int bad[] = { p[0], pair[0], udp, -1 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct net_listener l;
        struct err err = ERR_INIT;
        close(FIRST);
        if (bad[i] >= 0) {
            dup2(bad[i], FIRST);
        }
        assert_int_equal(net_listen_adopt(FIRST, 1, &l, &err), -1);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_non_null(strstr(err.msg, "200"));
    }
    struct net_listener l;
    struct err err = ERR_INIT;
    assert_int_equal(net_listen_adopt(FIRST, NET_LISTEN_MAX + 1, &l, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    struct net_peer from;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool good = bad[i] == pair[0];
        err = (struct err)ERR_INIT;
        assert_int_equal(net_accepted(bad[i], &from, &err), good ? 0 : -1);
        assert_int_equal(err.origin, good ? ERR_NONE : ERR_USAGE);
        close(bad[i]);
    }
    close(p[1]);
    close(pair[1]);
}

static void without_descriptors_it_is_starved(void **state) {
    (void)state;
    struct net_target where = at("127.0.0.1:0");
    struct net_listener l, copy;
    struct net_peer from;
    struct err err = ERR_INIT;
    struct rlimit was, none;
    assert_int_equal(net_listen_at(&where, 1, &l, &err), 0);
    int c = connect_port(l.port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = was;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int s = net_accept_now(&l, 0, &from, &err);
    struct err no_copy = ERR_INIT;
    int rc = net_listen_copy(&l, &copy, &no_copy);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(s, STREAM_ERROR);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EMFILE);
    assert_true(net_starved(&err));
    assert_int_equal(rc, -1);
    assert_int_equal(no_copy.origin, ERR_NET);
    err.code = EINVAL;
    assert_false(net_starved(&err));
    err = (struct err)ERR_INIT;
    int another = connect_port(l.port); /* valgrind drops the one that waits */
    s = net_accept_now(&l, 0, &from, &err);
    assert_true(s >= 0);
    int on = 0;
    socklen_t len = sizeof on;
    assert_int_equal(getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
    assert_true(on != 0);
    net_ack_now(s);
    close(s);
    close(c);
    close(another);
    net_listener_close(&l);
}

static void closing_may_take_away_what_was_sent(void **state) {
    struct net_listener l;
    struct net_peer from;
    struct err err = ERR_INIT;
    static const unsigned char bytes[4096];
    unsigned char byte;
    (void)state;
    assert_int_equal(net_listen("127.0.0.1", "0", &l, &err), 0);
    int c = connect_port(l.port), s = -1;
    while ((s = net_accept_now(&l, 0, &from, &err)) == STREAM_WANT_RD) {
    }
    assert_true(s >= 0);
    assert_true(net_can_close(s, 0));
    assert_int_equal(write(c, "x", 1), 1); /* nobody has read it */
    assert_int_equal(recv(s, &byte, 1, MSG_PEEK), 1);
    assert_false(net_can_close(s, SIZE_MAX));
    assert_int_equal(read(s, &byte, 1), 1);
    assert_true(net_can_close(s, 0));
    ssize_t n; /* more than there is room for at the other end */
    while ((n = write(s, bytes, sizeof bytes)) > 0) {
    }
    assert_true(n < 0 && errno == EAGAIN);
    assert_false(net_can_close(s, sizeof bytes));
    assert_true(net_can_close(s, SIZE_MAX));
    close(c);
    close(s);
    net_listener_close(&l);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_path_is_listened_on_and_removed),
        TEST(a_socket_that_was_left_is_replaced),
        TEST(one_that_is_crowded_is_not_left),
        TEST(what_is_no_socket_stays),
        TEST(a_path_that_cannot_be_is_an_error),
        TEST(another_process_leaves_the_path),
        TEST(several_share_a_port),
        TEST(several_have_one_path),
        TEST(sockets_are_taken_over),
        TEST(what_does_not_listen_is_not_taken),
        TEST(without_descriptors_it_is_starved),
        TEST(closing_may_take_away_what_was_sent),
    };
    return cmocka_run_group_tests_name("net_listen", tests, NULL, NULL);
}
