#include "tls/ssl_probe.h"

#include <mbedtls/ssl.h>
#include <psa/crypto.h>
#include <string.h>

enum { HEADER = 4, RECORD_MAX = 16384 + 2048, TLS13 = 0x0304 };

int ssl_probe_init(struct ssl_probe *p, struct stream *lower,
                   const struct ssl_offer *offer, struct err *err) {
    unsigned char random[64];
    memset(p, 0, sizeof *p);
    p->lower = lower;
    p->alert = -1;
    psa_status_t status = psa_crypto_init();
    if (status == PSA_SUCCESS) {
        status = psa_generate_random(random, sizeof random);
    }
    if (status != PSA_SUCCESS) {
        return err_set(err, ERR_TLS, status, "make a random number");
    }
    p->out_len = ssl_hello_write_client(offer, random, p->out, sizeof p->out);
    if (p->out_len == 0) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL,
                       "a ClientHello over %d bytes", SSL_PROBE_HELLO_MAX);
    }
    return 0;
}

static void on_message(struct ssl_probe *p) {
    unsigned type = p->message[0];
    size_t len = p->message_at - HEADER;
    bool whole = len <= SSL_PROBE_MESSAGE_MAX;
    bool needed =
        type == SSL_MSG_SERVER_HELLO || type == SSL_MSG_SERVER_KEY_EXCHANGE;
    enum { HELLO_REQUEST = 0 }; /* may come at any time */
    bool early = p->chosen.version == 0 && type != SSL_MSG_SERVER_HELLO &&
                 type != HELLO_REQUEST;
    if (early || (needed && !whole) ||
        (needed &&
         !ssl_hello_read_server(type, p->message + HEADER, len, &p->chosen))) {
        p->answer = SSL_PROBE_NOT_TLS;
        return;
    }
    p->certificate_wanted |= type == SSL_MSG_CERTIFICATE_REQUEST;
    /* TLS 1.3: what follows is encrypted, or waits for a second hello. */
    if (p->chosen.version >= TLS13 || type == SSL_MSG_SERVER_HELLO_DONE) {
        p->answer = SSL_PROBE_CHOSEN;
    }
}

/* Bytes of messages, which records may cut anywhere. @return bytes used */
static size_t feed_messages(struct ssl_probe *p, const unsigned char *buf,
                            size_t n) {
    size_t want = HEADER;
    if (p->message_at >= HEADER) {
        want += (size_t)p->message[1] << 16 | (size_t)p->message[2] << 8 |
                p->message[3];
    }
    size_t take = want - p->message_at < n ? want - p->message_at : n;
    if (p->message_at < sizeof p->message) {
        size_t room = sizeof p->message - p->message_at;
        memcpy(p->message + p->message_at, buf, take < room ? take : room);
    }
    p->message_at += take;
    bool header = p->message_at >= HEADER;
    size_t body = (size_t)p->message[1] << 16 | (size_t)p->message[2] << 8 |
                  p->message[3];
    if (header && p->message_at == HEADER + body) {
        on_message(p);
        p->message_at = 0;
    }
    return take;
}

static size_t feed_alert(struct ssl_probe *p, const unsigned char *buf) {
    enum { WARNING = 1, CLOSE_NOTIFY = 0 };
    p->alerts[p->alert_len++] = buf[0];
    if (p->alert_len == sizeof p->alerts) {
        p->alert_len = 0;
        if (p->alerts[1] == CLOSE_NOTIFY) {
            p->answer = SSL_PROBE_CLOSED;
        } else if (p->alerts[0] != WARNING) {
            p->alert = p->alerts[1];
            p->answer = SSL_PROBE_ALERT;
        }
    }
    return 1;
}

/* RFC 8446 5.1 */
static void on_header(struct ssl_probe *p) {
    const unsigned char *h = p->header;
    p->record_left = (size_t)h[3] << 8 | h[4];
    if (h[0] < 20 || h[0] > 24 || h[1] != 3 || p->record_left > RECORD_MAX) {
        p->answer = SSL_PROBE_NOT_TLS;
    }
}

static void feed(struct ssl_probe *p, const unsigned char *buf, size_t n) {
    while (n > 0 && p->answer == SSL_PROBE_NONE) {
        size_t used = 1;
        if (p->header_len < sizeof p->header) {
            p->header[p->header_len++] = buf[0];
            if (p->header_len == sizeof p->header) {
                on_header(p);
            }
        } else {
            used = p->record_left < n ? p->record_left : n;
            if (p->header[0] == MBEDTLS_SSL_MSG_HANDSHAKE) {
                used = feed_messages(p, buf, used);
            } else if (p->header[0] == MBEDTLS_SSL_MSG_ALERT) {
                used = feed_alert(p, buf);
            }
            p->record_left -= used;
        }
        if (p->header_len == sizeof p->header && p->record_left == 0) {
            p->header_len = 0;
        }
        buf += used;
        n -= used;
    }
}

/* Whether it leaves or not, the answer is known. */
static void say_goodbye(struct ssl_probe *p) {
    /* Two alerts, level warning: user_canceled, close_notify. */
    static const unsigned char bye[] = "\x15\x03\x03\x00\x02\x01\x5a"
                                       "\x15\x03\x03\x00\x02\x01\x00";
    struct err ignored = ERR_INIT;
    (void)p->lower->ops->write(p->lower, bye, sizeof bye - 1, &ignored);
}

int ssl_probe_run(struct ssl_probe *p, struct err *err) {
    while (p->out_at < p->out_len) {
        ssize_t n = p->lower->ops->write(p->lower, p->out + p->out_at,
                                         p->out_len - p->out_at, err);
        if (n < 0) {
            return (int)n;
        }
        p->out_at += (size_t)n;
    }
    while (p->answer == SSL_PROBE_NONE) {
        unsigned char buf[4096];
        ssize_t n = p->lower->ops->read(p->lower, buf, sizeof buf, err);
        if (n < 0) {
            return (int)n;
        }
        p->in += (size_t)n;
        if (n == STREAM_EOF) {
            p->answer = SSL_PROBE_CLOSED;
        } else if (p->in > SSL_PROBE_FLIGHT_MAX) {
            p->answer = SSL_PROBE_NOT_TLS;
        } else {
            feed(p, buf, (size_t)n);
        }
        if (p->answer == SSL_PROBE_CHOSEN) {
            say_goodbye(p);
        }
    }
    return 0;
}
