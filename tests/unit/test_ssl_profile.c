#include <string.h>

#include "fake_stream.h"
#include "test.h"
#include "tls/ssl_hello.h"
#include "tls/ssl_profile.h"
#include "tls/ssl_socket.h"

static struct mem wire_c, wire_s;
static struct ssl_socket sock;

/* What a client that plays the device says first. */
static void hello_of(const char *profile, const char *name,
                     struct ssl_offer *offer) {
    static struct ssl_profile profile_read;
    struct ssl_profile *p = &profile_read;
    struct ssl_context ctx;
    struct err err = ERR_INIT;
    int want = STREAM_WANT_WR;
    assert_int_equal(ssl_profile_load(p, profile, &err), 0);
    assert_int_equal(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err), 0);
    assert_int_equal(ssl_context_set_device(&ctx, &p->device, &err), 0);
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
        hello_of(rows[i].name, "localhost", &o);
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
    hello_of("micropython-1.24", "localhost", &o);
    const struct ssl_ids *ids = &o.of[SSL_KIND_EXTENSION];
    assert_int_equal(ids->n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(ids->id[i], common[i]);
    }
    hello_of("esp-idf", "localhost", &o);
    for (uint16_t id = 22; id <= 23; id++) { /* EtM, EMS */
        bool has = false;
        for (size_t i = 0; i < o.of[SSL_KIND_EXTENSION].n; i++) {
            has |= o.of[SSL_KIND_EXTENSION].id[i] == id;
        }
        assert_true(has);
    }
}

/* Each is whole, and its hello has all of it but what Mbed TLS has not:
 * versions below 1.2 and 3DES. */
static void every_profile_can_be_played(void **state) {
    const char *name;
    size_t i;
    (void)state;
    for (i = 0; (name = ssl_profile_name(i)) != NULL; i++) {
        static struct ssl_profile p;
        struct ssl_offer o, lacks, more;
        struct err err = ERR_INIT;
        const char *value;
        size_t len;
        assert_int_equal(ssl_profile_load(&p, name, &err), 0);
        assert_string_equal(p.name, name);
        assert_true(p.title[0] != '\0');
        assert_non_null(ssl_profile_next(p.text, "source", &value, &len));
        assert_true(p.device.max_in_record >= 512);
        assert_true(p.device.max_out_record >= 512);
        assert_int_equal(ssl_profile_compare(&p, &lacks, &more, &err), 0);
        for (int k = 0; k < SSL_OFFER_KINDS; k++) {
            assert_int_equal(more.of[k].n, 0);
        }
        for (size_t c = 0; c < lacks.of[SSL_KIND_CIPHER].n; c++) {
            char label[SSL_LABEL_MAX];
            assert_non_null(
                strstr(ssl_name(SSL_KIND_CIPHER,
                                lacks.of[SSL_KIND_CIPHER].id[c], label),
                       "3DES"));
        }
        assert_int_equal(lacks.of[SSL_KIND_GROUP].n, 0);
        assert_int_equal(lacks.of[SSL_KIND_SIG_ALG].n, 0);
        assert_int_equal(lacks.of[SSL_KIND_EXTENSION].n, 0);
        hello_of(name, NULL, &o);
        assert_string_equal(o.server_name, "");
        /* In its order, with the suite that says something else at the end. */
        size_t at = 0;
        for (const uint16_t *c = p.ciphers; *c != 0; c++) {
            if (at < o.of[SSL_KIND_CIPHER].n &&
                o.of[SSL_KIND_CIPHER].id[at] == *c) {
                at++;
            }
        }
        assert_int_equal(at, o.of[SSL_KIND_CIPHER].n - 1);
        assert_int_equal(o.of[SSL_KIND_CIPHER].id[at], 0x00ff);
        assert_true(at >= 4);
    }
    assert_true(i >= 13);
    struct ssl_profile p;
    struct err err = ERR_INIT;
    assert_int_equal(ssl_profile_load(&p, "micropython", &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_non_null(strstr(err.msg, "there is no profile 'micropython'"));
}

static void a_profile_of_ones_own(void **state) {
    static const char text[] = "like micropython-1.24  # all but this\n"
                               "\ttitle  Mine and yours \t# so\r\n"
                               "ciphers 0xC02B\n"
                               "ciphers ECDHE-RSA-AES128-GCM-SHA256\n"
                               "groups\n"
                               "\n"
                               "# nothing\n"
                               "max-in-record 4096\n"
                               "rsa 1024 3072\n"
                               "curves secp256r1\n"
                               "hashes SHA1\n"
                               "formats der pem\n"
                               "clock 2015-01-01T00:00:00Z\n"
                               "heap 40000";
    struct ssl_profile p;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(ssl_profile_read(&p, "mine", text, &err), 0);
    assert_string_equal(p.title, "Mine and yours");
    assert_int_equal(p.ciphers[0], 0xC02B);
    assert_int_equal(p.ciphers[1], 0xC02F);
    assert_int_equal(p.ciphers[2], 0);
    assert_int_equal(p.groups[0], 0);
    assert_int_equal(p.sig_algs[5], 0x0401);
    assert_int_equal(p.device.max_in_record, 4096);
    assert_int_equal(p.device.max_out_record, 4096);
    assert_int_equal(p.device.max_in_message, 4096);
    assert_int_equal(p.device.heap.bytes, 40000);
    assert_int_equal(p.device.rsa_max_bits, 3072);
    assert_int_equal(p.certs.rsa_min_bitlen, 1024);
    assert_int_equal(p.certs.allowed_mds,
                     MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA1));
    assert_int_equal(p.certs.allowed_curves,
                     MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1));
    assert_true(p.device.whole_messages && !p.device.der_only);
    assert_true(p.device.no_pss && p.device.sends_addresses);
    assert_string_equal(p.clock, "2015-01-01T00:00:00Z");
    assert_int_equal(p.verify_mode, SSL_CERT_NONE);
    assert_int_equal(p.errors, MP_ERRORS_MBEDTLS);
    /* One that says nothing of it is Mbed TLS as it comes. */
    assert_int_equal(ssl_profile_read(&p, "mine", "title A", &err), 0);
    assert_int_equal(p.verify_mode, SSL_CERT_REQUIRED);
    assert_true(p.ciphers[0] != 0 && p.close_notify && p.max_version == 0x0303);
}

