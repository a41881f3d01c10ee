#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "io/loop.h"
#include "test.h"

static volatile sig_atomic_t got_signal;
static int wake[2];

static void on_signal(int number) {
    got_signal = number;
    (void)!write(wake[1], "", 1);
}

static void on_other(int number) {
    (void)number;
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction act = { .sa_handler = handler };
    assert_int_equal(sigaction(number, &act, NULL), 0);
}

/* Sends the signal while the main thread waits. */
static void *send_soon(void *arg) {
    struct timespec t = { .tv_nsec = 20000000 };
    nanosleep(&t, NULL);
    kill(getpid(), *(int *)arg);
    return NULL;
}

static int set_up(void **state) {
    (void)state;
    got_signal = 0;
    return pipe(wake);
}

static int tear_down(void **state) {
    (void)state;
    close(wake[0]);
    close(wake[1]);
    return 0;
}

static void a_ready_descriptor_ends_the_wait(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    struct loop_limit limit = loop_limit_start(1000);
    struct pollfd fds[] = { { .fd = -1, .events = POLLIN },
                            { .fd = wake[1], .events = POLLOUT } };
    loop_init(&l, -1, NULL, 0);
    assert_int_equal(loop_wait(&l, fds, 2, &limit, "room", &err), 0);
    assert_int_equal(fds[0].revents, 0);
    assert_int_equal(fds[1].revents, POLLOUT);
    assert_int_equal(loop_wait(&l, fds, 2, NULL, "room", &err), 0);
    assert_int_equal(err.origin, ERR_NONE);
}

static void a_step_ends_at_its_limit_and_says_what_for(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    struct pollfd fd = { .fd = wake[0], .events = POLLIN };
    loop_init(&l, -1, NULL, 60000);
    int64_t began = loop_now_ms();
    struct loop_limit limit = loop_limit_start(30);
    assert_int_equal(loop_wait(&l, &fd, 1, &limit, "a byte", &err), -1);
    assert_true(loop_now_ms() - began >= 30);
    assert_int_equal(err.origin, ERR_TIMEOUT);
    assert_int_equal(err.code, 30);
    assert_string_equal(err.msg, "nothing within 30 ms: "
                                 "still waiting for a byte");
}

static void the_run_ends_at_its_limit_and_says_what_for(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    struct pollfd fd = { .fd = wake[0], .events = POLLIN };
    struct loop_limit limit = loop_limit_start(60000);
    loop_init(&l, -1, NULL, 30);
    assert_int_equal(loop_wait(&l, &fd, 1, &limit, "a byte", &err), -1);
    assert_int_equal(err.origin, ERR_MAX_TIME);
    assert_int_equal(err.code, 30);
    assert_string_equal(err.msg, "the 30 ms for the whole run are over: "
                                 "still waiting for a byte");
}

static void without_descriptors_it_sleeps_until_the_limit(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    loop_init(&l, wake[0], &got_signal, 0);
    int64_t began = loop_now_ms();
    struct loop_limit limit = loop_limit_start(20);
    assert_int_equal(loop_wait(&l, NULL, 0, &limit, "nothing", &err), -1);
    assert_true(loop_now_ms() - began >= 20);
    assert_int_equal(err.origin, ERR_TIMEOUT);
    assert_int_equal(err.code, 20);
}

static void a_ready_descriptor_does_not_outlive_the_limit(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    struct pollfd fd = { .fd = wake[1], .events = POLLOUT };
    struct loop_limit passed = { 5, loop_now_ms() - 1 };
    loop_init(&l, -1, NULL, 0);
    assert_int_equal(loop_wait(&l, &fd, 1, &passed, "room", &err), -1);
    assert_int_equal(err.origin, ERR_TIMEOUT);
    assert_int_equal(err.code, 5);
}

static void a_signal_wakes_the_wait_and_gives_its_number(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    struct loop_limit limit = loop_limit_start(5000);
    pthread_t sender;
    int number = SIGUSR1;
    handle(SIGUSR1, on_signal);
    loop_init(&l, wake[0], &got_signal, 0);
    assert_int_equal(pthread_create(&sender, NULL, send_soon, &number), 0);
    assert_int_equal(loop_wait(&l, NULL, 0, &limit, "a byte", &err), -1);
    pthread_join(sender, NULL);
    assert_int_equal(err.origin, ERR_SIGNAL);
    assert_int_equal(err.code, SIGUSR1);
    assert_non_null(strstr(err.msg, "still waiting for a byte"));
}

static void a_signal_goes_before_a_ready_descriptor(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    struct pollfd fd = { .fd = wake[1], .events = POLLOUT };
    loop_init(&l, -1, &got_signal, 0);
    got_signal = SIGTERM;
    assert_int_equal(loop_wait(&l, &fd, 1, NULL, "room", &err), -1);
    assert_int_equal(err.origin, ERR_SIGNAL);
    assert_int_equal(err.code, SIGTERM);
}

