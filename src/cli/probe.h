/*
 * probe.h - what does a server take? Ask it, again and again.
 *
 * Each question is a connection of its own, under the same limits and signals
 * as the first one.
 */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "cli/client.h"
#include "report/report.h"
#include "tls/ssl_context.h"

enum {
    PROBE_CONNECTIONS_MAX = 150, /* of --probe */
    PROBE_WHY_MAX = 40           /* of --why */
};

struct probe_config {
    const struct loop *loop;
    const char *address;      /* "127.0.0.1:4433", once connected to */
    const char *server_name;  /* for SNI; NULL or "": none */
    struct ssl_context *ours; /* a client's; its certificate is shown */
    int64_t connect_timeout, handshake_timeout; /* ms, of each; 0: none */
    bool progress;                              /* tell it on stderr */
};

/**
 * Find out all that a server takes, and what each device of ssl_profile.h would
 * get from it.
 *
 * @param out  filled, as far as it went; out->stopped says what ended it
 * @return 0, or -1 with ERR_SIGNAL, ERR_MAX_TIME or ERR_OS
 */
MUST_USE int probe_all(const struct probe_config *c, struct report_probe *out,
                       struct err *err);

/**
 * Whether asking what the server takes can tell why a client's handshake
 * failed: nothing in common, or a refusal that may mean that.
 */
bool probe_can_tell(const struct report *r);

/**
 * Ask as much as it takes to say why: fills info->theirs, and adds findings
 * (tls/ssl_diagnose.h). Of what both have in common theirs has one or more of
 * each list; of what we lack, a few.
 *
 * Names of findings beyond those of ssl_diagnose_offers():
 *
 *   server-name-refused   without SNI the same hello is taken
 *   version-intolerant    without TLS 1.3 the same hello is taken
 *   refuses-all           no hello at all is taken
 *
 * @param info  of the connection that failed
 * @param stopped  set to why not all was asked, or ""
 * @return 0, or -1 as probe_all()
 */
MUST_USE int probe_why(const struct probe_config *c, struct ssl_info *info,
                       char stopped[192], struct err *err);

/**
 * After a connection, whatever came of it: with --why, and if it failed so that
 * asking can tell, probe_why(); with `probe` probe_all(). Only a server that
 * was reached is asked. A signal in the meantime becomes r->err, and so does
 * the limit of a run that went well.
 *
 * @param r  added to; r->probe points to memory of probe_after's own, until the
 *           next call
 */
void probe_after(struct client *c, bool probe, const struct output *out,
                 struct report *r);

#endif
