#include "cli/conn.h"

#include <errno.h>
#include <string.h>

#include "cli/save.h"
#include "cli/session.h"
#include "io/net.h"

enum {
    CLOSE_MS = 500,  /* for close_notify to leave, whatever the limits */
    OVER_MS = 50,    /* the same, once --max-time is over */
    LINGER_MS = 500, /* for the peer to read our alert before TCP goes */
    REST_MS = 20,    /* without a byte, before the buffers are given up */
    STEPS_MAX = 16   /* that move something, before others have their turn */
};

static const char first_byte[] = "the first byte";
static const char any_byte[] = "a byte from either side";
static const char command[] = "the command";
static const char the_end[] = "the end";

static void enter(struct conn *c, enum conn_state state, int64_t limit_ms) {
    c->state = state;
    c->limit = loop_limit_start(limit_ms);
}

/* After both close_notify nothing more is waited for, if the peer has all of
 * our data, and has sent nothing behind its own. */
static bool can_close(const struct conn *c) {
    enum { CLOSE_NOTIFY_MAX = 128 };
    bool both = c->err.origin == ERR_NONE && c->sock.close_notify_sent &&
                c->sock.close_notify_received;
    bool sent = c->pump != NULL && c->pump->up.total > 0;
    return both && !c->config->handed_over && !c->lower->held &&
           net_can_close(c->lower->fd, sent ? CLOSE_NOTIFY_MAX : SIZE_MAX);
}

/* The last state: TCP goes, once the peer has read what we sent. Closing with
 * unread bytes resets the connection, and a reset can overtake the alert or
 * the data that we sent last. */
static void begin_linger(struct conn *c) {
    struct err ignored = ERR_INIT;
    if (c->link != NULL) {
        serve_link_end(c->link);
    }
    /* After a handshake that took too long nothing is on its way. */
    bool late = c->err.origin == ERR_MAX_TIME ||
                (c->err.origin == ERR_TIMEOUT && c->stage == STAGE_HANDSHAKE);
    bool gone = late || c->err.origin == ERR_NET || can_close(c) ||
                c->lower->ops->end(c->lower, &ignored) != 0;
    c->sock.corked = c->owes_ack = false; /* all leaves with the end */
    enter(c, gone ? CONN_OVER : CONN_LINGER, LINGER_MS);
}

void conn_init(struct conn *c, const struct conn_config *config,
               struct tls_setup *setup, struct stream *lower, const char *peer,
               int64_t since) {
    const struct tls_options *o = config->options;
    struct ssl_wrap_args args = setup->args;
    *c = (struct conn){ .config = config,
                        .setup = setup,
                        .lower = lower,
                        .stage = STAGE_HANDSHAKE,
                        .started_us = since,
                        .shaking_us = loop_now_us(),
                        .handshake_us = -1,
                        .settle_ms = -1,
                        .all = loop_limit_start(config->max_time) };
    if (o->ktls) {
        ktls_init(&c->ktls, lower);
        c->lower = &c->ktls.records.stream;
    }
    args.server_hostname = config->server_hostname;
    args.do_handshake = false; /* conn_step() does that */
    bool clock = tls_setup_clock(setup, o, &c->err) == 0;
    /* In any case, so that there is something to free. */
    int rc = ssl_wrap_socket(&setup->ctx, &c->sock, c->lower, &args, &c->err);
    if (rc == 0 && o->ktls) {
        rc = ssl_socket_offload(&c->sock, &c->ktls.records, &c->err);
    }
    if (rc != 0 || !clock) {
        begin_linger(c);
        return;
    }
    c->trace = (struct trace){
        .out = config->out,
        .sock = &c->sock,
        .peer = peer,
        .many = config->many,
        .stood_us = args.server_side ? since : c->shaking_us,
        .mark_us = c->shaking_us,
    };
    trace_begin(&c->trace, o);
    if (o->defer_handshake) {
        c->stage = STAGE_STREAM; /* it is the application that is waited for */
        enter(c, CONN_DEFERRED, o->idle_timeout);
    } else {
        enter(c, CONN_HANDSHAKE, o->handshake_timeout);
    }
}

