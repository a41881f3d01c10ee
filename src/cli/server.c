#include "cli/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/conn.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/workers.h"
#include "io/events.h"
#include "io/fd_stream.h"

#define O struct server_options

const struct opt server_opts[] = {
    OPT_ROW_UINT(O, max_conns, 0, "max-conns", "N", 1, 1000000,
                 "serve so many clients at once, others wait (default: no "
                 "limit)"),
    OPT_ROW_DURATION(O, conn_max_time, 0, "conn-max-time",
                     "end each connection after this long"),
    OPT_ROW_DURATION(O, drain_timeout, 0, "drain-timeout",
                     "at SIGTERM, give the clients this long to end (default "
                     "5)"),
    OPT_ROW_UINT(O, workers, 0, "workers", "N", 1, WORKERS_MAX,
                 "serve with so many processes, for more processors; one that "
                 "dies is started anew"),
    OPT_END
};

#undef O

enum {
    ACCEPTS_MAX = 64, /* of one listener, before others have their turn */
    BACK_OFF_MS = 100 /* without a descriptor or memory for a client */
};

struct server;

/* One of them; the source comes first, so that it is a client. */
struct client {
    struct events_source source;
    struct server *server;
    struct client *prev, *next;
    struct tls_setup *setup;
    struct fd_stream wire;
    struct conn conn;
    struct pump pump;
    struct serve_link link;
    char peer[NET_ADDR_MAX], local[NET_ADDR_MAX];
};

/* A descriptor of the server's own, likewise. */
struct watched {
    struct events_source source;
    struct server *server;
    size_t i; /* of the listener */
};

struct server {
    const struct server_config *config;
    struct events events;
    struct conn_config conn;
    struct watched listeners[NET_LISTEN_MAX], wake, hup, usr1, clock;
    struct client *clients;
    unsigned count;                      /* of them */
    bool accepting;                      /* the listeners are watched */
    bool closed;                         /* no client is accepted any more */
    bool starved;                        /* and said so */
    bool ending;                         /* all are told to end */
    bool came;                           /* a client has */
    int64_t back_off_at_ms, drain_at_ms; /* 0: none */
    struct err err;                      /* why it ends */
    int status;                          /* of the one client */
    struct report *report;               /* of the client at hand */
};

static void watch_clock(struct server *s);

static void watch_fd(struct watched *w, int fd) {
    struct pollfd p = { .fd = fd, .events = POLLIN };
    events_watch(&w->source, &p, 1, 0);
}

/* Accept, or do not, whatever is the case by now. */
static void accept_or_not(struct server *s) {
    const struct net_listener *l = s->config->listener;
    unsigned most = s->config->limits->max_conns;
    bool now =
        !s->closed && s->back_off_at_ms == 0 && (most == 0 || s->count < most);
    for (size_t i = 0; i < l->n && now != s->accepting; i++) {
        if (now) {
            watch_fd(&s->listeners[i], l->fd[i]);
        } else {
            events_stop(&s->listeners[i].source);
        }
    }
    s->accepting = now;
    if (s->closed && s->count == 0) {
        events_end(&s->events);
    }
}

static struct report *report_begin(const struct server *s) {
    session_report_init(s->report, "serve", s->config->target);
    s->report->tls.server_side = true;
    return s->report;
}

static struct report *known_of(void *arg) {
    struct client *c = arg;
    struct report *r = report_begin(c->server);
    r->peer = c->peer;
    r->local = c->local;
    conn_report(&c->conn, r);
    conn_diagnose(&c->conn, r);
    return r;
}

static void unlink_client(struct client *c) {
    struct server *s = c->server;
    *(c->prev != NULL ? &c->prev->next : &s->clients) = c->next;
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    s->count--;
}

static void client_over(struct client *c) {
    struct server *s = c->server;
    struct report *r = known_of(c);
    if (s->config->once) {
        s->status = output_end(s->config->out, r);
    } else {
        output_client(s->config->out, r);
    }
    access_log_write(s->config->log, r);
    conn_free(&c->conn);
    pump_free(&c->pump);
    events_stop(&c->source);
    close(c->wire.stream.fd);
    reload_put(c->setup);
    unlink_client(c);
    free(c);
    s->back_off_at_ms = 0; /* a descriptor is free */
    accept_or_not(s);
}

