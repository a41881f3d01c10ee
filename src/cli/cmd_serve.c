#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "accel/accel.h"
#include "cli/access_log.h"
#include "cli/commands.h"
#include "cli/device.h"
#include "cli/fence.h"
#include "cli/handover.h"
#include "cli/jail.h"
#include "cli/reload.h"
#include "cli/self_signed.h"
#include "cli/serve_mode.h"
#include "cli/server.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/workers.h"
#include "io/notify.h"
#include "tls/ssl_own_key.h"

struct serve_options {
    struct tls_options tls;
    struct opt_optional self_signed;
    struct serve_mode_options mode;
    struct server_options limits;
    struct access_log_options log;
    struct jail_options jail;
    bool keep_open, inetd;
    unsigned ready_fd; /* 0: none */
};

static const struct opt serve_opts[] = {
    OPT_ROW_OPTIONAL(struct serve_options, self_signed, 0, "self-signed",
                     "NAMES",
                     "make a temporary certificate, and say how to trust it"),
    OPT_ROW_FLAG(struct serve_options, keep_open, 0, "keep-open",
                 "serve on until a signal comes: many clients at once with a "
                 "mode, one after the other without"),
    OPT_ROW_FLAG(struct serve_options, tls.tickets, 0, "tickets",
                 "give each client a ticket to resume its session with"),
    OPT_ROW_FLAG(struct serve_options, inetd, 0, "inetd",
                 "standard input is a client's connection: serve it"),
    OPT_ROW_UINT(struct serve_options, limits.workers, 0, "workers", "N", 1,
                 WORKERS_MAX,
                 "serve with so many processes, for more processors; one that "
                 "dies is started anew"),
    OPT_ROW_UINT(struct serve_options, ready_fd, 0, "ready-fd", "N", 1, 1023,
                 "write ADDR:PORT to this descriptor once a client can "
                 "connect, and close it"),
    OPT_END
};

static const struct opt_group serve_groups[] = {
    { "Server", serve_opts, 0 },
    { "Mode", serve_mode_opts, offsetof(struct serve_options, mode) },
    { "Limits", server_opts, offsetof(struct serve_options, limits) },
    { "Privileges", jail_opts, offsetof(struct serve_options, jail) },
    { "TLS", tls_opts, offsetof(struct serve_options, tls) },
    { "Trust", tls_trust_opts, offsetof(struct serve_options, tls) },
    { "Pipe", tls_pipe_opts, offsetof(struct serve_options, tls) },
    { "Time-outs", tls_time_opts, offsetof(struct serve_options, tls) },
    { "Output", tls_output_opts, offsetof(struct serve_options, tls) },
    { NULL, access_log_opts, offsetof(struct serve_options, log) },
    { NULL, tls_save_opts, offsetof(struct serve_options, tls) },
    { NULL, tls_expect_opts, offsetof(struct serve_options, tls) },
    { NULL, tls_wire_opts, offsetof(struct serve_options, tls) },
    { "Device", device_as_opts, offsetof(struct serve_options, tls) },
    { NULL, device_limit_opts, offsetof(struct serve_options, tls) },
    OPT_GROUPS_END
};

static const char *const examples[] = {
    "mptls serve --self-signed",
    "mptls serve --cert cert.pem --key key.pem",
    "mptls serve --cert cert.pem --key key.pem 127.0.0.1:0 </dev/null",
    "mptls serve --cert c.der --key k.der --verify required --cafile ca.pem",
    "mptls serve --cert cert.pem --key key.pem --keep-open --echo",
    NULL
};

static const char how_to_make[] =
    "for tests, --self-signed makes a pair for this run; to make one that "
    "stays: openssl req -x509 -nodes -newkey ec -pkeyopt "
    "ec_paramgen_curve:P-256 -subj /CN=localhost -addext "
    "subjectAltName=DNS:localhost,IP:127.0.0.1 -days 365 -keyout key.pem "
    "-out cert.pem";

/* A run of the server: what it is told, and what it makes of that. */
struct serve {
    struct serve_options o;
    struct output out;
    struct expect expect;
    struct ssl_self_signed made;
    struct net_target where;
    struct handover hand;
    struct jail jail;
    struct serve_mode mode;
    struct reload files;
    struct access_log log;
    struct loop loop;
    struct net_listener listener[WORKERS_MAX]; /* the first, without them */
    const char *operand;                       /* NULL: none was given */
    struct report report;
};

/* What is opened after the start. */
static int allow(const void *arg, struct landlock *l, struct err *err) {
    const struct serve *s = arg;
    if (fence_tls(l, &s->o.tls, &s->files.setup->store, err) != 0 ||
        fence_file(l, s->o.log.path, LANDLOCK_WRITE | LANDLOCK_MAKE, err) !=
            0 ||
        fence_listener(l, s->where.path, err) != 0 ||
        (s->mode.option == NULL && fence_terminal(l, err) != 0)) {
        return -1;
    }
    return fence_forward(l, &s->mode.target, err);
}

