/*
 * client.h - the way to a server that connect and check share: options,
 * resolving, TCP, handshake.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/session.h"

struct client_options {
    struct tls_options tls;
    const char *server_hostname; /* NULL: the target's host */
    int64_t connect_timeout;     /* ms; 0: none */
    bool why;                    /* ask the server, after a failure */
};

#define CLIENT_OPTIONS_INIT                                                    \
    { .tls = TLS_OPTIONS_INIT, .connect_timeout = TLS_CONNECT_TIMEOUT }

/* The table of what is not in `tls`. */
extern const struct opt client_opts[];

/* A client in the caller's memory, which must stay where it is: reports point
 * into it. */
struct client {
    const struct client_options *options;
    struct tls_setup setup;
    struct loop loop;
    struct session session;
    struct net_path path;
    char name[NET_HOST_MAX + 1];
};

/**
 * All that does not depend on the target: files, context, signals. The time of
 * the run begins.
 *
 * @param options  borrowed; keys that are inline are taken out of them
 * @return 0, or -1 as tls_setup_init, tls_options_hide and signals_catch;
 * client_free() is due in every case
 */
MUST_USE int client_init(struct client *c, struct client_options *options,
                         struct err *err);

/** Before another target in the same process, which is to know nothing of the
 * one before: due when no connection is open. */
void client_again(struct client *c);

/** May be called twice. */
void client_free(struct client *c);

/** Say how the peer is verified, if that has to be known; session_warn() too.
 */
void client_warn(struct client *c, const struct output *out);

/**
 * Settle which name is asked for and verified.
 *
 * @return 0, or -1: ERR_USAGE for a name that cannot be
 */
MUST_USE int client_name(struct client *c, const struct net_target *target,
                         struct err *err);

/**
 * Resolve, connect and shake hands.
 *
 * @return 0: the session is open, session_close(&c->session, r) is due; -1:
 *         r->err says why, and nothing is open
 */
MUST_USE int client_open(struct client *c, const struct net_target *target,
                         const struct output *out, struct report *r);

#endif
