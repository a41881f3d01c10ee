/*
 * tunnel.h - connect --listen: a port without TLS whose connections lead to a
 * server over TLS.
 */
#ifndef CLI_TUNNEL_H
#define CLI_TUNNEL_H

#include "cli/access_log.h"
#include "cli/client.h"
#include "cli/server.h"

struct tunnel_options {
    const char *listen; /* a port alone is localhost's; NULL: no tunnel */
    unsigned ready_fd;  /* 0: none */
    struct server_options limits;
    struct access_log_options log;
};

#define TUNNEL_OPTIONS_INIT                                                    \
    { .limits = SERVER_OPTIONS_INIT, .log = ACCESS_LOG_OPTIONS_INIT }

/* The table of what is not in `limits` and `log`. */
extern const struct opt tunnel_opts[];

/**
 * Do the options fit each other?
 *
 * @return 0, or -1: ERR_USAGE
 */
MUST_USE int tunnel_check(const struct tunnel_options *o,
                          const struct client_options *client, struct err *err);

/**
 * Listen, and tunnel until a signal comes.
 *
 * @param c       client_init() and client_name() were called on it
 * @param target  as the user gave it: "HOST:PORT"
 * @param r       how it ended
 * @return the exit status
 */
int tunnel_run(const struct tunnel_options *o, struct client *c,
               const char *target, const struct output *out, struct report *r);

#endif
