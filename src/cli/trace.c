#include "cli/trace.h"

#include <string.h>

#include "io/loop.h"
#include "tls/ssl_trace.h"

int trace_check(const struct opt_optional *option, struct err *err) {
    if (option->value != NULL && strcmp(option->value, "hex") != 0) {
        return err_set(err, ERR_USAGE, 0,
                       "--trace=%.60s: it is --trace or --trace=hex",
                       option->value);
    }
    return 0;
}

static void on_message(void *arg, const struct ssl_tap_message *m) {
    const struct trace *t = arg;
    char name[SSL_LABEL_MAX], text[SSL_TEXT_MAX];
    ssl_trace_describe(&t->sock->tap, m, text, sizeof text);
    const struct report_message r = {
        .peer = t->peer,
        .many = t->many,
        .out = m->out,
        .us = loop_now_us() - t->started_us,
        .name = ssl_trace_name(m, name),
        .bytes = m->len,
        .records = m->records,
        .encrypted = m->encrypted,
        .text = text,
        .hex = t->hex && m->data != NULL ? m->data : NULL,
    };
    output_message(t->out, &r);
}

void trace_begin(struct trace *t, const struct opt_optional *option,
                 const struct output *out, struct ssl_socket *sock,
                 const char *peer, bool many) {
    *t = (struct trace){
        .out = out,
        .sock = sock,
        .peer = peer,
        .many = many,
        .hex = option->value != NULL,
        .started_us = loop_now_us(),
    };
    if (option->given) {
        ssl_socket_listen(sock, on_message, t);
    }
}

void trace_debug(const void *arg, int level, const char *line) {
    const struct output *out = arg;
    char text[1024];
    snprintf(text, sizeof text, "mbedtls %d: %s", level, line);
    output_warning(out, text);
}
