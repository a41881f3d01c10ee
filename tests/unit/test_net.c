#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net.h"
#include "test.h"

#ifndef RTLD_NEXT /* outside POSIX, and the same everywhere */
#define RTLD_NEXT ((void *)-1L)
#endif

static struct loop l;
static struct net_path path;
static int accept_fault; /* what the next accept says, once */

static int real_lookup(const char *host, const char *port,
                       const struct addrinfo *hints, struct addrinfo **list) {
    int (*next)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **);
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    return next(host, port, hints, list);
}

/* A list of several addresses; freeaddrinfo() takes it as one. */
static struct addrinfo *addrs(size_t n, const char *const *hosts,
                              const char *port) {
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL, **end = &list;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(real_lookup(hosts[i], port, &hints, end), 0);
        end = &(*end)->ai_next;
    }
    return list;
}

/* In the way of the C library's own: names with addresses to the test's
 * liking. */
int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **list) {
    static const char *const two[] = { "127.0.0.2", "127.0.0.1" };
    static const char *const same[] = { "127.0.0.1", "127.0.0.1" };
    static const char *const away[] = { "192.0.2.1" };
    if ((hints->ai_flags & AI_NUMERICHOST) != 0) {
        return real_lookup(host, port, hints, list);
    }
    if (strcmp(host, "two.test") == 0) {
        *list = addrs(2, two, port);
    } else if (strcmp(host, "same.test") == 0) {
        *list = addrs(2, same, port);
    } else if (strcmp(host, "away.test") == 0) {
        *list = addrs(1, away, port);
    } else if (strstr(host, ".test") != NULL) {
        return EAI_NONAME;
    } else {
        return real_lookup(host, port, hints, list);
    }
    return 0;
}

static bool accept_fails(void) {
    if (accept_fault == 0) {
        return false;
    }
    errno = accept_fault;
    accept_fault = 0;
    return true;
}

/* One of them is called, whichever the system has. */
int accept(int fd, struct sockaddr *sa, socklen_t *len) {
    int (*next)(int, struct sockaddr *, socklen_t *);
    *(void **)&next = dlsym(RTLD_NEXT, "accept");
    return accept_fails() ? -1 : next(fd, sa, len);
}

int accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags) {
    int (*next)(int, struct sockaddr *, socklen_t *, int);
    *(void **)&next = dlsym(RTLD_NEXT, "accept4");
    return accept_fails() ? -1 : next(fd, sa, len, flags);
}

static int bind_fault_at; /* the call that fails, 1: the next; 0: none */

int bind(int fd, const struct sockaddr *sa, socklen_t len) {
    int (*next)(int, const struct sockaddr *, socklen_t);
    if (bind_fault_at > 0 && --bind_fault_at == 0) {
        errno = EADDRINUSE;
        return -1;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "bind");
    return next(fd, sa, len);
}

