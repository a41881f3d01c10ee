#include <mbedtls/ssl.h>

#include <stdio.h>
#include <stdlib.h>

#include "hello_data.h"
#include "test.h"
#include "tls/ssl_hello.h"

static unsigned char msg[4096];
static struct ssl_offer offer;
static struct ssl_chosen chosen;

/* Bytes in a block of their own size, so that ASan sees an overrun. */
static bool read_client(const unsigned char *bytes, size_t n) {
    unsigned char *own = malloc(n + (n == 0));
    assert_non_null(own);
    memcpy(own, bytes, n);
    bool good = ssl_hello_read_client(own, n, &offer);
    free(own);
    return good;
}

static bool read_server(unsigned type, const unsigned char *bytes, size_t n) {
    unsigned char *own = malloc(n + (n == 0));
    assert_non_null(own);
    memcpy(own, bytes, n);
    bool good = ssl_hello_read_server(type, own, n, &chosen);
    free(own);
    return good;
}

static bool server_says(unsigned type, const char *hex) {
    return read_server(type, msg, hello_bytes(hex, msg, sizeof msg));
}

/* "0x0304 0x0303", the first `most` of them. */
static const char *show(enum ssl_kind kind, size_t most) {
    static char text[SSL_IDS_MAX * 8];
    text[0] = '\0';
    for (size_t i = 0; i < offer.of[kind].n && i < most; i++) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s%04x", i == 0 ? "" : " ",
                 (unsigned)offer.of[kind].id[i]);
    }
    return text;
}

static const struct {
    const char *hex;
    const char *versions;
    size_t ciphers;
    const char *first_ciphers; /* three */
    const char *groups;
    size_t sig_algs;
    const char *first_sig_algs; /* three */
    const char *extensions;
    const char *server_name, *alpn;
} clients[] = {
    { hello_openssl, "0304 0303 0302 0301", 31, "1302 1303 1301",
      "001d 0017 001e 0019 0018 0100 0101 0102 0103 0104", 20, "0403 0503 0603",
      "0000 000b 000a 0023 0010 0016 0017 000d 002b 002d 0033", "localhost",
      "h2, http/1.1" },
    { hello_openssl_all, "0303 0302 0301", 90, "c02c c030 00a3",
      "001d 0017 001e 0019 0018", 23, "0403 0503 0603",
      "000b 000a 0023 0016 0017 000d", "", "" },
    { hello_openssl_10, "0301", 23, "c00a c014 0039",
      "001d 0017 001e 0019 0018", 0, "", "000b 000a 0023 0016 0017", "", "" },
    { hello_gnutls, "0304 0303 0302 0301", 29, "1302 1303 1301",
      "0017 0018 0019 001d 001e 0100 0101 0102 0103 0104", 16, "0401 0809 0804",
      "0005 000a 000b 000d 0016 0017 0023 0033 002b ff01 0000 002d 001c",
      "localhost", "" },
    { hello_micropython, "0303 0302 0301", 19, "c02c c030 c024",
      "0017 0018 0019", 6, "0603 0601 0503", "0000 000a 000d 000b", "localhost",
      "" },
    { hello_axtls, "0303 0302 0301", 4, "002f 003c 0035", "", 4,
      "0601 0501 0401", "0000 000d", "localhost", "" },
};

static void the_hellos_of_clients_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        size_t n = hello_bytes(clients[i].hex, msg, sizeof msg);
        assert_true(read_client(msg, n));
        assert_true(offer.known);
        assert_string_equal(show(SSL_KIND_VERSION, 9), clients[i].versions);
        assert_int_equal(offer.of[SSL_KIND_CIPHER].n, clients[i].ciphers);
        assert_string_equal(show(SSL_KIND_CIPHER, 3), clients[i].first_ciphers);
        assert_string_equal(show(SSL_KIND_GROUP, 99), clients[i].groups);
        assert_int_equal(offer.of[SSL_KIND_SIG_ALG].n, clients[i].sig_algs);
        assert_string_equal(show(SSL_KIND_SIG_ALG, 3),
                            clients[i].first_sig_algs);
        assert_string_equal(show(SSL_KIND_EXTENSION, 99),
                            clients[i].extensions);
        assert_string_equal(offer.server_name, clients[i].server_name);
        assert_string_equal(offer.alpn, clients[i].alpn);
    }
}

