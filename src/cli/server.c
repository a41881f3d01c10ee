#include "cli/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/server_client.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "io/events.h"
#include "io/notify.h"

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
    OPT_END
};

#undef O

enum {
    ACCEPTS_MAX = 64, /* of one listener, before others have their turn */
    BACK_OFF_MS = 100 /* without a descriptor or memory for a client */
};

struct server;

/* A descriptor of the server's own; the source comes first. */
struct watched {
    struct events_source source;
    struct server *server;
    size_t i; /* of the listener */
};

/* The host comes first, so that it is a server. */
struct server {
    struct server_host host;
    const struct server_config *config;
    struct events events;
    struct watched listeners[NET_LISTEN_MAX], wake, hup, usr1, clock;
    bool accepting;                      /* the listeners are watched */
    bool closed;                         /* no client is accepted any more */
    bool starved;                        /* and said so */
    bool ending;                         /* all are told to end */
    bool came;                           /* a client has */
    int64_t back_off_at_ms, drain_at_ms; /* 0: none */
    struct err err;                      /* why it ends */
    int status;                          /* of the one client */
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
    bool now = !s->closed && s->back_off_at_ms == 0 &&
               (most == 0 || s->host.count < most);
    for (size_t i = 0; i < l->n && now != s->accepting; i++) {
        if (now) {
            watch_fd(&s->listeners[i], l->fd[i]);
        } else {
            events_stop(&s->listeners[i].source);
        }
    }
    s->accepting = now;
    if (s->closed && s->host.count == 0) {
        events_end(&s->events);
    }
}

static void client_over(struct server_host *host, int status) {
    struct server *s = (struct server *)host;
    s->status = status;
    s->back_off_at_ms = 0; /* a descriptor is free */
    accept_or_not(s);
}

static int take(struct server *s, int fd, const struct net_peer *from,
                struct err *err) {
    s->came = true;
    s->closed |= s->config->once;
    return server_client_begin(&s->host, fd, from, err);
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
    if (!s->closed) {
        notify_send(s->config->notify, "STOPPING=1");
    }
    s->closed = s->ending = true;
    if (s->err.origin == ERR_NONE) {
        s->err = *why;
    }
    server_client_stop_all(&s->host, s->config->loop, why);
    accept_or_not(s);
}

static void listener_ready(struct events_source *source) {
    struct watched *w = (struct watched *)source;
    struct server *s = w->server;
    for (int i = 0; i < ACCEPTS_MAX && s->accepting; i++) {
        struct err why = ERR_INIT;
        struct net_peer from;
        int fd = net_accept_now(s->config->listener, w->i, &from, &why);
        if (fd >= 0) {
            s->starved = false;
            if (take(s, fd, &from, &why) != 0) {
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
    notify_send(s->config->notify, "STOPPING=1");
    s->err = why;
    s->closed = true;
    s->drain_at_ms = loop_limit_start(drain).at_ms;
    watch_clock(s);
    accept_or_not(s);
    net_listener_close(s->config->listener); /* others are refused */
}

int server_reload(struct reload *files, int notify, struct err *err) {
    notify_reloading(notify);
    int rc = reload_now(files, err);
    notify_ready(notify, NULL);
    return rc;
}

static void hup_ready(struct events_source *source) {
    struct server *s = ((struct watched *)source)->server;
    struct err why = ERR_INIT;
    if (server_reload(s->config->files, s->config->notify, &why) != 0) {
        end_all(s, &why);
    }
}

static void usr1_ready(struct events_source *source) {
    access_log_reopen(((struct watched *)source)->server->config->log);
}

static void watch_clock(struct server *s) {
    int64_t due = s->back_off_at_ms;
    if (!s->ending) {
        loop_sooner(&due, s->drain_at_ms);
        loop_sooner(&due, s->config->loop->max_at_ms);
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

/* A client that somebody else has accepted is the only one. */
static void take_accepted(struct server *s) {
    struct err why = ERR_INIT;
    struct net_peer from;
    int fd = s->config->accepted;
    if (fd >= 0 &&
        (net_accepted(fd, &from, &why) != 0 || take(s, fd, &from, &why) != 0)) {
        end_all(s, &why);
    }
}

static void watched_init(struct server *s, struct watched *w, size_t i,
                         events_ready *ready) {
    w->server = s;
    w->i = i;
    events_source_init(&w->source, &s->events, ready);
}

int server_check_ready(unsigned fd, struct err *err) {
    return fd == 0 || fcntl((int)fd, F_GETFD) >= 0
               ? 0
               : err_set(err, ERR_USAGE, 0, "--ready-fd %u: %s", fd,
                         strerror(errno));
}

static int tell_ready(unsigned fd, const char *address, struct err *err) {
    char line[NET_ADDR_MAX + 1];
    if (fd == 0) {
        return 0;
    }
    int n = snprintf(line, sizeof line, "%s\n", address);
    if (write((int)fd, line, (size_t)n) != n) {
        return err_set(err, ERR_OS, errno, "--ready-fd %u: %s", fd,
                       strerror(errno));
    }
    if (fd > STDERR_FILENO) {
        close((int)fd);
    }
    return 0;
}

int server_tell(const struct net_listener *l, const struct output *out,
                unsigned ready_fd, struct err *err) {
    for (size_t i = 0; i < l->n; i++) {
        output_listening(out, l->address[i]);
    }
    return tell_ready(ready_fd, l->address[0], err);
}

int server_run(const struct server_config *config, struct report *r) {
    static struct report at_hand;
    const struct server_tunnel *tunnel = config->tunnel;
    struct server s = {
        .host = { .config = config,
                  .conn = { .options = config->tls,
                            .out = config->out,
                            .server_hostname =
                                tunnel != NULL ? tunnel->server_hostname : NULL,
                            .local_fd = -1,
                            .max_time = config->limits->conn_max_time,
                            .many = !config->once,
                            .handed_over = config->accepted >= 0 },
                  .report = &at_hand,
                  .over = client_over },
        .config = config,
    };
    s.host.events = &s.events;
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
    take_accepted(&s);
    if (!s.closed || s.host.count > 0) {
        events_run(&s.events);
    }
    events_free(&s.events);
    if (config->once && s.came) {
        return s.status;
    }
    r->err = s.err;
    bool parents = config->worker &&
                   (s.err.origin == ERR_SIGNAL || s.err.origin == ERR_MAX_TIME);
    return parents ? 0 : session_end(config->out, r);
}
