#include "io/events.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "io/loop.h"

int events_init(struct events *e, struct err *err) {
    e->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    return e->ev != NULL ? 0
                         : err_set(err, ERR_OS, errno != 0 ? errno : ENOMEM,
                                   "make an event loop: %s", strerror(errno));
}

void events_free(struct events *e) {
    if (e->ev != NULL) {
        ev_loop_destroy(e->ev);
        e->ev = NULL;
    }
}

void events_run(struct events *e) {
    ev_run(e->ev, 0);
}

void events_end(struct events *e) {
    ev_break(e->ev, EVBREAK_ALL);
}

static void on_io(struct ev_loop *ev, ev_io *io, int what) {
    struct events_source *s = io->data;
    (void)ev;
    (void)what;
    s->ready(s);
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int what) {
    struct events_source *s = timer->data;
    (void)ev;
    (void)what;
    s->due_ms = 0;
    s->ready(s);
}

void events_source_init(struct events_source *s, struct events *e,
                        events_ready *ready) {
    s->of = e;
    s->ready = ready;
    s->due_ms = 0;
    ev_init(&s->timer, on_timer);
    s->timer.data = s;
    for (int i = 0; i < EVENTS_FDS_MAX; i++) {
        ev_io_init(&s->io[i], on_io, -1, 0);
        s->io[i].data = s;
    }
}

static void watch_one(struct events_source *s, ev_io *io,
                      const struct pollfd *p) {
    int what = (p->events & POLLOUT) != 0 ? EV_WRITE : EV_READ;
    if ((p->events & POLLOUT) != 0 && (p->events & POLLIN) != 0) {
        what |= EV_READ;
    }
    if (ev_is_active(io)) {
        if (io->fd == p->fd && (io->events & (EV_READ | EV_WRITE)) == what) {
            return;
        }
        ev_io_stop(s->of->ev, io);
    }
    ev_io_set(io, p->fd, what);
    ev_io_start(s->of->ev, io);
}

/* A deadline that moves away is cheap: the timer calls too early, once. */
static void arm(struct events_source *s, int64_t due_ms) {
    if (due_ms == 0) {
        ev_timer_stop(s->of->ev, &s->timer);
    } else if (s->due_ms == 0 || due_ms < s->due_ms) {
        int64_t left = due_ms - loop_now_ms();
        ev_timer_stop(s->of->ev, &s->timer);
        ev_timer_set(&s->timer, left > 0 ? (double)left / 1000.0 : 0.0, 0.0);
        ev_timer_start(s->of->ev, &s->timer);
    } else {
        return;
    }
    s->due_ms = due_ms;
}

void events_watch(struct events_source *s, const struct pollfd *fds, nfds_t n,
                  int64_t due_ms) {
    nfds_t used = 0;
    for (nfds_t i = 0; i < n; i++) {
        if (fds[i].fd >= 0) {
            watch_one(s, &s->io[used++], &fds[i]);
        }
    }
    for (; used < EVENTS_FDS_MAX; used++) {
        ev_io_stop(s->of->ev, &s->io[used]);
    }
    arm(s, due_ms);
}

void events_again(struct events_source *s) {
    arm(s, loop_now_ms());
}

void events_stop(struct events_source *s) {
    events_watch(s, NULL, 0, 0);
}
