#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/device.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/tls_options.h"
#include "io/data.h"
#include "io/file.h"
#include "tls/ssl_chain.h"
#include "tls/ssl_socket.h"

enum purpose { PURPOSE_SERVER, PURPOSE_CLIENT };

struct verify_options {
    struct tls_options tls;
    const char *server_hostname;
    int purpose;
    int print_cadata; /* -1: no */
};

static const char *const purpose_names[] = { "server", "client", NULL };

#define T struct tls_options
#define V struct verify_options

static const struct opt verify_opts[] = {
    OPT_ROW_STRING(V, server_hostname, 0, "server-hostname", "NAME",
                   "the name to find in the certificate (default: none)"),
    OPT_ROW_CHOICE(V, purpose, 0, "purpose", "WHOSE", purpose_names,
                   "whose chain it is: server unless given"),
    OPT_ROW_CHOICE(V, print_cadata, 0, "print-cadata", "FORM",
                   print_cadata_names,
                   "print the one CA that a board needs, and no verdict"),
    OPT_END
};

static const struct opt output_opts[] = {
    OPT_ROW_COUNT(T, verbose, 'v', "verbose",
                  "print what was checked, and the chain"),
    OPT_ROW_OPTIONAL(T, json, 0, "json", "FILE",
                     "report as JSON on stdout, or in this file"),
    OPT_END
};

#undef T
#undef V

static const struct opt_group verify_groups[] = {
    { "Verification", verify_opts, 0 },
    { "Trust", tls_trust_opts, offsetof(struct verify_options, tls) },
    { NULL, device_as_opts, offsetof(struct verify_options, tls) },
    { "Output", output_opts, offsetof(struct verify_options, tls) },
    { NULL, tls_expect_opts, offsetof(struct verify_options, tls) },
    OPT_GROUPS_END
};

static const char *const examples[] = {
    "mptls verify chain.pem --cafile ca.pem --server-hostname board.local",
    "mptls verify cert.der --cadata ca.der --time 2000-01-01  # a board's "
    "clock",
    "openssl s_client -connect example.com:443 -showcerts </dev/null |\n"
    "    mptls verify - -v",
    NULL
};

static const char *source_name(const char *operand) {
    return strcmp(operand, "-") == 0 ? "stdin" : tls_data_name(operand);
}

static int load(struct ssl_chain *chain, const char *operand, struct err *err) {
    unsigned char *data = NULL;
    size_t len = 0;
    struct err why = ERR_INIT;
    int rc =
        strcmp(operand, "-") == 0
            ? file_read_fd(STDIN_FILENO, "stdin", FILE_MAX, &data, &len, err)
            : data_read(operand, &data, &len, err);
    if (rc == 0 && ssl_chain_load(chain, data, len, &why) != 0) {
        rc = err_set(err, why.origin, why.code, "%.60s: %s",
                     source_name(operand), why.msg);
    }
    free(data);
    return rc;
}

static int check_usage(const struct verify_options *o, const char *operand,
                       struct err *err) {
    if (operand == NULL) {
        return err_set(err, ERR_USAGE, 0, "verify wants CHAIN");
    }
    if (o->server_hostname != NULL && o->purpose == PURPOSE_CLIENT) {
        return err_set(err, ERR_USAGE, 0,
                       "--server-hostname is for --purpose server");
    }
    if (o->print_cadata >= 0 && o->tls.json.given &&
        o->tls.json.value == NULL) {
        return err_set(err, ERR_USAGE, 0,
                       "--print-cadata and --json both want stdout: "
                       "--json=FILE goes with it");
    }
    return print_cadata_check(o->print_cadata, err);
}

static void run(const struct verify_options *o, const char *operand,
                struct tls_setup *setup, struct ssl_chain *chain,
                struct report *r) {
    if (check_usage(o, operand, &r->err) != 0) {
        return;
    }
    r->target = source_name(operand);
    /* A server's chain is judged by a client, and the other way round. */
    if (tls_setup_init(setup, &o->tls, o->purpose == PURPOSE_CLIENT, NULL,
                       &r->err) != 0 ||
        (o->server_hostname != NULL &&
         ssl_socket_check_hostname(&setup->ctx, o->server_hostname, &r->err) !=
             0) ||
        load(chain, operand, &r->err) != 0) {
        return;
    }
    r->stage = STAGE_HANDSHAKE; /* what is wrong from here on ends one */
    r->trust = setup->trust;
    setup->ctx.keep_top = o->print_cadata >= 0;
    int rc = ssl_chain_verify(chain, &setup->ctx, o->server_hostname, &r->err);
    (void)rc; /* r->err says it */
    ssl_chain_info(chain, &setup->ctx, &r->tls);
}

/* The first end of a validity in the path; ISO dates sort as text. */
static const char *trusted_until(const struct ssl_info *t) {
    const char *first = t->certs[0].not_after;
    for (size_t i = 1; i < t->cert_count; i++) {
        if (strcmp(t->certs[i].not_after, first) < 0) {
            first = t->certs[i].not_after;
        }
    }
    return first;
}

