#define _DEFAULT_SOURCE /* mkdtemp() */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/landlock.h"
#include "test.h"

enum { RULES_FAILED = 201, NOT_EXITED = 202 };

static char dir[] = "/tmp/mptls-landlock-XXXXXX";
static char here[64], there[64]; /* two directories with a file each */

static const char *in(const char *folder, const char *name) {
    static char path[2][128];
    static unsigned turn;
    char *p = path[turn++ % 2];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static void write_file(const char *path) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("text", f);
    fclose(f);
}

static void remove_all(void) {
    static const char *const names[] = { "file", "new", "moved" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(in(here, names[i]));
        unlink(in(there, names[i]));
    }
}

static int set_up(void **state) {
    (void)state;
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(here, sizeof here, "%s/here", dir);
    snprintf(there, sizeof there, "%s/there", dir);
    return mkdir(here, 0700) | mkdir(there, 0700);
}

static int tear_down(void **state) {
    (void)state;
    remove_all();
    return rmdir(here) | rmdir(there) | rmdir(dir);
}

static void need(int version) {
    if (landlock_version() < version) {
        print_message("SKIP: the kernel's Landlock is version %d, not %d\n",
                      landlock_version(), version);
        skip();
    }
}

/* What a process that may `use` what is in `here`, and may connect to `port`,
 * finds: an errno, or 0. */
static int confined(unsigned use, uint16_t port, int (*try)(int), int arg) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err = ERR_INIT;
        struct landlock l;
        if (landlock_open(&l, &err) != 0 ||
            landlock_allow(&l, here, use, &err) != 0 ||
            landlock_allow(&l, in(dir, "absent"), use, &err) != 0 ||
            (port != 0 && landlock_allow_port(&l, port, &err) != 0) ||
            landlock_enter(&l, &err) != 0) {
            _exit(RULES_FAILED);
        }
        landlock_close(&l);
        _exit(try(arg));
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_EXITED;
}

static int try_open(const char *path, int flags) {
    int fd = open(path, flags, 0600);
    int why = fd < 0 ? errno : 0;
    close(fd);
    return why;
}

static int read_here(int arg) {
    (void)arg;
    return try_open(in(here, "file"), O_RDONLY);
}

static int read_there(int arg) {
    (void)arg;
    return try_open(in(there, "file"), O_RDONLY);
}

static int list_here(int arg) {
    (void)arg;
    return try_open(here, O_RDONLY | O_DIRECTORY);
}

static int write_here(int arg) {
    (void)arg;
    return try_open(in(here, "file"), O_WRONLY | O_TRUNC);
}

static int write_there(int arg) {
    (void)arg;
    return try_open(in(there, "file"), O_WRONLY);
}

static int make_here(int arg) {
    (void)arg;
    return try_open(in(here, "new"), O_WRONLY | O_CREAT);
}

static int remove_here(int arg) {
    (void)arg;
    return unlink(in(here, "file")) != 0 ? errno : 0;
}

static int rename_here(int arg) {
    (void)arg;
    return rename(in(here, "file"), in(here, "moved")) != 0 ? errno : 0;
}

static int move_there(int arg) {
    (void)arg;
    return rename(in(here, "file"), in(there, "moved")) != 0 ? errno : 0;
}

