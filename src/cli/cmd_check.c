#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/probe.h"
#include "report/probe.h"

enum { SETTLE_MS = 200 };

struct check_options {
    struct client_options client;
    int64_t settle; /* ms */
    bool probe;
};

#define C struct check_options

static const struct opt check_opts[] = {
    OPT_ROW_DURATION(C, settle, 0, "settle",
                     "wait this long for the server's last word (default "
                     "200ms; 0: do not)"),
    OPT_ROW_FLAG(C, probe, 0, "probe",
                 "ask for all that the server takes, and what devices get"),
    OPT_END
};

#undef C
#define T struct tls_options

static const struct opt output_opts[] = {
    OPT_ROW_COUNT(T, verbose, 'v', "verbose",
                  "of many targets, too, print the whole report"),
    OPT_ROW_OPTIONAL(T, json, 0, "json", "FILE",
                     "report as JSON on stdout, or in this file"),
    OPT_END
};

#undef T
#define CLIENT offsetof(struct check_options, client)
#define TLS (CLIENT + offsetof(struct client_options, tls))

static const struct opt_group check_groups[] = {
    { "Connection", client_opts, CLIENT },
    { NULL, check_opts, 0 },
    { "TLS", tls_opts, TLS },
    { "Trust", tls_trust_opts, TLS },
    { "Time-outs", tls_time_opts, TLS },
    { "Output", output_opts, TLS },
    { NULL, tls_wire_opts, TLS },
    OPT_GROUPS_END
};

static const char *const examples[] = {
    "mptls check esp32.local:8443 --cafile ca.pem",
    "mptls check example.com:443 --json | jq .times_ms",
    "mptls check broker.local:8883 --probe", NULL
};

/* What one run needs. */
struct check {
    struct check_options o;
    struct client client;
    struct output out;
    bool json; /* on stdout, in place of the text */
};

/* Handshake, end, and no more. */
static void run(struct check *c, const char *operand, struct report *r) {
    struct net_target target;
    r->target = operand;
    if (net_parse_target(operand, &target, &r->err) != 0 ||
        client_name(&c->client, &target, &r->err) != 0) {
        return;
    }
    ssl_context_hear_tickets(&c->client.setup.ctx);
    client_warn(&c->client, &c->out);
    if (client_open(&c->client, &target, &c->out, r) == 0) {
        session_settle(&c->client.session, c->o.settle, r);
        session_close(&c->client.session, r);
    }
    probe_after(&c->client, c->o.probe, &c->out, r);
}

/* The report goes first, so that its explanation follows it on a terminal.
 * @return the exit status */
static int print(struct check *c, struct report *r) {
    int printed = 0;
    if (!c->json && r->stage != STAGE_SETUP) {
        struct output_words words;
        output_judge(r, &words);
        report_text_check(stdout, r);
        if (r->probe != NULL) {
            report_text_probe(stdout, r->probe);
        }
        printed = command_flush();
    }
    int status = output_end(&c->out, r);
    return status != 0 ? status : printed;
}

static int open_output(struct check *c, struct err *err) {
    const struct opt_optional *json = &c->o.client.tls.json;
    c->json = json->given && json->value == NULL;
    if (c->json) { /* stdout is ours, so the report's place is there */
        c->out = (struct output){ .silent = true,
                                  .json_file = stdout,
                                  .json_name = "stdout" };
        return 0;
    }
    return output_open(&c->out, 0, json, err);
}

static int check_run(int argc, char **argv) {
    static struct check c;
    static struct report r;
    const char *operand = NULL;
    size_t n = 0;
    int status = 0;
    c.o = (struct check_options){ .client = CLIENT_OPTIONS_INIT,
                                  .settle = SETTLE_MS };
    session_report_init(&r, cmd_check.name, NULL);
    if (command_parse(&cmd_check, &c.o, argc, argv, &operand, &n, 1, &status,
                      &r.err) == OPT_HELP) {
        return status;
    }
    if (open_output(&c, &r.err) == 0 && r.err.origin == ERR_NONE) {
        if (n == 0) {
            err_set(&r.err, ERR_USAGE, 0, "check wants HOST:PORT");
        } else if (client_init(&c.client, &c.o.client, &r.err) == 0) {
            run(&c, operand, &r);
        }
    }
    status = print(&c, &r);
    client_free(&c.client);
    if (!c.json) {
        output_close(&c.out);
    }
    return status;
}

const struct command cmd_check = {
    .name = "check",
    .operand = "HOST:PORT",
    .summary = "shake hands with a server, report, and exit",
    .description = "Standard input is not touched.",
    .examples = examples,
    .groups = check_groups,
    .run = check_run,
};
