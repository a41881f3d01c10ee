/*
 * resolve.h - a name's addresses, under limits and signals.
 */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include "base/err.h"
#include "io/loop.h"

struct addrinfo;

enum {
    RESOLVE_HOST_MAX = 255, /* bytes of a host, without the NUL */
    RESOLVE_PORT_MAX = 31   /* bytes of a port or service name */
};

/**
 * Resolve for connecting a stream socket.
 *
 * An address is read on the spot. A name is looked up in a thread, because
 * getaddrinfo() can neither be interrupted nor given a limit: when one passes
 * the thread is abandoned, and ends when the resolver does.
 *
 * @param host   a name, or an address without brackets
 * @param port   decimal, or a service name
 * @param limit  NULL: none
 * @param list   one or more addresses on success; freeaddrinfo()
 * @return 0, or -1 with ERR_DNS (an EAI_* value; EAI_NONAME for what is too
 *         long), ERR_TIMEOUT, ERR_MAX_TIME or ERR_SIGNAL as loop_wait, or
 *         ERR_OS (errno: no thread, no pipe, no memory)
 */
int resolve(const struct loop *l, const char *host, const char *port,
            const struct loop_limit *limit, struct addrinfo **list,
            struct err *err);

/**
 * Record that getaddrinfo() failed: "resolve HOST: Name or service not known".
 *
 * @param rc  what it returned
 * @param os  errno just after it, for EAI_SYSTEM
 * @return -1, with ERR_DNS and rc
 */
int resolve_failed(const char *host, int rc, int os, struct err *err);

#endif
