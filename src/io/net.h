/*
 * net.h - TCP: to a name and a port, and from them.
 *
 * Every socket made here is close-on-exec and non-blocking. A connected one
 * has TCP_NODELAY set: a TLS record is a message, and Nagle would hold its
 * tail back.
 */
#ifndef IO_NET_H
#define IO_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "io/loop.h"
#include "io/resolve.h"

struct addrinfo;

enum {
    NET_HOST_MAX = RESOLVE_HOST_MAX,
    NET_ADDRS_MAX = 16, /* addresses of one name that are tried */
    NET_LISTEN_MAX = 8, /* addresses of one name that are listened on */
    NET_PATH_MAX = 108, /* of a local socket, with its NUL */
    /* Room for a printed address and its port, or "unix:" and a path, which a
     * program that hands over a socket may have made without a NUL. */
    NET_ADDR_MAX = NET_PATH_MAX + 6,
    NET_STAGGER_MS = 250 /* before the next is tried too, RFC 8305 section 5 */
};

/* What the user named, not yet resolved. */
struct net_target {
    char host[NET_HOST_MAX + 1]; /* no brackets; "" (listening): every one */
    char port[8];                /* decimal; "" with `path` */
    char path[NET_PATH_MAX];     /* listening, of a local socket; "": none */
};

/* One attempt to connect. */
struct net_try {
    char address[NET_ADDR_MAX];
    int64_t us; /* it took; -1: given up for another, or never ended */
    int error;  /* errno; 0: connected, or given up */
};

/* Which way a connection went. Addresses are numbers, "127.0.0.1:4433" or
 * "[::1]:4433"; one that an IPv6 socket maps from IPv4 is given as IPv4. That
 * of a local socket is "unix:PATH", or "unix:@NAME" in the abstract namespace.
 */
struct net_path {
    char address[NET_ADDR_MAX]; /* the peer's */
    char local[NET_ADDR_MAX];   /* ours; "" if unknown */
    unsigned tried;             /* addresses tried; 1 where we accepted */
    int64_t resolve_us;         /* time the name took; 0 where we accepted */
    int64_t connect_us;         /* time from there to connected; likewise */
    struct net_try tries[NET_ADDRS_MAX]; /* of them, where we connected */
};

struct net_listener {
    size_t n;               /* how many there are, 1..NET_LISTEN_MAX */
    int fd[NET_LISTEN_MAX]; /* owned; net_listener_close() */
    char address[NET_LISTEN_MAX][NET_ADDR_MAX]; /* where each is bound */
    unsigned port; /* the same for all; 0: there is none */
    bool shared;   /* others listen on the same port, SO_REUSEPORT */
    bool adopted;  /* another program made them */
    /* The file of a local socket, if it is to be removed in the end. */
    char path[NET_PATH_MAX];
    dev_t dev;
    ino_t ino;
    pid_t pid; /* whose affair that is */
};

/* Who was accepted, as the kernel says it. */
struct net_peer {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at; /* of a local socket no more than the family */
};

/**
 * Take apart "HOST:PORT" or "[IPV6]:PORT"; nothing is looked up.
 *
 * @return 0, or -1 with ERR_USAGE, the text giving the value and a hint: no
 *         host, no port or one outside 1..65535, an IPv6 address without
 *         brackets, a URL, a host over NET_HOST_MAX bytes or with spaces or
 *         control characters
 */
int net_parse_target(const char *text, struct net_target *out, struct err *err);

/**
 * As net_parse_target, "PORT", ":PORT", "ADDR:PORT" or "unix:PATH": where to
 * listen.
 *
 * The port may be 0 (the system chooses) and the host "" (every address). A
 * path has 1 to NET_PATH_MAX - 1 bytes.
 */
int net_parse_listen(const char *text, struct net_target *out, struct err *err);

/**
 * Resolve and connect, as RFC 8305 (Happy Eyeballs) has it: the addresses
 * alternate between IPv6 and IPv4, beginning with the family of the first; a
 * new one is tried every NET_STAGGER_MS, or at once when one has failed; the
 * first that answers is taken and the others are closed.
 *
 * Limits and signals hold for the resolver too; see resolve().
 *
 * @param host        a name, or an address without brackets
 * @param port        1..65535 in decimal, or a service name
 * @param timeout_ms  for both together; 0: none
 * @param path        filled on success; `tried`, `tries` and resolve_us (-1: it
 *                    has no address) in every case
 * @return a socket that the caller closes, or -1 with ERR_DNS (EAI_*),
 *         ERR_NET (errno; of several addresses the first one's), ERR_TIMEOUT,
 *         ERR_MAX_TIME or ERR_SIGNAL as loop_wait, or ERR_OS (no thread, no
 *         pipe, no socket, no memory)
 */
int net_connect(const struct loop *l, const char *host, const char *port,
                int64_t timeout_ms, struct net_path *path, struct err *err);

