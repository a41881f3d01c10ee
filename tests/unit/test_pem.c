#include "base/pem.h"

#include <mbedtls/pem.h>
#include <stdlib.h>

#include "pki.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

static bool next(const char *text, struct pem_block *b) {
    return pem_next(text, text + strlen(text), b);
}

/* What Mbed TLS's own reader says; -1: nothing. */
static int theirs(const char *text, unsigned char *out, size_t *len) {
    mbedtls_pem_context pem;
    size_t used;
    mbedtls_pem_init(&pem);
    int ret = mbedtls_pem_read_buffer(
        &pem, BEGIN, END, (const unsigned char *)text, NULL, 0, &used);
    *len = 0;
    if (ret == 0) {
        const unsigned char *p = mbedtls_pem_get_buffer(&pem, len);
        memcpy(out, p, *len);
    }
    mbedtls_pem_free(&pem);
    return ret == 0 ? 0 : -1;
}

static void what_is_base64_is_what_mbedtls_takes(void **state) {
    static const struct {
        const char *body;
        const char *bytes; /* NULL: refused */
    } rows[] = {
        { "\nZm9vYmFy\n", "foobar" },
        { "\nZm9v\nYmFy\n", "foobar" },
        { "\r\nZm9v\r\nYmFy\r\n", "foobar" },
        { " \nZm9vYmFy\n", "foobar" },
        { " \r\nZm9vYmFy  \r\n", "foobar" },
        { "\nZm9vYmFy", "foobar" },
        { "\nZm9vYmE=\n", "fooba" },
        { "\nZm9vYg==\n", "foob" },
        { "\nZm9vYg=\n=\n", "foob" },
        { "\nZ\nm9vYm\n\nFy\n\n", "foobar" },
        { "\nZm9vYmFy\n  ", "foobar" },
        { "\n+/+/\n", "\xfb\xff\xbf" },
        { "Zm9vYmFy\n", NULL },
        { "  \nZm9vYmFy\n", NULL },
        { "\r\r\nZm9vYmFy\n", NULL },
        { "\nZm9v YmFy\n", NULL },
        { "\nZm9v\rYmFy\n", NULL },
        { "\nZm9v\tYmFy\n", NULL },
        { "\nZm9vYmE\n", NULL },
        { "\nZm9vYg\n", NULL },
        { "\nZm9vY===\n", NULL },
        { "\nZm9vYg==Zg==\n", NULL },
        { "\nZm9v==\n", NULL },
        { "\nZm9v====\n", NULL },
        { "\nZm9v*mFy\n", NULL },
        { "\nZm9vYm-y\n", NULL },
        { "\nZm9v\x80mFy\n", NULL },
        { "\nProc-Type: 4,ENCRYPTED\n\nZm9v\n", NULL },
        { "\n", NULL },
        { "", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        unsigned char ours[64], other[64];
        size_t len, other_len;
        struct pem_block b;
        snprintf(text, sizeof text, "text\n" BEGIN "%s" END "\n", rows[i].body);
        assert_true(next(text, &b));
        assert_ptr_equal(b.text, text + strlen("text\n" BEGIN));
        assert_int_equal(b.len, strlen(rows[i].body));
        assert_ptr_equal(b.after, b.text + b.len);
        assert_true(pem_room(&b) <= sizeof ours);
        bool ok = pem_decode(&b, ours, pem_room(&b), &len);
        if (ok != (rows[i].bytes != NULL) ||
            ok != (theirs(text, other, &other_len) == 0)) {
            fail_msg("'%s': %d", rows[i].body, ok);
        }
        if (ok) {
            assert_int_equal(len, strlen(rows[i].bytes));
            assert_memory_equal(ours, rows[i].bytes, len);
            assert_int_equal(other_len, len);
        }
    }
}

static void a_block_is_from_a_begin_to_the_next_end(void **state) {
    static const char text[] = END "\n" BEGIN "\nQUE=\n-----END CERTIFICATE----"
                                   "\n" BEGIN "\nQUE=\n" END BEGIN
                                   "\nQUI=\n" END "\n" BEGIN "\nQUM=\n";
    static const char *const none[] = {
        "",    "-",
        BEGIN, BEGIN "\nQUE=\n",
        END,   ("-----BEGIN CERTIFICATE----" END)
    };
    unsigned char out[8];
    size_t len;
    struct pem_block b;
    (void)state;
    assert_true(next(text, &b));
    assert_false(pem_decode(&b, out, sizeof out, &len)); /* two in one */
    assert_true(pem_next(b.after, text + sizeof text - 1, &b));
    assert_true(pem_decode(&b, out, sizeof out, &len));
    assert_int_equal(len, 2);
    assert_memory_equal(out, "AB", 2);
    assert_false(pem_next(b.after, text + sizeof text - 1, &b));
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(next(none[i], &b));
    }
}

static void text_is_not_read_past_its_end(void **state) {
    static const char text[] = BEGIN "\nZm9vYmE=\n" END;
    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        char *copy = malloc(len + 1);
        struct pem_block b;
        assert_non_null(copy);
        memcpy(copy, text, len);
        assert_false(pem_next(copy, copy + len, &b));
        free(copy);
    }
}

static void the_beginning_is_as_long_as_is_asked_for(void **state) {
    unsigned char all[4096], some[4096];
    size_t all_len, len;
    struct pem_block b;
    (void)state;
    const struct pki_data *p = pki("root.pem");
    const char *text = (const char *)p->data;
    assert_true(pem_next(text, text + p->len, &b));
    assert_in_range(pem_room(&b), 1, sizeof all);
    assert_true(pem_decode(&b, all, pem_room(&b), &all_len));
    for (size_t room = 0; room <= all_len + 4; room++) {
        memset(some, 0xAA, sizeof some);
        assert_true(pem_decode(&b, some, room, &len));
        assert_int_equal(len, room < all_len ? room : all_len);
        assert_memory_equal(some, all, len);
        assert_int_equal(some[len], 0xAA);
    }
}

static void what_is_behind_the_beginning_is_not_judged(void **state) {
    static const char text[] = BEGIN "\nZm9vYmFy*\n" END;
    unsigned char out[32];
    size_t len;
    struct pem_block b;
    (void)state;
    assert_true(next(text, &b));
    assert_true(pem_decode(&b, out, 6, &len));
    assert_int_equal(len, 6);
    assert_false(pem_decode(&b, out, 7, &len));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_base64_is_what_mbedtls_takes),
        cmocka_unit_test(a_block_is_from_a_begin_to_the_next_end),
        cmocka_unit_test(text_is_not_read_past_its_end),
        cmocka_unit_test(the_beginning_is_as_long_as_is_asked_for),
        cmocka_unit_test(what_is_behind_the_beginning_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