static void print_chain(const struct verify_options *o,
                        const struct ssl_chain *chain,
                        const mbedtls_x509_time *now, const struct report *r) {
    const struct ssl_info *t = &r->tls;
    printf("purpose: %s\n", purpose_names[o->purpose]);
    printf("clock: %04d-%02d-%02dT%02d:%02d:%02dZ\n", now->year, now->mon,
           now->day, now->hour, now->min, now->sec);
    if (t->name_checked) {
        printf("name: %s\n", t->server_hostname);
    } else {
        printf("name: not checked%s\n", o->purpose == PURPOSE_SERVER
                                            ? ", no --server-hostname is given"
                                            : ", clients have none");
    }
    if (ssl_chain_begins_with_ca(chain)) {
        puts("note: certificate 0 is a CA's");
    }
    for (size_t i = 0; i < t->cert_count; i++) {
        const struct ssl_cert_info *c = &t->certs[i];
        printf("certificate %zu: %s (%s, %.10s to %.10s)%s%s\n", i, c->subject,
               c->key, c->not_before, c->not_after,
               c->names[0] != '\0' ? ", names " : "", c->names);
    }
    for (size_t i = 0; i < t->finding_count && r->err.origin == ERR_NONE; i++) {
        printf("note: %s\n", t->findings[i].text);
    }
}

/* In place of the result. @return as print_result() */
static int print_ca(const struct verify_options *o,
                    const struct ssl_chain *chain, const struct output *out,
                    struct report *r) {
    struct cadata c;
    struct err err = ERR_INIT;
    cadata_of_chain(&c, chain);
    const char *warning = print_cadata_warning(&c);
    if (warning != NULL) {
        output_warning(out, warning);
    }
    if ((r->err.origin == ERR_NONE || c.der != NULL) &&
        print_cadata(stdout, (enum print_cadata)o->print_cadata, &c, &err) !=
            0) {
        err_set(&r->err, err.origin, err.code, "%s", err.msg);
    }
    cadata_free(&c);
    return command_flush();
}

/* On stdout; what is wrong has gone to stderr, as from connect.
 * @return 0 if all of it was written */
static int print_result(const struct verify_options *o,
                        const struct ssl_chain *chain,
                        const mbedtls_x509_time *now, const struct report *r) {
    const struct ssl_info *t = &r->tls;
    if (r->err.origin == ERR_NONE) {
        printf("trusted: %s, by %s, until %.10s\n", t->certs[0].subject,
               r->trust, trusted_until(t));
    }
    if (o->tls.verbose > 0 && t->cert_count > 0) {
        print_chain(o, chain, now, r);
    }
    return command_flush();
}

static int verify_run(int argc, char **argv) {
    struct verify_options o = { .tls = TLS_OPTIONS_INIT };
    static struct tls_setup setup;
    static struct ssl_chain chain;
    static struct report r;
    static struct expect expect;
    struct output out;
    const char *operand = NULL;
    size_t n = 0;
    int status = 0;
    o.tls.verify = SSL_CERT_REQUIRED;
    o.print_cadata = -1;
    session_report_init(&r, cmd_verify.name, NULL);
    r.event = "verify";
    ssl_chain_init(&chain);
    if (command_parse(&cmd_verify, &o, argc, argv, &operand, &n, 1, &status,
                      &r.err) == OPT_HELP) {
        return status;
    }
    bool to_stdout = o.tls.json.given && o.tls.json.value == NULL;
    if (to_stdout) { /* stdout is ours, so the report's place is there */
        out = (struct output){ .silent = true,
                               .json_file = stdout,
                               .json_name = "stdout" };
    }
    bool opened = to_stdout || output_open(&out, 0, &o.tls.json, &r.err) == 0;
    out.expect = &expect;
    int device = device_read(&o.tls, &out, &r.err);
    if (opened && device == 0 &&
        expect_read(&expect, &o.tls.expects, &r.err) == 0 &&
        r.err.origin == ERR_NONE) {
        run(&o, operand, &setup, &chain, &r);
        session_warn_crl(&chain.verify, &out);
    }
    int printed = 0;
    bool ca = o.print_cadata >= 0;
    if (ca && r.stage != STAGE_SETUP) {
        printed = print_ca(&o, &chain, &out, &r);
    }
    status = output_end(&out, &r);
    if (!to_stdout && !ca) {
        printed = print_result(&o, &chain, &setup.now, &r);
    }
    status = status != 0 ? status : printed;
    ssl_chain_free(&chain);
    tls_setup_free(&setup);
    device_free(&o.tls.device);
    if (!to_stdout) {
        output_close(&out);
    }
    return status;
}

const struct command cmd_verify = {
    .name = "verify",
    .operand = "CHAIN",
    .summary = "verify a chain from a file as a handshake would, offline",
    .description =
        "CHAIN is DATA or, for stdin, -: PEM or DER, the leaf first.",
    .examples = examples,
    .groups = verify_groups,
    .run = verify_run,
};
