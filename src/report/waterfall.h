/*
 * waterfall.h - what a handshake cost, message by message: a table, and on a
 * terminal a bar for each that shows when it came and what time went into.
 */
#ifndef REPORT_WATERFALL_H
#define REPORT_WATERFALL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    WATERFALL_ROWS = 64, /* messages that are kept */
    WATERFALL_NAME = 20, /* bytes of a name, '*' included */
    WATERFALL_BAR_MAX = 400
};

/* What went by since the message before, or since TCP stood. */
struct waterfall_cost {
    int64_t waited_us;   /* nothing was to be done here */
    int64_t computed_us; /* we were busy with this connection */
    size_t heap;         /* bytes in use now */
    size_t heap_peak;    /* the most in use since then; 0: not counted */
};

struct waterfall_row {
    char name[WATERFALL_NAME + 1]; /* "Certificate*": encrypted */
    bool out;                      /* from us */
    size_t bytes;
    int64_t us; /* since TCP stood */
    struct waterfall_cost cost;
};

struct waterfall {
    const char *peer; /* whose it is, if there are others; NULL: the only one */
    bool done;        /* the handshake is; else it has failed */
    size_t n;         /* messages, of which the first WATERFALL_ROWS are kept */
    struct waterfall_row rows[WATERFALL_ROWS];
    int64_t end_us;            /* when it was done, or had failed */
    struct waterfall_cost end; /* since the last message */
    struct waterfall_cost sum; /* of all; the peak is the highest */
};

/** Count a message, and keep it if there is room. */
void waterfall_add(struct waterfall *w, const struct waterfall_row *row);

/** The handshake is over. @param us  since TCP stood */
void waterfall_end(struct waterfall *w, bool done, int64_t us,
                   const struct waterfall_cost *cost);

/* Where it is printed. */
struct waterfall_look {
    unsigned width; /* columns that a line may have; 0: it is no terminal, so
                       there are no bars, and no limit */
    bool colour;    /* by the SGR sequences of ECMA-48 */
};

/* Which columns of numbers there are, beside the arrow and the name. */
struct waterfall_columns {
    bool at, bytes, split, heap, peak;
    unsigned bar; /* columns of the bar; 0: none */
};

/**
 * Share out the columns of a line. The narrower it is, the fewer numbers: what
 * is left is what matters most, and never wider than the line.
 *
 * @param room  columns, without what each line begins with; 0: no limit
 * @param heap  it was counted
 */
struct waterfall_columns waterfall_columns(unsigned room, bool heap);

/**
 * Draw the bar of one row: '.' where we waited, '#' where we computed, '|'
 * where neither shows. The order of the two is that of the direction: what we
 * send is computed last, what we receive was waited for last.
 *
 * @param i        of a message; w->n: of the end
 * @param columns  for the time from 0 to w->end_us, 1 to WATERFALL_BAR_MAX
 * @param buf      columns + 1 bytes; NUL-terminated, without spaces at its end
 */
void waterfall_bar(const struct waterfall *w, size_t i, unsigned columns,
                   char *buf);

/**
 * Print it: a heading, a line for each message, one for the end, the sums. Each
 * line begins with "mptls: ", and where it is no terminal with "mptls: cost: "
 * and the peer, if there are others.
 */
void report_text_waterfall(FILE *f, const struct waterfall *w,
                           const struct waterfall_look *look);

#endif
