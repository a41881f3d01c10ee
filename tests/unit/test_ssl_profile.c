#include <string.h>

#include "fake_stream.h"
#include "test.h"
#include "tls/ssl_hello.h"
#include "tls/ssl_profile.h"
#include "tls/ssl_socket.h"

static struct mem wire_c, wire_s;
static struct ssl_socket sock;

/* What a client that plays the device says first. */
static void hello_of(const struct ssl_profile *p, const char *name,
                     struct ssl_offer *offer) {
    struct ssl_context ctx;
    struct err err = ERR_INIT;
    int want = STREAM_WANT_WR;
    assert_int_equal(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err), 0);
    assert_int_equal(ssl_context_set_verify_mode(&ctx, SSL_CERT_NONE, &err), 0);
    assert_int_equal(ssl_profile_apply(p, &ctx, &err), 0);
    mem_init(&wire_c, &wire_s, 1 << 16);
    assert_int_equal(
        ssl_context_wrap_socket(&ctx, &sock, &wire_c.stream, name, &err), 0);
    for (int i = 0; i < 8; i++) {
        want = ssl_socket_do_handshake(&sock, &err);
    }
    assert_int_equal(want, STREAM_WANT_RD);
    assert_in_range(wire_s.len, 10, sizeof wire_s.buf);
    assert_true(ssl_hello_read_client(wire_s.buf + 9, wire_s.len - 9, offer));
    ssl_socket_free(&sock);
    ssl_context_free(&ctx);
}

static void ids_are(const struct ssl_ids *got, const uint16_t *wanted) {
    size_t n = 0;
    for (; wanted[n] != 0; n++) {
        assert_true(n < got->n);
        assert_int_equal(got->id[n], wanted[n]);
    }
    assert_int_equal(got->n, n);
}

/* As captured from MicroPython's own builds. */
static void micropython_says_hello_as_on_the_board(void **state) {
    static const struct {
        const char *name;
        uint16_t ciphers[24], groups[10], sig_algs[12];
    } rows[] = {
        { "micropython-1.29",
          { 0xc02c, 0xc030, 0xc024, 0xc028, 0xc00a, 0xc014, 0xc02b, 0xc02f,
            0xc023, 0xc027, 0xc009, 0xc013, 0x009d, 0x003d, 0x0035, 0x009c,
            0x003c, 0x002f, 0x00ff },
          { 0x17, 0x18, 0x19 },
          { 0x0603, 0x0601, 0x0503, 0x0501, 0x0403, 0x0401 } },
        { "micropython-1.24",
          { 0xc02c, 0xc030, 0xc024, 0xc028, 0xc00a, 0xc014, 0xc02b, 0xc02f,
            0xc023, 0xc027, 0xc009, 0xc013, 0x009d, 0x003d, 0x0035, 0x009c,
            0x003c, 0x002f, 0x00ff },
          { 0x17, 0x18, 0x19 },
          { 0x0603, 0x0601, 0x0503, 0x0501, 0x0403, 0x0401 } },
        { "micropython-1.22",
          { 0xc024, 0xc00a, 0xc023, 0xc009, 0x003d, 0x0035, 0x003c, 0x002f,
            0x00ff },
          { 0x19, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12 },
          { 0x0603, 0x0601, 0x0503, 0x0501, 0x0403, 0x0401, 0x0303, 0x0301,
            0x0203, 0x0201 } },
        { "micropython-esp8266",
          { 0x002f, 0x003c, 0x0035, 0x003d, 0x00ff },
          { 0 },
          { 0x0601, 0x0501, 0x0401, 0x0201 } },
    };
    static const uint16_t versions[] = { 0x0303, 0x0302, 0x0301, 0 };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssl_offer o;
        hello_of(ssl_profile_find(rows[i].name), "localhost", &o);
        ids_are(&o.of[SSL_KIND_VERSION], versions);
        ids_are(&o.of[SSL_KIND_CIPHER], rows[i].ciphers);
        ids_are(&o.of[SSL_KIND_GROUP], rows[i].groups);
        ids_are(&o.of[SSL_KIND_SIG_ALG], rows[i].sig_algs);
        assert_string_equal(o.server_name, "localhost");
    }
}

static void extensions_are_the_devices_own(void **state) {
    static const uint16_t common[] = { 0, 10, 13, 11, 0 };
    struct ssl_offer o;
    (void)state;
    hello_of(ssl_profile_find("micropython-1.24"), "localhost", &o);
    const struct ssl_ids *ids = &o.of[SSL_KIND_EXTENSION];
    assert_int_equal(ids->n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(ids->id[i], common[i]);
    }
    hello_of(ssl_profile_find("esp-idf"), "localhost", &o);
    for (uint16_t id = 22; id <= 23; id++) { /* EtM, EMS */
        bool has = false;
        for (size_t i = 0; i < o.of[SSL_KIND_EXTENSION].n; i++) {
            has |= o.of[SSL_KIND_EXTENSION].id[i] == id;
        }
        assert_true(has);
    }
}

/* Every row is complete, and each offers what it says as far as the library
 * has it: the suites in its order, none of another's. */
static void every_profile_can_be_played(void **state) {
    const struct ssl_profile *p;
    size_t i;
    (void)state;
    for (i = 0; (p = ssl_profile_at(i)) != NULL; i++) {
        struct ssl_offer o;
        assert_ptr_equal(ssl_profile_find(p->name), p);
        assert_true(p->title[0] != '\0' && p->source[0] != '\0');
        assert_true(p->min_version <= p->max_version);
        assert_true(p->max_in_record >= 512 && p->max_out_record >= 512);
        hello_of(p, NULL, &o);
        assert_string_equal(o.server_name, "");
        size_t at = 0;
        for (const int *c = p->ciphers; *c != 0; c++) {
            if (at < o.of[SSL_KIND_CIPHER].n &&
                o.of[SSL_KIND_CIPHER].id[at] == *c) {
                at++;
            }
        }
        assert_int_equal(at, o.of[SSL_KIND_CIPHER].n - 1);
        assert_int_equal(o.of[SSL_KIND_CIPHER].id[at], 0x00ff);
        assert_true(at >= 4);
    }
    assert_int_equal(i, 9);
    assert_null(ssl_profile_find("micropython"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(micropython_says_hello_as_on_the_board),
        cmocka_unit_test(extensions_are_the_devices_own),
        cmocka_unit_test(every_profile_can_be_played),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
