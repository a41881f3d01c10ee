#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* tolower() would heed the locale. */
static char text_lower(char c) {
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool text_same(char a, char b) {
    return text_lower(a) == text_lower(b);
}

static size_t text_min(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b) {
    size_t la = strlen(a), lb = strlen(b);
    if (la > TEXT_WORD_MAX || lb > TEXT_WORD_MAX) {
        return TEXT_FAR;
    }
    /* Three rows of the matrix: a swap looks back two. */
    size_t rows[3][TEXT_WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= lb; j++) {
        before[j] = last[j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t d = last[j - 1] + (text_same(a[i - 1], b[j - 1]) ? 0 : 1);
            d = text_min(d, text_min(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && text_same(a[i - 1], b[j - 2]) &&
                text_same(a[i - 2], b[j - 1])) {
                d = text_min(d, before[j - 2] + 1);
            }
            now[j] = d;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[lb];
}

static bool text_begins_alike(const char *a, const char *b) {
    size_t n = 0;
    while (a[n] != '\0' && b[n] != '\0') {
        if (!text_same(a[n], b[n])) {
            return false;
        }
        n++;
    }
    return n >= 2;
}

const char *text_nearest(const char *word,
                         const char *(*name)(const void *arg, size_t i),
                         const void *arg) {
    size_t most = text_min(strlen(word) / 3, 3);
    const char *nearest = NULL;
    size_t best_slips = TEXT_FAR, best_distance = TEXT_FAR;
    most = most == 0 ? 1 : most;
    const char *n;
    for (size_t i = 0; (n = name(arg, i)) != NULL; i++) {
        size_t distance = text_distance(word, n);
        if (distance == TEXT_FAR) {
            continue;
        }
        size_t slips =
            text_begins_alike(word, n) ? text_min(distance, 1) : distance;
        if (slips <= most &&
            (slips < best_slips ||
             (slips == best_slips && distance < best_distance))) {
            nearest = n;
            best_slips = slips;
            best_distance = distance;
        }
    }
    return nearest;
}

size_t text_utf8_len(const unsigned char *s, size_t len) {
    static const struct {
        unsigned char lo, hi, second_lo, second_hi;
        size_t n;
    } rows[] = {
        { 0x00, 0x7F, 0, 0, 1 },       { 0xC2, 0xDF, 0x80, 0xBF, 2 },
        { 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
        { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
        { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (s[0] < rows[i].lo || s[0] > rows[i].hi) {
            continue;
        }
        if (rows[i].n > len || (rows[i].n > 1 && (s[1] < rows[i].second_lo ||
                                                  s[1] > rows[i].second_hi))) {
            return 0;
        }
        for (size_t k = 2; k < rows[i].n; k++) {
            if ((s[k] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return rows[i].n;
    }
    return 0;
}

/* The controls of ASCII, and C1: U+0080 to U+009F. */
bool text_is_control(const unsigned char *s, size_t n) {
    return n == 1   ? s[0] < 0x20 || s[0] == 0x7f
           : n == 2 ? s[0] == 0xC2 && s[1] < 0xA0
                    : false;
}

void text_clean(char *text) {
    unsigned char *p = (unsigned char *)text;
    size_t left = strlen(text);
    while (left > 0) {
        size_t n = text_utf8_len(p, left);
        bool bad = n == 0 || text_is_control(p, n);
        n = n == 0 ? 1 : n;
        if (bad) {
            memset(p, '?', n);
        }
        p += n;
        left -= n;
    }
}

void text_append(char *buf, size_t size, const char *text, size_t len) {
    size_t at = strlen(buf);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char one[8];
        int k = snprintf(one, sizeof one,
                         c >= 0x20 && c < 0x7f ? "%c" : "\\x%02X", c);
        if (at + (size_t)k >= size) {
            return;
        }
        memcpy(buf + at, one, (size_t)k + 1);
        at += (size_t)k;
    }
}

void text_base64(const unsigned char *data, size_t len, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        size_t here = text_min(len - i, 3);
        unsigned bits = (unsigned)data[i] << 16;
        bits |= here > 1 ? (unsigned)data[i + 1] << 8 : 0;
        bits |= here > 2 ? data[i + 2] : 0;
        for (unsigned k = 0; k < 4; k++) {
            *out++ = k > here ? '=' : digits[bits >> (18 - 6 * k) & 0x3F];
        }
    }
    *out = '\0';
}
