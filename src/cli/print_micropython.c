#include "cli/print_micropython.h"

#include <mbedtls/ssl_ciphersuites.h>
#include <string.h>

struct program {
    FILE *f;
    const struct client *c;
    const struct tls_options *o;
    bool tls; /* the module that has set_ciphers() */
};

/* A string of Python's; UTF-8 stays as it is. */
static void string(FILE *f, const char *s) {
    fputc('"', f);
    for (; *s != '\0'; s++) {
        unsigned char b = (unsigned char)*s;
        if (b == '"' || b == '\\') {
            fprintf(f, "\\%c", b);
        } else if (b < 0x20 || b == 0x7f) {
            fprintf(f, "\\x%02x", b);
        } else {
            fputc(b, f);
        }
    }
    fputc('"', f);
}

static void remark(FILE *f, const char *text) {
    fprintf(f, "# %s\n", text);
}

/* What this run had that a board has not. */
static void cannot(const struct program *p, const struct report *r) {
    const struct tls_options *o = p->o;
    const struct {
        bool here;
        const char *text;
    } rows[] = {
        { r->tls.version != NULL && strcmp(r->tls.version, "TLSv1.3") == 0,
          "TLS 1.3 was spoken here, and a board speaks 1.2: see what it gets "
          "with --max-version 1.2." },
        { o->min_version == SSL_TLS_1_3,
          "A board cannot ask for TLS 1.3 at least." },
        { o->pins.n != 0, "A board has no --pin: compare getpeercert(True), "
                          "where it has that." },
        { o->crl != NULL, "A board reads no CRL (--crl): it takes what is "
                          "revoked." },
        { o->alpn != NULL, "A board offers no ALPN protocol (--alpn)." },
        { o->time != NULL,
          "The clock was given here (--time): set the board's to the same." },
        { o->verify == SSL_CERT_OPTIONAL,
          "CERT_OPTIONAL on a board drops what the verification finds." },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].here) {
            remark(p->f, rows[i].text);
        }
    }
}

/* The CAs that were given, one of which a board takes. */
static const mbedtls_x509_crt *given(const struct program *p) {
    const struct ssl_context *ctx = &p->c->setup.ctx;
    return ctx->have_ca ? &ctx->ca : NULL;
}

static void trust(const struct program *p, const struct cadata *picked) {
    const mbedtls_x509_crt *ca = given(p);
    struct cadata c = *picked;
    struct err ignored = ERR_INIT;
    bool many = ca != NULL && ca->next != NULL;
    if (ca != NULL && (!many || !picked->verified)) {
        c = (struct cadata){ .der = ca->raw.p, .len = ca->raw.len };
        c.verified = true; /* by whoever gave it */
        ssl_cert_describe(ca, p->c->setup.ctx.now, &c.info);
    }
    if (c.der == NULL) {
        remark(p->f, "No CA is known: load_verify_locations() needs one.");
        return;
    }
    if (many) {
        remark(p->f, "Of the CAs given, the one that a board needs.");
    }
    remark(p->f, "One CA, in DER: PEM is for an esp32, or MicroPython 1.29.");
    int rc = print_cadata(p->f, CADATA_MICROPYTHON, &c, &ignored);
    (void)rc; /* there is one */
    fputc('\n', p->f);
}

static void file_name(const struct program *p, const char *data,
                      const char *other) {
    bool path =
        strcmp(tls_data_name(data), data) == 0 && strncmp(data, "fd:", 3) != 0;
    string(p->f, path ? data : other);
}

/* tls takes bytes, and ssl takes the name of a file. */
static void our_certificate(const struct program *p) {
    const char *before = p->tls ? "open(" : "";
    const char *after = p->tls ? ", \"rb\").read()" : "";
    remark(p->f, "Both files must be on the board, in DER before MicroPython "
                 "1.29; an esp32 takes PEM.");
    fprintf(p->f, "ctx.load_cert_chain(%s", before);
    file_name(p, p->o->certs.value[0], "client.der");
    fprintf(p->f, "%s, %s", after, before);
    file_name(p, p->o->keys.value[0], "client-key.der");
    fprintf(p->f, "%s)\n", after);
}

