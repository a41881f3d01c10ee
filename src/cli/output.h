/*
 * output.h - where reports go: stderr, as text or JSON, and a file for JSON.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/expect.h"
#include "cli/explain_code.h"
#include "cli/opt.h"
#include "report/report.h"
#include "tls/mp_error.h"

struct output {
    unsigned verbose;
    bool json_on_stderr;
    bool silent;     /* no text, whatever happened */
    bool details;    /* the caller prints the report itself */
    bool line;       /* the caller prints report_text_check_line() of it */
    bool shared;     /* see output_share() */
    FILE *json_file; /* owned; NULL: none */
    const char *json_name;
    struct expect *expect; /* borrowed; NULL: nothing is expected */
    enum mp_errors errors; /* that the device would have: device_read() */
};

/**
 * @param verbose  how often -v was given
 * @param json     --json
 * @return 0, or -1: ERR_FILE if its file cannot be opened; the output is
 *         usable then, without the file
 */
MUST_USE int output_open(struct output *out, unsigned verbose,
                         const struct opt_optional *json, struct err *err);

/** @return whether anybody is told more of a success than the exit status, or
 * a line */
bool output_tells_all(const struct output *out);

/**
 * Several processes will write to it side by side: each line of text leaves in
 * one write, and so does each object. Due right after output_open(), once.
 */
void output_share(struct output *out);

/** What the handshake agreed on, for -v. */
void output_handshake(const struct output *out, const struct report *r);

/* The texts that output_judge() fills. */
struct output_words {
    char micropython[MP_ERROR_MAX], name[EXPLAIN_NAME_MAX],
        mbedtls[EXPLAIN_CODE_MAX];
};

/**
 * Fill what follows from how it ended: status, exit, their names, micropython,
 * name, mbedtls and what became of the expectations.
 *
 * @param words  the report points into it from then on
 */
void output_judge(const struct output *out, struct report *r,
                  struct output_words *words);

/**
 * Judge the report, and print it.
 *
 * @return the exit status; 1 if the report could not be written
 */
int output_end(const struct output *out, struct report *r);

/** The same, for one client of many: its text is a line, without -v. */
void output_client(const struct output *out, struct report *r);

/** If expectations decided that the exit status is 50: a line for each. */
void output_unmet(const struct report *r);

/** The line, or the JSON event, that says where a server listens. */
void output_listening(const struct output *out, const char *address);

/**
 * What a peer needs to trust a certificate that was made for this run: lines,
 * or an event in JSON.
 *
 * @param cadata  its DER as --cadata takes it: "base64:..."
 */
void output_self_signed(const struct output *out, const struct ssl_cert_info *c,
                        const char *cadata);

/**
 * Whether the files were read anew: a line, or an event in JSON.
 *
 * @param err  why not; ERR_NONE: they were
 */
void output_reload(const struct output *out, const struct err *err);

/** That a process of --workers has died: a line, or an event in JSON. */
void output_worker(const struct output *out, const struct report_worker *w);

/** One message, for --trace: as text, or an event in JSON. */
void output_message(const struct output *out, const struct report_message *m);

/**
 * What a handshake cost, for --trace: text only, in one write.
 *
 * @param color  a terminal_color
 */
void output_waterfall(const struct output *out, const struct waterfall *w,
                      int color);

/** A line of warning; none in JSON, where the report says the same. */
void output_warning(const struct output *out, const char *text);

/** Close the JSON file; may be called twice. */
void output_close(struct output *out);

#endif
