#include "tls/ssl_socket.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <stdio.h>
#include <string.h>

#include "tls/compat.h"
#include "tls/ssl_alert.h"

static ssize_t op_read(struct stream *s, void *buf, size_t len,
                       struct err *err) {
    return ssl_socket_read((struct ssl_socket *)s, buf, len, err);
}

static ssize_t op_write(struct stream *s, const void *buf, size_t len,
                        struct err *err) {
    return ssl_socket_write((struct ssl_socket *)s, buf, len, err);
}

static int op_end(struct stream *s, struct err *err) {
    return ssl_socket_end((struct ssl_socket *)s, err);
}

static int bio_result(ssize_t n, int failed) {
    switch (n) {
    case STREAM_WANT_RD:
        return MBEDTLS_ERR_SSL_WANT_READ;
    case STREAM_WANT_WR:
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    case STREAM_ERROR:
        return failed;
    default:
        return (int)n;
    }
}

static int bio_send(void *arg, const unsigned char *buf, size_t len) {
    struct ssl_socket *s = arg;
    ssize_t n = s->lower->ops->write(s->lower, buf, len, &s->lower_err);
    s->wire_out += n > 0 ? (uint64_t)n : 0;
    return bio_result(n, MBEDTLS_ERR_NET_SEND_FAILED);
}

static void keep_last(struct ssl_socket *s, const unsigned char *buf,
                      size_t n) {
    size_t size = sizeof s->last;
    size_t take = n < size ? n : size;
    memmove(s->last, s->last + take, size - take);
    memcpy(s->last + size - take, buf + n - take, take);
}

static void keep_first(struct ssl_socket *s, const unsigned char *buf,
                       size_t n) {
    size_t room = sizeof s->peek - s->peek_len;
    size_t take = n < room ? n : room;
    memcpy(s->peek + s->peek_len, buf, take);
    s->peek_len += take;
}

static int bio_recv(void *arg, unsigned char *buf, size_t len) {
    struct ssl_socket *s = arg;
    ssize_t n = s->lower->ops->read(s->lower, buf, len, &s->lower_err);
    if (n > 0) {
        keep_first(s, buf, (size_t)n);
        s->wire_in += (uint64_t)n;
        keep_last(s, buf, (size_t)n);
    }
    return bio_result(n, MBEDTLS_ERR_NET_RECV_FAILED);
}

static int check_hostname(const struct ssl_context *ctx, const char *name,
                          struct err *err) {
    if (name == NULL) {
        if (ctx->protocol == SSL_PROTOCOL_TLS_CLIENT &&
            ctx->verify_mode == SSL_CERT_REQUIRED) {
            return err_set(err, ERR_USAGE, 0,
                           "CERT_REQUIRED requires server_hostname ('' "
                           "waives the name check)");
        }
        return 0;
    }
    if (strlen(name) >= SSL_NAME_MAX) {
        return err_set(err, ERR_USAGE, 0,
                       "server_hostname %.40s... is over %d bytes", name,
                       SSL_NAME_MAX - 1);
    }
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p > 0x7f) {
            return err_set(err, ERR_USAGE, 0,
                           "server_hostname %s is not ASCII: give an "
                           "internationalized name as its A-labels (xn--...)",
                           name);
        }
        if (*p <= ' ' || *p == 0x7f) {
            return err_set(err, ERR_USAGE, 0,
                           "server_hostname '%s' has a byte 0x%02x in it", name,
                           (unsigned)*p);
        }
    }
    return 0;
}

static int tls_failed(struct err *err, int ret, const char *what) {
    char text[96];
    mbedtls_strerror(ret, text, sizeof text);
    return err_set(err, ERR_TLS, ret, "%s: %s", what, text);
}

/* SNI, and the name that the verification wants. */
static int set_hostname(struct ssl_socket *s, const char *name,
                        struct err *err) {
    bool given = name != NULL && name[0] != '\0';
    snprintf(s->server_hostname, sizeof s->server_hostname, "%s",
             given ? name : "");
    bool client = s->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT;
    s->name_checked = given && client && s->ctx->verify_mode != SSL_CERT_NONE;
    s->verify.name = s->name_checked ? s->server_hostname : NULL;
    char sni[SSL_NAME_MAX];
    snprintf(sni, sizeof sni, "%s", s->server_hostname);
    size_t len = strlen(sni);
    if (len > 1 && sni[len - 1] == '.') { /* RFC 6066 3: no trailing dot */
        sni[len - 1] = '\0';
    }
    /* MicroPython: sends SNI for addresses too, which RFC 6066 3 forbids. */
    bool send = given && client && !ssl_verify_is_address(name);
    /* The name is matched by our callback, so what the library thinks of it
     * does not matter; NULL tells it that having none is meant. */
    int ret = mbedtls_ssl_set_hostname(&s->ssl, send ? sni : NULL);
    return ret == 0 ? 0 : tls_failed(err, ret, "set the name to ask for");
}

