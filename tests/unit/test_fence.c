#define _DEFAULT_SOURCE /* mkdtemp() */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fence.h"
#include "test.h"

enum { FAILED = 200 };

static char dir[] = "/tmp/mptls-fence-XXXXXX";

/* Laid out as certbot does: live/ has links, archive/ the files. */
static const char *const folders[] = { "live", "archive", "other", "log" };
static const char *const files[] = { "archive/1.pem", "archive/2.pem",
                                     "other/1.pem", "live/plain.pem",
                                     "log/access" };

static int set_up(void **state) {
    (void)state;
    if (mkdtemp(dir) == NULL || chdir(dir) != 0) {
        return -1;
    }
    int rc = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        rc |= mkdir(folders[i], 0700);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        rc |= close(open(files[i], O_WRONLY | O_CREAT, 0600));
    }
    return rc | symlink("../archive/1.pem", "live/cert.pem") |
           symlink("../other/1.pem", "live/stray.pem") |
           mkfifo("other/fifo", 0600);
}

static int tear_down(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        unlink(files[i]);
    }
    unlink("live/cert.pem");
    unlink("live/stray.pem");
    unlink("other/fifo");
    unlink("log/new");
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        rmdir(folders[i]);
    }
    return chdir("/") | rmdir(dir);
}

static void need_landlock(void) {
    if (landlock_version() < 3) {
        print_message("SKIP: no Landlock, or an old one\n");
        skip();
    }
}

/* What opening `path` says, an errno or 0, where `options` are fenced in. */
static int fenced(const struct tls_options *options,
                  const struct ca_store *store, const char *path, int flags) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err = ERR_INIT;
        struct landlock l;
        if (landlock_open(&l, &err) != 0 ||
            fence_tls(&l, options, store, &err) != 0 ||
            landlock_enter(&l, &err) != 0) {
            _exit(FAILED);
        }
        _exit(open(path, flags | O_NONBLOCK, 0600) < 0 ? errno : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void files_can_be_read_anew(void **state) {
    static const struct {
        const char *cert, *path;
        int flags, why;
    } rows[] = {
        { "live/plain.pem", "live/plain.pem", O_RDONLY, 0 },
        { "live/plain.pem", "live/plain.pem", O_WRONLY, EACCES },
        { "live/plain.pem", "live/new.pem", O_WRONLY | O_CREAT, EACCES },
        { "live/plain.pem", "archive/1.pem", O_RDONLY, EACCES },
        { "live/plain.pem", "live/cert.pem", O_RDONLY, EACCES },
        { "live/plain.pem", "/etc/passwd", O_RDONLY, EACCES },
        { "live/cert.pem", "live/cert.pem", O_RDONLY, 0 },
        { "live/cert.pem", "live/plain.pem", O_RDONLY, 0 },
        { "live/cert.pem", "archive/2.pem", O_RDONLY, 0 },
        { "live/cert.pem", "live/stray.pem", O_RDONLY, EACCES },
        { "live/gone.pem", "live/plain.pem", O_RDONLY, 0 },
        { "other/fifo", "other/fifo", O_RDONLY, 0 },
        { "other/fifo", "other/1.pem", O_RDONLY, EACCES },
        { "fd:0", "live/plain.pem", O_RDONLY, EACCES },
        { "hex:00", "live/plain.pem", O_RDONLY, EACCES },
    };
    (void)state;
    need_landlock();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tls_options as_cert = TLS_OPTIONS_INIT, as_key = as_cert;
        struct ca_store none = { .file = NULL };
        as_cert.certs = (struct opt_many){ { rows[i].cert }, 1 };
        as_cert.keys = (struct opt_many){ { "hex:00" }, 1 };
        as_key.certs = as_cert.keys;
        as_key.keys = as_cert.certs;
        int cert = fenced(&as_cert, &none, rows[i].path, rows[i].flags);
        int key = fenced(&as_key, &none, rows[i].path, rows[i].flags);
        if (cert != rows[i].why || key != rows[i].why) {
            fail_msg("row %zu: %s and %s, not %s", i, strerror(cert),
                     strerror(key), strerror(rows[i].why));
        }
    }
}

static void each_option_has_its_rights(void **state) {
    enum { NEW = O_WRONLY | O_CREAT | O_EXCL };
    static const char *const log = "log/access";
    static const struct {
        struct tls_options options;
        int read, write, make;
    } rows[] = {
        { { .cafile = log }, 0, EACCES, EACCES },
        { { .cadata = log }, 0, EACCES, EACCES },
        { { .crl = log }, 0, EACCES, EACCES },
        { { .keylog = log }, EACCES, 0, 0 },
        { { .save_chain = log }, EACCES, 0, 0 },
        { { .save_peer = log }, EACCES, 0, 0 },
        { { .time = "now" }, EACCES, EACCES, EACCES },
    };
    struct ca_store none = { .file = NULL };
    (void)state;
    need_landlock();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tls_options *o = &rows[i].options;
        unlink("log/new");
        if (fenced(o, &none, log, O_RDONLY) != rows[i].read ||
            fenced(o, &none, log, O_WRONLY) != rows[i].write ||
            fenced(o, &none, "log/new", NEW) != rows[i].make) {
            fail_msg("row %zu", i);
        }
    }
}

static void the_store_can_be_read(void **state) {
    const struct tls_options o = TLS_OPTIONS_INIT;
    const struct ca_store file = { .file = "archive/1.pem" };
    const struct ca_store folder = { .dir = "live" };
    (void)state;
    need_landlock();
    assert_int_equal(fenced(&o, &file, "archive/1.pem", O_RDONLY), 0);
    assert_int_equal(fenced(&o, &file, "other/1.pem", O_RDONLY), EACCES);
    assert_int_equal(fenced(&o, &folder, "live", O_RDONLY), 0);
    assert_int_equal(fenced(&o, &folder, "live/cert.pem", O_RDONLY), 0);
    assert_int_equal(fenced(&o, &folder, "live/stray.pem", O_RDONLY), 0);
    assert_int_equal(fenced(&o, &folder, "log/access", O_RDONLY), EACCES);
}

static void a_key_log_may_come_from_the_environment(void **state) {
    const struct tls_options o = TLS_OPTIONS_INIT;
    const struct ca_store none = { .file = NULL };
    (void)state;
    need_landlock();
    setenv("SSLKEYLOGFILE", "log/access", 1);
    assert_int_equal(fenced(&o, &none, "log/access", O_WRONLY), 0);
    setenv("SSLKEYLOGFILE", "", 1);
    assert_int_equal(fenced(&o, &none, "log/access", O_WRONLY), EACCES);
    unsetenv("SSLKEYLOGFILE");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_can_be_read_anew),
        cmocka_unit_test(each_option_has_its_rights),
        cmocka_unit_test(the_store_can_be_read),
        cmocka_unit_test(a_key_log_may_come_from_the_environment),
    };
    unsetenv("SSLKEYLOGFILE");
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
