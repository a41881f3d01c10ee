/*
 * test_ssl_heap.c - what is counted of the heap, and that a connection ends
 * where a device's would.
 */
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <string.h>

#include "pki.h"
#include "ssl_pair.h"
#include "tls/ssl_heap.h"

static int start(void **state) {
    (void)state;
    return ssl_heap_start() ? 0 : -1;
}

static void blocks_belong_to_who_was_charged(void **state) {
    const struct ssl_heap_limit none = { 0, 0 };
    struct ssl_heap_account *a = ssl_heap_open(&none);
    (void)state;
    void *nobodys = mbedtls_calloc(1, 100);
    assert_null(ssl_heap_charge(a));
    void *p = mbedtls_calloc(3, 100);
    void *q = mbedtls_calloc(0, 8);
    mbedtls_free(nobodys);
    assert_int_equal(ssl_heap_now(a), 300);
    assert_int_equal(a->count, 2);
    assert_ptr_equal(ssl_heap_charge(NULL), a);
    void *r = mbedtls_calloc(1, 1000);
    assert_int_equal(ssl_heap_step(a), 300);
    mbedtls_free(p);
    assert_int_equal(ssl_heap_now(a), 0);
    assert_int_equal(ssl_heap_peak(a), 300);
    assert_int_equal(ssl_heap_step(a), 300);
    assert_int_equal(ssl_heap_step(a), 0);
    mbedtls_free(r);
    ssl_heap_close(a); /* q is freed after its account is closed */
    mbedtls_free(q);
    assert_int_equal(ssl_heap_now(NULL) + ssl_heap_peak(NULL), 0);
}

static void a_block_that_overflows_is_refused(void **state) {
    (void)state;
    assert_null(mbedtls_calloc(SIZE_MAX / 2, 3));
    assert_null(mbedtls_calloc(SIZE_MAX, 1));
}

static void a_limit_holds_for_the_sum(void **state) {
    const struct ssl_heap_limit limit = { 1000, 0 };
    struct ssl_heap_account *a = ssl_heap_open(&limit);
    (void)state;
    a->beside = 300;
    a->spare = 200;
    ssl_heap_charge(a);
    void *p = mbedtls_calloc(1, 900);
    assert_non_null(p);
    assert_null(mbedtls_calloc(1, 1));
    assert_null(mbedtls_calloc(1, 2));
    ssl_heap_charge(NULL);
    assert_int_equal(a->refused, 1);
    assert_int_equal(a->refused_at, 1000);
    assert_int_equal(ssl_heap_now(a), 700);
    mbedtls_free(p);
    ssl_heap_close(a);
}

static struct ssl_device device;

static void connect_as_device(const char *cert, const char *key,
                              const char *cipher) {
    const struct pki_data *crt = pki(cert), *k = pki(key),
                          *ca = pki("root.pem");
    const struct ssl_wrap_args s = { .server_side = true,
                                     .cert = crt->data,
                                     .cert_len = crt->len,
                                     .key = k->data,
                                     .key_len = k->len };
    const struct ssl_wrap_args c = { .cert_reqs = SSL_CERT_REQUIRED,
                                     .cadata = ca->data,
                                     .cadata_len = ca->len,
                                     .device = &device };
    err_c = err_s = (struct err)ERR_INIT;
    memset(&client, 0, sizeof client);
    assert_int_equal(ssl_wrap_context(&ctx_s, &s, &err_s), 0);
    assert_int_equal(ssl_wrap_context(&ctx_c, &c, &err_c), 0);
    assert_int_equal(ssl_context_set_ciphers(&ctx_c, cipher, &err_c), 0);
    mem_init(&wire_c, &wire_s, sizeof wire_c.buf);
    wire_c.never_want = wire_s.never_want = 1;
    assert_int_equal(
        ssl_context_wrap_socket(&ctx_s, &server, &wire_s.stream, NULL, &err_s),
        0);
}

static int wrap_client(void) {
    return ssl_context_wrap_socket(&ctx_c, &client, &wire_c.stream, "localhost",
                                   &err_c);
}

static const char *const ciphers[] = {
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_AES_128_GCM_SHA256",
};

static void info_of_client(struct ssl_info *info) {
    char name[SSL_CIPHER_NAME_MAX];
    memset(info, 0, sizeof *info);
    ssl_socket_info(&client, info, name);
}

