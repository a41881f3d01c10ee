#include "tls/ssl_store.h"

#include <mbedtls/platform.h>
#include <string.h>

#include "base/pem.h"

struct span {
    const unsigned char *p;
    size_t len;
};

void ssl_store_set(struct ssl_store *s, const unsigned char *pem, size_t len) {
    ssl_store_free(s);
    s->pem = pem;
    s->len = len;
}

void ssl_store_free(struct ssl_store *s) {
    mbedtls_free(s->entries);
    memset(s, 0, sizeof *s);
}

/* Step into an element. Mbed TLS's function wants all of it to be there; here
 * the end of a certificate is not.
 * @return whether its header is there */
static bool enter(const unsigned char **p, const unsigned char *end,
                  size_t *len) {
    size_t left = (size_t)(end - *p);
    size_t more = left >= 2 && (*p)[1] >= 0x80 ? (*p)[1] & 0x7Fu : 0;
    if (left < 2 + more || more > 4 || (*p)[1] == 0x80) { /* X.690 8.1.3 */
        return false;
    }
    *len = more == 0 ? (*p)[1] : 0;
    for (size_t i = 0; i < more; i++) {
        *len = *len << 8 | (*p)[2 + i];
    }
    *p += 2 + more;
    return true;
}

/* Step over an element that is all there. */
static bool skip(const unsigned char **p, const unsigned char *end) {
    size_t len;
    if (!enter(p, end, &len) || len > (size_t)(end - *p)) {
        return false;
    }
    *p += len;
    return true;
}

/* The subject in the beginning of a certificate (RFC 5280 4.1). Nothing but
 * where it is matters here: what is found is parsed with all due care.
 * @return whether all of it is there */
static bool subject_of(const unsigned char *der, size_t len,
                       struct span *name) {
    enum { VERSION = 0xA0, BEFORE = 4 };
    const unsigned char *p = der, *end = der + len;
    size_t n;
    if (!enter(&p, end, &n) || !enter(&p, end, &n) ||
        (p < end && *p == VERSION && !skip(&p, end))) {
        return false;
    }
    for (int i = 0; i < BEFORE; i++) { /* serial, algorithm, issuer, validity */
        if (!skip(&p, end)) {
            return false;
        }
    }
    name->p = p;
    bool whole = skip(&p, end);
    name->len = (size_t)(p - name->p);
    return whole;
}

/* Names that Mbed TLS takes for the same have the same bytes after this; that
 * not every byte is a letter or the tag of a string does not matter. */
static unsigned char fold(unsigned char c) {
    enum { UTF8_STRING = 0x0C, PRINTABLE_STRING = 0x13 };
    if (c == PRINTABLE_STRING) {
        return UTF8_STRING;
    }
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

static bool same_name(const struct span *a, const struct span *b) {
    size_t i = 0;
    while (a->len == b->len && i < a->len && fold(a->p[i]) == fold(b->p[i])) {
        i++;
    }
    return a->len == b->len && i == a->len;
}

/* FNV-1a. Who makes names of the same hash gains nothing: the names count. */
static uint32_t hash_of(const struct span *name) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name->len; i++) {
        hash = (hash ^ fold(name->p[i])) * 16777619u;
    }
    return hash;
}

static int add(struct ssl_store *s, size_t at, uint32_t hash) {
    enum { FIRST = 256 };
    if (s->count == s->room) {
        size_t room = s->room == 0 ? FIRST : s->room * 2;
        struct ssl_store_entry *more = mbedtls_calloc(room, sizeof *more);
        if (more == NULL) {
            return MBEDTLS_ERR_X509_ALLOC_FAILED;
        }
        if (s->count > 0) {
            memcpy(more, s->entries, s->count * sizeof *more);
        }
        mbedtls_free(s->entries);
        s->entries = more;
        s->room = room;
    }
    s->entries[s->count++] = (struct ssl_store_entry){ hash, at };
    return 0;
}

/* All of a block, for mbedtls_free().
 * @return NULL: no memory; of a bad block, *len is 0 */
static unsigned char *decode(const struct pem_block *b, size_t *len) {
    size_t room = pem_room(b);
    unsigned char *der = mbedtls_calloc(1, room);
    if (der != NULL && !pem_decode(b, der, room, len)) {
        *len = 0;
    }
    return der;
}

/* The subject is near the beginning, as a rule within what is looked at first:
 * most of a certificate is its key, its extensions and its signature. */
static int index_block(struct ssl_store *s, const struct pem_block *b,
                       size_t at) {
    enum { BEGINNING = 384 };
    unsigned char beginning[BEGINNING], *all = NULL;
    struct span name;
    size_t len;
    int ret = 0;
    bool known = pem_decode(b, beginning, sizeof beginning, &len) &&
                 subject_of(beginning, len, &name);
    if (!known && (all = decode(b, &len)) == NULL) {
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    }
    if (known || subject_of(all, len, &name)) {
        ret = add(s, at, hash_of(&name));
    }
    mbedtls_free(all);
    return ret;
}

int ssl_store_index(struct ssl_store *s) {
    const char *text = (const char *)s->pem, *at = text;
    struct pem_block b;
    int ret = 0;
    if (s->pem == NULL || s->indexed) {
        return 0;
    }
    s->count = 0;
    while (ret == 0 && pem_next(at, text + s->len, &b)) {
        ret = index_block(s, &b, (size_t)(at - text));
        at = b.after;
    }
    s->indexed = ret == 0;
    return ret;
}

static int parse(const unsigned char *der, size_t len,
                 mbedtls_x509_crt **found) {
    if (*found == NULL) {
        *found = mbedtls_calloc(1, sizeof **found);
        if (*found == NULL) {
            return MBEDTLS_ERR_X509_ALLOC_FAILED;
        }
        mbedtls_x509_crt_init(*found);
    }
    int ret = mbedtls_x509_crt_parse_der(*found, der, len);
    /* One bad certificate of a store does not spoil the others. */
    return ret == MBEDTLS_ERR_X509_ALLOC_FAILED ? ret : 0;
}

/* Add the certificate to *found if it has the name. */
static int try_block(const struct pem_block *b, const struct span *wanted,
                     mbedtls_x509_crt **found) {
    struct span name;
    size_t len;
    unsigned char *der = decode(b, &len);
    int ret = der == NULL ? MBEDTLS_ERR_X509_ALLOC_FAILED : 0;
    if (ret == 0 && subject_of(der, len, &name) && same_name(&name, wanted)) {
        ret = parse(der, len, found);
    }
    mbedtls_free(der);
    return ret;
}

int ssl_store_find(struct ssl_store *s, const mbedtls_x509_crt *child,
                   mbedtls_x509_crt **found) {
    const struct span wanted = { child->issuer_raw.p, child->issuer_raw.len };
    const uint32_t hash = hash_of(&wanted);
    const char *text = (const char *)s->pem;
    int ret = ssl_store_index(s);
    *found = NULL;
    for (size_t i = 0; i < s->count && ret == 0; i++) {
        struct pem_block b;
        if (s->entries[i].hash == hash &&
            pem_next(text + s->entries[i].at, text + s->len, &b)) {
            ret = try_block(&b, &wanted, found);
        }
    }
    if (*found != NULL && (ret != 0 || (*found)->raw.p == NULL)) {
        mbedtls_x509_crt_free(*found);
        mbedtls_free(*found);
        *found = NULL;
    }
    return ret;
}
