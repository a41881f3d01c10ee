#include "tls/ssl_tap.h"

#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#include "tls/ssl_keys.h"

enum {
    HEADER = 5,                /* of a record (RFC 8446 5.1) */
    BODY_MAX = 16384 + 2048,   /* RFC 5246 6.2.3 */
    MSG_HEADER = 4,            /* of a handshake message */
    MESSAGE_MAX = 1024 * 1024, /* one over this is not followed */
    TYPE_CCS = MBEDTLS_SSL_MSG_CHANGE_CIPHER_SPEC,
    TYPE_ALERT = MBEDTLS_SSL_MSG_ALERT,
    TYPE_HANDSHAKE = MBEDTLS_SSL_MSG_HANDSHAKE,
    TYPE_DATA = MBEDTLS_SSL_MSG_APPLICATION_DATA,
    TYPE_LAST = 24, /* heartbeat */
    TLS13 = 0x0304
};

void ssl_tap_init(struct ssl_tap *t, bool server_side) {
    memset(t, 0, sizeof *t);
    t->server_side = server_side;
    t->out.out = true;
    t->alert_in = t->alert_out = -1;
    t->step_count = 1;
}

static void keys_free(struct ssl_tap_keys *k) {
    if (k->made) {
        psa_destroy_key(k->key);
    }
    mbedtls_platform_zeroize(k, sizeof *k);
}

static void lane_free(struct ssl_tap_lane *l) {
    mbedtls_free(l->body);
    mbedtls_free(l->message);
    l->body = l->message = NULL;
    keys_free(&l->handshake);
    keys_free(&l->data);
}

void ssl_tap_free(struct ssl_tap *t) {
    lane_free(&t->in);
    lane_free(&t->out);
    ssl_late_free(&t->late);
    mbedtls_free(t->certificate);
    mbedtls_free(t->hello);
    t->certificate = t->hello = NULL;
    t->certificate_len = t->hello_len = 0;
}

/* Whose bytes go by here? */
static bool is_server(const struct ssl_tap *t, const struct ssl_tap_lane *l) {
    return l->out == t->server_side;
}

/* A message goes by: what the heap was like since the one before. */
static void step(struct ssl_tap *t, struct ssl_tap_message *m) {
    struct ssl_heap_step *last = &t->steps[t->step_count - 1];
    m->heap = ssl_heap_now(t->heap);
    m->heap_peak = ssl_heap_step(t->heap);
    if (m->heap_peak > last->peak) {
        last->peak = (uint32_t)m->heap_peak;
    }
    if (m->record == TYPE_HANDSHAKE && t->step_count < SSL_STEPS_MAX) {
        t->steps[t->step_count++] = (struct ssl_heap_step){
            .out = m->out,
            .type = m->type,
            .now = (uint32_t)m->heap,
            .peak = (uint32_t)m->heap,
        };
    }
}

static void tell(struct ssl_tap *t, struct ssl_tap_message *m) {
    step(t, m);
    if (t->listener != NULL) {
        t->listener(t->listener_arg, m);
    }
}

