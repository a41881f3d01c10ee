#include <sys/socket.h>
#include <unistd.h>

#include "io/events.h"
#include "io/loop.h"
#include "test.h"

/* A source that counts its calls, and ends the loop at the wanted one. */
struct counted {
    struct events_source source;
    int fd;
    int calls, wanted;
    int64_t due_ms;       /* watched for anew at each call */
    struct counted *stop; /* another one, stopped by this one's call */
};

static struct events events;

static void watch(struct counted *c, short what, int64_t due_ms) {
    struct pollfd p = { .fd = c->fd, .events = what };
    events_watch(&c->source, &p, 1, due_ms);
}

static void on_ready(struct events_source *s) {
    struct counted *c = (struct counted *)s;
    if (c->stop != NULL) {
        events_stop(&c->stop->source);
    }
    if (++c->calls >= c->wanted) {
        events_end(&events);
    } else if (c->due_ms != 0) {
        watch(c, POLLIN, c->due_ms);
    }
}

static void begin(struct counted *c, int fd, int wanted) {
    *c = (struct counted){ .fd = fd, .wanted = wanted };
    events_source_init(&c->source, &events, on_ready);
}

static int ends[2];

static int set_up(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    return events_init(&events, &err) != 0 ||
           socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0;
}

static int tear_down(void **state) {
    (void)state;
    events_free(&events);
    events_free(&events);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void a_ready_descriptor_calls(void **state) {
    (void)state;
    struct counted silent, ready;
    begin(&silent, ends[0], 1);
    begin(&ready, ends[0], 3);
    watch(&silent, POLLIN, 0);
    watch(&ready, POLLOUT, 0);
    events_run(&events);
    assert_int_equal(ready.calls, 3);
    assert_int_equal(silent.calls, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    events_stop(&ready.source);
    events_run(&events);
    assert_int_equal(silent.calls, 1);
    events_stop(&silent.source);
}

static void both_directions_of_one_descriptor(void **state) {
    (void)state;
    struct counted c;
    begin(&c, ends[0], 1);
    const struct pollfd fds[] = { { .fd = ends[0], .events = POLLIN },
                                  { .fd = -1, .events = POLLIN },
                                  { .fd = ends[0], .events = POLLOUT } };
    events_watch(&c.source, fds, 3, 0);
    events_run(&events);
    assert_int_equal(c.calls, 1);
    events_watch(&c.source, fds, 1, loop_now_ms() + 20);
    events_run(&events); /* the deadline, since nothing can be read */
    assert_int_equal(c.calls, 2);
    events_stop(&c.source);
}

static void a_deadline_calls(void **state) {
    (void)state;
    struct counted c;
    begin(&c, ends[0], 2);
    int64_t begun = loop_now_ms();
    c.due_ms = begun + 40;
    watch(&c, POLLIN, begun + 20);
    events_run(&events);
    assert_int_equal(c.calls, 2);
    assert_true(loop_now_ms() >= begun + 39);
    /* One that has passed calls at once, one that moves closer holds. */
    c.wanted = 3;
    watch(&c, POLLIN, begun + 100000);
    watch(&c, POLLIN, begun);
    events_run(&events);
    assert_int_equal(c.calls, 3);
    assert_true(loop_now_ms() < begun + 90000);
    events_stop(&c.source);
}

/* It calls early once, and its owner says again what it waits for. */
static void a_deadline_that_moves_away_still_holds(void **state) {
    (void)state;
    struct counted c;
    int64_t begun = loop_now_ms();
    begin(&c, ends[0], 2);
    c.due_ms = begun + 60;
    watch(&c, POLLIN, begun + 20);
    watch(&c, POLLIN, begun + 60);
    events_run(&events);
    assert_int_equal(c.calls, 2);
    assert_true(loop_now_ms() >= begun + 59);
    events_stop(&c.source);
}

static void a_stopped_source_is_not_called(void **state) {
    (void)state;
    struct counted a, b;
    begin(&a, ends[0], 1);
    begin(&b, ends[0], 1);
    a.stop = &b;
    b.stop = &a; /* whichever is called first stops the other */
    watch(&a, POLLOUT, 0);
    watch(&b, POLLOUT, 0);
    events_run(&events);
    assert_int_equal(a.calls + b.calls, 1);
    events_stop(&a.source);
    events_stop(&b.source);
}

static void again_lets_others_come_first(void **state) {
    (void)state;
    struct counted busy, other;
    begin(&busy, ends[0], 1000);
    begin(&other, ends[1], 1);
    watch(&other, POLLOUT, 0);
    events_again(&busy.source);
    events_run(&events);
    assert_int_equal(other.calls, 1);
    events_stop(&other.source);
    busy.wanted = 2;
    events_again(&busy.source);
    while (busy.calls < 2) {
        events_again(&busy.source);
        events_run(&events);
    }
    events_stop(&busy.source);
}

/* A descriptor that is closed while it is watched, and its number another's
 * by the next turn. */
static void a_number_may_be_used_again(void **state) {
    (void)state;
    int first[2], second[2];
    struct counted a, b, over;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, first), 0);
    begin(&a, first[0], 1);
    begin(&over, -1, 1);
    watch(&a, POLLIN, 0);
    events_again(&over.source);
    events_run(&events); /* the kernel knows of it now */
    close(first[0]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, second), 0);
    assert_int_equal(second[0], first[0]);
    events_stop(&a.source);
    begin(&b, second[0], 1);
    watch(&b, POLLIN, loop_now_ms() + 5000);
    int64_t begun = loop_now_ms();
    assert_int_equal(write(second[1], "x", 1), 1);
    events_run(&events);
    assert_int_equal(b.calls, 1);
    assert_true(loop_now_ms() < begun + 4000);
    assert_int_equal(a.calls, 0);
    events_stop(&b.source);
    close(first[1]);
    close(second[0]);
    close(second[1]);
}

/* What events 0 is for: the reader of a pipe goes. */
static void an_error_alone_calls(void **state) {
    (void)state;
    int p[2];
    struct counted c;
    assert_int_equal(pipe(p), 0);
    begin(&c, p[1], 1);
    watch(&c, 0, loop_now_ms() + 30);
    events_run(&events);
    assert_int_equal(c.calls, 1); /* the deadline */
    int64_t begun = loop_now_ms();
    watch(&c, 0, begun + 5000);
    close(p[0]);
    events_run(&events);
    assert_int_equal(c.calls, 2);
    assert_true(loop_now_ms() < begun + 4000);
    events_stop(&c.source);
    close(p[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_ready_descriptor_calls),
        TEST(both_directions_of_one_descriptor),
        TEST(a_deadline_calls),
        TEST(a_deadline_that_moves_away_still_holds),
        TEST(a_stopped_source_is_not_called),
        TEST(again_lets_others_come_first),
        TEST(a_number_may_be_used_again),
        TEST(an_error_alone_calls),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
