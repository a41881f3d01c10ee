/*
 * ssl_common.c - what two offers have in common, and what they lack.
 */
#include <mbedtls/ecp.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tls/ssl_diagnose.h"
#include "tls/ssl_own_key.h"
#include "tls/ssl_suite.h"

enum { TLS12 = 0x0303, TLS13 = 0x0304, SHOWN = 3 };

struct look {
    const struct ssl_context *ctx;
    struct ssl_info *info;
    const struct ssl_offer *client, *server;
    unsigned version;
    const struct board *board; /* NULL: not known by its hello */
};

/* Boards that can be told by their suites, and what can be done there. */
static const struct board {
    uint16_t ciphers[20];
    const char *ciphers_there, *versions_there;
} boards[] = {
    { { 0x002F, 0x003C, 0x0035, 0x003D },
      "nothing: MicroPython on ESP8266 has no suites but these",
      "nothing: MicroPython on ESP8266 has no TLS 1.3" },
    { { 0xC024, 0xC00A, 0xC023, 0xC009, 0x003D, 0x0035, 0x003C, 0x002F },
      "MicroPython 1.24 or later, which offers ECDHE-RSA and AES-GCM",
      "nothing: MicroPython has no TLS 1.3" },
    { { 0xC02C, 0xC030, 0xC024, 0xC028, 0xC00A, 0xC014, 0xC02B, 0xC02F, 0xC023,
        0xC027, 0xC009, 0xC013, 0x009D, 0x003D, 0x0035, 0x009C, 0x003C,
        0x002F },
      NULL,
      "nothing: MicroPython has no TLS 1.3" },
};

/* Of `ids`, the suites of a version; no signals. */
static struct ssl_ids suites(const struct ssl_ids *ids, unsigned version) {
    struct ssl_ids out = { 0, { 0 } };
    for (size_t i = 0; i < ids->n; i++) {
        struct ssl_suite s = ssl_suite_of(ids->id[i]);
        if (version == TLS13 ? s.tls13 : s.tls12) {
            ssl_ids_put(&out, ids->id[i]);
        }
    }
    return out;
}

static struct ssl_ids both(const struct ssl_ids *a, const struct ssl_ids *b) {
    struct ssl_ids out = { 0, { 0 } };
    for (size_t i = 0; i < a->n; i++) {
        if (ssl_ids_has(b, a->id[i]) && !ssl_name_grease(a->id[i])) {
            ssl_ids_put(&out, a->id[i]);
        }
    }
    return out;
}

static const struct board *board_of(const struct ssl_ids *ciphers) {
    for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++) {
        size_t k = 0, n = ciphers->n;
        n -= n > 0 && ciphers->id[n - 1] == 0x00FF; /* RFC 5746 3.3 */
        while (k < n && ciphers->id[k] == boards[i].ciphers[k]) {
            k++;
        }
        if (k > 0 && k == n && boards[i].ciphers[k] == 0) {
            return &boards[i];
        }
    }
    return NULL;
}

/* "A, B, C and 4 more", or "nothing". */
static const char *show(enum ssl_kind kind, const struct ssl_ids *ids,
                        char *buf, size_t size) {
    size_t n = 0, shown = 0;
    char name[SSL_LABEL_MAX];
    buf[0] = '\0';
    for (size_t i = 0; i < ids->n; i++) {
        if (ssl_name_grease(ids->id[i]) || ids->id[i] == 0x00FF) {
            continue;
        }
        if (n++ < SHOWN || kind == SSL_KIND_VERSION) {
            ssl_name(kind, ids->id[i], name);
            text_append(buf, size, ", ", shown++ > 0 ? 2 : 0);
            text_append(buf, size, name, strlen(name));
        }
    }
    if (n > shown) {
        snprintf(name, sizeof name, " and %zu more", n - shown);
        text_append(buf, size, name, strlen(name));
    }
    text_append(buf, size, "nothing", n == 0 ? 7 : 0);
    return buf;
}

