#include "io/pump.h"

#include <errno.h>
#include <stdlib.h>

static void lane_init(struct pump_lane *l, struct stream *src,
                      struct stream *dst) {
    l->src = src;
    l->dst = dst;
    l->len = l->pos = 0;
    l->total = 0;
    l->eof = l->done = l->cut = l->late = l->gathers = false;
    l->err = (struct err)ERR_INIT;
    l->wait.events = 0;
    l->buf = NULL;
}

static void lane_free(struct pump_lane *l) {
    free(l->buf);
    l->buf = NULL;
    l->len = l->pos = 0;
}

void pump_free(struct pump *p) {
    lane_free(&p->up);
    lane_free(&p->down);
}

void pump_init(struct pump *p, struct stream *in, struct stream *peer,
               struct stream *out, const struct pump_config *config) {
    static const struct pump_config plain = { .on_eof = PUMP_HALF_CLOSE };
    const struct pump_config *c = config != NULL ? config : &plain;
    lane_init(&p->up, in, peer);
    lane_init(&p->down, peer, out);
    p->down.gathers = true;
    p->wire = c->wire;
    p->on_eof = c->on_eof;
    p->local = c->local;
    p->stop_with_peer = c->stop_with_peer;
}

void pump_reuse(struct pump *p, struct stream *in, struct stream *peer,
                struct stream *out, const struct pump_config *config) {
    size_t pos = p->up.pos, len = p->up.len;
    unsigned char *buf = p->up.buf;
    bool eof = p->up.eof && !p->up.cut;
    lane_free(&p->down);
    pump_init(p, in, peer, out, config);
    p->up.buf = buf;
    p->up.pos = pos;
    p->up.len = len;
    p->up.eof = eof;
}

/* The direction comes from the value, never from the operation: a TLS read
 * may have to write. */
static enum pump_result lane_blocked(struct pump_lane *l,
                                     const struct stream *s, ssize_t n) {
    if (n != STREAM_WANT_RD && n != STREAM_WANT_WR) {
        l->done = true;
        return PUMP_FAILED;
    }
    l->wait.fd = s->fd;
    l->wait.events = n == STREAM_WANT_RD ? POLLIN : POLLOUT;
    return PUMP_IDLE;
}

static bool lane_held(const struct pump_lane *l) {
    return l->pos < l->len;
}

static enum pump_result lane_drain(struct pump_lane *l) {
    struct err why = ERR_INIT;
    size_t before = l->pos;
    ssize_t n = STREAM_EOF;
    do {
        n = l->dst->ops->write(l->dst, l->buf + l->pos, l->len - l->pos, &why);
        l->pos += n > 0 ? (size_t)n : 0;
    } while (n > 0 && lane_held(l));
    l->total += l->pos - before;
    if (n == STREAM_ERROR) { /* which counts before what src had to say */
        l->err = why;
    }
    return n == STREAM_ERROR || l->pos == before ? lane_blocked(l, l->dst, n)
                                                 : PUMP_MOVED;
}

/* What a peer sends in small pieces is not to keep others waiting. */
enum { RECORD_MAX = 16384, RECORDS_MAX = 8 };

static enum pump_result lane_fill(struct pump_lane *l) {
    if (l->late) {
        lane_free(l);
        return lane_blocked(l, l->src, STREAM_ERROR);
    }
    if (l->buf == NULL && (l->buf = malloc(PUMP_BUF)) == NULL) {
        err_set(&l->err, ERR_OS, ENOMEM, "out of memory");
        return lane_blocked(l, l->src, STREAM_ERROR);
    }
    ssize_t n = STREAM_EOF;
    l->pos = l->len = 0;
    for (int i = 0; i < RECORDS_MAX; i++) {
        n = l->src->ops->read(l->src, l->buf + l->len, PUMP_BUF - l->len,
                              &l->err);
        l->len += n > 0 ? (size_t)n : 0;
        if (n <= 0 || !l->gathers || PUMP_BUF - l->len < RECORD_MAX) {
            break;
        }
    }
    l->eof = n == STREAM_EOF;
    if (l->len > 0) {
        l->late = n == STREAM_ERROR;
        return PUMP_MOVED;
    }
    lane_free(l);
    return n < 0 ? lane_blocked(l, l->src, n) : PUMP_MOVED;
}

/* hold: the end of src is not to be passed on yet; deaf: dst has ended its own
 * side and got nothing from us, so that failing to end ours loses nothing. */
static enum pump_result lane_step(struct pump_lane *l, bool hold, bool deaf) {
    l->wait.events = 0;
    if (l->done) {
        return l->err.origin != ERR_NONE ? PUMP_FAILED : PUMP_DONE;
    }
    if (lane_held(l)) {
        return lane_drain(l);
    }
    if (!l->eof) {
        return lane_fill(l);
    }
    if (hold) {
        return PUMP_IDLE;
    }
    struct err unheard = ERR_INIT;
    int n = l->dst->ops->end(l->dst, deaf ? &unheard : &l->err);
    if (n != 0 && !(deaf && n == STREAM_ERROR)) {
        return lane_blocked(l, l->dst, n);
    }
    l->done = true;
    return PUMP_MOVED;
}

