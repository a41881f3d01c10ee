#include <errno.h>
#include <mbedtls/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "fake_stream.h"
#include "pki.h"
#include "test.h"
#include "tls/ssl_probe.h"
#include "tls/ssl_socket.h"

static struct mem wire_c, wire_s;
static struct ssl_context server_ctx;
static struct ssl_socket server;
static struct ssl_probe probe;
static unsigned char flight[1 << 17];

static void put(struct ssl_ids *ids, const uint16_t *from) {
    for (ids->n = 0; from[ids->n] != 0; ids->n++) {
        ids->id[ids->n] = from[ids->n];
    }
}

/* An offer of a version, with lists that end in 0. */
static struct ssl_offer offer(uint16_t version, const uint16_t *ciphers,
                              const uint16_t *groups,
                              const uint16_t *sig_algs) {
    struct ssl_offer o;
    const uint16_t versions[] = { version, 0 };
    memset(&o, 0, sizeof o);
    put(&o.of[SSL_KIND_VERSION], versions);
    put(&o.of[SSL_KIND_CIPHER], ciphers);
    put(&o.of[SSL_KIND_GROUP], groups);
    put(&o.of[SSL_KIND_SIG_ALG], sig_algs);
    return o;
}

static struct ssl_offer any_offer(void) {
    static const uint16_t ciphers[] = { 0xC02B, 0x002F, 0 };
    static const uint16_t groups[] = { 23, 0 }, sig_algs[] = { 0x0403, 0 };
    return offer(0x0303, ciphers, groups, sig_algs);
}

static void make_server(const char *name, enum ssl_verify_mode mode) {
    char file[64], key[64];
    struct err err = ERR_INIT;
    snprintf(file, sizeof file, "%s.pem", name);
    snprintf(key, sizeof key, "%s-key.pem", name);
    const struct pki_data *crt = pki(file), *pk = pki(key),
                          *ca = pki("root.pem");
    const struct ssl_wrap_args args = { .server_side = true,
                                        .cert = crt->data,
                                        .cert_len = crt->len,
                                        .key = pk->data,
                                        .key_len = pk->len,
                                        .cadata = ca->data,
                                        .cadata_len = ca->len,
                                        .cert_reqs = mode };
    assert_int_equal(ssl_wrap_context(&server_ctx, &args, &err), 0);
}

/* Ask the server until there is an answer. */
static int ask_server(const struct ssl_offer *o, size_t chunk) {
    struct err err = ERR_INIT, err_s = ERR_INIT;
    int want = STREAM_WANT_RD, s = STREAM_WANT_RD;
    mem_init(&wire_c, &wire_s, chunk);
    wire_s.never_want = 1;
    assert_int_equal(ssl_probe_init(&probe, &wire_c.stream, o, &err), 0);
    assert_int_equal(ssl_context_wrap_socket(&server_ctx, &server,
                                             &wire_s.stream, NULL, &err_s),
                     0);
    for (int i = 0; i < 100000 && want < STREAM_ERROR; i++) {
        want = ssl_probe_run(&probe, &err);
        if (s < STREAM_ERROR) {
            s = ssl_socket_do_handshake(&server, &err_s);
            wire_c.ended |= s == STREAM_ERROR;
        }
    }
    ssl_socket_free(&server);
    return want;
}

