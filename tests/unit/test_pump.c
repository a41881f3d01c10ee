#include <errno.h>

#include "io/pump.h"
#include "test.h"

/* A stream of `given` bytes that answers WANT before every success, takes at
 * most `chunk` bytes a call, and checks that a retry repeats its arguments. */
struct fake {
    struct stream stream;
    unsigned char given[256], taken[256];
    size_t given_len, given_pos, taken_len, chunk;
    size_t fail_at; /* writing fails once this many bytes are taken */
    int reset;      /* reading ends in ECONNRESET rather than EOF */
    int ended, want_rd_on_write, silent;
    int read_turn, write_turn, end_turn;
    const void *retry_buf;
    size_t retry_len;
};

static ssize_t fake_read(struct stream *s, void *buf, size_t len,
                         struct err *err) {
    struct fake *f = (struct fake *)s;
    if (f->silent || (f->read_turn ^= 1)) {
        return STREAM_WANT_RD;
    }
    size_t n = f->given_len - f->given_pos;
    if (n == 0 && f->reset) {
        return err_set(err, ERR_OS, ECONNRESET, "read");
    }
    n = n > f->chunk ? f->chunk : n;
    n = n > len ? len : n;
    memcpy(buf, f->given + f->given_pos, n);
    f->given_pos += n;
    return (ssize_t)n;
}

static ssize_t fake_write(struct stream *s, const void *buf, size_t len,
                          struct err *err) {
    struct fake *f = (struct fake *)s;
    if (f->fail_at != 0 && f->taken_len >= f->fail_at) {
        return err_set(err, ERR_OS, ENOSPC, "write");
    }
    if (f->write_turn ^= 1) {
        f->retry_buf = buf;
        f->retry_len = len;
        return f->want_rd_on_write ? STREAM_WANT_RD : STREAM_WANT_WR;
    }
    assert_ptr_equal(buf, f->retry_buf);
    assert_int_equal(len, f->retry_len);
    size_t n = len > f->chunk ? f->chunk : len;
    memcpy(f->taken + f->taken_len, buf, n);
    f->taken_len += n;
    return (ssize_t)n;
}

static int fake_end(struct stream *s, struct err *err) {
    struct fake *f = (struct fake *)s;
    (void)err;
    if (f->end_turn ^= 1) {
        return STREAM_WANT_WR;
    }
    f->ended++;
    return 0;
}

static const struct stream_ops fake_ops = { fake_read, fake_write, fake_end };

static void fake_init(struct fake *f, int fd, size_t given, size_t chunk) {
    memset(f, 0, sizeof *f);
    f->stream.ops = &fake_ops;
    f->stream.fd = fd;
    f->given_len = given;
    f->chunk = chunk;
    for (size_t i = 0; i < given; i++) {
        f->given[i] = (unsigned char)(i * 7 + (size_t)fd);
    }
}

static struct pump pump;
static struct fake in, peer, out;

static enum pump_result run(struct err *err) {
    pump_init(&pump, &in.stream, &peer.stream, &out.stream);
    for (int i = 0; i < 5000; i++) {
        enum pump_result r = pump_step(&pump, err);
        if (r == PUMP_DONE || r == PUMP_FAILED) {
            return r;
        }
    }
    fail_msg("the pump never ended");
    return PUMP_IDLE;
}

static void every_chunk_size_delivers_all_bytes_both_ways(void **state) {
    (void)state;
    for (size_t chunk = 1; chunk <= 64; chunk++) {
        struct err err = ERR_INIT;
        fake_init(&in, 0, 100, chunk);
        fake_init(&peer, 3, 200, chunk);
        fake_init(&out, 1, 0, chunk);
        assert_int_equal(run(&err), PUMP_DONE);
        assert_int_equal(err.origin, ERR_NONE);
        assert_int_equal(out.taken_len, 200);
        assert_memory_equal(out.taken, peer.given, 200);
        assert_memory_equal(peer.taken, in.given, peer.taken_len);
        assert_int_equal(out.ended, 1);
    }
}

static void the_end_of_stdin_is_passed_on_and_reading_goes_on(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 5, 64);
    fake_init(&peer, 3, 200, 1);
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run(&err), PUMP_DONE);
    assert_int_equal(peer.taken_len, 5);
    assert_int_equal(peer.ended, 1);
    assert_int_equal(out.taken_len, 200);
}

static void the_peers_end_ends_the_pump_while_stdin_is_open(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 0, 64);
    in.silent = 1;
    fake_init(&peer, 3, 9, 64);
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run(&err), PUMP_DONE);
    assert_int_equal(out.taken_len, 9);
}

static void a_reset_delivers_what_came_before_it(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 0, 64);
    in.silent = 1;
    fake_init(&peer, 3, 50, 3);
    peer.reset = 1;
    fake_init(&out, 1, 0, 3);
    assert_int_equal(run(&err), PUMP_FAILED);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, ECONNRESET);
    assert_int_equal(out.taken_len, 50);
}

static void a_full_disk_is_the_failure_reported(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 0, 64);
    fake_init(&peer, 3, 50, 10);
    fake_init(&out, 1, 0, 10);
    out.fail_at = 20;
    assert_int_equal(run(&err), PUMP_FAILED);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, ENOSPC);
    assert_int_equal(out.taken_len, 20);
}

static void the_wait_follows_the_answer_not_the_operation(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct pollfd fds[PUMP_LANES];
    fake_init(&in, 0, 5, 64);
    fake_init(&peer, 3, 0, 64);
    peer.silent = peer.want_rd_on_write = 1;
    fake_init(&out, 1, 0, 64);
    pump_init(&pump, &in.stream, &peer.stream, &out.stream);
    assert_int_equal(pump_step(&pump, &err), PUMP_IDLE);
    assert_int_equal(pump_wait(&pump, fds), 2);
    assert_int_equal(fds[0].fd, 0);
    assert_int_equal(fds[1].fd, 3);
    assert_int_equal(pump_step(&pump, &err), PUMP_MOVED);
    assert_int_equal(pump_step(&pump, &err), PUMP_IDLE);
    assert_int_equal(pump_wait(&pump, fds), 2);
    assert_int_equal(fds[0].fd, 3);
    assert_int_equal(fds[0].events, POLLIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_size_delivers_all_bytes_both_ways),
        cmocka_unit_test(the_end_of_stdin_is_passed_on_and_reading_goes_on),
        cmocka_unit_test(the_peers_end_ends_the_pump_while_stdin_is_open),
        cmocka_unit_test(a_reset_delivers_what_came_before_it),
        cmocka_unit_test(a_full_disk_is_the_failure_reported),
        cmocka_unit_test(the_wait_follows_the_answer_not_the_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