int ssl_context_wrap_socket(struct ssl_context *ctx, struct ssl_socket *sock,
                            struct stream *lower, const char *server_hostname,
                            struct err *err) {
    static const struct stream_ops ops = { op_read, op_write, op_end };
    memset(sock, 0, sizeof *sock);
    mbedtls_ssl_init(&sock->ssl);
    sock->stream = (struct stream){ &ops, lower->fd };
    sock->lower = lower;
    sock->ctx = ctx;
    if (check_hostname(ctx, server_hostname, err) != 0) {
        return -1;
    }
    int ret = mbedtls_ssl_setup(&sock->ssl, &ctx->conf);
    if (ret != 0) {
        compat_setup_failed(&sock->ssl, &ctx->conf);
        return tls_failed(err, ret, "make a connection");
    }
    mbedtls_ssl_set_verify(&sock->ssl, ssl_verify_callback, &sock->verify);
    mbedtls_ssl_set_bio(&sock->ssl, sock, bio_send, bio_recv, NULL);
    return set_hostname(sock, server_hostname, err);
}

int ssl_wrap_socket(struct ssl_context *ctx, struct ssl_socket *sock,
                    struct stream *lower, const struct ssl_wrap_args *args,
                    struct err *err) {
    memset(sock, 0, sizeof *sock);
    mbedtls_ssl_init(&sock->ssl);
    if (ssl_wrap_context(ctx, args, err) != 0 ||
        ssl_context_wrap_socket(ctx, sock, lower, args->server_hostname, err) !=
            0) {
        return -1;
    }
    if (args->do_handshake &&
        ssl_socket_do_handshake(sock, err) == STREAM_ERROR) {
        return -1;
    }
    return 0;
}

void ssl_socket_free(struct ssl_socket *sock) {
    mbedtls_ssl_free(&sock->ssl);
    mbedtls_ssl_init(&sock->ssl);
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
            keep_first(s, buf, (size_t)n);
        } else if (n == STREAM_EOF || n == STREAM_ERROR) {
            return;
        }
    }
}

static int not_tls(struct ssl_socket *s, struct err *err) {
    char text[4 * SSL_PEEK_MAX + 1] = "";
    size_t at = 0;
    peek_more(s);
    for (size_t i = 0; i < s->peek_len; i++) {
        unsigned char c = s->peek[i];
        if (c == '\r' || c == '\n') {
            break;
        }
        at += (size_t)snprintf(text + at, sizeof text - at,
                               c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
    }
    return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_INVALID_RECORD,
                   "this is not TLS: the peer sent `%s`", text);
}

/* In TLS 1.3 a client may refuse the server's certificate before it has
 * switched to its handshake keys, as Mbed TLS does: the alert then comes
 * unprotected, and the library, which waits for a sealed record, cannot read
 * it. @return its description, or -1 */
