#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "fake_stream.h"
#include "pki.h"
#include "ssl_pair.h"
#include "test.h"
#include "tls/ssl_socket.h"

static void make_contexts(const char *cert, const char *ca) {
    char name[64], key[64];
    snprintf(name, sizeof name, "%s.pem", cert);
    snprintf(key, sizeof key, "%s-key.pem", cert);
    err_c = err_s = (struct err)ERR_INIT;
    const struct pki_data *crt = pki(name), *pk = pki(key);
    const struct ssl_wrap_args s = {
        .server_side = true,
        .cert = crt->data,
        .cert_len = crt->len,
        .key = pk->data,
        .key_len = pk->len,
        .cert_reqs = SSL_CERT_NONE,
    };
    const struct pki_data *root = pki(ca);
    const struct ssl_wrap_args c = {
        .cadata = root->data,
        .cadata_len = root->len,
        .cert_reqs = SSL_CERT_REQUIRED,
    };
    assert_int_equal(ssl_wrap_context(&ctx_s, &s, &err_s), 0);
    assert_int_equal(ssl_wrap_context(&ctx_c, &c, &err_c), 0);
}

static void connect_pair(const char *hostname, size_t chunk) {
    mem_init(&wire_c, &wire_s, chunk);
    assert_int_equal(ssl_context_wrap_socket(&ctx_c, &client, &wire_c.stream,
                                             hostname, &err_c),
                     0);
    assert_int_equal(
        ssl_context_wrap_socket(&ctx_s, &server, &wire_s.stream, NULL, &err_s),
        0);
}

static ssize_t read_some(struct ssl_socket *s, void *buf, size_t len,
                         struct err *err) {
    ssize_t n = STREAM_WANT_RD;
    for (int i = 0; i < 1000000 && n < STREAM_ERROR; i++) {
        n = ssl_socket_read(s, buf, len, err);
    }
    return n;
}

/* Retried with the same bytes until taken. */
static void write_all(struct ssl_socket *s, const unsigned char *buf,
                      size_t len, struct err *err) {
    while (len > 0) {
        ssize_t n = ssl_socket_write(s, buf, len, err);
        assert_int_not_equal(n, STREAM_ERROR);
        if (n > 0) {
            buf += n;
            len -= (size_t)n;
        }
    }
}

static void end_of(struct ssl_socket *s, struct err *err) {
    int n;
    while ((n = ssl_socket_end(s, err)) != 0) {
        assert_int_not_equal(n, STREAM_ERROR);
    }
}

static const enum ssl_version versions[] = { SSL_TLS_1_2, SSL_TLS_1_3 };
static const char *const version_names[] = { "TLSv1.2", "TLSv1.3" };

static void bytes_arrive_whole_though_every_call_says_want_first(void **state) {
    static const size_t chunks[] = { 1, 2, 5, 1000, 1 << 16 };
    static unsigned char sent[40000], got[40000];
    (void)state;
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (unsigned char)(i * 31 >> 3);
    }
    for (size_t v = 0; v < 2; v++) {
        for (size_t k = 0; k < sizeof chunks / sizeof chunks[0]; k++) {
            make_contexts("server-ec256", "root.der");
            assert_int_equal(ssl_context_set_versions(&ctx_c, versions[v],
                                                      versions[v], &err_c),
                             0);
            connect_pair("localhost", chunks[k]);
            both_done();
            write_all(&client, sent, sizeof sent, &err_c);
            end_of(&client, &err_c);
            size_t at = 0;
            ssize_t n;
            while ((n = read_some(&server, got + at, sizeof got - at + 0,
                                  &err_s)) > 0) {
                at += (size_t)n;
            }
            assert_int_equal(n, STREAM_EOF);
            assert_int_equal(at, sizeof sent);
            assert_memory_equal(sent, got, sizeof sent);
            /* The other direction is still open. */
            write_all(&server, (const unsigned char *)"late", 4, &err_s);
            end_of(&server, &err_s);
            assert_int_equal(read_some(&client, got, 100, &err_c), 4);
            assert_int_equal(read_some(&client, got, 100, &err_c), STREAM_EOF);
            assert_int_equal(read_some(&client, got, 100, &err_c), STREAM_EOF);
            free_pair();
        }
    }
}

