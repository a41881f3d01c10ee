#include "cli/probe_device.h"

#include <mbedtls/ssl.h>
#include <stdio.h>
#include <string.h>

#include "cli/status.h"
#include "tls/ssl_failure.h"
#include "tls/ssl_identity.h"
#include "tls/ssl_profile.h"

enum { TLS13 = 0x0304, TLS12 = 0x0303, DEVICE_LIMIT = 51 };

/* Two handshakes at a time are none: one buffer will do. */
static struct ssl_info info;

/* A client that takes whoever it meets. */
static int context(struct ssl_context *ctx, struct err *err) {
    if (ssl_context_init(ctx, SSL_PROTOCOL_TLS_CLIENT, err) != 0) {
        return -1;
    }
    return ssl_context_set_verify_mode(ctx, SSL_CERT_NONE, err);
}

/* The device would have ours, if there is one. */
static int own_certificate(struct probe *p, struct ssl_context *ctx,
                           struct err *err) {
    struct ssl_context *ours = p->config->ours;
    if (ours == NULL || ours->own == NULL) {
        return 0;
    }
    int ret = mbedtls_ssl_conf_own_cert(&ctx->conf, &ours->own->cert,
                                        &ours->own->key);
    return ret == 0 ? 0 : ssl_failure_of(err, ret, "use the certificate");
}

static void keep_extensions(struct probe *p) {
    for (size_t i = 0; i < info.extensions.n; i++) {
        ssl_ids_add(&p->extensions, info.extensions.id[i]);
    }
}

/* RFC 8446 4.2.3: rsa_pkcs1_* are for the chain's certificates there. */
static int ask_sig_alg(struct probe *p, uint16_t id, struct report_version *v) {
    const uint16_t ids[] = { id, 0x0401, 0x0501, 0x0601, 0 };
    struct ssl_context ctx;
    struct err why = ERR_INIT;
    int rc = -1;
    if (context(&ctx, &why) != 0 ||
        ssl_context_set_versions(&ctx, SSL_TLS_1_3, SSL_TLS_1_3, &why) != 0) {
        p->err = why;
        goto out;
    }
    mbedtls_ssl_conf_sig_algs(&ctx.conf, ids);
    rc = probe_shake(p, &ctx, p->config->server_name, &info, &why);
    if (rc == 0 && info.handshake_done) {
        ssl_ids_add(&v->sig_algs, id);
        keep_extensions(p);
    }
out:
    ssl_context_free(&ctx);
    return rc;
}

