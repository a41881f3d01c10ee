#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/signals.h"
#include "cli/workers.h"
#include "test.h"

/* Each test has a parent of workers in a process of its own. All of these write
 * what happens to them to one pipe, a message each. */

enum { N = 3, WAIT_MS = 20000 };

struct said {
    int what; /* born, got a signal, refresh, closing, end: its first letter */
    unsigned i;
    int number;
    pid_t pid;
};

struct plan {
    unsigned n;
    int64_t max_ms, drain_ms;
    int end_with;   /* what work returns at once; -1: it waits for signals */
    unsigned fails; /* how many of the first do; 0: all */
    bool deaf;      /* work does not end when it is told to */
    bool ignored;   /* SIGCHLD comes ignored */
    bool refuses;   /* refresh does */
    rlim_t files;   /* how many descriptors are to be had beside; 0: enough */
};

static int to_test[2];
static pid_t parent;
static int text[2]; /* its stderr */
static const struct plan *plan;
static struct loop loop;

static void say(char what, unsigned i, int number) {
    struct said s = { what, i, number, getpid() };
    ssize_t n = write(to_test[1], &s, sizeof s);
    (void)n;
}

static void watch(int *fd, int *hup, int *usr1,
                  const volatile sig_atomic_t **number) {
    struct err err = ERR_INIT;
    if (signals_catch(fd, number, &err) != 0 ||
        signals_tell(SIGHUP, hup, &err) != 0 ||
        signals_tell(SIGUSR1, usr1, &err) != 0) {
        _exit(99);
    }
}

static int work(void *arg, unsigned i) {
    int wake, hup, usr1;
    bool gone = false;
    const volatile sig_atomic_t *number;
    (void)arg;
    watch(&wake, &hup, &usr1, &number);
    say('b', i, 0);
    if (plan->end_with >= 0 && (plan->fails == 0 || i < plan->fails)) {
        return plan->end_with;
    }
    while (!gone) {
        struct pollfd fds[] = { { .fd = wake, .events = POLLIN },
                                { .fd = hup, .events = POLLIN },
                                { .fd = usr1, .events = POLLIN } };
        poll(fds, 3, -1);
        if (fds[0].revents != 0) {
            gone = !signals_hear();
        }
        if (*number != 0) {
            say('g', i, *number);
            if (!plan->deaf && (*number != SIGTERM || plan->drain_ms == 0)) {
                return 0;
            }
        }
        if (fds[1].revents != 0 && signals_take(SIGHUP)) {
            say('g', i, SIGHUP);
        }
        if (fds[2].revents != 0 && signals_take(SIGUSR1)) {
            say('g', i, SIGUSR1);
        }
    }
    return 0;
}

static int refresh(void *arg, int number, struct err *err) {
    (void)arg;
    say('r', 0, number);
    return plan->refuses          ? err_set(err, ERR_SIGNAL, number, "refused")
           : signals_take(number) ? 0
                                  : 98;
}

static void closing(void *arg) {
    (void)arg;
    say('c', 0, 0);
}

static unsigned count_fds(void) {
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d != NULL && readdir(d) != NULL) {
        n++;
    }
    if (d != NULL) {
        closedir(d);
    }
    return n;
}