static struct {
    bool more[8]; /* of each write, in turn */
    size_t n;
} hints;

static ssize_t note_write(struct stream *s, const void *buf, size_t len,
                          struct err *err) {
    if (hints.n < sizeof hints.more) {
        hints.more[hints.n++] = s->more;
    }
    return wire_s.stream.ops->write(s, buf, len, err);
}

static void the_lower_stream_is_told_that_records_follow(void **state) {
    static const unsigned char sent[40000];
    struct stream_ops ops;
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        make_contexts("server-ec256", "root.der");
        assert_int_equal(
            ssl_context_set_versions(&ctx_c, versions[v], versions[v], &err_c),
            0);
        connect_pair("localhost", 1 << 16);
        both_done();
        ops = *wire_c.stream.ops;
        ops.write = note_write;
        wire_c.stream.ops = &ops;
        wire_c.never_want = 1;
        hints.n = 0;
        write_all(&client, sent, sizeof sent, &err_c);
        end_of(&client, &err_c);
        assert_int_equal(hints.n, 4); /* 16384, 16384, 7232, close_notify */
        assert_true(hints.more[0] && hints.more[1]);
        assert_false(hints.more[2] || hints.more[3]);
        free_pair();
    }
}

static void cipher_and_getpeercert_say_what_was_agreed(void **state) {
    char name[SSL_CIPHER_NAME_MAX];
    const char *version;
    size_t len;
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        make_contexts("server-ec256", "root.pem");
        assert_int_equal(
            ssl_context_set_versions(&ctx_s, versions[v], versions[v], &err_s),
            0);
        connect_pair("localhost", 1 << 16);
        assert_null(ssl_socket_cipher(&client, &version, name));
        assert_null(ssl_socket_getpeercert(&client, &len));
        both_done();
        assert_non_null(ssl_socket_cipher(&client, &version, name));
        assert_string_equal(version, version_names[v]);
        assert_memory_equal(name, "TLS_", 4);
        const struct pki_data *leaf = pki("server-ec256.der");
        const unsigned char *der = ssl_socket_getpeercert(&client, &len);
        assert_int_equal(len, leaf->len);
        assert_memory_equal(der, leaf->data, len);
        assert_null(ssl_socket_getpeercert(&server, &len));
        free_pair();
    }
}

static void a_chain_is_refused_for_each_of_its_defects(void **state) {
    static const struct {
        const char *cert, *ca, *name;
        uint32_t flags;
    } rows[] = {
        { "server-ec256", "other-root.der", "localhost",
          MBEDTLS_X509_BADCERT_NOT_TRUSTED },
        { "server-self-signed", "root.der", "localhost",
          MBEDTLS_X509_BADCERT_NOT_TRUSTED },
        { "server-missing-intermediate", "root.der", "localhost",
          MBEDTLS_X509_BADCERT_NOT_TRUSTED },
        { "server-expired", "root.der", "localhost",
          MBEDTLS_X509_BADCERT_EXPIRED },
        { "server-not-yet-valid", "root.der", "localhost",
          MBEDTLS_X509_BADCERT_FUTURE },
        { "server-ec256", "root.der", "example.org",
          MBEDTLS_X509_BADCERT_CN_MISMATCH },
        { "server-wrong-host", "root.der", "localhost",
          MBEDTLS_X509_BADCERT_CN_MISMATCH },
        { "server-no-san", "root.der", "localhost",
          MBEDTLS_X509_BADCERT_CN_MISMATCH },
        { "server-ip-in-dns", "root.der", "127.0.0.1",
          MBEDTLS_X509_BADCERT_CN_MISMATCH },
        { "server-sha1", "root.der", "localhost", MBEDTLS_X509_BADCERT_BAD_MD },
        { "server-rsa1024", "root.der", "localhost",
          MBEDTLS_X509_BADCERT_BAD_KEY },
        { "server-expired-untrusted", "root.der", "localhost",
          MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_NOT_TRUSTED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t v = 0; v < 2; v++) {
            int c, s;
            struct ssl_info info;
            char name[SSL_CIPHER_NAME_MAX];
            make_contexts(rows[i].cert, rows[i].ca);
            assert_int_equal(ssl_context_set_versions(&ctx_c, versions[v],
                                                      versions[v], &err_c),
                             0);
            connect_pair(rows[i].name, 1 << 16);
            shake_hands(&c, &s);
            assert_int_equal(c, STREAM_ERROR);
            if (err_c.origin != ERR_VERIFY ||
                err_c.code != (int64_t)rows[i].flags) {
                fail_msg("%s for %s: %s %lld, %s", rows[i].cert, rows[i].name,
                         err_origin_name(err_c.origin), (long long)err_c.code,
                         err_c.msg);
            }
            ssl_socket_info(&client, &info, name);
            assert_int_equal(info.verify_flags, rows[i].flags);
            assert_false(info.handshake_done);
            /* The server learns it by an alert. */
            assert_int_equal(s, STREAM_ERROR);
            assert_int_equal(err_s.origin, ERR_ALERT);
            assert_in_range(err_s.code, 42, 48);
            free_pair();
        }
    }
}

