#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/http.h"
#include "test.h"

static struct http h;
static int pages;

static char *page(void *arg, bool json, size_t *len) {
    pages++;
    if (arg == NULL) {
        return NULL;
    }
    const char *text = json ? "{\"a\":1}" : arg;
    *len = strlen(text);
    return strdup(text);
}

static void give(const char *text, size_t len) {
    struct err err = ERR_INIT;
    assert_int_equal(h.out.stream.ops->write(&h.out.stream, text, len, &err),
                     len);
    assert_int_equal(err.origin, ERR_NONE);
}

static void end(void) {
    struct err err = ERR_INIT;
    assert_int_equal(h.out.stream.ops->end(&h.out.stream, &err), 0);
}

static ssize_t take(char *buf, size_t len) {
    struct err err = ERR_INIT;
    ssize_t n = h.in.stream.ops->read(&h.in.stream, buf, len, &err);
    assert_int_equal(err.origin, ERR_NONE);
    return n;
}

/* The answer, in pieces of `chunk`; "" if there is none yet. */
static const char *answer(size_t chunk) {
    static char text[1024];
    size_t len = 0;
    ssize_t n;
    while ((n = take(text + len, chunk)) > 0) {
        len += (size_t)n;
        assert_true(len + chunk < sizeof text);
    }
    text[len] = '\0';
    assert_int_equal(n, len == 0 && !h.answered ? STREAM_WANT_RD : STREAM_EOF);
    return text;
}

static void begin(void) {
    static char text[] = "a page";
    pages = 0;
    http_init(&h, page, text, INT64_MAX / 2);
}

#define HEAD_OF(status, type, len)                                             \
    "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nContent-Length: " len    \
    "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
#define PLAIN "text/plain; charset=utf-8"
#define TEXT HEAD_OF("200 OK", PLAIN, "6") "a page"
#define JSON HEAD_OF("200 OK", "application/json", "7") "{\"a\":1}"
#define TEXT_HEAD HEAD_OF("200 OK", PLAIN, "6")
#define JSON_HEAD HEAD_OF("200 OK", "application/json", "7")
#define BAD_TEXT HEAD_OF("400 Bad Request", PLAIN, "0")

static const struct {
    const char *request, *answer;
} rows[] = {
    { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", TEXT },
    { "GET / HTTP/1.0\r\n\r\n", TEXT },
    { "GET / HTTP/1.0\n\n", TEXT },
    { "\r\n\r\nGET / HTTP/1.0\r\n\r\n", TEXT },
    { "POST /any?x=.json HTTP/1.1\r\n\r\n{}", TEXT },
    { "OPTIONS * HTTP/1.1\r\n\r\n", TEXT },
    { "X-Y https://a/b HTTP/1.9\r\n\r\n", TEXT },
    { "HEAD / HTTP/1.1\r\n\r\n", TEXT_HEAD },
    { "head / HTTP/1.1\r\n\r\n", TEXT },
    { "GET /a.json HTTP/1.1\r\n\r\n", JSON },
    { "GET /a.json?x HTTP/1.1\r\n\r\n", JSON },
    { "GET /json HTTP/1.1\r\n\r\n", TEXT },
    { "HEAD /.json HTTP/1.1\r\n\r\n", JSON_HEAD },
    { "GET / HTTP/1.1\r\nAccept: application/json\r\n\r\n", JSON },
    { "GET / HTTP/1.1\r\naccept:text/html , Application/JSON ;q=1\r\n\r\n",
      JSON },
    { "GET / HTTP/1.1\r\nAccept: text/html\r\nAccept: application/json\n\n",
      JSON },
    { "GET / HTTP/1.1\r\nAccept: application/jsonx, */*\r\n\r\n", TEXT },
    { "GET / HTTP/1.1\r\nAccept:\r\nX:\r\n\r\n", TEXT },
    { "GET / HTTP/1.1\r\nX-Accept: application/json\r\n\r\n", TEXT },
    { "GET / HTTP/1.1\r\nX: y\r\n z\r\n\r\n", TEXT },
    { "GET / HTTP/1.1\r\nno field\r\n\r\n", BAD_TEXT },
    { "GET / HTTP/1.1\r\n: x\r\n\r\n", BAD_TEXT },
    { "GET / HTTP/1.1\r\nX : y\r\n\r\n", BAD_TEXT },
    { "GET /\r\n", BAD_TEXT },
    { "GET / HTTP/2.0\r\n\r\n", BAD_TEXT },
    { "GET / HTTP/1.x\r\n\r\n", BAD_TEXT },
    { "GET  HTTP/1.1\r\n\r\n", BAD_TEXT },
    { "GET / x HTTP/1.1\r\n\r\n", BAD_TEXT },
    { " GET / HTTP/1.1\r\n\r\n", BAD_TEXT },
    { "G(T / HTTP/1.1\r\n\r\n", BAD_TEXT },
    { "HTTP/1.1\r\n\r\n", BAD_TEXT },
    { "hello\n", BAD_TEXT },
};

static void requests_are_answered(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        give(rows[i].request, strlen(rows[i].request));
        assert_string_equal(answer(512), rows[i].answer);
        assert_int_equal(pages, strstr(rows[i].answer, "200 OK") != NULL);
        http_free(&h);
    }
}

