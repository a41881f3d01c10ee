/*
 * ktls.h - records that the kernel seals and opens in a socket: Linux, with
 * its module tls.
 *
 * A write gives it plaintext, of which it makes records of 16384 bytes at most,
 * a read takes plaintext, and a record of another type than data comes and
 * leaves with a control message that says so.
 *
 * There is no splice(2): to and from a socket with the kernel's TLS, where a
 * pipe is the other end, it was no faster than reading and writing 64 KiB, and
 * gives a record at a time.
 */
#ifndef IO_KTLS_H
#define IO_KTLS_H

#include "base/records.h"

struct ktls {
    struct record_stream records; /* first, so that a ktls is one */
    struct stream *lower;
    bool attached; /* the socket has the kernel's TLS, with or without keys */
    bool in, out;  /* and these keys */
};

/**
 * Make `k` a record_stream over a connected socket, which stays what it is
 * until the first `begin`.
 *
 * Failures of `begin`: ERR_OS with the errno of setsockopt. Those of the rest
 * are as of a fd_stream that is a socket.
 *
 * @param lower  a fd_stream of a socket; borrowed, and must outlive `k`. What
 *        it has read ahead has to be read before `begin`.
 */
void ktls_init(struct ktls *k, struct stream *lower);

#endif
