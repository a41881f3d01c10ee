#include "tls/ssl_hello.h"

#include <string.h>

#include "base/text.h"
#include "tls/ssl_suite.h"

/* Extensions that are looked into, and record types. */
enum {
    EXT_SERVER_NAME = 0,
    EXT_MAX_FRAGMENT_LENGTH = 1,
    EXT_SUPPORTED_GROUPS = 10,
    EXT_EC_POINT_FORMATS = 11,
    EXT_SIGNATURE_ALGORITHMS = 13,
    EXT_ALPN = 16,
    EXT_ENCRYPT_THEN_MAC = 22,
    EXT_EXTENDED_MASTER_SECRET = 23,
    EXT_RECORD_SIZE_LIMIT = 28,
    EXT_SESSION_TICKET = 35,
    EXT_SUPPORTED_VERSIONS = 43,
    EXT_KEY_SHARE = 51,
    EXT_RENEGOTIATION_INFO = 0xFF01,
    RECORD_HANDSHAKE = 22
};

enum { SSL3 = 0x0300, TLS10 = 0x0301, TLS12 = 0x0303, TLS13 = 0x0304 };

enum {
    RANDOM_LEN = 32,
    NAMED_CURVE = 3,
    VERSIONS_MAX = 127 /* RFC 8446 4.2.1: 254 bytes */
};

/* What is left to read. What is not there reads as zeroes, and is bad. */
struct in {
    const unsigned char *p;
    size_t n;
    bool bad;
};

static unsigned take(struct in *in, size_t width) {
    unsigned value = 0;
    if (in->n < width) {
        in->bad = true;
        in->n = 0;
        return 0;
    }
    for (size_t i = 0; i < width; i++) {
        value = value << 8 | in->p[i];
    }
    in->p += width;
    in->n -= width;
    return value;
}

static const unsigned char *skip(struct in *in, size_t n) {
    const unsigned char *p = in->p;
    if (in->n < n) {
        in->bad = true;
        n = in->n;
    }
    if (n > 0) { /* of no message at all, `p` may be NULL */
        in->p += n;
        in->n -= n;
    }
    return p;
}

/* A vector with a length of `width` bytes before it; cut where it is longer
 * than what there is. */
static struct in vector(struct in *in, size_t width) {
    size_t n = take(in, width);
    struct in v = { in->p, n, in->bad };
    if (n > in->n) {
        v.n = in->n;
        v.bad = in->bad = true;
    }
    skip(in, v.n);
    return v;
}

/* Nothing may follow what was read last. */
static bool ended(const struct in *in) {
    return !in->bad && in->n == 0;
}

/* A vector of numbers of two bytes: all of `in`. */
static bool read_ids(struct in *in, size_t width, struct ssl_ids *ids) {
    struct in list = vector(in, width);
    ids->n = 0;
    while (list.n >= 2) {
        ssl_ids_put(ids, take(&list, 2));
    }
    return ended(&list) && ended(in) && ids->n > 0;
}

/* RFC 7301 3.1; a server's list has one name. */
static bool read_alpn(struct in *in, char *text) {
    struct in list = vector(in, 2);
    bool good = list.n > 0;
    text[0] = '\0';
    while (list.n > 0) {
        struct in name = vector(&list, 1);
        good = good && name.n > 0;
        text_append(text, SSL_NAME_MAX, ", ", text[0] != '\0' ? 2 : 0);
        text_append(text, SSL_NAME_MAX, (const char *)name.p, name.n);
    }
    return good && ended(&list) && ended(in);
}

/* RFC 6066 3: of the names, the one that is a host's. */
static bool read_server_name(struct in *in, char *text) {
    struct in list = vector(in, 2);
    text[0] = '\0';
    while (list.n > 0) {
        unsigned type = take(&list, 1);
        struct in name = vector(&list, 2);
        if (type == 0 && text[0] == '\0') {
            text_append(text, SSL_NAME_MAX, (const char *)name.p, name.n);
        }
    }
    return text[0] != '\0' && ended(&list) && ended(in);
}

static bool read_client_extension(unsigned type, struct in *body,
                                  struct ssl_offer *offer) {
    switch (type) {
    case EXT_SERVER_NAME:
        return read_server_name(body, offer->server_name);
    case EXT_ALPN:
        return read_alpn(body, offer->alpn);
    case EXT_SUPPORTED_GROUPS:
        return read_ids(body, 2, &offer->of[SSL_KIND_GROUP]);
    case EXT_SIGNATURE_ALGORITHMS:
        return read_ids(body, 2, &offer->of[SSL_KIND_SIG_ALG]);
    case EXT_SUPPORTED_VERSIONS:
        return read_ids(body, 1, &offer->of[SSL_KIND_VERSION]);
    default:
        return true;
    }
}

