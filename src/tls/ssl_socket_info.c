/*
 * ssl_socket_info.c - what is known of a connection, at any time.
 */
#include <stdio.h>
#include <string.h>

#include "accel/accel.h"
#include "tls/compat.h"
#include "tls/ssl_diagnose.h"
#include "tls/ssl_identity.h"
#include "tls/ssl_socket.h"

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

const unsigned char *ssl_socket_sent_certificate(struct ssl_socket *sock,
                                                 size_t i, size_t *len) {
    return ssl_tap_certificate(&sock->tap, i, len);
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
        ssl_verify_info(&sock->verify, info);
        return;
    }
    const mbedtls_x509_crt *crt =
        sock->handshake_done ? mbedtls_ssl_get_peer_cert(&sock->ssl) : NULL;
    for (; crt != NULL && info->cert_count < SSL_CHAIN_MAX; crt = crt->next) {
        ssl_cert_describe(crt, sock->ctx->now,
                          &info->certs[info->cert_count++]);
    }
}

/* Which of our certificates did the peer get? */
static void info_own(const struct ssl_socket *sock, struct ssl_info *info) {
    const struct ssl_identity *own = sock->ctx->own;
    for (; own != NULL; own = own->next) {
        info->own_count++;
        if (sock->tap.own_sent && !info->own_sent) {
            ssl_cert_describe(&own->cert, sock->ctx->now, &info->own);
            info->own_sent = memcmp(info->own.sha256, sock->tap.own_sha256,
                                    sizeof info->own.sha256) == 0;
        }
    }
}

/* What the ServerHello said, of a handshake that has not come to its end. */
static void info_chosen(const struct ssl_chosen *c, struct ssl_info *info,
                        char *buf) {
    static const char *const versions[] = { "SSLv3", "TLSv1.0", "TLSv1.1",
                                            "TLSv1.2", "TLSv1.3" };
    size_t i = c->version - 0x0300u;
    if (c->cipher != 0 && i < sizeof versions / sizeof versions[0]) {
        info->version = versions[i];
        info->cipher = ssl_name(SSL_KIND_CIPHER, c->cipher, buf);
    }
}

static void info_offload(const struct ssl_socket *sock, struct ssl_info *info) {
    const struct ssl_offload *o = sock->offload;
    if (o == NULL) {
        return;
    }
    info->ktls_wanted = true;
    info->ktls_in = o->in;
    info->ktls_out = o->out;
    snprintf(info->ktls_lack, sizeof info->ktls_lack, "%s", o->lack.msg);
    if (o->in && o->out) {
        info->encrypted_by = o->to->ops->name;
    }
}

void ssl_socket_summary(const struct ssl_socket *sock, struct ssl_info *info,
                        char *buf) {
    ssl_info_clear(info);
    info->handshake_done = sock->handshake_done;
    info->server_side = sock->ctx->protocol == SSL_PROTOCOL_TLS_SERVER;
    info->verify_mode = sock->ctx->verify_mode;
    info->name_checked = sock->name_checked;
    info->cert_refused = sock->cert_refused;
    info->wire_in = sock->wire_in;
    info->wire_out = sock->wire_out;
    info->close_notify_sent = sock->close_notify_sent;
    info->close_notify_received = sock->close_notify_received;
    memcpy(info->server_hostname, sock->server_hostname,
           sizeof info->server_hostname);
    info_certs(sock, info);
    uint32_t flags = mbedtls_ssl_get_verify_result(&sock->ssl);
    /* All bits: nothing was judged yet; skipped: nothing was asked for. */
    info->verify_flags =
        flags == UINT32_MAX
            ? 0
            : flags & ~(uint32_t)MBEDTLS_X509_BADCERT_SKIP_VERIFY;
    if (info->verify_mode == SSL_CERT_NONE) {
        info->verify_flags = 0; /* asked for, at most, for the pins' sake */
    }
    if (sock->pin_refused) {
        info->verify_flags |= SSL_BADCERT_PIN;
        info->certs[0].flags |= SSL_BADCERT_PIN;
    }
    info->pinned =
        sock->ctx->pins.n > 0 && sock->handshake_done && !sock->pin_refused;
    if (sock->handshake_done) {
        info->cipher = ssl_socket_cipher(sock, &info->version, buf);
        info->encrypted_by = accel_by(info->cipher);
    }
}

