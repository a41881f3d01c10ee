#define _GNU_SOURCE /* syscall(), O_PATH */
#include "cli/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#ifdef SYS_landlock_create_ruleset

/* The kernel's interface; its own header may be older than the kernel. */

enum { VERSION_FLAG = 1, PATH_BENEATH = 1, NET_PORT = 2 };

enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_FILE = 1 << 5,
    MAKE_REG = 1 << 8,
    TRUNCATE = 1 << 14,
    IOCTL_DEV = 1 << 15,
    FILE_ONLY = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
};

enum { BIND_TCP = 1 << 0, CONNECT_TCP = 1 << 1 };

enum { SCOPE_SIGNAL = 1 << 1 };

struct ruleset {
    uint64_t denied_fs, denied_net, scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

struct port_rule {
    uint64_t allowed, port;
};

/* How many rights of the filesystem a version knows: REFER came with 2,
 * TRUNCATE with 3, IOCTL_DEV with 5. */
static uint64_t known_fs(int version) {
    static const int bits[] = { 0, 13, 14, 15, 15, 16 };
    return (UINT64_C(1) << bits[version < 5 ? version : 5]) - 1;
}

int landlock_version(void) {
    long v = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);
    return v > 0 ? (int)v : 0;
}

static int failed(struct err *err, const char *what) {
    return err_set(err, ERR_OS, errno, "%s: %s (--no-landlock does without)",
                   what, strerror(errno));
}

int landlock_open(struct landlock *l, struct err *err) {
    int version = landlock_version();
    *l = (struct landlock){ .fd = -1 };
    if (version == 0) {
        return 0;
    }
    struct ruleset r = { .denied_fs = known_fs(version) };
    /* An older kernel takes the struct without its end. */
    size_t size = sizeof r.denied_fs;
    if (version >= 4) {
        r.denied_net = BIND_TCP | CONNECT_TCP;
        size = offsetof(struct ruleset, scoped);
    }
    if (version >= 6) {
        r.scoped = SCOPE_SIGNAL;
        size = sizeof r;
    }
    long fd = syscall(SYS_landlock_create_ruleset, &r, size, 0);
    if (fd < 0) {
        return failed(err, "make rules for Landlock");
    }
    l->fd = (int)fd;
    l->denied = r.denied_fs;
    l->ports = version >= 4;
    return 0;
}

static uint64_t rights(unsigned use) {
    uint64_t r = 0;
    r |= (use & LANDLOCK_READ) != 0 ? READ_FILE : 0;
    r |= (use & LANDLOCK_LIST) != 0 ? READ_DIR : 0;
    r |= (use & LANDLOCK_WRITE) != 0 ? WRITE_FILE | TRUNCATE | IOCTL_DEV : 0;
    r |= (use & LANDLOCK_MAKE) != 0 ? MAKE_REG : 0;
    r |= (use & LANDLOCK_REMOVE) != 0 ? REMOVE_FILE : 0;
    return r;
}

int landlock_allow(struct landlock *l, const char *path, unsigned use,
                   struct err *err) {
    struct stat st;
    if (l->fd < 0) {
        return 0;
    }
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    struct path_rule rule = { .allowed = rights(use) & l->denied, .fd = fd };
    int rc = fstat(fd, &st);
    if (rc == 0 && !S_ISDIR(st.st_mode)) {
        rule.allowed &= FILE_ONLY;
    }
    if (rc == 0 && rule.allowed != 0) {
        rc = (int)syscall(SYS_landlock_add_rule, l->fd, PATH_BENEATH, &rule, 0);
    }
    if (rc != 0) {
        failed(err, path);
    }
    close(fd);
    return rc;
}

int landlock_allow_port(struct landlock *l, uint16_t port, struct err *err) {
    struct port_rule rule = { CONNECT_TCP, port };
    if (l->fd < 0 || !l->ports ||
        syscall(SYS_landlock_add_rule, l->fd, NET_PORT, &rule, 0) == 0) {
        return 0;
    }
    return failed(err, "allow a port in Landlock");
}

int landlock_enter(struct landlock *l, struct err *err) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return failed(err, "set no_new_privs");
    }
    if (l->fd >= 0 && syscall(SYS_landlock_restrict_self, l->fd, 0) != 0) {
        return failed(err, "enter Landlock");
    }
    return 0;
}

void landlock_close(struct landlock *l) {
    if (l->fd >= 0) {
        close(l->fd);
    }
    l->fd = -1;
}

#else

int landlock_version(void) {
    return 0;
}

int landlock_open(struct landlock *l, struct err *err) {
    (void)err;
    *l = (struct landlock){ .fd = -1 };
    return 0;
}

int landlock_allow(struct landlock *l, const char *path, unsigned use,
                   struct err *err) {
    (void)l;
    (void)path;
    (void)use;
    (void)err;
    return 0;
}

int landlock_allow_port(struct landlock *l, uint16_t port, struct err *err) {
    (void)l;
    (void)port;
    (void)err;
    return 0;
}

int landlock_enter(struct landlock *l, struct err *err) {
    (void)l;
    (void)err;
    return 0;
}

void landlock_close(struct landlock *l) {
    (void)l;
}

#endif
