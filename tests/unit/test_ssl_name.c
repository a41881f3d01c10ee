#include <mbedtls/ssl.h>

#include <stdio.h>

#include "test.h"
#include "tls/ssl_cipher.h"
#include "tls/ssl_info.h"

static const struct {
    enum ssl_kind kind;
    unsigned id;
    const char *name;
} rows[] = {
    { SSL_KIND_VERSION, 0x0300, "SSLv3" },
    { SSL_KIND_VERSION, 0x0301, "TLSv1.0" },
    { SSL_KIND_VERSION, 0x0304, "TLSv1.3" },
    { SSL_KIND_VERSION, 0x7F1C, "TLSv1.3-draft28" },
    { SSL_KIND_VERSION, 0x0305, "0x0305" },
    { SSL_KIND_CIPHER, 0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
    { SSL_KIND_CIPHER, 0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" },
    { SSL_KIND_CIPHER, 0x5600, "TLS_FALLBACK_SCSV" },
    { SSL_KIND_CIPHER, 0x0005, "TLS_RSA_WITH_RC4_128_SHA" },
    { SSL_KIND_CIPHER, 0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5" },
    { SSL_KIND_CIPHER, 0xC018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA" },
    { SSL_KIND_CIPHER, 0x00C6, "TLS_SM4_GCM_SM3" },
    { SSL_KIND_CIPHER, 0x1307, "TLS_AEGIS_128L_SHA256" },
    { SSL_KIND_CIPHER, 0xC102, "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT" },
    { SSL_KIND_CIPHER, 0xFFFF, "0xFFFF" },
    { SSL_KIND_CIPHER, 0x10005, "0x10005" },
    { SSL_KIND_GROUP, 23, "secp256r1" },
    { SSL_KIND_GROUP, 30, "x448" },
    { SSL_KIND_GROUP, 31, "brainpoolP256r1tls13" },
    { SSL_KIND_GROUP, 256, "ffdhe2048" },
    { SSL_KIND_GROUP, 4587, "SecP256r1MLKEM768" },
    { SSL_KIND_GROUP, 4588, "X25519MLKEM768" },
    { SSL_KIND_GROUP, 25497, "X25519Kyber768Draft00" },
    { SSL_KIND_SIG_ALG, 0x0201, "rsa_pkcs1_sha1" },
    { SSL_KIND_SIG_ALG, 0x0202, "dsa_sha1" },
    { SSL_KIND_SIG_ALG, 0x0301, "sha224+rsa" },
    { SSL_KIND_SIG_ALG, 0x0101, "md5+rsa" },
    { SSL_KIND_SIG_ALG, 0x0303, "sha224+ecdsa" },
    { SSL_KIND_SIG_ALG, 0x0403, "ecdsa_secp256r1_sha256" },
    { SSL_KIND_SIG_ALG, 0x0807, "ed25519" },
    { SSL_KIND_SIG_ALG, 0x0905, "mldsa65" },
    { SSL_KIND_SIG_ALG, 0x0404, "0x0404" },
    { SSL_KIND_EXTENSION, 0, "server_name" },
    { SSL_KIND_EXTENSION, 16, "application_layer_protocol_negotiation" },
    { SSL_KIND_EXTENSION, 51, "key_share" },
    { SSL_KIND_EXTENSION, 57, "quic_transport_parameters" },
    { SSL_KIND_EXTENSION, 65281, "renegotiation_info" },
    { SSL_KIND_EXTENSION, 40, "0x0028" },
    { SSL_KIND_MESSAGE, 1, "ClientHello" },
    { SSL_KIND_MESSAGE, 20, "Finished" },
    { SSL_KIND_MESSAGE, 99, "0x63" },
    { SSL_KIND_RECORD, 22, "handshake" },
    { SSL_KIND_RECORD, 72, "0x48" },
};

static void a_number_is_named_and_found_by_its_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[SSL_LABEL_MAX], other[SSL_LABEL_MAX];
        assert_ptr_equal(ssl_name(rows[i].kind, rows[i].id, buf), buf);
        assert_string_equal(buf, rows[i].name);
        if (rows[i].id > 0xFFFF) {
            assert_int_equal(ssl_name_find(rows[i].kind, buf), -1);
            continue;
        }
        assert_int_equal(ssl_name_find(rows[i].kind, buf), rows[i].id);
        for (size_t k = 0; k <= strlen(buf); k++) {
            char c = buf[k];
            other[k] = (char)(c >= 'a' && c <= 'z' && c != 'x' ? c - 32 : c);
        }
        assert_int_equal(ssl_name_find(rows[i].kind, other), rows[i].id);
    }
}

static void what_is_reserved_is_grease_in_a_hello_only(void **state) {
    (void)state;
    char buf[SSL_LABEL_MAX];
    for (unsigned n = 0; n < 16; n++) {
        unsigned id = (n << 4 | 0x0A) * 0x0101;
        assert_true(ssl_name_grease(id));
        for (int kind = 0; kind < SSL_OFFER_KINDS; kind++) {
            assert_string_equal(ssl_name((enum ssl_kind)kind, id, buf),
                                "GREASE");
        }
        assert_string_not_equal(ssl_name(SSL_KIND_MESSAGE, id, buf), "GREASE");
    }
    assert_false(ssl_name_grease(0x0A1A));
    assert_false(ssl_name_grease(0x0A0B));
    assert_false(ssl_name_grease(0x10A0A));
}

/* That every name fits, and stands for one number, or for no other. */
static void every_number_keeps_its_name(void **state) {
    (void)state;
    for (int kind = 0; kind <= SSL_KIND_RECORD; kind++) {
        bool small = kind >= SSL_KIND_MESSAGE;
        for (unsigned id = 0; id <= (small ? 0xFFu : 0xFFFFu); id++) {
            char buf[SSL_LABEL_MAX];
            memset(buf, 'x', sizeof buf);
            ssl_name((enum ssl_kind)kind, id, buf);
            assert_non_null(memchr(buf, '\0', sizeof buf - 1));
            if (strcmp(buf, "GREASE") != 0 && strncmp(buf, "0x", 2) != 0) {
                assert_int_equal(ssl_name_find((enum ssl_kind)kind, buf), id);
            }
        }
    }
}

static void what_is_no_name_is_not_found(void **state) {
    static const char *const names[] = { "",        "0x",  "0xG",    "0x12345",
                                         "TLS_",    "TLS", "GREASE", "0x1 ",
                                         "TLSv1.9", "0x-1" };
    (void)state;
    for (int kind = 0; kind <= SSL_KIND_RECORD; kind++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            assert_int_equal(ssl_name_find((enum ssl_kind)kind, names[i]), -1);
        }
    }
    assert_int_equal(ssl_name_find(SSL_KIND_CIPHER, "AES128-SHA"), 0x2F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_named_and_found_by_its_name),
        cmocka_unit_test(what_is_reserved_is_grease_in_a_hello_only),
        cmocka_unit_test(every_number_keeps_its_name),
        cmocka_unit_test(what_is_no_name_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
