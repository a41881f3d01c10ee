/*
 * test_ssl_offload.c - a connection whose records are another's goes on as one
 * whose records are Mbed TLS's.
 */
#include <mbedtls/ssl.h>
#include <stdio.h>

#include "fake_stream.h"
#include "pki.h"
#include "soft_records.h"
#include "ssl_pair.h"
#include "test.h"

enum { NOBODY = 0, CLIENT = 1, SERVER = 2, BOTH = 3 };

static struct soft soft_c, soft_s;

struct setting {
    const char *cipher; /* NULL: the first */
    enum ssl_version version;
    int who; /* has records below it */
    bool mutual;
};

static void wrap(struct ssl_context *ctx, struct ssl_socket *sock,
                 struct soft *soft, bool offload, const char *name,
                 struct err *err) {
    assert_int_equal(
        ssl_context_wrap_socket(ctx, sock, &soft->records.stream, name, err),
        0);
    if (offload) {
        assert_int_equal(ssl_socket_offload(sock, &soft->records, err), 0);
    }
}

static void make_pair(const struct setting *how) {
    const struct pki_data *crt = pki("server-ec256.pem");
    const struct pki_data *key = pki("server-ec256-key.pem");
    const struct pki_data *root = pki("root.pem");
    const struct pki_data *our = pki("client-ec256.pem");
    const struct pki_data *our_key = pki("client-ec256-key.pem");
    const struct ssl_wrap_args s = { .server_side = true,
                                     .cert = crt->data,
                                     .cert_len = crt->len,
                                     .key = key->data,
                                     .key_len = key->len,
                                     .cadata = root->data,
                                     .cadata_len = root->len,
                                     .cert_reqs = how->mutual
                                                      ? SSL_CERT_REQUIRED
                                                      : SSL_CERT_NONE };
    const struct ssl_wrap_args c = { .cert = our->data,
                                     .cert_len = our->len,
                                     .key = our_key->data,
                                     .key_len = our_key->len };
    err_c = err_s = (struct err)ERR_INIT;
    assert_int_equal(ssl_wrap_context(&ctx_s, &s, &err_s), 0);
    assert_int_equal(ssl_wrap_context(&ctx_c, &c, &err_c), 0);
    assert_int_equal(
        ssl_context_set_versions(&ctx_c, how->version, how->version, &err_c),
        0);
    if (how->cipher != NULL) {
        assert_int_equal(ssl_context_set_ciphers(&ctx_c, how->cipher, &err_c),
                         0);
    }
    mem_init(&wire_c, &wire_s, 1 << 16);
    soft_init(&soft_c, &wire_c.stream);
    soft_init(&soft_s, &wire_s.stream);
    wrap(&ctx_c, &client, &soft_c, (how->who & CLIENT) != 0, "localhost",
         &err_c);
    wrap(&ctx_s, &server, &soft_s, (how->who & SERVER) != 0, NULL, &err_s);
}

/* @return what a read came to when it did not wait any longer, or when it has
 *         waited too often */
static ssize_t read_on(struct ssl_socket *s, void *buf, size_t len,
                       struct err *err) {
    ssize_t n = STREAM_WANT_RD;
    for (int i = 0; i < 100 && n < STREAM_ERROR; i++) {
        n = ssl_socket_read(s, buf, len, err);
    }
    return n;
}

static void carry(struct ssl_socket *from, struct ssl_socket *to, size_t len) {
    static unsigned char sent[100000], got[sizeof sent];
    size_t out = 0, in = 0;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < len; i++) {
        sent[i] = (unsigned char)(i * 7 + i / 256);
    }
    while (in < len) {
        if (out < len) {
            ssize_t n = ssl_socket_write(from, sent + out, len - out, &err);
            assert_int_not_equal(n, STREAM_ERROR);
            out += n > 0 ? (size_t)n : 0;
        }
        ssize_t n = ssl_socket_read(to, got + in, len - in, &err);
        assert_true(n > 0 || n < STREAM_ERROR);
        in += n > 0 ? (size_t)n : 0;
    }
    assert_memory_equal(sent, got, len);
}

