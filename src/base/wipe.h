/*
 * wipe.h - memory that held a secret, overwritten before it is given back.
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <stddef.h>

/**
 * Overwrite with zeros. Unlike memset() before a free(), this is not left out
 * by the compiler.
 *
 * @param p  NULL: nothing
 */
void wipe(void *p, size_t len);

/** wipe(), and free() it. */
void wipe_free(void *p, size_t len);

#endif
