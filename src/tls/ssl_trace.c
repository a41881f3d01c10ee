#include "tls/ssl_trace.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "tls/ssl_alert.h"

enum { MSG_HEADER = 4 };

const char *ssl_trace_name(const struct ssl_tap_message *m, char *buf) {
    bool handshake = m->record == MBEDTLS_SSL_MSG_HANDSHAKE;
    return ssl_name(handshake ? SSL_KIND_MESSAGE : SSL_KIND_RECORD,
                    handshake ? m->type : m->record, buf);
}

/* Text that grows, and stops growing when it is full. */
struct text {
    char *buf;
    size_t len, at;
};

static void add(struct text *x, const char *fmt, ...) ERR_PRINTF(2, 3);

static void add(struct text *x, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(x->buf + x->at, x->len - x->at, fmt, ap);
    va_end(ap);
    size_t room = x->len - x->at - 1;
    x->at += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;
}

static const char *comma(const struct text *x) {
    return x->at > 0 ? ", " : "";
}

static void add_name(struct text *x, enum ssl_kind kind, unsigned id) {
    char name[SSL_LABEL_MAX];
    add(x, "%s%s", comma(x), ssl_name(kind, id, name));
}

static void add_list(struct text *x, const char *what, enum ssl_kind kind,
                     const struct ssl_ids *ids, size_t most) {
    char name[SSL_LABEL_MAX];
    if (ids->n == 0) {
        return;
    }
    add(x, "%s%s", x->at > 0 ? "; " : "", what);
    for (size_t i = 0; i < ids->n && i < most; i++) {
        add(x, " %s", ssl_name(kind, ids->id[i], name));
    }
    if (ids->n > most) {
        add(x, " and %zu more", ids->n - most);
    }
}

static void client_hello(struct text *x, const unsigned char *msg, size_t len) {
    struct ssl_offer offer, *o = &offer;
    (void)ssl_hello_read_client(msg, len, o);
    add_list(x, "versions", SSL_KIND_VERSION, &o->of[SSL_KIND_VERSION], 4);
    add_list(x, "suites", SSL_KIND_CIPHER, &o->of[SSL_KIND_CIPHER], 3);
    add_list(x, "groups", SSL_KIND_GROUP, &o->of[SSL_KIND_GROUP], 4);
    add_list(x, "signatures", SSL_KIND_SIG_ALG, &o->of[SSL_KIND_SIG_ALG], 3);
    if (o->server_name[0] != '\0') {
        add(x, "; name %s", o->server_name);
    }
    if (o->alpn[0] != '\0') {
        add(x, "; ALPN %s", o->alpn);
    }
}

/* Of the server's choice what this message tells. */
static void chosen(struct text *x, const struct ssl_tap *t, unsigned type,
                   const unsigned char *msg, size_t len) {
    struct ssl_chosen c = t->chosen; /* the suite says what SKE is made of */
    c.extensions.n = 0;
    c.group = c.sig_alg = 0;
    (void)ssl_hello_read_server(type, msg, len, &c);
    if (type == SSL_MSG_SERVER_HELLO) {
        add(x, "%s", c.retry ? "HelloRetryRequest" : "");
        add_name(x, SSL_KIND_VERSION, c.version);
        add_name(x, SSL_KIND_CIPHER, c.cipher);
    }
    if (c.group != 0) {
        add_name(x, SSL_KIND_GROUP, c.group);
    }
    if (c.sig_alg != 0) {
        add_name(x, SSL_KIND_SIG_ALG, c.sig_alg);
    }
    add_list(x, "extensions", SSL_KIND_EXTENSION, &c.extensions, 6);
}

static void certificates(struct text *x, const struct ssl_tap *t,
                         const unsigned char *msg, size_t len) {
    size_t n = 0, one;
    while (ssl_hello_certificate(msg, len, t->chosen.version, n, &one) !=
           NULL) {
        n++;
    }
    add(x, "%zu certificate%s", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n; i++) {
        (void)ssl_hello_certificate(msg, len, t->chosen.version, i, &one);
        add(x, "%s %zu", i == 0 ? " of" : " +", one);
    }
    add(x, "%s", n > 0 ? " bytes" : "");
}

static void handshake(struct text *x, const struct ssl_tap *t,
                      const struct ssl_tap_message *m) {
    const unsigned char *msg = m->data + MSG_HEADER;
    size_t len = m->len - MSG_HEADER;
    switch (m->type) {
    case SSL_MSG_CLIENT_HELLO:
        client_hello(x, msg, len);
        break;
    case SSL_MSG_SERVER_HELLO:
    case SSL_MSG_ENCRYPTED_EXTENSIONS:
    case SSL_MSG_SERVER_KEY_EXCHANGE:
    case SSL_MSG_CERTIFICATE_VERIFY:
        chosen(x, t, m->type, msg, len);
        break;
    case SSL_MSG_CERTIFICATE:
        certificates(x, t, msg, len);
        break;
    case SSL_MSG_NEW_SESSION_TICKET:
        if (len >= 4) {
            add(x, "for %lu s",
                (unsigned long)msg[0] << 24 | (unsigned long)msg[1] << 16 |
                    (unsigned long)msg[2] << 8 | msg[3]);
        }
        break;
    default:
        break;
    }
}

static void alert(struct text *x, int level, int number) {
    if (level == MBEDTLS_SSL_ALERT_LEVEL_FATAL) {
        add(x, "fatal");
    } else if (level == MBEDTLS_SSL_ALERT_LEVEL_WARNING) {
        add(x, "warning");
    } else {
        add(x, "level %d", level);
    }
    add(x, " %s (%d)", ssl_alert_name(number), number);
}

void ssl_trace_describe(const struct ssl_tap *t,
                        const struct ssl_tap_message *m, char *buf,
                        size_t len) {
    struct text x = { buf, len, 0 };
    buf[0] = '\0';
    if (m->encrypted && !m->opened) {
        add(&x, m->record == MBEDTLS_SSL_MSG_APPLICATION_DATA ? "" : "sealed");
    } else if (m->record == MBEDTLS_SSL_MSG_ALERT && m->len >= 2) {
        alert(&x, m->data[0], m->data[1]);
    } else if (m->record == MBEDTLS_SSL_MSG_HANDSHAKE && m->len >= MSG_HEADER) {
        handshake(&x, t, m);
    }
}
