#include <mbedtls/ssl.h>
#include <string.h>

#include "cli/probe_ask.h"

enum { CIPHERS_MAX = 512, TLS13 = 0x0304 };

struct ranked {
    uint16_t id;
    unsigned char rank;
};

static bool begins(const char *s, const char *head) {
    return strncmp(s, head, strlen(head)) == 0;
}

static bool has_one(const char *s, const char *const *words) {
    for (; *words != NULL; words++) {
        if (strstr(s, *words) != NULL) {
            return true;
        }
    }
    return false;
}

static enum probe_rank rank_of(const char *name) {
    static const char *const usual[] = { "TLS_ECDHE_RSA_WITH",
                                         "TLS_ECDHE_ECDSA_WITH",
                                         "TLS_DHE_RSA_WITH", "TLS_RSA_WITH",
                                         NULL };
    static const char *const odd[] = { "NULL", "ARIA",  "IDEA", "RC2",
                                       "SEED", "_DES_", NULL };
    if (strstr(name, "_WITH_") == NULL) {
        return PROBE_TLS13;
    }
    return has_one(name, usual) && !has_one(name, odd) ? PROBE_USUAL
                                                       : PROBE_RARE;
}

/* What a name says is no suite: signals (RFC 5746, RFC 7507) and GREASE. */
static bool is_suite(unsigned id, const char *name) {
    return begins(name, "TLS_") && strstr(name, "SCSV") == NULL &&
           !ssl_name_grease(id);
}

static void add_ranked(struct ranked *list, size_t *n, unsigned id) {
    char name[SSL_LABEL_MAX];
    ssl_name(SSL_KIND_CIPHER, id, name);
    for (size_t i = 0; i < *n; i++) {
        if (list[i].id == id) {
            return;
        }
    }
    if (*n < CIPHERS_MAX && is_suite(id, name)) {
        list[*n].id = (uint16_t)id;
        list[(*n)++].rank = (unsigned char)rank_of(name);
    }
}

void probe_ciphers(enum probe_rank rank, size_t from, struct ssl_ids *out) {
    static struct ranked list[CIPHERS_MAX];
    static size_t n;
    if (n == 0) {
        /* The best first: a server without an order of its own goes by it. */
        const int *ours = mbedtls_ssl_list_ciphersuites();
        for (; *ours != 0; ours++) {
            add_ranked(list, &n, (unsigned)*ours);
        }
        for (unsigned id = 0; id <= 0xFFFF; id++) {
            add_ranked(list, &n, id);
        }
    }
    out->n = 0;
    for (size_t i = 0; i < n && out->n < SSL_IDS_MAX; i++) {
        if (list[i].rank == rank && from-- == 0) {
            from = 0;
            out->id[out->n++] = list[i].id;
        }
    }
}

/* All that have a name, those in `first` before the others. */
static void named(enum ssl_kind kind, const uint16_t *first,
                  bool (*wanted)(unsigned id), struct ssl_ids *out) {
    char name[SSL_LABEL_MAX];
    out->n = 0;
    for (; *first != 0; first++) {
        ssl_ids_add(out, *first);
    }
    for (unsigned id = 1; id <= 0xFFFF; id++) {
        if (wanted(id) && !begins(ssl_name(kind, id, name), "0x") &&
            !ssl_name_grease(id)) {
            ssl_ids_add(out, id);
        }
    }
}

/* RFC 8422 5.1.1: not those that mean "any curve". */
static bool is_group(unsigned id) {
    return id < 0xFF00;
}

/* RFC 8446 4.2.7: the curves before secp256r1 are not for TLS 1.3. */
static bool is_group13(unsigned id) {
    return id >= 0x0017 && id < 0xFF00;
}

static bool is_sig_alg(unsigned id) {
    return id >= 0x0200 && id < 0x1000;
}

void probe_offer(const struct probe *p, unsigned version,
                 struct ssl_offer *offer) {
    static const uint16_t groups[] = { 0x001D, 0x0017, 0x0018, 0x0019, 0 };
    static const uint16_t sig_algs[] = { 0x0403, 0x0503, 0x0603, 0x0804, 0x0805,
                                         0x0806, 0x0401, 0x0501, 0x0601, 0 };
    bool tls13 = version >= TLS13;
    memset(offer, 0, sizeof *offer);
    ssl_ids_add(&offer->of[SSL_KIND_VERSION], version);
    probe_ciphers(tls13 ? PROBE_TLS13 : PROBE_USUAL, 0,
                  &offer->of[SSL_KIND_CIPHER]);
    named(SSL_KIND_GROUP, groups, tls13 ? is_group13 : is_group,
          &offer->of[SSL_KIND_GROUP]);
    named(SSL_KIND_SIG_ALG, sig_algs, is_sig_alg, &offer->of[SSL_KIND_SIG_ALG]);
    const char *name = p->config->server_name;
    if (name != NULL && strlen(name) < sizeof offer->server_name) {
        strcpy(offer->server_name, name);
    }
}

void probe_only(struct ssl_ids *ids, const char *head) {
    char name[SSL_LABEL_MAX];
    size_t n = 0;
    for (size_t i = 0; i < ids->n; i++) {
        if (begins(ssl_name(SSL_KIND_CIPHER, ids->id[i], name), head)) {
            ids->id[n++] = ids->id[i];
        }
    }
    ids->n = n;
}
