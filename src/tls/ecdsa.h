/*
 * ecdsa.h - ECDSA signatures on P-256 made and checked by Nettle, where it is
 * there and nobody looks at what Mbed TLS would have taken of the heap.
 *
 * A handshake has two or three of them, and Mbed TLS takes seven times as long
 * to check one, and six times to make one. The linker sends Mbed TLS's calls
 * here (--wrap in the Makefile). Nettle can only say that a signature is good:
 * one that it does not take, other curves, and all where the library is not
 * there, go to Mbed TLS.
 */
#ifndef TLS_ECDSA_H
#define TLS_ECDSA_H

#include <stdbool.h>

/**
 * From now on, use the library or do not; at first it is not used.
 *
 * For one thread, as all of TLS here.
 */
void ecdsa_use_library(bool use);

/**
 * Find the library; which the first signature does, too. It is due before a
 * process gives up the files, since it cannot be found afterwards.
 *
 * @return e.g. "libhogweed.so.6", static; NULL: they are all Mbed TLS's
 */
const char *ecdsa_library(void);

/** For good: they are all Mbed TLS's. */
void ecdsa_disable(void);

/** Give up its memory; the next signature finds it again. */
void ecdsa_release(void);

#endif
