/*
 * server_client.h - one client of a server or of a tunnel: its connection on
 * the event loop, from accepting to its report.
 */
#ifndef CLI_SERVER_CLIENT_H
#define CLI_SERVER_CLIENT_H

#include "cli/conn.h"
#include "cli/server.h"
#include "io/events.h"
#include "io/fd_stream.h"
#include "io/forward.h"

struct server_client;

/* What all clients share. */
struct server_host {
    const struct server_config *config;
    struct events *events;
    struct conn_config conn;
    struct report *report; /* of the client at hand */
    /* It has ended, and is reported; it is freed after the call.
     * @param status  the exit status, if it is the only one */
    void (*over)(struct server_host *host, int status);
    struct server_client *clients;
    unsigned count; /* of them */
};

/* The source comes first, so that it is a client. */
struct server_client {
    struct events_source source;
    struct server_host *host;
    struct server_client *prev, *next;
    struct tls_setup *setup;
    int64_t since_us;          /* it was accepted */
    int64_t connected_us;      /* a tunnel stood; else 0 */
    struct fd_stream wire;     /* what speaks TLS */
    bool begun;                /* `conn` has */
    struct err why;            /* it will not: a tunnel that cannot be */
    struct loop_limit shaking; /* for the handshake, since it was accepted */
    struct loop_limit all;     /* for the whole connection, likewise */
    struct conn conn;
    struct pump pump;
    union {
        struct serve_link link;
        struct {
            struct forward far;    /* which is `wire` */
            struct fd_stream near; /* whose client it is */
        } tunnel;
    };
    struct net_peer from;
    char peer[NET_ADDR_MAX], local[NET_ADDR_MAX]; /* "" until they are told */
    char far[NET_ADDR_MAX]; /* where a tunnel leads; "" before it stands */
};

/**
 * Begin with a client that was accepted, and go on as far as possible: it may
 * be over when this returns.
 *
 * @param fd  owned from here on
 * @return 0, or -1: ERR_OS (ENOMEM), and the client is gone
 */
MUST_USE int server_client_begin(struct server_host *host, int fd,
                                 const struct net_peer *from, struct err *err);

/**
 * End all of them; see conn_stop(). What they were waiting for is told from
 * `loop`'s signal, or else `why` is the reason.
 */
void server_client_stop_all(struct server_host *host, const struct loop *loop,
                            const struct err *why);

#endif