static size_t listeners(const struct serve *s) {
    return s->o.limits.workers > 0 ? s->o.limits.workers : 1;
}

static void close_listeners(struct serve *s) {
    for (size_t i = 0; i < listeners(s); i++) {
        net_listener_close(&s->listener[i]);
    }
}

/* On our own, or on what was handed over. */
static int listen_somewhere(struct serve *s, struct err *err) {
    if (s->hand.accepted >= 0) {
        return 0;
    }
    if (s->hand.n == 0) {
        return net_listen_at(&s->where, listeners(s), s->listener, err);
    }
    int rc = net_listen_adopt(s->hand.first, s->hand.n, &s->listener[0], err);
    for (size_t i = 1; rc == 0 && i < listeners(s); i++) {
        rc = net_listen_copy(&s->listener[0], &s->listener[i], err);
    }
    return rc;
}

/* From here on nothing but clients can go wrong. */
static int start(struct serve *s, struct err *err) {
    bool programs = s->mode.argv != NULL;
    const struct tls_setup *setup = s->files.setup;
    if (setup->ctx.quick && (setup->args.cert_reqs != SSL_CERT_NONE ||
                             ssl_own_key(&setup->ctx, "", SSL_KEY_EC))) {
        (void)accel_nettle_library(); /* cannot be found in a jail */
    }
    if (listen_somewhere(s, err) != 0 ||
        access_log_open(&s->log, &s->o.log, &s->out, err) != 0 ||
        jail_enter(&s->jail, programs ? NULL : allow, s, err) != 0) {
        return -1;
    }
    if (s->hand.accepted >= 0) {
        return 0;
    }
    if (server_tell(&s->listener[0], &s->out, s->o.ready_fd, err) != 0) {
        return -1;
    }
    notify_ready(s->hand.notify, s->listener[0].address[0]);
    return 0;
}

/* Is it the server that cannot go on, rather than this one client? */
static bool over(const struct report *r) {
    return r->stage == STAGE_LISTEN || r->err.origin == ERR_SIGNAL ||
           r->err.origin == ERR_MAX_TIME || r->err.origin == ERR_OS;
}

/* Wait for a client, and meanwhile for signals. */
static int await_client(struct serve *s, struct err *err) {
    struct pollfd fds[NET_LISTEN_MAX + 2];
    size_t n = s->listener[0].n;
    for (;;) {
        for (size_t i = 0; i < n; i++) {
            fds[i] =
                (struct pollfd){ .fd = s->listener[0].fd[i], .events = POLLIN };
        }
        fds[n] = (struct pollfd){ .fd = s->files.fd, .events = POLLIN };
        fds[n + 1] = (struct pollfd){ .fd = s->log.usr1_fd, .events = POLLIN };
        if (loop_wait(&s->loop, fds, n + 2, NULL, "a client", err) != 0) {
            return -1;
        }
        if (fds[n].revents == 0 && fds[n + 1].revents == 0) {
            return 0;
        }
        access_log_reopen(&s->log);
        if (fds[n].revents != 0 &&
            server_reload(&s->files, s->hand.notify, err) != 0) {
            return -1;
        }
    }
}

/* With stdin and stdout there can be one client at a time. */
static int serve_pipe(struct serve *s) {
    struct report *r = &s->report;
    for (;;) {
        struct net_path path;
        int fd = await_client(s, &r->err) == 0
                     ? net_accept(&s->loop, s->listener, NULL, &path, &r->err)
                     : -1;
        struct session session = { .options = &s->o.tls,
                                   .setup = s->files.setup,
                                   .loop = &s->loop,
                                   .keep_stdout = s->o.keep_open,
                                   .max_time = s->o.limits.conn_max_time };
        session.started_us = loop_now_us();
        if (fd >= 0) {
            session_run(&session, fd, &path, &s->out, r);
        }
        int status = session_end(&s->out, r);
        if (fd >= 0) {
            access_log_write(&s->log, r);
        }
        if (!s->o.keep_open || over(r)) {
            return status;
        }
        session_report_init(r, r->command, r->target);
        r->stage = STAGE_LISTEN;
    }
}

static int serve_mode(struct serve *s, unsigned i) {
    const struct server_config config = { .command = cmd_serve.name,
                                          .limits = &s->o.limits,
                                          .tls = &s->o.tls,
                                          .out = &s->out,
                                          .mode = &s->mode,
                                          .files = &s->files,
                                          .loop = &s->loop,
                                          .listener = &s->listener[i],
                                          .log = &s->log,
                                          .accepted = s->hand.accepted,
                                          .notify = s->hand.notify,
                                          .target = s->report.target,
                                          .once = !s->o.keep_open,
                                          .worker = s->o.limits.workers > 0 };
    return server_run(&config, &s->report);
}

