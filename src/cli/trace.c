#include "cli/trace.h"

#include <stdlib.h>
#include <string.h>

#include "io/loop.h"
#include "tls/ssl_heap.h"
#include "tls/ssl_trace.h"

int trace_check(const struct opt_optional *option, struct err *err) {
    if (option->value != NULL && strcmp(option->value, "hex") != 0) {
        return err_set(err, ERR_USAGE, 0,
                       "--trace=%.60s: it is --trace or --trace=hex",
                       option->value);
    }
    return 0;
}

/* While the last message was printed the peer was waited for. */
static void printing_was_waiting(struct trace *t) {
    t->cost.waited_us += t->printing_us;
    t->printing_us = 0;
}

void trace_turn(struct trace *t, bool ours) {
    if (!t->on) {
        return;
    }
    int64_t now = loop_now_us(), passed = now - t->mark_us;
    *(t->ours ? &t->cost.computed_us : &t->cost.waited_us) += passed;
    if (!ours) {
        printing_was_waiting(t);
    }
    t->mark_us = now;
    t->ours = ours;
}

static void keep(struct waterfall *w, const struct report_message *m) {
    struct waterfall_row row = {
        .out = m->out, .bytes = m->bytes, .us = m->us, .cost = m->cost
    };
    snprintf(row.name, sizeof row.name, "%.*s%s", WATERFALL_NAME - 1, m->name,
             m->encrypted ? "*" : "");
    waterfall_add(w, &row);
}

static void on_message(void *arg, const struct ssl_tap_message *m) {
    struct trace *t = arg;
    char name[SSL_LABEL_MAX], text[SSL_TEXT_MAX];
    trace_turn(t, t->ours);
    if (t->was_out && !m->out) {
        printing_was_waiting(t);
    }
    t->was_out = m->out;
    t->cost.heap = m->heap;
    t->cost.heap_peak = m->heap_peak;
    ssl_trace_describe(&t->sock->tap, m, text, sizeof text);
    const struct report_message r = {
        .peer = t->peer,
        .many = t->many,
        .out = m->out,
        .us = t->mark_us - t->stood_us,
        .cost = t->cost,
        .name = ssl_trace_name(m, name),
        .bytes = m->len,
        .records = m->records,
        .encrypted = m->encrypted,
        .text = text,
        .hex = t->hex && m->data != NULL ? m->data : NULL,
    };
    output_message(t->out, &r);
    if (t->shaking != NULL) {
        keep(t->shaking, &r);
    }
    t->cost = (struct waterfall_cost){ 0 };
    t->printing_us = loop_now_us() - t->mark_us;
    t->mark_us += t->printing_us;
}

void trace_begin(struct trace *t, const struct tls_options *options) {
    if (!options->trace.given) {
        return;
    }
    t->on = t->ours = true;
    t->hex = options->trace.value != NULL;
    t->color = options->color;
    t->cost.waited_us = t->mark_us - t->stood_us;
    t->shaking = calloc(1, sizeof *t->shaking);
    if (t->shaking != NULL && t->many) {
        t->shaking->peer = t->peer;
    }
    ssl_socket_listen(t->sock, on_message, t);
}

void trace_shaken(struct trace *t, bool done) {
    if (t->shaking == NULL) {
        return;
    }
    trace_turn(t, t->ours);
    t->cost.heap = ssl_heap_now(t->sock->heap);
    t->cost.heap_peak = ssl_heap_step_peak(t->sock->heap);
    waterfall_end(t->shaking, done, t->mark_us - t->stood_us, &t->cost);
    if (t->shaking->n > 0) {
        output_waterfall(t->out, t->shaking, t->color);
    }
    trace_free(t);
    t->mark_us = loop_now_us();
}

void trace_free(struct trace *t) {
    free(t->shaking);
    t->shaking = NULL;
}

void trace_debug(const void *arg, int level, const char *line) {
    const struct output *out = arg;
    char text[1024];
    snprintf(text, sizeof text, "mbedtls %d: %s", level, line);
    output_warning(out, text);
}
