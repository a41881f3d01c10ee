#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>

void wipe(void *p, size_t len) {
    if (p != NULL) {
        memset(p, 0, len);
        /* Somebody may read it, for all that the compiler knows. */
        __asm__ __volatile__("" : : "r"(p) : "memory");
    }
}

void wipe_free(void *p, size_t len) {
    wipe(p, len);
    free(p);
}