/* Header and all, from the header. */
static size_t message_len(const unsigned char *p) {
    return MSG_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

static void overrun(struct ssl_tap *t, const struct ssl_overrun *over) {
    if (t->over.what == SSL_OVER_NOT) {
        t->over = *over;
    }
}

/* A record's content, as far as its size is known, and what it begins with. If
 * that alone is too much, it is the message that is, unless it could come in
 * several. */
static void police_record(struct ssl_tap *t, const struct ssl_tap_lane *l,
                          unsigned char record, const unsigned char *p,
                          size_t len) {
    size_t limit = t->device != NULL ? t->device->max_in_record : 0;
    if (l->out || limit == 0 || len <= limit) {
        return;
    }
    struct ssl_overrun over = {
        .what = SSL_OVER_RECORD, .bytes = len, .limit = limit, .record = record
    };
    if (record == TYPE_HANDSHAKE && p != NULL && l->message == NULL &&
        len >= MSG_HEADER) {
        size_t message = message_len(p), most = t->device->max_in_message;
        over.type = p[0];
        if (message > limit && most != 0) {
            over.what = SSL_OVER_MESSAGE;
            over.bytes = message;
        }
    }
    overrun(t, &over);
}

/* A message, as soon as its header tells its length; `have` bytes of it came
 * with the records up to now. */
static void police_message(struct ssl_tap *t, const struct ssl_tap_lane *l,
                           unsigned char type, size_t len, size_t have) {
    const struct ssl_device *d = t->device;
    struct ssl_overrun over = { .bytes = len,
                                .record = TYPE_HANDSHAKE,
                                .type = type };
    if (d == NULL) {
        return;
    }
    if (l->out) {
        over.limit = d->max_out_record;
        over.what = SSL_OVER_OUT;
    } else if (d->max_in_message != 0 && len > d->max_in_message) {
        over.limit = d->max_in_message;
        over.what = SSL_OVER_MESSAGE;
    } else if (d->whole_messages && have < len) {
        over.limit = have;
        over.what = SSL_OVER_SPREAD;
    }
    if (over.limit != 0 && len > over.limit) {
        overrun(t, &over);
    }
}

/* Keep a copy in place of the one before; without memory there is none. */
static void keep(unsigned char **to, size_t *to_len, const unsigned char *msg,
                 size_t len) {
    mbedtls_free(*to);
    *to = mbedtls_calloc(1, len > 0 ? len : 1);
    *to_len = *to != NULL ? len : 0;
    if (*to_len > 0) {
        memcpy(*to, msg, len);
    }
}

/* Which of ours was it? Its hash is enough to know it by. */
static void keep_own(struct ssl_tap *t, const unsigned char *msg, size_t len) {
    size_t der_len, n;
    const unsigned char *der =
        ssl_hello_certificate(msg, len, t->chosen.version, 0, &der_len);
    t->own_sent = der != NULL &&
                  psa_hash_compute(PSA_ALG_SHA_256, der, der_len, t->own_sha256,
                                   sizeof t->own_sha256, &n) == PSA_SUCCESS;
}

/* What a message of the handshake tells; `msg` is without its header. */
static void learn(struct ssl_tap *t, struct ssl_tap_lane *l, unsigned type,
                  const unsigned char *msg, size_t len) {
    bool server = is_server(t, l);
    if (type == SSL_MSG_CLIENT_HELLO && !server) {
        keep(&t->hello, &t->hello_len, msg, len);
    } else if (server) {
        (void)ssl_hello_read_server(type, msg, len, &t->chosen);
    }
    if (type == SSL_MSG_CERTIFICATE && !l->out) {
        keep(&t->certificate, &t->certificate_len, msg, len);
    } else if (type == SSL_MSG_CERTIFICATE) {
        keep_own(t, msg, len);
    }
    t->certificate_wanted |= type == SSL_MSG_CERTIFICATE_REQUEST && server;
    t->tickets += type == SSL_MSG_NEW_SESSION_TICKET && server;
    if (type == SSL_MSG_FINISHED) {
        l->finished = true;
        l->unsealed = l->traffic.records;
    }
}

static void count_message(struct ssl_tap *t, struct ssl_tap_lane *l,
                          unsigned char type, size_t len) {
    bool server = is_server(t, l);
    if (len > l->traffic.largest_message) {
        l->traffic.largest_message = len;
        l->traffic.largest_type = type;
    }
    if (!t->in.finished || !t->out.finished) {
        t->round_trips += server && !(t->begun && t->was_server);
        t->begun = true;
        t->was_server = server;
    }
}

/* Take the whole messages off the front of what has come of the handshake. */
static void take_messages(struct ssl_tap *t, struct ssl_tap_lane *l,
                          bool encrypted) {
    size_t at = 0;
    while (l->message_len - at >= MSG_HEADER) {
        const unsigned char *p = l->message + at;
        size_t len = message_len(p);
        police_message(t, l, p[0], len, l->message_len - at);
        if (len > l->message_len - at) {
            l->lost |= len > MESSAGE_MAX;
            break;
        }
        struct ssl_tap_message m = {
            .out = l->out,
            .record = TYPE_HANDSHAKE,
            .type = p[0],
            .encrypted = encrypted,
            .opened = encrypted,
            .records = l->message_records,
            .data = p,
            .len = len,
        };
        count_message(t, l, p[0], len);
        learn(t, l, p[0], p + MSG_HEADER, len - MSG_HEADER);
        tell(t, &m);
        at += len;
        l->message_records = 1; /* what is left came with this record */
    }
    l->message_len -= at;
    if (l->message_len > 0) {
        memmove(l->message, l->message + at, l->message_len);
    } else {
        mbedtls_free(l->message);
        l->message = NULL;
        l->message_records = 0;
    }
}

static void see_handshake(struct ssl_tap *t, struct ssl_tap_lane *l,
                          const unsigned char *p, size_t len, bool encrypted) {
    if (len == 0) {
        return;
    }
    unsigned char *more = mbedtls_calloc(1, l->message_len + len);
    if (more == NULL) {
        l->lost = true;
        return;
    }
    if (l->message_len > 0) {
        memcpy(more, l->message, l->message_len);
    }
    memcpy(more + l->message_len, p, len);
    mbedtls_free(l->message);
    l->message = more;
    l->message_len += len;
    l->message_records++;
    take_messages(t, l, encrypted);
}

/* A record of another kind than the handshake's, or one that stays sealed. */
static void see_other(struct ssl_tap *t, struct ssl_tap_lane *l,
                      unsigned char record, bool encrypted,
                      const unsigned char *p, size_t len) {
    struct ssl_tap_message m = {
        .out = l->out,
        .record = record,
        .encrypted = encrypted,
        .opened = encrypted && p != NULL,
        .records = 1,
        .data = p,
        .len = len,
    };
    /* One in the clear means nothing once the keys are proven. */
    if (record == TYPE_ALERT && p != NULL && len == 2 &&
        p[0] == MBEDTLS_SSL_ALERT_LEVEL_FATAL && (encrypted || !l->finished)) {
        *(l->out ? &t->alert_out : &t->alert_in) = p[1];
    }
    l->got_data |= record == TYPE_DATA;
    tell(t, &m);
}

static void see_plain(struct ssl_tap *t, struct ssl_tap_lane *l,
                      unsigned char record, bool encrypted,
                      const unsigned char *p, size_t len) {
    police_record(t, l, record, p, len);
    if (record == TYPE_HANDSHAKE) {
        see_handshake(t, l, p, len, encrypted);
    } else {
        see_other(t, l, record, encrypted, p, len);
    }
}

/* RFC 8446 B.4. */
static bool make_keys(struct ssl_tap_keys *k, unsigned cipher) {
    static const struct {
        unsigned cipher;
        psa_key_type_t type;
        size_t len;
        psa_algorithm_t alg;
    } rows[] = {
        { 0x1301, PSA_KEY_TYPE_AES, 16, PSA_ALG_GCM },
        { 0x1302, PSA_KEY_TYPE_AES, 32, PSA_ALG_GCM },
        { 0x1303, PSA_KEY_TYPE_CHACHA20, 32, PSA_ALG_CHACHA20_POLY1305 },
        { 0x1304, PSA_KEY_TYPE_AES, 16, PSA_ALG_CCM },
        { 0x1305, PSA_KEY_TYPE_AES, 16,
          PSA_ALG_AEAD_WITH_SHORTENED_TAG(PSA_ALG_CCM, 8) },
    };
    unsigned char key[32];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !k->made; i++) {
        psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
        if (rows[i].cipher != cipher) {
            continue;
        }
        psa_set_key_usage_flags(&a, PSA_KEY_USAGE_DECRYPT);
        psa_set_key_algorithm(&a, rows[i].alg);
        psa_set_key_type(&a, rows[i].type);
        k->alg = rows[i].alg;
        k->made = ssl_keys_expand(k->secret, k->secret_len, "key", key,
                                  rows[i].len) &&
                  ssl_keys_expand(k->secret, k->secret_len, "iv", k->iv,
                                  sizeof k->iv) &&
                  psa_import_key(&a, key, rows[i].len, &k->key) == PSA_SUCCESS;
        mbedtls_platform_zeroize(key, sizeof key);
    }
    return k->made;
}

