/*
 * jail.h - what a server gives up once it has its keys and its sockets: being
 * root, the root directory, and with Landlock all files and ports that it will
 * not need.
 */
#ifndef CLI_JAIL_H
#define CLI_JAIL_H

#include <sys/types.h>

#include "cli/landlock.h"
#include "cli/opt.h"

struct jail_options {
    const char *user;   /* NAME[:GROUP]; NULL: stay who we are */
    const char *chroot; /* NULL: stay where we are */
    bool no_landlock;
};

/* The table; its offsets are in struct jail_options. */
extern const struct opt jail_opts[];

struct jail {
    const struct jail_options *options;
    uid_t uid; /* these three for --user */
    gid_t gid;
    gid_t *groups; /* owned */
    size_t group_count;
};

/**
 * From now on no core of this process is dumped, and no other process of this
 * user can attach to it or read its memory: it is about to have a key. What is
 * run by execve() is free of it again.
 *
 * (On Linux the resource limit is left alone: it does not stop a dump into a
 * pipe, and the programs of --exec would inherit it.)
 */
void jail_no_core_dumps(void);

/**
 * Before keys are read: no core dumps, and find out who --user is.
 *
 * @param o  borrowed
 * @return 0, or -1: ERR_USAGE for a user or group that is not there, or is
 *         root; ERR_OS; jail_free() is due in every case
 */
MUST_USE int jail_prepare(struct jail *j, const struct jail_options *o,
                          struct err *err);

/**
 * Say what will still be needed; see fence.h. Paths are looked up as they will
 * be later, which is in the new root if there is one.
 *
 * @return 0, or -1 with *err set
 */
typedef int jail_allow(const void *arg, struct landlock *l, struct err *err);

/**
 * Give it all up, in this order: the root directory (the working directory is
 * then its top), groups, user, files and ports. Due after the keys are read,
 * the sockets bound and the logs opened, and before a client is accepted or a
 * process forked.
 *
 * @param allow  NULL: no Landlock, since programs are run, and would inherit it
 * @return 0, or -1: ERR_FILE for a directory that is none; ERR_OS (EPERM: that
 *         takes root), also if it could still go back to being root
 */
MUST_USE int jail_enter(const struct jail *j, jail_allow *allow,
                        const void *arg, struct err *err);

/** May be called twice. */
void jail_free(struct jail *j);

#endif
