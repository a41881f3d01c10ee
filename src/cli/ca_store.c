#include "cli/ca_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

static const char *const usual_files[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Alpine */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    "/etc/ssl/cert.pem",                  /* BSD, macOS */
};

static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int readable(const char *name, const char *path, struct err *err) {
    if (path != NULL && access(path, R_OK) != 0) {
        return err_set(err, ERR_FILE, errno, "%s: read %s: %s", name, path,
                       strerror(errno));
    }
    return 0;
}

int ca_store_find(struct ca_store *s, struct err *err) {
    memset(s, 0, sizeof *s);
    s->file = environment("SSL_CERT_FILE");
    s->dir = environment("SSL_CERT_DIR");
    if (readable("SSL_CERT_FILE", s->file, err) != 0 ||
        readable("SSL_CERT_DIR", s->dir, err) != 0) {
        return -1;
    }
    size_t n = sizeof usual_files / sizeof usual_files[0];
    for (size_t i = 0; i < n && s->file == NULL && s->dir == NULL; i++) {
        if (access(usual_files[i], R_OK) == 0) {
            s->file = usual_files[i];
        }
    }
    if (s->file == NULL && s->dir == NULL) {
        snprintf(s->where, sizeof s->where, "no system store found");
    } else {
        snprintf(s->where, sizeof s->where, "the system's %s%s%s",
                 s->file != NULL ? s->file : "",
                 s->file != NULL && s->dir != NULL ? " and " : "",
                 s->dir != NULL ? s->dir : "");
    }
    return 0;
}

/* Append a file to what is there; the bundle stays NUL-terminated. */
static int append(struct ca_store *s, size_t *len, const char *path,
                  struct err *err) {
    unsigned char *more;
    size_t n;
    if (file_read(path, FILE_MAX, &more, &n, err) != 0) {
        return -1;
    }
    if (s->pem == NULL) {
        s->pem = more;
        *len = n;
        return 0;
    }
    unsigned char *all = realloc(s->pem, *len + 1 + n + 1);
    if (all == NULL) {
        free(more);
        return err_set(err, ERR_OS, ENOMEM, "read %s: out of memory", path);
    }
    s->pem = all;
    all[(*len)++] = '\n'; /* a file need not end in one */
    memcpy(all + *len, more, n + 1);
    free(more);
    *len += n;
    return 0;
}

/* Files that have been read. */
struct seen {
    struct {
        dev_t dev;
        ino_t ino;
    } * files;
    size_t n, room;
};

/* @return whether it is a new one; one that there is no memory for is */
static bool see(struct seen *seen, const struct stat *st) {
    for (size_t i = 0; i < seen->n; i++) {
        if (seen->files[i].ino == st->st_ino &&
            seen->files[i].dev == st->st_dev) {
            return false;
        }
    }
    if (seen->n == seen->room) {
        size_t room = seen->room == 0 ? 256 : seen->room * 2;
        void *more = realloc(seen->files, room * sizeof *seen->files);
        if (more == NULL) {
            return true;
        }
        seen->files = more;
        seen->room = room;
    }
    seen->files[seen->n].dev = st->st_dev;
    seen->files[seen->n++].ino = st->st_ino;
    return true;
}

/* Every file of a directory; one that cannot be read is not a certificate. As
 * a rule each has two names there, of which one is for OpenSSL to find it by,
 * and they may all be in the bundle beside them. */
static void append_dir(struct ca_store *s, size_t *len, const char *path) {
    struct seen seen = { NULL, 0, 0 };
    struct stat st;
    DIR *d = opendir(path);
    const struct dirent *e;
    if (s->file != NULL && stat(s->file, &st) == 0) {
        (void)see(&seen, &st);
    }
    while (d != NULL && (e = readdir(d)) != NULL) {
        char file[1024];
        struct err ignored = ERR_INIT;
        int n = snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (n > 0 && (size_t)n < sizeof file && stat(file, &st) == 0 &&
            S_ISREG(st.st_mode) && see(&seen, &st)) {
            (void)append(s, len, file, &ignored);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    free(seen.files);
}

int ca_store_read(void *arg, const unsigned char **pem, size_t *len,
                  struct err *err) {
    struct ca_store *s = arg;
    size_t n = 0;
    if (s->file != NULL && append(s, &n, s->file, err) != 0) {
        return -1;
    }
    if (s->dir != NULL) {
        append_dir(s, &n, s->dir);
    }
    if (s->pem == NULL) {
        return err_set(err, ERR_FILE, ENOENT,
                       "there is no system trust store to verify with: %s",
                       s->where);
    }
    if (strstr((const char *)s->pem, "-----BEGIN CERTIFICATE-----") == NULL) {
        return err_set(err, ERR_FILE, 0, "no certificate in PEM: %s", s->where);
    }
    *pem = s->pem;
    *len = n;
    return 0;
}

void ca_store_free(struct ca_store *s) {
    free(s->pem);
    memset(s, 0, sizeof *s);
}
