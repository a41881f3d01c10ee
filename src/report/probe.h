/*
 * probe.h - what a server takes, printed.
 */
#ifndef REPORT_PROBE_H
#define REPORT_PROBE_H

#include "report/json_write.h"
#include "report/report.h"

/** The whole of it as text, one fact a line. */
void report_text_probe(FILE *f, const struct report_probe *p);

/** The same as the key "probe"; null where there is none. */
void report_json_probe(struct json *j, const struct report_probe *p);

#endif