/* What a client without supported_versions takes: RFC 5246 E.1. It cannot
 * mean TLS 1.3 (RFC 8446 4.2.1). */
static void versions_below(unsigned version, struct ssl_ids *ids) {
    version = version > TLS12 && version >> 8 == 3 ? TLS12 : version;
    ssl_ids_put(ids, version);
    if (version >> 8 == 3) {
        while (version > TLS10) {
            ssl_ids_put(ids, --version);
        }
    }
}

bool ssl_hello_read_client(const unsigned char *msg, size_t len,
                           struct ssl_offer *offer) {
    struct in in = { msg, len, false };
    memset(offer, 0, sizeof *offer);
    offer->known = true;
    unsigned version = take(&in, 2);
    bool named = !in.bad;
    skip(&in, RANDOM_LEN);
    struct in session = vector(&in, 1);
    bool good = session.n <= 32;
    struct in list = vector(&in, 2);
    struct ssl_ids *ciphers = &offer->of[SSL_KIND_CIPHER];
    while (list.n >= 2) {
        ssl_ids_put(ciphers, take(&list, 2));
    }
    good = good && ended(&list) && ciphers->n > 0;
    good = vector(&in, 1).n > 0 && good; /* compression methods */
    struct in extensions = { NULL, 0, false };
    if (in.n > 0) {
        extensions = vector(&in, 2);
    }
    good = good && ended(&in);
    while (extensions.n > 0) {
        unsigned type = take(&extensions, 2);
        struct in body = vector(&extensions, 2);
        good = good && !ssl_ids_has(&offer->of[SSL_KIND_EXTENSION], type) &&
               !body.bad;
        ssl_ids_put(&offer->of[SSL_KIND_EXTENSION], type);
        good = read_client_extension(type, &body, offer) && good;
    }
    if (named && offer->of[SSL_KIND_VERSION].n == 0) {
        versions_below(version, &offer->of[SSL_KIND_VERSION]);
    }
    return good && ended(&extensions);
}

static bool read_key_share(struct in *body, struct ssl_chosen *chosen) {
    chosen->group = (uint16_t)take(body, 2);
    if (!chosen->retry) {
        vector(body, 2);
    }
    return ended(body);
}

/* RFC 6066 4: 1 to 4 are 512 to 4096 bytes. */
static bool read_max_fragment_length(struct in *body,
                                     struct ssl_chosen *chosen) {
    unsigned code = take(body, 1);
    if (code >= 1 && code <= 4) {
        chosen->max_fragment_length = 256u << code;
    }
    return ended(body) && chosen->max_fragment_length != 0;
}

static bool read_server_extension(unsigned type, struct in *body,
                                  struct ssl_chosen *chosen) {
    unsigned version;
    switch (type) {
    case EXT_ALPN:
        return read_alpn(body, chosen->alpn);
    case EXT_MAX_FRAGMENT_LENGTH:
        return read_max_fragment_length(body, chosen);
    case EXT_RECORD_SIZE_LIMIT:
        chosen->record_size_limit = take(body, 2);
        return ended(body);
    case EXT_SUPPORTED_VERSIONS:
        version = take(body, 2);
        chosen->version = body->bad ? chosen->version : (uint16_t)version;
        return ended(body);
    case EXT_KEY_SHARE:
        return read_key_share(body, chosen);
    default:
        return true;
    }
}

static bool read_server_extensions(struct in *in, struct ssl_chosen *chosen) {
    struct in list = vector(in, 2);
    bool good = ended(in);
    while (list.n > 0) {
        unsigned type = take(&list, 2);
        struct in body = vector(&list, 2);
        good = good && !body.bad;
        ssl_ids_add(&chosen->extensions, type);
        good = read_server_extension(type, &body, chosen) && good;
    }
    return good && ended(&list);
}

static bool read_server_hello(struct in *in, struct ssl_chosen *chosen) {
    /* RFC 8446 4.1.3: SHA-256 of "HelloRetryRequest". */
    static const unsigned char retry[RANDOM_LEN] = {
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C,
        0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB,
        0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C
    };
    memset(chosen, 0, sizeof *chosen);
    chosen->version = (uint16_t)take(in, 2);
    const unsigned char *random = skip(in, RANDOM_LEN);
    chosen->retry = !in->bad && memcmp(random, retry, sizeof retry) == 0;
    bool good = vector(in, 1).n <= 32;
    chosen->cipher = (uint16_t)take(in, 2);
    take(in, 1); /* compression */
    if (in->n > 0) {
        good = read_server_extensions(in, chosen) && good;
    }
    return good && ended(in);
}

