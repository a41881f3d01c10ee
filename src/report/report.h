/*
 * report.h - one connection, from first try to exit status, as plain data.
 *
 * The same shape for success and failure; text.c and json.c print it.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "report/waterfall.h"
#include "tls/ssl_info.h"

/* How far it got: where a failure belongs. */
enum report_stage {
    STAGE_SETUP,     /* options, files, the context */
    STAGE_LISTEN,    /* serve: until a client has come */
    STAGE_CONNECT,   /* connect: resolving and TCP */
    STAGE_HANDSHAKE, /* TLS, until both Finished are in */
    STAGE_STREAM,    /* application bytes */
    STAGES
};

/* One address that was tried; TCP only. */
struct report_address {
    char address[80];
    int64_t us;     /* from its start to its end; -1: given up for another */
    char error[64]; /* "" if it was connected to, or given up */
};

/* One --expect KEY=VALUE. */
struct report_expect {
    const char *key;
    const char *wanted;
    char actual[SSL_NAMES_MAX];
    bool met;
};

/* What one device would get from a server. */
struct report_device {
    char name[40];    /* of its profile */
    char title[100];  /* which devices */
    int status;       /* the exit status that its handshake comes to */
    char result[256]; /* "TLSv1.2, TLS_...", or why not */
    char note[256];   /* what it could not take all the same, or "" */
};

/* What a server takes of one version of TLS, in the order in which it chose:
 * its own, or, if it goes by the client's, the one in which it was asked. */
struct report_version {
    uint16_t version;
    bool accepted;
    bool order_known, own_order; /* of suites: the server's own */
    struct ssl_ids ciphers, groups, sig_algs;
    char refusal[96]; /* how it refuses: "alert protocol_version (70)" */
};

enum { REPORT_VERSIONS_MAX = 5, REPORT_DEVICES_MAX = 16 };

/* What a server takes, each item by a handshake of its own. */
struct report_probe {
    unsigned connections; /* that were made */
    char stopped[192];    /* why this is not all; "" if it is */
    size_t version_count;
    struct report_version versions[REPORT_VERSIONS_MAX]; /* asked for */
    struct ssl_offer accepted; /* of all versions together; its extensions are
                                  those that the server answered with */
    bool server_chooses;       /* the suite, by its own order */
    bool name_tried, name_needed; /* it refuses a client without SNI */
    bool certificate_wanted;      /* it asks for the client's */
    size_t device_count;
    struct report_device devices[REPORT_DEVICES_MAX];
};

/* How the command of a connection ended, for serve --exec. */
struct report_exec {
    bool known;
    int status; /* its exit status; -1: a signal ended it */
    int signal; /* its number; 0: it ended by itself */
};

enum { REPORT_ADDRESSES_MAX = 16 };

struct report {
    const char *command; /* "connect", "serve"; static */
    const char *event;   /* "verify"; NULL: "connection"; static */
    enum report_stage stage;
    struct err err;          /* origin ERR_NONE: success */
    int status;              /* what it comes to, by the man page's numbers */
    const char *status_name; /* its class, e.g. "untrusted"; static */
    int exit; /* the exit status: the same, unless --expect decides */
    const char *exit_name;
    const char *micropython; /* what it would raise; NULL: nothing */
    const char *name;        /* what `mptls explain` takes for it; NULL: none */
    const char *mbedtls;     /* its code, by name and number; NULL: none */
    const char *target;      /* as the user gave it; NULL: none */
    const char *peer;        /* "127.0.0.1:4433"; NULL: not connected */
    const char *local;
    const char *client; /* whose connection was tunnelled; NULL: nobody's */
    const char *trust;  /* where the anchors come from; NULL: nowhere */
    int64_t resolve_us, connect_us, handshake_us, total_us; /* -1: not done */
    uint64_t bytes_in, bytes_out; /* application bytes delivered */
    bool stdin_ended;             /* false: given up when the peer had gone */
    size_t address_count;
    struct report_address addresses[REPORT_ADDRESSES_MAX];
    size_t expect_count;
    const struct report_expect *expects; /* borrowed */
    const struct report_probe *probe;    /* borrowed; NULL: not asked for */
    struct report_exec exec;
    bool can_ask;        /* --why was not given, and could tell why it failed */
    struct ssl_info tls; /* the last: session_report_init() */
};

/** @return e.g. "handshake"; static, "unknown" outside the enumeration */
const char *report_stage_name(enum report_stage stage);

/** A "mptls: " line on `f`; control bytes in the text become '?'. */
void report_line(FILE *f, const char *fmt, ...) ERR_PRINTF(2, 3);

