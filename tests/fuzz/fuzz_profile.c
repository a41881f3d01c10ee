/*
 * fuzz_profile.c - a device's profile, as the user may have written it.
 */
#include "fuzz.h"

#include "tls/ssl_profile.h"

/* A list ends, and within its room. */
static size_t count16(const uint16_t *list) {
    size_t n = 0;
    while (list[n] != 0) {
        n++;
        CHECK(n <= SSL_PROFILE_IDS);
    }
    return n;
}

static void check_size(size_t n, size_t least, size_t most) {
    CHECK(n == 0 || (n >= least && n <= most));
}

static void check_profile(const struct ssl_profile *p, const char *text) {
    const struct ssl_device *d = &p->device;
    struct ssl_offer offer;
    CHECK(p->text == text);
    CHECK(strlen(p->name) < sizeof p->name);
    CHECK(strlen(p->title) < sizeof p->title);
    CHECK(p->clock[0] == '\0' || strlen(p->clock) == 20);
    CHECK(p->min_version >= 0x0300 && p->min_version <= p->max_version);
    CHECK(p->max_version == 0x0303 || p->max_version == 0x0304);
    CHECK(count16(p->ciphers) > 0);
    CHECK(p->extensions.n <= SSL_IDS_MAX);
    check_size(d->max_in_record, 512, 16384);
    check_size(d->max_out_record, 512, 16384);
    check_size(d->max_in_message, 512, 999999999);
    check_size(d->heap.bytes, 1024, 999999999);
    CHECK(d->rsa_max_bits == 0 || d->rsa_max_bits >= p->certs.rsa_min_bitlen);
    CHECK(d->sends_no_name == !ssl_ids_has(&p->extensions, 0));
    CHECK((unsigned)p->verify_mode <= SSL_CERT_REQUIRED);
    CHECK((unsigned)p->errors <= MP_ERRORS_NONE);
    ssl_profile_offer(p, &offer);
    CHECK(offer.known);
    CHECK(offer.of[SSL_KIND_GROUP].n <= count16(p->groups));
    CHECK(offer.of[SSL_KIND_SIG_ALG].n <= count16(p->sig_algs));
}

/* Each value is within the text, and there is an end to them. */
static void check_values(const char *text, size_t size, const char *key) {
    const char *value, *at = text;
    size_t len;
    while ((at = ssl_profile_next(at, key, &value, &len)) != NULL) {
        CHECK(value >= text && len <= size && value <= text + size - len);
        CHECK(at >= value + len && at <= text + size);
        CHECK(memchr(value, '\n', len) == NULL);
    }
}

/* What is read can be played, or why not is said. */
static void check_played(const struct ssl_profile *p) {
    static struct ssl_context ctx;
    struct ssl_offer lacks, more;
    struct err err = ERR_INIT;
    CHECK(ssl_context_init(&ctx, SSL_PROTOCOL_TLS_SERVER, &err) == 0);
    fuzz_check_err(ssl_profile_apply(p, &ctx, &err) != 0, &err);
    ssl_context_free(&ctx);
    err = (struct err)ERR_INIT;
    fuzz_check_err(ssl_profile_compare(p, &lacks, &more, &err) != 0, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct ssl_profile p;
    struct err err = ERR_INIT;
    char *text = (char *)fuzz_copy(data, size, 1);
    int rc = ssl_profile_read(&p, "mine", text, &err);
    CHECK(rc == 0 || rc == -1);
    fuzz_check_err(rc != 0, &err);
    check_values(text, strlen(text), "source");
    check_values(text, strlen(text), "like");
    if (rc == 0) {
        check_profile(&p, text);
        check_played(&p);
    } else {
        CHECK(err.origin == ERR_FILE);
    }
    free(text);
    return 0;
}