static void a_signal_of_no_concern_does_not_end_the_wait(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    pthread_t sender;
    int number = SIGUSR2;
    handle(SIGUSR2, on_other);
    loop_init(&l, wake[0], &got_signal, 0);
    assert_int_equal(pthread_create(&sender, NULL, send_soon, &number), 0);
    struct loop_limit limit = loop_limit_start(50);
    assert_int_equal(loop_wait(&l, NULL, 0, &limit, "a byte", &err), -1);
    pthread_join(sender, NULL);
    assert_int_equal(err.origin, ERR_TIMEOUT);
    assert_int_equal(err.code, 50);
}

static void work_without_waits_is_stopped_too(void **state) {
    (void)state;
    struct err stopped = ERR_INIT, late = ERR_INIT;
    struct loop l;
    loop_init(&l, -1, &got_signal, 1000);
    assert_int_equal(loop_check(&l, "the end", &stopped), 0);
    assert_int_equal(stopped.origin, ERR_NONE);
    got_signal = SIGTERM;
    assert_int_equal(loop_check(&l, "the end", &stopped), -1);
    assert_int_equal(stopped.origin, ERR_SIGNAL);
    assert_int_equal(stopped.code, SIGTERM);
    got_signal = 0;
    l.max_at_ms = loop_now_ms() - 1;
    assert_int_equal(loop_check(&l, "the end", &late), -1);
    assert_int_equal(late.origin, ERR_MAX_TIME);
    assert_int_equal(late.code, 1000);
}

static void a_broken_wake_descriptor_is_ebadf(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    int fd = dup(wake[0]);
    close(fd);
    loop_init(&l, fd, &got_signal, 1000);
    assert_int_equal(loop_wait(&l, NULL, 0, NULL, "a byte", &err), -1);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, EBADF);
}

static void too_many_descriptors_are_einval(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct pollfd fds[LOOP_FDS_MAX + 1];
    struct loop l;
    loop_init(&l, -1, NULL, 0);
    assert_int_equal(loop_wait(&l, fds, LOOP_FDS_MAX + 1, NULL, "x", &err), -1);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, EINVAL);
}

static void a_failure_of_poll_is_told(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct pollfd fds[2] = { { .fd = -1 }, { .fd = -1 } };
    struct rlimit old, none;
    struct loop l;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    loop_init(&l, -1, NULL, 1000);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool fails = poll(fds, 2, 0) != 0; /* valgrind's does not */
    int st = fails ? loop_wait(&l, fds, 2, NULL, "a byte", &err) : 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    if (!fails) {
        skip();
    }
    assert_int_equal(st, -1);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, EINVAL);
    assert_string_equal(err.msg, "wait for a byte");
}

static void the_longest_limits_neither_overflow_nor_pass(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct loop l;
    struct pollfd fd = { .fd = wake[1], .events = POLLOUT };
    struct loop_limit limit = loop_limit_start(INT64_MAX);
    assert_int_equal(limit.at_ms, INT64_MAX);
    loop_init(&l, -1, NULL, (int64_t)30 * 24 * 3600 * 1000);
    assert_int_equal(loop_wait(&l, &fd, 1, &limit, "room", &err), 0);
    assert_int_equal(loop_limit_start(0).ms, 0);
    assert_int_equal(loop_limit_start(-5).ms, 0);
    assert_int_equal(err.origin, ERR_NONE);
}

static void durations_read_as_people_say_them(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *words;
    } t[] = { { 0, "0 ms" },
              { 300, "300 ms" },
              { 999, "999 ms" },
              { 1000, "1 s" },
              { 1500, "1.5 s" },
              { 1005, "1.005 s" },
              { 10000, "10 s" },
              { 60000, "1 min" },
              { 90000, "90 s" },
              { 120000, "2 min" },
              { 3600000, "1 h" },
              { 100000, "100 s" },
              { 5400000, "90 min" },
              { 61250, "61.25 s" },
              { INT64_MAX, "9223372036854775.807 s" } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char buf[LOOP_DURATION_MAX];
        assert_string_equal(loop_duration(t[i].ms, buf), t[i].words);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_ready_descriptor_ends_the_wait),
        TEST(a_step_ends_at_its_limit_and_says_what_for),
        TEST(the_run_ends_at_its_limit_and_says_what_for),
        TEST(without_descriptors_it_sleeps_until_the_limit),
        TEST(a_ready_descriptor_does_not_outlive_the_limit),
        TEST(a_signal_wakes_the_wait_and_gives_its_number),
        TEST(a_signal_goes_before_a_ready_descriptor),
        TEST(a_signal_of_no_concern_does_not_end_the_wait),
        TEST(work_without_waits_is_stopped_too),
        TEST(a_broken_wake_descriptor_is_ebadf),
        TEST(too_many_descriptors_are_einval),
        TEST(a_failure_of_poll_is_told),
        TEST(the_longest_limits_neither_overflow_nor_pass),
        TEST(durations_read_as_people_say_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
