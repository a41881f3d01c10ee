#include <errno.h>

#include "fake_stream.h"
#include "io/pump.h"
#include "test.h"

static struct pump pump;
static struct fake in, peer, out;

static enum pump_result run_with(const struct pump_config *config,
                                 struct err *err) {
    pump_free(&pump);
    pump_init(&pump, &in.stream, &peer.stream, &out.stream, config);
    for (int i = 0; i < 5000; i++) {
        enum pump_result r = pump_step(&pump, err);
        if (r == PUMP_DONE || r == PUMP_FAILED) {
            return r;
        }
    }
    fail_msg("the pump never ended");
    return PUMP_IDLE;
}

static enum pump_result run(struct err *err) {
    return run_with(NULL, err);
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
        assert_int_equal(peer.taken_len, 100);
        assert_memory_equal(peer.taken, in.given, 100);
        assert_int_equal(out.ended, 1);
    }
}

/* Of records, that is; of anything else one read gives all there is. */
static void several_records_make_one_write(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 100, 10);
    fake_init(&peer, 3, 200, 10);
    fake_init(&out, 1, 0, 64);
    in.always = peer.always = 1;
    pump_free(&pump);
    pump_init(&pump, &in.stream, &peer.stream, &out.stream, NULL);
    assert_int_equal(pump_step(&pump, &err), PUMP_MOVED);
    assert_int_equal(pump.up.len, 10);
    assert_int_equal(pump.down.len, 80); /* and others have their turn */
}

static void what_came_before_a_failure_is_written_first(void **state) {
    static const struct {
        struct fake ends;
        enum err_origin origin;
        int code;
    } cases[] = {
        { { .reset = 1 }, ERR_NET, ECONNRESET },
        { { .truncated = 1 }, ERR_TRUNCATED, 0 },
        { { .alert = 40 }, ERR_ALERT, 40 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t given = 1; given <= 200; given += 33) {
            struct err err = ERR_INIT;
            fake_init(&in, 0, 0, 64);
            in.silent = 1;
            fake_init(&peer, 3, given, 40);
            peer.always = 1;
            peer.reset = cases[i].ends.reset;
            peer.truncated = cases[i].ends.truncated;
            peer.alert = cases[i].ends.alert;
            fake_init(&out, 1, 0, 7);
            assert_int_equal(run(&err), PUMP_FAILED);
            assert_int_equal(err.origin, cases[i].origin);
            assert_int_equal(err.code, cases[i].code);
            assert_int_equal(out.taken_len, given);
            assert_int_equal(pump.down.total, given);
        }
    }
}

static void a_full_disk_counts_before_what_the_peer_said_last(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 0, 64);
    in.silent = 1;
    fake_init(&peer, 3, 100, 40);
    peer.always = peer.truncated = 1;
    fake_init(&out, 1, 0, 7);
    out.fail_at = 70;
    assert_int_equal(run(&err), PUMP_FAILED);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, ENOSPC);
    assert_int_equal(pump.down.total, 70);
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

static void the_peers_end_ends_the_pump_if_told_to(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    const struct pump_config config = { .stop_with_peer = true };
    fake_init(&in, 0, 0, 64);
    in.silent = 1;
    fake_init(&peer, 3, 9, 64);
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run_with(&config, &err), PUMP_DONE);
    assert_int_equal(out.taken_len, 9);
    assert_int_equal(peer.ended, 1);
}

static void a_peer_that_ends_first_still_gets_all_of_stdin(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 200, 1);
    fake_init(&peer, 3, 3, 64);
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run(&err), PUMP_DONE);
    assert_int_equal(peer.taken_len, 200);
    assert_int_equal(peer.ended, 1);
    assert_int_equal(out.taken_len, 3);
}

static void a_peer_that_is_gone_is_not_waited_on(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    static struct fake wire;
    const struct pump_config config = { .wire = &wire.stream,
                                        .on_eof = PUMP_HALF_CLOSE };
    fake_init(&in, 0, 0, 64);
    in.silent = 1;
    fake_init(&peer, 3, 3, 64);
    peer.end_fails = 1;
    fake_init(&wire, 3, 0, 64);
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run_with(&config, &err), PUMP_DONE);
    assert_int_equal(err.origin, ERR_NONE);
    assert_true(pump.up.cut);
}

