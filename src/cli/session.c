#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/save.h"
#include "cli/signals.h"
#include "cli/trace.h"
#include "io/fd_stream.h"
#include "io/pump.h"
#include "tls/ssl_socket.h"

enum {
    CLOSE_MS = 500,  /* for close_notify to leave, whatever the limits */
    OVER_MS = 50,    /* the same, once --max-time is over */
    LINGER_MS = 500, /* for the peer to read our alert before TCP goes */
    CHECK_EVERY = 64 /* steps that moved something between looks at a limit */
};

/* What one connection needs; static, since its buffers are large and a
 * process has one connection at a time. */
static struct fd_stream lower;
static struct ssl_socket sock;
static struct trace trace;
static struct pump pump;
static struct serve_link mode_link;
static char cipher[SSL_CIPHER_NAME_MAX];
static struct err unsaved; /* why the peer's certificates could not be kept */
static bool settled; /* the peer has had the time that session_settle gives */

void session_report_init(struct report *r, const char *command,
                         const char *target) {
    memset(r, 0, sizeof *r);
    r->command = command;
    r->target = target;
    r->resolve_us = r->connect_us = r->handshake_us = r->total_us = -1;
}

/* Wait for what a stream's answer asks for. */
static int wait_for(const struct session *s, int want,
                    const struct loop_limit *limit, const char *awaiting,
                    struct err *err) {
    struct pollfd p = { .fd = sock.stream.fd,
                        .events = want == STREAM_WANT_RD ? POLLIN : POLLOUT };
    return loop_wait(s->loop, &p, 1, limit, awaiting, err);
}

static int handshake(const struct session *s, int64_t started,
                     const struct output *out, struct report *r) {
    trace_begin(&trace, &s->options->trace, out, &sock);
    if (s->options->defer_handshake) {
        int ours = s->mode == NULL ? STDIN_FILENO : -1;
        struct pollfd fds[] = { { .fd = ours, .events = POLLIN },
                                { .fd = sock.stream.fd, .events = POLLIN } };
        struct loop_limit idle = loop_limit_start(s->options->idle_timeout);
        r->stage = STAGE_STREAM; /* it is the application that is waited for */
        if (loop_wait(s->loop, fds, 2, &idle, "the first byte", &r->err) != 0 ||
            tls_setup_clock(s->setup, s->options, &r->err) != 0) {
            return -1;
        }
        r->stage = STAGE_HANDSHAKE;
        started = loop_now_us();
    }
    struct loop_limit limit = loop_limit_start(s->options->handshake_timeout);
    int want;
    while ((want = ssl_socket_do_handshake(&sock, &r->err)) != 0) {
        if (want == STREAM_ERROR ||
            wait_for(s, want, &limit, ssl_socket_awaiting(&sock), &r->err) !=
                0) {
            return -1;
        }
    }
    r->handshake_us = loop_now_us() - started;
    return 0;
}

/* Wait for what the pump waits for, or until the mode's own end has something
 * to do. When that has both ended its sending and stopped reading, the pump
 * need not wait for the peer's end. */
static int wait_mode(const struct session *s, const struct loop_limit *limit,
                     const char *awaiting, struct err *err) {
    struct pollfd fds[PUMP_LANES + 1];
    struct err why = ERR_INIT;
    nfds_t n = pump_wait(&pump, fds);
    int64_t due = serve_link_due(&mode_link);
    bool sooner = due != 0 && (limit->ms == 0 || due < limit->at_ms);
    struct loop_limit until = *limit;
    if (sooner) {
        until = (struct loop_limit){ 1, due };
    }
    if (pump.up.done) {
        if (serve_link_deaf(&mode_link)) {
            pump.on_eof = PUMP_CLOSE;
            return 0;
        }
        n += serve_link_watch(&mode_link, fds + n);
    }
    if (loop_wait(s->loop, fds, n, &until, awaiting, &why) == 0 ||
        (sooner && why.origin == ERR_TIMEOUT)) {
        return 0;
    }
    return err_set(err, why.origin, why.code, "%s", why.msg);
}

static int wait_lanes(const struct session *s, const struct loop_limit *limit,
                      struct err *err) {
    static const char awaiting[] = "a byte from either side";
    struct pollfd fds[PUMP_LANES];
    if (s->mode != NULL) {
        return wait_mode(s, limit, awaiting, err);
    }
    return loop_wait(s->loop, fds, pump_wait(&pump, fds), limit, awaiting, err);
}