static void end_well(struct ssl_socket *from, struct ssl_socket *to) {
    unsigned char buf[16];
    struct err err = ERR_INIT;
    int rc = STREAM_WANT_WR;
    for (int i = 0; i < 10 && rc < STREAM_ERROR; i++) {
        rc = ssl_socket_end(from, &err);
    }
    assert_int_equal(rc, 0);
    assert_true(from->close_notify_sent);
    assert_int_equal(read_on(to, buf, sizeof buf, &err), STREAM_EOF);
    assert_true(to->close_notify_received);
}

static void assert_offloaded(struct ssl_socket *s, bool is) {
    struct ssl_info info;
    char name[SSL_CIPHER_NAME_MAX];
    ssl_socket_info(s, &info, name);
    if (is && s->offload != NULL && s->offload->lack.origin != ERR_NONE) {
        fail_msg("%s", s->offload->lack.msg);
    }
    assert_int_equal(info.ktls_wanted, is);
    assert_int_equal(info.ktls_in, is);
    assert_int_equal(info.ktls_out, is);
    assert_int_equal(strcmp(info.encrypted_by, "a test") == 0, is);
}

static const char *const ciphers[] = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
};

static struct setting setting(const char *cipher, int who) {
    enum ssl_version v =
        strstr(cipher, "_WITH_") != NULL ? SSL_TLS_1_2 : SSL_TLS_1_3;
    return (struct setting){ cipher, v, who, false };
}

static void data_goes_both_ways(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        for (int who = CLIENT; who <= BOTH; who++) {
            const struct setting how = setting(ciphers[i], who);
            make_pair(&how);
            both_done();
            carry(&client, &server, 100000);
            carry(&server, &client, 100000);
            carry(&client, &server, 1);
            assert_offloaded(&client, (who & CLIENT) != 0);
            assert_offloaded(&server, (who & SERVER) != 0);
            end_well(&client, &server);
            carry(&server, &client, 300); /* half closed */
            end_well(&server, &client);
            free_pair();
        }
    }
}

/* It may learn from the server's first record that it is refused. */
static void one_that_may_be_refused_waits(void **state) {
    (void)state;
    struct setting how = { NULL, SSL_TLS_1_3, BOTH, true };
    make_pair(&how);
    both_done();
    carry(&client, &server, 20000);
    assert_false(client.offload->in || client.offload->out);
    assert_true(server.offload->in && server.offload->out);
    carry(&server, &client, 1);
    carry(&client, &server, 20000);
    carry(&server, &client, 20000);
    assert_offloaded(&client, true);
    free_pair();
    how.version = SSL_TLS_1_2; /* the server has the last word there */
    make_pair(&how);
    both_done();
    assert_offloaded(&client, true);
    free_pair();
}