/* Open one record (RFC 8446 5.2) into `plain`.
 * @return whether these are its keys; *len, without padding and the type that
 *         ends it, and *type are set then */
static bool open_with(const struct ssl_tap *t, const struct ssl_tap_lane *l,
                      struct ssl_tap_keys *k, unsigned char *plain, size_t *len,
                      unsigned char *type) {
    unsigned char nonce[sizeof k->iv];
    size_t n;
    if (k->secret_len == 0 || (!k->made && !make_keys(k, t->chosen.cipher))) {
        return false;
    }
    memcpy(nonce, k->iv, sizeof nonce);
    for (size_t i = 0; i < sizeof k->seq; i++) {
        nonce[sizeof nonce - 1 - i] ^= (unsigned char)(k->seq >> (8 * i));
    }
    if (psa_aead_decrypt(k->key, k->alg, nonce, sizeof nonce, l->header, HEADER,
                         l->body, l->body_len, plain, l->body_len,
                         &n) != PSA_SUCCESS) {
        return false;
    }
    k->seq++;
    while (n > 0 && plain[n - 1] == 0) {
        n--;
    }
    *type = n > 0 ? plain[n - 1] : 0;
    *len = n > 0 ? n - 1 : 0;
    return true;
}

/* TLS 1.3. After Finished the keys of the handshake are tried too: an Mbed TLS
 * server refuses a client's certificate under those. */
