/*
 * landlock.h - Linux's Landlock: a process that denies itself, and all that it
 * starts, files and TCP ports, for good. Where the kernel has none of it, or
 * only a part, nothing, or only that part, is denied.
 */
#ifndef CLI_LANDLOCK_H
#define CLI_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What is still allowed; several are or-ed. */
enum landlock_use {
    LANDLOCK_READ = 1,    /* files */
    LANDLOCK_LIST = 2,    /* directories */
    LANDLOCK_WRITE = 4,   /* files, and emptying them */
    LANDLOCK_MAKE = 8,    /* files */
    LANDLOCK_REMOVE = 16, /* files and sockets; with LANDLOCK_MAKE: renaming */
};

/* A set of rules, in force after landlock_enter(). */
struct landlock {
    int fd;          /* owned; -1: the kernel has no Landlock, or not for us */
    uint64_t denied; /* of the filesystem, as far as the kernel can */
    bool ports;      /* whether the kernel can deny ports */
};

/** @return the version of the kernel's interface, 0: none */
int landlock_version(void);

/**
 * Begin with rules that allow nothing: no file is opened, made, renamed or
 * removed, no program run, no TCP port bound or connected to (version 4), no
 * signal sent to a process outside (version 6). What is open stays usable.
 *
 * @param l  the caller's memory; landlock_close() is due in every case
 * @return 0, also where there is no Landlock; -1: ERR_OS
 */
MUST_USE int landlock_open(struct landlock *l, struct err *err);

/**
 * Allow what `use` says on a file, or on all beneath a directory. One that is
 * not there is not an error: it could not be opened later, either.
 *
 * @return 0, or -1: ERR_OS
 */
MUST_USE int landlock_allow(struct landlock *l, const char *path, unsigned use,
                            struct err *err);

/**
 * Allow connecting to a TCP port, whatever the address.
 *
 * @return 0, or -1: ERR_OS
 */
MUST_USE int landlock_allow_port(struct landlock *l, uint16_t port,
                                 struct err *err);

/**
 * From now on the rules hold, for this thread and what it starts, and no
 * program can give it more rights than it has (no_new_privs).
 *
 * @return 0, or -1: ERR_OS
 */
MUST_USE int landlock_enter(struct landlock *l, struct err *err);

/** May be called twice. */
void landlock_close(struct landlock *l);

#endif
