#include "cli/probe.h"

#include <stdio.h>
#include <string.h>

#include "cli/probe_ask.h"
#include "cli/probe_device.h"

enum {
    TLS13 = 0x0304,
    TLS12 = 0x0303,
    PROTOCOL_VERSION = 70, /* the alert */
    RESERVED = 30          /* connections kept for the devices */
};

static const uint16_t versions[] = { TLS13, TLS12, 0x0302, 0x0301, 0x0300 };

static void add_all(struct ssl_ids *to, const struct ssl_ids *from) {
    for (size_t i = 0; i < from->n; i++) {
        ssl_ids_add(to, from->id[i]);
    }
}

/* Of the suites that few servers take those that this one does. */
static int rare_ciphers(struct probe *p, const struct ssl_offer *offer,
                        struct ssl_ids *found) {
    struct ssl_ids some;
    for (size_t at = 0;; at += some.n) {
        probe_ciphers(PROBE_RARE, at, &some);
        if (some.n == 0) {
            return 0;
        }
        if (probe_exhaust(p, offer, SSL_KIND_CIPHER, &some, SSL_IDS_MAX,
                          found) != 0) {
            return -1;
        }
    }
}

/* Whose order it is: ask for the same in the reverse one. */
static int find_order(struct probe *p, const struct ssl_offer *offer,
                      struct report_version *v) {
    struct ssl_offer o = *offer;
    struct ssl_ids *ids = &o.of[SSL_KIND_CIPHER];
    struct ssl_chosen chosen;
    if (v->ciphers.n < 2) {
        return 0;
    }
    ids->n = v->ciphers.n;
    for (size_t i = 0; i < ids->n; i++) {
        ids->id[i] = v->ciphers.id[ids->n - 1 - i];
    }
    int taken = probe_ask(p, &o, &chosen);
    v->order_known = taken > 0;
    v->own_order = taken > 0 && chosen.cipher == v->ciphers.id[0];
    return taken < 0 ? -1 : 0;
}

/* Any suite will do. */
int probe_version(struct probe *p, struct report_version *v) {
    struct ssl_offer o;
    struct ssl_chosen chosen;
    probe_offer(p, v->version, &o);
    struct ssl_ids *ids = &o.of[SSL_KIND_CIPHER];
    int taken = probe_ask(p, &o, &chosen);
    if (taken == 0) {
        memcpy(v->refusal, p->refusal, sizeof v->refusal);
    }
    bool over = p->alert == PROTOCOL_VERSION || v->version == TLS13;
    for (size_t at = 0; taken == 0 && !over; at += ids->n) {
        probe_ciphers(PROBE_RARE, at, ids);
        if (ids->n == 0) {
            break;
        }
        taken = probe_ask(p, &o, &chosen);
    }
    v->accepted = taken > 0;
    return taken < 0 ? -1 : 0;
}

static int ask_ciphers(struct probe *p, struct report_version *v) {
    struct ssl_offer o;
    probe_offer(p, v->version, &o);
    struct ssl_ids *ids = &o.of[SSL_KIND_CIPHER];
    struct ssl_ids rare = { .n = 0 };
    int rc = v->version == TLS13 ? 0 : rare_ciphers(p, &o, &rare);
    add_all(ids, &rare); /* the order is that of all together */
    if (rc == 0) {
        rc = probe_exhaust(p, &o, SSL_KIND_CIPHER, ids, SSL_IDS_MAX,
                           &v->ciphers);
    }
    add_all(&v->ciphers, &rare);
    return rc != 0 ? rc : find_order(p, &o, v);
}

/* In TLS 1.2 the list says as well what curve the certificate's key may have:
 * without that one the server may refuse though it takes the group. */
static int ask_groups(struct probe *p, struct report_version *v) {
    struct ssl_offer o;
    probe_offer(p, v->version, &o);
    struct ssl_ids *ids = &o.of[SSL_KIND_CIPHER];
    struct ssl_ids all = o.of[SSL_KIND_GROUP], left;
    bool tls13 = v->version == TLS13;
    if (!tls13) {
        probe_only(ids, "TLS_ECDHE_");
    }
    if (probe_exhaust(p, &o, SSL_KIND_GROUP, &all, SSL_IDS_MAX, &v->groups) !=
            0 ||
        tls13 || v->groups.n == 0) {
        return p->err.origin == ERR_NONE ? 0 : -1;
    }
    size_t before;
    do { /* the new ones first, those known after them */
        before = v->groups.n;
        left.n = 0;
        for (size_t i = 0; i < all.n; i++) {
            if (!ssl_ids_has(&v->groups, all.id[i])) {
                ssl_ids_add(&left, all.id[i]);
            }
        }
        add_all(&left, &v->groups);
        if (probe_exhaust(p, &o, SSL_KIND_GROUP, &left, 1, &v->groups) != 0) {
            return -1;
        }
    } while (v->groups.n > before);
    return 0;
}

