#include "io/pump.h"

static void lane_init(struct pump_lane *l, struct stream *src,
                      struct stream *dst) {
    l->src = src;
    l->dst = dst;
    l->len = l->pos = 0;
    l->eof = l->done = false;
    l->wait.events = 0;
}

void pump_init(struct pump *p, struct stream *in, struct stream *peer,
               struct stream *out) {
    lane_init(&p->up, in, peer);
    lane_init(&p->down, peer, out);
}

/* The direction comes from the value, never from the operation: a TLS read
 * may have to write. */
static enum pump_result lane_blocked(struct pump_lane *l,
                                     const struct stream *s, ssize_t n) {
    if (n != STREAM_WANT_RD && n != STREAM_WANT_WR) {
        return PUMP_FAILED;
    }
    l->wait.fd = s->fd;
    l->wait.events = n == STREAM_WANT_RD ? POLLIN : POLLOUT;
    return PUMP_IDLE;
}

static enum pump_result lane_drain(struct pump_lane *l, struct err *err) {
    size_t left = l->len - l->pos;
    ssize_t n = l->dst->ops->write(l->dst, l->buf + l->pos, left, err);
    if (n <= 0) {
        return lane_blocked(l, l->dst, n);
    }
    l->pos += (size_t)n;
    return PUMP_MOVED;
}

static enum pump_result lane_fill(struct pump_lane *l, struct err *err) {
    ssize_t n = l->src->ops->read(l->src, l->buf, sizeof l->buf, err);
    if (n < 0) {
        return lane_blocked(l, l->src, n);
    }
    l->pos = 0;
    l->len = (size_t)n;
    l->eof = n == STREAM_EOF;
    return PUMP_MOVED;
}

static enum pump_result lane_step(struct pump_lane *l, struct err *err) {
    l->wait.events = 0;
    if (l->done) {
        return PUMP_DONE;
    }
    if (l->pos < l->len) {
        return lane_drain(l, err);
    }
    if (!l->eof) {
        return lane_fill(l, err);
    }
    int n = l->dst->ops->end(l->dst, err);
    if (n != 0) {
        return lane_blocked(l, l->dst, n);
    }
    l->done = true;
    return PUMP_MOVED;
}

enum pump_result pump_step(struct pump *p, struct err *err) {
    enum pump_result down = lane_step(&p->down, err);
    if (down == PUMP_DONE || down == PUMP_FAILED) {
        return down;
    }
    enum pump_result up = lane_step(&p->up, err);
    if (up == PUMP_FAILED) {
        /* The cause is recorded in err; deliver what already came. */
        while (p->down.pos < p->down.len &&
               lane_drain(&p->down, err) == PUMP_MOVED) {
        }
        return PUMP_FAILED;
    }
    return down == PUMP_MOVED || up == PUMP_MOVED ? PUMP_MOVED : PUMP_IDLE;
}

nfds_t pump_wait(const struct pump *p, struct pollfd *fds) {
    nfds_t n = 0;
    if (p->up.wait.events != 0) {
        fds[n++] = p->up.wait;
    }
    if (p->down.wait.events != 0) {
        fds[n++] = p->down.wait;
    }
    return n;
}
