#include "fake_stream.h"

#include <errno.h>
#include <string.h>

#include "test.h"

static ssize_t fake_read(struct stream *s, void *buf, size_t len,
                         struct err *err) {
    struct fake *f = (struct fake *)s;
    if (f->silent || (!f->always && (f->read_turn ^= 1))) {
        return STREAM_WANT_RD;
    }
    size_t n = f->given_len - f->given_pos;
    if (n == 0 && f->reset) {
        return err_set(err, ERR_NET, ECONNRESET, "read");
    }
    if (n == 0 && f->truncated) {
        return err_set(err, ERR_TRUNCATED, 0, "read");
    }
    if (n == 0 && f->alert) {
        return err_set(err, ERR_ALERT, f->alert, "read");
    }
    n = n > f->chunk ? f->chunk : n;
    n = n > len ? len : n;
    memcpy(buf, f->given + f->given_pos, n);
    f->given_pos += n;
    return (ssize_t)n;
}

static ssize_t fake_write(struct stream *s, const void *buf, size_t len,
                          struct err *err) {
    struct fake *f = (struct fake *)s;
    if (f->fail_at != 0 && f->taken_len >= f->fail_at) {
        return err_set(err, ERR_OS, ENOSPC, "write");
    }
    f->write_turn = (f->write_turn + 1) % (f->slow ? 5 : 2);
    if (f->write_turn != 0) {
        f->retry_buf = buf;
        f->retry_len = len;
        return f->want_rd_on_write ? STREAM_WANT_RD : STREAM_WANT_WR;
    }
    assert_ptr_equal(buf, f->retry_buf);
    assert_int_equal(len, f->retry_len);
    size_t n = len > f->chunk ? f->chunk : len;
    memcpy(f->taken + f->taken_len, buf, n);
    f->taken_len += n;
    return (ssize_t)n;
}

static int fake_end(struct stream *s, struct err *err) {
    struct fake *f = (struct fake *)s;
    if (f->end_turn ^= 1) {
        return STREAM_WANT_WR;
    }
    if (f->end_fails) {
        return err_set(err, ERR_NET, EPIPE, "end");
    }
    f->ended++;
    return 0;
}

static const struct stream_ops fake_ops = { fake_read, fake_write, fake_end };

void fake_init(struct fake *f, int fd, size_t given, size_t chunk) {
    memset(f, 0, sizeof *f);
    f->stream.ops = &fake_ops;
    f->stream.fd = fd;
    f->given_len = given;
    f->chunk = chunk;
    for (size_t i = 0; i < given; i++) {
        f->given[i] = (unsigned char)(i * 7 + (size_t)fd);
    }
}

static ssize_t mem_read(struct stream *s, void *buf, size_t len,
                        struct err *err) {
    struct mem *m = (struct mem *)s;
    (void)err;
    if ((m->read_turn ^= 1) && !m->never_want) {
        return STREAM_WANT_RD;
    }
    if (m->len == 0) {
        return m->ended ? STREAM_EOF : STREAM_WANT_RD;
    }
    size_t n = len < m->len ? len : m->len;
    n = n < m->chunk ? n : m->chunk;
    memcpy(buf, m->buf, n);
    memmove(m->buf, m->buf + n, m->len - n);
    m->len -= n;
    return (ssize_t)n;
}

static ssize_t mem_write(struct stream *s, const void *buf, size_t len,
                         struct err *err) {
    struct mem *m = (struct mem *)s;
    struct mem *to = m->other;
    (void)err;
    size_t n = sizeof to->buf - to->len;
    if (((m->write_turn ^= 1) && !m->never_want) || n == 0) {
        return STREAM_WANT_WR;
    }
    n = n < len ? n : len;
    n = n < m->chunk ? n : m->chunk;
    memcpy(to->buf + to->len, buf, n);
    to->len += n;
    return (ssize_t)n;
}

static int mem_end(struct stream *s, struct err *err) {
    (void)err;
    ((struct mem *)s)->other->ended = 1;
    return 0;
}

void mem_init(struct mem *a, struct mem *b, size_t chunk) {
    static const struct stream_ops ops = { mem_read, mem_write, mem_end };
    struct mem *ends[] = { a, b };
    for (int i = 0; i < 2; i++) {
        memset(ends[i], 0, sizeof *ends[i]);
        ends[i]->stream = (struct stream){ .ops = &ops, .fd = -1 };
        ends[i]->other = ends[1 - i];
        ends[i]->chunk = chunk;
    }
}
