#define _XOPEN_SOURCE 700 /* realpath() */
#include "cli/save.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 48 }; /* bytes; 64 digits (RFC 7468 2) */

static int failed(const char *option, const char *path, int why,
                  struct err *err) {
    return err_set(err, ERR_OS, why, "%s: write %.100s: %s", option, path,
                   strerror(why));
}

static void write_pem(FILE *f, const unsigned char *der, size_t len) {
    fputs("-----BEGIN CERTIFICATE-----\n", f);
    for (size_t at = 0; at < len; at += LINE) {
        unsigned char digits[LINE / 3 * 4 + 1] = "";
        size_t n = len - at < LINE ? len - at : LINE;
        (void)mbedtls_base64_encode(digits, sizeof digits, &n, der + at, n);
        fprintf(f, "%s\n", (const char *)digits);
    }
    fputs("-----END CERTIFICATE-----\n", f);
}

/* @return 0, or an errno */
static int write_certificates(int fd, struct ssl_socket *sock, size_t most) {
    FILE *f = fdopen(fd, "w");
    const unsigned char *der;
    size_t len;
    if (f == NULL) {
        int why = errno;
        close(fd);
        return why;
    }
    for (size_t i = 0; i < most; i++) {
        der = ssl_socket_sent_certificate(sock, i, &len);
        if (der == NULL) {
            break;
        }
        write_pem(f, der, len);
    }
    int why = fflush(f) != 0 || ferror(f) ? errno : 0;
    return fclose(f) != 0 && why == 0 ? errno : why;
}

/* @return 0, or an errno */
static int replace(const char *path, mode_t mode, bool keep_mode,
                   struct ssl_socket *sock, size_t most) {
    size_t size = strlen(path) + sizeof ".tmp-2147483647";
    char *beside = malloc(size);
    if (beside == NULL) {
        return ENOMEM;
    }
    snprintf(beside, size, "%s.tmp-%d", path, (int)getpid());
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int why = fd < 0 ? errno : 0;
    if (fd >= 0) {
        why = keep_mode && fchmod(fd, mode & 0777) != 0 ? errno : 0;
        int written = write_certificates(fd, sock, most);
        why = why == 0 ? written : why;
        if (why == 0 && rename(beside, path) != 0) {
            why = errno;
        }
        if (why != 0) {
            unlink(beside);
        }
    }
    free(beside);
    return why;
}

/* Opened by such a name, a file would have an offset of its own, or, renamed,
 * take the place of the one that is written to. @return the descriptor, or -1
 */
static int descriptor(const char *path) {
    static const char folder[] = "/dev/fd/";
    const char *digits = path + sizeof folder - 1;
    if (strcmp(path, "/dev/stdout") == 0) {
        return STDOUT_FILENO;
    }
    if (strcmp(path, "/dev/stderr") == 0) {
        return STDERR_FILENO;
    }
    size_t len = sizeof folder - 1;
    bool number = strncmp(path, folder, len) == 0 && *digits != '\0' &&
                  strlen(digits) < 6 &&
                  digits[strspn(digits, "0123456789")] == '\0';
    return number ? (int)strtol(digits, NULL, 10) : -1;
}

/* @return 0, or an errno */
static int write_to(int fd, struct ssl_socket *sock, size_t most) {
    return fd < 0 ? errno : write_certificates(fd, sock, most);
}

/* A FIFO that nobody reads is not waited for; one that is read slowly is.
 * @return the descriptor, or -1 with errno */
static int open_device(const char *path) {
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        fcntl(fd, F_SETFL, 0);
    }
    return fd;
}

static int save_one(const char *option, const char *path,
                    struct ssl_socket *sock, size_t most,
                    const struct output *out, struct err *err) {
    struct stat st;
    size_t len;
    int why;
    if (path == NULL) {
        return 0;
    }
    if (ssl_socket_sent_certificate(sock, 0, &len) == NULL) {
        if (!sock->handshake_done) { /* there is more to say than that */
            return 0;
        }
        char text[256];
        snprintf(text, sizeof text,
                 "%s: %.100s is not written, the peer sent no certificate",
                 option, path);
        output_warning(out, text);
        return 0;
    }
    bool there = stat(path, &st) == 0;
    if (descriptor(path) >= 0) {
        why = write_to(dup(descriptor(path)), sock, most);
    } else if (there && !S_ISREG(st.st_mode)) {
        why = write_to(open_device(path), sock, most);
    } else {
        /* A symbolic link stays one. */
        char *real = there ? realpath(path, NULL) : NULL;
        why =
            replace(real != NULL ? real : path, st.st_mode, there, sock, most);
        free(real);
    }
    return why == 0 ? 0 : failed(option, path, why, err);
}

int save_certificates(const struct tls_options *o, struct ssl_socket *sock,
                      const struct output *out, struct err *err) {
    int chain =
        save_one("--save-chain", o->save_chain, sock, SIZE_MAX, out, err);
    int peer = save_one("--save-peer", o->save_peer, sock, 1, out, err);
    return chain != 0 || peer != 0 ? -1 : 0;
}
