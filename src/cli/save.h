/*
 * save.h - --save-chain and --save-peer: the peer's certificates as files.
 */
#ifndef CLI_SAVE_H
#define CLI_SAVE_H

#include "cli/output.h"
#include "cli/tls_options.h"
#include "tls/ssl_socket.h"

/**
 * Write what the options ask for, in PEM: all certificates that the peer sent,
 * in its order, or its own, byte for byte as they came, also those of a chain
 * that was refused.
 *
 * A file is written beside its name and then renamed, so that it is never seen
 * half written, and keeps its mode; what is no regular file (a FIFO, a
 * terminal) or names a descriptor (/dev/stdout) is written to. A peer that sent
 * none is warned of, and the file is left as it was.
 *
 * @return 0, or -1: ERR_OS with the errno
 */
MUST_USE int save_certificates(const struct tls_options *o,
                               struct ssl_socket *sock,
                               const struct output *out, struct err *err);

#endif