/* What it sends then counts for nothing, and may never end: limits do. */
static void garbage_after_the_end_does_not_hold_a_step(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    static struct fake wire;
    const struct pump_config config = { .wire = &wire.stream,
                                        .on_eof = PUMP_HALF_CLOSE };
    fake_init(&in, 0, 0, 64);
    in.silent = 1;
    fake_init(&peer, 3, 0, 64);
    peer.always = 1;
    fake_init(&wire, 3, 256, 1);
    wire.always = 1;
    fake_init(&out, 1, 0, 64);
    pump_free(&pump);
    pump_init(&pump, &in.stream, &peer.stream, &out.stream, &config);
    for (int i = 0; i < 50 && wire.given_pos == 0; i++) {
        assert_int_not_equal(pump_step(&pump, &err), PUMP_FAILED);
    }
    assert_in_range(wire.given_pos, 1, 100);
    struct pollfd fds[PUMP_LANES];
    assert_int_equal(pump_wait(&pump, fds), 2);
}

/* With bytes of ours on their way, a reset after the peer's end loses them. */
static void a_reset_after_the_peers_end_counts_if_we_sent_bytes(void **state) {
    (void)state;
    for (size_t given = 0; given <= 9; given += 9) {
        struct err err = ERR_INIT;
        static struct fake wire, first;
        const struct pump_config config = { .wire = &wire.stream,
                                            .on_eof = PUMP_HALF_CLOSE };
        fake_init(&first, 0, given, 64);
        fake_init(&peer, 3, 3, 64);
        fake_init(&wire, 3, 0, 64);
        wire.reset = 1;
        fake_init(&out, 1, 0, 64);
        pump_free(&pump);
        pump_init(&pump, &first.stream, &peer.stream, &out.stream, &config);
        enum pump_result r = PUMP_IDLE;
        for (int i = 0; i < 100 && r != PUMP_DONE && r != PUMP_FAILED; i++) {
            first.silent = first.given_pos == given;
            r = pump_step(&pump, &err);
        }
        assert_int_equal(r, given == 0 ? PUMP_DONE : PUMP_FAILED);
        assert_int_equal(err.origin, given == 0 ? ERR_NONE : ERR_NET);
        assert_int_equal(err.code, given == 0 ? 0 : ECONNRESET);
    }
}

/* It sent all, said so, and aborted: as some small stacks close. */
static void an_end_that_is_not_heard_after_theirs_loses_nothing(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 0, 64);
    in.always = 1;
    fake_init(&peer, 3, 50, 64);
    peer.always = peer.end_fails = 1;
    fake_init(&out, 1, 0, 7);
    assert_int_equal(run(&err), PUMP_DONE);
    assert_int_equal(err.origin, ERR_NONE);
    assert_int_equal(out.taken_len, 50);
}

/* A local socket says at once that the peer has closed. */
static void an_end_that_is_not_heard_by_who_closed_is_truncation(void **state) {
    (void)state;
    for (int held = 0; held < 2; held++) {
        struct err err = ERR_INIT;
        fake_init(&in, 0, 50, 64);
        in.always = 1;
        fake_init(&peer, 3, 250, 25); /* our end comes before its own */
        peer.truncated = peer.end_fails = peer.always = 1;
        peer.fail_at = held ? 20 : 0; /* some of ours was not written */
        fake_init(&out, 1, 0, 7);
        assert_int_equal(run(&err), PUMP_FAILED);
        if (!held) {
            assert_int_equal(err.origin, ERR_TRUNCATED);
        } else {
            assert_int_equal(err.origin, ERR_OS);
            assert_int_equal(err.code, ENOSPC);
        }
    }
}

static void on_a_local_socket_an_unheard_end_loses_nothing(void **state) {
    (void)state;
    for (int local = 0; local < 2; local++) {
        for (int unread = 0; unread < 2; unread++) {
            struct err err = ERR_INIT;
            static struct fake wire;
            const struct pump_config config = { .wire = &wire.stream,
                                                .local = local == 1 };
            fake_init(&in, 0, 50, 64);
            in.always = 1;
            fake_init(&peer, 3, 250, 25);
            peer.end_fails = peer.always = 1;
            fake_init(&wire, 3, 0, 64);
            wire.always = 1;
            wire.reset = unread; /* as the kernel tells it */
            fake_init(&out, 1, 0, 7);
            bool good = local == 1 && unread == 0;
            assert_int_equal(run_with(&config, &err),
                             good ? PUMP_DONE : PUMP_FAILED);
            assert_int_equal(err.origin, good ? ERR_NONE : ERR_NET);
            assert_int_equal(err.code, good ? 0 : EPIPE);
        }
    }
}