static int pipe_bytes(const struct session *s, struct report *r) {
    struct loop_limit limit = loop_limit_start(s->options->idle_timeout);
    unsigned moved = 0;
    for (;;) {
        switch (pump_step(&pump, &r->err)) {
        case PUMP_DONE:
            return 0;
        case PUMP_FAILED:
            return -1;
        case PUMP_MOVED:
            if (++moved % CHECK_EVERY == 0 &&
                loop_check(s->loop, &r->err) != 0) {
                return -1;
            }
            break;
        case PUMP_IDLE:
            if (moved != 0) {
                limit = loop_limit_start(s->options->idle_timeout);
                moved = 0;
            }
            if (wait_lanes(s, &limit, &r->err) != 0) {
                return -1;
            }
            break;
        }
    }
}

/* close_notify, for whoever still listens. A peer that does not is not told,
 * and that is no failure: its own end, or ours, is already known. */
static void say_goodbye(const struct session *s, const struct report *r) {
    struct err ignored = ERR_INIT;
    struct loop patient = *s->loop;
    /* --max-time is the end, whether the peer takes anything or not. */
    bool over = r->err.origin == ERR_MAX_TIME;
    struct loop_limit limit = loop_limit_start(over ? OVER_MS : CLOSE_MS);
    patient.wake_fd = -1;
    patient.signal = NULL;
    patient.max_time_ms = 0;
    int want;
    while ((want = ssl_socket_end(&sock, &ignored)) != 0) {
        struct pollfd p = { .fd = sock.stream.fd, .events = POLLOUT };
        if (want != STREAM_WANT_WR ||
            loop_wait(&patient, &p, 1, &limit, "", &ignored) != 0) {
            return;
        }
    }
}

/* Read some and drop it: in TLS while that works, for an alert that comes late
 * is still the peer's refusal; else from TCP. @return as a stream's read */
static ssize_t drop_some(struct report *r) {
    unsigned char unread[4096];
    struct err late = ERR_INIT;
    bool raw = r->err.origin != ERR_NONE || sock.close_notify_received;
    struct stream *from = raw ? &lower.stream : &sock.stream;
    ssize_t n = from->ops->read(from, unread, sizeof unread, &late);
    if (late.origin == ERR_ALERT) {
        r->err = late;
    }
    return n;
}

/* Closing with unread bytes resets the connection, and a reset can overtake
 * the alert or the data that we sent last: read until the peer closes. */
static void linger(struct report *r) {
    struct loop plain;
    struct err ignored = ERR_INIT;
    struct stream *wire = &lower.stream;
    struct pollfd p = { .fd = wire->fd, .events = POLLIN };
    loop_init(&plain, -1, NULL, LINGER_MS);
    ssize_t n = wire->ops->end(wire, &ignored) == 0 ? 1 : STREAM_ERROR;
    while (n != STREAM_EOF && n != STREAM_ERROR &&
           loop_check(&plain, &ignored) == 0) {
        n = drop_some(r);
        if (n < STREAM_ERROR &&
            loop_wait(&plain, &p, 1, NULL, "", &ignored) != 0) {
            return;
        }
    }
}

/* A terminal that is stopped (^S) blocks a write, whatever poll said. Opened
 * anew it can be non-blocking without the shell's being so. @return or -1 */