/* A store that could not be used is not the peer's fault. */
static void blame_store(struct conn *c) {
    const struct err *why = &c->setup->ctx.ca_err;
    if (c->err.origin == ERR_VERIFY && why->origin != ERR_NONE) {
        c->err = *why;
    }
}

/* Whatever came of the handshake. */
static void keep_certificates(struct conn *c) {
    session_warn_crl(&c->sock.verify, c->config->out);
    int saved = save_certificates(c->config->options, &c->sock, c->config->out,
                                  &c->unsaved);
    (void)saved; /* it is told when the connection is over */
}

static void handshake_failed(struct conn *c) {
    trace_shaken(&c->trace, false);
    blame_store(c);
    keep_certificates(c);
    begin_linger(c);
}

static enum conn_result step_deferred(struct conn *c) {
    struct pollfd fds[] = { { .fd = c->config->local_fd, .events = POLLIN },
                            { .fd = c->lower->fd, .events = POLLIN } };
    if (poll(fds, 2, 0) == 0) {
        if (loop_limit_check(&c->limit, first_byte, &c->err) == 0) {
            return CONN_WAITS;
        }
        handshake_failed(c);
    } else if (tls_setup_clock(c->setup, c->config->options, &c->err) != 0) {
        handshake_failed(c);
    } else {
        c->stage = STAGE_HANDSHAKE;
        c->shaking_us = loop_now_us();
        enter(c, CONN_HANDSHAKE, c->config->options->handshake_timeout);
    }
    return CONN_BUSY;
}

/* A server's last flight may leave with what comes after it. */
static int shake(struct conn *c) {
    uint64_t sent = c->sock.wire_out;
    bool server = c->setup->args.server_side;
    c->sock.stream.more = server;
    int want = ssl_socket_do_handshake(&c->sock, &c->err);
    c->sock.stream.more = false;
    c->owes_ack = server && want == 0 && c->sock.wire_out == sent;
    return want;
}

/* Nothing follows for now: what was kept back for that leaves. */
static void pay(struct conn *c) {
    if (c->sock.corked) {
        net_push(c->lower->fd);
    } else if (c->owes_ack) {
        net_ack_now(c->lower->fd);
    }
    c->sock.corked = c->owes_ack = false;
}

/* Among many, whoever waits for long has no buffers; not at once, for the next
 * flight is on its way as a rule. */
static void rest(struct conn *c) {
    uint64_t seen = c->sock.wire_in + c->sock.wire_out;
    int64_t now = loop_now_ms();
    if (!c->config->many || !c->sock.handshake_done) {
        return;
    }
    if (seen != c->seen) {
        c->seen = seen;
        c->rest_at_ms = now + REST_MS;
    } else if (c->rest_at_ms != 0 && now >= c->rest_at_ms) {
        ssl_socket_rest(&c->sock);
        c->rest_at_ms = 0;
    }
}

static enum conn_result step_handshake(struct conn *c) {
    c->want = shake(c);
    if (c->want == STREAM_WANT_RD || c->want == STREAM_WANT_WR) {
        if (loop_limit_check(&c->limit, ssl_socket_awaiting(&c->sock),
                             &c->err) == 0) {
            return CONN_WAITS;
        }
        c->want = STREAM_ERROR;
    }
    if (c->want == STREAM_ERROR) {
        handshake_failed(c);
        return CONN_BUSY;
    }
    c->handshake_us = loop_now_us() - c->shaking_us;
    c->stage = STAGE_STREAM;
    trace_shaken(&c->trace, true);
    keep_certificates(c);
    enter(c, CONN_READY, 0);
    return CONN_BUSY;
}

void conn_carry(struct conn *c, struct pump *pump, struct serve_link *link) {
    c->pump = pump;
    c->link = link;
    enter(c, CONN_STREAM, c->config->options->idle_timeout);
}

/* close_notify, for whoever still listens. A peer that does not is not told,
 * and that is no failure: its own end, or ours, is already known. */