/* Add a finding that lays one kind of both offers side by side. */
static void lay(const struct look *l, const char *name, enum ssl_kind kind,
                const char *lack, const struct ssl_ids *ours,
                const struct ssl_ids *theirs, const char *here,
                const char *there) {
    char a[SSL_NAME_MAX], b[SSL_NAME_MAX];
    bool server = l->info->server_side;
    ssl_diagnose_add(l->info, name, here, there, "%s: we %s %s; the %s %s %s",
                     lack, server ? "take" : "offer",
                     show(kind, ours, a, sizeof a),
                     server ? "client" : "server", server ? "offers" : "takes",
                     show(kind, theirs, b, sizeof b));
}

static const struct ssl_ids *mine(const struct look *l, enum ssl_kind kind) {
    return &l->info->ours.of[kind];
}

static const struct ssl_ids *their(const struct look *l, enum ssl_kind kind) {
    return &l->info->theirs.of[kind];
}

/* Which of our certificates come into question? */
static const char *asked(const struct look *l) {
    return l->info->server_side ? l->info->theirs.server_name : "";
}

/* Of a server, a list without anything means that nothing is known. */
static bool unknown(const struct look *l, enum ssl_kind kind) {
    return !l->info->server_side && their(l, kind)->n == 0;
}

/* "TLS 1.2", as people say it. */
static const char *version_words(unsigned version, char *buf) {
    if (version == 0x0300) {
        snprintf(buf, SSL_LABEL_MAX, "SSL 3.0");
    } else if (version > 0x0300 && version <= TLS13) {
        snprintf(buf, SSL_LABEL_MAX, "TLS 1.%u", version - 0x0301);
    } else {
        ssl_name(SSL_KIND_VERSION, version, buf);
    }
    return buf;
}

static unsigned highest(const struct ssl_ids *ids) {
    unsigned best = 0;
    for (size_t i = 0; i < ids->n; i++) {
        if (!ssl_name_grease(ids->id[i]) && ids->id[i] > best) {
            best = ids->id[i];
        }
    }
    return best;
}

static void lack_version(const struct look *l) {
    const struct ssl_context *ctx = l->ctx;
    char here[SSL_NAME_MAX], there[SSL_NAME_MAX], word[SSL_LABEL_MAX];
    const struct ssl_ids *theirs = their(l, SSL_KIND_VERSION);
    if (ssl_ids_has(theirs, TLS13) && ctx->max_wanted < SSL_TLS_1_3) {
        snprintf(here, sizeof here, "--max-version 1.3");
    } else if (ssl_ids_has(theirs, TLS12) && ctx->min_wanted > SSL_TLS_1_2) {
        snprintf(here, sizeof here, "--min-version 1.2");
    } else if (ssl_ids_has(theirs, TLS13) || ssl_ids_has(theirs, TLS12)) {
        bool tls13 = ssl_ids_has(theirs, TLS13);
        snprintf(here, sizeof here, "a suite of %s among --ciphers",
                 version_words(tls13 ? TLS13 : TLS12, word));
    } else {
        snprintf(here, sizeof here, "nothing: this build has no %s",
                 version_words(highest(theirs), word));
    }
    unsigned wanted = highest(mine(l, SSL_KIND_VERSION));
    if (ctx->min_version == SSL_TLS_1_2) {
        wanted = TLS12;
    }
    snprintf(there, sizeof there, "allow %s", version_words(wanted, word));
    lay(l, "no-common-version", SSL_KIND_VERSION, "no TLS version in common",
        mine(l, SSL_KIND_VERSION), theirs, here,
        wanted == TLS13 && l->board != NULL ? l->board->versions_there : there);
}

