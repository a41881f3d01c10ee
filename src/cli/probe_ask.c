#include "cli/probe_ask.h"

#include <mbedtls/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/fd_stream.h"
#include "tls/ssl_alert.h"

enum {
    SILENT_MAX = 3, /* questions that may wait for their time-out, twice */
    ODD_MAX = 6     /* questions to what may be no TLS server */
};

/* How one try ended. */
enum tried { TAKEN, REFUSED, ODD, SILENT, UNREACHED, STOPPED };

int probe_begin(struct probe *p, const struct probe_config *config,
                unsigned limit, struct err *err) {
    memset(p, 0, sizeof *p);
    p->config = config;
    p->limit = limit;
    p->alert = -1;
    p->doing = "";
    return net_parse_target(config->address, &p->target, err);
}

void probe_end(const struct probe *p) {
    if (p->config->progress) {
        fputs("\r\033[K", stderr);
    }
}

int probe_ended(const struct probe *p, struct err *err) {
    if (p->err.origin != ERR_SIGNAL && p->err.origin != ERR_MAX_TIME &&
        p->err.origin != ERR_OS) {
        return 0;
    }
    return err_set(err, p->err.origin, p->err.code, "%s", p->err.msg);
}

static bool remove_id(struct ssl_ids *ids, unsigned id) {
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->id[i] == id) {
            memmove(ids->id + i, ids->id + i + 1,
                    (ids->n - i - 1) * sizeof ids->id[0]);
            ids->n--;
            return true;
        }
    }
    return false;
}

static bool ends_the_run(const struct err *e) {
    return e->origin == ERR_SIGNAL || e->origin == ERR_MAX_TIME ||
           e->origin == ERR_OS || e->origin == ERR_TLS;
}

/* @return a socket, or -1: UNREACHED or STOPPED */
static int dial(struct probe *p, enum tried *how, struct err *err) {
    struct net_path path;
    if (p->config->progress) {
        fprintf(stderr, "\r\033[Kmptls: asked %u times; now for %s",
                p->connections, p->doing);
        fflush(stderr);
    }
    if (p->connections >= p->limit) {
        err_set(err, ERR_NET, 0, "the limit of %u connections is reached",
                p->limit);
        *how = STOPPED;
        return -1;
    }
    p->connections++;
    int fd = net_connect(p->config->loop, p->target.host, p->target.port,
                         p->config->connect_timeout, &path, err);
    *how = ends_the_run(err) ? STOPPED : UNREACHED;
    return fd;
}

/* Wait for what a stream's answer asks for. */
static int wait_for(const struct probe *p, int fd, int want,
                    const struct loop_limit *limit, const char *awaiting,
                    struct err *err) {
    struct pollfd one = { .fd = fd,
                          .events = want == STREAM_WANT_RD ? POLLIN : POLLOUT };
    return loop_wait(p->config->loop, &one, 1, limit, awaiting, err);
}

static enum tried answer_of(struct probe *p, const struct ssl_probe *q,
                            struct ssl_chosen *chosen) {
    switch (q->answer) {
    case SSL_PROBE_CHOSEN:
        *chosen = q->chosen;
        p->certificate_wanted |= q->certificate_wanted;
        for (size_t i = 0; i < q->chosen.extensions.n; i++) {
            ssl_ids_add(&p->extensions, q->chosen.extensions.id[i]);
        }
        return TAKEN;
    case SSL_PROBE_ALERT:
        p->alert = q->alert;
        snprintf(p->refusal, sizeof p->refusal, "alert %s (%d)",
                 ssl_alert_name(q->alert), q->alert);
        return REFUSED;
    case SSL_PROBE_NOT_TLS:
        snprintf(p->refusal, sizeof p->refusal, "an answer that is not TLS");
        return ODD;
    default:
        snprintf(p->refusal, sizeof p->refusal, "closed the connection");
        return ODD;
    }
}

static enum tried try_once(struct probe *p, const struct ssl_offer *offer,
                           struct ssl_chosen *chosen, struct err *err) {
    struct ssl_probe q;
    struct fd_stream lower;
    enum tried how = STOPPED;
    int want = STREAM_ERROR;
    int fd = dial(p, &how, err);
    if (fd < 0) {
        return how;
    }
    fd_stream_init_socket(&lower, fd, "the peer");
    struct loop_limit limit = loop_limit_start(p->config->handshake_timeout);
    if (ssl_probe_init(&q, &lower.stream, offer, err) == 0) {
        while ((want = ssl_probe_run(&q, err)) < STREAM_ERROR) {
            if (wait_for(p, fd, want, &limit, "an answer to a hello", err) !=
                0) {
                break;
            }
        }
    }
    close(fd);
    if (want == 0) {
        return answer_of(p, &q, chosen);
    }
    if (ends_the_run(err)) {
        return STOPPED;
    }
    snprintf(p->refusal, sizeof p->refusal, "%s",
             err->origin == ERR_TIMEOUT ? "no answer in time"
                                        : "reset the connection");
    return err->origin == ERR_TIMEOUT ? SILENT : ODD;
}