static int run_program(int arg) {
    (void)arg;
    execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static void files_are_denied_but_those_allowed(void **state) {
    (void)state;
    enum {
        R = LANDLOCK_READ,
        L = LANDLOCK_LIST,
        W = LANDLOCK_WRITE,
        M = LANDLOCK_MAKE,
        D = LANDLOCK_REMOVE
    };
    static const struct {
        unsigned use;
        int (*try)(int);
        int why;
    } rows[] = {
        { R, read_here, 0 },
        { R | L | W | M | D, read_there, EACCES },
        { R, write_here, EACCES },
        { R, list_here, EACCES },
        { R, make_here, EACCES },
        { R, run_program, EACCES },
        { L, list_here, 0 },
        { L, read_here, EACCES },
        { W, write_here, 0 },
        { W, read_here, EACCES },
        { W, make_here, EACCES },
        { W, write_there, EACCES },
        { W | M, make_here, 0 },
        { W | M, remove_here, EACCES },
        { W | M, rename_here, EACCES },
        { D, remove_here, 0 },
        { M | D, rename_here, 0 },
        { R | W | M | D, move_there, EACCES },
        { 0, read_here, EACCES },
    };
    need(3); /* before that there was no right to truncate */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        remove_all();
        write_file(in(here, "file"));
        write_file(in(there, "file"));
        int why = confined(rows[i].use, 0, rows[i].try, 0);
        if (why != rows[i].why) {
            fail_msg("row %zu: %s, not %s", i, strerror(why),
                     strerror(rows[i].why));
        }
    }
}

static int read_open(int fd) {
    char c;
    return read(fd, &c, 1) == 1 ? 0 : errno;
}

static void what_is_open_stays_usable(void **state) {
    (void)state;
    need(1);
    write_file(in(there, "file"));
    int fd = open(in(there, "file"), O_RDONLY);
    assert_int_equal(confined(0, 0, read_open, fd), 0);
    close(fd);
}

static int read_by_child(int arg) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit(read_there(arg));
    }
    int status = 0;
    return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : errno;
}

static void children_are_held_by_it(void **state) {
    (void)state;
    need(1);
    write_file(in(there, "file"));
    assert_int_equal(confined(LANDLOCK_READ, 0, read_by_child, 0), EACCES);
}

static int bind_port(int arg) {
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    (void)arg;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ? errno : 0;
}

static int connect_port(int port) {
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&a, sizeof a) != 0 ? errno : 0;
}

/* @return its port */
static uint16_t listen_somewhere(int *fd) {
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(*fd, 8), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static void ports_are_denied_but_those_allowed(void **state) {
    (void)state;
    int one, other;
    need(4);
    uint16_t allowed = listen_somewhere(&one);
    uint16_t denied = listen_somewhere(&other);
    assert_int_equal(confined(0, allowed, connect_port, allowed), 0);
    assert_int_equal(confined(0, allowed, connect_port, denied), EACCES);
    assert_int_equal(confined(0, 0, connect_port, allowed), EACCES);
    assert_int_equal(confined(0, allowed, bind_port, 0), EACCES);
    close(one);
    close(other);
}

static int signal_process(int pid) {
    return kill(pid, 0) != 0 ? errno : 0;
}

static int signal_child(int arg) {
    (void)arg;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    int why = kill(pid, SIGKILL) != 0 ? errno : 0;
    return waitpid(pid, NULL, 0) == pid ? why : errno;
}

static void signals_reach_only_who_is_inside(void **state) {
    (void)state;
    need(6);
    assert_int_equal(confined(0, 0, signal_process, (int)getpid()), EPERM);
    assert_int_equal(confined(0, 0, signal_child, 0), 0);
}

static int no_new_privs(int arg) {
    (void)arg;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static void there_are_no_new_privileges(void **state) {
    (void)state;
    assert_int_equal(no_new_privs(0), 0);
    assert_int_equal(confined(0, 0, no_new_privs, 0), 1);
}

/* As where the kernel has none of it. */
static void without_rules_nothing_is_denied(void **state) {
    struct landlock l = { .fd = -1 };
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(landlock_allow(&l, here, LANDLOCK_READ, &err), 0);
    assert_int_equal(landlock_allow_port(&l, 1, &err), 0);
    landlock_close(&l);
    landlock_close(&l);
    assert_int_equal(err.origin, ERR_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_denied_but_those_allowed),
        cmocka_unit_test(what_is_open_stays_usable),
        cmocka_unit_test(children_are_held_by_it),
        cmocka_unit_test(ports_are_denied_but_those_allowed),
        cmocka_unit_test(signals_reach_only_who_is_inside),
        cmocka_unit_test(there_are_no_new_privileges),
        cmocka_unit_test(without_rules_nothing_is_denied),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