static unsigned open_fds(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

static unsigned fds_before;

static int set_up(void **state) {
    (void)state;
    fds_before = open_fds();
    loop_init(&l, -1, NULL, 5000);
    path = (struct net_path){ .tried = 99 };
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    return open_fds() == fds_before ? 0 : -1;
}

static void listens(struct net_listener *s, const char *addr, char *port) {
    struct err err = ERR_INIT;
    assert_int_equal(net_listen(addr, port[0] ? port : "0", s, &err), 0);
    snprintf(port, 8, "%u", s->port);
}

/* A port where nobody listens, on any address of the machine. */
static void free_port(char *port) {
    struct net_listener s;
    port[0] = '\0';
    listens(&s, "127.0.0.1", port);
    net_listener_close(&s);
}

static int dial(size_t n, const char *const *hosts, const char *port,
                int64_t ms, struct err *err) {
    struct addrinfo *list = addrs(n, hosts, port);
    struct loop_limit limit = loop_limit_start(ms);
    int fd = net_connect_addrs(&l, list, "board.test:443", &limit, &path, err);
    freeaddrinfo(list);
    return fd;
}

static void is_our_kind_of_socket(int fd) {
    int on = 0;
    socklen_t len = sizeof on;
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_true(on);
}

static void is_try(size_t i, const char *address, int error) {
    assert_true(i < path.tried);
    assert_string_equal(path.tries[i].address, address);
    assert_int_equal(path.tries[i].error, error);
}

static void both_ends_know_the_way(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s;
    struct net_path theirs;
    char port[8] = "", want[NET_ADDR_MAX];
    listens(&s, "127.0.0.1", port);
    int a = net_connect(&l, "127.0.0.1", port, 1000, &path, &err);
    assert_true(a >= 0);
    int b = net_accept(&l, &s, NULL, &theirs, &err);
    assert_true(b >= 0);
    snprintf(want, sizeof want, "127.0.0.1:%s", port);
    assert_string_equal(s.address[0], want);
    assert_string_equal(path.address, want);
    assert_string_equal(theirs.local, want);
    assert_string_equal(path.local, theirs.address);
    assert_int_equal(path.tried, 1);
    assert_int_equal(theirs.tried, 1);
    assert_true(path.connect_us > 0 && path.resolve_us >= 0);
    is_try(0, want, 0);
    assert_true(path.tries[0].us >= 0);
    is_our_kind_of_socket(a);
    is_our_kind_of_socket(b);
    assert_int_equal(err.origin, ERR_NONE);
    close(a);
    close(b);
    net_listener_close(&s);
}

static void a_refusal_names_the_address(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    char port[8], want[128];
    free_port(port);
    assert_int_equal(net_connect(&l, "127.0.0.1", port, 1000, &path, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, ECONNREFUSED);
    snprintf(want, sizeof want, "connect to 127.0.0.1:%s: Connection refused",
             port);
    assert_string_equal(err.msg, want);
}

static void of_many_failures_the_first_is_told_and_they_are_counted(void **st) {
    (void)st;
    struct err err = ERR_INIT;
    const char *hosts[20];
    char port[8], want[128];
    free_port(port);
    for (size_t i = 0; i < 20; i++) {
        hosts[i] = i == 0 ? "127.0.0.2" : "127.0.0.1";
    }
    assert_int_equal(dial(20, hosts, port, 1000, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, ECONNREFUSED);
    snprintf(want, sizeof want,
             "connect to 127.0.0.2:%s: Connection refused "
             "(all 16 addresses failed)",
             port);
    assert_string_equal(err.msg, want);
    assert_int_equal(path.tried, NET_ADDRS_MAX);
    for (size_t i = 0; i < NET_ADDRS_MAX; i++) {
        snprintf(want, sizeof want, "%s:%s", hosts[i], port);
        is_try(i, want, ECONNREFUSED);
        assert_true(path.tries[i].us >= 0);
    }
}

static void after_a_refusal_the_next_address_is_tried_at_once(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s;
    char port[8] = "", want[NET_ADDR_MAX];
    listens(&s, "127.0.0.1", port);
    int64_t began = loop_now_ms();
    int fd = net_connect(&l, "two.test", port, 1000, &path, &err);
    assert_true(fd >= 0);
    assert_true(loop_now_ms() - began < NET_STAGGER_MS);
    snprintf(want, sizeof want, "127.0.0.1:%s", port);
    assert_string_equal(path.address, want);
    assert_int_equal(path.tried, 2);
    is_try(1, want, 0);
    snprintf(want, sizeof want, "127.0.0.2:%s", port);
    is_try(0, want, ECONNREFUSED);
    close(fd);
    net_listener_close(&s);
}

static void the_families_alternate(void **state) {
    (void)state;
    static const char *const hosts[] = { "127.0.0.2", "127.0.0.3", "::1" };
    struct err err = ERR_INIT;
    struct net_listener s;
    char port[8] = "", want[NET_ADDR_MAX];
    if (net_listen("::1", "0", &s, &err) != 0) {
        skip();
    }
    snprintf(port, sizeof port, "%u", s.port);
    int fd = dial(3, hosts, port, 1000, &err);
    assert_true(fd >= 0);
    assert_int_equal(path.tried, 2);
    snprintf(want, sizeof want, "[::1]:%s", port);
    assert_string_equal(path.address, want);
    close(fd);
    net_listener_close(&s);
}

/* A listener that answers nobody, because its queue is full. */
struct full {
    int listener, n, fd[8];
};

static void full_open(struct full *f, const char *host, char *port) {
    struct addrinfo *ai = addrs(1, &host, port[0] ? port : "0");
    struct sockaddr_in sa;
    socklen_t len = sizeof sa;
    memcpy(&sa, ai->ai_addr, sizeof sa);
    freeaddrinfo(ai);
    f->n = 0;
    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(f->listener, 0), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&sa, &len), 0);
    snprintf(port, 8, "%u", ntohs(sa.sin_port));
    struct pollfd p = { .events = POLLOUT };
    do {
        assert_true(f->n < 8);
        p.fd = f->fd[f->n++] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(p.fd, F_SETFL, O_NONBLOCK);
        (void)connect(p.fd, (struct sockaddr *)&sa, len);
    } while (poll(&p, 1, 20) == 1);
}

static void full_close(struct full *f) {
    while (f->n > 0) {
        close(f->fd[--f->n]);
    }
    close(f->listener);
}

static void a_silent_address_is_overtaken_by_the_next(void **state) {
    (void)state;
    static const char *const hosts[] = { "127.0.0.2", "127.0.0.1" };
    struct err err = ERR_INIT;
    struct net_listener s;
    struct full f;
    char port[8] = "", want[NET_ADDR_MAX];
    listens(&s, "two.test", port);
    close(s.fd[0]);
    s.fd[0] = s.fd[--s.n];
    full_open(&f, "127.0.0.2", port);
    int64_t began = loop_now_ms();
    int fd = dial(2, hosts, port, 2000, &err);
    assert_true(fd >= 0);
    assert_true(loop_now_ms() - began >= NET_STAGGER_MS);
    snprintf(want, sizeof want, "127.0.0.1:%s", port);
    assert_string_equal(path.address, want);
    assert_int_equal(path.tried, 2);
    is_try(1, want, 0);
    snprintf(want, sizeof want, "127.0.0.2:%s", port);
    is_try(0, want, 0);
    assert_int_equal(path.tries[0].us, -1);
    close(fd);
    net_listener_close(&s);
    full_close(&f);
}

static void a_silent_address_is_given_up_at_the_limit(void **state) {
    (void)state;
    static const char *const hosts[] = { "127.0.0.1", "127.0.0.1" };
    struct err err = ERR_INIT;
    struct full f;
    char port[8] = "";
    full_open(&f, "127.0.0.1", port);
    int64_t began = loop_now_ms();
    assert_int_equal(dial(2, hosts, port, 30, &err), -1);
    assert_true(loop_now_ms() - began >= 30);
    assert_int_equal(err.origin, ERR_TIMEOUT);
    assert_int_equal(err.code, 30);
    assert_string_equal(err.msg,
                        "connect to board.test:443: no answer within 30 ms");
    char want[NET_ADDR_MAX];
    snprintf(want, sizeof want, "127.0.0.1:%s", port);
    is_try(0, want, 0);
    assert_int_equal(path.tries[0].us, -1);
    full_close(&f);
}

static void the_runs_limit_and_signals_hold_for_connecting(void **state) {
    (void)state;
    static const char *const hosts[] = { "127.0.0.1" };
    volatile sig_atomic_t number = SIGTERM;
    struct err late = ERR_INIT, stopped = ERR_INIT;
    struct full f;
    char port[8] = "";
    full_open(&f, "127.0.0.1", port);
    loop_init(&l, -1, NULL, 20);
    assert_int_equal(dial(1, hosts, port, 5000, &late), -1);
    assert_int_equal(late.origin, ERR_MAX_TIME);
    assert_int_equal(late.code, 20);
    assert_non_null(strstr(late.msg, "a connection to board.test:443"));
    loop_init(&l, -1, &number, 0);
    assert_int_equal(dial(1, hosts, port, 5000, &stopped), -1);
    assert_int_equal(stopped.origin, ERR_SIGNAL);
    assert_int_equal(stopped.code, SIGTERM);
    full_close(&f);
}

static void an_unknown_host_is_eai_noname(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s;
    assert_int_equal(net_connect(&l, "gone.test", "443", 1000, &path, &err),
                     -1);
    assert_int_equal(err.origin, ERR_DNS);
    assert_int_equal(err.code, EAI_NONAME);
    err = (struct err)ERR_INIT;
    assert_int_equal(net_listen("gone.test", "0", &s, &err), -1);
    assert_int_equal(err.origin, ERR_DNS);
    assert_int_equal(err.code, EAI_NONAME);
}

static void no_address_given_means_every_one_of_both_families(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s;
    struct net_path theirs;
    char port[8] = "";
    listens(&s, NULL, port);
    assert_int_equal(s.n, 1);
    int a = net_connect(&l, "127.0.0.1", port, 1000, &path, &err);
    assert_true(a >= 0);
    int b = net_accept(&l, &s, NULL, &theirs, &err);
    assert_true(b >= 0);
    assert_string_equal(theirs.address, path.local);
    assert_string_equal(theirs.local, path.address);
    close(a);
    close(b);
    net_listener_close(&s);
}

static void a_name_is_listened_on_at_every_address_with_one_port(void **state) {
    (void)state;
    struct net_listener s;
    char port[8] = "", want[NET_ADDR_MAX];
    listens(&s, "two.test", port);
    assert_int_equal(s.n, 2);
    snprintf(want, sizeof want, "127.0.0.2:%s", port);
    assert_string_equal(s.address[0], want);
    snprintf(want, sizeof want, "127.0.0.1:%s", port);
    assert_string_equal(s.address[1], want);
    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        struct net_path theirs;
        const char *host = i == 0 ? "127.0.0.2" : "127.0.0.1";
        int a = net_connect(&l, host, port, 1000, &path, &err);
        assert_true(a >= 0);
        int b = net_accept(&l, &s, NULL, &theirs, &err);
        assert_true(b >= 0);
        assert_string_equal(theirs.local, s.address[i]);
        close(a);
        close(b);
    }
    net_listener_close(&s);
    listens(&s, "same.test", port);
    assert_int_equal(s.n, 1);
    net_listener_close(&s);
    net_listener_close(&s);
}

