/*
 * aead.h - what the tests of src/accel share: numbers that repeat, bytes from
 * hex, and one message with room around it.
 */
#ifndef TESTS_UNIT_AEAD_H
#define TESTS_UNIT_AEAD_H

#include <stdbool.h>
#include <stdio.h>

#include "accel/accel.h"
#include "test.h"

enum {
    MESSAGE_MAX = 70000,
    AAD_MAX = 300,
    IV_MAX = 64,
    ROOM = 80, /* before and after a buffer, for what must not be touched */
    GUARD = 0xa5
};

/* xorshift64*, by Marsaglia and Vigna. */
static uint64_t random_state = 0x9e3779b97f4a7c15u;

static inline uint32_t random_below(uint32_t n) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 0x2545f4914f6cdd1du) >> 33) % n;
}

static inline void random_bytes(uint8_t *p, size_t len) {
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)random_below(256);
    }
}

/* Most are short, some are a record, or end near a block or a batch of them. */
static inline size_t random_length(void) {
    switch (random_below(4)) {
    case 0:
        return random_below(70);
    case 1:
        return 16 * random_below(120) + random_below(3);
    case 2:
        return 16380 + random_below(10);
    default:
        return random_below(MESSAGE_MAX);
    }
}

/* @return the number of bytes that a text in hex has */
static inline size_t from_hex(const char *hex, uint8_t *to) {
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        to[i] = (uint8_t)byte;
    }
    return n;
}

struct message {
    uint8_t key[32], iv[IV_MAX], aad[AAD_MAX], tag[16];
    size_t iv_len, aad_len, len, tag_len;
    uint8_t plain[MESSAGE_MAX], cipher[MESSAGE_MAX];
    uint8_t space[2 * ROOM + MESSAGE_MAX + ROOM]; /* where it is worked on */
};

/* A place in the space that is aligned to nothing, all else there being
 * guarded. */
static inline uint8_t *place(struct message *m) {
    memset(m->space, GUARD, sizeof m->space);
    return m->space + ROOM + random_below(ROOM);
}

static inline void assert_all(const uint8_t *p, const uint8_t *end,
                              uint8_t value) {
    for (; p < end; p++) {
        assert_int_equal(*p, value);
    }
}

static inline void assert_guarded(const struct message *m, const uint8_t *out) {
    assert_all(m->space, out, GUARD);
    assert_all(out + m->len, m->space + sizeof m->space, GUARD);
}

/* One bit of what must be authentic. @return false: there is none to flip */
static inline bool tamper(struct message *m) {
    struct {
        uint8_t *p;
        size_t len;
    } of[] = { { m->cipher, m->len },
               { m->tag, m->tag_len },
               { m->aad, m->aad_len },
               { m->iv, m->iv_len } };
    uint32_t i = random_below(4);
    if (of[i].len == 0) {
        return false;
    }
    of[i].p[random_below((uint32_t)of[i].len)] ^=
        (uint8_t)(1u << random_below(8));
    return true;
}

#endif
