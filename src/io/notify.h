/*
 * notify.h - telling a service manager how we are: sd_notify(3), the protocol
 * of NOTIFY_SOCKET, which is a datagram of lines NAME=VALUE.
 */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include "base/err.h"

/**
 * Connect to the manager's socket, before we may not look for it any more.
 *
 * @param where  a path, or '@' and a name in the abstract namespace
 * @return a descriptor that the caller closes; -1: ERR_USAGE for a name that is
 *         none of these, or is too long; ERR_NET (errno)
 */
int notify_open(const char *where, struct err *err);

/** @param fd  -1: nothing happens; neither does if it cannot be sent */
void notify_send(int fd, const char *lines);

/** The files are being read anew; notify_ready() says when that is done. */
void notify_reloading(int fd);

/** @param address  where clients can connect, 200 bytes at most; NULL: as
 * before */
void notify_ready(int fd, const char *address);

#endif
