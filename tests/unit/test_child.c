#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"
#include "test.h"

static struct child child;
static char *env[] = { "PATH=/usr/bin:/bin", "SEEN=yes", NULL };

static void start(char *script) {
    struct err err = ERR_INIT;
    char *argv[] = { "sh", "-c", script, NULL };
    assert_int_equal(child_start(&child, "--sh", argv, env, &err), 0);
}

static void wait_for(const struct stream *s, short events) {
    struct pollfd p = { .fd = s->fd, .events = events };
    assert_int_equal(poll(&p, 1, 10000), 1);
}

/* All that it writes. */
static size_t read_all(char *buf, size_t size) {
    struct err err = ERR_INIT;
    size_t len = 0;
    for (;;) {
        ssize_t n =
            child.in.ops->read(&child.in, buf + len, size - len - 1, &err);
        assert_int_equal(err.origin, ERR_NONE);
        if (n == STREAM_WANT_RD) {
            wait_for(&child.in, POLLIN);
        } else if (n == STREAM_EOF) {
            buf[len] = '\0';
            return len;
        } else {
            len += (size_t)n;
        }
    }
}

static ssize_t give(const void *buf, size_t len) {
    struct err err = ERR_INIT;
    ssize_t n = child.out.ops->write(&child.out, buf, len, &err);
    assert_int_equal(err.origin, ERR_NONE);
    return n;
}

static void end(void) {
    struct err err = ERR_INIT;
    assert_int_equal(child.out.ops->end(&child.out, &err), 0);
}

/* Its status, the clock standing at `now`. */
static int reap(int64_t now) {
    for (int i = 0; !child_over(&child, now); i++) {
        assert_true(i < 5000);
        poll(NULL, 0, 2);
    }
    assert_int_equal(child.pid, 0);
    assert_true(child_over(&child, now)); /* and it stays so */
    return child.status;
}

static void a_command_reads_and_writes(void **state) {
    (void)state;
    char got[64];
    start("read x; echo \"$x $SEEN\"; cat");
    assert_int_equal(give("hello\nmore", 10), 10);
    end();
    read_all(got, sizeof got);
    assert_string_equal(got, "hello yes\nmore");
    child_leave(&child, 0);
    assert_int_equal(reap(0), 0);
    assert_int_equal(child.sent, 0);
}

static void its_exit_status_is_known(void **state) {
    (void)state;
    char got[64];
    start("exit 7");
    read_all(got, sizeof got);
    child_leave(&child, 0);
    int status = reap(0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void a_full_pipe_is_waited_for(void **state) {
    (void)state;
    static char much[1 << 20];
    start("sleep 1000");
    ssize_t n;
    size_t taken = 0;
    while ((n = give(much, sizeof much)) > 0) {
        taken += (size_t)n;
        assert_true(taken < sizeof much);
    }
    assert_int_equal(n, STREAM_WANT_WR);
    assert_false(child_deaf(&child));
    child_leave(&child, 0);
    child_hurry(&child, 0);
    assert_int_equal(WTERMSIG(reap(0)), SIGTERM);
}

static void what_is_not_read_is_dropped(void **state) {
    (void)state;
    char got[64];
    start("exec <&-; echo deaf; exec >&-; sleep 1000");
    read_all(got, sizeof got);
    assert_string_equal(got, "deaf\n");
    assert_true(child_deaf(&child));
    assert_int_equal(give("hello", 5), 5);
    assert_int_equal(child.out.fd, -1);
    assert_int_equal(give("hello", 5), 5);
    end();
    child_leave(&child, 0);
    child_hurry(&child, 0);
    assert_int_equal(WTERMSIG(reap(0)), SIGTERM);
}

/* The clock is the test's own: nothing is sent before its time. */
static void one_that_does_not_end_is_ended(void **state) {
    (void)state;
    char got[64] = "";
    struct err err = ERR_INIT;
    start("trap '' TERM; echo ready; while :; do sleep 1000; done");
    while (child.in.ops->read(&child.in, got, sizeof got, &err) < 0) {
        wait_for(&child.in, POLLIN);
    }
    child_leave(&child, 100);
    assert_int_equal(child.in.fd, -1);
    assert_int_equal(child.out.fd, -1);
    assert_false(child_over(&child, 100 + CHILD_GRACE_MS - 1));
    assert_int_equal(child.sent, 0);
    assert_false(child_over(&child, 100 + CHILD_GRACE_MS));
    assert_int_equal(child.sent, SIGTERM);
    assert_false(child_over(&child, 100 + 2 * CHILD_GRACE_MS - 1));
    assert_int_equal(child.sent, SIGTERM);
    assert_int_equal(WTERMSIG(reap(100 + 2 * CHILD_GRACE_MS)), SIGKILL);
}

static void its_whole_group_is_ended(void **state) {
    (void)state;
    int held[2];
    char byte;
    assert_int_equal(pipe(held), 0); /* all of them inherit its write end */
    start("sleep 1000 & sleep 1000 & wait");
    close(held[1]);
    child_leave(&child, 0);
    child_hurry(&child, 0);
    assert_int_equal(WTERMSIG(reap(0)), SIGTERM);
    assert_int_equal(read(held[0], &byte, 1), 0);
    close(held[0]);
}

static void signals_are_as_by_default(void **state) {
    (void)state;
    char got[64];
    sigset_t blocked, old;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &old);
    start("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'");
    sigprocmask(SIG_SETMASK, &old, NULL);
    read_all(got, sizeof got);
    child_leave(&child, 0);
    reap(0);
    signal(SIGINT, SIG_DFL);
    const char *mask = got;
    while ((mask = strchr(mask, ':')) != NULL) { /* there is a /proc */
        /* The C library has 32 and 33 for itself. */
        assert_int_equal(strtoull(++mask, NULL, 16) & 0x7FFFFFFF, 0);
    }
}

static void what_cannot_be_started(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    char *none[] = { "/nowhere/none", NULL };
    char *folder[] = { "/", NULL };
    /* posix_spawn() hears of it by memory that both processes share, which
     * valgrind makes two of. */
    const char *preload = getenv("LD_PRELOAD");
    if (preload != NULL && strstr(preload, "vgpreload") != NULL) {
        return;
    }
    assert_int_equal(child_start(&child, "--exec", none, env, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, ENOENT);
    assert_non_null(strstr(err.msg, "--exec: start /nowhere/none: "));
    assert_int_equal(child.in.fd, -1);
    assert_int_equal(child.out.fd, -1);
    assert_true(child_over(&child, 0));
    err = (struct err)ERR_INIT;
    assert_int_equal(child_start(&child, "--exec", folder, env, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, EACCES);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN); /* as our caller does */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_reads_and_writes),
        cmocka_unit_test(its_exit_status_is_known),
        cmocka_unit_test(a_full_pipe_is_waited_for),
        cmocka_unit_test(what_is_not_read_is_dropped),
        cmocka_unit_test(one_that_does_not_end_is_ended),
        cmocka_unit_test(its_whole_group_is_ended),
        cmocka_unit_test(signals_are_as_by_default),
        cmocka_unit_test(what_cannot_be_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