static void what_was_not_sent_goes_to_the_next_peer(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    static struct fake second;
    fake_init(&in, 0, 100, 30);
    fake_init(&peer, 3, 0, 7);
    peer.silent = 1;
    peer.fail_at = 14;
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run(&err), PUMP_FAILED);
    assert_in_range(peer.taken_len, 7, 99);
    fake_init(&second, 4, 0, 64);
    pump_reuse(&pump, &in.stream, &second.stream, &out.stream, NULL);
    err = (struct err)ERR_INIT;
    enum pump_result r = PUMP_IDLE;
    for (int i = 0; i < 500 && r != PUMP_DONE && r != PUMP_FAILED; i++) {
        r = pump_step(&pump, &err);
    }
    assert_int_equal(r, PUMP_DONE);
    assert_int_equal(peer.taken_len + second.taken_len, 100);
    assert_memory_equal(second.taken, in.given + peer.taken_len,
                        second.taken_len);
}

static void a_peer_that_only_half_closed_is_waited_on(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    static struct fake wire;
    struct pollfd fds[PUMP_LANES];
    const struct pump_config config = { .wire = &wire.stream,
                                        .on_eof = PUMP_HALF_CLOSE };
    fake_init(&in, 0, 0, 64);
    in.silent = 1;
    fake_init(&peer, 3, 0, 64);
    fake_init(&wire, 3, 0, 64);
    wire.silent = 1;
    fake_init(&out, 1, 0, 64);
    pump_free(&pump);
    pump_init(&pump, &in.stream, &peer.stream, &out.stream, &config);
    for (int i = 0; i < 50; i++) {
        enum pump_result r = pump_step(&pump, &err);
        assert_true(r == PUMP_MOVED || r == PUMP_IDLE);
    }
    assert_int_equal(pump_wait(&pump, fds), 2);
    assert_int_equal(fds[0].fd, 0);
    assert_int_equal(fds[1].fd, 3);
}

static void waiting_ends_our_sending_after_the_peers(void **state) {
    (void)state;
    static const struct {
        enum pump_on_eof on_eof;
        size_t given;
        int ends_at_once;
    } cases[] = {
        { PUMP_HALF_CLOSE, 0, 1 }, { PUMP_WAIT, 0, 0 },
        { PUMP_WAIT, 5, 0 },       { PUMP_WAIT_EMPTY, 0, 0 },
        { PUMP_WAIT_EMPTY, 5, 1 },
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct err err = ERR_INIT;
        const struct pump_config config = { .on_eof = cases[c].on_eof };
        fake_init(&in, 0, cases[c].given, 64);
        fake_init(&peer, 3, 9, 64);
        peer.silent = 1;
        fake_init(&out, 1, 0, 64);
        pump_free(&pump);
        pump_init(&pump, &in.stream, &peer.stream, &out.stream, &config);
        for (int i = 0; i < 50; i++) {
            (void)pump_step(&pump, &err);
        }
        assert_int_equal(peer.ended, cases[c].ends_at_once);
        peer.silent = 0;
        enum pump_result r = PUMP_IDLE;
        for (int i = 0; i < 50 && r != PUMP_DONE; i++) {
            r = pump_step(&pump, &err);
        }
        assert_int_equal(r, PUMP_DONE);
        assert_int_equal(peer.ended, 1);
        assert_int_equal(out.taken_len, 9);
    }
}

static void closing_at_the_end_of_stdin_does_not_wait(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    const struct pump_config config = { .on_eof = PUMP_CLOSE };
    fake_init(&in, 0, 5, 64);
    fake_init(&peer, 3, 9, 64);
    peer.silent = 1;
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run_with(&config, &err), PUMP_DONE);
    assert_int_equal(peer.taken_len, 5);
    assert_int_equal(peer.ended, 1);
}

