/*
 * test_ssl_rest.c - ssl_socket_rest() between all calls changes nothing but
 * what a connection holds.
 */
#include <malloc.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <stdlib.h>

#include "fake_stream.h"
#include "pki.h"
#include "ssl_pair.h"
#include "test.h"
#include "tls/ssl_socket.h"

static size_t held; /* bytes allocated by Mbed TLS and src/tls */
static bool none;   /* nothing more is allocated */

static void *counting_calloc(size_t n, size_t size) {
    void *p = none ? NULL : calloc(n, size);
    held += p != NULL ? malloc_usable_size(p) : 0;
    return p;
}

static void counting_free(void *p) {
    held -= p != NULL ? malloc_usable_size(p) : 0;
    free(p);
}

static int count_from_here(void **state) {
    (void)state;
    return mbedtls_platform_set_calloc_free(counting_calloc, counting_free);
}

static void need_rests(void) {
    if (!COMPAT_RESTS) {
        print_message("SKIP: this Mbed TLS keeps its buffers\n");
        skip();
    }
}

/* Each cipher has another way of filling a record. */
static const char *const ciphers[] = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
};

static void connect_with(const char *cipher, size_t chunk) {
    const struct pki_data *crt = pki("server-ec256.pem");
    const struct pki_data *key = pki("server-ec256-key.pem");
    const struct ssl_wrap_args s = { .server_side = true,
                                     .cert = crt->data,
                                     .cert_len = crt->len,
                                     .key = key->data,
                                     .key_len = key->len };
    const struct ssl_wrap_args c = { .cert_reqs = SSL_CERT_NONE };
    err_c = err_s = (struct err)ERR_INIT;
    assert_int_equal(ssl_wrap_context(&ctx_s, &s, &err_s), 0);
    assert_int_equal(ssl_wrap_context(&ctx_c, &c, &err_c), 0);
    assert_int_equal(ssl_context_set_ciphers(&ctx_c, cipher, &err_c), 0);
    mem_init(&wire_c, &wire_s, chunk);
    assert_int_equal(
        ssl_context_wrap_socket(&ctx_c, &client, &wire_c.stream, NULL, &err_c),
        0);
    assert_int_equal(
        ssl_context_wrap_socket(&ctx_s, &server, &wire_s.stream, NULL, &err_s),
        0);
}

/* Shake hands, with a rest after each call: before it is done there is none. */
static void shake_and_rest(void) {
    int c = STREAM_WANT_RD, s = STREAM_WANT_RD;
    for (int i = 0; i < 200000 && (c != 0 || s != 0); i++) {
        c = ssl_socket_do_handshake(&client, &err_c);
        s = ssl_socket_do_handshake(&server, &err_s);
        ssl_socket_rest(&client);
        ssl_socket_rest(&server);
        assert_int_not_equal(c, STREAM_ERROR);
        assert_int_not_equal(s, STREAM_ERROR);
    }
    assert_int_equal(c + s, 0);
}

/* Send `len` bytes from one to the other, both resting after every call. */
static void send_resting(struct ssl_socket *from, struct ssl_socket *to,
                         size_t len, size_t piece) {
    static unsigned char out[100000], in[100000];
    struct err err = ERR_INIT;
    size_t sent = 0, got = 0;
    for (size_t i = 0; i < len; i++) {
        out[i] = (unsigned char)(i * 31 + len);
    }
    for (int i = 0; i < 5000000 && got < len; i++) {
        if (sent < len) {
            size_t n = len - sent < piece ? len - sent : piece;
            ssize_t w = ssl_socket_write(from, out + sent, n, &err);
            assert_int_not_equal(w, STREAM_ERROR);
            sent += w > 0 ? (size_t)w : 0;
            ssl_socket_rest(from);
        }
        ssize_t r = ssl_socket_read(to, in + got, piece, &err);
        assert_int_not_equal(r, STREAM_ERROR);
        got += r > 0 ? (size_t)r : 0;
        ssl_socket_rest(to);
    }
    assert_int_equal(got, len);
    assert_memory_equal(in, out, len);
}

