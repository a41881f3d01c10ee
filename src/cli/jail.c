#define _DEFAULT_SOURCE /* setgroups(), getgrouplist(), chroot() */
#include "cli/jail.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#else
#include <sys/resource.h>
#endif

#include "accel/accel.h"

#define J struct jail_options

const struct opt jail_opts[] = {
    OPT_ROW_STRING(J, user, 0, "user", "NAME[:GROUP]",
                   "be this user once the keys are read and the port is bound"),
    OPT_ROW_STRING(J, chroot, 0, "chroot", "DIR",
                   "then have this directory as the root"),
    OPT_ROW_FLAG(J, no_landlock, 0, "no-landlock",
                 "do not deny oneself, by Landlock, all files and ports that "
                 "will not be needed"),
    OPT_END
};

#undef J

void jail_no_core_dumps(void) {
#ifdef __linux__
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#else
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
#endif
}

/* The highest value means "none" to the kernel. */
static bool is_number(const char *s, unsigned long *n) {
    size_t len = strlen(s);
    if (len == 0 || len > 10 || strspn(s, "0123456789") != len) {
        return false;
    }
    *n = strtoul(s, NULL, 10);
    return *n < UINT32_MAX;
}

static int unknown(const char *what, const char *name, int why,
                   struct err *err) {
    bool absent = why == 0 || why == ENOENT || why == ESRCH || why == EBADF ||
                  why == EPERM;
    return absent ? err_set(err, ERR_USAGE, 0, "--user: there is no %s '%.80s'",
                            what, name)
                  : err_set(err, ERR_OS, why, "--user: look up %s '%.80s': %s",
                            what, name, strerror(why));
}

static int find_group(struct jail *j, const char *name, struct err *err) {
    unsigned long n;
    errno = 0;
    const struct group *g = getgrnam(name);
    if (g != NULL) {
        j->gid = g->gr_gid;
    } else if (is_number(name, &n)) {
        j->gid = (gid_t)n;
    } else {
        return unknown("group", name, errno, err);
    }
    return 0;
}

/* All groups of the user, who may have only a number. */
static int find_groups(struct jail *j, const struct passwd *p,
                       struct err *err) {
    enum { GROUPS_MAX = 65536 }; /* NGROUPS_MAX of Linux */
    for (int room = 1; room <= GROUPS_MAX; room *= 2) {
        int n = room;
        free(j->groups);
        j->groups = calloc((size_t)room, sizeof *j->groups);
        if (j->groups == NULL) {
            return err_set(err, ERR_OS, ENOMEM, "out of memory");
        }
        j->groups[0] = j->gid;
        if (p == NULL || getgrouplist(p->pw_name, j->gid, j->groups, &n) >= 0) {
            j->group_count = (size_t)n;
            return 0;
        }
    }
    return err_set(err, ERR_OS, E2BIG, "--user: over %d groups", GROUPS_MAX);
}

static int find_user(struct jail *j, const char *user, struct err *err) {
    unsigned long number = 0;
    char name[256];
    size_t len = strcspn(user, ":");
    const char *group = user[len] == ':' ? user + len + 1 : NULL;
    if (len == 0 || len >= sizeof name || (group != NULL && *group == '\0')) {
        return err_set(err, ERR_USAGE, 0, "--user: '%.80s' is not NAME[:GROUP]",
                       user);
    }
    memcpy(name, user, len);
    name[len] = '\0';
    errno = 0;
    const struct passwd *p = getpwnam(name);
    int why = errno;
    if (p == NULL && is_number(name, &number)) {
        p = getpwuid((uid_t)number);
    } else if (p == NULL) {
        return unknown("user", name, why, err);
    }
    if (p == NULL && group == NULL) {
        return err_set(err, ERR_USAGE, 0,
                       "--user: there is no user '%.80s' to take the group "
                       "from: %.80s:GROUP gives it",
                       name, name);
    }
    j->uid = p != NULL ? p->pw_uid : (uid_t)number;
    j->gid = p != NULL ? p->pw_gid : 0;
    if (j->uid == 0) {
        return err_set(err, ERR_USAGE, 0,
                       "--user: '%.80s' is root, who gives nothing up", user);
    }
    if (group != NULL && find_group(j, group, err) != 0) {
        return -1;
    }
    return find_groups(j, p, err);
}

int jail_prepare(struct jail *j, const struct jail_options *o,
                 struct err *err) {
    *j = (struct jail){ .options = o };
    jail_no_core_dumps();
    if (o->chroot != NULL && o->chroot[0] == '\0') {
        return err_set(err, ERR_USAGE, 0, "--chroot: the path is empty");
    }
    return o->user != NULL ? find_user(j, o->user, err) : 0;
}

static int change_root(const char *dir, struct err *err) {
    if (chroot(dir) == 0 && chdir("/") == 0) {
        return 0;
    }
    return err_set(err, errno == EPERM ? ERR_OS : ERR_FILE, errno,
                   "--chroot %.100s: %s%s", dir, strerror(errno),
                   errno == EPERM ? " (it takes root)" : "");
}

static int change_user(const struct jail *j, struct err *err) {
    const char *user = j->options->user;
    if (setgroups(j->group_count, j->groups) != 0 || setgid(j->gid) != 0 ||
        setuid(j->uid) != 0) {
        return err_set(err, ERR_OS, errno, "--user %.100s: %s%s", user,
                       strerror(errno),
                       errno == EPERM ? " (it takes root)" : "");
    }
    if (getuid() != j->uid || geteuid() != j->uid || getgid() != j->gid ||
        getegid() != j->gid || setuid(0) == 0 || seteuid(0) == 0 ||
        (j->gid != 0 && setgid(0) == 0)) {
        return err_set(err, ERR_OS, 0,
                       "--user %.100s: it could go back to root", user);
    }
    jail_no_core_dumps(); /* another user's process may be dumped anew */
    return 0;
}

/* What a sanitizer, or gcov, opens at the end. */
static int allow_instruments(struct landlock *l, struct err *err) {
#ifdef JAIL_ALSO
    return landlock_allow(
        l, JAIL_ALSO,
        LANDLOCK_READ | LANDLOCK_LIST | LANDLOCK_WRITE | LANDLOCK_MAKE, err);
#else
    (void)l;
    (void)err;
    return 0;
#endif
}

int jail_enter(const struct jail *j, jail_allow *allow, const void *arg,
               struct err *err) {
    struct landlock rules = { .fd = -1 };
    bool fenced = allow != NULL && !j->options->no_landlock;
    int rc = -1;
    if (fenced || j->options->chroot != NULL) {
        (void)accel_library(); /* cannot be opened later */
    }
    if (j->options->chroot != NULL &&
        change_root(j->options->chroot, err) != 0) {
        goto out;
    }
    /* While we may still look into each directory. */
    if (fenced &&
        (landlock_open(&rules, err) != 0 ||
         allow_instruments(&rules, err) != 0 || allow(arg, &rules, err) != 0)) {
        goto out;
    }
    if (j->options->user != NULL && change_user(j, err) != 0) {
        goto out;
    }
    rc = fenced ? landlock_enter(&rules, err) : 0;
out:
    landlock_close(&rules);
    return rc;
}

void jail_free(struct jail *j) {
    free(j->groups);
    j->groups = NULL;
}