static int stop(struct probe *p, const struct err *why) {
    if (p->err.origin == ERR_NONE) {
        p->err = *why;
    }
    return -1;
}

static int is_offered(struct probe *p, const struct ssl_offer *offer,
                      const struct ssl_chosen *chosen) {
    char name[SSL_LABEL_MAX];
    static const enum ssl_kind kinds[] = { SSL_KIND_VERSION, SSL_KIND_CIPHER };
    const uint16_t ids[] = { chosen->version, chosen->cipher };
    for (size_t i = 0; i < 2; i++) {
        if (!ssl_ids_has(&offer->of[kinds[i]], ids[i])) {
            snprintf(p->refusal, sizeof p->refusal,
                     "chose %s, which was not offered",
                     ssl_name(kinds[i], ids[i], name));
            return 0;
        }
    }
    return 1;
}

int probe_ask(struct probe *p, const struct ssl_offer *offer,
              struct ssl_chosen *chosen) {
    struct err why = ERR_INIT;
    p->alert = -1;
    enum tried how = try_once(p, offer, chosen, &why);
    if (how == ODD || how == SILENT || how == UNREACHED) {
        enum tried first = how;
        why = (struct err)ERR_INIT;
        how = try_once(p, offer, chosen, &why);
        p->silent += first == SILENT && how == SILENT;
    }
    if (how == STOPPED || how == UNREACHED) {
        return stop(p, &why);
    }
    p->answered |= how == TAKEN || how == REFUSED;
    p->odd += !p->answered;
    if (p->silent >= (p->answered ? SILENT_MAX : 1) ||
        (!p->answered && p->odd >= ODD_MAX)) {
        why = (struct err)ERR_INIT;
        err_set(&why, ERR_NET, 0,
                "the server was asked %u times, the last "
                "answer: %s",
                p->connections, p->refusal);
        return stop(p, &why);
    }
    return how == TAKEN ? is_offered(p, offer, chosen) : 0;
}

int probe_exhaust(struct probe *p, const struct ssl_offer *offer,
                  enum ssl_kind kind, const struct ssl_ids *candidates,
                  size_t most, struct ssl_ids *out) {
    struct ssl_offer o = *offer;
    struct ssl_ids *left = &o.of[kind];
    *left = *candidates;
    for (size_t found = 0; left->n > 0 && found < most; found++) {
        struct ssl_chosen chosen;
        int taken = probe_ask(p, &o, &chosen);
        if (taken <= 0) {
            return taken;
        }
        unsigned id = kind == SSL_KIND_CIPHER  ? chosen.cipher
                      : kind == SSL_KIND_GROUP ? chosen.group
                                               : chosen.sig_alg;
        if (!remove_id(left, id)) { /* it does not go by the list */
            return 0;
        }
        ssl_ids_add(out, id);
    }
    return 0;
}

int probe_sig_algs(struct probe *p, const struct ssl_ids *candidates,
                   size_t most, struct ssl_ids *out) {
    static const char *const keys[] = { "TLS_ECDHE_ECDSA_", "TLS_ECDHE_RSA_" };
    enum { TLS12 = 0x0303 };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct ssl_offer o;
        probe_offer(p, TLS12, &o);
        probe_only(&o.of[SSL_KIND_CIPHER], keys[i]);
        if (probe_exhaust(p, &o, SSL_KIND_SIG_ALG, candidates, most, out) !=
            0) {
            return -1;
        }
    }
    return 0;
}

/* The most records that one message of the peer's was spread over. */
static void count_records(void *arg, const struct ssl_tap_message *m) {
    unsigned *most = arg;
    if (!m->out && m->records > *most) {
        *most = m->records;
    }
}

int probe_shake(struct probe *p, struct ssl_context *ctx, const char *name,
                struct ssl_info *info, struct err *why) {
    static char cipher[SSL_CIPHER_NAME_MAX];
    static struct ssl_socket sock;
    struct fd_stream lower;
    enum tried how;
    int fd = dial(p, &how, why);
    if (fd < 0) {
        return stop(p, why);
    }
    fd_stream_init_socket(&lower, fd, "the peer");
    struct loop_limit limit = loop_limit_start(p->config->handshake_timeout);
    int want = ssl_context_wrap_socket(ctx, &sock, &lower.stream,
                                       name != NULL ? name : "", why);
    p->records = 0;
    ssl_socket_listen(&sock, count_records, &p->records);
    while (want == 0 &&
           (want = ssl_socket_do_handshake(&sock, why)) < STREAM_ERROR) {
        want = wait_for(p, fd, want, &limit, ssl_socket_awaiting(&sock), why);
    }
    ssl_socket_info(&sock, info, cipher);
    p->certificate_wanted |= sock.tap.certificate_wanted;
    if (want == 0 && info->handshake_done) {
        struct err ignored = ERR_INIT;
        (void)ssl_socket_end(&sock, &ignored);
    }
    ssl_socket_free(&sock);
    close(fd);
    bool ended = why->origin == ERR_SIGNAL || why->origin == ERR_MAX_TIME ||
                 why->origin == ERR_OS;
    return ended ? stop(p, why) : 0;
}