static const struct {
    const char *cert;
    enum ssl_verify_mode mode;
    uint16_t version, ciphers[4], groups[4], sig_algs[4];
    enum ssl_probe_answer answer;
    int alert;
    uint16_t cipher, group, sig_alg;
} choices[] = {
    { "server-ec256",
      SSL_CERT_NONE,
      0x0304,
      { 0x1302, 0x1301 },
      { 24 },
      { 0x0403 },
      SSL_PROBE_CHOSEN,
      -1,
      0x1302,
      24,
      0 },
    { "server-ec256",
      SSL_CERT_NONE,
      0x0304,
      { 0xC02B },
      { 23 },
      { 0x0403 },
      SSL_PROBE_ALERT,
      40,
      0,
      0,
      0 },
    { "server-ec256",
      SSL_CERT_NONE,
      0x0303,
      { 0xC02B },
      { 23 },
      { 0x0403 },
      SSL_PROBE_CHOSEN,
      -1,
      0xC02B,
      23,
      0x0403 },
    { "server-ec256",
      SSL_CERT_OPTIONAL,
      0x0303,
      { 0xC02C, 0xC024 },
      { 24, 23 },
      { 0x0503, 0x0403 },
      SSL_PROBE_CHOSEN,
      -1,
      0xC02C,
      23,
      0x0503 },
    { "server-rsa2048",
      SSL_CERT_NONE,
      0x0303,
      { 0xC02B, 0xC02F },
      { 29 },
      { 0x0601 },
      SSL_PROBE_CHOSEN,
      -1,
      0xC02F,
      29,
      0x0601 },
    { "server-rsa2048",
      SSL_CERT_NONE,
      0x0303,
      { 0x002F },
      { 29 },
      { 0x0601 },
      SSL_PROBE_CHOSEN,
      -1,
      0x002F,
      0,
      0 },
    { "server-chain",
      SSL_CERT_NONE,
      0x0303,
      { 0xC02B },
      { 23 },
      { 0x0403 },
      SSL_PROBE_CHOSEN,
      -1,
      0xC02B,
      23,
      0x0403 },
    { "server-rsa2048",
      SSL_CERT_NONE,
      0x0303,
      { 0xC02B },
      { 23 },
      { 0x0403 },
      SSL_PROBE_ALERT,
      40,
      0,
      0,
      0 },
    { "server-rsa2048",
      SSL_CERT_NONE,
      0x0302,
      { 0xC013 },
      { 23 },
      { 0x0401 },
      SSL_PROBE_ALERT,
      70,
      0,
      0,
      0 },
};

static void a_server_says_what_it_chooses(void **state) {
    /* An alert leaves at the first try, or not at all. */
    static const size_t chunks[] = { 7, 1 << 16 };
    (void)state;
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        make_server(choices[i].cert, choices[i].mode);
        for (size_t k = 0; k < sizeof chunks / sizeof chunks[0]; k++) {
            struct ssl_offer o = offer(choices[i].version, choices[i].ciphers,
                                       choices[i].groups, choices[i].sig_algs);
            assert_int_equal(ask_server(&o, chunks[k]), 0);
            assert_int_equal(probe.answer, choices[i].answer);
            assert_int_equal(probe.alert, choices[i].alert);
            assert_int_equal(probe.chosen.cipher, choices[i].cipher);
            assert_int_equal(probe.chosen.group, choices[i].group);
            assert_int_equal(probe.chosen.sig_alg, choices[i].sig_alg);
            assert_int_equal(probe.certificate_wanted,
                             choices[i].mode == SSL_CERT_OPTIONAL);
            if (choices[i].answer == SSL_PROBE_CHOSEN) {
                assert_int_equal(probe.chosen.version, choices[i].version);
                assert_int_equal(probe.chosen.retry,
                                 choices[i].version == 0x0304);
            }
        }
        ssl_context_free(&server_ctx);
    }
}

/* Answer with bytes, whatever was asked. */
static int ask_bytes(const unsigned char *bytes, size_t n, size_t chunk,
                     struct err *err) {
    struct ssl_offer o = any_offer();
    int want = STREAM_WANT_RD;
    mem_init(&wire_c, &wire_s, chunk);
    assert_in_range(n, 0, sizeof wire_c.buf);
    memcpy(wire_c.buf, bytes, n);
    wire_c.len = n;
    wire_c.ended = 1;
    wire_c.never_want = chunk > 1;
    assert_int_equal(ssl_probe_init(&probe, &wire_c.stream, &o, err), 0);
    for (size_t i = 0; i < 4 * sizeof wire_c.buf && want < STREAM_ERROR; i++) {
        want = ssl_probe_run(&probe, err);
    }
    return want;
}

#define BYTES(s) s, sizeof s - 1