static void a_chain_is_taken_for_each_of_its_names(void **state) {
    static const char *const rows[][3] = {
        { "server-ec256", "root.der", "localhost" },
        { "server-ec256", "root.pem", "LOCALHOST" },
        { "server-ec256", "root.pem", "localhost." },
        { "server-ec256", "root.pem", "127.0.0.1" },
        { "server-ec256", "root.pem", "::1" },
        { "server-ec256", "root.pem", "0:0:0:0:0:0:0:1" },
        { "server-ec384", "root.pem", "localhost" },
        { "server-rsa2048", "root.pem", "localhost" },
        { "server-chain", "root.pem", "localhost" },
        { "server-reversed-chain", "root.pem", "localhost" },
        { "server-missing-intermediate", "intermediate.pem", "localhost" },
        { "server-ip-san", "root.pem", "127.0.0.1" },
        { "server-wildcard", "root.pem", "board.example.test" },
        { "server-idn", "root.pem", "xn--bcher-kva.example" },
        { "server-self-signed", "server-self-signed.pem", "localhost" },
        { "server-wrong-host", "root.pem", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t v = 0; v < 2; v++) {
            make_contexts(rows[i][0], rows[i][1]);
            assert_int_equal(ssl_context_set_versions(&ctx_c, versions[v],
                                                      versions[v], &err_c),
                             0);
            connect_pair(rows[i][2], 1 << 16);
            both_done();
            assert_int_equal(mbedtls_ssl_get_verify_result(&client.ssl), 0);
            free_pair();
        }
    }
}

static void optional_goes_on_and_keeps_what_it_found(void **state) {
    struct ssl_info info;
    char name[SSL_CIPHER_NAME_MAX];
    (void)state;
    make_contexts("server-expired-untrusted", "root.der");
    assert_int_equal(
        ssl_context_set_verify_mode(&ctx_c, SSL_CERT_OPTIONAL, &err_c), 0);
    connect_pair("example.org", 1 << 16);
    both_done();
    ssl_socket_info(&client, &info, name);
    assert_int_equal(info.verify_flags, MBEDTLS_X509_BADCERT_EXPIRED |
                                            MBEDTLS_X509_BADCERT_NOT_TRUSTED |
                                            MBEDTLS_X509_BADCERT_CN_MISMATCH);
    assert_true(info.verified);
    free_pair();
}

static void required_wants_a_name_or_its_waiver(void **state) {
    static const char *const bad[] = { NULL, "b\303\274cher.example", "a b" };
    (void)state;
    make_contexts("server-ec256", "root.der");
    mem_init(&wire_c, &wire_s, 100);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(ssl_context_wrap_socket(&ctx_c, &client,
                                                 &wire_c.stream, bad[i], &err),
                         -1);
        assert_int_equal(err.origin, ERR_USAGE);
        assert_int_equal(err.code, 0);
        ssl_socket_free(&client);
    }
    ssl_context_free(&ctx_c);
    ssl_context_free(&ctx_s);
}

