#include "tls/ssl_failure.h"

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <string.h>

#include "tls/compat.h"
#include "tls/ssl_alert.h"

int ssl_failure_of(struct err *err, int ret, const char *what) {
    char text[96];
    mbedtls_strerror(ret, text, sizeof text);
    return err_set(err, ERR_TLS, ret, "%s: %s", what, text);
}

void ssl_failure_keep(struct ssl_socket *s, const unsigned char *buf,
                      size_t n) {
    size_t room = sizeof s->peek - s->peek_len;
    size_t first = n < room ? n : room;
    memcpy(s->peek + s->peek_len, buf, first);
    s->peek_len += first;
}

/* RFC 8446 5.1: a record begins with its type, 20 to 24, and 3, minor. */
static bool looks_like_tls(const struct ssl_socket *s) {
    bool type = s->peek[0] >= 20 && s->peek[0] <= 24;
    return s->peek_len == 0 || (type && (s->peek_len < 2 || s->peek[1] == 3));
}

/* Mbed TLS stops at the five bytes of a record's header; more of what the
 * peer said is here already, as a rule, and says what it is. */
static void peek_more(struct ssl_socket *s) {
    enum { TRIES = 4 };
    for (int i = 0; i < TRIES && s->peek_len < sizeof s->peek; i++) {
        unsigned char buf[SSL_PEEK_MAX];
        struct err ignored = ERR_INIT;
        ssize_t n = s->lower->ops->read(s->lower, buf,
                                        sizeof s->peek - s->peek_len, &ignored);
        if (n > 0) {
            ssl_failure_keep(s, buf, (size_t)n);
        } else if (n == STREAM_EOF || n == STREAM_ERROR) {
            return;
        }
    }
}

static int not_tls(struct ssl_socket *s, struct err *err) {
    enum { SSL2_HELLO = 1 };
    char text[4 * SSL_PEEK_MAX + 1] = "";
    size_t at = 0;
    peek_more(s);
    /* RFC 5246 E.2 */
    bool ssl2 = s->peek_len > 2 && s->peek[0] >= 0x80 &&
                s->peek[2] == SSL2_HELLO &&
                s->ctx->protocol == SSL_PROTOCOL_TLS_SERVER;
    if (ssl2) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_INVALID_RECORD,
                       "the client sent an SSLv2 hello, which is not taken");
    }
    for (size_t i = 0; i < s->peek_len; i++) {
        unsigned char c = s->peek[i];
        if (at > 0 && (c == '\r' || c == '\n')) {
            break; /* the first line says what it is */
        }
        at += (size_t)snprintf(text + at, sizeof text - at,
                               c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
    }
    return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_INVALID_RECORD,
                   "this is not TLS: the peer sent `%s`", text);
}

/* A TLS 1.2 server that gets no certificate from us may call that a
 * handshake_failure (RFC 5246 7.4.6); before its own flight has ended, the same
 * alert means that nothing is in common. */
static bool about_our_certificate(const struct ssl_socket *s, int alert) {
    bool client = s->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT;
    if (alert == MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE) {
        return client && !s->handshake_done && s->ctx->own == NULL &&
               compat_state(&s->ssl) > MBEDTLS_SSL_SERVER_HELLO_DONE;
    }
    /* The former is what Mbed TLS sends in TLS 1.3 for the latter. */
    bool lacking = alert == MBEDTLS_SSL_ALERT_MSG_NO_CERT ||
                   alert == MBEDTLS_SSL_ALERT_MSG_CERT_REQUIRED;
    return ssl_alert_is_about_certificate(alert) &&
           (s->ctx->own != NULL || lacking);
}

/* Sending has failed in the handshake: the alert that says why may be here
 * already, behind what the handshake has read so far. */
static void read_on(struct ssl_socket *s) {
    enum { TRIES = 64 };
    for (int i = 0; i < TRIES; i++) {
        unsigned char buf[256];
        struct err ignored = ERR_INIT;
        ssize_t n = s->lower->ops->read(s->lower, buf, sizeof buf, &ignored);
        if (n <= 0) {
            return;
        }
        ssl_tap_see(&s->tap, false, buf, (size_t)n);
    }
}

