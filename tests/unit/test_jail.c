#define _DEFAULT_SOURCE /* mkdtemp(), getgroups() */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/jail.h"
#include "test.h"

/* A user and a group that no machine has, by number. */
enum { UID = 54321, GID = 54322 };

static char dir[] = "/tmp/mptls-jail-XXXXXX";

static int set_up(void **state) {
    (void)state;
    return mkdtemp(dir) != NULL && chmod(dir, 0755) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/file", dir);
    unlink(path);
    return rmdir(dir);
}

static void need_root(void) {
    if (geteuid() != 0) {
        print_message("SKIP: it takes root\n");
        skip();
    }
}

/* Run it in a process of its own, which fails by a status that is not 0. */
static void apart(int (*run)(void)) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(run());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define WANT(condition)                                                        \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);            \
            return 1;                                                          \
        }                                                                      \
    } while (0)

static void a_user_that_cannot_be_is_refused(void **state) {
    static const struct {
        const char *user, *say;
    } rows[] = {
        { "", "--user: '' is not NAME[:GROUP]" },
        { ":daemon", "--user: ':daemon' is not NAME[:GROUP]" },
        { "nobody:", "--user: 'nobody:' is not NAME[:GROUP]" },
        { "no-such-user", "--user: there is no user 'no-such-user'" },
        { "-1", "--user: there is no user '-1'" },
        { "4294967295:1", "--user: there is no user '4294967295'" },
        { "99999999999:1", "--user: there is no user '99999999999'" },
        { "1x", "--user: there is no user '1x'" },
        { "54321:no-such-group", "--user: there is no group 'no-such-group'" },
        { "54321:4294967295", "--user: there is no group '4294967295'" },
        { "54321:1:2", "--user: there is no group '1:2'" },
        { "54321", "--user: there is no user '54321' to take the group from: "
                   "54321:GROUP gives it" },
        { "root", "--user: 'root' is root, who gives nothing up" },
        { "0", "--user: '0' is root, who gives nothing up" },
        { "0:54322", "--user: '0:54322' is root, who gives nothing up" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct jail_options o = { .user = rows[i].user };
        struct err err = ERR_INIT;
        struct jail j;
        assert_int_equal(jail_prepare(&j, &o, &err), -1);
        assert_string_equal(err.msg, rows[i].say);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_int_equal(err.code, 0);
        jail_free(&j);
        jail_free(&j);
    }
}

static void an_empty_root_is_refused(void **state) {
    const struct jail_options o = { .chroot = "" };
    struct err err = ERR_INIT;
    struct jail j;
    (void)state;
    assert_int_equal(jail_prepare(&j, &o, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_int_equal(err.code, 0);
    jail_free(&j);
}

static void find(const char *user, uid_t uid, gid_t gid) {
    const struct jail_options o = { .user = user };
    struct err err = ERR_INIT;
    struct jail j;
    assert_int_equal(jail_prepare(&j, &o, &err), 0);
    assert_int_equal(j.uid, uid);
    assert_int_equal(j.gid, gid);
    assert_true(j.group_count >= 1);
    assert_int_equal(j.groups[0], gid);
    jail_free(&j);
}

static void users_are_found(void **state) {
    (void)state;
    find("54321:54322", UID, GID);
    const struct passwd *p = getpwnam("nobody");
    const struct group *g = getgrnam("daemon");
    if (p == NULL || g == NULL) {
        print_message("SKIP: there is no nobody, or no group daemon\n");
        skip();
    }
    uid_t uid = p->pw_uid;
    gid_t gid = p->pw_gid, other = g->gr_gid;
    char number[32];
    find("nobody", uid, gid);
    find("nobody:daemon", uid, other);
    find("nobody:54322", uid, GID);
    snprintf(number, sizeof number, "%u", (unsigned)uid);
    find(number, uid, gid);
}

static int dump_nothing(void) {
    const struct jail_options o = { .user = NULL };
    struct err err = ERR_INIT;
    struct jail j;
    WANT(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    WANT(jail_prepare(&j, &o, &err) == 0);
    WANT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    WANT(jail_enter(&j, NULL, NULL, &err) == 0);
    WANT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    WANT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0); /* for --exec */
    return 0;
}

static void no_core_is_dumped(void **state) {
    (void)state;
    apart(dump_nothing);
}

static int allow_root(const void *arg, struct landlock *l, struct err *err) {
    return landlock_allow(l, arg, LANDLOCK_READ, err);
}

static int become_user(void) {
    const struct jail_options o = { .user = "54321:54322" };
    struct err err = ERR_INIT;
    struct jail j;
    gid_t groups[8] = { 0 };
    WANT(setgroups(2, (gid_t[]){ 0, 1 }) == 0);
    WANT(jail_prepare(&j, &o, &err) == 0);
    WANT(jail_enter(&j, NULL, NULL, &err) == 0);
    jail_free(&j);
    WANT(getuid() == UID && geteuid() == UID);
    WANT(getgid() == GID && getegid() == GID);
    WANT(getgroups(8, groups) == 1 && groups[0] == GID);
    WANT(setuid(0) != 0 && errno == EPERM);
    WANT(open("/etc/shadow", O_RDONLY) < 0);
    WANT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    return 0;
}

static void it_is_the_user_then(void **state) {
    (void)state;
    need_root();
    apart(become_user);
}

static int change_root_and_user(void) {
    const struct jail_options o = { .user = "54321:54322", .chroot = dir };
    struct err err = ERR_INIT;
    struct jail j;
    char cwd[64];
    WANT(chdir("/tmp") == 0);
    int fd = open(dir, O_RDONLY);
    int made = openat(fd, "file", O_WRONLY | O_CREAT, 0644);
    WANT(made >= 0);
    WANT(jail_prepare(&j, &o, &err) == 0);
    WANT(jail_enter(&j, allow_root, "/", &err) == 0);
    jail_free(&j);
    WANT(getcwd(cwd, sizeof cwd) != NULL && strcmp(cwd, "/") == 0);
    WANT(access(dir, F_OK) != 0 && errno == ENOENT);
    /* The rules, too, are about what is in the new root. */
    WANT(open("file", O_RDONLY) >= 0);
    WANT(open("/../../file", O_RDONLY) >= 0);
    WANT(open("/file", O_WRONLY) < 0 && errno == EACCES);
    WANT(getuid() == UID);
    WANT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    return 0;
}

static void it_is_in_the_root_then(void **state) {
    (void)state;
    need_root();
    apart(change_root_and_user);
}

static int stay_free(void) {
    const struct jail_options o = { .no_landlock = true };
    struct err err = ERR_INIT;
    struct jail j;
    WANT(jail_prepare(&j, &o, &err) == 0);
    WANT(jail_enter(&j, allow_root, "/nowhere", &err) == 0);
    WANT(open("/dev/null", O_RDONLY) >= 0);
    WANT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    return 0;
}

static void landlock_can_be_done_without(void **state) {
    (void)state;
    apart(stay_free);
}

static int refuse(const struct jail_options *o, enum err_origin origin,
                  int code, const char *say) {
    struct err err = ERR_INIT;
    struct jail j;
    WANT(jail_prepare(&j, o, &err) == 0);
    WANT(jail_enter(&j, NULL, NULL, &err) == -1);
    jail_free(&j);
    WANT(err.origin == origin);
    WANT(err.code == code);
    WANT(strcmp(err.msg, say) == 0);
    return 0;
}

static int try_without_root(void) {
    WANT(geteuid() != 0 || (setgid(GID) == 0 && setuid(UID) == 0));
    return refuse(&(struct jail_options){ .user = "7:7" }, ERR_OS, EPERM,
                  "--user 7:7: Operation not permitted (it takes root)") ||
           refuse(&(struct jail_options){ .chroot = "/" }, ERR_OS, EPERM,
                  "--chroot /: Operation not permitted (it takes root)");
}

static void without_root_it_is_refused(void **state) {
    (void)state;
    apart(try_without_root);
}

static int try_no_root(void) {
    return refuse(&(struct jail_options){ .chroot = "/no/such" }, ERR_FILE,
                  ENOENT, "--chroot /no/such: No such file or directory") ||
           refuse(&(struct jail_options){ .chroot = "/dev/null" }, ERR_FILE,
                  ENOTDIR, "--chroot /dev/null: Not a directory");
}

static void a_root_that_is_none_is_refused(void **state) {
    (void)state;
    apart(try_no_root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_that_cannot_be_is_refused),
        cmocka_unit_test(an_empty_root_is_refused),
        cmocka_unit_test(users_are_found),
        cmocka_unit_test(no_core_is_dumped),
        cmocka_unit_test(it_is_the_user_then),
        cmocka_unit_test(it_is_in_the_root_then),
        cmocka_unit_test(landlock_can_be_done_without),
        cmocka_unit_test(without_root_it_is_refused),
        cmocka_unit_test(a_root_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
