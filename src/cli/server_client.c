#include "cli/server_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/session.h"

static bool is_tunnel(const struct server_client *c) {
    return c->host->config->tunnel != NULL;
}

/* To print addresses takes as long as to seal a record: not before somebody
 * wants them. */
static void print_path(struct server_client *c) {
    struct net_path path;
    bool tunnel = is_tunnel(c);
    const struct fd_stream *near = tunnel ? &c->tunnel.near : &c->wire;
    net_tell(near->stream.fd, &c->from, &path);
    memcpy(c->peer, path.address, sizeof c->peer);
    if (!tunnel) {
        memcpy(c->local, path.local, sizeof c->local);
    }
}

static struct report *known_of(void *arg) {
    struct server_client *c = arg;
    struct report *r = c->host->report;
    bool tunnel = is_tunnel(c);
    print_path(c);
    session_report_init(r, c->host->config->command, c->host->config->target);
    r->tls.server_side = !tunnel;
    r->peer = tunnel ? c->far[0] != '\0' ? c->far : NULL : c->peer;
    r->local = c->local;
    r->client = tunnel ? c->peer : NULL;
    r->connect_us = c->connected_us > 0 ? c->connected_us - c->since_us : -1;
    if (c->begun) {
        conn_report(&c->conn, r);
        conn_diagnose(&c->conn, r);
    } else {
        r->err = c->why;
        r->stage = STAGE_CONNECT;
        r->tls.verify_mode = c->setup->args.cert_reqs;
    }
    r->total_us = loop_now_us() - c->since_us;
    return r;
}

