#include "tls/ssl_heap.h"

#include <mbedtls/platform.h>
#include <stdlib.h>

/* Before each block; as large as malloc's alignment. */
union head {
    struct {
        struct ssl_heap_account *owner; /* NULL: nobody */
        size_t size;
    } of;
    max_align_t align;
};

static struct ssl_heap_account *current;
static bool counts;

static size_t on_device(const struct ssl_heap_account *a, size_t bytes) {
    return bytes > a->spare ? bytes - a->spare : 0;
}

/* Is there no room for another block? */
static bool refuses(struct ssl_heap_account *a, size_t size) {
    size_t used = on_device(a, a->now) + a->beside;
    size_t then = on_device(a, a->now + size) + a->beside;
    bool no = (a->limit.bytes != 0 && then > a->limit.bytes) ||
              (a->limit.fail_at != 0 && a->count == a->limit.fail_at);
    if (no && a->refused == 0) {
        a->refused = size;
        a->refused_at = used;
    }
    return no;
}

static void add(struct ssl_heap_account *a, size_t size) {
    a->now += size;
    a->blocks++;
    if (a->now > a->peak) {
        a->peak = a->now;
    }
    if (a->now > a->step_peak) {
        a->step_peak = a->now;
    }
}

static void *counting_calloc(size_t n, size_t size) {
    union head *h;
    if (size != 0 && n > (SIZE_MAX - sizeof *h) / size) {
        return NULL;
    }
    size_t bytes = n * size;
    if (current != NULL) {
        current->count++;
        if (refuses(current, bytes)) {
            return NULL;
        }
    }
    h = calloc(1, sizeof *h + bytes);
    if (h == NULL) {
        return NULL;
    }
    h->of.owner = current;
    h->of.size = bytes;
    if (current != NULL) {
        add(current, bytes);
    }
    return h + 1;
}

static void counting_free(void *p) {
    if (p == NULL) {
        return;
    }
    union head *h = (union head *)p - 1;
    struct ssl_heap_account *a = h->of.owner;
    if (a != NULL) {
        a->now -= h->of.size;
        a->blocks--;
        if (a->closed && a->blocks == 0) {
            free(a);
        }
    }
    free(h);
}

bool ssl_heap_start(void) {
#if defined(MBEDTLS_PLATFORM_MEMORY) &&                                        \
    !defined(MBEDTLS_PLATFORM_CALLOC_MACRO) &&                                 \
    !defined(MBEDTLS_PLATFORM_FREE_MACRO)
    mbedtls_platform_set_calloc_free(counting_calloc, counting_free);
    counts = true;
#else
    (void)counting_calloc;
    (void)counting_free;
#endif
    return counts;
}

bool ssl_heap_counts(void) {
    return counts;
}

struct ssl_heap_account *ssl_heap_open(const struct ssl_heap_limit *limit) {
    struct ssl_heap_account *a = counts ? calloc(1, sizeof *a) : NULL;
    if (a != NULL && limit != NULL) {
        a->limit = *limit;
    }
    return a;
}

void ssl_heap_close(struct ssl_heap_account *a) {
    if (a == NULL) {
        return;
    }
    if (current == a) {
        current = NULL;
    }
    if (a->blocks == 0) {
        free(a);
    } else {
        a->closed = true;
        a->limit = (struct ssl_heap_limit){ 0, 0 };
    }
}

struct ssl_heap_account *ssl_heap_charge(struct ssl_heap_account *a) {
    struct ssl_heap_account *before = current;
    current = a;
    return before;
}

size_t ssl_heap_now(const struct ssl_heap_account *a) {
    return a != NULL ? on_device(a, a->now) : 0;
}

size_t ssl_heap_peak(const struct ssl_heap_account *a) {
    return a != NULL ? on_device(a, a->peak) : 0;
}

size_t ssl_heap_step_peak(const struct ssl_heap_account *a) {
    return a != NULL ? on_device(a, a->step_peak) : 0;
}

size_t ssl_heap_step(struct ssl_heap_account *a) {
    size_t peak = ssl_heap_step_peak(a);
    if (a != NULL) {
        a->step_peak = a->now;
    }
    return peak;
}