static void client_start(struct client *c) {
    const struct serve_mode *mode = c->server->config->mode;
    struct err why = ERR_INIT;
    if (serve_link_start(&c->link, mode, known_of, c, &why) != 0) {
        conn_fail(&c->conn, &why);
        return;
    }
    const struct pump_config how = {
        .wire = &c->wire.stream,
        .on_eof = mode->options->http
                      ? PUMP_CLOSE
                      : tls_on_eof(c->server->config->tls, true),
    };
    pump_init(&c->pump, c->link.in, &c->conn.sock.stream, c->link.out, &how);
    conn_carry(&c->conn, &c->pump, &c->link);
}

static void client_ready(struct events_source *source) {
    struct client *c = (struct client *)source;
    struct pollfd fds[CONN_FDS_MAX];
    const char *awaiting;
    int64_t due;
    _Static_assert((int)CONN_FDS_MAX <= (int)EVENTS_FDS_MAX, "room");
    for (;;) {
        switch (conn_step(&c->conn)) {
        case CONN_SHAKEN:
            net_ack_now(c->wire.stream.fd);
            if (c->server->config->out->verbose > 0) {
                output_handshake(c->server->config->out, known_of(c));
            }
            client_start(c);
            break;
        case CONN_WAITS: {
            nfds_t n = conn_wait(&c->conn, fds, &due, &awaiting);
            events_watch(source, fds, n, due);
            return;
        }
        case CONN_BUSY:
            events_again(source);
            return;
        case CONN_ENDED:
            client_over(c);
            return;
        }
    }
}

/* @return whether there was the memory */
static bool client_begin(struct server *s, int fd, const struct net_path *p) {
    struct client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        close(fd);
        return false;
    }
    c->server = s;
    memcpy(c->peer, p->address, sizeof c->peer);
    memcpy(c->local, p->local, sizeof c->local);
    events_source_init(&c->source, &s->events, client_ready);
    c->setup = reload_take(s->config->files);
    fd_stream_init_socket(&c->wire, fd, "the peer");
    conn_init(&c->conn, &s->conn, c->setup, &c->wire.stream, c->peer,
              loop_now_us());
    c->next = s->clients;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    s->clients = c;
    s->count++;
    s->came = true;
    s->closed |= s->config->once;
    client_ready(&c->source);
    return true;
}

/* Nothing is free for another client: let them wait. */
static void back_off(struct server *s, const struct err *why) {
    char line[sizeof why->msg + 40];
    if (!s->starved) {
        snprintf(line, sizeof line, "%s: the next clients wait", why->msg);
        output_warning(s->config->out, line);
    }
    s->starved = true;
    s->back_off_at_ms = loop_now_ms() + BACK_OFF_MS;
    watch_clock(s);
}

/* All clients, and with the last of them the server. */
static void end_all(struct server *s, const struct err *why) {
    struct client *next;
    s->closed = s->ending = true;
    if (s->err.origin == ERR_NONE) {
        s->err = *why;
    }
    for (struct client *c = s->clients; c != NULL; c = next) {
        struct pollfd fds[CONN_FDS_MAX];
        const char *awaiting;
        int64_t due;
        struct err own = ERR_INIT;
        next = c->next;
        (void)conn_wait(&c->conn, fds, &due, &awaiting);
        int rc = loop_check(s->config->loop, awaiting, &own);
        conn_stop(&c->conn, rc != 0 ? &own : why);
        client_ready(&c->source);
    }
    accept_or_not(s);
}

static void listener_ready(struct events_source *source) {
    struct watched *w = (struct watched *)source;
    struct server *s = w->server;
    for (int i = 0; i < ACCEPTS_MAX && s->accepting; i++) {
        struct err why = ERR_INIT;
        struct net_path path;
        int fd = net_accept_now(s->config->listener, w->i, &path, &why);
        if (fd >= 0) {
            s->starved = false;
            if (!client_begin(s, fd, &path)) {
                err_set(&why, ERR_OS, ENOMEM, "out of memory");
                back_off(s, &why);
            }
            accept_or_not(s);
        } else if (why.origin == ERR_NONE) {
            return;
        } else if (net_starved(&why)) {
            back_off(s, &why);
            accept_or_not(s);
        } else {
            end_all(s, &why);
        }
    }
}