static void limit_files(rlim_t more) {
    struct rlimit r;
    int next = dup(0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = (rlim_t)next + more;
    setrlimit(RLIMIT_NOFILE, &r);
}

/* The parent of workers: its end is said, too, and it exits with the status, or
 * 100 and the origin. */
static _Noreturn void be_parent(void) {
    struct err err = ERR_INIT;
    struct output out = { 0 };
    int wake, hup, usr1;
    const volatile sig_atomic_t *number;
    dup2(text[1], STDERR_FILENO);
    signal(SIGCHLD, plan->ignored ? SIG_IGN : SIG_DFL);
    watch(&wake, &hup, &usr1, &number);
    loop_init(&loop, wake, number, plan->max_ms);
    if (plan->files > 0) {
        limit_files(plan->files);
    }
    const struct workers config = { .n = plan->n,
                                    .out = &out,
                                    .loop = &loop,
                                    .hup_fd = hup,
                                    .usr1_fd = usr1,
                                    .drain_ms = plan->drain_ms,
                                    .work = work,
                                    .refresh = refresh,
                                    .closing = closing };
    unsigned before = count_fds();
    int status = workers_run(&config, &err);
    bool none = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    /* The pipe of SIGCHLD stays. */
    bool same = plan->files > 0 || count_fds() == before + 2;
    say('e', (unsigned)err.origin, (int)err.code);
    _exit(!none ? 97 : !same ? 96 : status >= 0 ? status : 100);
}

static void begin(const struct plan *p) {
    plan = p;
    assert_int_equal(pipe(to_test), 0);
    assert_int_equal(pipe(text), 0);
    fflush(NULL);
    parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        close(to_test[0]);
        close(text[0]);
        be_parent();
    }
    close(to_test[1]);
    close(text[1]);
}

/* The next message. */
static struct said hear(void) {
    struct said s = { 0 };
    struct pollfd p = { .fd = to_test[0], .events = POLLIN };
    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    assert_int_equal(read(to_test[0], &s, sizeof s), sizeof s);
    return s;
}

static struct said expect(char what, int number) {
    struct said s = hear();
    assert_int_equal(s.what, what);
    assert_int_equal(s.number, number);
    return s;
}

/* All begin; pid[] by their number. */
static void born(pid_t *pid, unsigned n) {
    memset(pid, 0, n * sizeof *pid);
    for (unsigned k = 0; k < n; k++) {
        struct said s = expect('b', 0);
        assert_true(s.i < n);
        assert_int_equal(pid[s.i], 0);
        pid[s.i] = s.pid;
    }
}

/* Each of n says that it got the signal. */
static void all_got(int number, unsigned n) {
    for (unsigned k = 0, seen = 0; k < n; k++) {
        struct said s = expect('g', number);
        assert_int_equal(seen & 1U << s.i, 0);
        seen |= 1U << s.i;
    }
}

/* Everybody has closed the pipe, and the parent has ended as it should. */
static void ended(int status) {
    char one;
    int st;
    struct pollfd p = { .fd = to_test[0], .events = POLLIN };
    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    assert_int_equal(read(to_test[0], &one, 1), 0);
    close(to_test[0]);
    assert_int_equal(waitpid(parent, &st, 0), parent);
    assert_int_equal(st, status);
}

static void ended_with(enum err_origin origin, int code, int status) {
    struct said s = expect('e', code);
    assert_int_equal(s.i, origin);
    ended(status << 8);
}

/* What it has written by now. */
static const char *texts(void) {
    static char buf[4096];
    size_t len = 0;
    ssize_t n;
    fcntl(text[0], F_SETFL, O_NONBLOCK);
    while ((n = read(text[0], buf + len, sizeof buf - 1 - len)) > 0) {
        len += (size_t)n;
    }
    buf[len] = '\0';
    return buf;
}

static void end(void) {
    close(text[0]);
}

static void signals_are_passed_on(void **state) {
    (void)state;
    pid_t pid[N];
    begin(&(struct plan){ .n = N, .end_with = -1 });
    born(pid, N);
    for (int k = 0; k < 2; k++) {
        int number = k == 0 ? SIGHUP : SIGUSR1;
        kill(parent, number);
        expect('r', number);
        all_got(number, N);
    }
    kill(parent, SIGTERM);
    expect('c', 0);
    all_got(SIGTERM, N);
    ended_with(ERR_SIGNAL, SIGTERM, 100);
    assert_string_equal(texts(), "");
    end();
}