/* In TLS 1.3 an Mbed TLS client refuses the server's certificate in the clear,
 * and its server refuses the client's under keys that the client has put away
 * (RFC 8446 4.4.4): the library cannot read either, and the tap does.
 * @return the alert that ended it, or -1 */
static int alert_of(struct ssl_socket *s, int ret) {
    switch (ret) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        return ssl_offload_has_in(s) ? s->tap.alert_in : compat_alert(&s->ssl);
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return s->tap.alert_in;
    case MBEDTLS_ERR_NET_SEND_FAILED:
        if (!s->handshake_done) {
            read_on(s);
        }
        return s->tap.alert_in;
    default:
        return -1;
    }
}

static int verify_failed(const struct ssl_socket *s, uint32_t flags,
                         struct err *err) {
    char text[sizeof err->msg];
    ssl_verify_explain(&s->verify, flags, text, sizeof text);
    return err_set(err, ERR_VERIFY, flags, "%s", text);
}

/* No common suite is what Mbed TLS calls it when the server's group is weak. */
static bool weak_dh(const struct ssl_socket *s) {
    static const char said[] = "DHM prime too short";
    return strncmp(s->ctx->detail, said, sizeof said - 1) == 0;
}

/* RFC 8446 4.6: what may come is a ticket, which is taken, a KeyUpdate, which
 * the library refuses, and a certificate request that we did not offer. */
static bool is_key_update(const struct ssl_socket *s, int ret) {
    return ret == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE && s->handshake_done &&
           mbedtls_ssl_get_version_number(&s->ssl) ==
               MBEDTLS_SSL_VERSION_TLS1_3;
}

/* A chain beyond one full record, which is all that the library reassembles. */
static bool too_large(const struct ssl_socket *s) {
    return !s->tap.in.lost &&
           strstr(s->ctx->detail, "requesting more data than fits") != NULL;
}

/* RFC 8446 5.1 lets a message be split anywhere; the library wants the four
 * bytes of its header in one record. */
static bool split_header(const struct ssl_socket *s) {
    static const char said[] = "handshake message too short";
    return !s->tap.in.lost &&
           strncmp(s->ctx->detail, said, sizeof said - 1) == 0;
}

/* RFC 5246 7.4.1.3: one of ours, and we offer none; to the library it is a
 * feature that it lacks. */
static bool chose_compression(const struct ssl_socket *s) {
    static const char said[] = "server hello, bad compression";
    return strncmp(s->ctx->detail, said, sizeof said - 1) == 0;
}

/* With both versions on, the library wants extensions in every ClientHello,
 * which a hello for TLS 1.2 need not have (RFC 5246 7.4.1.2). */
static bool hello_too_short(const struct ssl_socket *s, int ret) {
    return ret == MBEDTLS_ERR_SSL_DECODE_ERROR && !s->handshake_done &&
           s->ctx->protocol == SSL_PROTOCOL_TLS_SERVER &&
           s->ctx->min_version != s->ctx->max_version;
}

