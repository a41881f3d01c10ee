#include "cli/serve_mode.h"

#include <stdlib.h>
#include <string.h>

#include "io/file.h"

#define O struct serve_mode_options

const struct opt serve_mode_opts[] = {
    OPT_ROW_FLAG(O, echo, 0, "echo", "send back what comes"),
    OPT_ROW_FLAG(O, discard, 0, "discard", "drop what comes, send nothing"),
    OPT_ROW_FLAG(O, chargen, 0, "chargen",
                 "send lines of characters until the client ends"),
    OPT_ROW_STRING(O, reply, 0, "reply", "FILE",
                   "send this file to each client, drop what comes"),
    OPT_END
};

#undef O

static int choose(struct serve_mode *m, const char *option, bool given,
                  struct err *err) {
    if (!given) {
        return 0;
    }
    if (m->option != NULL) {
        return err_set(err, ERR_USAGE, 0, "%s and %s are one or the other",
                       m->option, option);
    }
    m->option = option;
    return 0;
}

int serve_mode_init(struct serve_mode *m, const struct serve_mode_options *o,
                    struct err *err) {
    struct err why = ERR_INIT;
    *m = (struct serve_mode){ .options = o };
    if (choose(m, "--echo", o->echo, err) != 0 ||
        choose(m, "--discard", o->discard, err) != 0 ||
        choose(m, "--chargen", o->chargen, err) != 0 ||
        choose(m, "--reply", o->reply != NULL, err) != 0) {
        return -1;
    }
    if (o->reply != NULL &&
        file_read(o->reply, FILE_MAX, &m->reply, &m->reply_len, &why) != 0) {
        return err_set(err, why.origin, why.code, "--reply: %s", why.msg);
    }
    return 0;
}

void serve_mode_free(struct serve_mode *m) {
    free(m->reply);
    m->reply = NULL;
}

void serve_link_start(struct serve_link *link, const struct serve_mode *m) {
    const struct serve_mode_options *o = m->options;
    enum service_kind kind = o->echo      ? SERVICE_ECHO
                             : o->discard ? SERVICE_DISCARD
                             : o->chargen ? SERVICE_CHARGEN
                                          : SERVICE_REPLY;
    service_init(&link->service, kind, m->reply, m->reply_len);
    link->in = &link->service.in.stream;
    link->out = &link->service.out.stream;
}
