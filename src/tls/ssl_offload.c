#include "tls/ssl_offload.h"

#include <errno.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#include "tls/ssl_failure.h"
#include "tls/ssl_socket.h"

enum {
    READS_MAX = 64, /* in one call, of what is no data */
    FULL = 16384    /* bytes in a record that no peer limits (RFC 8446 5.1) */
};

int ssl_socket_offload(struct ssl_socket *sock, struct record_stream *to,
                       struct err *err) {
    sock->offload = mbedtls_calloc(1, sizeof *sock->offload);
    if (sock->offload == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    sock->offload->to = to;
    return 0;
}

void ssl_offload_free(struct ssl_offload *o) {
    if (o != NULL) {
        mbedtls_platform_zeroize(o, sizeof *o);
        mbedtls_free(o);
    }
}

bool ssl_offload_has_in(const struct ssl_socket *s) {
    return s->offload != NULL && s->offload->in;
}

bool ssl_offload_has_out(const struct ssl_socket *s) {
    return s->offload != NULL && s->offload->out;
}

/* A server that refuses our certificate in TLS 1.3 may still do so with the
 * keys of the handshake, until its first record with those of the data. */
static bool may_be_refused(const struct ssl_socket *s) {
    return s->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT &&
           s->tap.certificate_wanted && s->offload->secrets.tls13 &&
           ssl_tap_sealed(&s->tap, false) == 0;
}

/* Is nothing under way, in either direction? */
static bool at_rest(const struct ssl_socket *s) {
    return !s->close_notify_begun && !s->lower->held && s->flight.len == 0 &&
           compat_unsent(&s->ssl) == 0 &&
           mbedtls_ssl_check_pending(&s->ssl) == 0 &&
           ssl_tap_between_records(&s->tap) && !may_be_refused(s);
}

/* @return 0, or -1: offload->lack says why not */
static int begin(struct ssl_socket *s, bool out) {
    struct ssl_offload *o = s->offload;
    struct record_keys keys;
    char suite[SSL_CIPHER_NAME_MAX] = "";
    const char *version;
    bool client = (s->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT) == out;
    (void)ssl_socket_cipher(s, &version, suite);
    const char *lack = ssl_keys_derive(&o->secrets, suite, client,
                                       ssl_tap_sealed(&s->tap, out), &keys);
    int rc = lack != NULL ? err_set(&o->lack, ERR_TLS, 0, "%s", lack)
                          : o->to->ops->begin(o->to, out, &keys, &o->lack);
    mbedtls_platform_zeroize(&keys, sizeof keys);
    return rc;
}

void ssl_offload_try(struct ssl_socket *s) {
    struct ssl_offload *o = s->offload;
    if (o == NULL || o->over || !s->handshake_done) {
        return;
    }
    ssl_tap_catch_up(&s->tap);
    if (s->tap.in.lost || s->tap.out.lost) {
        o->over = true;
        err_set(&o->lack, ERR_TLS, 0, "its records cannot be counted");
    } else if (at_rest(s)) {
        o->over = true;
        o->in = begin(s, false) == 0;
        o->out = o->in && begin(s, true) == 0;
    }
    if (o->over) {
        mbedtls_platform_zeroize(&o->secrets, sizeof o->secrets);
    }
}

/* The other end wants to begin anew, which is declined (RFC 5246 7.2.2). */
static void decline(struct ssl_socket *s) {
    static const unsigned char alert[] = {
        MBEDTLS_SSL_ALERT_LEVEL_WARNING, MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION
    };
    struct ssl_offload *o = s->offload;
    struct err ignored = ERR_INIT;
    if (o->out) {
        (void)o->to->ops->write(o->to, RECORD_ALERT, alert, sizeof alert,
                                &ignored);
    } else if (compat_wake(&s->ssl, &s->rest) == 0) {
        (void)mbedtls_ssl_send_alert_message(&s->ssl, alert[0], alert[1]);
    }
}

/* @return 0, or an MBEDTLS_ERR_* value for a message that cannot come now */
static int take_message(struct ssl_socket *s) {
    enum { HELLO_REQUEST = 0 };
    bool client = s->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT;
    unsigned char type = s->offload->header[0];
    size_t len = s->offload->left;
    if (mbedtls_ssl_get_version_number(&s->ssl) == MBEDTLS_SSL_VERSION_TLS1_3) {
        return client && type == SSL_MSG_NEW_SESSION_TICKET && len > 0
                   ? 0
                   : MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
    }
    if (client ? type != HELLO_REQUEST || len != 0
               : type != SSL_MSG_CLIENT_HELLO) {
        return MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
    }
    decline(s);
    return 0;
}

/* Part of a record of the handshake, with messages or parts of them. */
static int take_handshake(struct ssl_socket *s, const unsigned char *p,
                          size_t n) {
    struct ssl_offload *o = s->offload;
    int ret = 0;
    while (n > 0 && ret == 0) {
        if (o->left > 0) {
            size_t some = n < o->left ? n : o->left;
            o->left -= some;
            p += some;
            n -= some;
            continue;
        }
        o->header[o->header_len++] = *p++;
        n--;
        if (o->header_len == sizeof o->header) {
            o->header_len = 0;
            o->left = (size_t)o->header[1] << 16 | (size_t)o->header[2] << 8 |
                      o->header[3];
            ret = take_message(s);
        }
    }
    return ret;
}

static int take_alert(const unsigned char *p, size_t n) {
    if (n != 2) {
        return MBEDTLS_ERR_SSL_INVALID_RECORD;
    }
    if (p[0] == MBEDTLS_SSL_ALERT_LEVEL_FATAL) {
        return MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
    }
    return p[0] == MBEDTLS_SSL_ALERT_LEVEL_WARNING &&
                   p[1] == MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY
               ? MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY
               : 0;
}

/* A record, or part of one, that is no data.
 * @return 0, or what mbedtls_ssl_read() makes of it */
static int take(struct ssl_socket *s, unsigned char type,
                const unsigned char *p, size_t n) {
    struct ssl_offload *o = s->offload;
    ssl_tap_opened(&s->tap, type, p, n);
    if (type == RECORD_HANDSHAKE) {
        return take_handshake(s, p, n);
    }
    if (o->left > 0 || o->header_len > 0) { /* amid a message */
        return MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
    }
    if (type == RECORD_ALERT) {
        return take_alert(p, n);
    }
    return type == MBEDTLS_SSL_MSG_CHANGE_CIPHER_SPEC
               ? MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE
               : MBEDTLS_ERR_SSL_INVALID_RECORD;
}

/* @param n  what reading a record came to, which is no data
 * @return a STREAM_* value */
static ssize_t without_data(struct ssl_socket *s, ssize_t n, struct err *err) {
    switch (n) {
    case STREAM_EOF:
        s->lower_ended = true;
        return ssl_failure_truncated(s, err);
    case STREAM_ERROR:
        return ssl_failure(s, MBEDTLS_ERR_NET_RECV_FAILED, err);
    case RECORD_FORGED:
        return ssl_failure(s, MBEDTLS_ERR_SSL_INVALID_MAC, err);
    case RECORD_INVALID:
        return ssl_failure(s, MBEDTLS_ERR_SSL_INVALID_RECORD, err);
    default:
        return n;
    }
}

ssize_t ssl_offload_read(struct ssl_socket *s, void *buf, size_t len,
                         struct err *err) {
    struct ssl_offload *o = s->offload;
    s->ctx->detail[0] = '\0';
    for (int i = 0; i < READS_MAX; i++) {
        unsigned char type = RECORD_DATA;
        ssize_t n = o->to->ops->read(o->to, &type, buf, len, &s->lower_err);
        if (n <= 0) {
            return without_data(s, n, err);
        }
        if (type == RECORD_DATA && o->left == 0 && o->header_len == 0) {
            s->got_data = s->tap.in.got_data = true;
            return n;
        }
        int ret = take(s, type, buf, (size_t)n);
        if (ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
            s->close_notify_received = true;
            return STREAM_EOF;
        }
        if (ret != 0) {
            return ssl_failure(s, ret, err);
        }
    }
    return STREAM_WANT_RD;
}

ssize_t ssl_offload_write(struct ssl_socket *s, const void *buf, size_t len,
                          struct err *err) {
    struct ssl_offload *o = s->offload;
    int limit = mbedtls_ssl_get_max_out_record_payload(&s->ssl);
    size_t most = limit > 0 && limit < FULL ? (size_t)limit : len;
    ssize_t n = o->to->ops->write(o->to, RECORD_DATA, buf,
                                  len < most ? len : most, &s->lower_err);
    if (n > 0) {
        s->tap.out.got_data = true;
    }
    return n == STREAM_ERROR ? ssl_failure(s, MBEDTLS_ERR_NET_SEND_FAILED, err)
                             : n;
}

int ssl_offload_end(struct ssl_socket *s, struct err *err) {
    static const unsigned char alert[] = { MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                           MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY };
    struct ssl_offload *o = s->offload;
    s->close_notify_begun = true;
    ssize_t n = o->to->ops->write(o->to, RECORD_ALERT, alert, sizeof alert,
                                  &s->lower_err);
    if (n > 0) {
        return 0;
    }
    return n == STREAM_ERROR ? ssl_failure(s, MBEDTLS_ERR_NET_SEND_FAILED, err)
                             : (int)n;
}
