#include <stdio.h>

#include "fake_stream.h"
#include "pki.h"
#include "ssl_pair.h"
#include "test.h"
#include "tls/ssl_socket.h"
#include "tls/ssl_trace.h"

/* What a listener has heard: "> ClientHello 1;" and so on. */
struct heard {
    const struct ssl_socket *sock;
    char names[2048], texts[8192];
    size_t bytes; /* of opened handshake messages */
};
static struct heard heard_c, heard_s;
static bool quick; /* nobody listens, and it is looked at late */

static void hear(void *arg, const struct ssl_tap_message *m) {
    struct heard *h = arg;
    char name[SSL_LABEL_MAX], text[SSL_TEXT_MAX];
    size_t at = strlen(h->names);
    snprintf(h->names + at, sizeof h->names - at, "%c%s%s;", m->out ? '>' : '<',
             ssl_trace_name(m, name),
             !m->encrypted ? ""
             : m->opened   ? "*"
                           : "?");
    ssl_trace_describe(&h->sock->tap, m, text, sizeof text);
    at = strlen(h->texts);
    snprintf(h->texts + at, sizeof h->texts - at, "[%s: %s]", name, text);
}

static void make_pair(const char *cert, enum ssl_version version, bool mutual,
                      const char *ca, size_t chunk) {
    char name[64], key[64];
    snprintf(name, sizeof name, "%s.pem", cert);
    snprintf(key, sizeof key, "%s-key.pem", cert);
    err_c = err_s = (struct err)ERR_INIT;
    const struct pki_data *crt = pki(name), *pk = pki(key), *root = pki(ca);
    const struct pki_data *ours = pki("client-ec256.pem");
    const struct pki_data *our_key = pki("client-ec256-key.pem");
    const struct ssl_wrap_args s = {
        .server_side = true,
        .cert = crt->data,
        .cert_len = crt->len,
        .key = pk->data,
        .key_len = pk->len,
        .cadata = root->data,
        .cadata_len = root->len,
        .cert_reqs = mutual ? SSL_CERT_REQUIRED : SSL_CERT_NONE,
    };
    const struct ssl_wrap_args c = {
        .cert = ours->data,
        .cert_len = ours->len,
        .key = our_key->data,
        .key_len = our_key->len,
        .cadata = root->data,
        .cadata_len = root->len,
        .cert_reqs = SSL_CERT_REQUIRED,
    };
    assert_int_equal(ssl_wrap_context(&ctx_s, &s, &err_s), 0);
    assert_int_equal(ssl_wrap_context(&ctx_c, &c, &err_c), 0);
    assert_int_equal(ssl_context_set_versions(&ctx_c, version, version, &err_c),
                     0);
    ctx_c.quick = ctx_s.quick = quick;
    mem_init(&wire_c, &wire_s, chunk);
    assert_int_equal(ssl_context_wrap_socket(&ctx_c, &client, &wire_c.stream,
                                             "localhost", &err_c),
                     0);
    assert_int_equal(
        ssl_context_wrap_socket(&ctx_s, &server, &wire_s.stream, NULL, &err_s),
        0);
    memset(&heard_c, 0, sizeof heard_c);
    memset(&heard_s, 0, sizeof heard_s);
    heard_c.sock = &client;
    heard_s.sock = &server;
    if (!quick) {
        ssl_socket_listen(&client, hear, &heard_c);
        ssl_socket_listen(&server, hear, &heard_s);
    }
    assert_int_equal(client.tap.defers, quick);
}

/* One byte the server's way, and close_notify the client's. */
static void say_something(void) {
    unsigned char byte;
    ssize_t n;
    while ((n = ssl_socket_write(&client, "x", 1, &err_c)) < STREAM_ERROR) {
    }
    assert_int_equal(n, 1);
    while ((n = ssl_socket_read(&server, &byte, 1, &err_s)) < STREAM_ERROR) {
    }
    assert_int_equal(n, 1);
    while ((n = ssl_socket_end(&server, &err_s)) != 0) {
        assert_int_not_equal(n, STREAM_ERROR);
    }
    while ((n = ssl_socket_read(&client, &byte, 1, &err_c)) < STREAM_ERROR) {
    }
    assert_int_equal(n, STREAM_EOF);
}

/* Without the records that a TLS 1.3 end may send for middleboxes' sake. */
static char *without_ccs(char *names) {
    static const char *const ccs[] = { "<change_cipher_spec;",
                                       ">change_cipher_spec;" };
    for (size_t i = 0; i < 2; i++) {
        char *at;
        while ((at = strstr(names, ccs[i])) != NULL) {
            memmove(at, at + strlen(ccs[i]), strlen(at + strlen(ccs[i])) + 1);
        }
    }
    return names;
}

