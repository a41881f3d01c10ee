#include "tls/ssl_late.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 4096 }; /* holds most handshakes */

/* Before each piece. */
struct head {
    size_t len;
    bool out;
};

static size_t all; /* that every connection has */

static bool grow(struct ssl_late *l, size_t size) {
    if (size > SSL_LATE_MAX || size - l->size > SSL_LATE_ALL - all) {
        return false;
    }
    unsigned char *more = realloc(l->bytes, size);
    if (more == NULL) {
        return false;
    }
    all += size - l->size;
    l->bytes = more;
    l->size = size;
    return true;
}

bool ssl_late_keep(struct ssl_late *l, bool out, const unsigned char *buf,
                   size_t len) {
    struct head head = { .len = len, .out = out };
    if (len > SSL_LATE_MAX) {
        return false;
    }
    size_t wanted = l->len + sizeof head + len;
    for (size_t size = FIRST; wanted > l->size; size *= 2) {
        if (size >= wanted && !grow(l, size)) {
            return false;
        }
    }
    memcpy(l->bytes + l->len, &head, sizeof head);
    memcpy(l->bytes + l->len + sizeof head, buf, len);
    l->len = wanted;
    return true;
}

const unsigned char *ssl_late_next(const struct ssl_late *l, size_t *at,
                                   bool *out, size_t *len) {
    struct head head;
    if (*at == l->len) {
        return NULL;
    }
    memcpy(&head, l->bytes + *at, sizeof head);
    const unsigned char *piece = l->bytes + *at + sizeof head;
    *out = head.out;
    *len = head.len;
    *at += sizeof head + head.len;
    return piece;
}

void ssl_late_free(struct ssl_late *l) {
    free(l->bytes);
    all -= l->size;
    *l = (struct ssl_late){ .bytes = NULL };
}
