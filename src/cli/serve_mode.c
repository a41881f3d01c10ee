#include "cli/serve_mode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/words.h"
#include "io/file.h"
#include "tls/ssl_pin.h"

extern char **environ;

#define O struct serve_mode_options

const struct opt serve_mode_opts[] = {
    OPT_ROW_FLAG(O, echo, 0, "echo", "send back what comes"),
    OPT_ROW_FLAG(O, discard, 0, "discard", "drop what comes, send nothing"),
    OPT_ROW_FLAG(O, chargen, 0, "chargen",
                 "send lines of characters until the client ends"),
    OPT_ROW_STRING(O, reply, 0, "reply", "FILE",
                   "send this file to each client, drop what comes"),
    OPT_ROW_STRING(O, exec, 0, "exec", "COMMAND",
                   "run this for each client, without a shell, on the "
                   "connection"),
    OPT_ROW_STRING(O, sh, 0, "sh", "SCRIPT",
                   "run this for each client by sh -c, on the connection"),
    OPT_ROW_STRING(O, forward, 0, "forward", "TARGET",
                   "connect each client to HOST:PORT or unix:PATH, without "
                   "TLS"),
    OPT_ROW_DURATION(O, connect_timeout, 0, "connect-timeout",
                     "give --forward this long to connect (default 10)"),
    OPT_ROW_FLAG(O, http, 0, "http",
                 "answer an HTTP request with the report of the connection"),
    OPT_END
};

#undef O

static int choose(struct serve_mode *m, const char *option, bool given,
                  struct err *err) {
    if (!given) {
        return 0;
    }
    if (m->option != NULL) {
        return err_set(err, ERR_USAGE, 0, "%s and %s are one or the other",
                       m->option, option);
    }
    m->option = option;
    return 0;
}

static int shell(const char *script, char ***argv, struct err *err) {
    static char sh[] = "sh", c[] = "-c";
    char **w = malloc(4 * sizeof *w + strlen(script) + 1);
    if (w == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    w[0] = sh;
    w[1] = c;
    w[2] = strcpy((char *)(w + 4), script);
    w[3] = NULL;
    *argv = w;
    return 0;
}

static int find_target(struct serve_mode *m, const struct serve_mode_options *o,
                       struct err *err) {
    struct err why = ERR_INIT;
    struct loop plain;
    struct loop_limit limit = loop_limit_start(o->connect_timeout);
    loop_init(&plain, -1, NULL, 0);
    if (forward_target_init(&m->target, o->forward, &plain, &limit, &why) !=
        0) {
        return err_set(err, why.origin, why.code, "--forward: %s", why.msg);
    }
    return 0;
}

int serve_mode_init(struct serve_mode *m, const struct serve_mode_options *o,
                    const struct output *out, struct err *err) {
    struct err why = ERR_INIT;
    *m = (struct serve_mode){ .options = o, .out = out };
    if (choose(m, "--echo", o->echo, err) != 0 ||
        choose(m, "--discard", o->discard, err) != 0 ||
        choose(m, "--chargen", o->chargen, err) != 0 ||
        choose(m, "--reply", o->reply != NULL, err) != 0 ||
        choose(m, "--exec", o->exec != NULL, err) != 0 ||
        choose(m, "--sh", o->sh != NULL, err) != 0 ||
        choose(m, "--forward", o->forward != NULL, err) != 0 ||
        choose(m, "--http", o->http, err) != 0) {
        return -1;
    }
    if (o->reply != NULL &&
        file_read(o->reply, FILE_MAX, &m->reply, &m->reply_len, &why) != 0) {
        return err_set(err, why.origin, why.code, "--reply: %s", why.msg);
    }
    if (o->forward != NULL && find_target(m, o, err) != 0) {
        return -1;
    }
    if (o->exec != NULL) {
        return words_split("--exec", o->exec, &m->argv, err);
    }
    return o->sh != NULL ? shell(o->sh, &m->argv, err) : 0;
}

void serve_mode_free(struct serve_mode *m) {
    free(m->reply);
    free(m->argv);
    m->reply = NULL;
    m->argv = NULL;
}

enum { FACTS = 7 };

/* What a command is told of its client; "" or NULL where it is unknown. */
struct fact {
    const char *name, *value;
};

static void find_facts(const struct report *r, char *pin,
                       struct fact facts[FACTS]) {
    const struct ssl_info *t = &r->tls;
    const struct ssl_cert_info *c = t->cert_count > 0 ? t->certs : NULL;
    const struct fact found[FACTS] = {
        { "MPTLS_PEER_ADDR", r->peer },
        { "MPTLS_PEER_SUBJECT", c != NULL ? c->subject : NULL },
        { "MPTLS_PEER_SPKI_SHA256",
          c != NULL ? ssl_pin_text(c->spki_sha256, pin) : NULL },
        { "MPTLS_VERSION", t->version },
        { "MPTLS_CIPHER", t->cipher },
        { "MPTLS_SNI", t->theirs.server_name },
        { "MPTLS_ALPN", t->alpn },
    };
    memcpy(facts, found, sizeof found);
}

/* Does the entry of an environment set this variable? */
static bool sets(const char *entry, const char *name) {
    size_t len = strlen(name);
    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static bool sets_one(const char *entry, const struct fact facts[FACTS]) {
    for (size_t i = 0; i < FACTS; i++) {
        if (sets(entry, facts[i].name)) {
            return true;
        }
    }
    return false;
}

/* Our environment with what is known of the client.
 * @return one block that the caller frees, or NULL: no memory */
static char **make_environment(const struct fact facts[FACTS]) {
    size_t n = 0, bytes = 0;
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        n++;
    }
    for (size_t i = 0; i < FACTS; i++) {
        const char *v = facts[i].value;
        bytes += strlen(facts[i].name) + (v != NULL ? strlen(v) : 0) + 2;
    }
    char **env = malloc((n + FACTS + 1) * sizeof *env + bytes);
    if (env == NULL) {
        return NULL;
    }
    char *to = (char *)(env + n + FACTS + 1);
    n = 0;
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        if (!sets_one(*e, facts)) {
            env[n++] = *e;
        }
    }
    for (size_t i = 0; i < FACTS; i++) {
        if (facts[i].value != NULL && facts[i].value[0] != '\0') {
            env[n++] = to;
            to += sprintf(to, "%s=%s", facts[i].name, facts[i].value) + 1;
        }
    }
    env[n] = NULL;
    return env;
}