static const size_t chunks[] = { 1, 3, 1 << 16 };

static void every_message_of_tls13_is_told_by_both_ends(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        make_pair("server-chain", SSL_TLS_1_3, true, "root.pem", chunks[i]);
        both_done();
        say_something();
        assert_string_equal(
            without_ccs(heard_c.names),
            ">ClientHello;<ServerHello;<EncryptedExtensions*;"
            "<CertificateRequest*;<Certificate*;<CertificateVerify*;<Finished*;"
            ">Certificate*;>CertificateVerify*;>Finished*;>application_data*;"
            "<alert*;");
        assert_string_equal(
            without_ccs(heard_s.names),
            "<ClientHello;>ServerHello;>EncryptedExtensions*;"
            ">CertificateRequest*;>Certificate*;>CertificateVerify*;>Finished*;"
            "<Certificate*;<CertificateVerify*;<Finished*;"
            "<application_data*;>alert*;");
        assert_non_null(strstr(heard_c.texts, "[alert: warning close_notify "
                                              "(0)]"));
        assert_non_null(strstr(heard_c.texts, "[Certificate: 2 certificates "
                                              "of "));
        assert_non_null(strstr(heard_c.texts, "ecdsa_secp256r1_sha256"));
        assert_non_null(strstr(heard_c.texts, "name localhost"));
        free_pair();
    }
}

static void
every_message_of_tls12_is_told_and_finished_stays_sealed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        make_pair("server-ec256", SSL_TLS_1_2, true, "root.pem", chunks[i]);
        both_done();
        say_something();
        assert_string_equal(
            heard_c.names,
            ">ClientHello;<ServerHello;<Certificate;<ServerKeyExchange;"
            "<CertificateRequest;<ServerHelloDone;>Certificate;"
            ">ClientKeyExchange;>CertificateVerify;>change_cipher_spec;"
            ">Finished?;<change_cipher_spec;<Finished?;>application_data?;"
            "<alert?;");
        free_pair();
    }
}

static void the_report_has_what_was_agreed_on(void **state) {
    static struct ssl_info c, s;
    char name[SSL_CIPHER_NAME_MAX];
    (void)state;
    for (int v = 0; v < 4; v++) {
        bool is13 = v % 2 == 1;
        quick = v >= 2;
        make_pair("server-chain", is13 ? SSL_TLS_1_3 : SSL_TLS_1_2, false,
                  "root.pem", 1 << 16);
        both_done();
        say_something();
        ssl_socket_info(&client, &c, name);
        ssl_socket_info(&server, &s, name);
        assert_int_equal(c.round_trips, is13 ? 1 : 2);
        assert_int_equal(s.round_trips, c.round_trips);
        assert_int_not_equal(c.group, 0);
        assert_int_equal(c.group, s.group);
        assert_int_equal(c.sig_alg, 0x0403);
        assert_true(c.ours.known && !c.theirs.known);
        assert_true(s.theirs.known);
        assert_memory_equal(&c.ours, &s.theirs, sizeof c.ours);
        assert_string_equal(c.ours.server_name, "localhost");
        assert_int_equal(c.in.handshake_bytes, s.out.handshake_bytes);
        assert_int_equal(c.in.largest_message, s.out.largest_message);
        assert_int_equal(c.in.largest_type, SSL_MSG_CERTIFICATE);
        assert_int_equal(c.out.largest_type, SSL_MSG_CLIENT_HELLO);
        assert_true(c.in.largest_record >= 4);
        assert_int_equal(c.in.records, s.out.records);
        free_pair();
    }
    quick = false;
}

static void the_chain_is_there_though_it_was_refused(void **state) {
    size_t len;
    int c, s;
    (void)state;
    for (int v = 0; v < 4; v++) {
        quick = v >= 2;
        make_pair("server-expired", v % 2 == 1 ? SSL_TLS_1_3 : SSL_TLS_1_2,
                  false, "root.pem", 1000);
        shake_hands(&c, &s);
        assert_int_equal(c, STREAM_ERROR);
        assert_int_equal(err_c.origin, ERR_VERIFY);
        assert_int_equal(err_c.code, MBEDTLS_X509_BADCERT_EXPIRED);
        const unsigned char *der =
            ssl_socket_sent_certificate(&client, 0, &len);
        assert_non_null(der);
        assert_true(len > 100 && der[0] == 0x30);
        assert_null(ssl_socket_sent_certificate(&client, 1, &len));
        assert_int_equal(len, 0);
        assert_null(ssl_socket_sent_certificate(&server, 0, &len));
        assert_int_equal(err_s.origin, ERR_ALERT);
        free_pair();
    }
    quick = false;
}