static int open_terminal(void) {
    char name[256];
    if (ttyname_r(STDOUT_FILENO, name, sizeof name) != 0) {
        return -1;
    }
    return open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Carry until both sides have ended, and say so to the peer. */
static void carry(const struct session *s, struct report *r) {
    int rc = pipe_bytes(s, r);
    if (rc != 0 && pump.down.err.origin == ERR_TRUNCATED) {
        r->err = pump.down.err; /* it came first */
    }
    /* A file of ours that failed half-way is not to look whole to the peer. */
    bool ours_failed =
        rc != 0 && (r->err.origin == ERR_OS ||
                    (s->mode != NULL && serve_link_failed(&mode_link)));
    if (!ours_failed) {
        say_goodbye(s, r);
    }
    r->bytes_out = pump.up.total;
    r->bytes_in = pump.down.total;
}

static void pipe_standard(const struct session *s, struct report *r) {
    struct fd_stream in, out;
    bool server = s->setup->args.server_side;
    const struct pump_config config = {
        .wire = &lower.stream,
        .on_eof = tls_on_eof(s->options, server),
        .stop_with_peer = isatty(STDIN_FILENO) != 0,
    };
    fd_stream_init_file(&in, STDIN_FILENO, "stdin");
    int terminal = open_terminal();
    fd_stream_init_file(&out, terminal >= 0 ? terminal : STDOUT_FILENO,
                        "stdout");
    out.close_at_end = !s->keep_stdout && terminal < 0;
    pump_reuse(&pump, &in.stream, &sock.stream, &out.stream, &config);
    carry(s, r);
    r->stdin_ended = pump.up.eof && !pump.up.cut;
    if (terminal >= 0) {
        close(terminal);
    }
}

/* The command of a mode, if there is one, is to end: when it has not by then,
 * or when we are to, it is ended. */
static void end_command(const struct session *s) {
    const struct loop *waiting = s->loop;
    struct loop patient;
    loop_init(&patient, -1, NULL, 0);
    child_leave(&mode_link.child, loop_now_ms());
    while (!child_over(&mode_link.child, loop_now_ms())) {
        struct err why = ERR_INIT;
        struct loop_limit look = loop_limit_start(CHILD_LOOK_MS);
        if (loop_wait(waiting, NULL, 0, &look, "the command", &why) != 0 &&
            why.origin != ERR_TIMEOUT) {
            child_hurry(&mode_link.child, loop_now_ms());
            waiting = &patient;
        }
    }
}

/* What one client left behind is nothing to the next. */
static void pipe_mode(const struct session *s, struct report *r) {
    const struct pump_config config = {
        .wire = &lower.stream,
        .on_eof =
            s->mode->options->http ? PUMP_CLOSE : tls_on_eof(s->options, false),
    };
    ssl_socket_diagnose(&sock, &r->err, &r->tls); /* for who is told of it */
    r->stdin_ended = true;                        /* it is not ours to read */
    if (serve_link_start(&mode_link, s->mode, r, &r->err) != 0) {
        return;
    }
    pump_init(&pump, mode_link.in, &sock.stream, mode_link.out, &config);
    carry(s, r);
    end_command(s);
    serve_link_end(&mode_link, r);
}

void session_pipe(const struct session *s, struct report *r) {
    if (s->mode != NULL) {
        pipe_mode(s, r);
    } else {
        pipe_standard(s, r);
    }
}

/* A store that could not be used is not the peer's fault. */
static void blame_store(const struct session *s, struct report *r) {
    const struct err *why = &s->setup->ctx.ca_err;
    if (r->err.origin == ERR_VERIFY && why->origin != ERR_NONE) {
        r->err = *why;
    }
}

int session_open(const struct session *s, int fd, const struct net_path *path,
                 const struct output *out, struct report *r) {
    fd_stream_init_socket(&lower, fd, "the peer");
    r->stage = STAGE_HANDSHAKE;
    r->peer = path->address;
    r->local = path->local;
    r->trust = s->setup->trust;
    struct ssl_wrap_args args = s->setup->args;
    args.server_hostname = s->server_hostname;
    args.do_handshake &= !s->options->trace.given; /* not before it is seen */
    int64_t started = loop_now_us();
    settled = false;
    bool clock = tls_setup_clock(s->setup, s->options, &r->err) == 0;
    /* In any case, so that there is something to free. */
    int rc =
        ssl_wrap_socket(&s->setup->ctx, &sock, &lower.stream, &args, &r->err);
    rc = rc != 0 || !clock ? -1 : handshake(s, started, out, r);
    session_warn_crl(&sock.verify, out);
    unsaved = (struct err)ERR_INIT;
    int saved = save_certificates(s->options, &sock, out, &unsaved);
    (void)saved; /* it is told when the connection is over */
    if (rc != 0) {
        return -1;
    }
    r->stage = STAGE_STREAM;
    ssl_socket_info(&sock, &r->tls, cipher);
    output_handshake(out, r);
    return 0;
}

/* What an end that we have announced may still bring: the peer's refusal of
 * our certificate, or a record that is none. Its own end is no failure. */
static ssize_t settle_some(struct report *r) {
    struct err late = ERR_INIT;
    unsigned char unread[4096];
    ssize_t n = ssl_socket_read(&sock, unread, sizeof unread, &late);
    if (late.origin == ERR_ALERT || late.origin == ERR_TLS) {
        r->err = late;
    }
    return n;
}

void session_settle(const struct session *s, int64_t ms, struct report *r) {
    struct loop_limit limit = loop_limit_start(ms);
    struct pollfd p = { .fd = sock.stream.fd };
    struct err why = ERR_INIT;
    say_goodbye(s, r);
    settled = true;
    ssize_t n = ms > 0 ? 1 : STREAM_EOF;
    while (n != STREAM_EOF && n != STREAM_ERROR && why.origin == ERR_NONE) {
        n = settle_some(r);
        p.events = n == STREAM_WANT_WR ? POLLOUT : POLLIN;
        if (n > 0 && loop_now_ms() >= limit.at_ms) {
            return;
        }
        int rc = n < STREAM_ERROR
                     ? loop_wait(s->loop, &p, 1, &limit, "the end", &why)
                     : loop_check(s->loop, &why);
        (void)rc; /* why says it */
    }
    /* The time is up as planned; a signal is none of that. */
    if (why.origin == ERR_SIGNAL || why.origin == ERR_OS) {
        err_set(&r->err, why.origin, why.code, "%s", why.msg);
    }
}

void session_close(const struct session *s, struct report *r) {
    blame_store(s, r);
    /* After a handshake that took too long nothing is on its way. */
    bool late = r->err.origin == ERR_MAX_TIME ||
                (r->err.origin == ERR_TIMEOUT && r->stage == STAGE_HANDSHAKE);
    bool heard = settled && r->err.origin == ERR_NONE;
    if (!heard && r->err.origin != ERR_NET && !late) {
        linger(r);
    }
    if (s->setup->keylog.failed && r->err.origin == ERR_NONE) {
        err_set(&r->err, ERR_OS, EIO, "the secrets could not be written to %s",
                s->setup->keylog.path);
    }
    if (unsaved.origin != ERR_NONE) {
        err_set(&r->err, unsaved.origin, unsaved.code, "%s", unsaved.msg);
    }
    ssl_socket_info(&sock, &r->tls, cipher);
    ssl_socket_diagnose(&sock, &r->err, &r->tls);
    if (s->cadata != NULL) {
        cadata_of_socket(s->cadata, &sock);
    }
    ssl_socket_free(&sock);
    close(lower.stream.fd);
    r->total_us = loop_now_us() - s->started_us;
}

void session_run(const struct session *s, int fd, const struct net_path *path,
                 const struct output *out, struct report *r) {
    if (session_open(s, fd, path, out, r) == 0) {
        session_pipe(s, r);
    }
    session_close(s, r);
}

void session_warn(struct tls_setup *setup, const struct tls_options *options,
                  const struct output *out) {
    enum { STEPS = 2, BYTES = 4 }; /* of Mbed TLS's debug levels */
    if (options->verbose > 1) {
        ssl_context_set_debug(&setup->ctx, options->verbose > 2 ? BYTES : STEPS,
                              trace_debug, out);
    }
    if (options->verbose > 2) {
        output_warning(out, "-vvv shows the secrets of the connection, too: "
                            "who reads it reads all");
    }
    if (setup->keylog.fd >= 0) {
        char line[256];
        snprintf(line, sizeof line,
                 "the secrets are appended to %s: who reads it reads all",
                 setup->keylog.path);
        output_warning(out, line);
    }
}

void session_warn_crl(const struct ssl_verify *v, const struct output *out) {
    if (v->called && v->ctx->have_crl && !v->crl_used) {
        output_warning(out, "--crl: no CRL is of a CA in the peer's path, so "
                            "that nothing was looked up");
    }
}

int session_end(const struct output *out, struct report *r) {
    bool broken = r->err.origin == ERR_OS && r->err.code == EPIPE;
    struct output to = *out;
    to.silent |= broken && signals_pipe_kills();
    int status = output_end(&to, r);
    if (broken) {
        signals_die_of_pipe();
    }
    return status;
}
