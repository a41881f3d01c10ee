#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "tls/ssl_socket.h"

struct connect_options {
    struct tls_options tls;
    const char *server_hostname;
    int64_t connect_timeout;
};

static const struct opt connect_opts[] = {
    OPT_ROW_STRING(struct connect_options, server_hostname, 0,
                   "server-hostname", "NAME",
                   "the name to ask for and to verify (default HOST; '' to "
                   "verify none)"),
    OPT_ROW_DURATION(struct connect_options, connect_timeout, 0,
                     "connect-timeout",
                     "give resolving and connecting this long (default 10)"),
    OPT_END
};

static const struct opt_group connect_groups[] = {
    { "Connection", connect_opts, 0 },
    { "TLS", tls_opts, offsetof(struct connect_options, tls) },
    { "Trust", tls_trust_opts, offsetof(struct connect_options, tls) },
    { "Pipe", tls_pipe_opts, offsetof(struct connect_options, tls) },
    { "Time-outs", tls_time_opts, offsetof(struct connect_options, tls) },
    { "Output", tls_output_opts, offsetof(struct connect_options, tls) },
    OPT_GROUPS_END
};

static const char *const examples[] = {
    "echo hello | mptls connect 192.168.4.1:8443 --cafile ca.pem",
    "mptls connect esp32.local:8443 --cadata ca.der --server-hostname esp32",
    "mptls connect 10.0.0.7:443 --mp-defaults -v </dev/null  # as a board does",
    NULL
};

/* How it is verified when nothing was said that has to be known. */
static void warn(const struct output *out, const struct connect_options *o,
                 const struct tls_setup *setup) {
    if (setup->args.cert_reqs == SSL_CERT_NONE) {
        output_warning(out, "not verifying the peer: it could be anyone");
    } else if (o->server_hostname != NULL && o->server_hostname[0] == '\0') {
        output_warning(out, "not verifying the peer's name");
    }
}

static const char *hostname(const struct connect_options *o,
                            const struct net_target *target) {
    static char plain[NET_HOST_MAX + 1];
    const char *name = o->server_hostname;
    /* MicroPython: no server_hostname unless it is given. */
    if (name == NULL && !o->tls.mp_defaults) {
        name = target->host;
    }
    const char *zone = name != NULL ? strchr(name, '%') : NULL;
    if (zone == NULL || (size_t)(zone - name) >= sizeof plain) {
        return name;
    }
    /* A zone (RFC 4007 11) is this machine's affair. */
    snprintf(plain, sizeof plain, "%.*s", (int)(zone - name), name);
    return ssl_verify_is_address(plain) ? plain : name;
}

/* From here on a failure is reported in full. */
static void run(const struct connect_options *o, const struct output *out,
                const struct net_target *target, struct tls_setup *setup,
                struct report *r) {
    static struct net_path path;
    struct loop loop;
    int wake_fd;
    const volatile sig_atomic_t *number;
    struct session session = {
        .options = &o->tls,
        .setup = setup,
        .loop = &loop,
        .server_hostname = hostname(o, target),
        .started_us = loop_now_us(),
    };
    if (tls_setup_init(setup, &o->tls, false, &r->err) != 0 ||
        ssl_socket_check_hostname(&setup->ctx, session.server_hostname,
                                  &r->err) != 0 ||
        signals_catch(&wake_fd, &number, &r->err) != 0) {
        return;
    }
    warn(out, o, setup);
    session_warn(setup, &o->tls, out);
    loop_init(&loop, wake_fd, number, o->tls.max_time);
    r->tls.verify_mode = setup->args.cert_reqs;
    r->stage = STAGE_CONNECT;
    int fd = net_connect(&loop, target->host, target->port, o->connect_timeout,
                         &path, &r->err);
    if (fd < 0) {
        r->total_us = loop_now_us() - session.started_us;
        return;
    }
    r->resolve_us = path.resolve_us;
    r->connect_us = path.connect_us;
    session_run(&session, fd, &path, out, r);
}

static int connect_run(int argc, char **argv) {
    struct connect_options o = { .tls = TLS_OPTIONS_INIT,
                                 .connect_timeout = TLS_CONNECT_TIMEOUT };
    static struct tls_setup setup;
    static struct report r;
    struct output out;
    struct net_target target;
    const char *operand = NULL;
    size_t n = 0;
    int status = 0;
    session_report_init(&r, cmd_connect.name, NULL);
    if (command_parse(&cmd_connect, &o, argc, argv, &operand, &n, 1, &status,
                      &r.err) == OPT_HELP) {
        return status;
    }
    r.target = operand;
    if (output_open(&out, o.tls.verbose, &o.tls.json, &r.err) == 0 &&
        r.err.origin == ERR_NONE) {
        if (n == 0) {
            err_set(&r.err, ERR_USAGE, 0, "connect wants HOST:PORT");
        } else if (net_parse_target(operand, &target, &r.err) == 0) {
            run(&o, &out, &target, &setup, &r);
        }
    }
    status = session_end(&out, &r);
    tls_setup_free(&setup);
    output_close(&out);
    return status;
}

const struct command cmd_connect = {
    .name = "connect",
    .operand = "HOST:PORT",
    .summary = "pipe stdin and stdout over TLS",
    .examples = examples,
    .groups = connect_groups,
    .run = connect_run,
};
