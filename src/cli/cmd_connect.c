#include "cli/client.h"
#include "cli/commands.h"
#include "cli/device.h"
#include "cli/probe.h"
#include "cli/tunnel.h"

struct connect_options {
    struct client_options client;
    struct tunnel_options tunnel;
};

#define CLIENT offsetof(struct connect_options, client)
#define TLS offsetof(struct connect_options, client.tls)
#define TUNNEL offsetof(struct connect_options, tunnel)
#define LIMITS offsetof(struct connect_options, tunnel.limits)
#define LOG offsetof(struct connect_options, tunnel.log)

static const struct opt_group connect_groups[] = {
    { "Connection", client_opts, CLIENT },
    { "Tunnel", tunnel_opts, TUNNEL },
    { NULL, server_opts, LIMITS },
    { NULL, access_log_opts, LOG },
    { "TLS", tls_opts, TLS },
    { "Trust", tls_trust_opts, TLS },
    { "Pipe", tls_pipe_opts, TLS },
    { "Time-outs", tls_time_opts, TLS },
    { "Output", tls_output_opts, TLS },
    { NULL, tls_save_opts, TLS },
    { NULL, tls_expect_opts, TLS },
    { NULL, tls_wire_opts, TLS },
    { "Device", device_as_opts, TLS },
    { NULL, device_limit_opts, TLS },
    OPT_GROUPS_END
};

static const char *const examples[] = {
    "echo hello | mptls connect 192.168.4.1:8443 --cafile ca.pem",
    "mptls connect esp32.local:8443 --cadata ca.der --server-hostname esp32",
    "mptls connect 10.0.0.7:443 --mp-defaults -v </dev/null  # as a board does",
    "mptls connect --listen 127.0.0.1:8080 esp32.local:8443 --cafile ca.pem",
    NULL
};

/* @return the exit status, after the report */
static int run(struct client *c, struct connect_options *o,
               const struct output *out, const struct net_target *target,
               struct report *r) {
    if (client_init(c, &o->client, &r->err) != 0 ||
        client_name(c, target, &r->err) != 0) {
        return session_end(out, r);
    }
    client_warn(c, out);
    if (o->tunnel.listen != NULL) {
        return tunnel_run(&o->tunnel, c, r->target, out, r);
    }
    if (client_open(c, target, out, r) == 0) {
        session_pipe(&c->session, r);
        session_close(&c->session, r);
    }
    probe_after(c, false, out, r);
    return session_end(out, r);
}

static int connect_run(int argc, char **argv) {
    struct connect_options o = { .client = CLIENT_OPTIONS_INIT,
                                 .tunnel = TUNNEL_OPTIONS_INIT };
    static struct client client;
    static struct report r;
    static struct expect expect;
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
    int opened =
        output_open(&out, o.client.tls.verbose, &o.client.tls.json, &r.err);
    out.expect = &expect;
    int device = device_read(&o.client.tls, &out, &r.err);
    if (opened == 0 && device == 0 &&
        expect_read(&expect, &o.client.tls.expects, &r.err) == 0 &&
        r.err.origin == ERR_NONE) {
        if (n == 0) {
            err_set(&r.err, ERR_USAGE, 0, "connect wants HOST:PORT");
        }
    }
    if (r.err.origin == ERR_NONE &&
        tunnel_check(&o.tunnel, &o.client, &r.err) == 0 &&
        net_parse_target(operand, &target, &r.err) == 0) {
        status = run(&client, &o, &out, &target, &r);
    } else {
        status = session_end(&out, &r);
    }
    client_free(&client);
    device_free(&o.client.tls.device);
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
