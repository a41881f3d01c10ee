/*
 * bytes.h - bytes that are kept, one after the other.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed, it holds nothing. */
struct bytes {
    unsigned char *buf; /* owned; NULL while there are none */
    size_t len, room;
};

/**
 * Add some at the end.
 *
 * @param most  what it may hold in all, up to SIZE_MAX / 2
 * @return false: it would hold more, or there is no memory; nothing changes
 */
bool bytes_add(struct bytes *b, const void *from, size_t len, size_t most);

/** Forget all; may be called twice. */
void bytes_free(struct bytes *b);

#endif
