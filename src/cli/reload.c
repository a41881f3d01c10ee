#include "cli/reload.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/session.h"
#include "cli/signals.h"

/* @return or NULL, with *err set */
static struct tls_setup *make(const struct reload *r, struct err *err) {
    struct tls_setup *s = calloc(1, sizeof *s);
    if (s == NULL) {
        err_set(err, ERR_OS, ENOMEM, "make a context");
        return NULL;
    }
    if (tls_setup_init(s, r->options, true, r->setup, err) != 0) {
        tls_setup_free(s);
        free(s);
        return NULL;
    }
    session_warn(s, r->options, r->out);
    s->users = 1;
    return s;
}

struct tls_setup *reload_take(struct reload *r) {
    r->setup->users++;
    return r->setup;
}

void reload_put(struct tls_setup *s) {
    if (s != NULL && --s->users == 0) {
        tls_setup_free(s);
        free(s);
    }
}

int reload_init(struct reload *r, const struct tls_options *options,
                const struct output *out, bool on_hup, struct err *err) {
    *r = (struct reload){ .options = options, .out = out, .fd = -1 };
    r->setup = make(r, err);
    if (r->setup == NULL) {
        return -1;
    }
    return on_hup ? signals_tell(SIGHUP, &r->fd, err) : 0;
}

/* A descriptor has been read to its end, and to open a pipe may block for good.
 * What is missing or is no file is found out by reading it. */
static int check_again(const char *option, const char *data, bool path,
                       struct err *err) {
    struct stat st;
    if (data == NULL || (!path && tls_data_name(data) != data)) {
        return 0;
    }
    bool fd = !path && strncmp(data, "fd:", 3) == 0;
    if (fd || (stat(data, &st) == 0 && !S_ISREG(st.st_mode))) {
        return err_set(err, ERR_FILE, 0, "%s %.80s can be read only once",
                       option, data);
    }
    return 0;
}

static int check_all(const struct tls_options *o, struct err *err) {
    for (size_t i = 0; i < o->certs.n; i++) {
        if (check_again("--cert", o->certs.value[i], false, err) != 0 ||
            check_again("--key", o->keys.value[i], false, err) != 0) {
            return -1;
        }
    }
    if (check_again("--cafile", o->cafile, true, err) != 0 ||
        check_again("--cadata", o->cadata, false, err) != 0 ||
        check_again("--crl", o->crl, false, err) != 0) {
        return -1;
    }
    return 0;
}

int reload_now(struct reload *r, struct err *err) {
    struct err why = ERR_INIT;
    if (!signals_take(SIGHUP)) {
        return 0;
    }
    if (signals_terminal_gone()) {
        return err_set(err, ERR_SIGNAL, SIGHUP,
                       "stopped by signal %d: the terminal is gone", SIGHUP);
    }
    struct tls_setup *fresh =
        check_all(r->options, &why) == 0 ? make(r, &why) : NULL;
    if (fresh != NULL) {
        reload_put(r->setup);
        r->setup = fresh;
    }
    output_reload(r->out, &why);
    return 0;
}

void reload_free(struct reload *r) {
    reload_put(r->setup);
    r->setup = NULL;
}
