#include "cli/tunnel.h"

#include <string.h>

#include "cli/commands.h"

#define O struct tunnel_options

const struct opt tunnel_opts[] = {
    OPT_ROW_STRING(O, listen, 0, "listen", "[ADDR:]PORT",
                   "listen there without TLS, or on unix:PATH, and tunnel each "
                   "connection; in place of standard input and output"),
    OPT_ROW_UINT(O, ready_fd, 0, "ready-fd", "N", 1, 1023,
                 "with --listen, write ADDR:PORT to this descriptor once it "
                 "can be connected to, and close it"),
    OPT_END
};

#undef O

/* @return an option that means something with --listen only, or NULL */
static const char *stray(const struct tunnel_options *o) {
    return o->ready_fd != 0                                  ? "--ready-fd"
           : o->limits.max_conns != 0                        ? "--max-conns"
           : o->limits.conn_max_time > 0                     ? "--conn-max-time"
           : o->log.format >= 0                              ? "--log-format"
           : o->log.path != NULL                             ? "--access-log"
           : o->limits.drain_timeout != SERVER_DRAIN_TIMEOUT ? "--drain-timeout"
                                                             : NULL;
}

int tunnel_check(const struct tunnel_options *o,
                 const struct client_options *client, struct err *err) {
    const char *option = stray(o);
    if (o->listen == NULL) {
        return option == NULL
                   ? 0
                   : err_set(err, ERR_USAGE, 0, "%s wants --listen", option);
    }
    option = client->why                   ? "--why"
             : client->tls.defer_handshake ? "--defer-handshake"
                                           : NULL;
    if (option != NULL) {
        return err_set(err, ERR_USAGE, 0,
                       "%s is for one connection: not with --listen", option);
    }
    if (server_check_ready(o->ready_fd, err) != 0) {
        return -1;
    }
    struct net_target where;
    return net_parse_listen(o->listen, &where, err);
}

/* Without TLS or a password it is for this machine, if nothing else is said. */
static int listen_near(const char *text, struct net_listener *l,
                       struct err *err) {
    struct net_target where;
    if (net_parse_listen(text, &where, err) != 0) {
        return -1;
    }
    if (where.host[0] == '\0' && where.path[0] == '\0') {
        memcpy(where.host, "localhost", sizeof "localhost");
    }
    return net_listen_at(&where, 1, l, err);
}

/* The name is looked up once, as for serve --forward. */
static int find(struct server_tunnel *t, const struct client *c,
                const char *target, struct err *err) {
    int64_t timeout = c->options->connect_timeout;
    struct loop_limit limit = loop_limit_start(timeout);
    t->connect_timeout = timeout;
    t->server_hostname = c->session.server_hostname;
    return forward_target_init(&t->target, target, &c->loop, &limit, err);
}

int tunnel_run(const struct tunnel_options *o, struct client *c,
               const char *target, const struct output *out, struct report *r) {
    static struct server_tunnel tunnel;
    struct net_listener listener = { .n = 0 };
    struct access_log log = { .fd = -1, .usr1_fd = -1 };
    struct reload files = { .setup = &c->setup, .fd = -1 };
    const struct server_config config = { .command = cmd_connect.name,
                                          .limits = &o->limits,
                                          .tls = &c->options->tls,
                                          .out = out,
                                          .tunnel = &tunnel,
                                          .files = &files,
                                          .loop = &c->loop,
                                          .listener = &listener,
                                          .log = &log,
                                          .accepted = -1,
                                          .notify = -1,
                                          .target = target };
    c->setup.users = 1; /* ours, who frees it */
    r->stage = STAGE_CONNECT;
    r->tls.verify_mode = c->setup.args.cert_reqs;
    int rc = find(&tunnel, c, target, &r->err);
    if (rc == 0) {
        r->stage = STAGE_LISTEN;
        rc = listen_near(o->listen, &listener, &r->err) != 0 ||
             access_log_open(&log, &o->log, out, &r->err) != 0 ||
             server_tell(&listener, out, o->ready_fd, &r->err) != 0;
    }
    int status = rc == 0 ? server_run(&config, r) : session_end(out, r);
    net_listener_close(&listener);
    access_log_close(&log);
    return status;
}