/* Every step is there, none has more than the peak, and one has it. */
static void each_step_is_counted(void **state) {
    static struct ssl_info info;
    (void)state;
    device = (struct ssl_device){ 0 };
    for (size_t i = 0; i < 3; i++) {
        connect_as_device("server-rsa2048.pem", "server-rsa2048-key.pem",
                          ciphers[i]);
        assert_int_equal(wrap_client(), 0);
        both_done();
        info_of_client(&info);
        const struct ssl_heap_info *h = &info.heap;
        size_t top = 0;
        assert_true(h->known);
        assert_int_equal(h->steps[0].type, 0);
        assert_int_equal(h->steps[1].type, SSL_MSG_CLIENT_HELLO);
        assert_true(h->steps[1].out);
        assert_in_range(h->step_count, 6, 12);
        for (unsigned k = 0; k < h->step_count; k++) {
            assert_true(h->steps[k].now <= h->steps[k].peak);
            top = h->steps[k].peak > top ? h->steps[k].peak : top;
        }
        assert_int_equal(top, h->peak);
        assert_in_range(h->now, 30000, h->peak);
        assert_in_range(h->peak, 33000, 90000);
        assert_in_range(h->context, 400, 4000);
        /* All of it goes with the connection, but for PSA's table of keys,
         * which the first one makes. */
        struct ssl_heap_account *a = client.heap;
        mbedtls_ssl_free(&client.ssl);
        mbedtls_ssl_init(&client.ssl);
        assert_true(a->now < 1000);
        assert_true(a->blocks <= 1);
        free_pair();
    }
}

/* What our own code asks for while the library calls it is nobody's. */
static void reports_and_listeners_change_no_figure(void **state) {
    static struct ssl_info info;
    size_t peak[2];
    (void)state;
    device = (struct ssl_device){ 0 };
    for (int listens = 0; listens < 2; listens++) {
        connect_as_device("server-chain.pem", "server-chain-key.pem",
                          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        ctx_c.keep_top = listens;
        assert_int_equal(wrap_client(), 0);
        both_done();
        info_of_client(&info);
        peak[listens] = info.heap.peak;
        free_pair();
    }
    /* Signatures and numbers differ by some bytes. */
    assert_in_range(peak[1], peak[0] - 400, peak[0] + 400);
}

/* One allocation after the other, the later ones by samples: the connection
 * ends as a device's, or the library did without; it is never anything else,
 * and nothing leaks. */
static void each_allocation_can_fail(void **state) {
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        bool done = false;
        for (uint64_t n = 1; !done && n < 100000; n += 1 + n / 40) {
            int c = STREAM_ERROR, s = 0;
            device = (struct ssl_device){ .heap = { 0, n } };
            connect_as_device("server-rsa2048.pem", "server-rsa2048-key.pem",
                              ciphers[i]);
            if (wrap_client() == 0) {
                shake_hands(&c, &s);
            }
            bool refused = client.heap->refused != 0;
            if (c != 0) {
                assert_true(refused);
                assert_int_equal(err_c.origin, ERR_DEVICE);
                assert_true(err_c.code < 0);
                assert_non_null(strstr(err_c.msg, "was made to fail"));
            }
            done = !refused;
            free_pair();
        }
        assert_true(done);
    }
}

