/*
 * pki.h - the test PKI's files, as the tests load them.
 */
#ifndef TESTS_UNIT_PKI_H
#define TESTS_UNIT_PKI_H

#include <stdio.h>

#include "test.h"

struct pki_data {
    unsigned char data[65536];
    size_t len;
};

/** Read certs/NAME; the tests run from the top of the tree. */
static inline const struct pki_data *pki(const char *name) {
    static struct pki_data slots[16];
    static unsigned next;
    struct pki_data *d = &slots[next++ % 16];
    char path[128];
    snprintf(path, sizeof path, "certs/%s", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("%s is missing", path);
        return d;
    }
    d->len = fread(d->data, 1, sizeof d->data, f);
    fclose(f);
    assert_in_range(d->len, 1, sizeof d->data - 1);
    return d;
}

#endif
