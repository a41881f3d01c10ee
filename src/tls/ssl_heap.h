/*
 * ssl_heap.h - what Mbed TLS takes of the heap, counted by connection.
 *
 * All allocations of the library go through hooks of ours (PLATFORM_MEMORY).
 * An account is charged while it is the current one; what our own code asks
 * for beside that, to look at the wire or to report, is nobody's. Bytes are
 * those asked for: an allocator on a device adds a header to each block, 8 or
 * 16 bytes as a rule, and loses some to fragmentation; pointers and integers
 * here may be wider than there.
 *
 * Not in MicroPython. One thread.
 */
#ifndef TLS_SSL_HEAP_H
#define TLS_SSL_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an account may take. */
struct ssl_heap_limit {
    size_t bytes;     /* at once; 0: no limit */
    uint64_t fail_at; /* the allocation that fails, the first is 1; 0: none */
};

struct ssl_heap_account {
    size_t now, peak; /* bytes */
    size_t step_peak; /* since ssl_heap_step() */
    uint64_t count;   /* of allocations, those refused included */
    struct ssl_heap_limit limit;
    size_t spare;      /* bytes that a device's smaller record buffers save */
    size_t beside;     /* bytes that count towards the limit, too: the
                          context's */
    size_t refused;    /* bytes of the first allocation that was; 0: none */
    size_t refused_at; /* what was in use then, `beside` included */
    size_t blocks;     /* that it has */
    bool closed;       /* and goes with the last of them */
};

/**
 * Install the hooks. Due before the library allocates anything; without it
 * nothing is counted.
 *
 * @return whether there are any: PLATFORM_MEMORY is a choice at the library's
 *         build
 */
bool ssl_heap_start(void);

/** @return whether ssl_heap_start() was called, and could */
bool ssl_heap_counts(void);

/**
 * @param limit  copied; NULL: none
 * @return a new account, to be closed; NULL: out of memory, or nothing is
 *         counted
 */
struct ssl_heap_account *ssl_heap_open(const struct ssl_heap_limit *limit);

/** The blocks that it still has stay charged to it. NULL is ignored. */
void ssl_heap_close(struct ssl_heap_account *a);

/**
 * Charge this one from now on.
 *
 * @param a  NULL: nobody
 * @return the one before, for the call that ends it
 */
struct ssl_heap_account *ssl_heap_charge(struct ssl_heap_account *a);

/** @return bytes in use as a device would have them; 0 for NULL */
size_t ssl_heap_now(const struct ssl_heap_account *a);

/** @return the most that were in use; 0 for NULL */
size_t ssl_heap_peak(const struct ssl_heap_account *a);

/** @return the most that were in use since ssl_heap_step(); 0 for NULL */
size_t ssl_heap_step_peak(const struct ssl_heap_account *a);

/** End a step. @return the most that were in use during it; 0 for NULL */
size_t ssl_heap_step(struct ssl_heap_account *a);

#endif