static void what_is_no_choice_is_told_apart(void **state) {
    static const struct {
        const char *bytes;
        size_t n;
        enum ssl_probe_answer answer;
        int alert;
    } rows[] = {
        { BYTES(""), SSL_PROBE_CLOSED, -1 },
        { BYTES("\x15\x03"), SSL_PROBE_CLOSED, -1 },
        { BYTES("\x15\x03\x01\x00\x02\x02\x28"), SSL_PROBE_ALERT, 40 },
        { BYTES("\x15\x03\x03\x00\x02\x02\x46junk"), SSL_PROBE_ALERT, 70 },
        /* a warning is none, whatever it says, but for close_notify */
        { BYTES("\x15\x03\x03\x00\x02\x01\x70\x15\x03\x03\x00\x02\x02\x28"),
          SSL_PROBE_ALERT, 40 },
        { BYTES("\x15\x03\x03\x00\x02\x01\x00"), SSL_PROBE_CLOSED, -1 },
        { BYTES("\x15\x03\x03\x00\x02\x02\x00"), SSL_PROBE_CLOSED, -1 },
        /* cut where records may be: an alert in two, and empty ones */
        { BYTES("\x15\x03\x03\x00\x01\x02\x15\x03\x03\x00\x00\x15\x03\x03\x00"
                "\x01\x28"),
          SSL_PROBE_ALERT, 40 },
        { BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), SSL_PROBE_NOT_TLS, -1 },
        { BYTES("SSH-2.0-OpenSSH_9.2\r\n"), SSL_PROBE_NOT_TLS, -1 },
        { BYTES("220 mail.example ESMTP\r\n"), SSL_PROBE_NOT_TLS, -1 },
        { BYTES("\x19\x03\x03\x00\x02\x02\x28"), SSL_PROBE_NOT_TLS, -1 },
        { BYTES("\x16\x02\x00\x00\x02\x02\x28"), SSL_PROBE_NOT_TLS, -1 },
        { BYTES("\x16\x03\x03\x48\x01\x02\x00"), SSL_PROBE_NOT_TLS, -1 },
        /* a ServerHello that is none; a message before it */
        { BYTES("\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03"),
          SSL_PROBE_NOT_TLS, -1 },
        { BYTES("\x16\x03\x03\x00\x04\x0e\x00\x00\x00"), SSL_PROBE_NOT_TLS,
          -1 },
        { BYTES("\x16\x03\x03\x00\x04\x00\x00\x00\x00"), SSL_PROBE_CLOSED, -1 },
        { BYTES("\x17\x03\x03\x00\x03???"), SSL_PROBE_CLOSED, -1 },
    };
    static const size_t chunks[] = { 1, 3, 1 << 16 };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < sizeof chunks / sizeof chunks[0]; k++) {
            struct err err = ERR_INIT;
            assert_int_equal(ask_bytes((const unsigned char *)rows[i].bytes,
                                       rows[i].n, chunks[k], &err),
                             0);
            assert_int_equal(probe.answer, rows[i].answer);
            assert_int_equal(probe.alert, rows[i].alert);
        }
    }
}

static size_t message(unsigned char *at, unsigned type, const void *body,
                      size_t n) {
    at[0] = (unsigned char)type;
    at[1] = (unsigned char)(n >> 16);
    at[2] = (unsigned char)(n >> 8);
    at[3] = (unsigned char)n;
    if (body != NULL) {
        memcpy(at + 4, body, n);
    } else {
        memset(at + 4, 0xA5, n);
    }
    return n + 4;
}

/* A server's flight of TLS 1.2, cut into records of `most` bytes, with a
 * Certificate of `cert` bytes. @return its bytes */