/* The suite to ask the peer for: of ours one that every library has. */
static const char *offer_words(const struct look *l, const struct ssl_ids *ours,
                               char *buf) {
    static const uint16_t usual[] = { 0x1301, 0xC02B, 0xC02F };
    char name[SSL_LABEL_MAX];
    if (l->board != NULL && l->board->ciphers_there != NULL) {
        return l->board->ciphers_there;
    }
    if (ours->n == 0) {
        return NULL;
    }
    unsigned id = ours->id[0];
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (ssl_ids_has(ours, usual[i])) {
            id = usual[i];
            break;
        }
    }
    snprintf(buf, SSL_NAME_MAX, "%s %s",
             l->info->server_side ? "offer" : "allow",
             ssl_name(SSL_KIND_CIPHER, id, name));
    return buf;
}

static bool in_build(unsigned cipher) {
    return mbedtls_ssl_ciphersuite_from_id((int)cipher) != NULL;
}

/* Which of the peer's suites would do here, were they not left out: as an
 * option, or "". */
static void ciphers_option(const struct look *l, const struct ssl_ids *theirs,
                           char *buf) {
    size_t shown = 0;
    char name[SSL_LABEL_MAX];
    buf[0] = '\0';
    for (size_t i = 0; i < theirs->n && shown < SHOWN; i++) {
        struct ssl_suite s = ssl_suite_of(theirs->id[i]);
        if (in_build(theirs->id[i]) && !s.psk &&
            (!l->info->server_side || ssl_own_key_fits(l->ctx, asked(l), &s))) {
            const char *before = shown++ == 0 ? "--ciphers " : ",";
            ssl_name(SSL_KIND_CIPHER, theirs->id[i], name);
            text_append(buf, SSL_NAME_MAX, before, strlen(before));
            text_append(buf, SSL_NAME_MAX, name, strlen(name));
        }
    }
}

/* Would the other version do? */
static const char *version_option(const struct look *l) {
    unsigned other = l->version == TLS13 ? TLS12 : TLS13;
    struct ssl_ids theirs = suites(their(l, SSL_KIND_CIPHER), other);
    if (!ssl_ids_has(their(l, SSL_KIND_VERSION), other)) {
        return NULL;
    }
    for (size_t i = 0; i < theirs.n; i++) {
        struct ssl_suite s = ssl_suite_of(theirs.id[i]);
        if (in_build(theirs.id[i]) && !s.psk &&
            (!l->info->server_side || ssl_own_key_fits(l->ctx, asked(l), &s))) {
            return other == TLS13 ? "--max-version 1.3" : "--max-version 1.2";
        }
    }
    return NULL;
}

static const char *key_words(enum ssl_suite_key key) {
    static const char *const words[] = {
        [SSL_KEY_NONE] = "a certificate",
        [SSL_KEY_RSA] = "a certificate with an RSA key",
        [SSL_KEY_EC] = "a certificate with an EC key",
        [SSL_KEY_DSS] = "a certificate with a DSA key",
    };
    return words[key];
}

static void lack_cipher(const struct look *l) {
    char here[SSL_NAME_MAX], buf[SSL_NAME_MAX], word[SSL_LABEL_MAX];
    char lack[SSL_LABEL_MAX + 40];
    struct ssl_ids ours = suites(mine(l, SSL_KIND_CIPHER), l->version);
    struct ssl_ids theirs = suites(their(l, SSL_KIND_CIPHER), l->version);
    const char *version = version_option(l);
    ciphers_option(l, &theirs, here);
    if (here[0] == '\0' && version != NULL) {
        snprintf(here, sizeof here, "%s", version);
    } else if (here[0] == '\0' && theirs.n > 0) {
        struct ssl_suite first = ssl_suite_of(theirs.id[0]);
        const char *name = ssl_name(SSL_KIND_CIPHER, theirs.id[0], word);
        if (!in_build(theirs.id[0]) || first.psk) {
            snprintf(here, sizeof here, "nothing: %s %s",
                     first.psk ? "we have no pre-shared key for"
                               : "this build has no",
                     name);
        } else {
            snprintf(here, sizeof here, "--ciphers %s, and %s (--cert, --key)",
                     name, key_words(first.key));
        }
    }
    snprintf(lack, sizeof lack, "no cipher suite of %s in common",
             version_words(l->version, word));
    lay(l, "no-common-cipher", SSL_KIND_CIPHER, lack, &ours, &theirs, here,
        offer_words(l, &ours, buf));
}