static void begin_goodbye(struct conn *c) {
    /* --max-time is the end, whether the peer takes anything or not. */
    bool over = c->err.origin == ERR_MAX_TIME;
    enter(c, CONN_GOODBYE, over ? OVER_MS : CLOSE_MS);
}

void conn_settle(struct conn *c, int64_t ms) {
    c->settle_ms = ms;
    begin_goodbye(c);
}

static void begin_command(struct conn *c) {
    if (c->link == NULL || !c->link->exec) {
        begin_linger(c);
        return;
    }
    child_leave(&c->link->child, loop_now_ms());
    enter(c, CONN_COMMAND, 0);
}

static void stream_over(struct conn *c) {
    bool failed = c->err.origin != ERR_NONE;
    if (failed && c->pump->down.err.origin == ERR_TRUNCATED) {
        c->err = c->pump->down.err; /* it came first */
    }
    /* A file of ours that failed half-way is not to look whole to the peer, nor
     * is a device that gave up. */
    if (failed && (c->err.origin == ERR_OS || c->err.origin == ERR_DEVICE ||
                   (c->link != NULL && serve_link_failed(c->link)))) {
        begin_command(c);
    } else {
        begin_goodbye(c);
    }
}

/* When the mode's end has both ended its sending and stopped reading, there is
 * no need to wait for the peer's end. */
static bool turned_deaf(struct conn *c) {
    if (c->link == NULL || !c->pump->up.done || c->pump->on_eof == PUMP_CLOSE ||
        !serve_link_deaf(c->link)) {
        return false;
    }
    c->pump->on_eof = PUMP_CLOSE;
    return true;
}

static enum conn_result step_stream(struct conn *c) {
    for (int i = 0; i < STEPS_MAX; i++) {
        switch (pump_step(c->pump, &c->err)) {
        case PUMP_MOVED:
            c->moved = true;
            break;
        case PUMP_IDLE:
            if (c->moved) {
                c->limit = loop_limit_start(c->config->options->idle_timeout);
                c->moved = false;
            }
            if (turned_deaf(c)) {
                break;
            }
            if (loop_limit_check(&c->limit, any_byte, &c->err) == 0) {
                return CONN_WAITS;
            }
            stream_over(c);
            return CONN_BUSY;
        case PUMP_DONE:
        case PUMP_FAILED:
            stream_over(c);
            return CONN_BUSY;
        }
    }
    return CONN_BUSY;
}

static enum conn_result step_goodbye(struct conn *c) {
    struct err ignored = ERR_INIT;
    int want = ssl_socket_end(&c->sock, &ignored);
    if (want == STREAM_WANT_WR &&
        loop_limit_check(&c->limit, the_end, &ignored) == 0) {
        return CONN_WAITS;
    }
    if (c->settle_ms > 0) {
        enter(c, CONN_SETTLE, c->settle_ms);
    } else if (c->settle_ms == 0) {
        enter(c, CONN_OVER, 0);
    } else {
        begin_command(c);
    }
    return CONN_BUSY;
}

static enum conn_result step_command(struct conn *c) {
    if (!child_over(&c->link->child, loop_now_ms())) {
        c->limit = loop_limit_start(CHILD_LOOK_MS);
        return CONN_WAITS;
    }
    begin_linger(c);
    return CONN_BUSY;
}

/* OpenSSL 3 answers an end without close_notify, as a board's is, by
 * decode_error; the board is gone by then. */
static bool about_our_end(const struct conn *c, const struct err *late) {
    enum { DECODE_ERROR = 50 };
    return c->setup->ctx.no_close_notify && late->origin == ERR_ALERT &&
           late->code == DECODE_ERROR;
}

/* What an end that we have announced may still bring: the peer's refusal of
 * our certificate, or a record that is none. Its own end is no failure. */
