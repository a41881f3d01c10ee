#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "io/resolve.h"
#include "test.h"

#ifndef RTLD_NEXT /* outside POSIX, and the same everywhere */
#define RTLD_NEXT ((void *)-1L)
#endif

static int gate[2]; /* slow.test is answered once gate[1] is closed */
static sigset_t thread_mask;

static int real(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **list) {
    int (*next)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **);
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    return next(host, port, hints, list);
}

/* In the way of the C library's own, so that a resolver can be slow. */
int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **list) {
    char c;
    if (hints->ai_flags & AI_NUMERICHOST) {
        return real(host, port, hints, list);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &thread_mask);
    if (strcmp(host, "slow.test") == 0) {
        (void)!read(gate[0], &c, 1);
        return real("127.0.0.1", port, hints, list);
    }
    if (strcmp(host, "fast.test") == 0) {
        return real("127.0.0.1", port, hints, list);
    }
    if (strcmp(host, "broken.test") == 0) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    return EAI_NONAME;
}

static unsigned open_fds(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

/* An abandoned thread ends when it can; what it held must be free then. */
static void wait_for_fds(unsigned n) {
    struct timespec t = { .tv_nsec = 1000000 };
    for (int i = 0; i < 2000 && open_fds() != n; i++) {
        nanosleep(&t, NULL);
    }
    assert_int_equal(open_fds(), n);
}

static void fails(struct loop *l, const char *host, const char *port,
                  int64_t ms, struct err *err) {
    struct addrinfo *list = NULL;
    struct loop_limit limit = loop_limit_start(ms);
    assert_int_equal(resolve(l, host, port, &limit, &list, err), -1);
    assert_null(list);
}

/* A lookup of slow.test that is given up, then answered after all. */
static void gives_up(struct loop *l, int64_t ms, struct err *err) {
    unsigned before = open_fds();
    assert_int_equal(pipe(gate), 0);
    fails(l, "slow.test", "443", ms, err);
    assert_true(open_fds() <= before + 3);
    close(gate[1]);
    wait_for_fds(before + 1);
    close(gate[0]);
}

static void an_address_needs_no_lookup(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct addrinfo *list = NULL;
    struct loop l;
    loop_init(&l, -1, NULL, 0);
    assert_int_equal(resolve(&l, "::1", "443", NULL, &list, &err), 0);
    assert_int_equal(list->ai_family, AF_INET6);
    assert_int_equal(list->ai_socktype, SOCK_STREAM);
    freeaddrinfo(list);
    assert_int_equal(err.origin, ERR_NONE);
}

static void a_name_is_looked_up_out_of_the_way_of_signals(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct addrinfo *list = NULL;
    struct loop l;
    unsigned before = open_fds();
    sigset_t mask;
    loop_init(&l, -1, NULL, 5000);
    assert_int_equal(resolve(&l, "fast.test", "443", NULL, &list, &err), 0);
    assert_int_equal(list->ai_family, AF_INET);
    freeaddrinfo(list);
    wait_for_fds(before);
    assert_int_equal(sigismember(&thread_mask, SIGINT), 1);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGINT), 0);
    assert_int_equal(err.origin, ERR_NONE);
}

static void an_unknown_name_is_eai_noname(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    unsigned before = open_fds();
    loop_init(&l, -1, NULL, 5000);
    fails(&l, "gone.test", "443", 0, &err);
    assert_int_equal(err.origin, ERR_DNS);
    assert_int_equal(err.code, EAI_NONAME);
    assert_string_equal(err.msg,
                        "resolve gone.test: Name or service not known");
    wait_for_fds(before);
}

static void an_unknown_service_is_eai_service(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    loop_init(&l, -1, NULL, 5000);
    fails(&l, "127.0.0.1", "no-such-service", 0, &err);
    assert_int_equal(err.origin, ERR_DNS);
    assert_int_equal(err.code, EAI_SERVICE);
}

static void a_system_error_is_told_by_its_errno(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    loop_init(&l, -1, NULL, 5000);
    fails(&l, "broken.test", "443", 0, &err);
    assert_int_equal(err.origin, ERR_DNS);
    assert_int_equal(err.code, EAI_SYSTEM);
    assert_string_equal(err.msg, "resolve broken.test: Too many open files");
}

static void a_name_that_is_too_long_is_not_cut_but_refused(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    char host[RESOLVE_HOST_MAX + 2];
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    loop_init(&l, -1, NULL, 5000);
    fails(&l, host, "443", 0, &err);
    assert_int_equal(err.origin, ERR_DNS);
    assert_int_equal(err.code, EAI_NONAME);
    assert_non_null(strstr(err.msg, "not known"));
}

static void the_limit_holds_for_the_resolver(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    loop_init(&l, -1, NULL, 0);
    gives_up(&l, 20, &err);
    assert_int_equal(err.origin, ERR_TIMEOUT);
    assert_int_equal(err.code, 20);
    assert_string_equal(err.msg, "resolve slow.test: no answer within 20 ms");
}

static void the_runs_limit_holds_for_the_resolver(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    loop_init(&l, -1, NULL, 20);
    gives_up(&l, 0, &err);
    assert_int_equal(err.origin, ERR_MAX_TIME);
    assert_int_equal(err.code, 20);
    assert_non_null(strstr(err.msg, "the address of slow.test"));
}

static void a_signal_ends_the_wait_for_the_resolver(void **state) {
    (void)state;
    volatile sig_atomic_t number = SIGINT;
    struct err err = ERR_INIT;
    struct loop l;
    loop_init(&l, -1, &number, 0);
    gives_up(&l, 5000, &err);
    assert_int_equal(err.origin, ERR_SIGNAL);
    assert_int_equal(err.code, SIGINT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_needs_no_lookup),
        cmocka_unit_test(a_name_is_looked_up_out_of_the_way_of_signals),
        cmocka_unit_test(an_unknown_name_is_eai_noname),
        cmocka_unit_test(an_unknown_service_is_eai_service),
        cmocka_unit_test(a_system_error_is_told_by_its_errno),
        cmocka_unit_test(a_name_that_is_too_long_is_not_cut_but_refused),
        cmocka_unit_test(the_limit_holds_for_the_resolver),
        cmocka_unit_test(the_runs_limit_holds_for_the_resolver),
        cmocka_unit_test(a_signal_ends_the_wait_for_the_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