static int ask_sig_algs(struct probe *p, struct report_probe *out) {
    static const uint16_t ids[] = { 0x0403, 0x0503, 0x0603,
                                    0x0804, 0x0805, 0x0806 };
    for (size_t i = 0; i < out->version_count; i++) {
        struct report_version *v = &out->versions[i];
        if (v->version != TLS13 || !v->accepted) {
            continue;
        }
        for (size_t k = 0; k < sizeof ids / sizeof ids[0]; k++) {
            if (ask_sig_alg(p, ids[k], v) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* What the device cannot take of what Mbed TLS took. @return its length */
static int limits(const struct ssl_device *d, unsigned records, char *buf,
                  size_t len) {
    char name[SSL_LABEL_MAX];
    const struct ssl_traffic *in = &info.in;
    if (d->max_in_record != 0 && in->largest_record > d->max_in_record) {
        return snprintf(buf, len, "a record of %zu bytes is over its %zu",
                        in->largest_record, d->max_in_record);
    }
    if (d->max_in_message != 0 && in->largest_message > d->max_in_message) {
        return snprintf(buf, len, "a %s of %zu bytes is over its %zu",
                        ssl_name(SSL_KIND_MESSAGE, in->largest_type, name),
                        in->largest_message, d->max_in_message);
    }
    if (d->whole_messages && records > 1) {
        return snprintf(buf, len,
                        "a message comes in %u records, which it does not join",
                        records);
    }
    buf[0] = '\0';
    return 0;
}

/* Certificates that it could not read, or not verify. */
static void note_chain(const struct ssl_profile *d, char *buf, size_t len) {
    for (size_t i = 0; i < info.sent_count; i++) {
        const struct ssl_cert_info *c = &info.sent[i];
        bool ec = strncmp(c->key, "EC", 2) == 0 && d->certs.allowed_curves == 0;
        bool pss = strstr(c->signature, "PSS") != NULL && d->device.no_pss;
        if (ec || pss) {
            snprintf(buf, len, "certificate %zu has %s, which it does not know",
                     i, ec ? "an EC key" : "an RSASSA-PSS signature");
            return;
        }
    }
}

static void result(const struct ssl_profile *d, unsigned records,
                   const struct err *why, struct report_device *out) {
    char group[SSL_LABEL_MAX] = "";
    out->status = status_of(why, STAGE_HANDSHAKE, info.cert_refused).number;
    if (why->origin != ERR_NONE) {
        bool too_large = why->origin == ERR_TLS &&
                         why->code == MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
        out->status = too_large ? DEVICE_LIMIT : out->status;
        snprintf(out->result, sizeof out->result, "%s", why->msg);
        return;
    }
    if (info.group != 0) {
        ssl_name(SSL_KIND_GROUP, info.group, group);
    }
    snprintf(out->result, sizeof out->result, "%s, %s%s%s", info.version,
             info.cipher, group[0] != '\0' ? ", " : "", group);
    if (limits(&d->device, records, out->note, sizeof out->note) > 0) {
        out->status = DEVICE_LIMIT;
    } else {
        note_chain(d, out->note, sizeof out->note);
    }
}

/* Mbed TLS has no TLS 1.0 and 1.1: a device's hello is sent without the rest,
 * and what the server chooses is what it gets. */
static int ask_old(struct probe *p, const struct ssl_profile *d,
                   struct report_device *out) {
    struct ssl_offer o;
    struct ssl_chosen chosen;
    char version[SSL_LABEL_MAX], cipher[SSL_LABEL_MAX];
    ssl_profile_offer(d, &o);
    const char *name = p->config->server_name;
    if (!d->device.sends_no_name && name != NULL) {
        snprintf(o.server_name, sizeof o.server_name, "%s", name);
    }
    int taken = probe_ask(p, &o, &chosen);
    if (taken > 0 && chosen.version < TLS12) {
        out->status = 0;
        snprintf(out->result, sizeof out->result, "%s, %s, as far as a hello",
                 ssl_name(SSL_KIND_VERSION, chosen.version, version),
                 ssl_name(SSL_KIND_CIPHER, chosen.cipher, cipher));
    }
    return taken < 0 ? -1 : 0;
}

static int ask_device(struct probe *p, const struct ssl_profile *d,
                      struct report_device *out) {
    struct ssl_context ctx;
    struct err why = ERR_INIT;
    int rc = -1;
    snprintf(out->name, sizeof out->name, "%s", d->name);
    snprintf(out->title, sizeof out->title, "%s", d->title);
    if (context(&ctx, &why) != 0 || ssl_profile_apply(d, &ctx, &why) != 0 ||
        own_certificate(p, &ctx, &why) != 0) {
        p->err = why;
        goto out;
    }
    rc = probe_shake(p, &ctx,
                     d->device.sends_no_name ? NULL : p->config->server_name,
                     &info, &why);
    if (rc == 0) {
        result(d, p->records, &why, out);
    }
    if (rc == 0 && why.origin != ERR_NONE && d->min_version < TLS12) {
        rc = ask_old(p, d, out);
    }
out:
    ssl_context_free(&ctx);
    return rc;
}

/* Does it offer what the one that it is like does, within the same limits? Such
 * a port of it has nothing new to tell. */
static bool is_port(const char *text) {
    static const char *const keys[] = {
        "versions",      "ciphers",  "groups", "sig-algs", "extensions",
        "max-in-record", "messages", "rsa",    "pss",      "curves"
    };
    const char *value;
    size_t len;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (ssl_profile_next(text, keys[i], &value, &len) != NULL) {
            return false;
        }
    }
    return true;
}

int probe_devices(struct probe *p, struct report_probe *out) {
    static struct ssl_profile d;
    const char *name;
    p->doing = "signature algorithms";
    if (ask_sig_algs(p, out) != 0) {
        return -1;
    }
    p->doing = "devices";
    for (size_t i = 0; (name = ssl_profile_name(i)) != NULL &&
                       out->device_count < REPORT_DEVICES_MAX;
         i++) {
        if (ssl_profile_load(&d, name, &p->err) != 0) {
            return -1;
        }
        if (is_port(d.text)) {
            continue;
        }
        if (ask_device(p, &d, &out->devices[out->device_count]) != 0) {
            return -1;
        }
        out->device_count++;
    }
    return 0;
}