static void a_hello_cut_short_is_read_as_far_as_it_goes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        size_t n = hello_bytes(clients[i].hex, msg, sizeof msg);
        size_t fewer = 0;
        for (size_t cut = 0; cut < n; cut++) {
            bool good = read_client(msg, cut);
            /* Where the extensions would begin, there may be none. */
            assert_true(!good || offer.of[SSL_KIND_EXTENSION].n == 0);
            assert_true(offer.of[SSL_KIND_CIPHER].n >= fewer);
            fewer = offer.of[SSL_KIND_CIPHER].n;
        }
        assert_int_equal(fewer, clients[i].ciphers);
        memset(msg + n, 0, 1);
        assert_false(read_client(msg, n + 1));
        assert_string_equal(offer.server_name, clients[i].server_name);
    }
    assert_false(ssl_hello_read_client(NULL, 0, &offer));
    assert_true(offer.known);
    assert_int_equal(offer.of[SSL_KIND_VERSION].n, 0);
}

/* A hello with these extensions, given in hexadecimal. */
static bool with_extensions(const char *hex) {
    static const char head[] =
        "0303"
        "0000000000000000000000000000000000000000000000000000000000000000"
        "00"
        "0002002f"
        "0100";
    size_t n = hello_bytes(head, msg, sizeof msg);
    size_t body = hello_bytes(hex, msg + n + 2, sizeof msg - n - 2);
    msg[n] = (unsigned char)(body >> 8);
    msg[n + 1] = (unsigned char)body;
    return read_client(msg, n + 2 + body);
}

