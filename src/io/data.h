/*
 * data.h - DATA, the way an option is given bytes: a path, "base64:...",
 * "hex:...", "pem:..." or "fd:N".
 *
 * MicroPython: load_cert_chain(cert, key) and cadata take the bytes
 * themselves. The inline forms are that, on a command line; PEM and DER are
 * told apart later, by content.
 */
#ifndef IO_DATA_H
#define IO_DATA_H

#include <stddef.h>

#include "base/err.h"

/**
 * Read or decode DATA.
 *
 * base64: the alphabet of RFC 4648 section 4, whitespace anywhere, padding
 * right or absent. hex: two digits a byte, ':' and whitespace between bytes.
 * pem: the text itself, where the two characters \n are a newline too. fd:N:
 * the descriptor to its end, left open. Anything else is a path; one that
 * begins like a form is written "./hex:...".
 *
 * A message about inline data gives its form and the place, counted from 1
 * after the colon, and never the data: it may be a key.
 *
 * @param arg   the option's value
 * @param data  on success malloc'ed bytes that the caller frees, by wipe_free()
 * if they are a key, followed by a NUL that *len does not count; untouched on
 * failure
 * @param len   on success how many; a file may be empty, inline data not
 * @return 0, or -1 with ERR_USAGE (malformed or empty inline data, a bad
 *         descriptor number, an empty path), ERR_FILE as file_read (the limit
 *         is FILE_MAX) or ERR_OS (ENOMEM)
 */
int data_read(const char *arg, unsigned char **data, size_t *len,
              struct err *err);

#endif