/* The last message of the handshake goes with the first read after it. */
static void exchange(void) {
    send_resting(&client, &server, 5, 5);
    send_resting(&server, &client, 5, 5);
}

static void bytes_arrive_whole_with_a_rest_after_every_call(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        for (size_t chunk = 7; chunk <= 1 << 16; chunk += (1 << 16) - 7) {
            connect_with(ciphers[i], chunk);
            shake_and_rest();
            for (size_t len = 1; len < 100; len += 33) {
                send_resting(&client, &server, len, len);
                send_resting(&server, &client, len, 10);
            }
            send_resting(&client, &server, 100000, 50000);
            send_resting(&server, &client, 50000, 777);
            free_pair();
        }
    }
}

static void an_idle_connection_holds_little(void **state) {
    (void)state;
    need_rests();
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        connect_with(ciphers[i], 1 << 16);
        size_t contexts = 0;
        shake_and_rest();
        exchange();
        size_t both = held;
        ssl_socket_free(&client);
        size_t with_server = held;
        ssl_socket_free(&server);
        contexts = held;
        assert_in_range(both - contexts, 1, 32 * 1024);
        assert_in_range(with_server - contexts, 1, 16 * 1024);
        free_pair();
        assert_true(held < contexts);
    }
}

/* Half a record in, bytes that are not read yet, half a record out. */
static void nothing_is_given_up_while_something_is_in_it(void **state) {
    (void)state;
    need_rests();
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        unsigned char in[8] = { 0 };
        struct err err = ERR_INIT;
        connect_with(ciphers[i], 3);
        shake_and_rest();
        exchange();
        size_t least = held;
        ssize_t w = ssl_socket_write(&client, "12345678", 8, &err);
        assert_int_equal(w, STREAM_WANT_WR);
        ssl_socket_rest(&client);
        assert_true(held > least + 16384); /* unsent */
        while (w < 0) {
            w = ssl_socket_write(&client, "12345678", 8, &err);
            ssize_t r = ssl_socket_read(&server, in, 1, &err);
            assert_int_not_equal(r, STREAM_ERROR);
            if (r < 0 && wire_s.len == 0 && w < 0) {
                ssl_socket_rest(&server);
                assert_true(held > least + 2 * 16384); /* half a record in */
            }
            if (r == 1) { /* seven are left */
                break;
            }
        }
        ssize_t r = STREAM_WANT_RD;
        while (r < 0 && in[0] != '1') {
            r = ssl_socket_read(&server, in, 1, &err);
        }
        ssl_socket_rest(&server);
        for (int k = 1; k < 8; k++) {
            assert_int_equal(ssl_socket_read(&server, in + k, 1, &err), 1);
            ssl_socket_rest(&server);
        }
        assert_memory_equal(in, "12345678", 8);
        free_pair();
    }
}

static void without_memory_a_call_fails_and_can_be_made_again(void **state) {
    (void)state;
    need_rests();
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        unsigned char in[8];
        connect_with(ciphers[i], 1 << 16);
        shake_and_rest();
        exchange();
        ssl_socket_rest(&client);
        for (int call = 0; call < 3; call++) {
            struct err err = ERR_INIT;
            none = true;
            ssize_t n = call == 0   ? ssl_socket_read(&client, in, 1, &err)
                        : call == 1 ? ssl_socket_write(&client, "x", 1, &err)
                                    : ssl_socket_end(&client, &err);
            none = false;
            assert_int_equal(n, STREAM_ERROR);
            assert_int_equal(err.origin, ERR_TLS);
            assert_int_equal(err.code, MBEDTLS_ERR_SSL_ALLOC_FAILED);
        }
        send_resting(&client, &server, 10, 10);
        send_resting(&server, &client, 10, 10);
        free_pair();
    }
}