/* RFC 8422 5.4, RFC 5246 7.4.3, RFC 4279, RFC 5489: what the message is made
 * of is for the suite to say. */
static bool read_key_exchange(struct in *in, struct ssl_chosen *chosen) {
    struct ssl_suite suite = ssl_suite_of(chosen->cipher);
    if (!suite.ec && !suite.dhe && !suite.psk) {
        return true;
    }
    if (suite.psk) {
        vector(in, 2); /* the hint for an identity */
    }
    if (suite.ec) {
        if (take(in, 1) != NAMED_CURVE) {
            return false;
        }
        chosen->group = (uint16_t)take(in, 2);
        vector(in, 1);
    }
    for (int i = 0; suite.dhe && i < 3; i++) { /* p, g, the public value */
        vector(in, 2);
    }
    if (suite.signs) {
        if (chosen->version >= TLS12) {
            chosen->sig_alg = (uint16_t)take(in, 2);
        }
        vector(in, 2);
    }
    return ended(in);
}

bool ssl_hello_read_server(unsigned type, const unsigned char *msg, size_t len,
                           struct ssl_chosen *chosen) {
    struct in in = { msg, len, false };
    switch (type) {
    case SSL_MSG_SERVER_HELLO:
        return read_server_hello(&in, chosen);
    case SSL_MSG_ENCRYPTED_EXTENSIONS:
        return read_server_extensions(&in, chosen);
    case SSL_MSG_SERVER_KEY_EXCHANGE:
        return read_key_exchange(&in, chosen);
    case SSL_MSG_CERTIFICATE_VERIFY:
        chosen->sig_alg = (uint16_t)take(&in, 2);
        vector(&in, 2);
        return ended(&in);
    default:
        return true;
    }
}

const unsigned char *ssl_hello_certificate(const unsigned char *msg,
                                           size_t msg_len, unsigned version,
                                           size_t i, size_t *len) {
    struct in in = { msg, msg_len, false };
    *len = 0;
    if (version >= TLS13) {
        vector(&in, 1); /* the request's context */
    }
    struct in list = vector(&in, 3);
    while (list.n > 0) {
        struct in cert = vector(&list, 3);
        if (cert.bad || cert.n == 0) {
            return NULL;
        }
        if (i-- == 0) {
            *len = cert.n;
            return cert.p;
        }
        if (version >= TLS13) {
            vector(&list, 2); /* its extensions */
        }
    }
    return NULL;
}

/* Where to write. What does not fit is counted all the same. */
struct out {
    unsigned char *buf;
    size_t size, at;
};

static void give(struct out *out, size_t width, size_t value) {
    for (size_t i = width; i-- > 0; out->at++) {
        if (out->at < out->size) {
            out->buf[out->at] = (unsigned char)(value >> (8 * i));
        }
    }
}

static void give_bytes(struct out *out, const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        give(out, 1, ((const unsigned char *)bytes)[i]);
    }
}

/* Begin a vector: leave room for its length. */
static size_t begin(struct out *out, size_t width) {
    give(out, width, 0);
    return out->at;
}

/* End the one that began at `start`. */
static void end(struct out *out, size_t width, size_t start) {
    struct out head = { out->buf, out->size, start - width };
    give(&head, width, out->at - start);
}

static void give_ids(struct out *out, unsigned type, size_t width,
                     const struct ssl_ids *ids) {
    if (ids->n == 0) {
        return;
    }
    give(out, 2, type);
    size_t body = begin(out, 2), list = begin(out, width);
    for (size_t i = 0; i < ids->n; i++) {
        give(out, 2, ids->id[i]);
    }
    end(out, width, list);
    end(out, 2, body);
}

static void give_server_name(struct out *out, const char *name) {
    if (name[0] == '\0') {
        return;
    }
    give(out, 2, EXT_SERVER_NAME);
    size_t body = begin(out, 2), list = begin(out, 2);
    give(out, 1, 0);
    give(out, 2, strlen(name));
    give_bytes(out, name, strlen(name));
    end(out, 2, list);
    end(out, 2, body);
}

static void give_alpn(struct out *out, const char *names) {
    if (names[0] == '\0') {
        return;
    }
    give(out, 2, EXT_ALPN);
    size_t body = begin(out, 2), list = begin(out, 2);
    for (names += strspn(names, ", "); *names != '\0';) {
        size_t n = strcspn(names, ", ");
        give(out, 1, n);
        give_bytes(out, names, n);
        names += n;
        names += strspn(names, ", ");
    }
    end(out, 2, list);
    end(out, 2, body);
}