/* A server that would have a suite in common if its certificate were another:
 * @return whether that is so */
static bool lack_key(const struct look *l) {
    struct ssl_ids all = { 0, { 0 } };
    for (const int *id = ssl_context_get_ciphers(l->ctx); *id != 0; id++) {
        struct ssl_suite s = ssl_suite_of((unsigned)*id);
        if (!s.psk && !ssl_own_key_fits(l->ctx, asked(l), &s)) {
            ssl_ids_put(&all, (unsigned)*id);
        }
    }
    struct ssl_ids client = suites(l->client->of + SSL_KIND_CIPHER, l->version);
    struct ssl_ids common = both(&client, &all);
    if (!l->info->server_side || common.n == 0) {
        return false;
    }
    bool ec = ssl_own_key(l->ctx, asked(l), SSL_KEY_EC);
    bool rsa = ssl_own_key(l->ctx, asked(l), SSL_KEY_RSA);
    enum ssl_suite_key key = ssl_suite_of(common.id[0]).key;
    for (size_t i = 1; i < common.n; i++) {
        bool same = ssl_suite_of(common.id[i]).key == key;
        key = same ? key : SSL_KEY_NONE; /* any will do */
    }
    const char *wanted = key_words(key);
    char here[SSL_NAME_MAX], list[SSL_NAME_MAX], there[SSL_NAME_MAX];
    struct ssl_ids ours = suites(mine(l, SSL_KIND_CIPHER), l->version);
    bool usage = ssl_own_key(l->ctx, asked(l), key);
    snprintf(here, sizeof here, "%s%s (--cert, --key)", wanted,
             usage ? " and a keyUsage that allows it" : "");
    ssl_diagnose_add(l->info, "cipher-wants-other-key", here,
                     offer_words(l, &ours, there),
                     "the suites in common want %s, and %s: %s", wanted,
                     !ec && !rsa ? "we have none"
                     : usage     ? "the keyUsage of ours does not "
                                   "allow it"
                     : ec && rsa ? "ours have other keys"
                     : rsa       ? "ours has an RSA key"
                                 : "ours has an EC key",
                     show(SSL_KIND_CIPHER, &common, list, sizeof list));
    return true;
}

static struct ssl_ids groups(const struct ssl_ids *ids, unsigned version) {
    struct ssl_ids out = { 0, { 0 } };
    for (size_t i = 0; i < ids->n; i++) {
        if (ssl_suite_group(ids->id[i], version == TLS13)) {
            ssl_ids_put(&out, ids->id[i]);
        }
    }
    return out;
}

static bool common_group(const struct look *l) {
    struct ssl_ids a = groups(mine(l, SSL_KIND_GROUP), l->version);
    return unknown(l, SSL_KIND_GROUP) || both(&a, their(l, SSL_KIND_GROUP)).n;
}

/* An ECDSA certificate is for clients that know its curve (RFC 8422 5.1.1). */
static bool curve_fits(const struct look *l) {
    return !l->info->server_side ||
           ssl_own_key_curve(l->ctx, asked(l), their(l, SSL_KIND_GROUP)) != 0;
}

