/*
 * http.h - a server that answers any HTTP/1.x request with a page about the
 * connection (RFC 9112), as a pair of streams in memory (io/service.h).
 *
 * Not an HTTP server: one request is read up to its empty line, its body, if it
 * has one, is dropped, and the answer ends the connection.
 */
#ifndef IO_HTTP_H
#define IO_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stream.h"

enum {
    HTTP_REQUEST_MAX = 16384, /* bytes of a request without its body */
    HTTP_HEAD_MAX = 256,      /* of our answer's */
    HTTP_TIME_MS = 10000      /* for the request */
};

/* The page: `json`, or else text.
 * @return malloc'ed bytes, which the callee's caller frees; NULL: no memory */
typedef char *http_page(void *arg, bool json, size_t *len);

struct http;

struct http_end {
    struct stream stream; /* first, so that it is a stream */
    struct http *of;
};

struct http {
    struct http_end in, out;
    http_page *page;
    void *arg;       /* borrowed */
    int64_t due_ms;  /* when the request is late */
    bool ended;      /* no more will come from the client */
    bool answered;   /* head and body are there */
    size_t len;      /* bytes in `request` */
    size_t pos;      /* bytes sent of head and body */
    char *body;      /* owned */
    size_t body_len; /* 0 for HEAD */
    size_t head_len;
    char head[HTTP_HEAD_MAX];
    char *request; /* HTTP_REQUEST_MAX bytes; owned; NULL: not begun, or
                      answered */
};

/**
 * Make `h` ready for one client; http_free() is due in the end. It must stay
 * where it is.
 *
 * Answered are a request of any method with 200, JSON where its Accept has
 * application/json or its path ends in .json; HEAD without a body; what is no
 * HTTP/1.x request with 400; one that is longer than HTTP_REQUEST_MAX with 431;
 * one that is late with 408. A client that ends without a byte gets none.
 *
 * A write to `out` fails with ERR_OS (ENOMEM) where there is no memory for the
 * request.
 *
 * @param page    called at most once, by a read of `in`, which fails with
 *                ERR_OS (ENOMEM) if it does
 * @param arg     handed to it
 * @param now_ms  the time on loop_now_ms()'s clock, from which HTTP_TIME_MS
 *                count; `in` is to be read again at due_ms at the latest
 */
void http_init(struct http *h, http_page *page, void *arg, int64_t now_ms);

/** May be called twice. */
void http_free(struct http *h);

#endif
