#include "tls/ssl_socket.h"

#include <errno.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <string.h>

#include "accel/accel.h"
#include "tls/compat.h"
#include "tls/ssl_failure.h"

enum {
    READS_MAX = 64, /* of the lower stream in one call */
    FLIGHT_MAX = 65536
};

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

/* What the library takes from here to end_call() is the connection's.
 * @return 0, or an MBEDTLS_ERR_* value */
static int begin_call(struct ssl_socket *s) {
    s->ctx->detail[0] = '\0';
    s->reads = 0;
    ssl_heap_charge(s->heap);
    accel_nettle_use(s->quick);
    return compat_wake(&s->ssl, &s->rest);
}

static int end_call(int ret) {
    ssl_heap_charge(NULL);
    accel_nettle_use(false);
    return ret;
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

/* The library calls us: what we allocate is not its. */
static void see(struct ssl_socket *s, bool out, const unsigned char *buf,
                size_t n) {
    struct ssl_heap_account *caller = ssl_heap_charge(NULL);
    ssl_tap_see(&s->tap, out, buf, n);
    ssl_heap_charge(caller);
}

/* Write what is held back.
 * @return 0, or as the lower stream's write */
static ssize_t let_out(struct ssl_socket *s) {
    while (s->flight_at < s->flight.len) {
        ssize_t n =
            s->lower->ops->write(s->lower, s->flight.buf + s->flight_at,
                                 s->flight.len - s->flight_at, &s->lower_err);
        if (n <= 0) {
            return n;
        }
        s->flight_at += (size_t)n;
    }
    bytes_free(&s->flight);
    s->flight_at = 0;
    return 0;
}

/* Each message is written by itself. While a handshake computes they are held
 * back, to leave together: one packet wakes the peer once. */
static ssize_t write_wire(struct ssl_socket *s, const unsigned char *buf,
                          size_t len) {
    if (s->holds && bytes_add(&s->flight, buf, len, FLIGHT_MAX)) {
        return (ssize_t)len;
    }
    ssize_t rc = let_out(s);
    s->corked = s->lower->more;
    return rc != 0 ? rc
                   : s->lower->ops->write(s->lower, buf, len, &s->lower_err);
}

/* What a device's output buffer cannot hold must not leave, so it is looked at
 * before it does; what then does not leave at once comes here again. */
static int bio_send(void *arg, const unsigned char *buf, size_t len) {
    struct ssl_socket *s = arg;
    bool before = s->ctx->device.max_out_record != 0;
    if (before && len > s->out_seen) {
        see(s, true, buf + s->out_seen, len - s->out_seen);
        s->out_seen = len;
    }
    if (s->tap.over.what == SSL_OVER_OUT) {
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    }
    ssize_t n = write_wire(s, buf, len);
    if (n > 0) {
        if (before) {
            s->out_seen -= (size_t)n;
        } else {
            see(s, true, buf, (size_t)n);
        }
        s->wire_out += (uint64_t)n;
    }
    return bio_result(n, MBEDTLS_ERR_NET_SEND_FAILED);
}

/* A record that does not even fit with what encryption may add to it is not
 * read by Mbed TLS, one in between is refused. */
static int over_code(const struct ssl_overrun *over) {
    enum { OVERHEAD = 16 + 48 + 256 }; /* IV, MAC, padding */
    if (over->what == SSL_OVER_SPREAD) {
        return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
    }
    return over->what == SSL_OVER_RECORD &&
                   over->bytes <= over->limit + OVERHEAD
               ? MBEDTLS_ERR_SSL_INVALID_RECORD
               : MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
}

static int bio_recv(void *arg, unsigned char *buf, size_t len) {
    struct ssl_socket *s = arg;
    /* Mbed TLS goes on as long as what comes is to be ignored, which a peer
     * can make forever: the caller has limits to look at. And what has not left
     * yet is not answered. */
    if ((s->reads++ >= READS_MAX || s->flight.len > 0) && !s->lower->held) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    ssize_t n = s->lower->ops->read(s->lower, buf, len, &s->lower_err);
    if (n > 0) {
        ssl_failure_keep(s, buf, (size_t)n);
        see(s, false, buf, (size_t)n);
        s->wire_in += (uint64_t)n;
        if (s->tap.over.what != SSL_OVER_NOT) {
            return over_code(&s->tap.over);
        }
    }
    s->lower_ended = n == STREAM_EOF;
    return bio_result(n, MBEDTLS_ERR_NET_RECV_FAILED);
}

int ssl_socket_check_hostname(const struct ssl_context *ctx, const char *name,
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
    if (strpbrk(name, "[]") != NULL || strcmp(name, ".") == 0) {
        return err_set(err, ERR_USAGE, 0,
                       "server_hostname %s is no name, nor an address, which "
                       "has no brackets here",
                       name);
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
    /* MicroPython: sends SNI for addresses, too, which RFC 6066 3 forbids. */
    bool send =
        given && client && !s->ctx->device.sends_no_name &&
        (s->ctx->device.sends_addresses || !ssl_verify_is_address(name));
    /* The name is matched by our callback, so what the library thinks of it
     * does not matter; NULL tells it that having none is meant. */
    int ret = mbedtls_ssl_set_hostname(&s->ssl, send ? sni : NULL);
    return ret == 0 ? 0 : ssl_failure_of(err, ret, "set the name to ask for");
}

static void on_key(void *arg, mbedtls_ssl_key_export_type type,
                   const unsigned char *secret, size_t secret_len,
                   const unsigned char client_random[32],
                   const unsigned char server_random[32],
                   mbedtls_tls_prf_types prf) {
    struct ssl_socket *s = arg;
    char line[SSL_KEYLOG_LINE_MAX];
    struct ssl_heap_account *caller = ssl_heap_charge(NULL);
    ssl_tap_secret(&s->tap, type, secret, secret_len);
    if (s->offload != NULL) {
        ssl_keys_keep(&s->offload->secrets, type, secret, secret_len,
                      client_random, server_random, prf);
    }
    ssl_heap_charge(caller);
    if (s->ctx->keylog == NULL) {
        return;
    }
    size_t n = ssl_keylog_format(type, secret, secret_len, client_random, line);
    if (n > 0) {
        s->ctx->keylog(s->ctx->keylog_arg, line, n);
    }
    mbedtls_platform_zeroize(line, sizeof line);
}

static int on_verify(void *arg, mbedtls_x509_crt *crt, int depth,
                     uint32_t *flags) {
    struct ssl_heap_account *caller = ssl_heap_charge(NULL);
    int ret = ssl_verify_callback(arg, crt, depth, flags);
    ssl_heap_charge(caller);
    return ret;
}

/* The account that a connection's allocations are charged to, with the
 * context's beside it: a device has both in one heap. */
static int open_heap(struct ssl_socket *s, struct err *err) {
    const struct ssl_heap_limit *limit = &s->ctx->device.heap;
    bool limited = limit->bytes != 0 || limit->fail_at != 0;
    s->quick = s->ctx->quick && !limited;
    s->heap = s->quick ? NULL : ssl_heap_open(limit);
    if (s->heap == NULL) {
        return !limited ? 0
                        : ssl_failure_of(err, MBEDTLS_ERR_SSL_ALLOC_FAILED,
                                         "count the heap");
    }
    s->heap->beside = ssl_heap_now(s->ctx->heap);
    s->heap->spare = ssl_device_spare(&s->ctx->device);
    return 0;
}

int ssl_context_wrap_socket(struct ssl_context *ctx, struct ssl_socket *sock,
                            struct stream *lower, const char *server_hostname,
                            struct err *err) {
    static const struct stream_ops ops = { op_read, op_write, op_end };
    memset(sock, 0, sizeof *sock);
    mbedtls_ssl_init(&sock->ssl);
    sock->stream = (struct stream){ .ops = &ops, .fd = lower->fd };
    sock->lower = lower;
    sock->ctx = ctx;
    ssl_tap_init(&sock->tap, ctx->protocol == SSL_PROTOCOL_TLS_SERVER);
    if (ssl_socket_check_hostname(ctx, server_hostname, err) != 0 ||
        open_heap(sock, err) != 0) {
        return -1;
    }
    sock->tap.heap = sock->heap;
    sock->tap.device = &ctx->device;
    if (sock->quick && !ssl_device_limits_wire(&ctx->device)) {
        ssl_tap_defer(&sock->tap);
    }
    ssl_heap_charge(sock->heap);
    int ret = end_call(mbedtls_ssl_setup(&sock->ssl, &ctx->conf));
    if (ret != 0) {
        compat_setup_failed(&sock->ssl, &ctx->conf);
        return ssl_failure_setup(sock, ret, err);
    }
    sock->verify.ctx = ctx;
    sock->verify.pins_only = ctx->verify_mode == SSL_CERT_NONE;
    mbedtls_ssl_set_export_keys_cb(&sock->ssl, on_key, sock);
    mbedtls_ssl_set_verify(&sock->ssl, on_verify, &sock->verify);
    mbedtls_ssl_set_bio(&sock->ssl, sock, bio_send, bio_recv, NULL);
    return set_hostname(sock, server_hostname, err);
}

int ssl_wrap_socket(struct ssl_context *ctx, struct ssl_socket *sock,
                    struct stream *lower, const struct ssl_wrap_args *args,
                    struct err *err) {
    memset(sock, 0, sizeof *sock);
    mbedtls_ssl_init(&sock->ssl);
    if ((!ctx->made && ssl_wrap_context(ctx, args, err) != 0) ||
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
    bytes_free(&sock->flight);
    ssl_tap_free(&sock->tap);
    ssl_verify_free(&sock->verify);
    ssl_offload_free(sock->offload);
    sock->offload = NULL;
    ssl_heap_close(sock->heap);
    sock->heap = sock->tap.heap = NULL;
}

/* Mbed TLS's answer as a stream's; `ret` is not a success. */
static int stream_result(struct ssl_socket *s, int ret, struct err *err) {
    switch (ret) {
    case MBEDTLS_ERR_SSL_WANT_READ:
        return STREAM_WANT_RD;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return STREAM_WANT_WR;
    default:
        return ssl_failure(s, ret, err);
    }
}

/* A device reads each certificate, and needs the peer's own key, in every
 * verify mode. In the others than CERT_NONE it was asked by on_verify(). */
static bool refused_by_device(struct ssl_socket *s) {
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&s->ssl);
    for (size_t i = 0; crt != NULL; crt = crt->next, i++) {
        if (ssl_verify_device(&s->verify, crt, i, i == 0) != 0) {
            return true;
        }
    }
    return false;
}

/* The flight leaves now, whatever the library said; only the last one, whose
 * answer may be that the handshake is done, can wait for more.
 * @return `ret`, or why not all has left */
static int end_flight(struct ssl_socket *s, int ret) {
    if (s->flight.len == 0) {
        return ret;
    }
    bool going = ret == 0 || ret == MBEDTLS_ERR_SSL_WANT_READ ||
                 ret == MBEDTLS_ERR_SSL_WANT_WRITE;
    s->lower->more = s->corked = ret == 0 && s->stream.more;
    ssize_t rc = let_out(s);
    if (rc == STREAM_WANT_WR && !going) {
        rc = let_out(s); /* there is no later */
    }
    s->lower->more = false;
    return rc != 0 && going ? bio_result(rc, MBEDTLS_ERR_NET_SEND_FAILED) : ret;
}

int ssl_socket_do_handshake(struct ssl_socket *sock, struct err *err) {
    if (sock->handshake_done) {
        return sock->verify.device.origin != ERR_NONE
                   ? ssl_failure(sock, 0, err)
               : sock->pin_refused ? ssl_failure_pin(sock, err)
                                   : 0;
    }
    int ret = begin_call(sock);
    if (ret == 0) {
        sock->holds = true;
        ret = mbedtls_ssl_handshake(&sock->ssl);
        sock->holds = false;
    }
    ret = end_flight(sock, end_call(ret));
    if (ret != 0) {
        return stream_result(sock, ret, err);
    }
    sock->handshake_done = true;
    if (refused_by_device(sock)) {
        return ssl_failure(sock, 0, err);
    }
    if (ssl_failure_pin(sock, err) != 0) {
        return STREAM_ERROR;
    }
    ssl_offload_try(sock);
    return 0;
}

/* `n` bytes of data were read: is the record that they are of too long for the
 * device? It would not have had any of it.
 * @return n, or STREAM_ERROR */
static ssize_t police_data(struct ssl_socket *s, int n, struct err *err) {
    size_t limit = s->ctx->device.max_in_record;
    bool begins = s->record_left == 0;
    s->record_left = mbedtls_ssl_get_bytes_avail(&s->ssl);
    size_t len = (size_t)n + s->record_left;
    if (!begins || limit == 0 || len <= limit) {
        return n;
    }
    s->tap.over =
        (struct ssl_overrun){ .what = SSL_OVER_RECORD,
                              .bytes = len,
                              .limit = limit,
                              .record = MBEDTLS_SSL_MSG_APPLICATION_DATA };
    return ssl_failure(s, over_code(&s->tap.over), err);
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
    ssl_offload_try(sock);
    if (ssl_offload_has_in(sock)) {
        return ssl_offload_read(sock, buf, len, err);
    }
    int n = begin_call(sock);
    if (n != 0) {
        return stream_result(sock, end_call(n), err);
    }
    do { /* no data, and more may follow: a ticket, or an empty record */
        n = mbedtls_ssl_read(&sock->ssl, buf, len);
    } while (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET ||
             (n == 0 && !sock->lower_ended));
    if (end_call(n) > 0) {
        sock->got_data = true;
        return police_data(sock, n, err);
    }
    if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        sock->close_notify_received = true;
        return STREAM_EOF;
    }
    if (n == 0 || n == MBEDTLS_ERR_SSL_CONN_EOF) {
        return ssl_failure_truncated(sock, err);
    }
    return stream_result(sock, n, err);
}

ssize_t ssl_socket_write(struct ssl_socket *sock, const void *buf, size_t len,
                         struct err *err) {
    int ready = ssl_socket_do_handshake(sock, err);
    if (ready != 0) {
        return ready;
    }
    ssl_offload_try(sock);
    if (ssl_offload_has_out(sock)) {
        return ssl_offload_write(sock, buf, len, err);
    }
    int n = begin_call(sock);
    if (n == 0) {
        size_t most = sock->ctx->device.max_out_record;
        int full = mbedtls_ssl_get_max_out_record_payload(&sock->ssl);
        if (full > 0 && (most == 0 || most > (size_t)full)) {
            most = (size_t)full;
        }
        sock->lower->more = most != 0 && len > most;
        n = mbedtls_ssl_write(&sock->ssl, buf, sock->lower->more ? most : len);
        sock->lower->more = false;
    }
    return end_call(n) > 0 ? n : stream_result(sock, n, err);
}

int ssl_socket_end(struct ssl_socket *sock, struct err *err) {
    int ready = ssl_socket_do_handshake(sock, err);
    if (ready != 0) {
        return ready;
    }
    if (sock->close_notify_sent) {
        return 0;
    }
    /* MicroPython: close() only closes the socket below. */
    if (sock->ctx->no_close_notify) {
        return sock->lower->ops->end(sock->lower, err);
    }
    if (ssl_offload_has_out(sock)) {
        int sent = ssl_offload_end(sock, err);
        sock->close_notify_sent = sent == 0;
        return sent;
    }
    int ret = begin_call(sock);
    if (ret == 0 && !sock->close_notify_begun &&
        compat_unsent(&sock->ssl) != 0) {
        ret = compat_flush(&sock->ssl); /* a write was given up half-way */
    }
    if (ret == 0) {
        sock->close_notify_begun = true;
        sock->lower->more = sock->close_notify_received;
        ret = mbedtls_ssl_close_notify(&sock->ssl);
        sock->lower->more = false;
    }
    if (end_call(ret) != 0) {
        return stream_result(sock, ret, err);
    }
    sock->close_notify_sent = true;
    return 0;
}

void ssl_socket_rest(struct ssl_socket *sock) {
    ssl_tap_catch_up(&sock->tap);
    compat_rest(&sock->ssl, &sock->rest);
}

void ssl_socket_listen(struct ssl_socket *sock, ssl_tap_listener *listener,
                       void *arg) {
    ssl_tap_catch_up(&sock->tap);
    sock->tap.listener = listener;
    sock->tap.listener_arg = arg;
}
