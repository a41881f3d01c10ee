/*
 * causes.h - the two halves of the table of causes; explain_at() has both.
 */
#ifndef REPORT_CAUSES_H
#define REPORT_CAUSES_H

#include "report/explain.h"

/** @return the i-th cause that a number stands for, or NULL past the last */
const struct explain_cause *causes_at(size_t i);

/** @return the i-th one that a finding stands for (tls/ssl_diagnose.h) */
const struct explain_cause *findings_at(size_t i);

#endif
