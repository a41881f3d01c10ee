#include <mbedtls/ssl.h>

#include "pki.h"
#include "test.h"
#include "tls/ssl_context.h"
#include "tls/ssl_identity.h"
#include "tls/ssl_own_key.h"

static struct ssl_context ctx;

static const char *const names[] = { "server-ec256", "server-rsa2048",
                                     "server-wildcard", "server-wrong-host",
                                     "server-wildcard-mid" };

static int make(void **state) {
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_SERVER, &err), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char cert[64], key[64];
        snprintf(cert, sizeof cert, "%s.pem", names[i]);
        snprintf(key, sizeof key, "%s-key.pem", names[i]);
        const struct pki_data *c = pki(cert), *k = pki(key);
        assert_int_equal(ssl_context_load_cert_chain(&ctx, c->data, c->len,
                                                     k->data, k->len, &err),
                         0);
    }
    return 0;
}

static int unmake(void **state) {
    (void)state;
    ssl_context_free(&ctx);
    ssl_context_free(&ctx);
    return 0;
}

/* As digits, by their place in the list. */
static const char *chosen(const char *name) {
    static char digits[16];
    size_t n = 0;
    name = ssl_identity_name(ctx.own, name);
    for (const struct ssl_identity *i = ssl_identity_find(ctx.own, name);
         i != NULL; i = ssl_identity_find(i->next, name)) {
        char place = '0';
        for (const struct ssl_identity *j = ctx.own; j != i; j = j->next) {
            place++;
        }
        digits[n++] = place;
    }
    digits[n] = '\0';
    return digits;
}

static void those_that_have_the_name_come_into_question(void **state) {
    static const char *const rows[][2] = {
        { "", "01234" }, /* none was asked for */
        { "localhost", "01" },
        { "LocalHost", "01" },
        { "127.0.0.1", "01" },
        { "::1", "01" },
        { "a.example.test", "2" },
        { "a.b.example.test", "01234" }, /* a wildcard is one label */
        { "example.test", "01234" },     /* nor is it for a whole domain */
        { "other.example", "3" },
        { "foo.x.example.test", "01234" }, /* no wildcard in the middle */
        { "nobody.example", "01234" },
        { "localhost\\x00", "01234" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(chosen(rows[i][0]), rows[i][1]) != 0) {
            fail_msg("%s: %s", rows[i][0], chosen(rows[i][0]));
        }
    }
}

static void a_pair_that_fails_leaves_the_others(void **state) {
    struct err err = ERR_INIT;
    (void)state;
    const struct pki_data *c = pki("server-ec384.pem");
    const struct pki_data *k = pki("server-ec256-key.pem");
    assert_int_equal(ssl_context_load_cert_chain(&ctx, c->data, c->len, k->data,
                                                 k->len, &err),
                     -1);
    assert_int_equal(err.origin, ERR_TLS);
    assert_int_equal(err.code, MBEDTLS_ERR_ECP_BAD_INPUT_DATA);
    assert_string_equal(chosen(""), "01234");
}

static void keys_count_by_the_name(void **state) {
    static const struct {
        const char *name;
        bool ec, rsa;
        unsigned curve;
    } rows[] = { { "", true, true, 23 },
                 { "localhost", true, true, 23 },
                 { "a.example.test", true, false, 23 } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = rows[i].name;
        struct ssl_suite ec = ssl_suite_of(0xC02B), rsa = ssl_suite_of(0xC02F);
        assert_int_equal(ssl_own_key(&ctx, name, SSL_KEY_EC), rows[i].ec);
        assert_int_equal(ssl_own_key(&ctx, name, SSL_KEY_RSA), rows[i].rsa);
        assert_int_equal(ssl_own_key_fits(&ctx, name, &ec), rows[i].ec);
        assert_int_equal(ssl_own_key_fits(&ctx, name, &rsa), rows[i].rsa);
        assert_int_equal(ssl_own_key_signs(&ctx, name, 0x0403, true),
                         rows[i].ec);
        assert_int_equal(ssl_own_key_signs(&ctx, name, 0x0804, true),
                         rows[i].rsa);
        assert_int_equal(ssl_own_key_curve(&ctx, name, NULL), rows[i].curve);
        const struct ssl_ids p384 = { 1, { 24 } };
        assert_int_equal(ssl_own_key_curve(&ctx, name, &p384), 0);
        assert_true(ssl_own_key(&ctx, name, SSL_KEY_NONE));
        assert_false(ssl_own_key(&ctx, name, SSL_KEY_DSS));
    }
}

static void without_any_there_is_none(void **state) {
    (void)state;
    assert_string_equal(ssl_identity_name(NULL, "localhost"), "");
    assert_null(ssl_identity_find(NULL, ""));
    assert_null(ssl_identity_find(NULL, "localhost"));
    ssl_identity_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            those_that_have_the_name_come_into_question, make, unmake),
        cmocka_unit_test_setup_teardown(a_pair_that_fails_leaves_the_others,
                                        make, unmake),
        cmocka_unit_test_setup_teardown(keys_count_by_the_name, make, unmake),
        cmocka_unit_test(without_any_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
