#include "cli/client.h"

#include <stdio.h>
#include <string.h>

#include "accel/accel.h"
#include "cli/signals.h"
#include "tls/ssl_socket.h"

const struct opt client_opts[] = {
    OPT_ROW_STRING(struct client_options, server_hostname, 0, "server-hostname",
                   "NAME",
                   "the name to ask for and to verify (default HOST; '' to "
                   "verify none)"),
    OPT_ROW_DURATION(struct client_options, connect_timeout, 0,
                     "connect-timeout",
                     "give resolving and connecting this long (default 10)"),
    OPT_ROW_CHOICE(struct client_options, tls.max_fragment_length, 0,
                   "max-fragment-length", "SIZE", tls_fragment_names,
                   "ask the server for records of at most this much"),
    OPT_ROW_FLAG(struct client_options, why, 0, "why",
                 "after a failed handshake, ask the server what it takes"),
    OPT_END
};

int client_init(struct client *c, struct client_options *options,
                struct err *err) {
    int wake_fd;
    const volatile sig_atomic_t *number;
    c->options = options;
    c->session = (struct session){ .options = &options->tls,
                                   .setup = &c->setup,
                                   .loop = &c->loop };
    int loaded = tls_options_hide(&options->tls, err);
    if (loaded == 0) {
        loaded = tls_setup_init(&c->setup, &options->tls, false, NULL, err);
    }
    tls_options_forget(&options->tls);
    if (loaded != 0 || signals_catch(&wake_fd, &number, err) != 0) {
        return -1;
    }
    loop_init(&c->loop, wake_fd, number, options->tls.max_time);
    return 0;
}

void client_again(struct client *c) {
    c->setup.keylog.failed = false;
    accel_anew();
}

void client_free(struct client *c) {
    tls_setup_free(&c->setup);
}

void client_warn(struct client *c, const struct output *out) {
    const char *name = c->options->server_hostname;
    bool verified = c->setup.args.cert_reqs != SSL_CERT_NONE;
    if (!verified && c->options->tls.pins.n == 0) {
        output_warning(out, "not verifying the peer: it could be anyone");
    } else if (verified && name != NULL && name[0] == '\0') {
        output_warning(out, "not verifying the peer's name");
    }
    session_warn(&c->setup, &c->options->tls, out);
}

static const char *hostname(struct client *c, const struct net_target *target) {
    const char *name = c->options->server_hostname;
    /* MicroPython: no server_hostname unless it is given. */
    if (name == NULL && !c->options->tls.mp_defaults) {
        name = target->host;
    }
    const char *zone = name != NULL ? strchr(name, '%') : NULL;
    if (zone == NULL || (size_t)(zone - name) >= sizeof c->name) {
        return name;
    }
    /* A zone (RFC 4007 11) is this machine's affair. */
    snprintf(c->name, sizeof c->name, "%.*s", (int)(zone - name), name);
    return ssl_verify_is_address(c->name) ? c->name : name;
}

int client_name(struct client *c, const struct net_target *target,
                struct err *err) {
    c->session.server_hostname = hostname(c, target);
    return ssl_socket_check_hostname(&c->setup.ctx, c->session.server_hostname,
                                     err);
}

static void tell_addresses(const struct net_path *path, struct report *r) {
    _Static_assert((int)NET_ADDRS_MAX <= (int)REPORT_ADDRESSES_MAX, "room");
    r->resolve_us = path->resolve_us;
    r->address_count = path->tried;
    for (size_t i = 0; i < path->tried; i++) {
        const struct net_try *t = &path->tries[i];
        struct report_address *a = &r->addresses[i];
        snprintf(a->address, sizeof a->address, "%s", t->address);
        snprintf(a->error, sizeof a->error, "%s",
                 t->error != 0 ? strerror(t->error) : "");
        a->us = t->us;
    }
}

int client_open(struct client *c, const struct net_target *target,
                const struct output *out, struct report *r) {
    c->session.started_us = loop_now_us();
    r->tls.verify_mode = c->setup.args.cert_reqs;
    r->stage = STAGE_CONNECT;
    int fd = net_connect(&c->loop, target->host, target->port,
                         c->options->connect_timeout, &c->path, &r->err);
    tell_addresses(&c->path, r);
    if (fd < 0) {
        r->total_us = loop_now_us() - c->session.started_us;
        return -1;
    }
    r->connect_us = c->path.connect_us;
    if (session_open(&c->session, fd, &c->path, out, r) != 0) {
        session_close(&c->session, r);
        return -1;
    }
    return 0;
}
