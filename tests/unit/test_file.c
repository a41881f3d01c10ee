#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/file.h"
#include "test.h"

static char dir[256], path[300];

static int set_up(void **state) {
    const char *tmp = getenv("TMPDIR");
    (void)state;
    snprintf(dir, sizeof dir, "%s/mptls-file-XXXXXX",
             tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/f", dir);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void fill(size_t len) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (size_t i = 0; i < len; i++) {
        putc((int)(i % 251), f);
    }
    assert_int_equal(fclose(f), 0);
}

static void any_size_is_read_whole_and_ends_in_a_nul(void **state) {
    (void)state;
    static const size_t sizes[] = { 0, 1, 4094, 4095, 4096, 4097, 100000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct err err = ERR_INIT;
        unsigned char *data = NULL;
        size_t len = 99;
        fill(sizes[i]);
        assert_int_equal(file_read(path, FILE_MAX, &data, &len, &err), 0);
        assert_int_equal(len, sizes[i]);
        for (size_t j = 0; j < len; j++) {
            assert_int_equal(data[j], j % 251);
        }
        assert_int_equal(data[len], '\0');
        assert_int_equal(err.origin, ERR_NONE);
        free(data);
    }
}

static void a_missing_file_is_enoent_and_named(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(file_read("no/such.pem", FILE_MAX, &data, &len, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, ENOENT);
    assert_string_equal(err.msg, "read no/such.pem: No such file or directory");
    assert_null(data);
}

static void a_directory_is_eisdir(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(file_read(dir, FILE_MAX, &data, &len, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, EISDIR);
    assert_null(data);
}

static void the_limit_is_the_last_size_taken(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    fill(1000);
    assert_int_equal(file_read(path, 1000, &data, &len, &err), 0);
    assert_int_equal(len, 1000);
    free(data);
    data = NULL;
    assert_int_equal(file_read(path, 999, &data, &len, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, EFBIG);
    assert_non_null(strstr(err.msg, "over 999 bytes"));
    assert_null(data);
}

static void an_endless_device_stops_at_the_limit(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(file_read("/dev/zero", 100000, &data, &len, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, EFBIG);
}

static void *write_fifo(void *arg) {
    int fd = open(arg, O_WRONLY);
    for (int i = 0; i < 3; i++) {
        (void)!write(fd, "abcd", 4);
    }
    close(fd);
    return NULL;
}

static void a_fifo_is_read_until_its_writer_is_done(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    pthread_t writer;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_fifo, path), 0);
    assert_int_equal(file_read(path, FILE_MAX, &data, &len, &err), 0);
    pthread_join(writer, NULL);
    assert_int_equal(len, 12);
    assert_memory_equal(data, "abcdabcdabcd", 13);
    free(data);
}

static void *write_late(void *arg) {
    int fd = *(int *)arg;
    struct timespec t = { .tv_nsec = 20000000 };
    nanosleep(&t, NULL);
    (void)!write(fd, "late", 4);
    close(fd);
    return NULL;
}

static void a_nonblocking_descriptor_is_waited_for_and_stays_so(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    pthread_t writer;
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
    int before = fcntl(p[0], F_GETFL);
    assert_int_equal(pthread_create(&writer, NULL, write_late, &p[1]), 0);
    assert_int_equal(file_read_fd(p[0], "fd:3", FILE_MAX, &data, &len, &err),
                     0);
    pthread_join(writer, NULL);
    assert_int_equal(len, 4);
    assert_memory_equal(data, "late", 5);
    assert_int_equal(fcntl(p[0], F_GETFL), before);
    free(data);
    close(p[0]);
}

static void a_closed_descriptor_is_ebadf_by_its_name(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    int fd = dup(0);
    close(fd);
    assert_int_equal(file_read_fd(fd, "fd:9", FILE_MAX, &data, &len, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, EBADF);
    assert_string_equal(err.msg, "read fd:9: Bad file descriptor");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(any_size_is_read_whole_and_ends_in_a_nul),
        TEST(a_missing_file_is_enoent_and_named),
        TEST(a_directory_is_eisdir),
        TEST(the_limit_is_the_last_size_taken),
        TEST(an_endless_device_stops_at_the_limit),
        TEST(a_fifo_is_read_until_its_writer_is_done),
        TEST(a_nonblocking_descriptor_is_waited_for_and_stays_so),
        TEST(a_closed_descriptor_is_ebadf_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
