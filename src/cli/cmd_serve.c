#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/fence.h"
#include "cli/jail.h"
#include "cli/reload.h"
#include "cli/self_signed.h"
#include "cli/serve_mode.h"
#include "cli/server.h"
#include "cli/session.h"
#include "cli/signals.h"

struct serve_options {
    struct tls_options tls;
    struct opt_optional self_signed;
    struct serve_mode_options mode;
    struct server_options limits;
    struct jail_options jail;
    bool keep_open;
    unsigned ready_fd; /* 0: none */
};

static const struct opt serve_opts[] = {
    OPT_ROW_OPTIONAL(struct serve_options, self_signed, 0, "self-signed",
                     "NAMES",
                     "make a temporary certificate, and say how to trust it"),
    OPT_ROW_FLAG(struct serve_options, keep_open, 0, "keep-open",
                 "serve on until a signal comes: many clients at once with a "
                 "mode, one after the other without"),
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
    { NULL, tls_save_opts, offsetof(struct serve_options, tls) },
    { NULL, tls_expect_opts, offsetof(struct serve_options, tls) },
    { NULL, tls_wire_opts, offsetof(struct serve_options, tls) },
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

static int tell_ready(unsigned fd, const char *address, struct err *err) {
    char line[NET_ADDR_MAX + 1];
    if (fd == 0) {
        return 0;
    }
    int n = snprintf(line, sizeof line, "%s\n", address);
    if (write((int)fd, line, (size_t)n) != n) {
        return err_set(err, ERR_OS, errno, "--ready-fd %u: %s", fd,
                       strerror(errno));
    }
    if (fd > STDERR_FILENO) {
        close((int)fd);
    }
    return 0;
}

/* What is opened after the start. */
struct needs {
    const struct serve_options *options;
    const struct serve_mode *mode;
    const struct tls_setup *setup;
};

static int allow(const void *arg, struct landlock *l, struct err *err) {
    const struct needs *n = arg;
    if (fence_tls(l, &n->options->tls, &n->setup->store, err) != 0 ||
        (n->mode->option == NULL && fence_terminal(l, err) != 0)) {
        return -1;
    }
    return fence_forward(l, &n->mode->target, err);
}

/* From here on nothing but clients can go wrong. */
static int start(const struct serve_options *o, const struct output *out,
                 const struct net_target *where, const struct jail *jail,
                 const struct needs *needs, struct net_listener *listener,
                 struct err *err) {
    bool programs = needs->mode->argv != NULL;
    if (net_listen(where->host, where->port, listener, err) != 0 ||
        jail_enter(jail, programs ? NULL : allow, needs, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < listener->n; i++) {
        output_listening(out, listener->address[i]);
    }
    return tell_ready(o->ready_fd, listener->address[0], err);
}

/* Is it the server that cannot go on, rather than this one client? */
static bool over(const struct report *r) {
    return r->stage == STAGE_LISTEN || r->err.origin == ERR_SIGNAL ||
           r->err.origin == ERR_MAX_TIME || r->err.origin == ERR_OS;
}

/* Wait for a client, and meanwhile for SIGHUP. */
static int await_client(struct reload *files, const struct loop *loop,
                        const struct net_listener *listener, struct err *err) {
    struct pollfd fds[NET_LISTEN_MAX + 1];
    size_t n = listener->n;
    for (;;) {
        for (size_t i = 0; i < n; i++) {
            fds[i] = (struct pollfd){ .fd = listener->fd[i], .events = POLLIN };
        }
        fds[n] = (struct pollfd){ .fd = files->fd, .events = POLLIN };
        if (loop_wait(loop, fds, n + 1, NULL, "a client", err) != 0) {
            return -1;
        }
        if (fds[n].revents == 0) {
            return 0;
        }
        if (reload_now(files, err) != 0) {
            return -1;
        }
    }
}

/* With stdin and stdout there can be one client at a time. */
static int serve_pipe(const struct serve_options *o, const struct output *out,
                      struct reload *files, const struct loop *loop,
                      const struct net_listener *listener, struct report *r) {
    for (;;) {
        struct net_path path;
        int fd = await_client(files, loop, listener, &r->err) == 0
                     ? net_accept(loop, listener, NULL, &path, &r->err)
                     : -1;
        struct session session = { .options = &o->tls,
                                   .setup = files->setup,
                                   .loop = loop,
                                   .keep_stdout = o->keep_open,
                                   .max_time = o->limits.conn_max_time };
        session.started_us = loop_now_us();
        if (fd >= 0) {
            session_run(&session, fd, &path, out, r);
        }
        int status = session_end(out, r);
        if (!o->keep_open || over(r)) {
            return status;
        }
        session_report_init(r, r->command, r->target);
        r->stage = STAGE_LISTEN;
    }
}

static int serve(const struct serve_options *o, const struct output *out,
                 struct reload *files, const struct serve_mode *mode,
                 const struct loop *loop, struct net_listener *listener,
                 struct report *r) {
    const struct server_config config = { .limits = &o->limits,
                                          .tls = &o->tls,
                                          .out = out,
                                          .mode = mode,
                                          .files = files,
                                          .loop = loop,
                                          .listener = listener,
                                          .target = r->target,
                                          .once = !o->keep_open };
    return mode->option == NULL ? serve_pipe(o, out, files, loop, listener, r)
                                : server_run(&config, r);
}

static int run(struct serve_options *o, const struct output *out,
               const struct net_target *where, const struct jail *jail,
               struct reload *files, struct report *r) {
    struct net_listener listener = { .n = 0 };
    struct serve_mode mode;
    struct loop loop;
    int wake_fd;
    const volatile sig_atomic_t *number;
    if (serve_mode_init(&mode, &o->mode, out, &r->err) != 0 ||
        reload_init(files, &o->tls, out, o->keep_open, &r->err) != 0 ||
        signals_catch(&wake_fd, &number, &r->err) != 0 ||
        (o->tls.self_signed != NULL &&
         self_signed_tell(o->tls.self_signed, out, &r->err) != 0)) {
        serve_mode_free(&mode);
        return session_end(out, r);
    }
    tls_options_forget(&o->tls); /* SIGHUP has them from the setup */
    loop_init(&loop, wake_fd, number, o->tls.max_time);
    r->stage = STAGE_LISTEN;
    r->tls.server_side = true;
    r->tls.verify_mode = files->setup->args.cert_reqs;
    const struct needs needs = { o, &mode, files->setup };
    int status = start(o, out, where, jail, &needs, &listener, &r->err) == 0
                     ? serve(o, out, files, &mode, &loop, &listener, r)
                     : session_end(out, r);
    net_listener_close(&listener);
    serve_mode_free(&mode);
    return status;
}

/* Which certificate is it to be? */
static int choose(struct serve_options *o, struct ssl_self_signed *made,
                  bool *none, struct err *err) {
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
    o->tls.self_signed = made;
    return self_signed_make(o->self_signed.value, made, err);
}

static int serve_run(int argc, char **argv) {
    struct serve_options o = { .tls = TLS_OPTIONS_INIT,
                               .mode = SERVE_MODE_OPTIONS_INIT,
                               .limits = SERVER_OPTIONS_INIT };
    struct reload files = { .setup = NULL };
    struct jail jail = { .groups = NULL };
    static struct report r;
    static struct expect expect;
    static struct ssl_self_signed made;
    struct output out;
    struct net_target where;
    const char *operand = "4433"; /* openssl s_server's, too */
    size_t n = 0;
    int status = 0;
    session_report_init(&r, cmd_serve.name, NULL);
    if (command_parse(&cmd_serve, &o, argc, argv, &operand, &n, 1, &status,
                      &r.err) == OPT_HELP) {
        return status;
    }
    r.target = operand;
    bool no_cert = false;
    /* Before we open any: one that is closed would become one of ours. */
    if (r.err.origin == ERR_NONE && o.ready_fd != 0 &&
        fcntl((int)o.ready_fd, F_GETFD) < 0) {
        err_set(&r.err, ERR_USAGE, 0, "--ready-fd %u: %s", o.ready_fd,
                strerror(errno));
    }
    int opened = output_open(&out, o.tls.verbose, &o.tls.json, &r.err);
    out.expect = &expect;
    if (opened == 0 && expect_read(&expect, &o.tls.expects, &r.err) == 0 &&
        r.err.origin == ERR_NONE && jail_prepare(&jail, &o.jail, &r.err) == 0 &&
        tls_options_hide(&o.tls, &r.err) == 0 &&
        choose(&o, &made, &no_cert, &r.err) == 0 &&
        net_parse_listen(operand, &where, &r.err) == 0) {
        status = run(&o, &out, &where, &jail, &files, &r);
    } else {
        status = session_end(&out, &r);
    }
    if (no_cert) {
        output_warning(&out, how_to_make);
    }
    reload_free(&files);
    ssl_self_signed_wipe(&made);
    tls_options_forget(&o.tls);
    jail_free(&jail);
    output_close(&out);
    return status;
}

const struct command cmd_serve = {
    .name = "serve",
    .operand = "[[ADDR:]PORT]",
    .summary =
        "accept a TLS client: pipe stdin and stdout, or a mode (default: port "
        "4433)",
    .examples = examples,
    .groups = serve_groups,
    .run = serve_run,
};