/* What the parent does, workers say. */
static const struct output quiet = { .silent = true };

/* In a worker. */
static int work(void *arg, unsigned i) {
    struct serve *s = arg;
    struct report *r = &s->report;
    struct server_options *limits = &s->o.limits;
    const volatile sig_atomic_t *number;
    bool log = s->log.fd >= 0;
    s->hand.notify = -1; /* the parent tells */
    s->files.out = s->log.out = &s->out;
    if (signals_catch(&s->loop.wake_fd, &number, &r->err) != 0 ||
        signals_tell(SIGHUP, &s->files.fd, &r->err) != 0 ||
        (log && signals_tell(SIGUSR1, &s->log.usr1_fd, &r->err) != 0) ||
        ssl_context_forked(&r->err) != 0) {
        return session_end(&s->out, r);
    }
    if (limits->max_conns > 0) { /* its share; the first take what is over */
        unsigned over = limits->max_conns % limits->workers;
        limits->max_conns =
            limits->max_conns / limits->workers + (i < over ? 1 : 0);
    }
    for (unsigned k = 0; k < limits->workers; k++) {
        if (k != i) {
            net_listener_close(&s->listener[k]);
        }
    }
    int status = serve_mode(s, i);
    access_log_close(&s->log);
    return status;
}

/* In their parent: what those started later are to have. */
static int refresh(void *arg, int number, struct err *err) {
    struct serve *s = arg;
    if (number == SIGHUP) {
        return server_reload(&s->files, s->hand.notify, err);
    }
    access_log_reopen(&s->log);
    return 0;
}

static void closing(void *arg) {
    const struct serve *s = arg;
    notify_send(s->hand.notify, "STOPPING=1");
    close_listeners(arg);
}

static int serve_workers(struct serve *s) {
    const struct workers config = { .n = s->o.limits.workers,
                                    .out = &s->out,
                                    .loop = &s->loop,
                                    .hup_fd = s->files.fd,
                                    .usr1_fd = s->log.usr1_fd,
                                    .drain_ms = s->o.limits.drain_timeout,
                                    .work = work,
                                    .refresh = refresh,
                                    .closing = closing,
                                    .arg = s };
    s->files.out = s->log.out = &quiet;
    int status = workers_run(&config, &s->report.err);
    return status >= 0 ? status : session_end(&s->out, &s->report);
}

static int serve(struct serve *s) {
    if (s->mode.option == NULL) {
        return serve_pipe(s);
    }
    return s->o.limits.workers > 0 ? serve_workers(s) : serve_mode(s, 0);
}

static int check_many(const struct serve *s, struct err *err) {
    const struct server_options *limits = &s->o.limits;
    bool many = s->mode.option != NULL && s->o.keep_open;
    const char *option = limits->workers > 0     ? "--workers"
                         : limits->max_conns > 0 ? "--max-conns"
                                                 : NULL;
    if (!many && option != NULL) {
        return err_set(err, ERR_USAGE, 0,
                       "%s needs a mode, as --echo, and --keep-open", option);
    }
    if (limits->max_conns > 0 && limits->max_conns < limits->workers) {
        return err_set(err, ERR_USAGE, 0,
                       "--max-conns %u is not enough for --workers %u",
                       limits->max_conns, limits->workers);
    }
    return 0;
}

/* What is there instead of an address. */
static int check_handover(const struct serve *s, struct err *err) {
    const char *what = s->o.inetd              ? "--inetd"
                       : s->hand.accepted >= 0 ? "a connection of LISTEN_FDS"
                                               : "LISTEN_FDS";
    bool one = s->hand.accepted >= 0;
    if (!one && s->hand.n == 0) {
        return 0;
    }
    const char *other = s->operand != NULL          ? s->operand
                        : one && s->o.keep_open     ? "--keep-open"
                        : one && s->o.ready_fd != 0 ? "--ready-fd"
                                                    : NULL;
    if (other != NULL) {
        return err_set(err, ERR_USAGE, 0, "%s and %s are one or the other",
                       what, other);
    }
    if (one && s->mode.option == NULL) {
        return err_set(err, ERR_USAGE, 0,
                       "%s wants a mode, as --exec: there is no standard input "
                       "and output to pipe",
                       what);
    }
    return 0;
}