static int plain_alert(const struct ssl_socket *s) {
    static const unsigned char head[] = {
        MBEDTLS_SSL_MSG_ALERT, 3, 3, 0, 2, MBEDTLS_SSL_ALERT_LEVEL_FATAL
    };
    bool is = !s->handshake_done && memcmp(s->last, head, sizeof head) == 0;
    return is ? s->last[sizeof head] : -1;
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

/* In TLS 1.3 an Mbed TLS server that refuses the client's certificate says so
 * under its handshake keys, which the client, having sent its Finished, has
 * put away (RFC 8446 4.4.4): an alert that cannot be read. */
static bool refused_unreadably(const struct ssl_socket *s, int ret) {
    return ret == MBEDTLS_ERR_SSL_INVALID_MAC && s->handshake_done &&
           !s->got_data && s->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT &&
           mbedtls_ssl_get_version_number(&s->ssl) ==
               MBEDTLS_SSL_VERSION_TLS1_3;
}

/* With bytes unsent, sending an alert sends those, and no alert. */
static int flush(struct ssl_socket *s) {
    return mbedtls_ssl_send_alert_message(&s->ssl,
                                          MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                          MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY);
}

static int failed(struct ssl_socket *s, int ret, struct err *err) {
    const char *during = s->handshake_done ? "" : "handshake: ";
    if (ret == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE &&
        mbedtls_ssl_get_version_number(&s->ssl) == MBEDTLS_SSL_VERSION_TLS1_2) {
        /* RFC 5246 7.4.6: the library forgets to say it. */
        (void)mbedtls_ssl_send_alert_message(
            &s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
            MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    }
    if (compat_unsent(&s->ssl) != 0 && s->lower_err.origin == ERR_NONE) {
        (void)flush(s); /* the alert that tells the peer why */
    }
    if (s->lower_err.origin != ERR_NONE) {
        return err_set(err, s->lower_err.origin, s->lower_err.code, "%s%s",
                       during, s->lower_err.msg);
    }
    uint32_t flags = mbedtls_ssl_get_verify_result(&s->ssl);
    bool judged = flags != 0 && flags != UINT32_MAX;
    int alert = ret == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE
                    ? compat_alert(&s->ssl)
                : ret == MBEDTLS_ERR_SSL_INVALID_MAC ? plain_alert(s)
                                                     : -1;
    if (alert >= 0) {
        return err_set(err, ERR_ALERT, alert, "%sthe peer sent alert %s (%d)",
                       during, ssl_alert_name(alert), alert);
    }
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
    if (weak_dh(s)) {
        return err_set(err, ERR_VERIFY, MBEDTLS_X509_BADCERT_BAD_KEY,
                       "%sthe server's Diffie-Hellman group is weak: %s bits",
                       during, s->ctx->detail + sizeof "DHM prime too short:");
    }
    if (refused_unreadably(s, ret)) {
        snprintf(s->ctx->detail, sizeof s->ctx->detail,
                 "an Mbed TLS server that refuses the client's certificate, "
                 "or its lack, ends TLS 1.3 so");
    }
    char text[80];
    mbedtls_strerror(ret, text, sizeof text);
    return err_set(err, ERR_TLS, ret, "%s%s%s%s%s", during, text,
                   s->ctx->detail[0] != '\0' ? " (" : "", s->ctx->detail,
                   s->ctx->detail[0] != '\0' ? ")" : "");
}

/* Mbed TLS's answer as a stream's; `ret` is not a success. */
static int stream_result(struct ssl_socket *s, int ret, struct err *err) {
    switch (ret) {
    case MBEDTLS_ERR_SSL_WANT_READ:
        return STREAM_WANT_RD;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return STREAM_WANT_WR;
    default:
        return failed(s, ret, err);
    }
}

int ssl_socket_do_handshake(struct ssl_socket *sock, struct err *err) {
    if (sock->handshake_done) {
        return 0;
    }
    sock->ctx->detail[0] = '\0';
    int ret = mbedtls_ssl_handshake(&sock->ssl);
    if (ret != 0) {
        return stream_result(sock, ret, err);
    }
    sock->handshake_done = true;
    return 0;
}

ssize_t ssl_socket_read(struct ssl_socket *sock, void *buf, size_t len,
                        struct err *err) {
    if (sock->close_notify_received) {
        return STREAM_EOF;
    }
    int ready = ssl_socket_do_handshake(sock, err);
    if (ready != 0) {
        return ready;
    }
    int n;
    sock->ctx->detail[0] = '\0';
    do { /* a session ticket is no data, and more may follow it */
        n = mbedtls_ssl_read(&sock->ssl, buf, len);
    } while (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
    if (n > 0) {
        sock->got_data = true;
        return n;
    }
    if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        sock->close_notify_received = true;
        return STREAM_EOF;
    }
    /* MicroPython: a lost end looks like an end. */
    if (n == 0 || n == MBEDTLS_ERR_SSL_CONN_EOF) {
        return sock->ctx->allow_truncation
                   ? STREAM_EOF
                   : err_set(err, ERR_TRUNCATED, 0,
                             "truncated: the peer closed the connection "
                             "without close_notify");
    }
    return stream_result(sock, n, err);
}

ssize_t ssl_socket_write(struct ssl_socket *sock, const void *buf, size_t len,
                         struct err *err) {
    int ready = ssl_socket_do_handshake(sock, err);
    if (ready != 0) {
        return ready;
    }
    sock->ctx->detail[0] = '\0';
    int n = mbedtls_ssl_write(&sock->ssl, buf, len);
    return n > 0 ? n : stream_result(sock, n, err);
}

int ssl_socket_end(struct ssl_socket *sock, struct err *err) {
    int ready = ssl_socket_do_handshake(sock, err);
    if (ready != 0) {
        return ready;
    }
    /* MicroPython: close() only closes the socket below. */
    if (sock->close_notify_sent || sock->ctx->no_close_notify) {
        return 0;
    }
    sock->ctx->detail[0] = '\0';
    int ret = 0;
    if (!sock->close_notify_begun && compat_unsent(&sock->ssl) != 0) {
        ret = flush(sock); /* a write was given up half-way */
    }
    if (ret == 0) {
        sock->close_notify_begun = true;
        ret = mbedtls_ssl_close_notify(&sock->ssl);
    }
    if (ret != 0) {
        return stream_result(sock, ret, err);
    }
    sock->close_notify_sent = true;
    return 0;
}

const char *ssl_socket_cipher(const struct ssl_socket *sock,
                              const char **version, char *buf) {
    if (!sock->handshake_done) {
        *version = "";
        return NULL;
    }
    *version = mbedtls_ssl_get_version(&sock->ssl);
    return ssl_cipher_iana(mbedtls_ssl_get_ciphersuite_id_from_ssl(&sock->ssl),
                           buf);
}

const unsigned char *ssl_socket_getpeercert(const struct ssl_socket *sock,
                                            size_t *len) {
    const mbedtls_x509_crt *crt =
        sock->handshake_done ? mbedtls_ssl_get_peer_cert(&sock->ssl) : NULL;
    *len = crt != NULL ? crt->raw.len : 0;
    return crt != NULL ? crt->raw.p : NULL;
}

const char *ssl_socket_awaiting(const struct ssl_socket *sock) {
    bool client = sock->ctx->protocol == SSL_PROTOCOL_TLS_CLIENT;
    int state = compat_state(&sock->ssl);
    switch (state) {
    case MBEDTLS_SSL_HELLO_REQUEST:
    case MBEDTLS_SSL_CLIENT_HELLO:
        return client ? "room to send the ClientHello"
                      : "the client's ClientHello";
    case MBEDTLS_SSL_SERVER_HELLO:
        return "the server's ServerHello";
    case MBEDTLS_SSL_ENCRYPTED_EXTENSIONS:
        return "the server's EncryptedExtensions";
    case MBEDTLS_SSL_SERVER_CERTIFICATE:
        return "the server's Certificate";
    case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
        return "the server's ServerKeyExchange";
    case MBEDTLS_SSL_CERTIFICATE_REQUEST:
        return "the server's CertificateRequest";
    case MBEDTLS_SSL_SERVER_HELLO_DONE:
        return "the server's ServerHelloDone";
    case MBEDTLS_SSL_CLIENT_CERTIFICATE:
        return "the client's Certificate";
    case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
        return "the client's ClientKeyExchange";
    case MBEDTLS_SSL_CERTIFICATE_VERIFY:
        return client ? "the server's CertificateVerify"
                      : "the client's CertificateVerify";
    case MBEDTLS_SSL_CLIENT_CHANGE_CIPHER_SPEC:
    case MBEDTLS_SSL_CLIENT_FINISHED:
        return "the client's Finished";
    case MBEDTLS_SSL_SERVER_CHANGE_CIPHER_SPEC:
    case MBEDTLS_SSL_SERVER_FINISHED:
        return "the server's Finished";
    default:
        return client ? "the server's next message"
                      : "the client's next message";
    }
}

static void info_certs(const struct ssl_socket *sock, struct ssl_info *info) {
    if (sock->verify.called) {
        info->verified = true;
        info->cert_count = sock->verify.cert_count;
        memcpy(info->certs, sock->verify.certs, sizeof info->certs);
        return;
    }
    const mbedtls_x509_crt *crt =
        sock->handshake_done ? mbedtls_ssl_get_peer_cert(&sock->ssl) : NULL;
    for (; crt != NULL && info->cert_count < SSL_CHAIN_MAX; crt = crt->next) {
        ssl_verify_describe(crt, &info->certs[info->cert_count++]);
    }
}

void ssl_socket_info(const struct ssl_socket *sock, struct ssl_info *info,
                     char *buf) {
    memset(info, 0, sizeof *info);
    info->handshake_done = sock->handshake_done;
    info->server_side = sock->ctx->protocol == SSL_PROTOCOL_TLS_SERVER;
    info->verify_mode = sock->ctx->verify_mode;
    info->name_checked = sock->name_checked;
    info->wire_in = sock->wire_in;
    info->wire_out = sock->wire_out;
    info->close_notify_sent = sock->close_notify_sent;
    info->close_notify_received = sock->close_notify_received;
    memcpy(info->server_hostname, sock->server_hostname,
           sizeof info->server_hostname);
    info_certs(sock, info);
    uint32_t flags = mbedtls_ssl_get_verify_result(&sock->ssl);
    info->verify_flags = flags == UINT32_MAX ? 0 : flags;
    if (sock->handshake_done) {
        info->cipher = ssl_socket_cipher(sock, &info->version, buf);
        info->cipher_id = mbedtls_ssl_get_ciphersuite_id_from_ssl(&sock->ssl);
    }
}
