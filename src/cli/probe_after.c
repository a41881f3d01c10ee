#include <unistd.h>

#include "cli/probe.h"

/* What ends it is why the whole ends, unless that had failed before; but one
 * who presses ^C wants to see that. */
static void ended(struct report *r, int rc, const struct err *why) {
    if (rc != 0 && (why->origin == ERR_SIGNAL || r->err.origin == ERR_NONE)) {
        r->err = *why;
    }
}

void probe_after(struct client *c, bool probe, const struct output *out,
                 struct report *r) {
    static struct report_probe found;
    struct err err = ERR_INIT;
    struct probe_config config = {
        .loop = &c->loop,
        .address = r->peer,
        .server_name = r->tls.ours.server_name,
        .ours = &c->setup.ctx,
        .connect_timeout = c->options->connect_timeout,
        .handshake_timeout = c->options->tls.handshake_timeout,
    };
    bool why = probe_can_tell(r);
    r->can_ask = why && !c->options->why;
    why = why && c->options->why;
    if (r->peer == NULL || r->err.origin == ERR_SIGNAL ||
        r->err.origin == ERR_MAX_TIME || (!why && !probe)) {
        return;
    }
    config.progress = !out->json_on_stderr && isatty(STDERR_FILENO) != 0;
    if (why) {
        char stopped[sizeof err.msg];
        ended(r, probe_why(&config, &r->tls, stopped, &err), &err);
        if (stopped[0] != '\0') {
            output_warning(out, stopped);
        }
    }
    if (probe && err.origin == ERR_NONE) {
        r->probe = &found;
        ended(r, probe_all(&config, &found, &err), &err);
    }
}