/* What came may not be all: that is not to look like an end. */
static void reset_near(struct server_client *c) {
    const struct linger none = { .l_onoff = 1, .l_linger = 0 };
    int fd = c->tunnel.near.stream.fd;
    if (c->why.origin != ERR_NONE ||
        (c->begun && c->conn.err.origin != ERR_NONE)) {
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    close(fd);
}

static void client_free(struct server_client *c) {
    struct server_host *host = c->host;
    if (c->begun) {
        conn_free(&c->conn);
    }
    pump_free(&c->pump);
    events_stop(&c->source);
    if (is_tunnel(c)) {
        reset_near(c);
        forward_close(&c->tunnel.far);
    } else {
        fd_stream_free(&c->wire);
        close(c->wire.stream.fd);
    }
    reload_put(c->setup);
    *(c->prev != NULL ? &c->prev->next : &host->clients) = c->next;
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    host->count--;
    free(c);
}

/* Is there nobody to be told that it went well? To find out all that could be
 * told takes as long as X25519. */
static bool goes_unsaid(const struct server_client *c) {
    const struct server_config *config = c->host->config;
    return !config->once && c->begun && conn_went_well(&c->conn) &&
           !output_tells_all(config->out) && config->log->fd < 0;
}

static void client_over(struct server_client *c) {
    struct server_host *host = c->host;
    if (goes_unsaid(c)) {
        client_free(c);
        host->over(host, 0);
        return;
    }
    struct report *r = known_of(c);
    int status = 0;
    if (host->config->once) {
        status = output_end(host->config->out, r);
    } else {
        output_client(host->config->out, r);
    }
    access_log_write(host->config->log, r);
    client_free(c);
    host->over(host, status);
}

static void begin_tls(struct server_client *c) {
    c->begun = true;
    if (c->host->config->tls->trace.given) {
        print_path(c);
    }
    c->wire.ahead &= !c->host->config->tls->ktls; /* the kernel is to read */
    conn_init(&c->conn, &c->host->conn, c->setup, &c->wire.stream, c->peer,
              c->since_us);
    c->conn.all = c->all;
}

/* @return whether to go on: it stands, or cannot */
static bool tunnel_stands(struct server_client *c) {
    struct forward *far = &c->tunnel.far;
    struct net_peer to;
    struct net_path path;
    int rc = forward_stand(far, &c->why);
    if (rc == STREAM_WANT_WR) {
        struct pollfd p = { .fd = far->socket.stream.fd, .events = POLLOUT };
        events_watch(&c->source, &p, 1, far->due_ms);
        return false;
    }
    if (rc == 0 && net_accepted(far->socket.stream.fd, &to, &c->why) == 0) {
        net_tell(far->socket.stream.fd, &to, &path);
        memcpy(c->far, path.address, sizeof c->far);
        memcpy(c->local, path.local, sizeof c->local);
        fd_stream_init_socket(&c->wire, far->socket.stream.fd, "the peer");
        c->connected_us = loop_now_us();
        begin_tls(c);
    }
    return true;
}

/* A client that says nothing costs no buffers: TLS begins with its first byte,
 * or when the time for that is over, which is then the reason.
 * @return whether to go on */
static bool client_speaks(struct server_client *c) {
    const struct tls_options *o = c->host->config->tls;
    struct pollfd p = { .fd = c->wire.stream.fd, .events = POLLIN };
    const struct loop_limit *first =
        c->all.ms > 0 && (c->shaking.ms == 0 || c->all.at_ms < c->shaking.at_ms)
            ? &c->all
            : &c->shaking;
    bool late = first->ms > 0 && loop_now_ms() >= first->at_ms;
    if (!o->defer_handshake && !late && !fd_stream_look(&c->wire)) {
        events_watch(&c->source, &p, 1, first->at_ms);
        return false;
    }
    begin_tls(c);
    if (c->conn.state == CONN_HANDSHAKE) {
        c->conn.limit = c->shaking;
    }
    return true;
}

static void start_mode(struct server_client *c) {
    const struct serve_mode *mode = c->host->config->mode;
    struct err why = ERR_INIT;
    if (serve_link_start(&c->link, mode, known_of, c, &why) != 0) {
        conn_fail(&c->conn, &why);
        return;
    }
    const struct pump_config how = {
        .wire = c->conn.lower,
        .local = net_is_local(&c->from),
        .on_eof = mode->options->http ? PUMP_CLOSE
                                      : tls_on_eof(c->host->config->tls, true),
    };
    pump_init(&c->pump, c->link.in, &c->conn.sock.stream, c->link.out, &how);
    conn_carry(&c->conn, &c->pump, &c->link);
}

static void start_tunnel(struct server_client *c) {
    struct stream *near = &c->tunnel.near.stream;
    const struct pump_config how = {
        .wire = c->conn.lower,
        .on_eof = tls_on_eof(c->host->config->tls, false),
    };
    pump_init(&c->pump, near, &c->conn.sock.stream, near, &how);
    conn_carry(&c->conn, &c->pump, NULL);
}

static void client_shaken(struct server_client *c) {
    const struct output *out = c->host->config->out;
    if (out->verbose > 0) {
        output_handshake(out, known_of(c));
    }
    if (is_tunnel(c)) {
        start_tunnel(c);
    } else {
        start_mode(c);
    }
}

static void client_ready(struct events_source *source) {
    struct server_client *c = (struct server_client *)source;
    struct pollfd fds[CONN_FDS_MAX];
    const char *awaiting;
    int64_t due;
    nfds_t n;
    _Static_assert((int)CONN_FDS_MAX <= (int)EVENTS_FDS_MAX, "room");
    if (!c->begun && c->why.origin == ERR_NONE &&
        !(is_tunnel(c) ? tunnel_stands(c) : client_speaks(c))) {
        return;
    }
    if (!c->begun) {
        client_over(c);
        return;
    }
    for (;;) {
        switch (conn_step(&c->conn)) {
        case CONN_SHAKEN:
            client_shaken(c);
            break;
        case CONN_WAITS:
            n = conn_wait(&c->conn, fds, &due, &awaiting);
            events_watch(source, fds, n, due);
            return;
        case CONN_BUSY:
            events_again(source);
            return;
        case CONN_ENDED:
            client_over(c);
            return;
        }
    }
}

int server_client_begin(struct server_host *host, int fd,
                        const struct net_peer *from, struct err *err) {
    const struct server_tunnel *tunnel = host->config->tunnel;
    struct server_client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        close(fd);
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    c->host = host;
    c->since_us = loop_now_us();
    c->all = loop_limit_start(host->conn.max_time);
    c->from = *from;
    events_source_init(&c->source, host->events, client_ready);
    c->setup = reload_take(host->config->files);
    c->next = host->clients;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    host->clients = c;
    host->count++;
    if (tunnel != NULL) {
        fd_stream_init_socket(&c->tunnel.near, fd, "the client");
        c->tunnel.near.origin =
            ERR_OS; /* our end, which the peer is not told */
        forward_init(&c->tunnel.far, &tunnel->target, tunnel->connect_timeout);
    } else {
        fd_stream_init_socket(&c->wire, fd, "the peer");
        c->shaking = loop_limit_start(host->config->tls->handshake_timeout);
    }
    client_ready(&c->source);
    return 0;
}

static void stop(struct server_client *c, const struct loop *loop,
                 const struct err *why) {
    struct pollfd fds[CONN_FDS_MAX];
    const char *awaiting = "the server";
    struct err own = ERR_INIT;
    int64_t due;
    if (!c->begun && !is_tunnel(c)) {
        begin_tls(c);
    }
    if (c->begun) {
        (void)conn_wait(&c->conn, fds, &due, &awaiting);
    }
    const struct err *reason =
        loop_check(loop, awaiting, &own) != 0 ? &own : why;
    if (c->begun) {
        conn_stop(&c->conn, reason);
    } else {
        c->why = *reason;
    }
    client_ready(&c->source);
}

void server_client_stop_all(struct server_host *host, const struct loop *loop,
                            const struct err *why) {
    struct server_client *next;
    for (struct server_client *c = host->clients; c != NULL; c = next) {
        next = c->next;
        stop(c, loop, why);
    }
}