static void where_it_cannot_be_mbedtls_goes_on(void **state) {
    static const struct {
        const char *cipher, *lack;
        bool refuses_in, refuses_out;
    } rows[] = {
        { "TLS_AES_128_GCM_SHA256", "it does not want to", true, false },
        { "TLS_AES_128_GCM_SHA256", "it does not want to", false, true },
        { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "it does not want to",
          false, true },
        { "TLS_AES_128_CCM_SHA256",
          "the cipher suite is none of AES-GCM or ChaCha20-Poly1305", false,
          false },
        { "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
          "the cipher suite is none of AES-GCM or ChaCha20-Poly1305", false,
          false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct setting how = setting(rows[i].cipher, CLIENT);
        struct ssl_info info;
        char name[SSL_CIPHER_NAME_MAX];
        make_pair(&how);
        soft_c.refuses_in = rows[i].refuses_in;
        soft_c.refuses_out = rows[i].refuses_out;
        both_done();
        carry(&client, &server, 50000);
        carry(&server, &client, 50000);
        ssl_socket_info(&client, &info, name);
        assert_int_equal(info.ktls_in, rows[i].refuses_out);
        assert_false(info.ktls_out);
        assert_string_equal(info.ktls_lack, rows[i].lack);
        assert_string_not_equal(info.encrypted_by, "a test");
        end_well(&client, &server);
        end_well(&server, &client);
        free_pair();
    }
}

/* --- what is no data, and what is no record ------------------------------- */

enum { FORGE = 1, CUT }; /* what else becomes of the last record */

struct said {
    const char *name;
    enum ssl_version version;
    bool to_server;
    int last;
    struct {
        unsigned char type;
        size_t len;
        unsigned char bytes[24];
    } records[4];
};

#define TICKET 4, 0, 0, 13, 0, 0, 1, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0
#define T12 SSL_TLS_1_2
#define T13 SSL_TLS_1_3

static const struct said said[] = {
    { "data", T13, false, 0, { { 23, 1, "x" } } },
    { "data", T12, true, 0, { { 23, 1, "x" } } },
    { "no data", T12, false, 0, { { 23, 0, "" }, { 23, 1, "x" } } },
    { "no data", T13, true, 0, { { 23, 0, "" }, { 23, 1, "x" } } },
    { "close_notify", T13, false, 0, { { 21, 2, { 1, 0 } } } },
    { "close_notify", T12, true, 0, { { 21, 2, { 1, 0 } } } },
    { "data and close_notify",
      T12,
      true,
      0,
      { { 23, 1, "x" }, { 21, 2, "\1" } } },
    { "alert 40", T13, false, 0, { { 21, 2, { 2, 40 } } } },
    { "alert 20", T12, true, 0, { { 21, 2, { 2, 20 } } } },
    { "fatal close_notify", T12, true, 0, { { 21, 2, { 2, 0 } } } },
    { "warning", T12, false, 0, { { 21, 2, { 1, 90 } }, { 23, 1, "x" } } },
    { "warning", T13, true, 0, { { 21, 2, { 1, 90 } }, { 23, 1, "x" } } },
    { "level 3", T13, true, 0, { { 21, 2, { 3, 0 } }, { 23, 1, "x" } } },
    { "half an alert", T12, false, 0, { { 21, 1, { 2 } } } },
    { "half an alert", T13, false, 0, { { 21, 1, { 2 } } } },
    { "an alert and a half", T13, true, 0, { { 21, 3, { 1, 0, 1 } } } },
    { "a ticket", T13, false, 0, { { 22, 17, { TICKET } }, { 23, 1, "x" } } },
    { "a ticket in two",
      T13,
      false,
      0,
      { { 22, 9, { TICKET } },
        { 22, 8, { 3, 4, 0, 0, 0, 0, 0, 0 } },
        { 23, 1, "x" } } },
    { "data in a ticket",
      T13,
      false,
      0,
      { { 22, 9, { TICKET } }, { 23, 1, "x" } } },
    { "an alert in a ticket",
      T13,
      false,
      0,
      { { 22, 9, { TICKET } }, { 21, 2, { 1, 0 } } } },
    { "a ticket for a server", T13, true, 0, { { 22, 17, { TICKET } } } },
    { "an empty ticket", T13, false, 0, { { 22, 4, { 4 } } } },
    { "KeyUpdate", T13, false, 0, { { 22, 5, { 24, 0, 0, 1, 0 } } } },
    { "KeyUpdate", T13, true, 0, { { 22, 5, { 24, 0, 0, 1, 1 } } } },
    { "CertificateRequest",
      T13,
      false,
      0,
      { { 22, 7, { 13, 0, 0, 3, 0, 0, 0 } } } },
    { "HelloRequest", T12, false, 0, { { 22, 4, "" }, { 23, 1, "x" } } },
    { "HelloRequest", T12, true, 0, { { 22, 4, "" } } },
    { "a long HelloRequest", T12, false, 0, { { 22, 5, { 0, 0, 0, 1 } } } },
    { "ClientHello",
      T12,
      true,
      0,
      { { 22, 6, { 1, 0, 0, 2, 3, 3 } }, { 23, 1, "x" } } },
    { "ClientHello", T12, false, 0, { { 22, 6, { 1, 0, 0, 2, 3, 3 } } } },
    { "Finished", T12, false, 0, { { 22, 6, { 20, 0, 0, 2, 3, 3 } } } },
    { "ChangeCipherSpec", T12, false, 0, { { 20, 1, { 1 } } } },
    { "forged", T12, false, FORGE, { { 23, 5, "abcde" } } },
    { "forged", T13, true, FORGE, { { 23, 5, "abcde" } } },
    { "forged after data",
      T13,
      false,
      FORGE,
      { { 23, 1, "x" }, { 23, 5, "abcde" } } },
    { "cut", T12, true, CUT, { { 23, 5, "abcde" } } },
    { "cut", T13, false, CUT, { { 23, 5, "abcde" } } },
};

/* What the receiver makes of all that, in words. */
static void hear(const struct said *row, bool offload, char *words,
                 size_t room) {
    struct setting how = { NULL, row->version, 0, false };
    unsigned char record[SOFT_HEADER + SOFT_MAX], buf[64];
    struct ssl_socket *to = row->to_server ? &server : &client;
    struct ssl_info info;
    char name[SSL_CIPHER_NAME_MAX];
    struct err err = ERR_INIT;
    how.who = (row->to_server ? CLIENT : SERVER) |
              (offload ? row->to_server ? SERVER : CLIENT : 0);
    make_pair(&how);
    both_done();
    struct soft *from = row->to_server ? &soft_c : &soft_s;
    assert_true(from->has_out);
    assert_int_equal(ssl_offload_has_in(to), offload);
    for (size_t i = 0; i < 4 && row->records[i].type != 0; i++) {
        size_t n =
            soft_seal(&from->out, row->records[i].type, row->records[i].bytes,
                      row->records[i].len, record);
        bool last = i == 3 || row->records[i + 1].type == 0;
        record[n - 1] ^= last && row->last == FORGE ? 1 : 0;
        soft_send(from, record, n - (last && row->last == CUT ? 1 : 0));
    }
    if (row->last == CUT) {
        (row->to_server ? &wire_s : &wire_c)->ended = 1;
    }
    size_t at = 0;
    ssize_t n;
    do {
        n = read_on(to, buf, sizeof buf, &err);
        at += (size_t)snprintf(words + at, room - at, "%d;", (int)n);
    } while (n > 0);
    ssl_socket_info(to, &info, name);
    char *detail = strstr(err.msg, " (");
    if (err.origin == ERR_TLS && detail != NULL) {
        *detail = '\0'; /* of Mbed TLS, whose no such record was */
    }
    snprintf(words + at, room - at, "%s %lld %s, %d, %u tickets",
             err_origin_name(err.origin), (long long)err.code, err.msg,
             info.close_notify_received, info.tickets);
    free_pair();
}

static void records_mean_what_they_mean_to_mbedtls(void **state) {
    char with[512], without[512];
    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        hear(&said[i], false, without, sizeof without);
        hear(&said[i], true, with, sizeof with);
        if (strcmp(with, without) != 0) {
            fail_msg("%s, TLS 1.%d, to the %s: `%s`, without: `%s`",
                     said[i].name, said[i].version == T13 ? 3 : 2,
                     said[i].to_server ? "server" : "client", with, without);
        }
    }
}

static void secrets_do_not_stay(void **state) {
    static const struct ssl_secrets none;
    (void)state;
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        const struct setting how = setting(ciphers[i], BOTH);
        make_pair(&how);
        both_done();
        assert_memory_equal(&client.offload->secrets, &none, sizeof none);
        assert_memory_equal(&server.offload->secrets, &none, sizeof none);
        free_pair();
    }
}

static int start(void **state) {
    (void)state;
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_goes_both_ways),
        cmocka_unit_test(one_that_may_be_refused_waits),
        cmocka_unit_test(where_it_cannot_be_mbedtls_goes_on),
        cmocka_unit_test(records_mean_what_they_mean_to_mbedtls),
        cmocka_unit_test(secrets_do_not_stay),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
