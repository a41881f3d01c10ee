#include <errno.h>
#include <mbedtls/ssl.h>

#include "cli/probe_ask.h"
#include "test.h"

static void asking_can_tell_of_some_failures(void **state) {
    static const struct {
        enum err_origin origin;
        int64_t code;
        enum report_stage stage;
        bool can_tell;
    } rows[] = {
        { ERR_NONE, 0, STAGE_STREAM, false },
        { ERR_ALERT, 40, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 40, STAGE_STREAM, false },
        { ERR_ALERT, 47, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 70, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 71, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 80, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 86, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 109, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 112, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 120, STAGE_HANDSHAKE, true },
        { ERR_ALERT, 0, STAGE_HANDSHAKE, false },
        { ERR_ALERT, 48, STAGE_HANDSHAKE, false },
        { ERR_ALERT, 116, STAGE_HANDSHAKE, false },
        { ERR_NET, ECONNRESET, STAGE_HANDSHAKE, true },
        { ERR_NET, ECONNREFUSED, STAGE_CONNECT, false },
        { ERR_TLS, MBEDTLS_ERR_SSL_CONN_EOF, STAGE_HANDSHAKE, true },
        { ERR_TLS, MBEDTLS_ERR_SSL_DECODE_ERROR - 0x62, STAGE_HANDSHAKE, true },
        { ERR_TLS, MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, STAGE_HANDSHAKE,
          true },
        { ERR_TLS, MBEDTLS_ERR_SSL_INVALID_RECORD, STAGE_HANDSHAKE, false },
        { ERR_TLS, MBEDTLS_ERR_SSL_ALLOC_FAILED, STAGE_HANDSHAKE, false },
        { ERR_TLS, 0, STAGE_HANDSHAKE, false },
        { ERR_VERIFY, MBEDTLS_X509_BADCERT_EXPIRED, STAGE_HANDSHAKE, false },
        { ERR_TIMEOUT, 40, STAGE_HANDSHAKE, false },
        { ERR_SIGNAL, 2, STAGE_HANDSHAKE, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct report r = { .stage = rows[i].stage, .peer = "127.0.0.1:1" };
        r.err.origin = rows[i].origin;
        r.err.code = rows[i].code;
        assert_int_equal(probe_can_tell(&r), rows[i].can_tell);
        r.tls.cert_refused = true; /* it is known why, then */
        assert_false(probe_can_tell(&r));
        r.tls.cert_refused = false;
        r.peer = NULL;
        assert_false(probe_can_tell(&r));
    }
}

/* Each suite there is in one list and no other; what is none in none. */
static void every_suite_is_asked_for_once(void **state) {
    static unsigned char seen[0x10000];
    size_t count[PROBE_RANKS] = { 0 };
    char name[SSL_LABEL_MAX];
    (void)state;
    for (int rank = 0; rank < PROBE_RANKS; rank++) {
        struct ssl_ids ids;
        do {
            probe_ciphers((enum probe_rank)rank, count[rank], &ids);
            for (size_t i = 0; i < ids.n; i++) {
                assert_false(seen[ids.id[i]]);
                seen[ids.id[i]] = 1;
            }
            count[rank] += ids.n;
        } while (ids.n > 0);
    }
    for (unsigned id = 0; id <= 0xFFFF; id++) {
        ssl_name(SSL_KIND_CIPHER, id, name);
        bool suite = strncmp(name, "TLS_", 4) == 0 && id != 0x00FF &&
                     id != 0x5600; /* signals */
        assert_int_equal(seen[id], suite);
    }
    const int *ours = mbedtls_ssl_list_ciphersuites();
    for (; *ours != 0; ours++) {
        assert_true(seen[*ours]);
    }
    assert_true(count[PROBE_USUAL] < 80 && count[PROBE_TLS13] < 40);
    assert_true(count[PROBE_RARE] > 200);
}

static void an_offer_has_one_version_and_its_lists(void **state) {
    const struct probe_config config = { .server_name = "a.example" };
    const struct probe p = { .config = &config };
    struct ssl_offer o;
    (void)state;
    for (unsigned v = 0x0300; v <= 0x0304; v++) {
        probe_offer(&p, v, &o);
        assert_int_equal(o.of[SSL_KIND_VERSION].n, 1);
        assert_int_equal(o.of[SSL_KIND_VERSION].id[0], v);
        assert_int_equal(ssl_ids_has(&o.of[SSL_KIND_CIPHER], 0x1301),
                         v == 0x0304);
        assert_int_equal(ssl_ids_has(&o.of[SSL_KIND_CIPHER], 0x002F),
                         v < 0x0304);
        assert_true(ssl_ids_has(&o.of[SSL_KIND_GROUP], 0x0017));
        assert_int_equal(ssl_ids_has(&o.of[SSL_KIND_GROUP], 0x0013),
                         v < 0x0304);
        assert_false(ssl_ids_has(&o.of[SSL_KIND_GROUP], 0xFF01));
        assert_false(ssl_ids_has(&o.of[SSL_KIND_GROUP], 0x0A0A));
        assert_true(ssl_ids_has(&o.of[SSL_KIND_SIG_ALG], 0x0203));
        assert_true(o.of[SSL_KIND_SIG_ALG].n < SSL_IDS_MAX);
        assert_true(o.of[SSL_KIND_GROUP].n < SSL_IDS_MAX);
        assert_string_equal(o.server_name, "a.example");
    }
    probe_only(&o.of[SSL_KIND_CIPHER], "TLS_AES_128_");
    assert_true(ssl_ids_has(&o.of[SSL_KIND_CIPHER], 0x1301));
    assert_false(ssl_ids_has(&o.of[SSL_KIND_CIPHER], 0x1302));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asking_can_tell_of_some_failures),
        cmocka_unit_test(every_suite_is_asked_for_once),
        cmocka_unit_test(an_offer_has_one_version_and_its_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