static void a_heap_that_is_too_small_names_the_step(void **state) {
    static struct ssl_info info;
    (void)state;
    device = (struct ssl_device){ 0 };
    connect_as_device("server-rsa2048.pem", "server-rsa2048-key.pem",
                      ciphers[0]);
    assert_int_equal(wrap_client(), 0);
    both_done();
    info_of_client(&info);
    size_t enough = info.heap.peak + info.heap.context + 500;
    size_t start_peak = info.heap.steps[0].peak + info.heap.context;
    free_pair();
    const struct {
        size_t bytes;
        const char *say; /* NULL: it is enough */
    } rows[] = {
        { enough, NULL },
        { start_peak + 1200, "after the server's Certificate" },
        { 20000, "to make the connection" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int c = STREAM_ERROR, s = 0;
        device = (struct ssl_device){ .heap = { rows[i].bytes, 0 } };
        connect_as_device("server-rsa2048.pem", "server-rsa2048-key.pem",
                          ciphers[0]);
        if (wrap_client() == 0) {
            shake_hands(&c, &s);
        }
        if (rows[i].say == NULL) {
            assert_int_equal(c, 0);
        } else {
            assert_int_equal(c, STREAM_ERROR);
            assert_int_equal(err_c.origin, ERR_DEVICE);
            assert_non_null(strstr(err_c.msg, rows[i].say));
            assert_true(client.heap->refused_at <= rows[i].bytes);
            assert_true(client.heap->refused_at + client.heap->refused >
                        rows[i].bytes);
        }
        free_pair();
    }
    /* What is loaded counts, too. */
    const struct pki_data *ca = pki("root.pem");
    device = (struct ssl_device){ .heap = { 300, 0 } };
    const struct ssl_wrap_args args = { .cadata = ca->data,
                                        .cadata_len = ca->len,
                                        .device = &device };
    struct err err = ERR_INIT;
    assert_int_equal(ssl_wrap_context(&ctx_c, &args, &err), -1);
    assert_int_equal(err.origin, ERR_DEVICE);
    assert_non_null(strstr(err.msg, "to load the CA"));
    ssl_context_free(&ctx_c);
}

static void what_does_not_fit_the_buffer_is_named(void **state) {
    static const struct {
        size_t max_in;
        const char *cipher;
        int code; /* 0: it fits */
        const char *say;
    } rows[] = {
        { 16384, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0, NULL },
        { 667, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0, NULL },
        { 666, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          MBEDTLS_ERR_SSL_BAD_INPUT_DATA,
          "the server's Certificate message is 667 bytes; the device's input "
          "buffer holds 666" },
        { 669, "TLS_AES_128_GCM_SHA256", MBEDTLS_ERR_SSL_BAD_INPUT_DATA,
          "the server's Certificate message is 670 bytes; the device's input "
          "buffer holds 669" },
        { 670, "TLS_AES_128_GCM_SHA256", 0, NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int c, s;
        device = (struct ssl_device){ .max_in_record = rows[i].max_in,
                                      .max_in_message = rows[i].max_in };
        connect_as_device("server-rsa2048.pem", "server-rsa2048-key.pem",
                          rows[i].cipher);
        assert_int_equal(wrap_client(), 0);
        shake_hands(&c, &s);
        if (rows[i].code == 0) {
            assert_int_equal(c, 0);
        } else {
            assert_int_equal(c, STREAM_ERROR);
            assert_int_equal(err_c.origin, ERR_DEVICE);
            assert_int_equal(err_c.code, rows[i].code);
            assert_string_equal(err_c.msg, rows[i].say);
            /* And it stays so. */
            struct err again = ERR_INIT;
            assert_int_equal(ssl_socket_do_handshake(&client, &again),
                             STREAM_ERROR);
            assert_int_equal(again.origin, ERR_DEVICE);
        }
        free_pair();
    }
}

/* Data that the server sends in one record of `len`, read in pieces. */
static ssize_t read_record(size_t len, size_t *got) {
    static unsigned char data[16384], buf[1000];
    ssize_t n = 0;
    *got = 0;
    assert_int_equal(ssl_socket_write(&server, data, len, &err_s), len);
    while (*got < len &&
           (n = ssl_socket_read(&client, buf, sizeof buf, &err_c)) > 0) {
        *got += (size_t)n;
    }
    return n;
}

static void a_record_of_data_is_measured(void **state) {
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t got;
        device =
            (struct ssl_device){ .max_in_record = 4096, .max_out_record = 600 };
        connect_as_device("server-rsa2048.pem", "server-rsa2048-key.pem",
                          ciphers[i]);
        assert_int_equal(wrap_client(), 0);
        both_done();
        assert_true(read_record(4096, &got) > 0);
        assert_int_equal(got, 4096);
        assert_true(read_record(1, &got) > 0);
        assert_int_equal(read_record(4097, &got), STREAM_ERROR);
        assert_int_equal(got, 0);
        assert_int_equal(err_c.origin, ERR_DEVICE);
        assert_int_equal(err_c.code, MBEDTLS_ERR_SSL_INVALID_RECORD);
        assert_string_equal(err_c.msg,
                            "a record of 4097 bytes, application_data; the "
                            "device's input buffer holds 4096");
        free_pair();
    }
}

static void our_own_records_are_as_small(void **state) {
    static unsigned char data[5000];
    static struct ssl_info info;
    (void)state;
    device = (struct ssl_device){ .max_out_record = 1024 };
    connect_as_device("server-rsa2048.pem", "server-rsa2048-key.pem",
                      ciphers[2]);
    assert_int_equal(wrap_client(), 0);
    both_done();
    assert_int_equal(ssl_socket_write(&client, data, sizeof data, &err_c),
                     1024);
    info_of_client(&info);
    /* The type of the content, padding to 16, and the tag. */
    assert_in_range(info.out.largest_record, 1024 + 1 + 16, 1024 + 16 + 16);
    free_pair();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_belong_to_who_was_charged),
        cmocka_unit_test(a_block_that_overflows_is_refused),
        cmocka_unit_test(a_limit_holds_for_the_sum),
        cmocka_unit_test(each_step_is_counted),
        cmocka_unit_test(reports_and_listeners_change_no_figure),
        cmocka_unit_test(each_allocation_can_fail),
        cmocka_unit_test(a_heap_that_is_too_small_names_the_step),
        cmocka_unit_test(what_does_not_fit_the_buffer_is_named),
        cmocka_unit_test(a_record_of_data_is_measured),
        cmocka_unit_test(our_own_records_are_as_small),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