static void see_sealed(struct ssl_tap *t, struct ssl_tap_lane *l) {
    unsigned char *plain = mbedtls_calloc(1, l->body_len + 1);
    size_t len = 0;
    unsigned char type = 0;
    bool opened =
        plain != NULL &&
        ((l->finished && open_with(t, l, &l->data, plain, &len, &type)) ||
         open_with(t, l, &l->handshake, plain, &len, &type));
    if (opened) {
        see_plain(t, l, type, true, plain, len);
    } else {
        see_other(t, l, TYPE_DATA, true, NULL, l->body_len);
    }
    if (plain != NULL) {
        mbedtls_platform_zeroize(plain, l->body_len);
        mbedtls_free(plain);
    }
}

static void see_record(struct ssl_tap *t, struct ssl_tap_lane *l) {
    unsigned char type = l->header[0];
    if (t->chosen.version == TLS13 && type == TYPE_DATA) {
        see_sealed(t, l);
    } else if (!l->ciphered) {
        see_plain(t, l, type, false, l->body, l->body_len);
    } else if (type == TYPE_HANDSHAKE && !l->finished) {
        /* TLS 1.2: nothing else can come here. Its size is not known. */
        struct ssl_tap_message m = { .out = l->out,
                                     .record = type,
                                     .type = SSL_MSG_FINISHED,
                                     .encrypted = true,
                                     .records = 1,
                                     .len = l->body_len };
        count_message(t, l, SSL_MSG_FINISHED, 0);
        l->finished = true;
        tell(t, &m);
    } else {
        see_other(t, l, type, true, NULL, l->body_len);
    }
    /* Before the ServerHello it means nothing (RFC 8446 5). */
    if (type == TYPE_CCS && t->chosen.version != 0 &&
        t->chosen.version != TLS13 && !l->ciphered) {
        l->ciphered = true;
        l->unsealed = l->traffic.records;
    }
}

static bool shaken(const struct ssl_tap *t) {
    return t->in.finished && t->out.finished;
}

/* Is what follows only counted? */
static bool counts_only(const struct ssl_tap *t, const struct ssl_tap_lane *l) {
    return shaken(t) && l->got_data && t->listener == NULL;
}

/* A record's header is here: what is to be done with the rest? */
static void begin_record(struct ssl_tap *t, struct ssl_tap_lane *l) {
    const unsigned char *h = l->header;
    l->body_len = (size_t)h[3] << 8 | h[4];
    l->body_at = 0;
    if (h[0] < TYPE_CCS || h[0] > TYPE_LAST || h[1] != 3 ||
        l->body_len > BODY_MAX) {
        l->lost = true;
        return;
    }
    l->traffic.records++;
    if (l->body_len > l->traffic.largest_record) {
        l->traffic.largest_record = l->body_len;
    }
    if (!shaken(t)) {
        l->traffic.handshake_bytes += HEADER + l->body_len;
    }
    if (!counts_only(t, l)) {
        l->body = mbedtls_calloc(1, l->body_len + 1);
        l->lost = l->body == NULL;
    }
}

static void look(struct ssl_tap *t, bool out, const unsigned char *buf,
                 size_t len) {
    struct ssl_tap_lane *l = out ? &t->out : &t->in;
    while (len > 0 && !l->lost) {
        bool head = l->header_len < HEADER;
        size_t room = head ? HEADER - l->header_len : l->body_len - l->body_at;
        size_t n = len < room ? len : room;
        if (head) {
            memcpy(l->header + l->header_len, buf, n);
            l->header_len += n;
            if (l->header_len == HEADER) {
                begin_record(t, l);
            }
        } else {
            if (l->body != NULL) {
                memcpy(l->body + l->body_at, buf, n);
            }
            l->body_at += n;
        }
        buf += n;
        len -= n;
        if (!l->lost && l->header_len == HEADER && l->body_at == l->body_len) {
            if (l->body != NULL) {
                see_record(t, l);
            }
            mbedtls_free(l->body);
            l->body = NULL;
            if (counts_only(t, l)) {
                keys_free(&l->handshake);
                keys_free(&l->data);
            }
            l->header_len = 0;
            l->body_at = l->body_len = 0;
        }
    }
}

