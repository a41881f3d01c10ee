/*
 * handover.h - what a service manager has for a server: sockets that it listens
 * on or has accepted (sd_listen_fds(3), inetd), and where to tell that it is
 * ready.
 */
#ifndef CLI_HANDOVER_H
#define CLI_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct handover {
    int first;    /* of the descriptors */
    size_t n;     /* how many listen; 0: none */
    int accepted; /* a connection with a client, in place of those; -1: none */
    int notify;   /* for io/notify.h; owned; -1: nobody wants to know */
    struct err unheard; /* why that is -1 though NOTIFY_SOCKET is set */
};

/**
 * Read LISTEN_PID, LISTEN_FDS and NOTIFY_SOCKET, and forget them: they are not
 * for the programs that we start. Sockets for another process are none of ours.
 *
 * @param inetd  the connection is standard input. Then neither standard error
 *               nor standard output is to be it, too: what is written there
 *               goes nowhere.
 * @return 0, or -1: ERR_USAGE for what is none of all that; handover_close() is
 *         due in every case. A NOTIFY_SOCKET that does not answer is no
 *         failure; see `unheard`.
 */
MUST_USE int handover_take(struct handover *h, bool inetd, struct err *err);

/** May be called twice. */
void handover_close(struct handover *h);

#endif
