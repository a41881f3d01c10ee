#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "accel/accel.h"
#include "cli/conn.h"
#include "cli/signals.h"
#include "io/fd_stream.h"

/* What one connection needs; static, since a process has one at a time, and
 * what a pump has read of stdin goes to the next. */
static struct fd_stream lower;
static struct conn conn;
static struct conn_config config;
static struct pump pump;

/* No signature comes after a client's handshake. A run that is over at once
 * need not spend the time to give the library back. */
enum { RELEASE_MS = 200 };
static int64_t release_at; /* 0: it stays */

void session_report_init(struct report *r, const char *command,
                         const char *target) {
    memset(r, 0, offsetof(struct report, tls));
    ssl_info_clear(&r->tls);
    r->command = command;
    r->target = target;
    r->resolve_us = r->connect_us = r->handshake_us = r->total_us = -1;
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

/* @param due  when to wake for it, too */
static void release(int64_t *due) {
    if (release_at != 0 && loop_now_ms() >= release_at) {
        accel_nettle_release();
        release_at = 0;
    }
    loop_sooner(due, release_at);
}

/* Step until the handshake is done, or all of it is over. */
static void drive(const struct session *s) {
    struct loop patient;
    loop_init(&patient, -1, NULL, 0);
    for (;;) {
        bool hears = conn_stoppable(&conn);
        const struct loop *l = hears ? s->loop : &patient;
        struct err why = ERR_INIT;
        enum conn_result result = conn_step(&conn);
        if (result == CONN_SHAKEN || result == CONN_ENDED) {
            return;
        }
        struct pollfd fds[CONN_FDS_MAX];
        const char *awaiting;
        int64_t due;
        nfds_t n = conn_wait(&conn, fds, &due, &awaiting);
        release(&due);
        const struct loop_limit until = { due != 0, due };
        int rc = result == CONN_BUSY
                     ? loop_check(l, awaiting, &why)
                     : loop_wait(l, fds, n, &until, awaiting, &why);
        if (rc != 0 && why.origin != ERR_TIMEOUT) {
            conn_stop(&conn, &why);
        }
    }
}

static void pipe_standard(const struct session *s) {
    struct fd_stream in, out;
    bool server = s->setup->args.server_side;
    const struct pump_config how = {
        .wire = conn.lower,
        .on_eof = tls_on_eof(s->options, server),
        .stop_with_peer = isatty(STDIN_FILENO) != 0,
    };
    fd_stream_init_file(&in, STDIN_FILENO, "stdin");
    int terminal = open_terminal();
    int own = terminal >= 0 ? terminal : fd_stream_open_pipe(STDOUT_FILENO);
    fd_stream_init_file(&out, own >= 0 ? own : STDOUT_FILENO, "stdout");
    out.close_at_end = !s->keep_stdout && terminal < 0;
    out.twin = own >= 0 ? STDOUT_FILENO : -1;
    pump_reuse(&pump, &in.stream, &conn.sock.stream, &out.stream, &how);
    conn_carry(&conn, &pump, NULL);
    drive(s);
    if (own >= 0) {
        close(own);
    }
}

void session_pipe(const struct session *s, struct report *r) {
    release_at = s->setup->args.server_side ? 0 : loop_now_ms() + RELEASE_MS;
    pipe_standard(s);
    release_at = 0;
    conn_report(&conn, r);
}

int session_open(const struct session *s, int fd, const struct net_path *path,
                 const struct output *out, struct report *r) {
    fd_stream_init_socket(&lower, fd, "the peer");
    r->peer = path->address;
    r->local = path->local;
    config = (struct conn_config){ .options = s->options,
                                   .out = out,
                                   .server_hostname = s->server_hostname,
                                   .local_fd = STDIN_FILENO,
                                   .max_time = s->max_time };
    conn_init(&conn, &config, s->setup, &lower.stream, path->address,
              s->started_us);
    drive(s);
    conn_report(&conn, r);
    if (conn.state != CONN_READY) {
        return -1;
    }
    output_handshake(out, r);
    return 0;
}

void session_settle(const struct session *s, int64_t ms, struct report *r) {
    conn_settle(&conn, ms);
    drive(s);
    conn_report(&conn, r);
}

void session_close(const struct session *s, struct report *r) {
    conn_report(&conn, r);
    conn_diagnose(&conn, r);
    if (s->cadata != NULL) {
        cadata_of_socket(s->cadata, &conn.sock);
    }
    conn_free(&conn);
    close(lower.stream.fd);
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
    setup->ctx.quick = !output_tells_all(out) && !options->trace.given;
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
