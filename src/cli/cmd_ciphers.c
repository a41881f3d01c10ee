#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/device.h"
#include "report/report.h"
#include "tls/ssl_context.h"

struct ciphers_options {
    struct tls_options tls; /* --as only */
    const char *ciphers;
    int version; /* ssl_version; -1: both */
    unsigned verbose;
    bool json;
};

static const struct opt ciphers_opts[] = {
    OPT_ROW_LIST(struct ciphers_options, ciphers, 0, "ciphers",
                 "NAME[,NAME...]",
                 "these only, in any spelling: what connect would offer"),
    OPT_ROW_CHOICE(struct ciphers_options, version, 0, "tls-version", "VERSION",
                   tls_version_names, "those of this version only"),
    OPT_ROW_COUNT(struct ciphers_options, verbose, 'v', "verbose",
                  "number, IANA, Mbed TLS (board) and OpenSSL names"),
    OPT_ROW_FLAG(struct ciphers_options, json, 0, "json",
                 "one JSON object a line"),
    OPT_END
};

static const struct opt_group ciphers_groups[] = {
    { "Options", ciphers_opts, 0 },
    { NULL, device_as_opts, offsetof(struct ciphers_options, tls) },
    OPT_GROUPS_END
};

static const char *const examples[] = {
    "mptls ciphers", "mptls ciphers --as micropython-esp8266",
    "mptls ciphers -v --ciphers ECDHE-RSA-AES128-GCM-SHA256,0xC02B", NULL
};

static void print_json(int id, const char *const names[3], const char *tls) {
    static const char *const keys[3] = { "iana", "mbedtls", "openssl" };
    printf("{\"v\":1,\"id\":%d", id);
    for (size_t i = 0; i < 3; i++) {
        printf(",\"%s\":", keys[i]);
        report_json_string(stdout, names[i], strlen(names[i]));
    }
    printf(",\"version\":\"%s\"}\n", tls);
}

static void print_one(const struct ciphers_options *o, int id) {
    char iana[SSL_CIPHER_NAME_MAX], openssl[SSL_CIPHER_NAME_MAX];
    bool tls12, tls13;
    ssl_cipher_versions(id, &tls12, &tls13);
    if ((o->version == SSL_TLS_1_2 && !tls12) ||
        (o->version == SSL_TLS_1_3 && !tls13) ||
        ssl_cipher_iana(id, iana) == NULL ||
        ssl_cipher_openssl(id, openssl) == NULL) {
        return;
    }
    const char *const names[3] = { iana, mbedtls_ssl_get_ciphersuite_name(id),
                                   openssl };
    const char *tls = tls13 ? "TLSv1.3" : "TLSv1.2";
    if (o->json) {
        print_json(id, names, tls);
    } else if (o->verbose > 0) {
        printf("0x%04X %s %-45s %-45s %s\n", (unsigned)id, tls, names[0],
               names[1], names[2]);
    } else {
        puts(iana);
    }
}

static int ciphers_run(int argc, char **argv) {
    struct ciphers_options o = { .tls = TLS_OPTIONS_INIT, .version = -1 };
    struct ssl_context ctx;
    struct err err = ERR_INIT;
    size_t n = 0;
    int status = 0;
    int rc =
        command_parse(&cmd_ciphers, &o, argc, argv, NULL, &n, 0, &status, &err);
    if (rc == OPT_HELP) {
        return status;
    }
    if (rc != 0) {
        return command_failed(&cmd_ciphers, &err);
    }
    if (ssl_context_init(&ctx, SSL_PROTOCOL_TLS_CLIENT, &err) != 0 ||
        device_read(&o.tls, NULL, &err) != 0 ||
        (o.tls.device.played &&
         ssl_profile_apply(&o.tls.device.profile, &ctx, &err) != 0) ||
        (o.ciphers != NULL &&
         ssl_context_set_ciphers(&ctx, o.ciphers, &err) != 0)) {
        status = command_failed(&cmd_ciphers, &err);
    } else {
        const int *id = ssl_context_get_ciphers(&ctx);
        for (; *id != 0; id++) {
            print_one(&o, *id);
        }
        status = command_flush();
    }
    ssl_context_free(&ctx);
    device_free(&o.tls.device);
    return status;
}

const struct command cmd_ciphers = {
    .name = "ciphers",
    .summary = "the cipher suites there are: SSLContext.get_ciphers()",
    .examples = examples,
    .groups = ciphers_groups,
    .run = ciphers_run,
};