static int run(struct serve *s) {
    struct report *r = &s->report;
    int wake_fd;
    const volatile sig_atomic_t *number;
    if (serve_mode_init(&s->mode, &s->o.mode, &s->out, &r->err) != 0 ||
        check_many(s, &r->err) != 0 || check_handover(s, &r->err) != 0 ||
        reload_init(&s->files, &s->o.tls, &s->out, s->o.keep_open, &r->err) !=
            0 ||
        signals_catch(&wake_fd, &number, &r->err) != 0 ||
        (s->o.tls.self_signed != NULL &&
         self_signed_tell(&s->made, &s->out, &r->err) != 0)) {
        return session_end(&s->out, r);
    }
    tls_options_forget(&s->o.tls); /* SIGHUP has them from the setup */
    loop_init(&s->loop, wake_fd, number, s->o.tls.max_time);
    r->stage = STAGE_LISTEN;
    r->tls.server_side = true;
    r->tls.verify_mode = s->files.setup->args.cert_reqs;
    return start(s, &r->err) == 0 ? serve(s) : session_end(&s->out, r);
}

/* Which certificate is it to be? */
static int choose(struct serve *s, bool *none, struct err *err) {
    struct serve_options *o = &s->o;
    bool given = o->tls.certs.n > 0 || o->tls.keys.n > 0;
    if (!o->self_signed.given) {
        *none = !given;
        return given
                   ? 0
                   : err_set(err, ERR_USAGE, 0, "serve wants --cert and --key");
    }
    if (given) {
        return err_set(err, ERR_USAGE, 0,
                       "--self-signed and %s are one or the other",
                       o->tls.certs.n > 0 ? "--cert" : "--key");
    }
    o->tls.self_signed = &s->made;
    return self_signed_make(o->self_signed.value, &s->made, err);
}

static int serve_run(int argc, char **argv) {
    static struct serve s; /* initialised here it would be in the file */
    s.o = (struct serve_options){ .tls = TLS_OPTIONS_INIT,
                                  .mode = SERVE_MODE_OPTIONS_INIT,
                                  .limits = SERVER_OPTIONS_INIT,
                                  .log = ACCESS_LOG_OPTIONS_INIT };
    s.hand.accepted = s.hand.notify = s.log.fd = s.log.usr1_fd = -1;
    struct err *err = &s.report.err;
    const char *operand = "4433"; /* openssl s_server's, too */
    size_t n = 0;
    int status = 0;
    session_report_init(&s.report, cmd_serve.name, NULL);
    if (command_parse(&cmd_serve, &s.o, argc, argv, &operand, &n, 1, &status,
                      err) == OPT_HELP) {
        return status;
    }
    s.report.target = operand;
    s.operand = n > 0 ? operand : NULL;
    bool ready =
        err->origin == ERR_NONE && server_check_ready(s.o.ready_fd, err) == 0;
    if (s.o.inetd || ready) { /* before a word is said */
        struct err own = ERR_INIT;
        if (handover_take(&s.hand, s.o.inetd, &own) != 0) {
            err_set(err, own.origin, own.code, "%s", own.msg);
        }
    }
    bool no_cert = false;
    int opened = output_open(&s.out, s.o.tls.verbose, &s.o.tls.json, err);
    s.out.expect = &s.expect;
    int device = device_read(&s.o.tls, &s.out, err);
    if (s.o.tls.verbose > 0 && s.hand.unheard.origin != ERR_NONE) {
        output_warning(&s.out, s.hand.unheard.msg);
    }
    if (s.o.limits.workers > 0) {
        output_share(&s.out);
    }
    if (opened == 0 && device == 0 &&
        expect_read(&s.expect, &s.o.tls.expects, err) == 0 &&
        err->origin == ERR_NONE && jail_prepare(&s.jail, &s.o.jail, err) == 0 &&
        tls_options_hide(&s.o.tls, err) == 0 &&
        choose(&s, &no_cert, err) == 0 &&
        net_parse_listen(operand, &s.where, err) == 0) {
        status = run(&s);
    } else {
        status = session_end(&s.out, &s.report);
    }
    if (no_cert) {
        output_warning(&s.out, how_to_make);
    }
    notify_send(s.hand.notify, "STOPPING=1");
    handover_close(&s.hand);
    close_listeners(&s);
    access_log_close(&s.log);
    serve_mode_free(&s.mode);
    reload_free(&s.files);
    ssl_context_end();
    ssl_self_signed_wipe(&s.made);
    tls_options_forget(&s.o.tls);
    device_free(&s.o.tls.device);
    jail_free(&s.jail);
    output_close(&s.out);
    return status;
}

const struct command cmd_serve = {
    .name = "serve",
    .operand = "[[ADDR:]PORT | unix:PATH]",
    .summary =
        "accept a TLS client: pipe stdin and stdout, or a mode (default: port "
        "4433)",
    .examples = examples,
    .groups = serve_groups,
    .run = serve_run,
};
