/*
 * ca_store.h - the system's trust store: where it is, and its bytes when a
 * handshake asks for them.
 *
 * MicroPython: has none.
 */
#ifndef CLI_CA_STORE_H
#define CLI_CA_STORE_H

#include <stddef.h>

#include "base/err.h"

struct ca_store {
    const char *file;   /* NULL: none */
    const char *dir;    /* NULL: none */
    unsigned char *pem; /* owned; NULL: not read yet */
    char where[192];    /* for reports: the path or paths */
};

/**
 * Find the store: SSL_CERT_FILE and SSL_CERT_DIR, else the first there is of
 * the paths that distributions use. Nothing is read yet.
 *
 * @return 0, also if there is none; -1: ERR_FILE if what the environment names
 *         cannot be read
 */
MUST_USE int ca_store_find(struct ca_store *s, struct err *err);

/** A ssl_ca_source (tls/ssl_context.h); `arg` is the ca_store. */
int ca_store_read(void *arg, const unsigned char **pem, size_t *len,
                  struct err *err);

/** May be called twice. */
void ca_store_free(struct ca_store *s);

#endif
