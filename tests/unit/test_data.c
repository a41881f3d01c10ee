#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/data.h"
#include "test.h"

static void gives(const char *arg, const void *want, size_t want_len) {
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(data_read(arg, &data, &len, &err), 0);
    assert_int_equal(len, want_len);
    assert_memory_equal(data, want, want_len);
    assert_int_equal(data[len], '\0');
    assert_int_equal(err.origin, ERR_NONE);
    free(data);
}

static void refuses(const char *arg, const char *msg) {
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(data_read(arg, &data, &len, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_int_equal(err.code, 0);
    assert_string_equal(err.msg, msg);
    assert_null(data);
}

static void base64_is_decoded_padded_or_not(void **state) {
    (void)state;
    gives("base64:Zg==", "f", 1);
    gives("base64:Zg", "f", 1);
    gives("base64:Zm8=", "fo", 2);
    gives("base64:Zm8", "fo", 2);
    gives("base64:Zm9v", "foo", 3);
    gives("base64:Zm9vYmFy", "foobar", 6);
    gives("base64: Zm9v\r\n\tYm Fy \n", "foobar", 6);
    gives("base64:Zg = =\n", "f", 1);
    gives("base64:AP/+", "\x00\xff\xfe", 3);
}

static void malformed_base64_is_refused_with_its_place(void **state) {
    (void)state;
    refuses("base64:Zm9*", "base64: not a base64 digit at character 4");
    refuses("base64:Zm-_", "base64: not a base64 digit at character 3");
    refuses("base64:Zm9vZ", "base64: cut short at character 6");
    refuses("base64:Zg=", "base64: wrong padding at character 3");
    refuses("base64:Zm9v=", "base64: wrong padding at character 5");
    refuses("base64:Zg==Zg==", "base64: more after the padding at character 5");
    refuses("base64:Zh==", "base64: stray bits before the end at character 3");
    refuses("base64:Zm9", "base64: stray bits before the end at character 4");
}

static void hex_is_decoded_with_and_without_separators(void **state) {
    (void)state;
    gives("hex:00fF7e", "\x00\xff\x7e", 3);
    gives("hex:de:ad:be:ef", "\xde\xad\xbe\xef", 4);
    gives("hex: de ad\n", "\xde\xad", 2);
}

static void malformed_hex_is_refused_with_its_place(void **state) {
    (void)state;
    refuses("hex:0g", "hex: half a byte at character 1");
    refuses("hex:00xy", "hex: not a hexadecimal digit at character 3");
    refuses("hex:abc", "hex: half a byte at character 3");
    refuses("hex:a:bc", "hex: half a byte at character 1");
    refuses("hex:0x12", "hex: half a byte at character 1");
}

static void pem_is_the_text_with_its_newlines_spelt_either_way(void **state) {
    (void)state;
    gives("pem:-----BEGIN X-----\\nAA==\n-----END X-----\\n",
          "-----BEGIN X-----\nAA==\n-----END X-----\n", 39);
    gives("pem:a\\", "a\\", 2);
    gives("pem:\\t", "\\t", 2);
}

static void inline_data_is_never_empty(void **state) {
    (void)state;
    refuses("base64:", "base64: no data");
    refuses("base64: \n", "base64: no data");
    refuses("hex: :", "hex: no data");
    refuses("pem:", "pem: no data");
    refuses("", "an empty path, where DATA is wanted");
}

static void a_descriptor_is_read_to_its_end_and_left_open(void **state) {
    (void)state;
    char arg[16];
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(write(p[1], "secret", 6), 6);
    close(p[1]);
    snprintf(arg, sizeof arg, "fd:%d", p[0]);
    gives(arg, "secret", 6);
    assert_int_equal(close(p[0]), 0);
}

static void a_descriptor_that_is_no_number_is_refused(void **state) {
    (void)state;
    refuses("fd:", "'fd:': not a descriptor number");
    refuses("fd:-1", "'fd:-1': not a descriptor number");
    refuses("fd:3x", "'fd:3x': not a descriptor number");
    refuses("fd: 3", "'fd: 3': not a descriptor number");
    refuses("fd:4294967299", "'fd:4294967299': not a descriptor number");
}

static void a_descriptor_that_is_not_open_is_ebadf(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(data_read("fd:987654321", &data, &len, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, EBADF);
}

static void anything_else_is_a_path(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    char path[256];
    snprintf(path, sizeof path, "%s/mptls-data-XXXXXX",
             tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\x30\x00\x01", 3), 3);
    close(fd);
    gives(path, "\x30\x00\x01", 3);
    assert_int_equal(unlink(path), 0);
    struct err err = ERR_INIT;
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(data_read(path, &data, &len, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_int_equal(err.code, ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_decoded_padded_or_not),
        cmocka_unit_test(malformed_base64_is_refused_with_its_place),
        cmocka_unit_test(hex_is_decoded_with_and_without_separators),
        cmocka_unit_test(malformed_hex_is_refused_with_its_place),
        cmocka_unit_test(pem_is_the_text_with_its_newlines_spelt_either_way),
        cmocka_unit_test(inline_data_is_never_empty),
        cmocka_unit_test(a_descriptor_is_read_to_its_end_and_left_open),
        cmocka_unit_test(a_descriptor_that_is_no_number_is_refused),
        cmocka_unit_test(a_descriptor_that_is_not_open_is_ebadf),
        cmocka_unit_test(anything_else_is_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
