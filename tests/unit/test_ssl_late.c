#include "test.h"
#include "tls/ssl_late.h"

static unsigned char bytes[SSL_LATE_MAX + 1];

static void what_was_kept_comes_back_in_its_order(void **state) {
    struct ssl_late l = { .bytes.buf = NULL };
    size_t at = 0, len;
    bool out;
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        memset(bytes, (int)i, i);
        assert_true(ssl_late_keep(&l, i % 3 == 0, bytes, i));
    }
    for (unsigned i = 0; i < 100; i++) {
        const unsigned char *p = ssl_late_next(&l, &at, &out, &len);
        assert_non_null(p);
        memset(bytes, (int)i, i);
        assert_int_equal(len, i);
        assert_int_equal(out, i % 3 == 0);
        assert_memory_equal(p, bytes, i);
    }
    assert_null(ssl_late_next(&l, &at, &out, &len));
    ssl_late_free(&l);
    ssl_late_free(&l);
    at = 0;
    assert_null(ssl_late_next(&l, &at, &out, &len));
}

static void a_connection_keeps_so_much_and_no_more(void **state) {
    static const size_t pieces[] = { 1, 100, 5000, SSL_LATE_MAX,
                                     SSL_LATE_MAX + 1 };
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct ssl_late l = { .bytes.buf = NULL };
        size_t kept = 0;
        while (ssl_late_keep(&l, false, bytes, pieces[i])) {
            kept += pieces[i];
        }
        assert_true(kept <= SSL_LATE_MAX && l.bytes.room <= SSL_LATE_MAX);
        assert_int_equal(kept > 0, pieces[i] < SSL_LATE_MAX);
        ssl_late_free(&l);
    }
}

static void all_connections_keep_so_much_and_no_more(void **state) {
    enum { MANY = SSL_LATE_ALL / 1024 + 10 };
    static struct ssl_late l[MANY];
    size_t n = 0, room = 0;
    (void)state;
    while (n < MANY && ssl_late_keep(&l[n], true, bytes, 1000)) {
        room += l[n++].bytes.room;
    }
    assert_true(room >= SSL_LATE_ALL && room < SSL_LATE_ALL + SSL_LATE_MAX);
    ssl_late_free(&l[0]); /* which makes room for one */
    assert_true(ssl_late_keep(&l[n], true, bytes, 1000));
    assert_false(ssl_late_keep(&l[n + 1], true, bytes, 1000));
    for (size_t i = 0; i < MANY; i++) {
        ssl_late_free(&l[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_comes_back_in_its_order),
        cmocka_unit_test(a_connection_keeps_so_much_and_no_more),
        cmocka_unit_test(all_connections_keep_so_much_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