static bool up_holds(const struct pump *p) {
    bool wait = p->on_eof == PUMP_WAIT ||
                (p->on_eof == PUMP_WAIT_EMPTY && p->up.total == 0);
    return wait && !p->down.done;
}

/* After the peer's end nothing it sends counts; has it gone altogether? A peer
 * that resets has not read all, if we have sent it anything: l->err says so. */
static bool wire_closed(struct pump *p) {
    enum { READS_MAX = 64 }; /* there are limits to look at meanwhile */
    unsigned char ignored[512];
    struct err err = ERR_INIT;
    ssize_t n = 1;
    if (p->wire == NULL) {
        return false;
    }
    for (int i = 0; i < READS_MAX && n > 0; i++) {
        n = p->wire->ops->read(p->wire, ignored, sizeof ignored, &err);
    }
    if (n == STREAM_WANT_RD || n > 0) {
        p->down.wait.fd = p->wire->fd;
        p->down.wait.events = POLLIN;
    }
    if (n == STREAM_ERROR && p->up.total > 0) {
        p->up.err = err;
    }
    return n == STREAM_EOF || n == STREAM_ERROR;
}

/* After close_notify both ways, or nearly: has the peer read all we wrote? */
static bool all_was_read(const struct pump *p) {
    unsigned char ignored[512];
    struct err err = ERR_INIT;
    return p->local && !lane_held(&p->up) && p->wire != NULL &&
           p->wire->ops->read(p->wire, ignored, sizeof ignored, &err) ==
               STREAM_EOF;
}

static enum pump_result stopped(struct err *err, const struct err *why) {
    if (err->origin == ERR_NONE) {
        *err = *why;
    }
    return PUMP_FAILED;
}

/* Sending has failed: deliver what the peer had to say, which may be why. */
static enum pump_result after_up_failed(struct pump *p, struct err *err) {
    struct pump_lane *down = &p->down;
    enum pump_result r = lane_step(down, false, false);
    if (r == PUMP_DONE && p->up.eof && (p->up.total == 0 || all_was_read(p))) {
        return PUMP_DONE; /* only our end was not heard, after theirs */
    }
    /* What has no descriptor waits for our reading `in`, which is over. */
    bool stuck = r == PUMP_IDLE && down->wait.events != 0 && down->wait.fd < 0;
    if (r == PUMP_MOVED ||
        (r == PUMP_IDLE && !stuck && (lane_held(down) || down->eof))) {
        return r;
    }
    /* Truncation is why where only our end was not heard: all was written. */
    bool all_written = p->up.eof && !lane_held(&p->up);
    bool told = r == PUMP_FAILED && down->err.origin != ERR_NET &&
                (down->err.origin != ERR_TRUNCATED || all_written);
    if (!told) {
        down->err = p->up.err; /* which came first */
    }
    return stopped(err, &down->err);
}

/* The peer has ended, well or not: is there anyone to take more, and more to
 * take? */
static bool up_is_over(struct pump *p) {
    return !lane_held(&p->up) && !p->up.eof &&
           (p->stop_with_peer || wire_closed(p));
}

static bool truncated(const struct pump *p) {
    return p->down.done && p->down.err.origin == ERR_TRUNCATED;
}

enum pump_result pump_step(struct pump *p, struct err *err) {
    p->up.wait.events = p->down.wait.events = 0;
    if (p->up.err.origin != ERR_NONE && !truncated(p)) {
        return after_up_failed(p, err);
    }
    enum pump_result down = lane_step(&p->down, false, false);
    if (down == PUMP_FAILED && !truncated(p)) {
        return stopped(err, &p->down.err);
    }
    enum pump_result up =
        lane_step(&p->up, up_holds(p), p->down.done && p->up.total == 0);
    if (up == PUMP_MOVED || down == PUMP_MOVED) {
        return PUMP_MOVED;
    }
    if (truncated(p)) { /* it may still read: it gets what is ready */
        return up == PUMP_IDLE && (lane_held(&p->up) || p->up.eof)
                   ? PUMP_IDLE
                   : stopped(err, &p->down.err);
    }
    if (up == PUMP_FAILED) {
        return PUMP_MOVED; /* the next step deals with it */
    }
    if (up == PUMP_DONE) {
        bool stop = p->on_eof == PUMP_CLOSE && !lane_held(&p->down);
        return down == PUMP_DONE || stop ? PUMP_DONE : PUMP_IDLE;
    }
    if (down == PUMP_DONE && up_is_over(p)) {
        p->up.eof = p->up.cut = true;
        return PUMP_MOVED;
    }
    return PUMP_IDLE;
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