static int ask_sig_algs(struct probe *p, struct report_version *v) {
    struct ssl_offer o;
    probe_offer(p, v->version, &o);
    return v->version != TLS12 /* before, they are not said */
               ? 0
               : probe_sig_algs(p, &o.of[SSL_KIND_SIG_ALG], SSL_IDS_MAX,
                                &v->sig_algs);
}

/* Without SNI the same question must have the same answer. */
static int ask_without_name(struct probe *p, const struct report_version *v,
                            struct report_probe *out) {
    struct ssl_offer o;
    struct ssl_chosen chosen;
    probe_offer(p, v->version, &o);
    if (o.server_name[0] == '\0') {
        return 0;
    }
    o.server_name[0] = '\0';
    int taken = probe_ask(p, &o, &chosen);
    out->name_tried = taken >= 0;
    out->name_needed = taken == 0;
    return taken < 0 ? -1 : 0;
}

/* Extensions that a server answers with where it has them; of those for TLS 1.2
 * one is for suites in CBC mode only (RFC 7366). */
static int ask_extensions(struct probe *p, const struct report_version *v) {
    static const uint16_t wanted[] = { 1, 22, 35 };
    struct ssl_offer o;
    struct ssl_chosen chosen;
    char name[SSL_LABEL_MAX];
    probe_offer(p, v->version, &o);
    struct ssl_ids *ids = &o.of[SSL_KIND_CIPHER], all = *ids;
    ids->n = 0;
    for (size_t i = 0; i < all.n; i++) {
        ssl_name(SSL_KIND_CIPHER, all.id[i], name);
        if (strstr(name, "_CBC_") != NULL) {
            ssl_ids_add(ids, all.id[i]);
        }
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        ssl_ids_add(&o.of[SSL_KIND_EXTENSION], wanted[i]);
    }
    int taken = probe_ask(p, &o, &chosen);
    if (taken == 0) {
        *ids = all;
        taken = probe_ask(p, &o, &chosen);
    }
    return taken < 0 ? -1 : 0;
}

/* First what costs few questions, then the suites, the newest version's
 * first. */
static int ask_all(struct probe *p, struct report_probe *out) {
    struct report_version *best = NULL, *best12 = NULL;
    p->doing = "versions";
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        struct report_version *v = &out->versions[out->version_count++];
        v->version = versions[i];
        if (probe_version(p, v) != 0) {
            return -1;
        }
        if (v->accepted) {
            best = best != NULL ? best : v;
            best12 = best12 != NULL || v->version == TLS13 ? best12 : v;
        }
    }
    if (best == NULL) {
        return 0;
    }
    p->doing = "groups, signatures, extensions";
    if ((best != best12 && ask_groups(p, best) != 0) ||
        (best12 != NULL &&
         (ask_groups(p, best12) != 0 || ask_sig_algs(p, best12) != 0 ||
          ask_extensions(p, best12) != 0)) ||
        ask_without_name(p, best, out) != 0) {
        return -1;
    }
    p->doing = "suites";
    for (size_t i = 0; i < out->version_count; i++) {
        struct report_version *v = &out->versions[i];
        if (v->accepted && ask_ciphers(p, v) != 0) {
            return -1;
        }
    }
    return 0;
}

static void sum_up(const struct probe *p, struct report_probe *out) {
    struct ssl_offer *a = &out->accepted;
    a->known = true;
    for (size_t i = 0; i < out->version_count; i++) {
        const struct report_version *v = &out->versions[i];
        if (v->accepted) {
            ssl_ids_add(&a->of[SSL_KIND_VERSION], v->version);
        }
        add_all(&a->of[SSL_KIND_CIPHER], &v->ciphers);
        add_all(&a->of[SSL_KIND_GROUP], &v->groups);
        add_all(&a->of[SSL_KIND_SIG_ALG], &v->sig_algs);
        out->server_chooses |= v->own_order;
    }
    add_all(&a->of[SSL_KIND_EXTENSION], &p->extensions);
    out->certificate_wanted |= p->certificate_wanted;
    out->connections = p->connections;
    snprintf(out->stopped, sizeof out->stopped, "%s", p->err.msg);
}

int probe_all(const struct probe_config *c, struct report_probe *out,
              struct err *err) {
    static struct probe p;
    memset(out, 0, sizeof *out);
    if (probe_begin(&p, c, PROBE_CONNECTIONS_MAX - RESERVED, err) != 0) {
        return -1;
    }
    int rc = ask_all(&p, out);
    p.limit = PROBE_CONNECTIONS_MAX;
    bool out_of_questions = p.err.origin == ERR_NET && p.err.code == 0;
    if (rc == 0 || (out_of_questions && p.answered)) {
        struct err before = p.err;
        p.err = (struct err)ERR_INIT;
        if (probe_devices(&p, out) == 0) {
            p.err = before;
        }
    }
    sum_up(&p, out);
    probe_end(&p);
    return probe_ended(&p, err);
}
