#include "base/pem.h"

#include <stdint.h>
#include <string.h>

static const char begin[] = "-----BEGIN CERTIFICATE-----";
static const char finish[] = "-----END CERTIFICATE-----";

enum { NO = 0x80 };

/* What a character stands for; NO for one that is no digit. */
static unsigned value_of(char c) {
    /* clang-format off */
    static const uint8_t values[256] = {
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
        52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
        NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
        15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
        NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
        41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    };
    /* clang-format on */
    return values[(unsigned char)c];
}

/* Base64 has no dash: going from one to the next skips nearly everything. */
static const char *find(const char *at, const char *end, const char *mark,
                        size_t len) {
    while ((size_t)(end - at) >= len &&
           (at = memchr(at, '-', (size_t)(end - at) - len + 1)) != NULL) {
        if (memcmp(at, mark, len) == 0) {
            return at;
        }
        at++;
    }
    return NULL;
}

bool pem_next(const char *at, const char *end, struct pem_block *b) {
    at = find(at, end, begin, sizeof begin - 1);
    if (at == NULL) {
        return false;
    }
    b->text = at + sizeof begin - 1;
    b->after = find(b->text, end, finish, sizeof finish - 1);
    b->len = b->after != NULL ? (size_t)(b->after - b->text) : 0;
    return b->after != NULL;
}

size_t pem_room(const struct pem_block *b) {
    return b->len / 4 * 3 + 3;
}

struct reader {
    const char *at, *end;
    uint32_t bits; /* of the digits that make no three bytes yet */
    unsigned digits, pads;
};

/* Whole lines are for the most part digits, four of which are three bytes.
 * @return how many bytes were written */
static size_t decode_fours(struct reader *r, unsigned char *out, size_t room) {
    const char *p = r->at;
    size_t n = 0;
    for (; r->end - p >= 4 && room - n >= 3; p += 4) {
        unsigned a = value_of(p[0]), b = value_of(p[1]);
        unsigned c = value_of(p[2]), d = value_of(p[3]);
        if (((a | b | c | d) & NO) != 0) {
            break;
        }
        unsigned bits = a << 18 | b << 12 | c << 6 | d;
        out[n] = (unsigned char)(bits >> 16);
        out[n + 1] = (unsigned char)(bits >> 8);
        out[n + 2] = (unsigned char)bits;
        n += 3;
    }
    r->at = p;
    return n;
}

/* Blanks may end a line, and nothing else be between digits. */
static bool skip_line_end(struct reader *r) {
    const char *p = r->at;
    while (p < r->end && *p == ' ') {
        p++;
    }
    if (r->end - p >= 2 && p[0] == '\r') {
        p++;
    }
    if (p < r->end && *p != '\n') {
        return false;
    }
    r->at = p < r->end ? p + 1 : p;
    return true;
}

static bool take_one(struct reader *r) {
    char c = *r->at;
    if (c == ' ' || c == '\r' || c == '\n') {
        return skip_line_end(r);
    }
    unsigned v = value_of(c);
    r->at++;
    if (c == '=') {
        r->pads++;
        return r->pads <= 2;
    }
    if ((v & NO) != 0 || r->pads > 0) {
        return false;
    }
    r->bits = r->bits << 6 | v;
    r->digits++;
    return true;
}

/* The bytes of up to four digits. */
static size_t put(struct reader *r, unsigned char *out, size_t room) {
    size_t n = r->digits * 6 / 8;
    uint32_t bits = r->bits << (24 - 6 * r->digits);
    n = n < room ? n : room;
    for (size_t i = 0; i < n; i++) {
        out[i] = (unsigned char)(bits >> (16 - 8 * i));
    }
    r->digits = 0;
    r->bits = 0;
    return n;
}

/* The boundary stands alone in its line. */
static bool skip_begin(struct reader *r) {
    r->at += r->at < r->end && *r->at == ' ';
    r->at += r->at < r->end && *r->at == '\r';
    return r->at < r->end && *r->at++ == '\n';
}

bool pem_decode(const struct pem_block *b, unsigned char *out, size_t room,
                size_t *len) {
    struct reader r = { .at = b->text, .end = b->text + b->len };
    size_t n = 0;
    *len = 0;
    if (!skip_begin(&r)) {
        return false;
    }
    while (r.at < r.end && n < room) {
        if (r.digits == 0 && r.pads == 0) {
            n += decode_fours(&r, out + n, room - n);
        }
        if (r.at < r.end && n < room && !take_one(&r)) {
            return false;
        }
        if (r.digits == 4) {
            n += put(&r, out + n, room - n);
        }
    }
    *len = n;
    if (n == room && r.at < r.end) {
        return true;
    }
    if (r.digits == 1 || (r.digits + r.pads) % 4 != 0) {
        return false;
    }
    *len = n + put(&r, out + n, room - n);
    return *len > 0;
}
