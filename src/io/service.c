#include "io/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct service *service_of(struct stream *s) {
    return ((struct service_end *)s)->of;
}

/* `buf` goes round: what is at its end goes on at its beginning. */
static ssize_t echo_read(struct stream *stream, void *buf, size_t len,
                         struct err *err) {
    struct service *s = service_of(stream);
    size_t n = SERVICE_BUF - s->start;
    (void)err;
    if (s->len == 0) {
        return s->ended ? STREAM_EOF : STREAM_WANT_RD;
    }
    n = n < s->len ? n : s->len;
    n = n < len ? n : len;
    memcpy(buf, s->buf + s->start, n);
    s->start = (s->start + n) % SERVICE_BUF;
    s->len -= n;
    if (s->len == 0) {
        service_free(s);
    }
    return (ssize_t)n;
}

static ssize_t echo_write(struct stream *stream, const void *buf, size_t len,
                          struct err *err) {
    struct service *s = service_of(stream);
    size_t at = (s->start + s->len) % SERVICE_BUF;
    size_t room = SERVICE_BUF - s->len;
    if (room == 0) {
        return STREAM_WANT_WR;
    }
    if (s->buf == NULL && (s->buf = malloc(SERVICE_BUF)) == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    room = room < SERVICE_BUF - at ? room : SERVICE_BUF - at;
    size_t n = len < room ? len : room;
    memcpy(s->buf + at, buf, n);
    s->len += n;
    return (ssize_t)n;
}

static ssize_t discard_read(struct stream *stream, void *buf, size_t len,
                            struct err *err) {
    (void)buf;
    (void)len;
    (void)err;
    return service_of(stream)->ended ? STREAM_EOF : STREAM_WANT_RD;
}

static ssize_t discard_write(struct stream *stream, const void *buf, size_t len,
                             struct err *err) {
    (void)stream;
    (void)buf;
    (void)err;
    return (ssize_t)len;
}

/* RFC 864: each line begins one character further on than the one before. */
static char chargen_at(uint64_t pos) {
    enum { FIRST = ' ', PRINTABLE = 95, WIDTH = 72, LINE = WIDTH + 2 };
    uint64_t line = pos / LINE, column = pos % LINE;
    if (column >= WIDTH) {
        return column == WIDTH ? '\r' : '\n';
    }
    return (char)(FIRST + (line + column) % PRINTABLE);
}

static ssize_t chargen_read(struct stream *stream, void *buf, size_t len,
                            struct err *err) {
    struct service *s = service_of(stream);
    char *to = buf;
    (void)err;
    if (s->ended) {
        return STREAM_EOF;
    }
    for (size_t i = 0; i < len; i++) {
        to[i] = chargen_at(s->pos++);
    }
    return (ssize_t)len;
}

static ssize_t reply_read(struct stream *stream, void *buf, size_t len,
                          struct err *err) {
    struct service *s = service_of(stream);
    size_t left = s->reply_len - (size_t)s->pos;
    size_t n = left < len ? left : len;
    (void)err;
    if (n > 0) {
        memcpy(buf, s->reply + s->pos, n);
        s->pos += n;
    }
    return n > 0 ? (ssize_t)n : STREAM_EOF;
}

static int client_end(struct stream *stream, struct err *err) {
    (void)err;
    service_of(stream)->ended = true;
    return 0;
}

void service_init(struct service *s, enum service_kind kind,
                  const unsigned char *reply, size_t len) {
    static const struct stream_ops ins[] = {
        [SERVICE_ECHO] = { .read = echo_read },
        [SERVICE_DISCARD] = { .read = discard_read },
        [SERVICE_CHARGEN] = { .read = chargen_read },
        [SERVICE_REPLY] = { .read = reply_read },
    };
    static const struct stream_ops echo = { .write = echo_write,
                                            .end = client_end };
    static const struct stream_ops drop = { .write = discard_write,
                                            .end = client_end };
    s->in = (struct service_end){ { .ops = &ins[kind], .fd = -1 }, s };
    s->out = (struct service_end){
        { .ops = kind == SERVICE_ECHO ? &echo : &drop, .fd = -1 }, s
    };
    s->ended = false;
    s->reply = reply;
    s->reply_len = len;
    s->pos = 0;
    s->start = s->len = 0;
    s->buf = NULL;
}

void service_free(struct service *s) {
    free(s->buf);
    s->buf = NULL;
    s->start = s->len = 0;
}
