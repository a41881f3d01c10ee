/*
 * offers.h - what both ends offer, side by side.
 */
#ifndef REPORT_OFFERS_H
#define REPORT_OFFERS_H

#include "report/report.h"

/**
 * The table, as "mptls: " lines: a row for each version, suite, group and
 * signature algorithm, with a column for each end; what has nothing in common
 * is marked, and long lists are cut. Nothing unless both offers are known, the
 * handshake failed, and some list has nothing in common.
 */
void offers_text(FILE *f, const struct report *r);

#endif