static enum conn_result step_settle(struct conn *c) {
    struct err late = ERR_INIT, up = ERR_INIT;
    unsigned char unread[4096];
    ssize_t n = ssl_socket_read(&c->sock, unread, sizeof unread, &late);
    if ((late.origin == ERR_ALERT || late.origin == ERR_TLS) &&
        !about_our_end(c, &late)) {
        c->err = late;
        begin_linger(c);
        return CONN_BUSY;
    }
    if (n == STREAM_EOF || n == STREAM_ERROR ||
        loop_limit_check(&c->limit, the_end, &up) != 0) {
        enter(c, CONN_OVER, 0);
        return CONN_BUSY;
    }
    c->want = n > 0 ? 0 : (int)n;
    return n > 0 ? CONN_BUSY : CONN_WAITS;
}

/* Read some and drop it: in TLS while that works, for an alert that comes late
 * is still the peer's refusal; else from TCP. */
static enum conn_result step_linger(struct conn *c) {
    unsigned char unread[4096];
    struct err late = ERR_INIT, up = ERR_INIT;
    bool raw = c->err.origin != ERR_NONE || c->sock.close_notify_received;
    struct stream *from = raw ? c->lower : &c->sock.stream;
    ssize_t n = from->ops->read(from, unread, sizeof unread, &late);
    if (late.origin == ERR_ALERT && !about_our_end(c, &late)) {
        c->err = late;
    }
    if (n == STREAM_EOF || n == STREAM_ERROR ||
        loop_limit_check(&c->limit, the_end, &up) != 0) {
        enter(c, CONN_OVER, 0);
        return CONN_BUSY;
    }
    return n > 0 ? CONN_BUSY : CONN_WAITS;
}

static enum conn_result step(struct conn *c) {
    switch (c->state) {
    case CONN_DEFERRED:
        return step_deferred(c);
    case CONN_HANDSHAKE:
        return step_handshake(c);
    case CONN_READY:
        return CONN_SHAKEN;
    case CONN_STREAM:
        return step_stream(c);
    case CONN_GOODBYE:
        return step_goodbye(c);
    case CONN_COMMAND:
        return step_command(c);
    case CONN_SETTLE:
        return step_settle(c);
    case CONN_LINGER:
        return step_linger(c);
    case CONN_OVER:
        break;
    }
    return CONN_ENDED;
}

static const char *awaiting_of(const struct conn *c) {
    switch (c->state) {
    case CONN_DEFERRED:
        return first_byte;
    case CONN_HANDSHAKE:
        return ssl_socket_awaiting(&c->sock);
    case CONN_STREAM:
        return any_byte;
    case CONN_COMMAND:
        return command;
    default:
        return the_end;
    }
}

/* As far as that is possible, and not for too long. */
static enum conn_result step_on(struct conn *c) {
    if (c->all.ms > 0 && c->state < CONN_GOODBYE &&
        loop_now_ms() >= c->all.at_ms) {
        char words[LOOP_DURATION_MAX];
        struct err why = ERR_INIT;
        err_set(&why, ERR_MAX_TIME, c->all.ms,
                "the %s for a connection are over: still waiting for %s",
                loop_duration(c->all.ms, words), awaiting_of(c));
        conn_stop(c, &why);
    }
    for (;;) {
        enum conn_state was = c->state;
        enum conn_result r = step(c);
        if (r != CONN_BUSY || c->state == was) {
            if (r == CONN_WAITS) {
                pay(c);
                rest(c);
            }
            return r;
        }
    }
}

enum conn_result conn_step(struct conn *c) {
    trace_turn(&c->trace, true);
    enum conn_result r = step_on(c);
    trace_turn(&c->trace, false);
    return r;
}

