/*
 * socket.h - a TLS connection whose lower stream someone else provides: the
 * input of a target, or a real peer while record.c records one.
 *
 * Entropy and the clock are replaced, so that every run of an input is the
 * same, and a recorded peer's signatures, Finished and data are still good
 * when they are played back. Both roles check the peer's certificate or not as
 * the first byte says; see socket_setup().
 */
#ifndef FUZZ_SOCKET_H
#define FUZZ_SOCKET_H

#include "fuzz.h"

#include <mbedtls/entropy.h>
#include <psa/crypto.h>
#include <time.h>

#include "cert_data.h"
#include "tls/mp_error.h"
#include "tls/ssl_alert.h"
#include "tls/ssl_socket.h"
#include "tls/ssl_trace.h"

enum {
    SETUP_BYTES = 2, /* how the connection is set up, see socket_setup() */
    TURNS_MAX = 1 << 20
};

/* In place of the library's, which the linker then leaves in its archive. */
int mbedtls_platform_entropy_poll(void *data, unsigned char *output, size_t len,
                                  size_t *olen);

int mbedtls_platform_entropy_poll(void *data, unsigned char *output, size_t len,
                                  size_t *olen) {
    (void)data;
    memset(output, 0x5a, len);
    *olen = len;
    return 0;
}

/* In place of libc's: 2026-01-01. */
time_t time(time_t *t) {
    const time_t now = 1767225600;
    if (t != NULL) {
        *t = now;
    }
    return now;
}

struct connection {
    struct ssl_context ctx;
    struct ssl_socket sock;
    const uint8_t *setup;
    const char *hostname;
    struct err err;
};

static int socket_ca_source(void *arg, const unsigned char **pem, size_t *len,
                            struct err *err) {
    static const unsigned char text[] = "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                        "-----END CERTIFICATE-----\n";
    if (arg != NULL) {
        return err_set(err, ERR_FILE, 0, "no store");
    }
    *pem = text;
    *len = sizeof text - 1;
    return 0;
}

/* setup[0]: 0x03 verify mode, 3: required, from a ca_source; 0x0c versions,
 *           1: 1.2, 2: 1.3, else both. setup[1]: 0x01 a name to verify; 0x02
 *           allow_truncation; 0x04 no_close_notify; 0x08 a client's
 *           certificate; 0x10 write first; 0x20 end early; 0x40 old suites;
 *           0x80 nobody listens, and what goes by is looked at late. */
static void socket_setup(struct connection *c, bool server,
                         const uint8_t *setup) {
    struct err *err = &c->err;
    unsigned verify = setup[0] & 3, versions = setup[0] >> 2 & 3;
    /* Begin the random generator anew. */
    mbedtls_psa_crypto_free();
    c->err = (struct err)ERR_INIT;
    c->setup = setup;
    CHECK(ssl_context_init(&c->ctx,
                           server ? SSL_PROTOCOL_TLS_SERVER
                                  : SSL_PROTOCOL_TLS_CLIENT,
                           err) == 0);
    if (server) {
        CHECK(ssl_context_load_cert_chain(&c->ctx, server_cert,
                                          sizeof server_cert, server_key,
                                          sizeof server_key, err) == 0);
    } else if ((setup[1] & 0x08) != 0) {
        CHECK(ssl_context_load_cert_chain(&c->ctx, client_cert,
                                          sizeof client_cert, client_key,
                                          sizeof client_key, err) == 0);
    }
    if (verify == 3) {
        ssl_context_set_ca_source(&c->ctx, socket_ca_source,
                                  versions == 3 ? c : NULL);
    } else {
        CHECK(ssl_context_load_verify_locations(&c->ctx, root_cert,
                                                sizeof root_cert, err) == 0);
    }
    enum ssl_verify_mode mode = verify == 3 ? SSL_CERT_REQUIRED : verify;
    CHECK(ssl_context_set_verify_mode(&c->ctx, mode, err) == 0);
    if (versions == 1 || versions == 2) {
        enum ssl_version v = versions == 1 ? SSL_TLS_1_2 : SSL_TLS_1_3;
        CHECK(ssl_context_set_versions(&c->ctx, v, v, err) == 0);
    }
    if ((setup[1] & 0x40) != 0 && versions < 2) {
        CHECK(ssl_context_set_ciphers(
                  &c->ctx,
                  "ECDHE-ECDSA-AES128-SHA,ECDHE-ECDSA-CHACHA20-POLY1305,"
                  "AES128-SHA,DHE-RSA-AES128-SHA",
                  err) == 0);
    }
    c->ctx.quick = (setup[1] & 0x80) != 0;
    c->ctx.allow_truncation = (setup[1] & 0x02) != 0;
    c->ctx.no_close_notify = (setup[1] & 0x04) != 0;
    c->hostname = server                      ? NULL
                  : (setup[1] & 0x01) != 0    ? "localhost"
                  : mode == SSL_CERT_REQUIRED ? ""
                                              : NULL;
}