static void lack_group(const struct look *l) {
    struct ssl_ids ours = groups(mine(l, SSL_KIND_GROUP), l->version);
    struct ssl_ids theirs = groups(their(l, SSL_KIND_GROUP), l->version);
    char here[SSL_NAME_MAX] = "", there[SSL_NAME_MAX], name[SSL_LABEL_MAX];
    unsigned wanted = ours.n > 0 ? ours.id[0] : 0;
    const char *lack = "no group in common";
    if (ssl_ids_has(&ours, 23)) {
        wanted = 23; /* the one that every board has */
    }
    if (common_group(l)) {
        wanted = ssl_own_key_curve(l->ctx, asked(l), NULL);
        lack = "our certificate is on a curve that the client has not";
        ours.n = 0;
        ssl_ids_put(&ours, wanted);
        snprintf(here, sizeof here,
                 "a certificate with a %s key (--cert, --key)",
                 ssl_name(SSL_KIND_GROUP, theirs.id[0], name));
    } else if (theirs.n > 0 &&
               mbedtls_ecp_curve_info_from_tls_id(theirs.id[0]) == NULL) {
        snprintf(here, sizeof here, "nothing: this build has no %s",
                 ssl_name(SSL_KIND_GROUP, theirs.id[0], name));
    }
    snprintf(there, sizeof there, "%s %s%s",
             l->info->server_side ? "offer" : "allow",
             ssl_name(SSL_KIND_GROUP, wanted, name),
             wanted == 23 ? " (P-256)" : "");
    lay(l, "no-common-group", SSL_KIND_GROUP, lack, &ours, &theirs, here,
        there);
}

/* Can the server sign so that the client takes it? */
static bool common_sig_alg(const struct look *l, enum ssl_suite_key key) {
    /* RFC 5246 7.4.1.4.1: what it means to name none */
    static const struct ssl_ids sha1 = { 2, { 0x0201, 0x0203 } };
    const struct ssl_ids *client = &l->client->of[SSL_KIND_SIG_ALG];
    const struct ssl_ids *server = &l->server->of[SSL_KIND_SIG_ALG];
    bool none = client->n == 0 && l->version == TLS12;
    struct ssl_ids common = both(none ? &sha1 : client, server);
    for (size_t i = 0; i < common.n; i++) {
        unsigned id = common.id[i];
        bool fits =
            l->info->server_side
                ? ssl_own_key_signs(l->ctx, asked(l), id, l->version == TLS13)
                : key == SSL_KEY_NONE || ssl_suite_signer(id) == key;
        if (fits) {
            return true;
        }
    }
    return unknown(l, SSL_KIND_SIG_ALG);
}

/* Which key would sign as the client wants it? */
static const char *signer_words(const struct look *l) {
    const struct ssl_ids *client = &l->client->of[SSL_KIND_SIG_ALG];
    for (size_t i = 0; i < client->n; i++) {
        switch (client->id[i]) {
        case 0x0403:
            return "a certificate with a secp256r1 key (--cert, --key)";
        case 0x0503:
            return "a certificate with a secp384r1 key (--cert, --key)";
        case 0x0603:
            return "a certificate with a secp521r1 key (--cert, --key)";
        case 0x0804:
        case 0x0805:
        case 0x0806:
            return "a certificate with an RSA key (--cert, --key)";
        default:
            break;
        }
    }
    return NULL;
}

static void lack_sig_alg(const struct look *l) {
    char here[SSL_NAME_MAX] = "", there[SSL_NAME_MAX], name[SSL_LABEL_MAX];
    char version[SSL_LABEL_MAX];
    const struct ssl_ids *ours = mine(l, SSL_KIND_SIG_ALG);
    struct ssl_ids can = { 0, { 0 } };
    for (size_t i = 0; i < ours->n; i++) {
        if (!l->info->server_side ||
            ssl_own_key_signs(l->ctx, asked(l), ours->id[i],
                              l->version == TLS13)) {
            ssl_ids_put(&can, ours->id[i]);
        }
    }
    struct ssl_ids theirs = *their(l, SSL_KIND_SIG_ALG);
    const char *words = signer_words(l);
    if (l->info->server_side && l->version == TLS13 && words != NULL) {
        snprintf(here, sizeof here, "%s", words);
    } else if (theirs.n > 0) {
        snprintf(here, sizeof here, "nothing: we do not %s with %s in %s",
                 l->info->server_side ? "sign" : "verify",
                 ssl_name(SSL_KIND_SIG_ALG, theirs.id[0], name),
                 version_words(l->version, version));
    }
    there[0] = '\0';
    if (can.n > 0) {
        snprintf(there, sizeof there, "%s %s",
                 l->info->server_side ? "offer" : "sign with",
                 ssl_name(SSL_KIND_SIG_ALG, can.id[0], name));
    }
    lay(l, "no-common-sig-alg", SSL_KIND_SIG_ALG,
        "no signature algorithm in common", &can, &theirs, here, there);
}

