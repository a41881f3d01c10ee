#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check_jobs.h"
#include "cli/check_many.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/device.h"
#include "cli/print_micropython.h"
#include "cli/probe.h"
#include "cli/signals.h"
#include "report/probe.h"

enum { SETTLE_MS = 200, JOBS = 16 };

struct check_options {
    struct client_options client;
    int64_t settle; /* ms */
    const char *targets;
    unsigned jobs;
    bool probe;
    int print_cadata; /* -1: the report is printed */
    bool print_micropython;
};

#define C struct check_options

static const struct opt check_opts[] = {
    OPT_ROW_DURATION(C, settle, 0, "settle",
                     "wait this long for the server's last word (default "
                     "200ms; 0: do not)"),
    OPT_ROW_FLAG(C, probe, 0, "probe",
                 "ask for all that the server takes, and what devices get"),
    OPT_ROW_CHOICE(C, print_cadata, 0, "print-cadata", "FORM",
                   print_cadata_names,
                   "print the one CA that a board needs, and no report"),
    OPT_ROW_FLAG(C, print_micropython, 0, "print-micropython",
                 "print the program that does the same on a board"),
    OPT_ROW_STRING(C, targets, 0, "targets", "FILE",
                   "check these, too: HOST:PORT a line; - is stdin"),
    OPT_ROW_UINT(C, jobs, 0, "jobs", "N", 1, CHECK_JOBS_MAX,
                 "check so many at a time (default 16)"),
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
    { NULL, tls_save_opts, TLS },
    { NULL, tls_expect_opts, TLS },
    { NULL, tls_wire_opts, TLS },
    { "Device", device_as_opts, TLS },
    { NULL, device_limit_opts, TLS },
    OPT_GROUPS_END
};

static const char *const examples[] = {
    "mptls check esp32.local:8443 --cafile ca.pem",
    "mptls check example.com:443 --json | jq .times_ms",
    "mptls check broker.local:8883 --probe",
    "mptls check example.com:443 --print-cadata der >ca.der",
    "mptls check --targets fleet.txt --jobs 32 --json >fleet.json",
    NULL
};

/* What one run needs. */
struct check {
    struct check_options o;
    struct check_targets targets;
    struct client client;
    struct output out;
    struct expect expect;
    bool json;                /* on stdout, in place of the text */
    bool lines;               /* of each target the text is a line */
    bool entered;             /* enter() was called */
    struct net_target target; /* the last one */
    struct cadata cadata;
};

/* Handshake, end, and no more. */
static void check_one(struct check *c, size_t i, struct report *r) {
    bool named = c->o.client.server_hostname != NULL;
    struct err why = ERR_INIT;
    r->target = c->targets.at[i].text;
    if (check_target_parse(&c->targets, i, &c->target, &r->err) != 0) {
        return;
    }
    if (client_name(&c->client, &c->target, named ? &r->err : &why) != 0) {
        if (!named) { /* it is the target's */
            check_target_wrong(&c->targets, i, &why, &r->err);
        }
        return;
    }
    if (client_open(&c->client, &c->target, &c->out, r) == 0) {
        session_settle(&c->client.session, c->o.settle, r);
        session_close(&c->client.session, r);
    }
    probe_after(&c->client, c->o.probe, &c->out, r);
}

static void print_report(const struct report *r, bool line) {
    (line ? report_text_check_line : report_text_check)(stdout, r);
    if (r->probe != NULL && !line) {
        report_text_probe(stdout, r->probe);
    }
}

/* What is asked for in place of the report. */
static void print_instead(struct check *c, struct report *r) {
    if (c->o.print_micropython) {
        print_micropython(stdout, &c->client, &c->target, &c->cadata, r);
    } else if (r->err.origin == ERR_NONE || c->cadata.der != NULL) {
        struct err err = ERR_INIT;
        if (print_cadata(stdout, (enum print_cadata)c->o.print_cadata,
                         &c->cadata, &err) != 0) {
            err_set(&r->err, err.origin, err.code, "%s", err.msg);
        }
    }
    const char *warning = print_cadata_warning(&c->cadata);
    if (warning != NULL) {
        output_warning(&c->out, warning);
    }
}

static bool prints_instead(const struct check *c) {
    return c->o.print_micropython || c->o.print_cadata >= 0;
}

/* The report goes first, so that its explanation follows it on a terminal.
 * @return the exit status */
static int print(struct check *c, struct report *r, bool line) {
    int printed = 0;
    if (!c->json && (line || r->stage != STAGE_SETUP)) {
        struct output_words words;
        output_judge(&c->out, r, &words);
        if (prints_instead(c)) {
            print_instead(c, r);
        } else {
            print_report(r, line);
        }
        printed = command_flush();
        if (line) { /* which is all that is said of it */
            output_unmet(r);
        }
    }
    int status = output_end(&c->out, r);
    return status != 0 ? status : printed;
}

/* Once in each process that checks some of many. */
static int enter(struct check *c, FILE *json, struct err *err) {
    int wake_fd;
    const volatile sig_atomic_t *number;
    if (c->entered) {
        return 0;
    }
    c->out.silent = c->json || c->lines;
    c->out.json_file = c->out.json_file != NULL ? json : NULL;
    if (signals_catch(&wake_fd, &number, err) != 0 ||
        ssl_context_forked(err) != 0) {
        return -1;
    }
    c->client.loop.wake_fd = wake_fd;
    c->entered = true;
    return 0;
}

