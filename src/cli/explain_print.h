/*
 * explain_print.h - what one CODE of `mptls explain` can mean, on stdout.
 */
#ifndef CLI_EXPLAIN_PRINT_H
#define CLI_EXPLAIN_PRINT_H

#include <stdint.h>

#include "cli/explain_code.h"
#include "report/explain.h"
#include "tls/mp_error.h"

/* What a CODE can mean. A text that is "" is not known. */
struct explain_reading {
    const char *origin;
    int64_t code;
    const struct explain_cause *cause; /* NULL: the table has none */
    const char *applies;
    char name[96], what[200], numbers[EXPLAIN_CODE_MAX],
        micropython[MP_ERROR_MAX];
};

/** A paragraph, within 79 columns, and an empty line. */
void explain_print_text(const char *given, const struct explain_reading *r);

/** One JSON object and a newline. */
void explain_print_json(const char *given, const struct explain_reading *r);

#endif