static void one_signal_to_end_comes_after_the_other(void **state) {
    (void)state;
    pid_t pid[N];
    begin(&(struct plan){ .n = N, .end_with = -1, .drain_ms = 60000 });
    born(pid, N);
    kill(parent, SIGTERM);
    expect('c', 0);
    all_got(SIGTERM, N);
    kill(parent, SIGINT);
    all_got(SIGINT, N);
    ended_with(ERR_SIGNAL, SIGTERM, 100);
    end();
}

static void what_others_send_is_ignored(void **state) {
    (void)state;
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
    pid_t pid[N];
    begin(&(struct plan){ .n = N, .end_with = -1 });
    born(pid, N);
    for (unsigned k = 0; k < N * 4; k++) {
        kill(pid[k / 4], numbers[k % 4]);
    }
    kill(parent, SIGHUP);
    expect('r', SIGHUP);
    all_got(SIGHUP, N); /* and nothing before */
    kill(parent, SIGINT);
    expect('c', 0);
    all_got(SIGINT, N);
    ended_with(ERR_SIGNAL, SIGINT, 100);
    end();
}

static void the_dead_are_replaced(void **state) {
    (void)state;
    char line[128];
    pid_t pid[N];
    begin(&(struct plan){ .n = N, .end_with = -1 });
    born(pid, N);
    kill(pid[1], SIGKILL);
    struct said s = expect('b', 0);
    assert_int_equal(s.i, 1);
    kill(s.pid, SIGKILL); /* young */
    struct said t = expect('b', 0);
    assert_int_equal(t.i, 1);
    kill(parent, SIGHUP);
    expect('r', SIGHUP);
    for (int k = 0; k < N; k++) {
        struct said g = expect('g', SIGHUP);
        assert_int_equal(g.pid, g.i == 1 ? t.pid : pid[g.i]);
    }
    kill(parent, SIGINT);
    expect('c', 0);
    all_got(SIGINT, N);
    ended_with(ERR_SIGNAL, SIGINT, 100);
    snprintf(line, sizeof line,
             "mptls: worker 2 (pid %d) was killed by signal 9; started anew "
             "as pid %d\n",
             (int)pid[1], (int)s.pid);
    const char *got = texts();
    assert_memory_equal(got, line, strlen(line));
    snprintf(line, sizeof line,
             "mptls: worker 2 (pid %d) was killed by signal 9; started anew in "
             "%d ms\n",
             (int)s.pid, WORKERS_DELAY_MS);
    assert_non_null(strstr(got, line));
    end();
}

static void the_delay_doubles(void **state) {
    (void)state;
    char line[64];
    pid_t pid[1];
    begin(&(struct plan){ .n = 1, .end_with = -1 });
    born(pid, 1);
    for (int k = 0; k < 4; k++) {
        int64_t began = loop_now_ms();
        kill(pid[0], SIGKILL);
        born(pid, 1);
        if (k > 0) {
            assert_true(loop_now_ms() - began >= WORKERS_DELAY_MS << (k - 1));
        }
    }
    kill(parent, SIGINT);
    expect('c', 0);
    all_got(SIGINT, 1);
    ended_with(ERR_SIGNAL, SIGINT, 100);
    const char *got = texts();
    for (int k = 0; k < 3; k++) {
        snprintf(line, sizeof line, "started anew in %d ms\n",
                 WORKERS_DELAY_MS << k);
        assert_non_null(strstr(got, line));
    }
    end();
}

/* Read up to the parent's end. @return how many said that */
static unsigned count_to_end(int what, enum err_origin origin, int code) {
    unsigned n = 0;
    struct said s;
    while ((s = hear()).what != 'e') {
        n += s.what == what;
        assert_true(s.what != 'g' || s.number == SIGINT);
    }
    assert_int_equal(s.i, origin);
    assert_int_equal(s.number, code);
    return n;
}

static void work_that_cannot_be_done_ends_all(void **state) {
    (void)state;
    begin(&(struct plan){ .n = N, .end_with = 3, .fails = 1 });
    assert_int_equal(count_to_end('g', ERR_NONE, 0), N - 1);
    ended(3 << 8);
    const char *got = texts();
    assert_non_null(strstr(got, "worker 1 (pid "));
    assert_non_null(strstr(got, ") ended with status 3\n"));
    end();
}