/* All that can be asked of a connection in any state. */
static void socket_ask(struct connection *c) {
    char cipher[SSL_CIPHER_NAME_MAX], again[SSL_CIPHER_NAME_MAX];
    static struct ssl_info info;
    const char *version = NULL;
    size_t len = 1;
    ssl_socket_info(&c->sock, &info, cipher);
    ssl_socket_diagnose(&c->sock, &c->err, &info);
    CHECK(info.finding_count <= SSL_FINDINGS_MAX);
    for (size_t i = 0; i < info.finding_count; i++) {
        fuzz_check_ascii(info.findings[i].text, SSL_TEXT_MAX);
    }
    CHECK(!info.handshake_done || info.version != NULL);
    CHECK((info.version != NULL) == (info.cipher != NULL));
    CHECK((ssl_socket_cipher(&c->sock, &version, again) != NULL) ==
          info.handshake_done);
    CHECK(info.cert_count <= SSL_CHAIN_MAX);
    for (size_t i = 0; i < info.cert_count; i++) {
        fuzz_check_ascii(info.certs[i].subject, SSL_NAME_MAX);
        fuzz_check_ascii(info.certs[i].issuer, SSL_NAME_MAX);
        fuzz_check_ascii(info.certs[i].names, SSL_NAME_MAX);
        fuzz_check_ascii(info.certs[i].key, sizeof info.certs[i].key);
    }
    /* Nothing that was to be verified gets through unverified. */
    if (info.handshake_done && info.verify_mode == SSL_CERT_REQUIRED) {
        CHECK(info.verified && info.verify_flags == 0 && info.cert_count > 0);
    }
    const unsigned char *der = ssl_socket_getpeercert(&c->sock, &len);
    CHECK((der != NULL) == (len != 0));
    CHECK(ssl_socket_awaiting(&c->sock) != NULL);
}

/* What a call answered. @return whether to call it again */
static bool socket_again(const struct connection *c, ssize_t n) {
    fuzz_check_err(n == STREAM_ERROR, &c->err);
    CHECK(n >= STREAM_WANT_WR);
    if (n == STREAM_ERROR) {
        char text[MP_ERROR_MAX];
        mp_error(&c->err, text, sizeof text);
    }
    return n == STREAM_WANT_RD || n == STREAM_WANT_WR;
}

static ssize_t socket_write(struct connection *c, unsigned *turns) {
    static const unsigned char data[20000] = "ping\n";
    size_t len = *turns % 3 == 0 ? sizeof data : 5;
    ssize_t n;
    do {
        CHECK(++*turns < TURNS_MAX);
        n = ssl_socket_write(&c->sock, data, len, &c->err);
    } while (socket_again(c, n));
    CHECK(n == STREAM_ERROR || (n > 0 && (size_t)n <= len));
    return n;
}

static int socket_end(struct connection *c, unsigned *turns) {
    int n;
    do {
        CHECK(++*turns < TURNS_MAX);
        n = ssl_socket_end(&c->sock, &c->err);
    } while (socket_again(c, n));
    CHECK(n == 0 || n == STREAM_ERROR);
    return n;
}

/* Reads to the end or a failure, answering some reads. */
static void socket_talk(struct connection *c) {
    unsigned turns = 0, reads = 0;
    int done;
    do {
        CHECK(++turns < TURNS_MAX);
        done = ssl_socket_do_handshake(&c->sock, &c->err);
        if (turns < 8 && !c->sock.tap.defers) {
            socket_ask(c);
        }
    } while (socket_again(c, done));
    if (done != 0 ||
        ((c->setup[1] & 0x10) != 0 && socket_write(c, &turns) < 0) ||
        ((c->setup[1] & 0x20) != 0 && socket_end(c, &turns) < 0)) {
        return;
    }
    for (;;) {
        unsigned char buf[700];
        CHECK(++turns < TURNS_MAX);
        ssize_t n = ssl_socket_read(&c->sock, buf, sizeof buf, &c->err);
        CHECK(n <= (ssize_t)sizeof buf);
        if (socket_again(c, n)) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        if ((c->setup[1] & 0x20) == 0 && ++reads < 4 &&
            socket_write(c, &turns) < 0) {
            return;
        }
    }
    if (c->err.origin == ERR_NONE && socket_end(c, &turns) == 0) {
        bool closed = c->sock.close_notify_received;
        CHECK(!closed || ssl_socket_read(&c->sock, &done, 1, &c->err) == 0);
    }
}

