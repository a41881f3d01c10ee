/*
 * fuzz_hello.c - the messages in which two ends tell what they can do.
 *
 * The first byte chooses: 0 a ClientHello, 1 a Certificate of TLS 1.2, 2 one
 * of TLS 1.3, else messages of a server one after the other, each behind its
 * header of four bytes, of which the first may be cut.
 */
#include "fuzz.h"

#include "tls/ssl_hello.h"

enum { CLIENT, CERTIFICATE_12, CERTIFICATE_13, RECORD_HEAD = 5, HEAD = 4 };

static void check_ids(const struct ssl_ids *ids) {
    CHECK(ids->n <= SSL_IDS_MAX);
}

/* Lists that stay as they are when they are written and read again: those of
 * an offer that this program would write. */
static bool writable(const struct ssl_offer *o) {
    const struct ssl_ids *versions = &o->of[SSL_KIND_VERSION];
    bool tls13 = false;
    for (size_t i = 0; i < versions->n; i++) {
        tls13 = tls13 || versions->id[i] == 0x0304;
    }
    return tls13 && versions->n < SSL_IDS_MAX && o->of[SSL_KIND_CIPHER].n > 0;
}

static void check_client(const unsigned char *msg, size_t len) {
    static struct ssl_offer offer, again;
    static unsigned char buf[2048];
    const unsigned char random[64] = { 1 };
    ssl_hello_read_client(msg, len, &offer);
    CHECK(offer.known);
    for (int i = 0; i < SSL_OFFER_KINDS; i++) {
        check_ids(&offer.of[i]);
    }
    fuzz_check_ascii(offer.alpn, sizeof offer.alpn);
    fuzz_check_ascii(offer.server_name, sizeof offer.server_name);
    size_t n = ssl_hello_write_client(&offer, random, buf, sizeof buf);
    CHECK(n <= sizeof buf);
    CHECK(n == 0 || ssl_hello_write_client(&offer, random, buf, n - 1) == 0);
    if (n == 0 || !writable(&offer)) {
        return;
    }
    ssl_hello_read_client(buf + RECORD_HEAD + HEAD, n - RECORD_HEAD - HEAD,
                          &again);
    for (int i = 0; i < SSL_KIND_EXTENSION; i++) {
        CHECK(offer.of[i].n == again.of[i].n);
        CHECK(memcmp(offer.of[i].id, again.of[i].id, 2 * offer.of[i].n) == 0);
    }
}

static void check_certificates(const unsigned char *msg, size_t size,
                               unsigned version) {
    size_t len, i = 0, sum = 0;
    const unsigned char *der, *end = msg;
    while ((der = ssl_hello_certificate(msg, size, version, i, &len)) != NULL) {
        CHECK(der >= end + 3 && len > 0);
        end = der + len;
        CHECK(end <= msg + size);
        sum += len;
        i++;
    }
    CHECK(len == 0 && sum <= size);
}

static void check_server(const unsigned char *msg, size_t size) {
    struct ssl_chosen chosen;
    memset(&chosen, 0, sizeof chosen);
    while (size >= HEAD) {
        size_t len = (size_t)msg[1] << 16 | (size_t)msg[2] << 8 | msg[3];
        unsigned type = msg[0];
        msg += HEAD;
        size -= HEAD;
        len = len < size ? len : size;
        unsigned char *own = fuzz_copy(msg, len, 0);
        ssl_hello_read_server(type, own, len, &chosen);
        free(own);
        check_ids(&chosen.extensions);
        for (size_t i = 0; i < chosen.extensions.n; i++) {
            for (size_t k = 0; k < i; k++) {
                CHECK(chosen.extensions.id[k] != chosen.extensions.id[i]);
            }
        }
        fuzz_check_ascii(chosen.alpn, sizeof chosen.alpn);
        CHECK(chosen.max_fragment_length <= 4096);
        msg += len;
        size -= len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    unsigned char *copy = fuzz_copy(data + 1, size - 1, 0);
    if (data[0] == CLIENT) {
        check_client(copy, size - 1);
    } else if (data[0] == CERTIFICATE_12 || data[0] == CERTIFICATE_13) {
        check_certificates(copy, size - 1, data[0] == 1 ? 0x0303 : 0x0304);
    } else {
        check_server(copy, size - 1);
    }
    free(copy);
    return 0;
}
