#include "report/probe.h"

#include <string.h>

#include "report/json_info.h"

enum { WIDTH = 79 };

/* A list as lines of at most WIDTH columns; `first` begins the first one. */
static void list(FILE *f, const char *first, enum ssl_kind kind,
                 const struct ssl_ids *ids) {
    char name[SSL_LABEL_MAX];
    size_t indent = strlen(first), at = indent;
    fputs(first, f);
    for (size_t i = 0; i < ids->n; i++) {
        ssl_name(kind, ids->id[i], name);
        size_t len = strlen(name) + (i + 1 < ids->n ? 1 : 0);
        if (i > 0 && at + 1 + len > WIDTH) {
            fprintf(f, "\n%*s", (int)indent, "");
            at = indent;
        } else if (i > 0) {
            fputc(' ', f);
            at++;
        }
        fprintf(f, "%s%s", name, i + 1 < ids->n ? "," : "");
        at += len;
    }
    fputc('\n', f);
}

static void version(FILE *f, const struct report_version *v) {
    char name[SSL_LABEL_MAX];
    ssl_name(SSL_KIND_VERSION, v->version, name);
    if (!v->accepted) {
        fprintf(f, "  %-8s refused%s%s\n", name,
                v->refusal[0] != '\0' ? ": " : "", v->refusal);
        return;
    }
    const char *order = !v->order_known ? ""
                        : v->own_order  ? ", in the server's order"
                                        : ", the client's order counts";
    fprintf(f, "  %-8s %zu suite%s%s\n", name, v->ciphers.n,
            v->ciphers.n == 1 ? "" : "s", order);
    for (size_t i = 0; i < v->ciphers.n; i++) {
        char cipher[SSL_LABEL_MAX];
        fprintf(f, "    %s\n",
                ssl_name(SSL_KIND_CIPHER, v->ciphers.id[i], cipher));
    }
    if (v->groups.n > 0) {
        list(f, "    groups: ", SSL_KIND_GROUP, &v->groups);
    }
    if (v->sig_algs.n > 0) {
        list(f, "    signatures: ", SSL_KIND_SIG_ALG, &v->sig_algs);
    }
}

static void device(FILE *f, const struct report_device *d) {
    fprintf(f, "  %-20s %s %d: %s\n", d->name, d->status == 0 ? "ok  " : "exit",
            d->status, d->result);
    if (d->note[0] != '\0') {
        fprintf(f, "  %-20s         but %s\n", "", d->note);
    }
}

void report_text_probe(FILE *f, const struct report_probe *p) {
    fprintf(f, "\nwhat the server takes, by %u handshakes:\n", p->connections);
    for (size_t i = 0; i < p->version_count; i++) {
        version(f, &p->versions[i]);
    }
    const struct ssl_ids *extensions = &p->accepted.of[SSL_KIND_EXTENSION];
    if (extensions->n > 0) {
        list(f, "  extensions: ", SSL_KIND_EXTENSION, extensions);
    }
    if (p->name_tried) {
        fprintf(f, "  without server_name (SNI): %s\n",
                p->name_needed ? "refused" : "the same");
    }
    if (p->certificate_wanted) {
        fputs("  it asks for the client's certificate\n", f);
    }
    if (p->stopped[0] != '\0') {
        fprintf(f, "  this is not all: %s\n", p->stopped);
    }
    if (p->device_count > 0) {
        fputs("\nwhat devices would get, whoever it is:\n", f);
    }
    for (size_t i = 0; i < p->device_count; i++) {
        device(f, &p->devices[i]);
    }
}

static void bool_or_null(struct json *j, const char *key, bool known, bool b) {
    if (known) {
        json_bool(j, key, b);
    } else {
        json_null(j, key);
    }
}

static void json_version(struct json *j, const struct report_version *v) {
    char name[SSL_LABEL_MAX];
    json_open(j, NULL, '{');
    json_text(j, "version", ssl_name(SSL_KIND_VERSION, v->version, name));
    json_bool(j, "accepted", v->accepted);
    json_text_or_null(j, "refusal", v->accepted ? "" : v->refusal);
    bool_or_null(j, "server_chooses", v->order_known, v->own_order);
    json_ids(j, "ciphers", SSL_KIND_CIPHER, &v->ciphers);
    json_ids(j, "groups", SSL_KIND_GROUP, &v->groups);
    json_ids(j, "sig_algs", SSL_KIND_SIG_ALG, &v->sig_algs);
    json_close(j, '}');
}

static void json_device(struct json *j, const struct report_device *d) {
    json_open(j, NULL, '{');
    json_text(j, "name", d->name);
    json_text(j, "title", d->title);
    json_int(j, "status", d->status);
    json_text(j, "result", d->result);
    json_text_or_null(j, "note", d->note);
    json_close(j, '}');
}

void report_json_probe(struct json *j, const struct report_probe *p) {
    if (p == NULL) {
        json_null(j, "probe");
        return;
    }
    json_open(j, "probe", '{');
    json_count(j, "connections", p->connections);
    json_text_or_null(j, "stopped", p->stopped);
    json_bool(j, "server_chooses", p->server_chooses);
    bool_or_null(j, "server_name_needed", p->name_tried, p->name_needed);
    json_bool(j, "certificate_wanted", p->certificate_wanted);
    json_offer(j, "accepted", &p->accepted);
    json_open(j, "versions", '[');
    for (size_t i = 0; i < p->version_count; i++) {
        json_version(j, &p->versions[i]);
    }
    json_close(j, ']');
    json_open(j, "devices", '[');
    for (size_t i = 0; i < p->device_count; i++) {
        json_device(j, &p->devices[i]);
    }
    json_close(j, ']');
    json_close(j, '}');
}
