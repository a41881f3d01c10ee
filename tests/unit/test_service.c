#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_stream.h"
#include "io/pump.h"
#include "io/service.h"
#include "test.h"

static struct service s;
static struct pump pump;
static struct fake client;

static ssize_t take(void *buf, size_t len) {
    struct err err = ERR_INIT;
    ssize_t n = s.in.stream.ops->read(&s.in.stream, buf, len, &err);
    assert_int_equal(err.origin, ERR_NONE);
    return n;
}

static ssize_t give(const void *buf, size_t len) {
    struct err err = ERR_INIT;
    ssize_t n = s.out.stream.ops->write(&s.out.stream, buf, len, &err);
    assert_int_equal(err.origin, ERR_NONE);
    return n;
}

static void end(void) {
    struct err err = ERR_INIT;
    assert_int_equal(s.out.stream.ops->end(&s.out.stream, &err), 0);
}

/* Against a client that answers WANT before every success. */
static enum pump_result run(enum service_kind kind, const char *reply,
                            size_t given, size_t chunk) {
    struct err err = ERR_INIT;
    service_free(&s);
    service_init(&s, kind, (const unsigned char *)reply,
                 reply != NULL ? strlen(reply) : 0);
    fake_init(&client, 3, given, chunk);
    pump_free(&pump);
    pump_init(&pump, &s.in.stream, &client.stream, &s.out.stream, NULL);
    for (int i = 0; i < 5000; i++) {
        enum pump_result r = pump_step(&pump, &err);
        if (r == PUMP_IDLE) { /* only ever for the client */
            struct pollfd fds[PUMP_LANES];
            nfds_t n = pump_wait(&pump, fds);
            assert_in_range(n, 1, PUMP_LANES);
            assert_true(fds[0].fd == 3 || fds[n - 1].fd == 3);
        }
        if (r == PUMP_DONE || r == PUMP_FAILED) {
            assert_int_equal(err.origin, ERR_NONE);
            return r;
        }
    }
    fail_msg("the pump never ended");
    return PUMP_IDLE;
}

static void echo_sends_all_back_in_every_chunk_size(void **state) {
    (void)state;
    for (size_t chunk = 1; chunk <= 64; chunk++) {
        assert_int_equal(run(SERVICE_ECHO, NULL, 200, chunk), PUMP_DONE);
        assert_int_equal(client.taken_len, 200);
        assert_memory_equal(client.taken, client.given, 200);
        assert_int_equal(client.ended, 1);
    }
}

static void echo_takes_no_more_than_its_buffer_holds(void **state) {
    (void)state;
    static unsigned char much[SERVICE_BUF + 1], back[SERVICE_BUF + 1];
    service_free(&s);
    service_init(&s, SERVICE_ECHO, NULL, 0);
    memset(much, 'x', sizeof much);
    assert_int_equal(take(back, 1), STREAM_WANT_RD);
    assert_int_equal(give(much, sizeof much), SERVICE_BUF);
    assert_int_equal(give(much, 1), STREAM_WANT_WR);
    assert_int_equal(take(back, 1), 1);
    assert_int_equal(give(much, 2), 1);
    assert_int_equal(give(much, 1), STREAM_WANT_WR);
    assert_int_equal(take(back, sizeof back), SERVICE_BUF - 1);
    assert_int_equal(take(back, sizeof back), 1);
    assert_int_equal(take(back, sizeof back), STREAM_WANT_RD);
}

/* Whatever is written and read in turn, and wherever the buffer goes round. */
static void echo_keeps_the_order(void **state) {
    (void)state;
    unsigned char in = 0, out = 0;
    service_free(&s);
    service_init(&s, SERVICE_ECHO, NULL, 0);
    for (int i = 0; i < 2000; i++) {
        unsigned char there[97], back[89];
        for (size_t k = 0; k < sizeof there; k++) {
            there[k] = (unsigned char)(in + k);
        }
        ssize_t n = give(there, sizeof there);
        in = (unsigned char)(in + (n > 0 ? n : 0));
        n = take(back, sizeof back);
        for (ssize_t k = 0; k < n; k++) {
            assert_int_equal(back[k], out);
            out++;
        }
    }
    end();
    unsigned char rest[64];
    ssize_t n;
    while ((n = take(rest, sizeof rest)) > 0) {
        assert_int_equal(rest[0], out);
        out = (unsigned char)(out + n);
    }
    assert_int_equal(n, STREAM_EOF);
    assert_int_equal(out, in);
}

