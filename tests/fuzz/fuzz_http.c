/*
 * fuzz_http.c - a request of serve --http: whole, and byte by byte.
 */
#include "fuzz.h"

#include "io/http.h"

static const char page[] = "{}\n";
static unsigned pages; /* that were asked for */

static char *make_page(void *arg, bool json, size_t *len) {
    (void)arg;
    (void)json;
    pages++;
    *len = sizeof page - 1;
    return strdup(page);
}

/* Everything that comes back until WANT, the end or a failure. */
static ssize_t take(struct http *h, char *to, size_t room, size_t *n) {
    struct err err = ERR_INIT;
    ssize_t got;
    do {
        CHECK(*n < room);
        got = h->in.stream.ops->read(&h->in.stream, to + *n, room - *n, &err);
        *n += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    CHECK(got != STREAM_ERROR && err.origin == ERR_NONE);
    return got;
}

static void give(struct http *h, const uint8_t *data, size_t len) {
    struct err err = ERR_INIT;
    while (len > 0) {
        ssize_t n = h->out.stream.ops->write(&h->out.stream, data, len, &err);
        CHECK(n > 0 && (size_t)n <= len);
        data += n;
        len -= (size_t)n;
    }
}

/* An answer has a head with a length, and that many bytes after it. */
static void check_answer(const char *text, size_t n) {
    static const char begins[] = "HTTP/1.1 ";
    const char *end = strstr(text, "\r\n\r\n");
    CHECK(strncmp(text, begins, sizeof begins - 1) == 0 && end != NULL);
    int status = atoi(text + sizeof begins - 1);
    CHECK(status == 200 || status == 400 || status == 431);
    CHECK(pages == (status == 200));
    const char *length = strstr(text, "\r\nContent-Length: ");
    CHECK(length != NULL && length < end);
    size_t body = n - (size_t)(end + 4 - text);
    size_t said = (size_t)atoi(length + 18);
    CHECK(said == (status == 200 ? sizeof page - 1 : 0));
    CHECK(body == said || body == 0); /* of HEAD there is none */
}

/* @return the answer's bytes, in `to` */
static size_t run(const uint8_t *data, size_t size, size_t piece, char *to,
                  size_t room) {
    struct http h;
    struct err err = ERR_INIT;
    size_t n = 0;
    pages = 0;
    http_init(&h, make_page, NULL, INT64_MAX / 2);
    for (size_t at = 0; at < size; at += piece) {
        give(&h, data + at, size - at < piece ? size - at : piece);
        (void)take(&h, to, room, &n);
    }
    CHECK(h.out.stream.ops->end(&h.out.stream, &err) == 0);
    CHECK(take(&h, to, room, &n) == STREAM_EOF);
    CHECK(n < room);
    to[n] = '\0';
    http_free(&h);
    http_free(&h);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char whole[1024], pieces[1024];
    size_t n = run(data, size, size > 0 ? size : 1, whole, sizeof whole);
    if (n > 0) {
        check_answer(whole, n);
    }
    CHECK((n == 0) == (size == 0));
    /* However it comes, it says the same. */
    CHECK(run(data, size, 1, pieces, sizeof pieces) == n);
    CHECK(memcmp(whole, pieces, n) == 0);
    return 0;
}
