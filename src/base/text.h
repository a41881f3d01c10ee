/*
 * text.h - how alike two words are, for "did you mean"; and what others say,
 * made fit to be shown; and base64.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_WORD_MAX 64  /* the longest word that is compared */
#define TEXT_FAR SIZE_MAX /* the distance to or from a longer one */

/**
 * Count the slips of typing between two words: a character too many, one
 * missing, one wrong, two neighbours swapped (optimal string alignment). ASCII
 * letters are compared without regard to case.
 *
 * @return 0 for the same word; TEXT_FAR if either is over TEXT_WORD_MAX bytes
 */
size_t text_distance(const char *a, const char *b);

/**
 * Find the name that the user may have meant by `word`.
 *
 * Near enough is a third of the word's length in slips, at least one and at
 * most three; or that one is the other's beginning, of two bytes or more,
 * however long the rest. A beginning counts as one slip.
 *
 * @param word  what was given; it may be a name itself, which is then nearest
 * @param name  gives the i-th name, NULL after the last
 * @param arg   handed to `name`
 * @return what `name` gave, the first one of equals, or NULL: none is near
 */
const char *text_nearest(const char *word,
                         const char *(*name)(const void *arg, size_t i),
                         const void *arg);

/** @return bytes of the UTF-8 sequence at `s`, 0 if it is none (RFC 3629 4) */
size_t text_utf8_len(const unsigned char *s, size_t len);

/** Could this UTF-8 sequence drive a terminal? */
bool text_is_control(const unsigned char *s, size_t n);

/**
 * Write a '?' for each byte of control characters, C1 included, and of what is
 * no UTF-8, which to some terminals is a control character.
 */
void text_clean(char *text);

/**
 * Add to a text what a peer or a file may have said. Bytes that are not
 * printable ASCII are written \xHH, so that they cannot drive a terminal.
 *
 * @param buf   a NUL-terminated text, which stays one
 * @param size  bytes of `buf`; what does not fit is left out
 * @param len   bytes of `text`
 */
void text_append(char *buf, size_t size, const char *text, size_t len);

/**
 * Write bytes in base64 (RFC 4648 4), padded.
 *
 * @param out  4 characters for each 3 bytes begun, and a NUL
 */
void text_base64(const unsigned char *data, size_t len, char *out);

#endif
