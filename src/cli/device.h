/*
 * device.h - the options that make mptls play a device.
 */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include "cli/output.h"
#include "cli/tls_options.h"

/* The tables; their offsets are in struct tls_options. */
extern const struct opt device_as_opts[];    /* which device */
extern const struct opt device_limit_opts[]; /* single limits of one */

/**
 * Read the profile that --as names.
 *
 * @param as  a name of a profile that is built in, or a file
 * @return 0, or -1: ERR_USAGE if there is neither, with the nearest name;
 *         ERR_FILE with what is wrong with the file. device_free() is due.
 */
MUST_USE int device_load(struct device *d, const char *as, struct err *err);

/**
 * Read what the options say of the device into o->device: the profile's
 * limits, and those given. Once, since the profile can come from a pipe, or be
 * out of reach in a jail; what is made of the options later has it from there.
 *
 * @param out  is to tell failures as the device's program sees them; NULL: none
 * @return 0, or -1 as device_load(), or, with nothing read, if *err has a
 *         failure already. device_free() is due.
 */
MUST_USE int device_read(struct tls_options *o, struct output *out,
                         struct err *err);

/** May be called twice. */
void device_free(struct device *d);

#endif
