/*
 * fence.h - what a server opens after its start, as rules of Landlock.
 */
#ifndef CLI_FENCE_H
#define CLI_FENCE_H

#include "cli/landlock.h"
#include "cli/tls_options.h"
#include "io/forward.h"

/**
 * Allow a file, and whatever takes its place: all beneath the directory that it
 * is in, and, if it is a symbolic link, beneath that in which the file is. Of a
 * device or a FIFO only itself.
 *
 * @param path  NULL or "": nothing
 * @param use   LANDLOCK_*, or-ed
 * @return 0, or -1 as landlock_allow()
 */
MUST_USE int fence_file(struct landlock *l, const char *path, unsigned use,
                        struct err *err);

/**
 * What a context is made of, which SIGHUP reads anew, and what its connections
 * write: the key log and the peer's certificates.
 *
 * @param store  the system's, which is read for the first peer; may be empty
 * @return 0, or -1 as landlock_allow()
 */
MUST_USE int fence_tls(struct landlock *l, const struct tls_options *o,
                       const struct ca_store *store, struct err *err);

/** Removing a local socket that we listen on; "" for none.
 * @return 0, or -1 as landlock_allow() */
MUST_USE int fence_listener(struct landlock *l, const char *path,
                            struct err *err);

/** The ports of --forward. @return 0, or -1 as landlock_allow_port() */
MUST_USE int fence_forward(struct landlock *l, const struct forward_target *t,
                           struct err *err);

/** The terminal that stdout may be, which the pipe opens anew.
 * @return 0, or -1 as landlock_allow() */
MUST_USE int fence_terminal(struct landlock *l, struct err *err);

#endif
