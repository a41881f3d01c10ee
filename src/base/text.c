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