static void an_end_without_close_notify_is_truncation(void **state) {
    unsigned char buf[16];
    (void)state;
    for (int allow = 0; allow < 2; allow++) {
        make_contexts("server-ec256", "root.der");
        ctx_c.allow_truncation = allow != 0;
        connect_pair("localhost", 1 << 16);
        both_done();
        write_all(&server, (const unsigned char *)"half", 4, &err_s);
        wire_c.ended = 1;
        assert_int_equal(read_some(&client, buf, sizeof buf, &err_c), 4);
        assert_int_equal(read_some(&client, buf, sizeof buf, &err_c),
                         allow ? STREAM_EOF : STREAM_ERROR);
        assert_int_equal(err_c.origin, allow ? ERR_NONE : ERR_TRUNCATED);
        assert_int_equal(err_c.code, 0);
        free_pair();
    }
}

/* RFC 8446 5.1 allows them. To two in a row Mbed TLS's answer is that to an
 * end, and it refuses a fourth. */
static void empty_records_are_no_end(void **state) {
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        char buf[8];
        make_contexts("server-ec256", "root.der");
        assert_int_equal(
            ssl_context_set_versions(&ctx_c, versions[v], versions[v], &err_c),
            0);
        connect_pair("localhost", 1 << 16);
        both_done();
        wire_c.never_want = wire_s.never_want = 1;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(mbedtls_ssl_write(&server.ssl, NULL, 0), 0);
        }
        write_all(&server, (const unsigned char *)"data", 4, &err_s);
        assert_int_equal(read_some(&client, buf, sizeof buf, &err_c), 4);
        assert_memory_equal(buf, "data", 4);
        assert_int_equal(mbedtls_ssl_write(&server.ssl, NULL, 0), 0);
        wire_c.ended = 1;
        assert_int_equal(read_some(&client, buf, sizeof buf, &err_c),
                         STREAM_ERROR);
        assert_int_equal(err_c.origin, ERR_TRUNCATED);
        free_pair();
    }
}

static void micropythons_close_sends_no_close_notify(void **state) {
    unsigned char buf[16];
    (void)state;
    make_contexts("server-ec256", "root.der");
    ctx_s.no_close_notify = true;
    connect_pair("localhost", 1 << 16);
    both_done();
    end_of(&server, &err_s);
    assert_int_equal(wire_c.ended, 1);
    assert_int_equal(read_some(&client, buf, sizeof buf, &err_c), STREAM_ERROR);
    assert_int_equal(err_c.origin, ERR_TRUNCATED);
    assert_int_equal(err_c.code, 0);
    free_pair();
}

/* Mbed TLS would send the rest of the write, and no close_notify. */
static void a_write_given_up_does_not_swallow_close_notify(void **state) {
    unsigned char buf[16];
    (void)state;
    make_contexts("server-ec256", "root.der");
    connect_pair("localhost", 1 << 16);
    both_done();
    wire_c.write_turn = 0;
    assert_int_equal(ssl_socket_write(&client, "lost?", 5, &err_c),
                     STREAM_WANT_WR);
    end_of(&client, &err_c);
    assert_int_equal(read_some(&server, buf, sizeof buf, &err_s), 5);
    assert_int_equal(read_some(&server, buf, sizeof buf, &err_s), STREAM_EOF);
    free_pair();
}

/* Records that are ignored may come for ever: each call must end. */
static void a_flood_of_warnings_does_not_hold_a_call(void **state) {
    static const unsigned char warning[] = { 21, 3, 3, 0, 2, 1, 90 };
    (void)state;
    make_contexts("server-ec256", "root.der");
    connect_pair("localhost", 1 << 16);
    assert_int_equal(
        ssl_context_set_versions(&ctx_c, SSL_TLS_1_2, SSL_TLS_1_2, &err_c), 0);
    wire_c.never_want = 1;
    int c = STREAM_WANT_RD;
    for (int i = 0; i < 10 && c < STREAM_ERROR; i++) {
        while (wire_c.len + sizeof warning <= sizeof wire_c.buf) {
            memcpy(wire_c.buf + wire_c.len, warning, sizeof warning);
            wire_c.len += sizeof warning;
        }
        size_t before = wire_c.len;
        c = ssl_socket_do_handshake(&client, &err_c);
        assert_true(before - wire_c.len < 1000);
    }
    free_pair();
}