static void wake_ready(struct events_source *source) {
    struct server *s = ((struct watched *)source)->server;
    struct err why = ERR_INIT;
    if (!signals_hear()) {
        events_stop(source);
    }
    if (loop_check(s->config->loop, "a client", &why) == 0) {
        return;
    }
    int64_t drain = s->config->limits->drain_timeout;
    if (why.code != SIGTERM || drain == 0 || s->config->once || s->closed) {
        end_all(s, &why);
        return;
    }
    s->err = why;
    s->closed = true;
    s->drain_at_ms = loop_limit_start(drain).at_ms;
    watch_clock(s);
    accept_or_not(s);
    net_listener_close(s->config->listener); /* others are refused */
}

static void hup_ready(struct events_source *source) {
    struct server *s = ((struct watched *)source)->server;
    struct err why = ERR_INIT;
    if (reload_now(s->config->files, &why) != 0) {
        end_all(s, &why);
    }
}

static void usr1_ready(struct events_source *source) {
    access_log_reopen(((struct watched *)source)->server->config->log);
}

static void sooner(int64_t *due, int64_t at) {
    if (at != 0 && (*due == 0 || at < *due)) {
        *due = at;
    }
}

static void watch_clock(struct server *s) {
    int64_t due = s->back_off_at_ms;
    if (!s->ending) {
        sooner(&due, s->drain_at_ms);
        sooner(&due, s->config->loop->max_at_ms);
    }
    events_watch(&s->clock.source, NULL, 0, due);
}

static void clock_ready(struct events_source *source) {
    struct server *s = ((struct watched *)source)->server;
    struct err why = ERR_INIT;
    int64_t now = loop_now_ms();
    if (!s->ending && ((s->drain_at_ms != 0 && now >= s->drain_at_ms) ||
                       (s->drain_at_ms == 0 &&
                        loop_check(s->config->loop, "a client", &why) != 0))) {
        end_all(s, &why);
    }
    if (s->back_off_at_ms != 0 && now >= s->back_off_at_ms) {
        s->back_off_at_ms = 0;
        accept_or_not(s);
    }
    watch_clock(s);
}

static void watched_init(struct server *s, struct watched *w, size_t i,
                         events_ready *ready) {
    w->server = s;
    w->i = i;
    events_source_init(&w->source, &s->events, ready);
}

int server_run(const struct server_config *config, struct report *r) {
    static struct report at_hand;
    struct server s = {
        .config = config,
        .conn = { .options = config->tls,
                  .out = config->out,
                  .local_fd = -1,
                  .max_time = config->limits->conn_max_time,
                  .many = !config->once },
        .report = &at_hand,
    };
    if (events_init(&s.events, &r->err) != 0) {
        return session_end(config->out, r);
    }
    for (size_t i = 0; i < config->listener->n; i++) {
        watched_init(&s, &s.listeners[i], i, listener_ready);
    }
    watched_init(&s, &s.wake, 0, wake_ready);
    watched_init(&s, &s.hup, 0, hup_ready);
    watched_init(&s, &s.usr1, 0, usr1_ready);
    watched_init(&s, &s.clock, 0, clock_ready);
    watch_fd(&s.wake, config->loop->wake_fd);
    watch_fd(&s.hup, config->files->fd);
    watch_fd(&s.usr1, config->log->usr1_fd);
    watch_clock(&s);
    accept_or_not(&s);
    events_run(&s.events);
    events_free(&s.events);
    if (config->once && s.came) {
        return s.status;
    }
    r->err = s.err;
    bool parents = config->worker &&
                   (s.err.origin == ERR_SIGNAL || s.err.origin == ERR_MAX_TIME);
    return parents ? 0 : session_end(config->out, r);
}