/* The alert that tells the peer why, where that has not left yet. */
static void tell_peer(struct ssl_socket *s, int ret) {
    if (ret == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE &&
        mbedtls_ssl_get_version_number(&s->ssl) == MBEDTLS_SSL_VERSION_TLS1_2) {
        /* RFC 5246 7.4.6: the library forgets to say it. */
        (void)mbedtls_ssl_send_alert_message(
            &s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
            MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    }
    if (ret == MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE && s->tap.alert_out < 0) {
        /* RFC 5246 7.2.2: nor does it say that no group is in common. */
        (void)mbedtls_ssl_send_alert_message(
            &s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
            MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    }
    if (compat_unsent(&s->ssl) != 0 && s->lower_err.origin == ERR_NONE) {
        (void)compat_flush(&s->ssl);
    }
}

int ssl_failure_pin(struct ssl_socket *s, struct err *err) {
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&s->ssl);
    if (ssl_pin_match(&s->ctx->pins, crt)) {
        return 0;
    }
    if (!s->pin_refused) {
        s->pin_refused = true;
        (void)mbedtls_ssl_send_alert_message(
            &s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
            MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN);
        tell_peer(s, 0);
    }
    if (crt == NULL) {
        return err_set(err, ERR_VERIFY, SSL_BADCERT_PIN,
                       "the peer sent no certificate, and its key is pinned");
    }
    if (s->verify.cert_count == 0 && ssl_verify_room(&s->verify, 1)) {
        /* Not verified, so not described. */
        ssl_cert_describe(crt, s->ctx->now, &s->verify.certs[0]);
        s->verify.cert_count = 1;
    }
    return verify_failed(s, SSL_BADCERT_PIN, err);
}

/* "the server's Certificate" */
static const char *name_message(const struct ssl_socket *s, bool out,
                                unsigned type, char *buf, size_t len) {
    bool client = s->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT;
    char name[SSL_LABEL_MAX];
    snprintf(buf, len, "%s %s",
             out      ? "our"
             : client ? "the server's"
                      : "the client's",
             ssl_name(SSL_KIND_MESSAGE, type, name));
    return buf;
}

bool ssl_failure_heap(const struct ssl_heap_account *a, const char *during,
                      int ret, struct err *err) {
    if (a == NULL || a->refused == 0) {
        return false;
    }
    if (a->limit.fail_at != 0 && a->count >= a->limit.fail_at &&
        (a->limit.bytes == 0 || a->refused_at + a->refused <= a->limit.bytes)) {
        err_set(err, ERR_DEVICE, ret,
                "allocation %llu was made to fail, %zu bytes with %zu in use, "
                "%s",
                (unsigned long long)a->limit.fail_at, a->refused, a->refused_at,
                during);
    } else {
        err_set(err, ERR_DEVICE, ret,
                "out of heap: %zu of %zu bytes are in use and %zu more are "
                "wanted, %s",
                a->refused_at, a->limit.bytes, a->refused, during);
    }
    return true;
}

/* After which message of the handshake, or before the first. */
static const char *heap_step(const struct ssl_socket *s, char *buf,
                             size_t len) {
    const struct ssl_heap_step *step = &s->tap.steps[s->tap.step_count - 1];
    char name[SSL_LABEL_MAX + 16];
    if (s->handshake_done) {
        return "after the handshake";
    }
    if (step->type == 0 && s->tap.step_count == 1) {
        return "before the first message";
    }
    snprintf(buf, len, "after %s",
             name_message(s, step->out, step->type, name, sizeof name));
    return buf;
}

int ssl_failure_setup(const struct ssl_socket *s, int ret, struct err *err) {
    return ssl_failure_heap(s->heap, "to make the connection", ret, err)
               ? -1
               : ssl_failure_of(err, ret, "make a connection");
}

int ssl_failure_truncated(const struct ssl_socket *s, struct err *err) {
    /* MicroPython: a lost end looks like an end. */
    return s->ctx->allow_truncation
               ? STREAM_EOF
               : err_set(err, ERR_TRUNCATED, 0,
                         "truncated: the peer closed the connection without "
                         "close_notify");
}

static int wire_over(const struct ssl_socket *s, int ret, struct err *err) {
    const struct ssl_overrun *o = &s->tap.over;
    char name[SSL_LABEL_MAX + 16] = "", record[SSL_LABEL_MAX];
    if (o->type != 0) {
        name_message(s, o->what == SSL_OVER_OUT, o->type, name, sizeof name);
    }
    switch (o->what) {
    case SSL_OVER_MESSAGE:
        return err_set(err, ERR_DEVICE, ret,
                       "%s message is %zu bytes; the device's input buffer "
                       "holds %zu",
                       name, o->bytes, o->limit);
    case SSL_OVER_SPREAD:
        return err_set(err, ERR_DEVICE, ret,
                       "%s message is %zu bytes, of which its record has %zu; "
                       "the device takes no message in several records",
                       name, o->bytes, o->limit);
    case SSL_OVER_OUT:
        return err_set(err, ERR_DEVICE, ret,
                       "%s message is %zu bytes; the device's output buffer "
                       "holds %zu",
                       name, o->bytes, o->limit);
    default:
        return err_set(err, ERR_DEVICE, ret,
                       "a record of %zu bytes, %s%s; the device's input buffer "
                       "holds %zu",
                       o->bytes,
                       name[0] != '\0'
                           ? "which begins with "
                           : ssl_name(SSL_KIND_RECORD, o->record, record),
                       name, o->limit);
    }
}

/* Was it the device, not the peer? */
static bool device_failed(const struct ssl_socket *s, int ret,
                          struct err *err) {
    char step[SSL_LABEL_MAX + 32];
    if (s->tap.over.what != SSL_OVER_NOT) {
        wire_over(s, ret, err);
        return true;
    }
    if (s->verify.device.origin != ERR_NONE) {
        const struct err *why = &s->verify.device;
        err_set(err, why->origin, why->code, "%s", why->msg);
        return true;
    }
    return ssl_failure_heap(s->heap, heap_step(s, step, sizeof step), ret, err);
}

/* Mbed TLS's own words, and what is known beyond them. */
static int in_its_words(const struct ssl_socket *s, int ret, const char *during,
                        struct err *err) {
    const char *guess = hello_too_short(s, ret)
                            ? "a TLS 1.2 hello without extensions is only "
                              "taken where 1.2 is the highest version"
                            : s->ctx->detail;
    char text[80];
    mbedtls_strerror(ret, text, sizeof text);
    return err_set(err, ERR_TLS, ret, "%s%s%s%s%s", during, text,
                   guess[0] != '\0' ? " (" : "", guess,
                   guess[0] != '\0' ? ")" : "");
}

int ssl_failure(struct ssl_socket *s, int ret, struct err *err) {
    const char *during = s->handshake_done ? "" : "handshake: ";
    ssl_tap_catch_up(&s->tap);
    tell_peer(s, ret);
    if (device_failed(s, ret, err)) {
        return STREAM_ERROR;
    }
    int alert = alert_of(s, ret);
    if (alert >= 0) {
        s->cert_refused = about_our_certificate(s, alert);
        return err_set(err, ERR_ALERT, alert, "%sthe peer sent alert %s (%d)",
                       during, ssl_alert_name(alert), alert);
    }
    if (s->lower_err.origin != ERR_NONE) {
        return err_set(err, s->lower_err.origin, s->lower_err.code, "%s%s",
                       during, s->lower_err.msg);
    }
    uint32_t flags = mbedtls_ssl_get_verify_result(&s->ssl);
    bool judged = flags != 0 && flags != UINT32_MAX;
    if (!looks_like_tls(s)) {
        return not_tls(s, err);
    }
    if (judged && (ret == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ||
                   ret == MBEDTLS_ERR_SSL_BAD_CERTIFICATE)) {
        return verify_failed(s, flags, err);
    }
    if (ret == MBEDTLS_ERR_SSL_CONN_EOF) {
        return err_set(err, ERR_TLS, ret,
                       "handshake: the peer closed the connection, awaiting "
                       "%s",
                       ssl_socket_awaiting(s));
    }
    if (ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_CONN_EOF,
                       "%sthe peer gave up (close_notify), awaiting %s", during,
                       ssl_socket_awaiting(s));
    }
    if (is_key_update(s, ret)) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE,
                       "a message after the handshake, a KeyUpdate as a rule, "
                       "that Mbed TLS %s does not take",
                       MBEDTLS_VERSION_STRING);
    }
    if (split_header(s)) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE,
                       "%sthe peer splits a message within its header of four "
                       "bytes, which Mbed TLS %s does not take",
                       during, MBEDTLS_VERSION_STRING);
    }
    if (chose_compression(s)) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER,
                       "%sthe server chose a compression, which was not "
                       "offered",
                       during);
    }
    if (weak_dh(s)) {
        return err_set(err, ERR_VERIFY, MBEDTLS_X509_BADCERT_BAD_KEY,
                       "%sthe server's Diffie-Hellman group is weak: %s bits",
                       during, s->ctx->detail + sizeof "DHM prime too short:");
    }
    if (too_large(s)) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL,
                       "%sa message of the peer is over the %d bytes that "
                       "this build takes",
                       during, MBEDTLS_SSL_IN_CONTENT_LEN);
    }
    return in_its_words(s, ret, during, err);
}