static void a_peer_that_cancels_has_closed(void **state) {
    static const unsigned char cancel[] = { 21, 3, 3, 0, 2, 1, 0 };
    int c = STREAM_WANT_RD;
    (void)state;
    make_contexts("server-ec256", "root.der");
    connect_pair("localhost", 1 << 16);
    memcpy(wire_c.buf, cancel, sizeof cancel);
    wire_c.len = sizeof cancel;
    while (c < STREAM_ERROR) {
        c = ssl_socket_do_handshake(&client, &err_c);
    }
    assert_int_equal(err_c.origin, ERR_TLS);
    assert_int_equal(err_c.code, MBEDTLS_ERR_SSL_CONN_EOF);
    free_pair();
}

static void a_record_of_impossible_length_is_the_peers_fault(void **state) {
    static const unsigned char header[] = { 22, 3, 3, 0xFF, 0xFF };
    int c = STREAM_WANT_RD;
    (void)state;
    make_contexts("server-ec256", "root.der");
    connect_pair("localhost", 1 << 16);
    memcpy(wire_c.buf, header, sizeof header);
    wire_c.len = sizeof header;
    while (c < STREAM_ERROR) {
        c = ssl_socket_do_handshake(&client, &err_c);
    }
    assert_int_equal(err_c.origin, ERR_TLS);
    assert_int_not_equal(err_c.code, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL);
    free_pair();
}

static void what_is_not_tls_is_quoted(void **state) {
    int c = STREAM_WANT_RD;
    (void)state;
    make_contexts("server-ec256", "root.der");
    connect_pair("localhost", 1 << 16);
    static const char said[] = "HTTP/1.0 400 Bad Request\r\n\r\n";
    memcpy(wire_c.buf, said, sizeof said - 1);
    wire_c.len = sizeof said - 1;
    while (c < STREAM_ERROR) {
        c = ssl_socket_do_handshake(&client, &err_c);
    }
    assert_int_equal(err_c.origin, ERR_TLS);
    assert_int_equal(err_c.code, MBEDTLS_ERR_SSL_INVALID_RECORD);
    assert_non_null(strstr(err_c.msg, "this is not TLS: the peer sent "
                                      "`HTTP/1.0 400"));
    free_pair();
}

static void a_peer_that_goes_away_in_the_handshake_is_named(void **state) {
    int c = STREAM_WANT_RD;
    (void)state;
    make_contexts("server-ec256", "root.der");
    connect_pair("localhost", 1 << 16);
    wire_c.ended = 1;
    while (c < STREAM_ERROR) {
        c = ssl_socket_do_handshake(&client, &err_c);
    }
    assert_int_equal(err_c.origin, ERR_TLS);
    assert_int_equal(err_c.code, MBEDTLS_ERR_SSL_CONN_EOF);
    assert_non_null(strstr(err_c.msg, "ServerHello"));
    free_pair();
}

static void a_client_certificate_is_asked_for_and_judged(void **state) {
    static const struct {
        const char *cert;
        enum err_origin origin;
        int64_t code;
    } rows[] = {
        { "client-ec256", ERR_NONE, 0 },
        { "client-rsa2048", ERR_NONE, 0 },
        { "client-other", ERR_VERIFY, MBEDTLS_X509_BADCERT_NOT_TRUSTED },
        { NULL, ERR_TLS, MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t v = 0; v < 2; v++) {
            int c, s;
            char name[64];
            make_contexts("server-ec256", "root.der");
            const struct pki_data *root = pki("root.der");
            assert_int_equal(ssl_context_load_verify_locations(
                                 &ctx_s, root->data, root->len, &err_s),
                             0);
            assert_int_equal(
                ssl_context_set_verify_mode(&ctx_s, SSL_CERT_REQUIRED, &err_s),
                0);
            if (rows[i].cert != NULL) {
                snprintf(name, sizeof name, "%s.pem", rows[i].cert);
                const struct pki_data *crt = pki(name);
                snprintf(name, sizeof name, "%s-key.pem", rows[i].cert);
                const struct pki_data *key = pki(name);
                assert_int_equal(
                    ssl_context_load_cert_chain(&ctx_c, crt->data, crt->len,
                                                key->data, key->len, &err_c),
                    0);
            }
            assert_int_equal(ssl_context_set_versions(&ctx_c, versions[v],
                                                      versions[v], &err_c),
                             0);
            connect_pair("localhost", 1 << 16);
            /* Mbed TLS 3.6 sends a pending alert anew after each WANT. */
            wire_s.never_want = 1;
            shake_hands(&c, &s);
            assert_int_equal(err_s.origin, rows[i].origin);
            assert_int_equal(err_s.code, rows[i].code);
            if (rows[i].origin != ERR_NONE && versions[v] == SSL_TLS_1_3) {
                /* TLS 1.3: the client learns it from its first read. */
                assert_int_equal(c, 0);
                unsigned char buf[4];
                assert_int_equal(read_some(&client, buf, sizeof buf, &err_c),
                                 STREAM_ERROR);
            }
            if (rows[i].origin == ERR_NONE) {
                assert_int_equal(err_c.origin, ERR_NONE);
            } else {
                struct ssl_info info;
                assert_int_equal(err_c.origin, ERR_ALERT);
                ssl_socket_info(&client, &info, name);
                assert_true(info.cert_refused);
            }
            free_pair();
        }
    }
}