static void what_is_malformed_is_told(void **state) {
    static const struct {
        const char *extensions;
        bool good;
    } rows[] = {
        { "", true },
        { "000a00040002001d", true },
        { "000a0004000200", false },                   /* cut */
        { "000a00040003001d", false },                 /* odd */
        { "000a00020000", false },                     /* an empty list */
        { "000a00050002001d00", false },               /* bytes behind it */
        { "000a00040002001d000a00040002001d", false }, /* twice */
        { "000a00040004001d", false },                 /* over its end */
        { "002b0003020304", true },
        { "002b00050403040303", true },
        { "002b0000", false },
        { "0000000600040000"
          "0161",
          true },
        { "00000005000300"
          "0000",
          false },
        { "00000000", false },
        { "001000050003026832", true },
        { "00100003000100", false },
        { "001000050003026832"
          "00",
          false },
        { "ff01000100", true },
        { "ff0100", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (with_extensions(rows[i].extensions) != rows[i].good) {
            fail_msg("%s", rows[i].extensions);
        }
        assert_string_equal(show(SSL_KIND_CIPHER, 9), "002f");
    }
}

static void a_peer_cannot_drive_the_terminal(void **state) {
    (void)state;
    assert_true(with_extensions("0000000800060000031b5b6d"
                                "001000060004031b0aff"));
    assert_string_equal(offer.server_name, "\\x1B[m");
    assert_string_equal(offer.alpn, "\\x1B\\x0A\\xFF");
}

static void a_list_over_the_most_is_cut(void **state) {
    (void)state;
    size_t n = 0;
    memset(msg, 0, sizeof msg);
    msg[0] = msg[1] = 3;
    n = 35;
    msg[n++] = 2 * 200 >> 8;
    msg[n++] = 2 * 200 & 0xFF;
    for (unsigned i = 0; i < 200; i++) {
        msg[n++] = 0;
        msg[n++] = (unsigned char)i;
    }
    msg[n++] = 1;
    msg[n++] = 0;
    assert_true(read_client(msg, n));
    assert_int_equal(offer.of[SSL_KIND_CIPHER].n, SSL_IDS_MAX);
    assert_int_equal(offer.of[SSL_KIND_CIPHER].id[SSL_IDS_MAX - 1],
                     SSL_IDS_MAX - 1);
}

static void versions_without_the_extension_go_down_to_tls_10(void **state) {
    static const struct {
        const char *version, *versions;
    } rows[] = {
        { "0300", "0300" },           { "0301", "0301" },
        { "0303", "0303 0302 0301" }, { "0304", "0303 0302 0301" },
        { "03ff", "0303 0302 0301" }, { "0002", "0002" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = hello_bytes(hello_micropython, msg, sizeof msg);
        hello_bytes(rows[i].version, msg, sizeof msg);
        assert_true(read_client(msg, n));
        assert_string_equal(show(SSL_KIND_VERSION, 9), rows[i].versions);
    }
}

static void a_retry_gives_way_to_the_hello_after_it(void **state) {
    (void)state;
    assert_true(server_says(SSL_MSG_SERVER_HELLO, retry_384));
    assert_true(chosen.retry);
    assert_int_equal(chosen.version, 0x0304);
    assert_int_equal(chosen.cipher, 0x1302);
    assert_int_equal(chosen.group, 24);
    assert_int_equal(chosen.extensions.n, 2);
    chosen.extensions.id[0] = 44; /* a cookie, say */
    assert_true(server_says(SSL_MSG_SERVER_HELLO, server_13));
    assert_false(chosen.retry);
    assert_int_equal(chosen.version, 0x0304);
    assert_int_equal(chosen.group, 24);
    assert_true(server_says(SSL_MSG_ENCRYPTED_EXTENSIONS, encrypted_13));
    assert_true(server_says(SSL_MSG_ENCRYPTED_EXTENSIONS, encrypted_13));
    assert_int_equal(chosen.extensions.n, 3);
    assert_int_equal(chosen.extensions.id[0], 43);
    assert_int_equal(chosen.extensions.id[1], 51);
    assert_int_equal(chosen.extensions.id[2], 16);
    assert_string_equal(chosen.alpn, "h2");
    assert_true(server_says(SSL_MSG_CERTIFICATE, certificate_13));
    assert_int_equal(chosen.sig_alg, 0);
    assert_true(server_says(SSL_MSG_CERTIFICATE_VERIFY, verify_13));
    assert_int_equal(chosen.sig_alg, 0x0403);
}

static void the_choices_of_a_server_of_tls_12_are_read(void **state) {
    (void)state;
    assert_true(server_says(SSL_MSG_SERVER_HELLO, server_12));
    assert_false(chosen.retry);
    assert_int_equal(chosen.version, 0x0303);
    assert_int_equal(chosen.cipher, 0xC02C);
    assert_int_equal(chosen.group, 0);
    assert_int_equal(chosen.max_fragment_length, 1024);
    assert_string_equal(chosen.alpn, "http/1.1");
    assert_true(server_says(SSL_MSG_SERVER_KEY_EXCHANGE, exchange_12));
    assert_int_equal(chosen.group, 29);
    assert_int_equal(chosen.sig_alg, 0x0403);
    assert_true(server_says(SSL_MSG_SERVER_HELLO, server_11));
    assert_true(server_says(SSL_MSG_SERVER_KEY_EXCHANGE, exchange_11));
    assert_int_equal(chosen.version, 0x0302);
    assert_int_equal(chosen.group, 29);
    assert_int_equal(chosen.sig_alg, 0);
}

static void the_suite_says_what_a_key_exchange_is_made_of(void **state) {
    static const struct {
        unsigned cipher;
        const char *hex;
        bool good;
        unsigned group, sig_alg;
    } rows[] = {
        { 0xC037, exchange_ecdhe_psk, true, 29, 0 },
        { 0x00AE, exchange_psk, true, 0, 0 },
        { 0x00B6, exchange_psk, true, 0, 0 },   /* RSA_PSK */
        { 0xC018, exchange_anon, true, 29, 0 }, /* ECDH_anon */
        { 0x009E, "0001ff0001aa0001bb08040001cc", true, 0, 0x0804 },
        { 0x009E, "0001ff0001aa0001bb08040002cc", false, 0, 0x0804 },
        { 0x009E, "0001ff0001aa0001bb0804000000", false, 0, 0x0804 },
        { 0x0034, "0001ff0001aa0001bb", true, 0, 0 }, /* DH_anon */
        { 0x00B2, "00000001ff0001aa0001bb", true, 0, 0 },
        { 0xC0AA, "00000001ff0001aa0001bb", true, 0, 0 },
        { 0xC02B, "010017", false, 0, 0 }, /* explicit_prime */
        { 0xC02B, "03", false, 0, 0 },
        { 0xC02B, "", false, 0, 0 },
        { 0xC01E, "01", true, 0, 0 }, /* SRP: skipped */
        { 0xFFFF, "01", true, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&chosen, 0, sizeof chosen);
        chosen.version = 0x0303;
        chosen.cipher = (uint16_t)rows[i].cipher;
        if (server_says(SSL_MSG_SERVER_KEY_EXCHANGE, rows[i].hex) !=
            rows[i].good) {
            fail_msg("%04X %s", rows[i].cipher, rows[i].hex);
        }
        assert_int_equal(chosen.group, rows[i].group);
        assert_int_equal(chosen.sig_alg, rows[i].sig_alg);
    }
}

static void a_servers_messages_cut_short_are_not_well_formed(void **state) {
    static const struct {
        unsigned type;
        const char *hex;
    } rows[] = {
        { SSL_MSG_SERVER_HELLO, server_13 },
        { SSL_MSG_ENCRYPTED_EXTENSIONS, encrypted_13 },
        { SSL_MSG_CERTIFICATE_VERIFY, verify_13 },
        { SSL_MSG_SERVER_HELLO, server_12 },
        { SSL_MSG_SERVER_KEY_EXCHANGE, exchange_12 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = hello_bytes(rows[i].hex, msg, sizeof msg);
        for (size_t cut = 0; cut < n; cut++) {
            memset(&chosen, 0, sizeof chosen);
            chosen.version = 0x0303;
            chosen.cipher = 0xC02C;
            bool good = read_server(rows[i].type, msg, cut);
            assert_true(!good || (rows[i].type == SSL_MSG_SERVER_HELLO &&
                                  chosen.extensions.n == 0));
        }
    }
}

static void limits_are_read_in_bytes(void **state) {
    static const struct {
        const char *extensions;
        bool good;
        unsigned fragment, record;
    } rows[] = {
        { "0005"
          "0001000101",
          true, 512, 0 },
        { "0005"
          "0001000104",
          true, 4096, 0 },
        { "0005"
          "0001000105",
          false, 0, 0 },
        { "0005"
          "0001000100",
          false, 0, 0 },
        { "0006"
          "001c00024001",
          true, 0, 16385 },
        { "0005"
          "001c000140",
          false, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&chosen, 0, sizeof chosen);
        assert_int_equal(
            server_says(SSL_MSG_ENCRYPTED_EXTENSIONS, rows[i].extensions),
            rows[i].good);
        assert_int_equal(chosen.max_fragment_length, rows[i].fragment);
        assert_int_equal(chosen.record_size_limit, rows[i].record);
    }
}

static void the_certificates_of_a_message_are_found(void **state) {
    (void)state;
    size_t len, n = hello_bytes(certificate_12, msg, sizeof msg);
    const unsigned char *der = ssl_hello_certificate(msg, n, 0x0303, 0, &len);
    assert_ptr_equal(der, msg + 6);
    assert_int_equal(len, n - 6);
    assert_int_equal(der[0], 0x30);
    assert_null(ssl_hello_certificate(msg, n, 0x0303, 1, &len));
    assert_int_equal(len, 0);
    assert_null(ssl_hello_certificate(msg, n - 1, 0x0303, 0, &len));
    n = hello_bytes(certificate_13, msg, sizeof msg);
    assert_ptr_equal(ssl_hello_certificate(msg, n, 0x0304, 0, &len), msg + 7);
    assert_int_equal(len, n - 9);
    assert_null(ssl_hello_certificate(msg, n, 0x0304, 1, &len));
    n = hello_bytes("00"
                    "00000e"
                    "000002aabb"
                    "0000"
                    "000002ccdd"
                    "0000",
                    msg, sizeof msg);
    assert_ptr_equal(ssl_hello_certificate(msg, n, 0x0304, 1, &len), msg + 14);
    assert_int_equal(len, 2);
    assert_null(ssl_hello_certificate(msg, n, 0x0304, 2, &len));
    n = hello_bytes("000003"
                    "000000"
                    "",
                    msg, sizeof msg);
    assert_null(ssl_hello_certificate(msg, n, 0x0303, 0, &len));
    assert_null(ssl_hello_certificate(NULL, 0, 0x0303, 0, &len));
}

static void add(enum ssl_kind kind, const char *ids) {
    for (; *ids != '\0'; ids += strspn(ids, " ")) {
        char *end;
        offer.of[kind].id[offer.of[kind].n++] =
            (uint16_t)strtoul(ids, &end, 16);
        ids = end;
    }
}

static void what_is_written_can_be_read(void **state) {
    static const struct {
        const char *versions, *ciphers, *groups, *sig_algs, *name, *alpn;
        const char *read_versions, *extensions;
    } rows[] = {
        { "0304 0303", "1301 c02b", "001d 0017", "0403 0804", "localhost",
          "h2, http/1.1", "0304 0303",
          "0000 000a 000b 0017 ff01 000d 0010 002b 0033" },
        { "0304", "1301", "0017", "0403", "", "", "0304",
          "000a 000d 002b 0033" },
        { "0a0a 0304", "1301", "", "", "", "", "0a0a 0304", "002b" },
        { "0303", "002f", "", "0401", "", "", "0303 0302 0301",
          "0017 ff01 000d" },
        { "0302", "002f", "", "", "", "", "0302 0301", "0017 ff01" },
        { "0300", "0005", "", "", "a", "", "0300", "" },
        { "", "002f", "", "", "", "", "0303 0302 0301", "0017 ff01" },
    };
    unsigned char random[64], buf[512];
    (void)state;
    memset(random, 0x5A, sizeof random);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&offer, 0, sizeof offer);
        add(SSL_KIND_VERSION, rows[i].versions);
        add(SSL_KIND_CIPHER, rows[i].ciphers);
        add(SSL_KIND_GROUP, rows[i].groups);
        add(SSL_KIND_SIG_ALG, rows[i].sig_algs);
        snprintf(offer.server_name, SSL_NAME_MAX, "%s", rows[i].name);
        snprintf(offer.alpn, SSL_NAME_MAX, "%s", rows[i].alpn);
        size_t n = ssl_hello_write_client(&offer, random, buf, sizeof buf);
        assert_in_range(n, 9, sizeof buf);
        assert_int_equal(buf[3] << 8 | buf[4], n - 5);
        assert_int_equal(buf[6] << 16 | buf[7] << 8 | buf[8], n - 9);
        assert_int_equal(ssl_hello_write_client(&offer, random, buf, n), n);
        assert_int_equal(ssl_hello_write_client(&offer, random, buf, n - 1), 0);
        assert_true(read_client(buf + 9, n - 9) || rows[i].extensions[0] == 0);
        assert_string_equal(show(SSL_KIND_VERSION, 9), rows[i].read_versions);
        assert_string_equal(show(SSL_KIND_CIPHER, 9), rows[i].ciphers);
        assert_string_equal(show(SSL_KIND_GROUP, 9), rows[i].groups);
        assert_string_equal(show(SSL_KIND_SIG_ALG, 9), rows[i].sig_algs);
        assert_string_equal(show(SSL_KIND_EXTENSION, 19), rows[i].extensions);
        assert_string_equal(offer.alpn, rows[i].alpn);
    }
}

static void more_versions_than_fit_are_not_written(void **state) {
    unsigned char random[64] = { 0 }, buf[1024];
    (void)state;
    memset(&offer, 0, sizeof offer);
    offer.of[SSL_KIND_VERSION].n = SSL_IDS_MAX;
    offer.of[SSL_KIND_VERSION].id[0] = 0x0304;
    assert_int_equal(ssl_hello_write_client(&offer, random, buf, sizeof buf),
                     0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hellos_of_clients_are_read),
        cmocka_unit_test(a_hello_cut_short_is_read_as_far_as_it_goes),
        cmocka_unit_test(what_is_malformed_is_told),
        cmocka_unit_test(a_peer_cannot_drive_the_terminal),
        cmocka_unit_test(a_list_over_the_most_is_cut),
        cmocka_unit_test(versions_without_the_extension_go_down_to_tls_10),
        cmocka_unit_test(a_retry_gives_way_to_the_hello_after_it),
        cmocka_unit_test(the_choices_of_a_server_of_tls_12_are_read),
        cmocka_unit_test(the_suite_says_what_a_key_exchange_is_made_of),
        cmocka_unit_test(a_servers_messages_cut_short_are_not_well_formed),
        cmocka_unit_test(limits_are_read_in_bytes),
        cmocka_unit_test(the_certificates_of_a_message_are_found),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(more_versions_than_fit_are_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