/* What the suites in common need beside: a group, a signature. One of them
 * that has all is enough. */
static void look_into(const struct look *l, const struct ssl_ids *common) {
    bool no_group = false, no_sig_alg = false;
    for (size_t i = 0; i < common->n; i++) {
        struct ssl_suite s = ssl_suite_of(common->id[i]);
        bool curve = !s.tls12 || s.key != SSL_KEY_EC || curve_fits(l);
        bool group = (!s.ec && !s.tls13) || (common_group(l) && curve);
        bool signature = (!s.signs && !s.tls13) || common_sig_alg(l, s.key);
        if (group && signature) {
            return;
        }
        no_group = no_group || !group;
        no_sig_alg = no_sig_alg || !signature;
    }
    if (no_group) {
        lack_group(l);
    }
    if (no_sig_alg) {
        lack_sig_alg(l);
    }
}

static void compare(struct look *l) {
    struct ssl_ids versions =
        both(mine(l, SSL_KIND_VERSION), their(l, SSL_KIND_VERSION));
    l->version = highest(
        unknown(l, SSL_KIND_VERSION) ? mine(l, SSL_KIND_VERSION) : &versions);
    if (l->version == 0) {
        lack_version(l);
        return;
    }
    struct ssl_ids client = suites(&l->client->of[SSL_KIND_CIPHER], l->version);
    struct ssl_ids common = both(&client, &l->server->of[SSL_KIND_CIPHER]);
    if (common.n > 0) {
        look_into(l, &common);
    } else if (!unknown(l, SSL_KIND_CIPHER) && !lack_key(l)) {
        lack_cipher(l);
    }
}

/* Both are names with ", " between them (struct ssl_offer). */
static bool common_alpn(const char *a, const char *b) {
    for (; *a != '\0'; a += strspn(a, ", ")) {
        size_t n = strcspn(a, ", ");
        for (const char *p = b; *p != '\0'; p += strspn(p, ", ")) {
            size_t m = strcspn(p, ", ");
            if (n == m && memcmp(a, p, n) == 0) {
                return true;
            }
            p += m;
        }
        a += n;
    }
    return false;
}

/* RFC 7301 3.2: only a server that has a list of its own refuses. */
static void compare_alpn(const struct look *l) {
    const char *client = l->client->alpn, *server = l->server->alpn;
    bool server_side = l->info->server_side;
    if (client[0] == '\0' || server[0] == '\0' || common_alpn(client, server)) {
        return;
    }
    ssl_diagnose_add(l->info, "no-common-alpn",
                     server_side ? "--alpn with one of the client's names"
                                 : "--alpn with one of the server's names",
                     server_side ? "offer a protocol of ours, or no ALPN"
                                 : "take a protocol of ours",
                     "no application protocol (ALPN) in common: the client "
                     "offers %.100s; the server takes %.100s",
                     client, server);
}

size_t ssl_diagnose_offers(const struct ssl_context *ctx,
                           struct ssl_info *info) {
    size_t before = info->finding_count;
    struct look l = { .ctx = ctx, .info = info };
    l.client = info->server_side ? &info->theirs : &info->ours;
    l.server = info->server_side ? &info->ours : &info->theirs;
    l.board = board_of(&l.client->of[SSL_KIND_CIPHER]);
    if (info->ours.known && info->theirs.known) {
        compare(&l);
        compare_alpn(&l);
    }
    if (info->finding_count == before && !info->server_side &&
        info->ours.server_name[0] == '\0' &&
        (info->server_hostname[0] == '\0' ||
         ssl_verify_is_address(info->server_hostname))) {
        ssl_diagnose_add(info, "no-server-name", "--server-hostname NAME", NULL,
                         "we sent no server name (SNI), by which a server may "
                         "choose its certificate, or refuse who sends none");
    }
    return info->finding_count - before;
}