static void a_second_signal_kills_all(void **state) {
    (void)state;
    pid_t pid[N];
    begin(&(struct plan){
        .n = N, .end_with = -1, .drain_ms = 60000, .deaf = true });
    born(pid, N);
    kill(parent, SIGTERM);
    expect('c', 0);
    all_got(SIGTERM, N);
    kill(parent, SIGTERM);
    for (;;) { /* where the kernel does not kill them they are told */
        struct said s = { 0 };
        if (read(to_test[0], &s, sizeof s) == 0) {
            break;
        }
        assert_int_equal(s.what, 'g');
    }
    ended(SIGTERM);
    end();
}

static void nobody_outlives_the_parent(void **state) {
    (void)state;
    pid_t pid[N];
    begin(&(struct plan){ .n = N, .end_with = -1 });
    born(pid, N);
    kill(parent, SIGKILL);
    struct said s = { 0 };
    while (read(to_test[0], &s, sizeof s) != 0) {
        assert_int_equal(s.what, 'g');
        assert_int_equal(s.number, SIGHUP);
    }
    ended(SIGKILL);
    end();
}

static void the_time_of_the_run_ends_it(void **state) {
    (void)state;
    pid_t pid[1];
    begin(
        &(struct plan){ .n = 1, .end_with = -1, .deaf = true, .max_ms = 300 });
    born(pid, 1);
    expect('c', 0);
    kill(pid[0], SIGKILL); /* it is not started anew */
    ended_with(ERR_MAX_TIME, 300, 100);
    char line[64];
    snprintf(line, sizeof line,
             "mptls: worker 1 (pid %d) was killed by signal 9\n", (int)pid[0]);
    assert_string_equal(texts(), line);
    end();
}

static void a_refusal_ends_all(void **state) {
    (void)state;
    pid_t pid[N];
    begin(&(struct plan){ .n = N, .end_with = -1, .refuses = true });
    born(pid, N);
    kill(parent, SIGHUP);
    expect('r', SIGHUP);
    expect('c', 0);
    all_got(SIGINT, N);
    ended_with(ERR_SIGNAL, SIGHUP, 100);
    end();
}

static void children_that_came_ignored_are_waited_for(void **state) {
    (void)state;
    pid_t pid[1];
    begin(&(struct plan){ .n = 1, .end_with = -1, .ignored = true });
    born(pid, 1);
    kill(pid[0], SIGKILL);
    born(pid, 1);
    kill(parent, SIGINT);
    expect('c', 0);
    all_got(SIGINT, 1);
    ended_with(ERR_SIGNAL, SIGINT, 100);
    end();
}

static void nothing_is_left_when_not_all_can_be_started(void **state) {
    (void)state;
    /* Two for the pipe of SIGCHLD, one and one more for each worker. */
    begin(&(struct plan){ .n = N, .end_with = -1, .files = 5 });
    assert_in_range(count_to_end('b', ERR_OS, EMFILE), 0, N - 1);
    ended(100 << 8);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_passed_on),
        cmocka_unit_test(one_signal_to_end_comes_after_the_other),
        cmocka_unit_test(what_others_send_is_ignored),
        cmocka_unit_test(the_dead_are_replaced),
        cmocka_unit_test(the_delay_doubles),
        cmocka_unit_test(work_that_cannot_be_done_ends_all),
        cmocka_unit_test(a_second_signal_kills_all),
        cmocka_unit_test(nobody_outlives_the_parent),
        cmocka_unit_test(the_time_of_the_run_ends_it),
        cmocka_unit_test(a_refusal_ends_all),
        cmocka_unit_test(children_that_came_ignored_are_waited_for),
        cmocka_unit_test(nothing_is_left_when_not_all_can_be_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