void ssl_tap_defer(struct ssl_tap *t) {
    t->defers = true;
}

void ssl_tap_catch_up(struct ssl_tap *t) {
    const unsigned char *piece;
    size_t at = 0, len;
    bool out;
    t->defers = false;
    while ((piece = ssl_late_next(&t->late, &at, &out, &len)) != NULL) {
        look(t, out, piece, len);
    }
    ssl_late_free(&t->late);
}

void ssl_tap_see(struct ssl_tap *t, bool out, const unsigned char *buf,
                 size_t len) {
    if (t->defers) {
        if (ssl_late_keep(&t->late, out, buf, len)) {
            return;
        }
        ssl_tap_catch_up(t);
    }
    look(t, out, buf, len);
}

uint64_t ssl_tap_sealed(const struct ssl_tap *t, bool out) {
    const struct ssl_tap_lane *l = out ? &t->out : &t->in;
    return l->traffic.records - l->unsealed;
}

static bool is_between(const struct ssl_tap_lane *l) {
    return l->finished && l->header_len == 0 && l->message_len == 0;
}

bool ssl_tap_between_records(const struct ssl_tap *t) {
    return is_between(&t->in) && is_between(&t->out);
}

void ssl_tap_opened(struct ssl_tap *t, unsigned char record,
                    const unsigned char *p, size_t len) {
    if (record == TYPE_ALERT || !counts_only(t, &t->in)) {
        see_plain(t, &t->in, record, true, p, len);
    }
}

void ssl_tap_secret(struct ssl_tap *t, mbedtls_ssl_key_export_type type,
                    const unsigned char *secret, size_t len) {
    struct ssl_tap_lane *server = t->server_side ? &t->out : &t->in;
    struct ssl_tap_lane *client = t->server_side ? &t->in : &t->out;
    struct ssl_tap_keys *k;
    switch (type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET:
        k = &client->handshake;
        break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET:
        k = &server->handshake;
        break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET:
        k = &client->data;
        break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET:
        k = &server->data;
        break;
    default:
        return;
    }
    if (len == 32 || len == sizeof k->secret) {
        keys_free(k);
        memcpy(k->secret, secret, len);
        k->secret_len = len;
    }
}

const unsigned char *ssl_tap_certificate(struct ssl_tap *t, size_t i,
                                         size_t *len) {
    ssl_tap_catch_up(t);
    *len = 0;
    return t->certificate == NULL
               ? NULL
               : ssl_hello_certificate(t->certificate, t->certificate_len,
                                       t->chosen.version, i, len);
}

static void heap_info(const struct ssl_tap *t, struct ssl_heap_info *info) {
    const struct ssl_heap_account *a = t->heap;
    if (a == NULL) {
        return;
    }
    *info = (struct ssl_heap_info){ .known = true,
                                    .now = ssl_heap_now(a),
                                    .peak = ssl_heap_peak(a),
                                    .context = a->beside,
                                    .limit = a->limit.bytes,
                                    .count = a->count,
                                    .step_count = t->step_count };
    memcpy(info->steps, t->steps, sizeof info->steps);
    struct ssl_heap_step *last = &info->steps[t->step_count - 1];
    size_t peak = ssl_heap_step_peak(a);
    if (peak > last->peak) {
        last->peak = (uint32_t)peak;
    }
}

void ssl_tap_info(const struct ssl_tap *t, struct ssl_info *info) {
    const struct ssl_chosen *c = &t->chosen;
    heap_info(t, &info->heap);
    if (t->hello != NULL) {
        (void)ssl_hello_read_client(t->hello, t->hello_len,
                                    t->server_side ? &info->theirs
                                                   : &info->ours);
    }
    info->group = c->group;
    info->sig_alg = c->sig_alg;
    memcpy(info->alpn, c->alpn, sizeof info->alpn);
    info->extensions = c->extensions;
    info->max_fragment_length = c->max_fragment_length;
    info->record_size_limit = c->record_size_limit;
    info->tickets = t->tickets;
    info->round_trips = t->round_trips;
    info->in = t->in.traffic;
    info->out = t->out.traffic;
}
