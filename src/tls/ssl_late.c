#include "tls/ssl_late.h"

#include <string.h>

/* Before each piece. */
struct head {
    size_t len;
    bool out;
};

static size_t all; /* that every connection has */

bool ssl_late_keep(struct ssl_late *l, bool out, const unsigned char *buf,
                   size_t len) {
    struct head head = { .len = len, .out = out };
    size_t room = l->bytes.room, len_before = l->bytes.len;
    if (all >= SSL_LATE_ALL ||
        !bytes_add(&l->bytes, &head, sizeof head, SSL_LATE_MAX)) {
        return false;
    }
    bool kept = bytes_add(&l->bytes, buf, len, SSL_LATE_MAX);
    if (!kept) {
        l->bytes.len = len_before;
    }
    all += l->bytes.room - room;
    return kept;
}

const unsigned char *ssl_late_next(const struct ssl_late *l, size_t *at,
                                   bool *out, size_t *len) {
    struct head head;
    if (*at == l->bytes.len) {
        return NULL;
    }
    memcpy(&head, l->bytes.buf + *at, sizeof head);
    const unsigned char *piece = l->bytes.buf + *at + sizeof head;
    *out = head.out;
    *len = head.len;
    *at += sizeof head + head.len;
    return piece;
}

void ssl_late_free(struct ssl_late *l) {
    all -= l->bytes.room;
    bytes_free(&l->bytes);
}
