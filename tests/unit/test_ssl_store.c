#include "tls/ssl_store.h"

#include <mbedtls/platform.h>
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>
#include <stdlib.h>

#include "base/text.h"
#include "pki.h"
#include "tls/ssl_parse.h"

enum { TEXT_MAX = 1 << 20 };

static char text[TEXT_MAX];
static struct ssl_store store;

static void add_pem(const char *name) {
    const struct pki_data *p = pki(name);
    size_t at = strlen(text);
    assert_in_range(at + p->len, 1, sizeof text - 1);
    memcpy(text + at, p->data, p->len);
    text[at + p->len] = '\0';
}

static void add_der(const unsigned char *der, size_t len) {
    size_t at = strlen(text);
    char *base64 = malloc(len * 2 + 8);
    assert_non_null(base64);
    text_base64(der, len, base64);
    snprintf(text + at, sizeof text - at,
             "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
             base64);
    free(base64);
}

static int begin(void **state) {
    (void)state;
    text[0] = '\0';
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    ssl_store_free(&store);
    ssl_store_free(&store);
    return 0;
}

/* How many bear the name, of which the first is `first` if that is given. */
static size_t find(const unsigned char *name, size_t len,
                   const struct pki_data *first) {
    mbedtls_x509_crt child = { 0 }, *found;
    size_t n = 0;
    child.issuer_raw.p = (unsigned char *)(uintptr_t)name;
    child.issuer_raw.len = len;
    assert_int_equal(ssl_store_find(&store, &child, &found), 0);
    for (const mbedtls_x509_crt *c = found; c != NULL; c = c->next) {
        n++;
    }
    if (found != NULL && first != NULL) {
        assert_int_equal(found->raw.len, first->len);
        assert_memory_equal(found->raw.p, first->data, first->len);
    }
    assert_true(found == NULL || found->raw.p != NULL);
    mbedtls_x509_crt_free(found);
    mbedtls_free(found);
    return n;
}

static void give(void) {
    ssl_store_set(&store, (const unsigned char *)text, strlen(text));
}

/* The root's subject: SEQUENCE, SET, SEQUENCE, OID CN, UTF8String. */
static const unsigned char root_name[] =
    "\x30\x1a\x31\x18\x30\x16\x06\x03\x55\x04\x03\x0c\x0f"
    "mptls test root";
enum { NAME_LEN = sizeof root_name - 1, TAG_AT = 11, TEXT_AT = 13 };

static void a_name_is_the_same_in_capitals_and_as_another_string(void **state) {
    static const struct {
        size_t at;
        unsigned char as;
        size_t count;
    } rows[] = { { TAG_AT, 0x0c, 1 },       { TAG_AT, 0x13, 1 },
                 { TEXT_AT, 'M', 1 },       { NAME_LEN - 1, 'T', 1 },
                 { TAG_AT, 0x14, 0 },       { TAG_AT - 1, 0x04, 0 },
                 { NAME_LEN - 1, 'u', 0 },  { NAME_LEN - 1, 't' ^ 0x40, 0 },
                 { TEXT_AT, 'm' ^ 0x80, 0 } };
    (void)state;
    add_pem("other-root.pem");
    add_pem("root.pem");
    add_pem("intermediate.pem");
    give();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char name[NAME_LEN];
        memcpy(name, root_name, NAME_LEN);
        name[rows[i].at] = rows[i].as;
        assert_int_equal(find(name, NAME_LEN, pki("root.der")), rows[i].count);
    }
    assert_int_equal(find(root_name, NAME_LEN - 1, NULL), 0);
    assert_int_equal(find(root_name, 0, NULL), 0);
}

static void all_of_the_name_are_found_in_their_order(void **state) {
    (void)state;
    for (int i = 0; i < 300; i++) {
        add_pem("other-root.pem");
    }
    add_pem("root.pem");
    add_pem("other-root.pem");
    add_pem("root.pem");
    give();
    assert_int_equal(find(root_name, NAME_LEN, pki("root.der")), 2);
    assert_int_equal(store.count, 303);
}

static void a_store_of_nothing_has_nothing(void **state) {
    (void)state;
    assert_int_equal(find(root_name, NAME_LEN, NULL), 0);
    give();
    assert_int_equal(find(root_name, NAME_LEN, NULL), 0);
    assert_int_equal(store.count, 0);
}