static int start_command(struct serve_link *link, const struct serve_mode *m,
                         const struct report *r, struct err *err) {
    struct fact facts[FACTS];
    char pin[SSL_PIN_TEXT_MAX];
    find_facts(r, pin, facts);
    char **env = make_environment(facts);
    if (env == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    int rc = child_start(&link->child, m->option, m->argv, env, err);
    free(env);
    link->exec = rc == 0;
    link->in = &link->child.in;
    link->out = &link->child.out;
    return rc;
}

/* What has happened so far, as it would be reported if it ended now, well. */
static char *make_page(void *arg, bool json, size_t *len) {
    struct serve_link *link = arg;
    struct report *r = link->known(link->known_arg);
    struct output_words words;
    char *text = NULL;
    FILE *f = open_memstream(&text, len);
    if (f == NULL) {
        return NULL;
    }
    output_judge(link->mode->out, r, &words);
    if (json) {
        report_json(f, r);
    } else {
        report_text_check(f, r);
    }
    r->micropython = r->name = r->mbedtls = NULL; /* they were in `words` */
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void start_service(struct serve_link *link, const struct serve_mode *m) {
    const struct serve_mode_options *o = m->options;
    enum service_kind kind = o->echo      ? SERVICE_ECHO
                             : o->discard ? SERVICE_DISCARD
                             : o->chargen ? SERVICE_CHARGEN
                                          : SERVICE_REPLY;
    service_init(&link->service, kind, m->reply, m->reply_len);
    link->in = &link->service.in.stream;
    link->out = &link->service.out.stream;
}

int serve_link_start(struct serve_link *link, const struct serve_mode *m,
                     serve_link_known *known, void *arg, struct err *err) {
    const struct serve_mode_options *o = m->options;
    link->mode = m;
    link->known = known;
    link->known_arg = arg;
    link->exec = false;
    if (m->argv != NULL) {
        return start_command(link, m, known(arg), err);
    }
    if (o->forward != NULL) {
        forward_init(&link->forward, &m->target, o->connect_timeout);
        link->in = &link->forward.in.stream;
        link->out = &link->forward.out.stream;
    } else if (o->http) {
        http_init(&link->http, make_page, link, loop_now_ms());
        link->in = &link->http.in.stream;
        link->out = &link->http.out.stream;
    } else {
        start_service(link, m);
    }
    return 0;
}

nfds_t serve_link_watch(const struct serve_link *link, struct pollfd *fd) {
    if (!link->exec) {
        return 0;
    }
    *fd = (struct pollfd){ .fd = link->child.out.fd }; /* POLLERR comes, too */
    return 1;
}

bool serve_link_deaf(const struct serve_link *link) {
    return link->exec && child_deaf(&link->child);
}

int64_t serve_link_due(const struct serve_link *link) {
    const struct serve_mode_options *o = link->mode->options;
    if (o->http && !link->http.answered) {
        return link->http.due_ms;
    }
    return o->forward != NULL && !link->forward.standing ? link->forward.due_ms
                                                         : 0;
}

bool serve_link_failed(const struct serve_link *link) {
    return link->mode->options->forward != NULL && link->forward.failed;
}

static void report_command(const struct serve_link *link, struct report *r) {
    int status = link->child.status;
    bool by_signal = WIFSIGNALED(status);
    if (link->child.pid == 0 && status != CHILD_STATUS_UNKNOWN) {
        r->exec.known = true;
        r->exec.status = by_signal ? -1 : WEXITSTATUS(status);
        r->exec.signal = by_signal ? WTERMSIG(status) : 0;
    }
}

void serve_link_end(struct serve_link *link) {
    const struct serve_mode_options *o = link->mode->options;
    if (o->http) {
        http_free(&link->http);
    } else if (o->forward != NULL) {
        forward_close(&link->forward);
    } else if (link->mode->argv == NULL) {
        service_free(&link->service);
    }
}

void serve_link_report(const struct serve_link *link, struct report *r) {
    const struct serve_mode_options *o = link->mode->options;
    r->stdin_ended = true; /* it is not ours to read */
    if (link->exec) {
        report_command(link, r);
    }
    if (o->forward != NULL && link->forward.failed && !link->forward.standing) {
        r->stage = STAGE_CONNECT; /* though it is not to the peer */
    }
}