/**
 * A label and words, as "mptls: " lines broken at spaces so that 79 columns
 * hold them; what goes on stands under the first word. A word that is too long
 * has a line of its own.
 */
void report_field(FILE *f, const char *label, const char *text);

/**
 * What the handshake agreed on, for -v: a few "mptls: " lines.
 *
 * @param r  its `tls`, `peer`, `trust` and times are read
 */
void report_text_handshake(FILE *f, const struct report *r);

/**
 * How it ended: the failure and why, or, if `verbose`, the success. Nothing for
 * a success that is not verbose, but for a command that was not one.
 */
void report_text_end(FILE *f, const struct report *r, bool verbose);

/**
 * The same of one client of many: a line that begins with its address, for a
 * failure, for a command that was not a success, and, if `verbose`, for every
 * connection; then also why it failed. A signal to the server is no failure of
 * a client's.
 */
void report_text_client(FILE *f, const struct report *r, bool verbose);

/**
 * Why it failed, below the message: "mptls: " lines of at most 79 columns where
 * the words allow it. Nothing where why_of() has nothing to say.
 *
 * @param r  its `status`, `name`, `mbedtls` and `micropython` are read, too
 */
void report_text_why(FILE *f, const struct report *r);

/**
 * What a connection took of the heap, in words: the peak, when that was, and
 * what the context has. "" where it was not counted.
 */
void report_heap(const struct ssl_heap_info *h, char *buf, size_t len);

/**
 * What check prints: the whole report on one screen, "name: value" a line. What
 * did not come to be, or is unknown, is left out. The last line begins
 * "verdict:".
 */
void report_text_check(FILE *f, const struct report *r);

/** The same in one line, for one target of many: "TARGET: VERDICT". */
void report_text_check_line(FILE *f, const struct report *r);

/**
 * The whole report as one JSON object (RFC 8259) and a newline, in one write
 * if `f` is fully buffered. The man page has the schema.
 */
void report_json(FILE *f, const struct report *r);

/* One message that went by, for --trace. */
struct report_message {
    const char *peer;           /* whose connection it is, "127.0.0.1:4433" */
    bool many;                  /* there are others at the same time */
    bool out;                   /* from us */
    int64_t us;                 /* since TCP stood */
    struct waterfall_cost cost; /* since the message before */
    const char *name;           /* "ClientHello", "alert" */
    size_t bytes;     /* its own, encryption apart where it was opened */
    unsigned records; /* that it was spread over */
    bool encrypted;   /* on the wire */
    const char *text; /* what it says, or "" */
    const unsigned char *hex; /* `bytes` to show, or NULL */
};

/** Lines that begin "mptls: trace:"; '*' after a name means encrypted. */
void report_text_message(FILE *f, const struct report_message *m);

/** One JSON object (event "message") and a newline. */
void report_json_message(FILE *f, const struct report_message *m);

/**
 * A certificate that was made for this run: what a peer needs to trust it, on
 * lines that begin "mptls: ".
 *
 * @param cadata  its DER as --cadata takes it: "base64:..."
 */
void report_text_self_signed(FILE *f, const struct ssl_cert_info *c,
                             const char *cadata);

/** The same as one JSON object (event "self-signed") and a newline. */
void report_json_self_signed(FILE *f, const struct ssl_cert_info *c,
                             const char *cadata);

/**
 * The event that a server has read its files anew, as one JSON object.
 *
 * @param err  why it could not; ERR_NONE: it has
 */
void report_json_reload(FILE *f, const struct err *err);

/* A process of --workers that has died. */
struct report_worker {
    unsigned worker; /* 1, 2, ... */
    int64_t pid;
    int signal;       /* that killed it; 0: none */
    int status;       /* that it ended with; -1 */
    int64_t next;     /* its successor; 0: there is none yet */
    int64_t delay_ms; /* before one is started; 0: there is none to wait for */
    const char *why;  /* why one could not be started at once, or NULL */
};

/** One line that begins "mptls: worker ". */
void report_text_worker(FILE *f, const struct report_worker *w);

/** The same as one JSON object (event "worker") and a newline. */
void report_json_worker(FILE *f, const struct report_worker *w);

/** The event that a server can be connected to, as one JSON object. */
void report_json_listening(FILE *f, const char *address);

/**
 * Write `s` as a JSON string, quotes included; bytes that are not UTF-8 become
 * U+FFFD.
 *
 * @param s    NULL is written null
 * @param len  bytes
 */
void report_json_string(FILE *f, const char *s, size_t len);

#endif
