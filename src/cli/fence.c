#define _XOPEN_SOURCE 700 /* realpath() */
#include "cli/fence.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int allow_folder(struct landlock *l, const char *path, unsigned use,
                        struct err *err) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return landlock_allow(l, ".", use, err);
    }
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    char *folder = strndup(path, len);
    if (folder == NULL) {
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    int rc = landlock_allow(l, folder, use, err);
    free(folder);
    return rc;
}

int fence_file(struct landlock *l, const char *path, unsigned use,
               struct err *err) {
    struct stat st;
    if (path == NULL || path[0] == '\0' || l->fd < 0) {
        return 0;
    }
    bool there = stat(path, &st) == 0;
    if (there && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        return landlock_allow(l, path, use, err);
    }
    if (allow_folder(l, path, use, err) != 0) {
        return -1;
    }
    char *real = there ? realpath(path, NULL) : NULL;
    int rc = real != NULL ? allow_folder(l, real, use, err) : 0;
    free(real);
    return rc;
}

/* DATA that is a path; a descriptor is read only once. */
static int allow_data(struct landlock *l, const char *data, struct err *err) {
    bool path = data != NULL && tls_data_name(data) == data &&
                strncmp(data, "fd:", 3) != 0;
    return path ? fence_file(l, data, LANDLOCK_READ, err) : 0;
}

/* Its files are links to anywhere, as a rule. */
static int allow_store_folder(struct landlock *l, const char *path,
                              struct err *err) {
    if (landlock_allow(l, path, LANDLOCK_READ | LANDLOCK_LIST, err) != 0) {
        return -1;
    }
    DIR *d = opendir(path);
    const struct dirent *e;
    int rc = 0;
    while (d != NULL && rc == 0 && (e = readdir(d)) != NULL) {
        char file[1024];
        int n = snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        struct stat st;
        if (n > 0 && (size_t)n < sizeof file && stat(file, &st) == 0 &&
            S_ISREG(st.st_mode)) {
            rc = fence_file(l, file, LANDLOCK_READ, err);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    return rc;
}

int fence_tls(struct landlock *l, const struct tls_options *o,
              const struct ca_store *store, struct err *err) {
    enum { SAVE = LANDLOCK_WRITE | LANDLOCK_MAKE | LANDLOCK_REMOVE };
    const char *keylog =
        o->keylog != NULL ? o->keylog : getenv("SSLKEYLOGFILE");
    for (size_t i = 0; i < o->certs.n; i++) {
        if (allow_data(l, o->certs.value[i], err) != 0 ||
            allow_data(l, o->keys.value[i], err) != 0) {
            return -1;
        }
    }
    if (fence_file(l, o->cafile, LANDLOCK_READ, err) != 0 ||
        allow_data(l, o->cadata, err) != 0 || allow_data(l, o->crl, err) != 0 ||
        fence_file(l, store->file, LANDLOCK_READ, err) != 0 ||
        (store->dir != NULL && allow_store_folder(l, store->dir, err) != 0) ||
        fence_file(l, keylog, LANDLOCK_WRITE | LANDLOCK_MAKE, err) != 0 ||
        fence_file(l, o->save_chain, SAVE, err) != 0) {
        return -1;
    }
    return fence_file(l, o->save_peer, SAVE, err);
}

int fence_listener(struct landlock *l, const char *path, struct err *err) {
    return path[0] != '\0' && l->fd >= 0
               ? allow_folder(l, path, LANDLOCK_REMOVE, err)
               : 0;
}

int fence_forward(struct landlock *l, const struct forward_target *t,
                  struct err *err) {
    for (size_t i = 0; i < t->n; i++) {
        const struct sockaddr_storage *sa = &t->addr[i].sa;
        in_port_t port = 0;
        if (sa->ss_family == AF_INET) {
            port = ((const struct sockaddr_in *)sa)->sin_port;
        } else if (sa->ss_family == AF_INET6) {
            port = ((const struct sockaddr_in6 *)sa)->sin6_port;
        } else {
            continue;
        }
        if (landlock_allow_port(l, ntohs(port), err) != 0) {
            return -1;
        }
    }
    return 0;
}

int fence_terminal(struct landlock *l, struct err *err) {
    char name[256];
    if (isatty(STDOUT_FILENO) &&
        ttyname_r(STDOUT_FILENO, name, sizeof name) == 0) {
        return landlock_allow(l, name, LANDLOCK_WRITE, err);
    }
    return 0;
}