static size_t make_flight(size_t cert, size_t most) {
    static unsigned char messages[1 << 17];
    static const unsigned char hello[] = { 3, 3, 1, 2, 3, 4,    5,    6, 7, 8,
                                           1, 2, 3, 4, 5, 6,    7,    8, 1, 2,
                                           3, 4, 5, 6, 7, 8,    1,    2, 3, 4,
                                           5, 6, 7, 8, 0, 0xC0, 0x2B, 0 };
    static const unsigned char exchange[] = { 3, 0, 24, 2, 9, 9, 5,
                                              3, 0, 3,  8, 8, 8 };
    size_t n = message(messages, SSL_MSG_SERVER_HELLO, hello, sizeof hello);
    n += message(messages + n, SSL_MSG_CERTIFICATE, NULL, cert);
    n += message(messages + n, SSL_MSG_SERVER_KEY_EXCHANGE, exchange,
                 sizeof exchange);
    n += message(messages + n, SSL_MSG_CERTIFICATE_REQUEST, NULL, 20000);
    n += message(messages + n, SSL_MSG_SERVER_HELLO_DONE, NULL, 0);
    size_t at = 0;
    for (size_t i = 0; i < n; i += most) {
        size_t len = n - i < most ? n - i : most;
        const unsigned char head[] = { 22, 3, 3, (unsigned char)(len >> 8),
                                       (unsigned char)len };
        memcpy(flight + at, head, sizeof head);
        memcpy(flight + at + sizeof head, messages + i, len);
        at += sizeof head + len;
    }
    return at;
}

static void long_messages_are_passed_over(void **state) {
    static const size_t records[] = { 16384, 4000, 509, 70 };
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct err err = ERR_INIT;
        size_t n = make_flight(65000, records[i]);
        assert_int_equal(ask_bytes(flight, n, 1 << 16, &err), 0);
        assert_int_equal(probe.answer, SSL_PROBE_CHOSEN);
        assert_int_equal(probe.chosen.cipher, 0xC02B);
        assert_int_equal(probe.chosen.group, 24);
        assert_int_equal(probe.chosen.sig_alg, 0x0503);
        assert_true(probe.certificate_wanted);
        /* and we have said that we leave, after the hello */
        assert_int_equal(wire_s.len, probe.out_len + 14);
        assert_memory_equal(wire_s.buf + wire_s.len - 14,
                            "\x15\x03\x03\x00\x02\x01\x5a", 7);
    }
}

/* A stream that never ends. */
static ssize_t endless_read(struct stream *s, void *buf, size_t len,
                            struct err *err) {
    static const unsigned char empty[] = { 23, 3, 3, 0, 0 };
    (void)s;
    (void)err;
    for (size_t i = 0; i < len; i++) {
        ((unsigned char *)buf)[i] = empty[i % sizeof empty];
    }
    return (ssize_t)(len - len % sizeof empty);
}

static ssize_t take_all(struct stream *s, const void *buf, size_t len,
                        struct err *err) {
    (void)s;
    (void)buf;
    (void)err;
    return (ssize_t)len;
}

static void a_server_that_never_ends_is_left(void **state) {
    static const struct stream_ops ops = { endless_read, take_all, NULL };
    struct stream lower = { .ops = &ops, .fd = -1 };
    struct err err = ERR_INIT;
    struct ssl_offer o = any_offer();
    (void)state;
    assert_int_equal(ssl_probe_init(&probe, &lower, &o, &err), 0);
    assert_int_equal(ssl_probe_run(&probe, &err), 0);
    assert_int_equal(probe.answer, SSL_PROBE_NOT_TLS);
    assert_in_range(probe.in, SSL_PROBE_FLIGHT_MAX,
                    SSL_PROBE_FLIGHT_MAX + 4096);
}

/* Whatever comes, there is an answer, and ASan has nothing to say. */
static void garbage_has_an_answer(void **state) {
    (void)state;
    srand(3);
    for (int round = 0; round < 20000; round++) {
        struct err err = ERR_INIT;
        size_t n = make_flight(200, (size_t)(1 + rand() % 600));
        n = n < 2000 ? n : 2000; /* of the request, a part is enough */
        for (int k = rand() % 6; k >= 0; k--) {
            flight[(size_t)rand() % (k > 2 ? 60 : n)] = (unsigned char)rand();
        }
        n = rand() % 3 == 0 ? (size_t)rand() % n : n;
        assert_int_equal(ask_bytes(flight, n, 1 << 16, &err), 0);
        assert_in_range(probe.answer, SSL_PROBE_CHOSEN, SSL_PROBE_NOT_TLS);
    }
}

