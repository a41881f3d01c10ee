/*
 * file.h - the whole of a file, a FIFO or an inherited descriptor in memory.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <stddef.h>

#include "base/err.h"

/* More than any key, chain or bundle of authorities has, in bytes. */
enum { FILE_MAX = 16 * 1024 * 1024 };

/**
 * Read a file to its end.
 *
 * Blocks on a FIFO until its writer is done: read before the signal handlers
 * are installed, or the user cannot interrupt it.
 *
 * @param limit  the most bytes to take, e.g. FILE_MAX
 * @param data   on success malloc'ed bytes that the caller frees, by
 * wipe_free() if they are a key, followed by a NUL that *len does not count;
 *               untouched on failure. No copy of them is left in memory.
 * @param len    on success how many, 0..limit
 * @return 0, or -1 with ERR_FILE (errno of open or read; EISDIR for a
 *         directory; EFBIG over the limit) or ERR_OS (ENOMEM)
 */
int file_read(const char *path, size_t limit, unsigned char **data, size_t *len,
              struct err *err);

/**
 * As file_read, from a descriptor's present place, which is left open and with
 * its flags; one that is non-blocking is waited for.
 *
 * @param name  for messages
 */
int file_read_fd(int fd, const char *name, size_t limit, unsigned char **data,
                 size_t *len, struct err *err);

#endif