/* What servers of TLS 1.2 and below may insist on. */
static void give_old(struct out *out, bool groups) {
    if (groups) {
        give(out, 2, EXT_EC_POINT_FORMATS);
        give(out, 2, 2);
        give(out, 2, 0x0100); /* one format: uncompressed */
    }
    give(out, 2, EXT_EXTENDED_MASTER_SECRET);
    give(out, 2, 0);
    give(out, 2, EXT_RENEGOTIATION_INFO);
    give(out, 2, 1);
    give(out, 1, 0);
}

/* What a client may do without. */
static void give_wanted(struct out *out, const struct ssl_ids *wanted) {
    enum { BYTES_512 = 1 }; /* RFC 6066 4 */
    if (ssl_ids_has(wanted, EXT_MAX_FRAGMENT_LENGTH)) {
        give(out, 2, EXT_MAX_FRAGMENT_LENGTH);
        give(out, 2, 1);
        give(out, 1, BYTES_512);
    }
    if (ssl_ids_has(wanted, EXT_ENCRYPT_THEN_MAC)) {
        give(out, 2, EXT_ENCRYPT_THEN_MAC);
        give(out, 2, 0);
    }
    if (ssl_ids_has(wanted, EXT_SESSION_TICKET)) {
        give(out, 2, EXT_SESSION_TICKET);
        give(out, 2, 0);
    }
}

static void give_extensions(struct out *out, const struct ssl_offer *offer,
                            bool tls13, bool old) {
    const struct ssl_ids *groups = &offer->of[SSL_KIND_GROUP];
    size_t all = begin(out, 2);
    give_server_name(out, offer->server_name);
    give_ids(out, EXT_SUPPORTED_GROUPS, 2, groups);
    if (old) {
        give_old(out, groups->n > 0);
    }
    give_ids(out, EXT_SIGNATURE_ALGORITHMS, 2, &offer->of[SSL_KIND_SIG_ALG]);
    give_alpn(out, offer->alpn);
    give_wanted(out, &offer->of[SSL_KIND_EXTENSION]);
    if (tls13) {
        give_ids(out, EXT_SUPPORTED_VERSIONS, 1, &offer->of[SSL_KIND_VERSION]);
    }
    if (tls13 && groups->n > 0) {
        give(out, 2, EXT_KEY_SHARE);
        give(out, 2, 2);
        give(out, 2, 0);
    }
    end(out, 2, all);
}

size_t ssl_hello_write_client(const struct ssl_offer *offer,
                              const unsigned char random[64],
                              unsigned char *buf, size_t len) {
    const struct ssl_ids *versions = &offer->of[SSL_KIND_VERSION];
    bool tls13 = ssl_ids_has(versions, TLS13), old = versions->n == 0;
    unsigned version = versions->n == 0 ? TLS12 : 0;
    for (size_t i = 0; i < versions->n; i++) {
        unsigned v = versions->id[i];
        old = old || v <= TLS12;
        if (!ssl_name_grease(v) && v > version) {
            version = v > TLS12 ? TLS12 : v;
        }
    }
    version = version == 0 ? TLS12 : version;
    if (versions->n > VERSIONS_MAX) {
        return 0;
    }
    struct out out = { buf, len, 0 };
    give(&out, 1, RECORD_HANDSHAKE);
    give(&out, 2, version > TLS10 ? TLS10 : version); /* RFC 8446 5.1 */
    size_t record = begin(&out, 2);
    give(&out, 1, SSL_MSG_CLIENT_HELLO);
    size_t message = begin(&out, 3);
    give(&out, 2, version);
    give_bytes(&out, random, RANDOM_LEN);
    give(&out, 1, tls13 ? 32 : 0); /* RFC 8446 D.4 */
    give_bytes(&out, random + RANDOM_LEN, tls13 ? 32 : 0);
    size_t ciphers = begin(&out, 2);
    for (size_t i = 0; i < offer->of[SSL_KIND_CIPHER].n; i++) {
        give(&out, 2, offer->of[SSL_KIND_CIPHER].id[i]);
    }
    end(&out, 2, ciphers);
    give(&out, 2, 0x0100); /* one compression method: none */
    if (version > SSL3) {
        give_extensions(&out, offer, tls13, old);
    }
    end(&out, 3, message);
    end(&out, 2, record);
    return out.at <= len ? out.at : 0;
}