static void the_streams_failure_is_reported(void **state) {
    struct ssl_offer o = any_offer();
    static const struct {
        int reset;
        size_t fail_at;
        enum err_origin origin;
        int code;
    } rows[] = {
        { 1, 0, ERR_NET, ECONNRESET },
        { 0, 10, ERR_OS, ENOSPC },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake f;
        struct err err = ERR_INIT;
        int want = STREAM_WANT_RD;
        fake_init(&f, 5, 0, 10);
        f.reset = rows[i].reset;
        f.fail_at = rows[i].fail_at;
        assert_int_equal(ssl_probe_init(&probe, &f.stream, &o, &err), 0);
        for (int k = 0; k < 1000 && want < STREAM_ERROR; k++) {
            want = ssl_probe_run(&probe, &err);
        }
        assert_int_equal(want, STREAM_ERROR);
        assert_int_equal(err.origin, rows[i].origin);
        assert_int_equal(err.code, rows[i].code);
        assert_int_equal(probe.answer, SSL_PROBE_NONE);
    }
}

static void the_longest_hello_fits_and_no_longer_one(void **state) {
    struct err err = ERR_INIT;
    struct ssl_offer o = any_offer();
    struct fake f;
    (void)state;
    o.of[SSL_KIND_VERSION].id[1] = 0x0304;
    o.of[SSL_KIND_VERSION].n = 127;
    for (enum ssl_kind k = SSL_KIND_CIPHER; k <= SSL_KIND_SIG_ALG; k++) {
        o.of[k].n = SSL_IDS_MAX;
    }
    memset(o.server_name, 'a', sizeof o.server_name - 1);
    memset(o.alpn, 'a', sizeof o.alpn - 1);
    fake_init(&f, 5, 0, 10);
    assert_int_equal(ssl_probe_init(&probe, &f.stream, &o, &err), 0);
    assert_in_range(probe.out_len, 1500, SSL_PROBE_HELLO_MAX);
    o.of[SSL_KIND_VERSION].n = SSL_IDS_MAX;
    assert_int_equal(ssl_probe_init(&probe, &f.stream, &o, &err), -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL);
}

static void extensions_are_asked_for_where_wanted(void **state) {
    static const uint16_t ciphers[] = { 0xC023, 0 }, groups[] = { 23, 0 },
                          sig_algs[] = { 0x0403, 0 },
                          wanted[] = { 1, 22, 35, 0 };
    struct ssl_offer o = offer(0x0303, ciphers, groups, sig_algs), seen;
    (void)state;
    make_server("server-ec256", SSL_CERT_NONE);
    for (int ask = 0; ask <= 1; ask++) {
        bool answered[64] = { false };
        put(&o.of[SSL_KIND_EXTENSION], wanted + (ask ? 0 : 3));
        assert_int_equal(ask_server(&o, 1 << 16), 0);
        assert_int_equal(probe.answer, SSL_PROBE_CHOSEN);
        for (size_t i = 0; i < probe.chosen.extensions.n; i++) {
            uint16_t id = probe.chosen.extensions.id[i];
            answered[id < 64 ? id : 0] = true;
        }
        assert_int_equal(answered[1], ask);
        assert_int_equal(answered[22], ask);
        assert_int_equal(probe.chosen.max_fragment_length, ask ? 512 : 0);
        assert_true(
            ssl_hello_read_client(probe.out + 9, probe.out_len - 9, &seen));
        assert_int_equal(seen.of[SSL_KIND_EXTENSION].n, ask ? 8 : 5);
    }
    ssl_context_free(&server_ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_says_what_it_chooses),
        cmocka_unit_test(what_is_no_choice_is_told_apart),
        cmocka_unit_test(long_messages_are_passed_over),
        cmocka_unit_test(a_server_that_never_ends_is_left),
        cmocka_unit_test(garbage_has_an_answer),
        cmocka_unit_test(the_streams_failure_is_reported),
        cmocka_unit_test(the_longest_hello_fits_and_no_longer_one),
        cmocka_unit_test(extensions_are_asked_for_where_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