static void a_refusal_under_the_keys_of_the_handshake_is_read(void **state) {
    unsigned char byte;
    int c, s;
    ssize_t n;
    (void)state;
    for (int v = 0; v < 2; v++) {
        quick = v == 1;
        make_pair("server-ec256", SSL_TLS_1_3, true, "other-root.pem", 1 << 16);
        ctx_c.verify_mode = SSL_CERT_NONE;
        mbedtls_ssl_conf_authmode(&ctx_c.conf, MBEDTLS_SSL_VERIFY_NONE);
        shake_hands(&c, &s);
        assert_int_equal(s, STREAM_ERROR);
        assert_int_equal(err_s.origin, ERR_VERIFY);
        assert_int_equal(c, 0);
        do {
            n = ssl_socket_read(&client, &byte, 1, &err_c);
        } while (n < STREAM_ERROR);
        assert_int_equal(n, STREAM_ERROR);
        assert_int_equal(err_c.origin, ERR_ALERT);
        assert_int_equal(err_c.code, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA);
        assert_true(client.cert_refused);
        free_pair();
    }
    quick = false;
}

/* What is kept to be looked at later does not grow with what is sent. */
static void data_is_not_kept(void **state) {
    static unsigned char data[4096];
    (void)state;
    quick = true;
    make_pair("server-ec256", SSL_TLS_1_3, false, "root.pem", 1 << 16);
    both_done();
    assert_true(client.tap.defers && client.tap.late.bytes.len > 0);
    for (size_t sent = 0; sent < SSL_LATE_MAX;) {
        ssize_t n = ssl_socket_write(&client, data, sizeof data, &err_c);
        assert_int_not_equal(n, STREAM_ERROR);
        sent += n > 0 ? (size_t)n : 0;
        n = ssl_socket_read(&server, data, sizeof data, &err_s);
        assert_int_not_equal(n, STREAM_ERROR);
    }
    assert_false(client.tap.defers);
    assert_null(client.tap.late.bytes.buf);
    assert_true(client.tap.in.finished && client.tap.out.finished);
    assert_true(client.tap.out.got_data);
    free_pair();
    quick = false;
}

static void who_rests_keeps_nothing_for_later(void **state) {
    (void)state;
    quick = true;
    make_pair("server-ec256", SSL_TLS_1_3, false, "root.pem", 1 << 16);
    both_done();
    assert_true(server.tap.late.bytes.len > 0);
    ssl_socket_rest(&server);
    assert_null(server.tap.late.bytes.buf);
    assert_true(server.tap.in.finished && server.tap.out.finished);
    free_pair();
    quick = false;
}

static void bytes_that_are_no_tls_are_not_followed(void **state) {
    static const struct {
        const char *bytes;
        size_t len;
        uint64_t records;
        bool lost;
    } rows[] = {
        { "HTTP/1.1 400 Bad Request", 24, 0, true },
        { "\x16\x03\x03\xff\xff", 5, 0, true },
        { "\x16\x02\x03\x00\x01", 5, 0, true },
        { "\x16\x03\x03\x00\x00", 5, 1, false },
        { "\x16\x03\x03\x00\x04\x0b\xff\xff\xff", 9, 1, true },
        { "\x15\x03\x03\x00\x02\x02\x28", 7, 1, false },
        { "\x17\x03\x03\x00\x03xyz", 8, 1, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssl_tap t;
        ssl_tap_init(&t, false);
        for (size_t k = 0; k < rows[i].len; k++) {
            ssl_tap_see(&t, false, (const unsigned char *)rows[i].bytes + k, 1);
        }
        assert_int_equal(t.in.traffic.records, rows[i].records);
        assert_int_equal(t.in.lost, rows[i].lost);
        assert_int_equal(t.alert_in, rows[i].bytes[0] == 0x15 ? 40 : -1);
        ssl_tap_free(&t);
        ssl_tap_free(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_of_tls13_is_told_by_both_ends),
        cmocka_unit_test(
            every_message_of_tls12_is_told_and_finished_stays_sealed),
        cmocka_unit_test(the_report_has_what_was_agreed_on),
        cmocka_unit_test(the_chain_is_there_though_it_was_refused),
        cmocka_unit_test(a_refusal_under_the_keys_of_the_handshake_is_read),
        cmocka_unit_test(data_is_not_kept),
        cmocka_unit_test(who_rests_keeps_nothing_for_later),
        cmocka_unit_test(bytes_that_are_no_tls_are_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
