/*
 * soft_records.h - a record_stream in memory, which seals and opens records
 * with the keys that it is given, as the kernel would.
 */
#ifndef TESTS_UNIT_SOFT_RECORDS_H
#define TESTS_UNIT_SOFT_RECORDS_H

#include <psa/crypto.h>

#include "base/records.h"
#include "test.h"

enum { SOFT_HEADER = 5, SOFT_TAG = 16, SOFT_MAX = 16384 + 512 };

struct soft {
    struct record_stream records; /* first */
    struct stream *lower;
    struct record_keys in, out;
    bool has_in, has_out, refuses_in, refuses_out;
    unsigned char got[SOFT_HEADER + SOFT_MAX]; /* a record as it comes */
    size_t got_len;
    unsigned char plain[SOFT_MAX]; /* of it, not read yet */
    size_t plain_at, plain_len;
    unsigned char plain_type;
};

static inline psa_key_id_t soft_key(const struct record_keys *k,
                                    psa_algorithm_t *alg) {
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id;
    bool chacha = k->cipher == RECORD_CHACHA20_POLY1305;
    *alg = chacha ? PSA_ALG_CHACHA20_POLY1305 : PSA_ALG_GCM;
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_ENCRYPT | PSA_KEY_USAGE_DECRYPT);
    psa_set_key_algorithm(&a, *alg);
    psa_set_key_type(&a, chacha ? PSA_KEY_TYPE_CHACHA20 : PSA_KEY_TYPE_AES);
    assert_int_equal(psa_import_key(&a, k->key,
                                    k->cipher == RECORD_AES_128_GCM ? 16 : 32,
                                    &id),
                     PSA_SUCCESS);
    return id;
}

/* TLS 1.2 with GCM sends a part of the nonce (RFC 5288 3). */
static inline size_t soft_explicit(const struct record_keys *k) {
    return !k->tls13 && k->cipher != RECORD_CHACHA20_POLY1305 ? 8 : 0;
}

static inline void soft_number(uint64_t n, unsigned char *to) {
    for (size_t i = 0; i < 8; i++) {
        to[i] = (unsigned char)(n >> (8 * (7 - i)));
    }
}

/* @param explicit_part  as received; NULL: the next to send, which `iv` has
 * @return the bytes of `aad` */
static inline size_t soft_nonce(const struct record_keys *k, unsigned char type,
                                size_t len, const unsigned char *explicit_part,
                                unsigned char *nonce, unsigned char *aad) {
    unsigned char seq[8];
    size_t sealed = len + SOFT_TAG;
    soft_number(k->seq, seq);
    memcpy(nonce, k->iv, 12);
    if (soft_explicit(k) == 0) {
        for (size_t i = 0; i < 8; i++) {
            nonce[4 + i] ^= seq[i];
        }
    } else if (explicit_part != NULL) {
        memcpy(nonce + 4, explicit_part, 8);
    }
    size_t at = 0;
    if (!k->tls13) {
        memcpy(aad, seq, 8);
        at = 8;
        sealed = len;
    }
    const unsigned char rest[] = { type, 3, 3, (unsigned char)(sealed >> 8),
                                   (unsigned char)sealed };
    memcpy(aad + at, rest, sizeof rest);
    return at + sizeof rest;
}

static inline void soft_next(struct record_keys *k) {
    k->seq++;
    for (size_t i = 12; soft_explicit(k) > 0 && i-- > 4 && ++k->iv[i] == 0;) {
    }
}

/* @return its bytes at `to`, header and all */
static inline size_t soft_seal(struct record_keys *k, unsigned char type,
                               const void *buf, size_t len, unsigned char *to) {
    static unsigned char plain[SOFT_MAX];
    unsigned char nonce[12], aad[13];
    psa_algorithm_t alg;
    size_t n, at = SOFT_HEADER + soft_explicit(k);
    memcpy(plain, buf, len);
    if (k->tls13) {
        plain[len++] = type;
        type = RECORD_DATA;
    }
    size_t aad_len = soft_nonce(k, type, len, NULL, nonce, aad);
    memcpy(to + SOFT_HEADER, nonce + 4, soft_explicit(k));
    psa_key_id_t key = soft_key(k, &alg);
    assert_int_equal(psa_aead_encrypt(key, alg, nonce, 12, aad, aad_len, plain,
                                      len, to + at, len + SOFT_TAG, &n),
                     PSA_SUCCESS);
    psa_destroy_key(key);
    soft_next(k);
    to[0] = type;
    to[1] = to[2] = 3;
    to[3] = (unsigned char)((at - SOFT_HEADER + n) >> 8);
    to[4] = (unsigned char)(at - SOFT_HEADER + n);
    return at + n;
}