static void a_bad_one_does_not_spoil_the_others(void **state) {
    const struct pki_data *root = pki("root.der");
    unsigned char bad[4096];
    (void)state;
    strcpy(text, "-----BEGIN CERTIFICATE-----\nno base64\n"
                 "-----END CERTIFICATE-----\n");
    add_der((const unsigned char *)"not a certificate", 17);
    memcpy(bad, root->data, root->len);
    bad[root->len - 1] ^= 1; /* the signature is not looked at */
    add_der(bad, root->len);
    add_der(bad, root->len - 1); /* has a subject, and is cut short */
    memcpy(bad, root->data, root->len);
    memset(bad + root->len, 0, 4);
    add_der(bad, root->len + 4); /* and bytes after it */
    give();
    assert_int_equal(find(root_name, NAME_LEN, NULL), 2);
    assert_int_equal(store.count, 3);
}

static void no_bytes_are_read_that_are_not_there(void **state) {
    static const struct {
        const char *bytes;
        size_t len;
    } odd[] = {
        { "\x30\x84\xff\xff\xff\xff\x30\x84\xff\xff\xff\xff\x02\x01\x01", 15 },
        { "\x30\x85\x01\x01\x01\x01\x01\x30\x00", 9 },
        { "\x30\x80\x30\x80\x02\x01\x01", 7 },
        { "\x30\x03\x30\x01\x02", 5 },
        { "\x30\x02\x30\x00", 4 },
        { "\x30\x82\x01", 3 },
    };
    const struct pki_data *root = pki("root.der");
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        add_der((const unsigned char *)odd[i].bytes, odd[i].len);
    }
    for (size_t len = 0; len < root->len; len++) {
        unsigned char *cut = malloc(len + 1);
        assert_non_null(cut);
        memcpy(cut, root->data, len);
        add_der(cut, len);
        free(cut);
    }
    give();
    assert_int_equal(find(root_name, NAME_LEN, NULL), 0);
    assert_in_range(store.count, 1, root->len - 1);
}

/* Write a certificate whose subject ends far behind its beginning. */
static size_t write_long(unsigned char *der, size_t size) {
    mbedtls_x509write_cert w;
    mbedtls_pk_context key;
    unsigned char serial[] = { 1 };
    char name[600], many[181] = "";
    const struct pki_data *k = pki("root-key.pem");
    memset(many, 'x', sizeof many - 1);
    snprintf(name, sizeof name, "CN=%s,O=%s,OU=%s", many, many, many);
    mbedtls_x509write_crt_init(&w);
    mbedtls_pk_init(&key);
    assert_int_equal(ssl_parse_key(&key, k->data, k->len), 0);
    mbedtls_x509write_crt_set_subject_key(&w, &key);
    mbedtls_x509write_crt_set_issuer_key(&w, &key);
    mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
    assert_int_equal(mbedtls_x509write_crt_set_subject_name(&w, name), 0);
    assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&w, name), 0);
    assert_int_equal(mbedtls_x509write_crt_set_serial_raw(&w, serial, 1), 0);
    assert_int_equal(mbedtls_x509write_crt_set_validity(&w, "20200101000000",
                                                        "20300101000000"),
                     0);
    int len = mbedtls_x509write_crt_der(&w, der, size, mbedtls_psa_get_random,
                                        MBEDTLS_PSA_RANDOM_STATE);
    assert_in_range(len, 1000, size);
    memmove(der, der + size - (size_t)len, (size_t)len);
    mbedtls_pk_free(&key);
    mbedtls_x509write_crt_free(&w);
    return (size_t)len;
}

static void a_long_name_is_found(void **state) {
    static unsigned char der[4096];
    mbedtls_x509_crt crt;
    (void)state;
    size_t len = write_long(der, sizeof der);
    add_pem("root.pem");
    add_der(der, len);
    give();
    mbedtls_x509_crt_init(&crt);
    assert_int_equal(mbedtls_x509_crt_parse_der(&crt, der, len), 0);
    assert_in_range(crt.subject_raw.len, 400, 1000);
    assert_int_equal(find(crt.issuer_raw.p, crt.issuer_raw.len, NULL), 1);
    mbedtls_x509_crt_free(&crt);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_name_is_the_same_in_capitals_and_as_another_string),
        TEST(all_of_the_name_are_found_in_their_order),
        TEST(a_store_of_nothing_has_nothing),
        TEST(a_bad_one_does_not_spoil_the_others),
        TEST(no_bytes_are_read_that_are_not_there),
        TEST(a_long_name_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