static void an_end_comes_after_a_rest(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        unsigned char in[8];
        struct err err = ERR_INIT;
        connect_with(ciphers[i], 1 << 16);
        shake_and_rest();
        ssl_socket_rest(&client);
        ssl_socket_rest(&server);
        int e;
        while ((e = ssl_socket_end(&client, &err)) != 0) {
            assert_int_not_equal(e, STREAM_ERROR);
        }
        ssl_socket_rest(&client);
        ssize_t n;
        while ((n = ssl_socket_read(&server, in, 8, &err)) < STREAM_ERROR) {
            ssl_socket_rest(&server);
        }
        assert_int_equal(n, STREAM_EOF);
        ssl_socket_rest(&server);
        send_resting(&server, &client, 20, 20); /* half-closed */
        free_pair();
    }
}

/* A record that was changed on its way. */
static void a_failure_comes_after_a_rest(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        unsigned char in[8];
        struct err err = ERR_INIT;
        connect_with(ciphers[i], 1 << 16);
        shake_and_rest();
        send_resting(&client, &server, 3, 3);
        while (ssl_socket_write(&client, "xyz", 3, &err) < 0) {
        }
        wire_s.buf[wire_s.len - 1] ^= 1;
        ssize_t n;
        while ((n = ssl_socket_read(&server, in, 8, &err)) < STREAM_ERROR) {
            ssl_socket_rest(&server);
        }
        assert_int_equal(n, STREAM_ERROR);
        assert_int_equal(err.origin, ERR_TLS);
        assert_int_equal(err.code, MBEDTLS_ERR_SSL_INVALID_MAC);
        ssl_socket_rest(&client);
        err = (struct err)ERR_INIT;
        while ((n = ssl_socket_read(&client, in, 8, &err)) < STREAM_ERROR) {
            ssl_socket_rest(&client);
        }
        assert_int_equal(err.origin, ERR_ALERT);
        assert_int_equal(err.code, MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC);
        free_pair();
    }
}

/* In no header of the library; for what well-behaved peers never send. */
int mbedtls_ssl_write_record(mbedtls_ssl_context *ssl, int force_flush);

static void send_message(int type, const unsigned char *msg, size_t len) {
    mbedtls_ssl_context *ssl = &client.ssl;
    ssl->MBEDTLS_PRIVATE(out_msgtype) = type;
    ssl->MBEDTLS_PRIVATE(out_msglen) = len;
    if (len > 0) {
        memcpy(ssl->MBEDTLS_PRIVATE(out_msg), msg, len);
    }
    assert_int_equal(mbedtls_ssl_write_record(ssl, 1), 0);
}

/* Read with a rest after each call, until there is an answer or nothing more
 * has come. @return bytes, STREAM_WANT_RD or STREAM_ERROR */
static ssize_t read_resting(unsigned char *in, size_t len, struct err *err) {
    ssize_t n = STREAM_WANT_RD;
    for (int i = 0; i < 40 && n == STREAM_WANT_RD; i++) {
        n = ssl_socket_read(&server, in, len, err);
        ssl_socket_rest(&server);
    }
    return n;
}

enum { REFUSED = MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE };
enum { UNKNOWN = MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE };

/* What a client may send to a server that has forgotten its handshake. */
static const struct {
    int type;
    unsigned char msg[8];
    size_t len, first; /* bytes, and those in the first record; 0: all */
    enum err_origin origin;
    long code12, code13; /* 0: the connection goes on, in this version */
} messages[] = {
    { 22, { 24, 0, 0, 1, 1 }, 5, 0, ERR_TLS, REFUSED, UNKNOWN }, /* KeyUpdate */
    { 22, { 1, 0, 0, 4, 3, 3 }, 8, 0, ERR_TLS, 0, UNKNOWN }, /* ClientHello */
    { 22, { 1, 0, 0, 4, 3, 3 }, 8, 5, ERR_TLS, 0, UNKNOWN }, /* in halves */
    { 22, { 4, 0, 0, 2 }, 6, 0, ERR_TLS, REFUSED, UNKNOWN }, /* a ticket */
    { 22, { 5 }, 4, 0, ERR_TLS, REFUSED, UNKNOWN }, /* EndOfEarlyData */
    { 22, { 20, 0, 0, 4 }, 8, 0, ERR_TLS, REFUSED, UNKNOWN }, /* Finished */
    { 20, { 1 }, 1, 0, ERR_TLS, REFUSED, 0 }, /* ChangeCipherSpec */
    { 21, { 1, 90 }, 2, 0, ERR_NONE, 0, 0 },  /* a warning */
    { 21, { 2, 40 }, 2, 0, ERR_ALERT, 40, 40 },
    { 23, { 0 }, 0, 0, ERR_NONE, 0, 0 }, /* no data */
};

static void a_message_after_a_rest_is_as_without(void **state) {
    size_t n = sizeof messages / sizeof messages[0];
    (void)state;
    for (size_t i = 0; i < n * sizeof ciphers / sizeof ciphers[0]; i++) {
        const unsigned char *msg = messages[i % n].msg;
        size_t first = messages[i % n].first, len = messages[i % n].len;
        int type = messages[i % n].type;
        unsigned char in[8];
        struct err err = ERR_INIT;
        connect_with(ciphers[i / n], 1 << 16);
        wire_c.never_want = wire_s.never_want = 1;
        shake_and_rest();
        exchange();
        assert_int_equal(read_resting(in, sizeof in, &err), STREAM_WANT_RD);
        assert_int_equal(server.rest.resting, COMPAT_RESTS);
        assert_int_equal(ssl_socket_read(&client, in, sizeof in, &err),
                         STREAM_WANT_RD); /* it is awake */
        if (first > 0) {
            send_message(type, msg, first);
            assert_int_equal(read_resting(in, sizeof in, &err), STREAM_WANT_RD);
        }
        send_message(type, msg + first, len - first);
        ssize_t got = read_resting(in, sizeof in, &err);
        if (got == STREAM_WANT_RD) {
            send_message(23, (const unsigned char *)"after", 5);
            got = read_resting(in, sizeof in, &err);
        }
        long code = mbedtls_ssl_get_version_number(&server.ssl) ==
                            MBEDTLS_SSL_VERSION_TLS1_3
                        ? messages[i % n].code13
                        : messages[i % n].code12;
        assert_int_equal(got, code != 0 ? STREAM_ERROR : 5);
        assert_int_equal(err.origin,
                         code != 0 ? messages[i % n].origin : ERR_NONE);
        assert_int_equal(err.code, code);
        free_pair();
    }
}

static void before_a_socket_is_wrapped_and_after_it_is_freed(void **state) {
    (void)state;
    memset(&client, 0, sizeof client);
    ssl_socket_rest(&client);
    connect_with(ciphers[4], 1 << 16);
    shake_and_rest();
    ssl_socket_rest(&client);
    ssl_socket_free(&client);
    ssl_socket_rest(&client);
    free_pair();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_whole_with_a_rest_after_every_call),
        cmocka_unit_test(an_idle_connection_holds_little),
        cmocka_unit_test(nothing_is_given_up_while_something_is_in_it),
        cmocka_unit_test(without_memory_a_call_fails_and_can_be_made_again),
        cmocka_unit_test(an_end_comes_after_a_rest),
        cmocka_unit_test(a_failure_comes_after_a_rest),
        cmocka_unit_test(a_message_after_a_rest_is_as_without),
        cmocka_unit_test(before_a_socket_is_wrapped_and_after_it_is_freed),
    };
    return cmocka_run_group_tests_name("ssl_rest", tests, count_from_here,
                                       NULL);
}