/* One of many, in a process that has others before and after it. */
static int one(void *arg, size_t i, FILE *json) {
    static struct report r;
    struct check *c = arg;
    session_report_init(&r, cmd_check.name, NULL);
    if (enter(c, json, &r.err) == 0) {
        client_again(&c->client);
        check_one(c, i, &r);
    }
    r.target = c->targets.at[i].text;
    return print(c, &r, c->lines || r.stage == STAGE_SETUP);
}

static int check_all(struct check *c, struct report *r) {
    const struct check_many many = {
        .targets = &c->targets,
        .at_once = c->o.jobs,
        .loop = &c->client.loop,
        .out = &c->out,
        .text = !c->json,
        .one = one,
        .arg = c,
    };
    ssl_context_warm(&c->client.setup.ctx);
    int status = check_many_run(&many, r);
    if (r->err.origin == ERR_NONE) {
        return status;
    }
    int own = session_end(&c->out, r);
    bool first = r->err.origin == ERR_SIGNAL || own > status;
    return first ? own : status;
}

static int check_usage(const struct check *c, struct err *err) {
    if (!prints_instead(c)) {
        return 0;
    }
    const char *name = c->o.print_micropython ? "micropython" : "cadata";
    if (c->o.print_micropython && c->o.print_cadata >= 0) {
        return err_set(err, ERR_USAGE, 0,
                       "--print-cadata and --print-micropython are one or the "
                       "other");
    }
    if (c->json) {
        return err_set(err, ERR_USAGE, 0,
                       "--print-%s and --json both want stdout: --json=FILE "
                       "goes with it",
                       name);
    }
    if (c->targets.n != 1) {
        return err_set(err, ERR_USAGE, 0,
                       "--print-%s is for one target, not %zu", name,
                       c->targets.n);
    }
    return print_cadata_check(c->o.print_cadata, err);
}

/* All that comes before a connection. */
static int prepare(struct check *c, const char *const *operands, size_t n,
                   struct err *err) {
    if (err->origin != ERR_NONE ||
        expect_read(&c->expect, &c->o.client.tls.expects, err) != 0 ||
        check_targets_init(&c->targets, operands, n, c->o.targets, err) != 0 ||
        check_usage(c, err) != 0 ||
        client_init(&c->client, &c->o.client, err) != 0) {
        return -1;
    }
    c->lines = c->targets.n > 1 && c->o.client.tls.verbose == 0;
    c->out.line = c->lines;
    c->out.details = !c->lines || c->o.probe;
    c->client.setup.ctx.keep_top = prints_instead(c);
    c->client.session.cadata = prints_instead(c) ? &c->cadata : NULL;
    client_warn(&c->client, &c->out);
    return 0;
}

static int open_output(struct check *c, struct err *err) {
    const struct opt_optional *json = &c->o.client.tls.json;
    c->json = json->given && json->value == NULL;
    if (c->json) { /* stdout is ours, so the report's place is there */
        c->out = (struct output){ .silent = true,
                                  .json_file = stdout,
                                  .json_name = "stdout" };
    }
    int opened = c->json ? 0 : output_open(&c->out, 0, json, err);
    c->out.expect = &c->expect;
    int device = device_read(&c->o.client.tls, &c->out, err);
    return opened == 0 && device == 0 ? 0 : -1;
}

static int check_run(int argc, char **argv) {
    static struct check c;
    static struct report r;
    size_t n = 0;
    int status = 0;
    const char **operands = calloc((size_t)argc, sizeof *operands);
    c.o = (struct check_options){ .client = CLIENT_OPTIONS_INIT,
                                  .settle = SETTLE_MS,
                                  .jobs = JOBS,
                                  .print_cadata = -1 };
    session_report_init(&r, cmd_check.name, NULL);
    if (operands == NULL) {
        err_set(&r.err, ERR_OS, ENOMEM, "no memory for the targets");
    } else if (command_parse(&cmd_check, &c.o, argc, argv, operands, &n,
                             (size_t)argc, &status, &r.err) == OPT_HELP) {
        goto out;
    }
    /* Even after a failure: how to report it is known by now. */
    if (open_output(&c, &r.err) != 0 || prepare(&c, operands, n, &r.err) != 0) {
        r.target = n == 1 ? operands[0] : NULL;
        status = print(&c, &r, false);
    } else if (c.targets.n == 1) {
        check_one(&c, 0, &r);
        status = print(&c, &r, false);
    } else {
        status = check_all(&c, &r);
    }
    client_free(&c.client);
    device_free(&c.o.client.tls.device);
    cadata_free(&c.cadata);
    check_targets_free(&c.targets);
    if (!c.json) {
        output_close(&c.out);
    }
out:
    free(operands);
    return status;
}

const struct command cmd_check = {
    .name = "check",
    .operand = "HOST:PORT...",
    .summary = "shake hands with servers, report, and exit",
    .description = "Standard input is not touched, unless --targets names it.",
    .examples = examples,
    .groups = check_groups,
    .run = check_run,
};
