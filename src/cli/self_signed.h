/*
 * self_signed.h - --self-signed: a certificate for this run.
 */
#ifndef CLI_SELF_SIGNED_H
#define CLI_SELF_SIGNED_H

#include "cli/output.h"
#include "tls/ssl_self_signed.h"

/**
 * Make it, for the names given or else for localhost, its two addresses and,
 * if it can be one, the machine's own name.
 *
 * @param names  the option's value; NULL: there was none
 * @return as ssl_self_signed_make(), with the option's name in the text
 */
MUST_USE int self_signed_make(const char *names, struct ssl_self_signed *made,
                              struct err *err);

/**
 * Say how a peer can trust it.
 *
 * @return 0, or -1: ERR_TLS, ERR_OS
 */
MUST_USE int self_signed_tell(const struct ssl_self_signed *made,
                              const struct output *out, struct err *err);

#endif