/* Mbed TLS has one buffer for a record and for a message. */
static void messages_are_limited_as_records(void **state) {
    static const struct {
        const char *text;
        size_t record, message;
    } rows[] = {
        { "title A\nmax-in-record 4096\n", 4096, 4096 },
        { "like zephyr\nmax-in-record 4096\n", 4096, 4096 },
        { "like zephyr\nmax-in-record 4096\nmax-in-message 2048\n", 4096,
          2048 },
        { "like zephyr\nmax-in-message 1500\nmax-in-record 4096\n", 4096,
          1500 },
        { "like zephyr\nmax-in-message 0\n", 1500, 0 },
        /* BearSSL reads a message as it comes. */
        { "like arduino-esp8266\nmax-in-record 512\n", 512, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssl_profile p;
        struct err err = ERR_INIT;
        assert_int_equal(ssl_profile_read(&p, "mine", rows[i].text, &err), 0);
        assert_int_equal(p.device.max_in_record, rows[i].record);
        assert_int_equal(p.device.max_in_message, rows[i].message);
    }
}

static void a_profile_that_is_wrong_says_where(void **state) {
    static const struct {
        const char *text, *say;
    } rows[] = {
        { "title A\nspeed 9\n", "mine: line 2: unknown key 'speed'" },
        { "ciphers TLS_NONE\n", "line 1: ciphers: unknown 'TLS_NONE'" },
        { "groups secp256r1 secp1\n", "line 1: groups: unknown 'secp1'" },
        { "hashes sha3\n", "line 1: hashes: unknown 'sha3'" },
        { "max-in-record\n", "line 1: max-in-record: no value: ''" },
        { "max-in-record -1\n", "no number of at most 9 digits: '-1'" },
        { "max-in-record 1234567890\n", "'1234567890'" },
        { "heap 40k\n", "'40k'" },
        { "heap 40000 bytes\n", "heap: one number too many: 'bytes'" },
        { "max-in-record 511\n", "neither 0 nor 512 to 16384: '511'" },
        { "max-in-record 16385\n", "neither 0 nor 512 to 16384: '16385'" },
        { "max-out-record 1\n", "neither 0 nor 512 to 16384: '1'" },
        { "max-in-message 3\n", "neither 0 nor 512 to 999999999: '3'" },
        { "heap 1023\n", "heap: neither 0 nor 1024 to 999999999: '1023'" },
        { "rsa 2048\n", "rsa: a number is wanted: ''" },
        { "rsa 1024 2048 x\n", "rsa: one number too many: 'x'" },
        { "rsa 2048 1024\n", "the most is less than the least: '1024'" },
        { "versions TLSv1.2 0x0000\n", "versions: unknown '0x0000'" },
        { "versions TLSv1.2 0x0305\n", "versions: unknown '0x0305'" },
        { "verify maybe\n", "not one of none, optional, required: 'maybe'" },
        { "formats\n", "formats: no value: ''" },
        { "clock noon\n", "no time such as 2000-01-01T00:00:00Z: 'noon'" },
        { "title A\nlike zephyr\n", "line 2: too late for 'like'" },
        { "like mine\n", "line 1: there is no profile 'mine'" },
        { "ciphers\n", "mine: no ciphers" },
        { "versions TLSv1.0 TLSv1.1\n", "none of its versions" },
        { "", "mine: there is nothing in it" },
        { "# like zephyr\n\n", "mine: there is nothing in it" },
        { "a-key-that-is-longer-than-all-keys x\n", "unknown key" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssl_profile p;
        struct err err = ERR_INIT;
        assert_int_equal(ssl_profile_read(&p, "mine", rows[i].text, &err), -1);
        assert_int_equal(err.origin, ERR_FILE);
        if (strstr(err.msg, rows[i].say) == NULL) {
            fail_msg("'%s' is not in '%s'", rows[i].say, err.msg);
        }
    }
    /* A list has room for 64. */
    char text[64 + 66 * 7] = "ciphers";
    for (int i = 0; i < 65; i++) {
        strcat(text, " 0xC02B");
    }
    struct ssl_profile p;
    struct err err = ERR_INIT;
    assert_int_equal(ssl_profile_read(&p, "mine", text, &err), -1);
    assert_int_equal(err.origin, ERR_FILE);
    assert_non_null(strstr(err.msg, "too many, at '0xC02B'"));
}

static int start(void **state) {
    (void)state;
    return ssl_heap_start() ? 0 : -1; /* some have a limit */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(micropython_says_hello_as_on_the_board),
        cmocka_unit_test(extensions_are_the_devices_own),
        cmocka_unit_test(every_profile_can_be_played),
        cmocka_unit_test(a_profile_of_ones_own),
        cmocka_unit_test(messages_are_limited_as_records),
        cmocka_unit_test(a_profile_that_is_wrong_says_where),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