nfds_t conn_wait(const struct conn *c, struct pollfd *fds, int64_t *due_ms,
                 const char **awaiting) {
    nfds_t n = 0;
    *awaiting = awaiting_of(c);
    *due_ms = 0;
    loop_sooner(due_ms, c->limit.at_ms);
    loop_sooner(due_ms, c->rest_at_ms);
    if (c->state < CONN_GOODBYE) {
        loop_sooner(due_ms, c->all.at_ms);
    }
    if (c->state == CONN_COMMAND) {
        return 0;
    }
    if (c->state == CONN_STREAM) {
        n = pump_wait(c->pump, fds);
        if (c->link != NULL) {
            loop_sooner(due_ms, serve_link_due(c->link));
            n += c->pump->up.done ? serve_link_watch(c->link, fds + n) : 0;
        }
        return n;
    }
    if (c->state == CONN_DEFERRED && c->config->local_fd >= 0) {
        fds[n++] =
            (struct pollfd){ .fd = c->config->local_fd, .events = POLLIN };
    }
    bool write = c->state == CONN_GOODBYE ||
                 ((c->state == CONN_HANDSHAKE || c->state == CONN_SETTLE) &&
                  c->want == STREAM_WANT_WR);
    fds[n++] = (struct pollfd){ .fd = c->lower->fd,
                                .events = write ? POLLOUT : POLLIN };
    return n;
}

bool conn_stoppable(const struct conn *c) {
    return c->state < CONN_GOODBYE || c->state == CONN_SETTLE ||
           (c->state == CONN_COMMAND && !c->hurried);
}

void conn_fail(struct conn *c, const struct err *why) {
    if (c->err.origin == ERR_NONE) {
        c->err = *why;
    }
    begin_linger(c);
}

void conn_stop(struct conn *c, const struct err *why) {
    if (c->state == CONN_COMMAND) {
        child_hurry(&c->link->child, loop_now_ms());
        c->hurried = true;
        return;
    }
    if (!conn_stoppable(c)) {
        return;
    }
    if (c->state == CONN_SETTLE) {
        /* The time is up as planned; a signal is none of that. */
        if (why->origin == ERR_MAX_TIME) {
            enter(c, CONN_OVER, 0);
        } else {
            conn_fail(c, why);
        }
        return;
    }
    c->err = *why;
    if (c->state == CONN_STREAM) {
        stream_over(c);
    } else if (c->state == CONN_READY) {
        begin_goodbye(c);
    } else {
        handshake_failed(c);
    }
}

/* What went wrong beside the connection counts if nothing else did. */
static void report_files(const struct conn *c, struct report *r) {
    if (c->setup->keylog.failed && r->err.origin == ERR_NONE) {
        err_set(&r->err, ERR_OS, EIO, "the secrets could not be written to %s",
                c->setup->keylog.path);
    }
    if (c->unsaved.origin != ERR_NONE) {
        err_set(&r->err, c->unsaved.origin, c->unsaved.code, "%s",
                c->unsaved.msg);
    }
}

bool conn_went_well(const struct conn *c) {
    return c->err.origin == ERR_NONE && c->unsaved.origin == ERR_NONE &&
           !c->setup->keylog.failed && (c->link == NULL || !c->link->exec);
}

/* A mode may be the one who is. */
static bool somebody_is_told(const struct conn *c) {
    return c->link != NULL || !conn_went_well(c) ||
           output_tells_all(c->config->out);
}

void conn_report(struct conn *c, struct report *r) {
    r->err = c->err;
    r->stage = c->stage;
    r->trust = c->setup->trust;
    r->handshake_us = c->handshake_us;
    r->total_us = loop_now_us() - c->started_us;
    if (c->pump != NULL) {
        r->bytes_out = c->pump->up.total;
        r->bytes_in = c->pump->down.total;
        r->stdin_ended = c->pump->up.eof && !c->pump->up.cut;
    }
    if (c->link != NULL) {
        serve_link_report(c->link, r);
    }
    report_files(c, r);
    if (somebody_is_told(c)) {
        ssl_socket_info(&c->sock, &r->tls, c->cipher);
    } else if (c->config->out->line) {
        ssl_socket_summary(&c->sock, &r->tls, c->cipher);
    }
}

void conn_diagnose(struct conn *c, struct report *r) {
    if (r->err.origin != ERR_NONE || output_tells_all(c->config->out)) {
        ssl_socket_diagnose(&c->sock, &r->err, &r->tls);
    }
}

void conn_free(struct conn *c) {
    if (c->link != NULL) {
        serve_link_end(c->link);
    }
    ssl_socket_free(&c->sock);
    trace_free(&c->trace);
}
