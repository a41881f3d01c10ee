/*
 * json_write.h - JSON text (RFC 8259), piece by piece: commas and quotes.
 *
 * A `key` is NULL inside an array. Keys are written as they are.
 */
#ifndef REPORT_JSON_WRITE_H
#define REPORT_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *f;
    bool comma; /* something stands before what comes next */
};

/** Begin an object ('{') or an array ('['). */
void json_open(struct json *j, const char *key, char bracket);

/** End it: '}' or ']'. */
void json_close(struct json *j, char bracket);

/** A string; NULL is written null. */
void json_text(struct json *j, const char *key, const char *s);

/** The same, but "" is written null, too. */
void json_text_or_null(struct json *j, const char *key, const char *s);

/** The first `len` bytes of a string. */
void json_text_n(struct json *j, const char *key, const char *s, size_t len);

/** Bytes as a string of hexadecimal digits; NULL is written null. */
void json_hex(struct json *j, const char *key, const unsigned char *p,
              size_t len);

void json_null(struct json *j, const char *key);
void json_bool(struct json *j, const char *key, bool b);
void json_int(struct json *j, const char *key, int64_t n);

/** A count, which may be over INT64_MAX. */
void json_count(struct json *j, const char *key, uint64_t n);

/** A number, or null in place of 0. */
void json_count_or_null(struct json *j, const char *key, uint64_t n);

/** Microseconds as milliseconds with three digits; null if negative. */
void json_ms(struct json *j, const char *key, int64_t us);

#endif
