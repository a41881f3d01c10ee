/*
 * fake_stream.h - a scripted stream for the tests of what stands on streams.
 */
#ifndef TESTS_UNIT_FAKE_STREAM_H
#define TESTS_UNIT_FAKE_STREAM_H

#include "base/stream.h"

/* A stream of `given` bytes that answers WANT before every success, takes at
 * most `chunk` bytes a call, and checks that a retry repeats its arguments. */
struct fake {
    struct stream stream;
    unsigned char given[256], taken[256];
    size_t given_len, given_pos, taken_len, chunk;
    size_t fail_at; /* writing fails once this many bytes are taken */
    int reset;      /* reading ends in ECONNRESET rather than EOF */
    int alert;      /* reading ends in this alert rather than EOF */
    int truncated;  /* reading ends in ERR_TRUNCATED rather than EOF */
    int end_fails;  /* ending fails with EPIPE */
    int ended, want_rd_on_write, silent;
    int always; /* reading never answers WANT */
    int slow;   /* writing answers WANT four times for each success */
    int read_turn, write_turn, end_turn;
    const void *retry_buf;
    size_t retry_len;
};

/** Make `f` a stream with `given` bytes to read, polled on `fd`. */
void fake_init(struct fake *f, int fd, size_t given, size_t chunk);

/* One end of a connection in memory: what is written to it is read from the
 * other. It answers WANT before every success. */
struct mem {
    struct stream stream;
    struct mem *other;
    unsigned char buf[1 << 17]; /* on its way to this end */
    size_t len;
    size_t chunk; /* most bytes a call moves */
    int ended;    /* the other end will write no more */
    int read_turn, write_turn;
    int never_want; /* answer WANT only when there is nothing to read */
};

/** Connect two ends; each call moves at most `chunk` bytes. */
void mem_init(struct mem *a, struct mem *b, size_t chunk);

#endif