/**
 * The second half of net_connect: the addresses are known.
 *
 * @param list   one or more, in the resolver's order; borrowed
 * @param name   "HOST:PORT" for messages
 * @param limit  not NULL; may have begun before
 * @param path   as there, but resolve_us is left alone
 * @return as net_connect, without ERR_DNS
 */
int net_connect_addrs(const struct loop *l, const struct addrinfo *list,
                      const char *name, const struct loop_limit *limit,
                      struct net_path *path, struct err *err);

/**
 * Listen on every address of a name, with the same port on each.
 *
 * A family that the machine lacks is passed over if another address is left. A
 * name is looked up without a limit.
 *
 * @param addr  a name or an address without brackets, which is then the only
 *              one ("::" is IPv6 alone); NULL or "": every address, by one
 *              socket for both families, or IPv4 alone where IPv6 is missing
 * @param port  0..65535 in decimal, or a service name; 0: the system chooses
 *              for the first address and the others take the same
 * @param out   filled on success, to be closed by net_listener_close(); on
 *              failure nothing stays open
 * @return 0, or -1 with ERR_DNS (EAI_*) or ERR_NET (errno of socket, bind or
 *         listen, the text naming the address)
 */
int net_listen(const char *addr, const char *port, struct net_listener *out,
               struct err *err);

/**
 * Listen where net_parse_listen() says, several times: for processes of which
 * each has one of the listeners, and the kernel chooses who gets a client
 * (SO_REUSEPORT). A port that another program listens on is an error as ever. A
 * local socket is the same one for all.
 *
 * The file of a local socket that nobody listens on any more is replaced; no
 * other kind of file is. net_listener_close() removes it, in the process that
 * made it.
 *
 * @param n    1 or more
 * @param out  n of them; filled on success
 * @return 0, or -1 as net_listen(), or ERR_NET (EADDRINUSE: somebody listens on
 *         that path, or it is no socket)
 */
MUST_USE int net_listen_at(const struct net_target *where, size_t n,
                           struct net_listener *out, struct err *err);

/**
 * Listen on sockets that another program made and handed over, from descriptor
 * `first` on. They become close-on-exec and non-blocking, for they are ours
 * now.
 *
 * @param n    1..NET_LISTEN_MAX
 * @param out  filled on success; it owns them
 * @return 0, or -1: ERR_USAGE for one that is no listening stream socket
 */
MUST_USE int net_listen_adopt(int first, size_t n, struct net_listener *out,
                              struct err *err);

/** The same sockets under descriptors of their own, for another process.
 * @return 0, or -1: ERR_NET (errno of dup) */
MUST_USE int net_listen_copy(const struct net_listener *s,
                             struct net_listener *out, struct err *err);

/** Close what is open and forget it; harmless when called again. */
void net_listener_close(struct net_listener *s);

/**
 * Wait for a client and accept it; one that has gone again before it could be
 * accepted is passed over.
 *
 * @param limit  NULL: none
 * @param path   filled on success
 * @return a socket that the caller closes, or -1 as loop_wait, or with ERR_NET
 *         (errno of accept, e.g. EMFILE)
 */
int net_accept(const struct loop *l, const struct net_listener *s,
               const struct loop_limit *limit, struct net_path *path,
               struct err *err);

/**
 * Accept a client that is there. A TCP connection that has gone silently is
 * noticed after 2 minutes (keep-alive probes after 60 s, 6 of them every 10 s;
 * what we send is unanswered for 2 minutes at most).
 *
 * @param i     of s->fd
 * @param from  filled on success
 * @return a non-blocking socket that the caller closes; STREAM_WANT_RD: there
 *         is none; STREAM_ERROR with ERR_NET, see net_starved()
 */
int net_accept_now(const struct net_listener *s, size_t i,
                   struct net_peer *from, struct err *err);

/** The same of a connection that somebody else accepted.
 * @return 0, or -1: ERR_USAGE if it is no connected stream socket */
MUST_USE int net_accepted(int fd, struct net_peer *from, struct err *err);

/** Print the addresses of a connection that was accepted, while it is open. */
void net_tell(int fd, const struct net_peer *from, struct net_path *path);

/** @return whether it is a local socket */
bool net_is_local(const struct net_peer *from);

/** @return whether a failure to accept is about descriptors or memory, of which
 * there may be some later */
bool net_starved(const struct err *e);

/**
 * @param most  bytes of ours that need not have been acknowledged
 * @return whether close() will not be a reset that takes away what we have
 *         sent: nothing has come that was not read, and no more than `most`
 *         bytes are under way. False where that cannot be told.
 */
bool net_can_close(int fd, size_t most);

/**
 * Acknowledge at once what has come. A client that has Nagle's algorithm (RFC
 * 896) and sends its request after its Finished would wait for that as long as
 * we delay it, 40 ms. Does nothing where it cannot.
 */
void net_ack_now(int fd);

/**
 * Send what was kept back because more was to follow (base/stream.h). It is
 * sent within 200 ms anyway. Does nothing where it cannot.
 */
void net_push(int fd);

#endif