static void nothing_in_common_is_said(void **state) {
    int c, s;
    (void)state;
    make_contexts("server-ec256", "root.der");
    assert_int_equal(ssl_context_set_ciphers(
                         &ctx_c, "ECDHE-ECDSA-AES128-GCM-SHA256", &err_c),
                     0);
    assert_int_equal(ssl_context_set_ciphers(
                         &ctx_s, "ECDHE-ECDSA-AES256-GCM-SHA384", &err_s),
                     0);
    connect_pair("localhost", 1 << 16);
    shake_hands(&c, &s);
    assert_int_equal(err_s.origin, ERR_TLS);
    assert_int_equal(err_s.code, MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE);
    assert_int_equal(err_c.origin, ERR_ALERT);
    assert_int_equal(err_c.code, 40);
    assert_false(client.cert_refused);
    free_pair();
}

static void a_deferred_handshake_happens_at_the_first_write(void **state) {
    (void)state;
    make_contexts("server-ec256", "root.der");
    connect_pair("localhost", 1 << 16);
    unsigned char buf[8];
    ssize_t w = STREAM_WANT_RD, r = STREAM_WANT_RD;
    for (int i = 0; i < 1000 && (w < STREAM_ERROR || r < STREAM_ERROR); i++) {
        if (w < STREAM_ERROR) {
            w = ssl_socket_write(&client, "now", 3, &err_c);
        }
        if (r < STREAM_ERROR) {
            r = ssl_socket_read(&server, buf, sizeof buf, &err_s);
        }
    }
    assert_int_equal(w, 3);
    assert_int_equal(r, 3);
    assert_memory_equal(buf, "now", 3);
    free_pair();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_whole_though_every_call_says_want_first),
        cmocka_unit_test(the_lower_stream_is_told_that_records_follow),
        cmocka_unit_test(cipher_and_getpeercert_say_what_was_agreed),
        cmocka_unit_test(a_chain_is_refused_for_each_of_its_defects),
        cmocka_unit_test(a_chain_is_taken_for_each_of_its_names),
        cmocka_unit_test(optional_goes_on_and_keeps_what_it_found),
        cmocka_unit_test(required_wants_a_name_or_its_waiver),
        cmocka_unit_test(an_end_without_close_notify_is_truncation),
        cmocka_unit_test(empty_records_are_no_end),
        cmocka_unit_test(micropythons_close_sends_no_close_notify),
        cmocka_unit_test(a_write_given_up_does_not_swallow_close_notify),
        cmocka_unit_test(a_flood_of_warnings_does_not_hold_a_call),
        cmocka_unit_test(a_peer_that_cancels_has_closed),
        cmocka_unit_test(a_record_of_impossible_length_is_the_peers_fault),
        cmocka_unit_test(what_is_not_tls_is_quoted),
        cmocka_unit_test(a_peer_that_goes_away_in_the_handshake_is_named),
        cmocka_unit_test(a_client_certificate_is_asked_for_and_judged),
        cmocka_unit_test(nothing_in_common_is_said),
        cmocka_unit_test(a_deferred_handshake_happens_at_the_first_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
