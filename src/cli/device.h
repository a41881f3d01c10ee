/*
 * device.h - the options that make mptls play a device.
 */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include "cli/tls_options.h"
#include "tls/ssl_device.h"

/* The table; its offsets are in struct tls_options. */
extern const struct opt device_opts[];

/**
 * What the options say of the device.
 *
 * @param d  set; all zeros: no device
 * @return 0, or -1: ERR_USAGE
 */
MUST_USE int device_read(const struct tls_options *o, struct ssl_device *d,
                         struct err *err);

#endif