void ssl_socket_info(struct ssl_socket *sock, struct ssl_info *info,
                     char *buf) {
    ssl_tap_catch_up(&sock->tap);
    ssl_socket_summary(sock, info, buf);
    info->resumed = sock->handshake_done && sock->ctx->tickets != NULL &&
                    !sock->tap.own_sent;
    info_own(sock, info);
    ssl_tap_info(&sock->tap, info);
    if (!sock->handshake_done) {
        info_chosen(&sock->tap.chosen, info, buf);
    }
    info_offload(sock, info);
}

/* A diagnosis reads a certificate that a handshake refuses. */
static int take_extension(void *arg, const mbedtls_x509_crt *crt,
                          const mbedtls_x509_buf *oid, int critical,
                          const unsigned char *p, const unsigned char *end) {
    (void)arg;
    (void)crt;
    (void)oid;
    (void)critical;
    (void)p;
    (void)end;
    return 0;
}

/* What cannot be parsed ends the chain. */
static void diagnose_chain(struct ssl_socket *sock, struct ssl_info *info) {
    mbedtls_x509_crt sent;
    const unsigned char *der;
    size_t len;
    int ret = 0;
    mbedtls_x509_crt_init(&sent);
    for (size_t i = 0;
         ret == 0 && (der = ssl_socket_sent_certificate(sock, i, &len)) != NULL;
         i++) {
        ret = mbedtls_x509_crt_parse_der_with_ext_cb(&sent, der, len, 1,
                                                     take_extension, NULL);
    }
    ssl_diagnose_chain(&sent, sock->ctx, &sock->verify, info->verify_flags,
                       info);
    mbedtls_x509_crt_free(&sent);
}

/* Is it a failure of those that a common version, suite or group would have
 * prevented? */
static bool is_about_offers(const struct err *e) {
    static const struct {
        enum err_origin origin;
        int code;
    } rows[] = {
        { ERR_TLS, MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE },
        { ERR_TLS, MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION },
        { ERR_TLS, MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL },
        { ERR_TLS, MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER },
        { ERR_TLS, MBEDTLS_ERR_SSL_DECODE_ERROR },
        { ERR_TLS, MBEDTLS_ERR_SSL_CONN_EOF },
        { ERR_ALERT, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE },
        { ERR_ALERT, MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION },
        { ERR_ALERT, MBEDTLS_SSL_ALERT_MSG_INSUFFICIENT_SECURITY },
        { ERR_ALERT, MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME },
        { ERR_ALERT, MBEDTLS_SSL_ALERT_MSG_MISSING_EXTENSION },
        { ERR_ALERT, MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].origin == e->origin && rows[i].code == e->code) {
            return true;
        }
    }
    return false;
}

void ssl_socket_diagnose(struct ssl_socket *sock, const struct err *e,
                         struct ssl_info *info) {
    struct ssl_offer ours;
    diagnose_chain(sock, info);
    ssl_diagnose_ours(sock->ctx,
                      info->server_side ? info->theirs.server_name : "", &ours);
    if (info->server_side) {
        info->ours = ours;
    } else { /* a hello for TLS 1.2 does not say that we take nothing older */
        info->ours.of[SSL_KIND_VERSION] = ours.of[SSL_KIND_VERSION];
    }
    ssl_diagnose_device(&sock->tap.over, &sock->verify, sock->heap, info);
    if (!sock->handshake_done && info->theirs.known && is_about_offers(e)) {
        (void)ssl_diagnose_offers(sock->ctx, info);
    }
}
