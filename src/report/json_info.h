/*
 * json_info.h - a struct ssl_info in JSON, part by part. The man page has the
 * schema.
 */
#ifndef REPORT_JSON_INFO_H
#define REPORT_JSON_INFO_H

#include "report/json_write.h"
#include "report/report.h"
#include "tls/ssl_info.h"

/** "flags": the names of the bits that are set. */
void json_flags(struct json *j, uint32_t bits);

/** One certificate. */
void json_cert(struct json *j, const char *key, const struct ssl_cert_info *c);

/** An array of certificates. */
void json_certs(struct json *j, const char *key, const struct ssl_cert_info *c,
                size_t n);

/** "tls": what was agreed on. */
void json_tls(struct json *j, const struct ssl_info *t);

/** "handshake": what went over the wire. */
void json_handshake(struct json *j, const struct ssl_info *t);

/** @return "none", "optional" or "required"; static */
const char *json_verify_mode(enum ssl_verify_mode mode);

/** "heap": what Mbed TLS took of it, or null. */
void json_heap(struct json *j, const struct ssl_heap_info *h);

/** An array of the names of what a list has. */
void json_ids(struct json *j, const char *key, enum ssl_kind kind,
              const struct ssl_ids *ids);

/** @return what a list of an offer is called: "ciphers"; static */
const char *json_offer_key(enum ssl_kind kind);

/** An offer's lists, each under its key. */
void json_offer_lists(struct json *j, const struct ssl_offer *o);

/** One offer, or null if it is not known. */
void json_offer(struct json *j, const char *key, const struct ssl_offer *o);

/** "exec": how the command ended, or null. */
void json_exec(struct json *j, const struct report_exec *e);

/** "bytes" and "times_ms". */
void json_counts(struct json *j, const struct report *r);

/** "findings". */
void json_findings(struct json *j, const struct ssl_info *t);

#endif
