#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/notify.h"
#include "test.h"

static char dir[64], path[96];
static int manager;

static int set_up(void **state) {
    (void)state;
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    snprintf(dir, sizeof dir, "/tmp/mptls-notify-XXXXXX");
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/n", dir);
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    return bind(manager, (struct sockaddr *)&sa, sizeof sa);
}

static int tear_down(void **state) {
    (void)state;
    close(manager);
    (void)unlink(path);
    return rmdir(dir);
}

static const char *told(void) {
    static char buf[256];
    ssize_t n = recv(manager, buf, sizeof buf - 1, MSG_DONTWAIT);
    buf[n > 0 ? n : 0] = '\0';
    return buf;
}

static void a_manager_is_told(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    int fd = notify_open(path, &err);
    assert_true(fd >= 0);
    assert_int_equal(err.origin, ERR_NONE);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    notify_ready(fd, "127.0.0.1:4433");
    assert_string_equal(told(), "READY=1\nSTATUS=listening on 127.0.0.1:4433");
    notify_reloading(fd);
    const char *got = told();
    const char begins[] = "RELOADING=1\nMONOTONIC_USEC=";
    assert_memory_equal(got, begins, sizeof begins - 1);
    assert_true(atoll(got + sizeof begins - 1) > 0);
    notify_ready(fd, NULL);
    assert_string_equal(told(), "READY=1");
    notify_send(fd, "STOPPING=1");
    assert_string_equal(told(), "STOPPING=1");
    notify_send(-1, "STOPPING=1");
    assert_string_equal(told(), "");
    close(manager);
    notify_send(fd, "STOPPING=1"); /* nobody is left, and no signal comes */
    close(fd);
    manager = socket(AF_UNIX, SOCK_DGRAM, 0);
}

static void what_is_no_manager_is_an_error(void **state) {
    (void)state;
    char longer[200];
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    const struct {
        const char *where;
        enum err_origin origin;
        int code;
    } rows[] = {
        { "nonsense", ERR_USAGE, 0 },
        { "/", ERR_USAGE, 0 },
        { "@", ERR_USAGE, 0 },
        { longer, ERR_USAGE, 0 },
        { "/no/such/socket", ERR_NET, ENOENT },
        { "@mptls-test-of-nobody", ERR_NET, ECONNREFUSED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(notify_open(rows[i].where, &err), -1);
        assert_int_equal(err.origin, rows[i].origin);
        assert_int_equal(err.code, rows[i].code);
        assert_non_null(strstr(err.msg, "NOTIFY_SOCKET"));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_manager_is_told),
        TEST(what_is_no_manager_is_an_error),
    };
    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
