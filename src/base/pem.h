/*
 * pem.h - the certificates of a text in PEM (RFC 7468), quickly.
 *
 * They are public: unlike Mbed TLS's reader, which keys go through, this one
 * takes a time that depends on what it reads. It accepts the same texts.
 */
#ifndef BASE_PEM_H
#define BASE_PEM_H

#include <stdbool.h>
#include <stddef.h>

struct pem_block {
    const char *text;  /* what is between the boundaries */
    size_t len;        /* bytes of it */
    const char *after; /* the boundary that ends it */
};

/**
 * Find the next certificate; nothing is said of what is in it.
 *
 * @param at   where to begin: the text, or the `after` of the one before
 * @param end  of the text, which may have any byte
 * @return whether there is one: a BEGIN, and an END behind it
 */
bool pem_next(const char *at, const char *end, struct pem_block *b);

/** @return bytes that are enough for pem_decode() to decode all */
size_t pem_room(const struct pem_block *b);

/**
 * Decode a block, or its beginning.
 *
 * @param out   the bytes go here
 * @param room  at most so many: what would not fit is not even looked at
 * @param len   set to how many there are
 * @return whether what was looked at is base64 (RFC 4648 4) in lines
 */
bool pem_decode(const struct pem_block *b, unsigned char *out, size_t room,
                size_t *len);

#endif
