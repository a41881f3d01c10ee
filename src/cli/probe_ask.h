/*
 * probe_ask.h - questions to one server, each by a connection of its own, and
 * what they share: limits, counts, and how it refuses.
 */
#ifndef CLI_PROBE_ASK_H
#define CLI_PROBE_ASK_H

#include "cli/probe.h"
#include "tls/ssl_probe.h"
#include "tls/ssl_socket.h"

struct probe {
    const struct probe_config *config;
    struct net_target target;
    const char *doing;    /* for the progress line */
    struct err err;       /* what ended it all; ERR_NONE: go on */
    unsigned connections; /* that were made */
    unsigned limit;       /* on them */
    unsigned silent;      /* questions that had no answer in time */
    unsigned odd;         /* and no answer in TLS, before the first in TLS */
    bool answered;        /* in TLS, once */
    int alert;            /* of the last refusal, or -1 */
    char refusal[96];     /* the last refusal in words */
    struct ssl_ids extensions; /* that came in answers */
    bool certificate_wanted;
    unsigned records; /* of the last whole handshake: the most that a message
                         of the server's was spread over */
};

/** @return 0, or -1: ERR_USAGE for a bad address in `config` */
MUST_USE int probe_begin(struct probe *p, const struct probe_config *config,
                         unsigned limit, struct err *err);

/** Take back the line that tells of progress. */
void probe_end(const struct probe *p);

/**
 * @return 0, or -1 if what ended the questions ends the run: *err is set to
 *         ERR_SIGNAL, ERR_MAX_TIME or ERR_OS
 */
int probe_ended(const struct probe *p, struct err *err);

/**
 * Ask one question. A server that closes, says nothing in time or no TLS is
 * asked once more; then it counts as a refusal.
 *
 * @param chosen  set if it is taken: one of what was offered
 * @return 1: taken; 0: refused, p->refusal says how; -1: no more questions,
 *         p->err says why
 */
MUST_USE int probe_ask(struct probe *p, const struct ssl_offer *offer,
                       struct ssl_chosen *chosen);

/**
 * Offer `candidates` in place of one list of an offer, and again without what
 * the server chose, until it refuses.
 *
 * @param most  stop after so many
 * @param out   what it chose is added here
 * @return 0, or -1 as probe_ask()
 */
MUST_USE int probe_exhaust(struct probe *p, const struct ssl_offer *offer,
                           enum ssl_kind kind, const struct ssl_ids *candidates,
                           size_t most, struct ssl_ids *out);

/**
 * Shake hands with Mbed TLS, and leave.
 *
 * @param ctx   a client's
 * @param name  for SNI; NULL or "": none
 * @param info  filled if 0 is returned
 * @param why   how it ended; ERR_NONE: well
 * @return 0, or -1: no more questions
 */
MUST_USE int probe_shake(struct probe *p, struct ssl_context *ctx,
                         const char *name, struct ssl_info *info,
                         struct err *why);

/** An offer of one version, of all groups and signature algorithms. */
void probe_offer(const struct probe *p, unsigned version,
                 struct ssl_offer *offer);

/* Lists that are asked for. */
enum probe_rank {
    PROBE_USUAL, /* suites of TLS 1.2 and below, best first */
    PROBE_RARE,  /* those that few servers take */
    PROBE_TLS13, /* suites of TLS 1.3 */
    PROBE_RANKS
};

/**
 * The suites there are.
 *
 * @param from  how many of this rank to pass over
 * @param out   overwritten with up to SSL_IDS_MAX of them
 */
void probe_ciphers(enum probe_rank rank, size_t from, struct ssl_ids *out);

/** Ask whether the server takes a version at all; v->ciphers is left alone.
 * @return 0, or -1 as probe_ask() */
MUST_USE int probe_version(struct probe *p, struct report_version *v);

/**
 * Ask what a server of TLS 1.2 signs with, by each type of key apart: it may
 * choose the suite first, and then find no algorithm for it.
 *
 * @param candidates, most, out  as of probe_exhaust()
 */
MUST_USE int probe_sig_algs(struct probe *p, const struct ssl_ids *candidates,
                            size_t most, struct ssl_ids *out);

/** Leave the suites whose name begins so: with "TLS_ECDHE_" those whose
 * ServerKeyExchange tells the group and what is signed with (RFC 8422 5.4). */
void probe_only(struct ssl_ids *ids, const char *head);

#endif