/* @return whether it is good */
static inline bool soft_open(struct soft *s) {
    struct record_keys *k = &s->in;
    unsigned char nonce[12], aad[13];
    psa_algorithm_t alg;
    size_t n, at = SOFT_HEADER + soft_explicit(k);
    if (s->got_len < at + SOFT_TAG) {
        return false;
    }
    size_t len = s->got_len - at - SOFT_TAG;
    size_t aad_len =
        soft_nonce(k, s->got[0], len, s->got + SOFT_HEADER, nonce, aad);
    psa_key_id_t key = soft_key(k, &alg);
    psa_status_t st =
        psa_aead_decrypt(key, alg, nonce, 12, aad, aad_len, s->got + at,
                         len + SOFT_TAG, s->plain, sizeof s->plain, &n);
    psa_destroy_key(key);
    if (st != PSA_SUCCESS) {
        return false;
    }
    soft_next(k);
    s->plain_type = s->got[0];
    while (k->tls13 && n > 0 && s->plain[n - 1] == 0) {
        n--;
    }
    if (k->tls13) {
        s->plain_type = n > 0 ? s->plain[--n] : 0;
    }
    s->plain_at = 0;
    s->plain_len = n;
    return true;
}

static inline int soft_begin(struct record_stream *r, bool out,
                             const struct record_keys *keys, struct err *err) {
    struct soft *s = (struct soft *)r;
    if (out ? s->refuses_out : s->refuses_in) {
        return err_set(err, ERR_OS, 22, "it does not want to");
    }
    *(out ? &s->out : &s->in) = *keys;
    *(out ? &s->has_out : &s->has_in) = true;
    return 0;
}

static inline ssize_t soft_read(struct record_stream *r, unsigned char *type,
                                void *buf, size_t len, struct err *err) {
    struct soft *s = (struct soft *)r;
    while (s->plain_at == s->plain_len) {
        size_t want = SOFT_HEADER;
        if (s->got_len >= SOFT_HEADER) {
            want += (size_t)s->got[3] << 8 | s->got[4];
        }
        if (s->got_len == want) {
            bool good = soft_open(s);
            s->got_len = 0;
            if (!good) {
                return RECORD_FORGED;
            }
            if (s->plain_len == 0) {
                return s->plain_type == RECORD_DATA ? STREAM_WANT_RD
                                                    : RECORD_INVALID;
            }
            continue;
        }
        ssize_t n = s->lower->ops->read(s->lower, s->got + s->got_len,
                                        want - s->got_len, err);
        if (n <= 0) {
            return n;
        }
        s->got_len += (size_t)n;
    }
    size_t n = s->plain_len - s->plain_at;
    n = n < len ? n : len;
    memcpy(buf, s->plain + s->plain_at, n);
    s->plain_at += n;
    *type = s->plain_type;
    return (ssize_t)n;
}

/* All of it, whatever it takes: the lower stream is memory. */
static inline void soft_send(struct soft *s, const unsigned char *p,
                             size_t len) {
    struct err err = ERR_INIT;
    for (size_t at = 0; at < len;) {
        ssize_t n = s->lower->ops->write(s->lower, p + at, len - at, &err);
        assert_int_not_equal(n, STREAM_ERROR);
        at += n > 0 ? (size_t)n : 0;
    }
}

static inline ssize_t soft_write(struct record_stream *r, unsigned char type,
                                 const void *buf, size_t len, struct err *err) {
    struct soft *s = (struct soft *)r;
    unsigned char record[SOFT_HEADER + SOFT_MAX];
    (void)err;
    len = len < 16384 ? len : 16384;
    soft_send(s, record, soft_seal(&s->out, type, buf, len, record));
    return (ssize_t)len;
}

static inline ssize_t soft_raw_read(struct stream *s, void *buf, size_t len,
                                    struct err *err) {
    struct stream *lower = ((struct soft *)s)->lower;
    return lower->ops->read(lower, buf, len, err);
}

static inline ssize_t soft_raw_write(struct stream *s, const void *buf,
                                     size_t len, struct err *err) {
    struct stream *lower = ((struct soft *)s)->lower;
    return lower->ops->write(lower, buf, len, err);
}

static inline int soft_raw_end(struct stream *s, struct err *err) {
    struct stream *lower = ((struct soft *)s)->lower;
    return lower->ops->end(lower, err);
}

static inline void soft_init(struct soft *s, struct stream *lower) {
    static const struct stream_ops ops = { soft_raw_read, soft_raw_write,
                                           soft_raw_end };
    static const struct record_ops records = { "a test", soft_begin, soft_read,
                                               soft_write };
    memset(s, 0, sizeof *s);
    s->records = (struct record_stream){ { .ops = &ops, .fd = -1 }, &records };
    s->lower = lower;
}

#endif