static void
a_chosen_port_that_is_taken_elsewhere_is_chosen_again(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s;
    char port[8] = "";
    bind_fault_at = 2;
    listens(&s, "two.test", port);
    assert_int_equal(s.n, 2);
    assert_int_equal(bind_fault_at, 0);
    net_listener_close(&s);
    bind_fault_at = 2; /* a port that was asked for is not another's */
    assert_int_equal(net_listen("two.test", port, &s, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EADDRINUSE);
    bind_fault_at = 1; /* nor is one address that cannot be had */
    err = (struct err)ERR_INIT;
    assert_int_equal(net_listen("127.0.0.1", "0", &s, &err), -1);
    assert_int_equal(err.code, EADDRINUSE);
}

static void a_port_in_use_is_told_with_its_address(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s, t;
    char port[8] = "", want[128];
    listens(&s, "127.0.0.1", port);
    assert_int_equal(net_listen("two.test", port, &t, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EADDRINUSE);
    snprintf(want, sizeof want,
             "listen on 127.0.0.1:%s: Address already in use", port);
    assert_string_equal(err.msg, want);
    assert_int_equal(t.n, 0);
    err = (struct err)ERR_INIT;
    assert_int_equal(net_listen(NULL, port, &t, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EADDRINUSE);
    net_listener_close(&s);
}

static void an_address_of_another_machine_is_told(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s;
    assert_int_equal(net_listen("away.test", "0", &s, &err), -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EADDRNOTAVAIL);
    assert_string_equal(err.msg, "listen on 192.0.2.1:0: "
                                 "Cannot assign requested address");
}

static void nobody_to_accept_is_a_timeout(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s;
    char port[8] = "";
    listens(&s, "127.0.0.1", port);
    struct loop_limit limit = loop_limit_start(20);
    assert_int_equal(net_accept(&l, &s, &limit, &path, &err), -1);
    assert_int_equal(err.origin, ERR_TIMEOUT);
    assert_int_equal(err.code, 20);
    assert_string_equal(err.msg, "nothing within 20 ms: "
                                 "still waiting for a client");
    net_listener_close(&s);
}

static void a_client_that_has_gone_is_passed_over(void **state) {
    (void)state;
    static const int faults[] = { ECONNABORTED, EINTR, EAGAIN, EPROTO };
    struct net_listener s;
    char port[8] = "";
    listens(&s, "127.0.0.1", port);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct err err = ERR_INIT;
        int a = net_connect(&l, "127.0.0.1", port, 1000, &path, &err);
        accept_fault = faults[i];
        int b = net_accept(&l, &s, NULL, &path, &err);
        assert_true(a >= 0 && b >= 0);
        assert_int_equal(accept_fault, 0);
        close(a);
        close(b);
    }
    net_listener_close(&s);
}

static void no_descriptor_left_to_accept_with_is_emfile(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct net_listener s;
    struct rlimit old, none;
    char port[8] = "";
    listens(&s, "127.0.0.1", port);
    int a = net_connect(&l, "127.0.0.1", port, 1000, &path, &err);
    int lowest = dup(a);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int b = net_accept(&l, &s, NULL, &path, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(b, -1);
    assert_int_equal(err.origin, ERR_NET);
    assert_int_equal(err.code, EMFILE);
    assert_non_null(strstr(err.msg, s.address[0]));
    close(a);
    net_listener_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(both_ends_know_the_way),
        TEST(a_refusal_names_the_address),
        TEST(of_many_failures_the_first_is_told_and_they_are_counted),
        TEST(after_a_refusal_the_next_address_is_tried_at_once),
        TEST(the_families_alternate),
        TEST(a_silent_address_is_overtaken_by_the_next),
        TEST(a_silent_address_is_given_up_at_the_limit),
        TEST(the_runs_limit_and_signals_hold_for_connecting),
        TEST(an_unknown_host_is_eai_noname),
        TEST(no_address_given_means_every_one_of_both_families),
        TEST(a_name_is_listened_on_at_every_address_with_one_port),
        TEST(a_chosen_port_that_is_taken_elsewhere_is_chosen_again),
        TEST(a_port_in_use_is_told_with_its_address),
        TEST(an_address_of_another_machine_is_told),
        TEST(nobody_to_accept_is_a_timeout),
        TEST(a_client_that_has_gone_is_passed_over),
        TEST(no_descriptor_left_to_accept_with_is_emfile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