/* The client has gone: there is nobody to make room in the buffer. */
static void echo_ends_when_a_full_buffer_cannot_be_sent(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    enum pump_result r = PUMP_MOVED;
    service_free(&s);
    service_init(&s, SERVICE_ECHO, NULL, 0);
    fake_init(&client, 3, 100, 64);
    static unsigned char much[SERVICE_BUF];
    assert_int_equal(give(much, sizeof much), SERVICE_BUF);
    client.fail_at = 1;
    client.taken_len = 1;
    pump_free(&pump);
    pump_init(&pump, &s.in.stream, &client.stream, &s.out.stream, NULL);
    pump.up.buf = malloc(PUMP_BUF);
    pump.up.len = 1; /* on its way when the buffer had been filled again */
    for (int i = 0; i < 50 && r != PUMP_FAILED; i++) {
        r = pump_step(&pump, &err);
    }
    assert_int_equal(r, PUMP_FAILED);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, ENOSPC);
}

static void echo_of_nothing_is_nothing(void **state) {
    (void)state;
    assert_int_equal(run(SERVICE_ECHO, NULL, 0, 64), PUMP_DONE);
    assert_int_equal(client.taken_len, 0);
    assert_int_equal(client.ended, 1);
}

static void discard_sends_nothing_and_ends_with_the_client(void **state) {
    (void)state;
    char buf[8];
    assert_int_equal(run(SERVICE_DISCARD, NULL, 200, 3), PUMP_DONE);
    assert_int_equal(client.given_pos, 200);
    assert_int_equal(client.taken_len, 0);
    assert_int_equal(client.ended, 1);
    service_free(&s);
    service_init(&s, SERVICE_DISCARD, NULL, 0);
    assert_int_equal(take(buf, sizeof buf), STREAM_WANT_RD);
    assert_int_equal(give("abc", 3), 3);
    assert_int_equal(take(buf, sizeof buf), STREAM_WANT_RD);
    end();
    assert_int_equal(take(buf, sizeof buf), STREAM_EOF);
}

/* RFC 864: lines of 72, each a character further on among the 95. */
static void chargen_has_the_lines_of_the_rfc(void **state) {
    (void)state;
    static const char lines[] = " !\"#$%&'()*+,-./0123456789:;<=>?@"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"
                                "!\"#$%&'()*+,-./0123456789:;<=>?@"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n";
    char got[sizeof lines];
    static char more[74 * 95 + 74];
    for (size_t chunk = 1; chunk <= 75; chunk += 37) {
        service_free(&s);
        service_init(&s, SERVICE_CHARGEN, NULL, 0);
        for (size_t at = 0; at < sizeof lines - 1;) {
            size_t left = sizeof lines - 1 - at;
            at += (size_t)take(got + at, left < chunk ? left : chunk);
        }
        assert_memory_equal(got, lines, sizeof lines - 1);
    }
    service_free(&s);
    service_init(&s, SERVICE_CHARGEN, NULL, 0);
    assert_int_equal(take(more, sizeof more), sizeof more);
    assert_memory_equal(more, lines, 148);
    assert_memory_equal(more + 74 * 94, "~ !\"", 4); /* it goes round */
    assert_memory_equal(more + 74 * 95, lines, 74);
}

static void chargen_ends_with_the_client(void **state) {
    (void)state;
    char buf[8];
    service_free(&s);
    service_init(&s, SERVICE_CHARGEN, NULL, 0);
    assert_int_equal(give("abc", 3), 3);
    assert_int_equal(take(buf, sizeof buf), sizeof buf);
    end();
    assert_int_equal(take(buf, sizeof buf), STREAM_EOF);
}

static void a_reply_is_sent_whole_and_ended(void **state) {
    (void)state;
    static const char text[] = "one reply for all of them";
    for (size_t chunk = 1; chunk <= 32; chunk++) {
        assert_int_equal(run(SERVICE_REPLY, text, 200, chunk), PUMP_DONE);
        assert_int_equal(client.taken_len, sizeof text - 1);
        assert_memory_equal(client.taken, text, sizeof text - 1);
        assert_int_equal(client.given_pos, 200);
        assert_int_equal(client.ended, 1);
    }
}

static void a_reply_may_be_empty(void **state) {
    (void)state;
    assert_int_equal(run(SERVICE_REPLY, NULL, 5, 64), PUMP_DONE);
    assert_int_equal(client.taken_len, 0);
    assert_int_equal(client.ended, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_sends_all_back_in_every_chunk_size),
        cmocka_unit_test(echo_takes_no_more_than_its_buffer_holds),
        cmocka_unit_test(echo_keeps_the_order),
        cmocka_unit_test(echo_ends_when_a_full_buffer_cannot_be_sent),
        cmocka_unit_test(echo_of_nothing_is_nothing),
        cmocka_unit_test(discard_sends_nothing_and_ends_with_the_client),
        cmocka_unit_test(chargen_has_the_lines_of_the_rfc),
        cmocka_unit_test(chargen_ends_with_the_client),
        cmocka_unit_test(a_reply_is_sent_whole_and_ended),
        cmocka_unit_test(a_reply_may_be_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
