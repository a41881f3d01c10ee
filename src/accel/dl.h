/*
 * dl.h - a symbol of a library that was opened at run time.
 */
#ifndef ACCEL_DL_H
#define ACCEL_DL_H

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

/**
 * POSIX wants this of a function's address; ISO C has no cast for it.
 *
 * @param handle   of dlopen(); what the library depends on is searched, too
 * @param pointer  to a pointer to a function or an object; set to its address
 * @return whether there is one
 */
static inline bool dl_find(void *handle, const char *name, void *pointer) {
    void *address = dlsym(handle, name);
    memcpy(pointer, &address, sizeof address);
    return address != NULL;
}

#endif