/* A message of the tap's is described, whatever is in it. */
static inline void socket_hear(void *arg, const struct ssl_tap_message *m) {
    const struct connection *c = arg;
    char name[SSL_LABEL_MAX], text[SSL_TEXT_MAX];
    CHECK(ssl_trace_name(m, name)[0] != '\0');
    fuzz_check_ascii(name, sizeof name);
    ssl_trace_describe(&c->sock.tap, m, text, sizeof text);
    fuzz_check_ascii(text, sizeof text);
    CHECK(m->records >= 1 && (m->data == NULL || !m->encrypted || m->opened));
}

static void socket_run(bool server, const uint8_t *setup,
                       struct stream *lower) {
    static struct connection c;
    socket_setup(&c, server, setup);
    CHECK(ssl_context_wrap_socket(&c.ctx, &c.sock, lower, c.hostname, &c.err) ==
          0);
    if ((setup[1] & 0x80) == 0) {
        ssl_socket_listen(&c.sock, socket_hear, &c);
    }
    socket_talk(&c);
    socket_ask(&c);
    if (getenv("FUZZ_SAY") != NULL) { /* how deep did this input go? */
        fprintf(stderr, "%s: %s\n", c.sock.handshake_done ? "open" : "shut",
                c.err.origin != ERR_NONE ? c.err.msg : "ended well");
    }
    ssl_socket_free(&c.sock);
    ssl_socket_free(&c.sock);
    ssl_context_free(&c.ctx);
    ssl_context_free(&c.ctx);
}

/* A lower stream that reads the input and forgets what is written. */
struct played {
    struct stream stream; /* first */
    const uint8_t *data;
    size_t left, chunk;
    bool wants, read_turn, reset;
    unsigned writes;
    const void *retry;
    size_t retry_len;
};

static inline ssize_t played_read(struct stream *s, void *buf, size_t len,
                                  struct err *err) {
    struct played *p = (struct played *)s;
    if (p->wants && (p->read_turn = !p->read_turn)) {
        return STREAM_WANT_RD;
    }
    if (p->left == 0) {
        return p->reset ? err_set(err, ERR_NET, 104, "the peer: reset")
                        : STREAM_EOF;
    }
    size_t n = p->left < p->chunk ? p->left : p->chunk;
    n = n < len ? n : len;
    memcpy(buf, p->data, n);
    p->data += n;
    p->left -= n;
    return (ssize_t)n;
}

static inline ssize_t played_write(struct stream *s, const void *buf,
                                   size_t len, struct err *err) {
    struct played *p = (struct played *)s;
    (void)err;
    CHECK(len > 0);
    /* Twice in a row it takes: after WANT for an alert, Mbed TLS sends it a
     * second time, and would do so for ever (Mbed-TLS/mbedtls #1916). */
    if (p->wants && p->writes++ % 3 == 0) {
        p->retry = buf;
        p->retry_len = len;
        return STREAM_WANT_WR;
    }
    CHECK(p->retry == NULL || (p->retry == buf && p->retry_len == len));
    p->retry = NULL;
    return len > 600 && p->wants ? 600 : (ssize_t)len;
}

static inline int played_end(struct stream *s, struct err *err) {
    (void)s;
    (void)err;
    abort(); /* TLS ends itself; closing below it is the caller's */
}

/* The input: SETUP_BYTES, of which [0] has beside the above 0x30: the pieces
 * in which bytes come; 0x40: a reset at the end; 0x80: no WANT. Then what the
 * peer sends. */
static inline int socket_play(bool server, const uint8_t *data, size_t size) {
    static const struct stream_ops ops = { played_read, played_write,
                                           played_end };
    static const size_t chunks[] = { 16384, 1, 5, 300 };
    if (size < SETUP_BYTES) {
        return 0;
    }
    struct played p = { .stream = { .ops = &ops, .fd = -1 },
                        .data = data + SETUP_BYTES,
                        .left = size - SETUP_BYTES,
                        .chunk = chunks[data[0] >> 4 & 3],
                        .reset = (data[0] & 0x40) != 0,
                        .wants = (data[0] & 0x80) == 0 };
    socket_run(server, data, &p.stream);
    return 0;
}

#endif
