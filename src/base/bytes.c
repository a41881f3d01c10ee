#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 1024 };

bool bytes_add(struct bytes *b, const void *from, size_t len, size_t most) {
    size_t room = b->room > 0 ? b->room : ROOM;
    if (b->len > most || len > most - b->len) {
        return false;
    }
    while (room < b->len + len) {
        room *= 2;
    }
    if (room != b->room) {
        unsigned char *more = realloc(b->buf, room);
        if (more == NULL) {
            return false;
        }
        b->buf = more;
        b->room = room;
    }
    if (len > 0) {
        memcpy(b->buf + b->len, from, len);
    }
    b->len += len;
    return true;
}

void bytes_free(struct bytes *b) {
    free(b->buf);
    *b = (struct bytes){ .buf = NULL };
}
