#include "io/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/loop.h"

/* One line, or a part of it. */
struct span {
    const char *at;
    size_t len;
};

static bool is_token(char c) {
    static const char signs[] = "!#$%&'*+-.^_`|~"; /* RFC 9110 5.6.2 */
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return letter || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(signs, c) != NULL);
}

static bool blank(char c) {
    return c == ' ' || c == '\t';
}

/* Take the next line; its end may be a lone LF (RFC 9112 2.2).
 * @return false: there is no whole line */
static bool next_line(struct span *rest, struct span *line) {
    const char *lf = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
    if (lf == NULL) {
        return false;
    }
    line->at = rest->at;
    line->len = (size_t)(lf - rest->at);
    rest->len -= line->len + 1;
    rest->at = lf + 1;
    if (line->len > 0 && line->at[line->len - 1] == '\r') {
        line->len--;
    }
    return true;
}

static bool same(struct span s, const char *word) {
    return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

/* The first line: a method, a target, "HTTP/1." and a digit. */
static bool request_line(struct span line, struct span *method,
                         struct span *target) {
    static const char version[] = " HTTP/1.";
    enum { TAIL = sizeof version }; /* the digit in place of the NUL */
    size_t n = 0;
    while (n < line.len && is_token(line.at[n])) {
        n++;
    }
    if (n == 0 || line.len < n + 2 + TAIL || line.at[n] != ' ' ||
        memcmp(line.at + line.len - TAIL, version, TAIL - 1) != 0 ||
        line.at[line.len - 1] < '0' || line.at[line.len - 1] > '9') {
        return false;
    }
    *method = (struct span){ line.at, n };
    *target = (struct span){ line.at + n + 1, line.len - n - 1 - TAIL };
    return memchr(target->at, ' ', target->len) == NULL;
}

static bool path_ends_in_json(struct span target) {
    static const char ending[] = ".json";
    size_t n = 0, len = sizeof ending - 1;
    while (n < target.len && target.at[n] != '?' && target.at[n] != '#') {
        n++;
    }
    return n >= len && memcmp(target.at + n - len, ending, len) == 0;
}

/* Is application/json among the types of an Accept (RFC 9110 12.5.1)? */
static bool lists_json(struct span value) {
    while (value.len > 0) {
        struct span type = value;
        const char *comma = memchr(value.at, ',', value.len);
        type.len = comma != NULL ? (size_t)(comma - value.at) : value.len;
        size_t step = comma != NULL ? type.len + 1 : type.len;
        value.at += step;
        value.len -= step;
        const char *semicolon = memchr(type.at, ';', type.len);
        type.len = semicolon != NULL ? (size_t)(semicolon - type.at) : type.len;
        while (type.len > 0 && blank(*type.at)) {
            type.at++;
            type.len--;
        }
        while (type.len > 0 && blank(type.at[type.len - 1])) {
            type.len--;
        }
        if (same(type, "application/json")) {
            return true;
        }
    }
    return false;
}

/* @return false: that is no header field */
static bool header(struct span line, bool *json) {
    const char *colon = memchr(line.at, ':', line.len);
    struct span name = { line.at,
                         colon != NULL ? (size_t)(colon - line.at) : 0 };
    for (size_t i = 0; i < name.len; i++) {
        if (!is_token(name.at[i])) {
            return false;
        }
    }
    if (name.len == 0) { /* one that goes on (RFC 9112 5.2) is passed over */
        return colon == NULL && line.len > 0 && blank(line.at[0]);
    }
    struct span value = { colon + 1, line.len - name.len - 1 };
    *json = *json || (same(name, "Accept") && lists_json(value));
    return true;
}

enum { MORE = 0, OK = 200, BAD = 400, LATE = 408, LARGE = 431 };

/* @return what to answer, or MORE: it has not come whole */
static int parse(const struct http *h, bool *head, bool *json) {
    struct span rest = { h->request, h->len }, line, method, target;
    bool first = true;
    int status = OK;
    *head = *json = false;
    while (next_line(&rest, &line)) {
        if (first && line.len == 0) {
            continue; /* RFC 9112 2.2: ignore an empty line before it */
        }
        if (first) {
            if (!request_line(line, &method, &target)) {
                return BAD;
            }
            *head = method.len == 4 && memcmp(method.at, "HEAD", 4) == 0;
            *json = path_ends_in_json(target);
            first = false;
        } else if (line.len == 0) {
            return status;
        } else if (!header(line, json)) {
            status = BAD;
        }
    }
    return MORE;
}

static const char *phrase(int status) {
    return status == OK     ? "OK"
           : status == LATE ? "Request Timeout"
           : status == BAD  ? "Bad Request"
                            : "Request Header Fields Too Large";
}

static int answer(struct http *h, int status, bool head, bool json,
                  struct err *err) {
    size_t len = 0;
    if (status == OK) {
        h->body = h->page(h->arg, json, &len);
        if (h->body == NULL) {
            return err_set(err, ERR_OS, ENOMEM, "--http: out of memory");
        }
    }
    h->head_len = (size_t)snprintf(
        h->head, sizeof h->head,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        status, phrase(status),
        json ? "application/json" : "text/plain; charset=utf-8", len);
    h->body_len = head ? 0 : len;
    h->answered = true;
    free(h->request);
    h->request = NULL;
    return 0;
}

/* @return 0, or as a stream's read */
static int try_answer(struct http *h, struct err *err) {
    bool head, json;
    int status = parse(h, &head, &json);
    if (status == MORE && h->len == HTTP_REQUEST_MAX) {
        status = LARGE;
    } else if (status == MORE && h->ended) {
        if (h->len == 0) {
            h->answered = true; /* by nothing */
            return 0;
        }
        status = BAD;
    } else if (status == MORE && loop_now_ms() >= h->due_ms) {
        status = LATE;
    }
    return status == MORE ? STREAM_WANT_RD : answer(h, status, head, json, err);
}

static ssize_t http_read(struct stream *stream, void *buf, size_t len,
                         struct err *err) {
    struct http *h = ((struct http_end *)stream)->of;
    int rc = h->answered ? 0 : try_answer(h, err);
    if (rc != 0) {
        return rc;
    }
    bool in_head = h->pos < h->head_len;
    size_t at = in_head ? h->pos : h->pos - h->head_len;
    size_t left = (in_head ? h->head_len : h->body_len) - at;
    size_t n = left < len ? left : len;
    if (n > 0) {
        memcpy(buf, (in_head ? h->head : h->body) + at, n);
        h->pos += n;
    }
    return n > 0 ? (ssize_t)n : STREAM_EOF;
}

static ssize_t http_write(struct stream *stream, const void *buf, size_t len,
                          struct err *err) {
    struct http *h = ((struct http_end *)stream)->of;
    size_t room = HTTP_REQUEST_MAX - h->len;
    size_t n = len < room ? len : room;
    if (!h->answered) {
        if (h->request == NULL &&
            (h->request = malloc(HTTP_REQUEST_MAX)) == NULL) {
            return err_set(err, ERR_OS, ENOMEM, "--http: out of memory");
        }
        memcpy(h->request + h->len, buf, n);
        h->len += n;
    }
    return (ssize_t)len; /* what is beyond that is dropped */
}

static int http_end(struct stream *stream, struct err *err) {
    (void)err;
    ((struct http_end *)stream)->of->ended = true;
    return 0;
}

void http_init(struct http *h, http_page *page, void *arg, int64_t now_ms) {
    static const struct stream_ops in = { .read = http_read };
    static const struct stream_ops out = { .write = http_write,
                                           .end = http_end };
    h->in = (struct http_end){ { .ops = &in, .fd = -1 }, h };
    h->out = (struct http_end){ { .ops = &out, .fd = -1 }, h };
    h->page = page;
    h->arg = arg;
    h->due_ms = now_ms + HTTP_TIME_MS;
    h->ended = h->answered = false;
    h->len = h->pos = h->head_len = h->body_len = 0;
    h->body = NULL;
    h->request = NULL;
}

void http_free(struct http *h) {
    free(h->body);
    free(h->request);
    h->body = NULL;
    h->request = NULL;
}