static void suites(const struct program *p) {
    static const char of_13[] = "TLS1-3-";
    const int *id = ssl_context_get_ciphers(&p->c->setup.ctx);
    remark(p->f, "One that the firmware lacks raises OSError(-24192, "
                 "'MBEDTLS_ERR_SSL_BAD_CONFIG').");
    fputs("ctx.set_ciphers([\n", p->f);
    for (; *id != 0; id++) {
        const char *name = mbedtls_ssl_get_ciphersuite_name(*id);
        if (strncmp(name, of_13, sizeof of_13 - 1) == 0) {
            fprintf(p->f, "    # %s: a board has no TLS 1.3\n", name);
        } else {
            fprintf(p->f, "    \"%s\",\n", name);
        }
    }
    fputs("])\n", p->f);
}

static void context(const struct program *p, const struct cadata *cadata) {
    static const char *const modes[] = { "CERT_NONE", "CERT_OPTIONAL",
                                         "CERT_REQUIRED" };
    const char *module = p->tls ? "tls" : "ssl";
    enum ssl_verify_mode mode = p->c->setup.args.cert_reqs;
    bool ca = mode != SSL_CERT_NONE;
    if (ca) {
        remark(p->f, "Set the clock first, by ntptime.settime(): a board whose "
                     "clock is not set finds every");
        remark(p->f, "certificate to be from the future.");
        trust(p, cadata);
    }
    fprintf(p->f, "ctx = %s.SSLContext(%s.PROTOCOL_TLS_CLIENT)\n", module,
            module);
    fprintf(p->f, "ctx.verify_mode = %s.%s\n", module, modes[mode]);
    if (ca && (given(p) != NULL || cadata->der != NULL)) {
        fprintf(p->f, "ctx.load_verify_locations(%scadata)\n",
                p->tls ? "" : "cadata=");
    }
    if (p->o->certs.n > 0) {
        our_certificate(p);
    }
    if (p->tls) {
        suites(p);
    }
}

static void connection(const struct program *p,
                       const struct net_target *target) {
    const char *name = p->c->session.server_hostname;
    fputs("\nsock = socket.socket()\ntry:\n    sock.connect("
          "socket.getaddrinfo(",
          p->f);
    string(p->f, target->host);
    fprintf(p->f, ", %s)[0][-1])\n", target->port);
    if (name != NULL && name[0] == '\0' &&
        p->c->setup.args.cert_reqs != SSL_CERT_NONE) {
        fputs("    # A board cannot waive the name: no certificate has ''.\n",
              p->f);
    }
    fputs("    stream = ctx.wrap_socket(sock", p->f);
    if (name != NULL) {
        fputs(", server_hostname=", p->f);
        string(p->f, name);
    }
    fputs(")\n    print(\"ok:\", stream.cipher())\n    stream.close()\n"
          "finally:\n    sock.close()\n",
          p->f);
}

void print_micropython(FILE *f, const struct client *c,
                       const struct net_target *target,
                       const struct cadata *cadata, const struct report *r) {
    struct program p = { .f = f,
                         .c = c,
                         .o = &c->options->tls,
                         .tls = c->options->tls.ciphers != NULL };
    remark(f, "What mptls did, for a board.");
    if (r->err.origin == ERR_NONE) {
        remark(f, "It went well here.");
    } else {
        fprintf(f, "# It failed here: %s\n", r->err.msg);
    }
    if (r->micropython != NULL) {
        fprintf(f, "# It should raise %s.\n", r->micropython);
    }
    cannot(&p, r);
    if (p.tls) {
        remark(f, "Suites are chosen in the module tls: ssl has no "
                  "set_ciphers() since MicroPython 1.23.");
    }
    fprintf(f, "import socket\nimport %s\n\n", p.tls ? "tls" : "ssl");
    context(&p, cadata);
    connection(&p, target);
}