/* The peer answered, then refused to take more: its answer comes first. */
static void what_came_before_sending_failed_is_delivered(void **state) {
    (void)state;
    for (size_t chunk = 1; chunk <= 64; chunk += 9) {
        struct err err = ERR_INIT;
        fake_init(&in, 0, 100, 64);
        fake_init(&peer, 3, 200, chunk);
        peer.fail_at = 1;
        peer.taken_len = 1;
        fake_init(&out, 1, 0, chunk);
        out.slow = 1;
        assert_int_equal(run(&err), PUMP_FAILED);
        assert_int_equal(err.origin, ERR_OS);
        assert_int_equal(err.code, ENOSPC);
        assert_int_equal(out.taken_len, peer.given_pos);
        assert_in_range(out.taken_len, chunk, 200);
    }
}

/* A peer of the kind of ncat: a bare FIN, and then it waits for the answer. */
static void a_peer_that_truncates_still_gets_what_is_ready(void **state) {
    (void)state;
    for (size_t chunk = 1; chunk <= 64; chunk += 21) {
        struct err err = ERR_INIT;
        fake_init(&in, 0, 200, 64);
        in.always = 1;
        fake_init(&peer, 3, 5, chunk);
        peer.truncated = 1;
        fake_init(&out, 1, 0, 64);
        assert_int_equal(run(&err), PUMP_FAILED);
        assert_int_equal(err.origin, ERR_TRUNCATED);
        assert_int_equal(err.code, 0);
        assert_int_equal(out.taken_len, 5);
        assert_int_equal(peer.taken_len, 200);
        assert_int_equal(peer.ended, 1);
    }
}

static void a_truncation_does_not_wait_for_stdin(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 0, 64);
    in.silent = 1;
    fake_init(&peer, 3, 5, 64);
    peer.truncated = 1;
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run(&err), PUMP_FAILED);
    assert_int_equal(err.origin, ERR_TRUNCATED);
    assert_int_equal(err.code, 0);
}

static void the_peers_own_reason_is_the_one_reported(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    fake_init(&in, 0, 100, 64);
    fake_init(&peer, 3, 20, 64);
    peer.fail_at = 1;
    peer.taken_len = 1;
    peer.alert = 48;
    peer.always = 1;
    fake_init(&out, 1, 0, 64);
    assert_int_equal(run(&err), PUMP_FAILED);
    assert_int_equal(err.origin, ERR_ALERT);
    assert_int_equal(err.code, 48);
    assert_int_equal(out.taken_len, 20);
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
    assert_int_equal(err.origin, ERR_NET);
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
    pump_free(&pump);
    pump_init(&pump, &in.stream, &peer.stream, &out.stream, NULL);
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
        cmocka_unit_test(several_records_make_one_write),
        cmocka_unit_test(what_came_before_a_failure_is_written_first),
        cmocka_unit_test(a_full_disk_counts_before_what_the_peer_said_last),
        cmocka_unit_test(the_end_of_stdin_is_passed_on_and_reading_goes_on),
        cmocka_unit_test(the_peers_end_ends_the_pump_if_told_to),
        cmocka_unit_test(a_peer_that_ends_first_still_gets_all_of_stdin),
        cmocka_unit_test(a_peer_that_is_gone_is_not_waited_on),
        cmocka_unit_test(garbage_after_the_end_does_not_hold_a_step),
        cmocka_unit_test(a_reset_after_the_peers_end_counts_if_we_sent_bytes),
        cmocka_unit_test(an_end_that_is_not_heard_after_theirs_loses_nothing),
        cmocka_unit_test(an_end_that_is_not_heard_by_who_closed_is_truncation),
        cmocka_unit_test(on_a_local_socket_an_unheard_end_loses_nothing),
        cmocka_unit_test(what_was_not_sent_goes_to_the_next_peer),
        cmocka_unit_test(a_peer_that_only_half_closed_is_waited_on),
        cmocka_unit_test(waiting_ends_our_sending_after_the_peers),
        cmocka_unit_test(closing_at_the_end_of_stdin_does_not_wait),
        cmocka_unit_test(what_came_before_sending_failed_is_delivered),
        cmocka_unit_test(a_peer_that_truncates_still_gets_what_is_ready),
        cmocka_unit_test(a_truncation_does_not_wait_for_stdin),
        cmocka_unit_test(the_peers_own_reason_is_the_one_reported),
        cmocka_unit_test(a_reset_delivers_what_came_before_it),
        cmocka_unit_test(a_full_disk_is_the_failure_reported),
        cmocka_unit_test(the_wait_follows_the_answer_not_the_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