static void it_matters_not_in_which_pieces(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *request = rows[i].request;
        begin();
        const char *got = "";
        for (size_t at = 0; request[at] != '\0' && got[0] == '\0'; at++) {
            give(request + at, 1);
            got = answer(1);
        }
        assert_string_equal(got, rows[i].answer);
        http_free(&h);
        http_free(&h);
    }
}

static void what_is_not_whole_has_no_answer(void **state) {
    (void)state;
    static const char request[] = "GET / HTTP/1.1\r\nAccept: x\r\n\r\n";
    for (size_t len = 0; len < sizeof request - 1; len++) {
        begin();
        give(request, len);
        assert_string_equal(answer(512), "");
        end();
        assert_string_equal(answer(512), len == 0 ? "" : BAD_TEXT);
        assert_int_equal(pages, 0);
        http_free(&h);
    }
}

static void one_that_is_too_long_is_refused(void **state) {
    (void)state;
    static char much[HTTP_REQUEST_MAX];
    static const char first[] = "GET / HTTP/1.1\r\n";
    const char *const large =
        HEAD_OF("431 Request Header Fields Too Large", PLAIN, "0");
    begin();
    memset(much, 'x', sizeof much);
    give(first, sizeof first - 1);
    give(much, sizeof much - sizeof first);
    assert_string_equal(answer(512), "");
    give(much, 1);
    assert_int_equal(h.len, HTTP_REQUEST_MAX);
    assert_string_equal(answer(512), large);
    give(much, sizeof much); /* dropped */
    http_free(&h);
    begin(); /* with an end just in time */
    memcpy(much, first, sizeof first - 1);
    memcpy(much + sizeof first - 1, "X:", 2);
    memcpy(much + sizeof much - 4, "\r\n\r\n", 4);
    give(much, sizeof much);
    assert_string_equal(answer(512), TEXT);
    http_free(&h);
}

static void one_that_is_late_is_told_so(void **state) {
    (void)state;
    static char text[] = "a page";
    http_init(&h, page, text, INT64_MIN / 2);
    give("GET / HTTP/1.1\r\n", 16);
    assert_string_equal(answer(512),
                        HEAD_OF("408 Request Timeout", PLAIN, "0"));
    http_free(&h);
}

static void no_memory_for_the_page(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    char buf[8];
    http_init(&h, page, NULL, INT64_MAX / 2);
    give("GET / HTTP/1.1\r\n\r\n", 18);
    assert_int_equal(h.in.stream.ops->read(&h.in.stream, buf, sizeof buf, &err),
                     STREAM_ERROR);
    assert_int_equal(err.origin, ERR_OS);
    assert_int_equal(err.code, ENOMEM);
    http_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(it_matters_not_in_which_pieces),
        cmocka_unit_test(what_is_not_whole_has_no_answer),
        cmocka_unit_test(one_that_is_too_long_is_refused),
        cmocka_unit_test(one_that_is_late_is_told_so),
        cmocka_unit_test(no_memory_for_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
