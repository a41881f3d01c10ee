/*
 * events.h - waiting, for many things at once, on libev.
 *
 * A source is a few descriptors and a deadline, of which any calls its owner,
 * who says anew what to wait for. For one connection there is io/loop.h, which
 * needs no library.
 */
#ifndef IO_EVENTS_H
#define IO_EVENTS_H

#include <ev.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { EVENTS_FDS_MAX = 3 };

struct events {
    struct ev_loop *ev; /* owned */
};

struct events_source;

/** Something of the source is ready, or its deadline has passed. May watch,
 * stop and free any source. */
typedef void events_ready(struct events_source *s);

struct events_source {
    struct events *of;
    events_ready *ready;
    int64_t due_ms; /* when the timer is to call; 0: it does not run */
    ev_timer timer;
    ev_io io[EVENTS_FDS_MAX];
};

/**
 * In a process forked later it must not be used.
 *
 * @return 0, or -1: ERR_OS (ENOMEM, or no descriptor is left)
 */
MUST_USE int events_init(struct events *e, struct err *err);

/** Its sources are stopped before. May be called twice, and on a zeroed `e`. */
void events_free(struct events *e);

/** Call what is ready, until events_end(). */
void events_run(struct events *e);

/** Let events_run() return, once what is ready now has been called. */
void events_end(struct events *e);

/** A source that waits for nothing yet, in the caller's memory, where it must
 * stay until events_stop(). */
void events_source_init(struct events_source *s, struct events *e,
                        events_ready *ready);

/**
 * Wait for this from now on, in place of what was waited for before. A
 * descriptor is to be closed after the next call of this, or events_stop().
 *
 * @param fds     as poll takes them; events 0: an error only, which a
 *                descriptor must be able to show while it is never readable
 * @param n       0..EVENTS_FDS_MAX
 * @param due_ms  call at the latest then, on loop_now_ms()'s clock, or a
 *                little before; 0: never
 */
void events_watch(struct events_source *s, const struct pollfd *fds, nfds_t n,
                  int64_t due_ms);

/** In place of events_watch(): call when others have had their turn. */
void events_again(struct events_source *s);

/** Wait for nothing more. */
void events_stop(struct events_source *s);

#endif
