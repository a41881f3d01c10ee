/*
 * probe_device.h - the part of a probe that takes whole handshakes.
 */
#ifndef CLI_PROBE_DEVICE_H
#define CLI_PROBE_DEVICE_H

#include "cli/probe_ask.h"

/**
 * Find out, by handshakes of Mbed TLS's, the signature algorithms of TLS 1.3,
 * where it is encrypted what the server signs with, and what each device of
 * ssl_profile.h would get.
 *
 * @param out  its versions are read
 * @return 0, or -1 as probe_ask()
 */
MUST_USE int probe_devices(struct probe *p, struct report_probe *out);

#endif
