/*
 * ssl_pair.h - a client and a server in one process, over two ends in memory.
 */
#ifndef TESTS_UNIT_SSL_PAIR_H
#define TESTS_UNIT_SSL_PAIR_H

#include "fake_stream.h"
#include "test.h"
#include "tls/ssl_socket.h"

static struct mem wire_c, wire_s;
static struct ssl_context ctx_c, ctx_s;
static struct ssl_socket client, server;
static struct err err_c, err_s;

static inline void free_pair(void) {
    ssl_socket_free(&client);
    ssl_socket_free(&server);
    ssl_context_free(&ctx_c);
    ssl_context_free(&ctx_s);
}

/* Turn by turn, until both have an answer that is not WANT. */
static inline void shake_hands(int *c, int *s) {
    *c = *s = STREAM_WANT_RD;
    for (int i = 0; i < 200000 && (*c < STREAM_ERROR || *s < STREAM_ERROR);
         i++) {
        if (*c < STREAM_ERROR) {
            *c = ssl_socket_do_handshake(&client, &err_c);
            wire_s.ended |= *c == STREAM_ERROR;
        }
        if (*s < STREAM_ERROR) {
            *s = ssl_socket_do_handshake(&server, &err_s);
            wire_c.ended |= *s == STREAM_ERROR;
        }
    }
}

static inline void both_done(void) {
    int c, s;
    shake_hands(&c, &s);
    if (c != 0 || s != 0) {
        fail_msg("client: %s; server: %s", err_c.msg, err_s.msg);
    }
}

#endif
