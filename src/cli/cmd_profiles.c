#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/device.h"
#include "report/json_info.h"

struct profiles_options {
    bool json;
};

static const struct opt profiles_opts[] = {
    OPT_ROW_FLAG(struct profiles_options, json, 0, "json",
                 "one JSON object a line"),
    OPT_END
};

static const struct opt_group profiles_groups[] = {
    { "Options", profiles_opts, 0 }, OPT_GROUPS_END
};

static const char *const examples[] = {
    "mptls profiles", "mptls profiles esp-idf",
    "mptls profiles zephyr >mine.profile  # change it, then --as mine.profile",
    NULL
};

/* "# lacks ciphers NAME NAME", in lines of 79 columns. */
static void print_ids(const char *what, enum ssl_kind kind,
                      const struct ssl_ids *ids) {
    enum { COLUMNS = 79 };
    char name[SSL_LABEL_MAX];
    size_t at = 0;
    for (size_t i = 0; i < ids->n; i++) {
        ssl_name(kind, ids->id[i], name);
        if (at == 0 || at + 1 + strlen(name) > COLUMNS) {
            at = (size_t)printf("%s# %s %s:", at == 0 ? "" : "\n", what,
                                json_offer_key(kind));
        }
        at += (size_t)printf(" %s", name);
    }
    if (at > 0) {
        puts("");
    }
}

static void print_difference(const char *what, const struct ssl_offer *o) {
    for (int k = 0; k < SSL_OFFER_KINDS; k++) {
        print_ids(what, (enum ssl_kind)k, &o->of[k]);
    }
}

static bool differs(const struct ssl_offer *o) {
    size_t n = 0;
    for (int k = 0; k < SSL_OFFER_KINDS; k++) {
        n += o->of[k].n;
    }
    return n > 0;
}

/* @return the text of the one that this one is like, or NULL */
static const char *liked(const char *text) {
    const char *value;
    char name[40];
    size_t len;
    if (ssl_profile_next(text, "like", &value, &len) == NULL) {
        return NULL;
    }
    snprintf(name, sizeof name, "%.*s", (int)len, value);
    return ssl_profile_text(name);
}

static void print_unlike(const char *text) {
    const char *value;
    size_t len;
    while ((text = ssl_profile_next(text, "unlike", &value, &len)) != NULL) {
        printf("# not played: %.*s\n", (int)len, value);
    }
}

static void print_text(const struct ssl_profile *p,
                       const struct ssl_offer *lacks,
                       const struct ssl_offer *more) {
    fputs(p->text, stdout);
    puts("\n# What Mbed TLS " MBEDTLS_VERSION_STRING " does not play of it:");
    if (!differs(lacks) && !differs(more)) {
        puts("# nothing in the ClientHello");
    }
    print_difference("its hello lacks", lacks);
    print_difference("its hello has besides", more);
    for (const char *text = p->text; text != NULL; text = liked(text)) {
        print_unlike(text);
    }
}

/* Of this text, then of those that it is like. */
static void json_values(struct json *j, const char *name, const char *key,
                        const char *text) {
    json_open(j, name, '[');
    for (; text != NULL; text = liked(text)) {
        const char *value, *at = text;
        size_t len;
        while ((at = ssl_profile_next(at, key, &value, &len)) != NULL) {
            json_text_n(j, NULL, value, len);
        }
    }
    json_close(j, ']');
}

static void json_lists(struct json *j, const char *key,
                       const struct ssl_offer *o) {
    json_open(j, key, '{');
    json_offer_lists(j, o);
    json_close(j, '}');
}

static void print_json(const struct ssl_profile *p,
                       const struct ssl_offer *lacks,
                       const struct ssl_offer *more) {
    const struct ssl_device *d = &p->device;
    struct ssl_offer offer;
    struct json j = { .f = stdout };
    ssl_profile_offer(p, &offer);
    json_open(&j, NULL, '{');
    json_int(&j, "v", 1);
    json_text(&j, "name", p->name);
    json_text(&j, "title", p->title);
    json_values(&j, "sources", "source", p->text);
    json_lists(&j, "offers", &offer);
    json_count_or_null(&j, "max_in_record", d->max_in_record);
    json_count_or_null(&j, "max_in_message", d->max_in_message);
    json_count_or_null(&j, "max_out_record", d->max_out_record);
    json_bool(&j, "joins", !d->whole_messages);
    json_text(&j, "verify", json_verify_mode(p->verify_mode));
    json_bool(&j, "store", p->has_store);
    json_bool(&j, "pem", !d->der_only);
    json_count_or_null(&j, "rsa_min", p->certs.rsa_min_bitlen);
    json_count_or_null(&j, "rsa_max", d->rsa_max_bits);
    json_bool(&j, "pss", !d->no_pss);
    json_bool(&j, "dates", !d->no_dates);
    json_text_or_null(&j, "clock", p->clock);
    json_bool(&j, "close_notify", p->close_notify);
    json_count_or_null(&j, "heap", d->heap.bytes);
    json_lists(&j, "lacks", lacks);
    json_lists(&j, "more", more);
    json_values(&j, "unlike", "unlike", p->text);
    json_close(&j, '}');
    fputc('\n', stdout);
}

static int print_one(const char *name, bool json, struct err *err) {
    struct device d = { 0 };
    struct ssl_offer lacks, more;
    int rc = -1;
    if (device_load(&d, name, err) == 0 &&
        ssl_profile_compare(&d.profile, &lacks, &more, err) == 0) {
        (json ? print_json : print_text)(&d.profile, &lacks, &more);
        rc = 0;
    }
    device_free(&d);
    return rc;
}

static int list(bool json, struct err *err) {
    const char *name;
    for (size_t i = 0; (name = ssl_profile_name(i)) != NULL; i++) {
        struct ssl_profile p;
        if (json ? print_one(name, true, err) != 0
                 : ssl_profile_load(&p, name, err) != 0) {
            return -1;
        }
        if (!json) {
            printf("%-23s %s\n", p.name, p.title);
        }
    }
    return 0;
}

static int profiles_run(int argc, char **argv) {
    struct profiles_options o = { false };
    struct err err = ERR_INIT;
    const char *name = NULL;
    size_t n = 0;
    int status = 0;
    int rc = command_parse(&cmd_profiles, &o, argc, argv, &name, &n, 1, &status,
                           &err);
    if (rc == OPT_HELP) {
        return status;
    }
    if (rc != 0 || (name != NULL ? print_one(name, o.json, &err)
                                 : list(o.json, &err)) != 0) {
        return command_failed(&cmd_profiles, &err);
    }
    return command_flush();
}

const struct command cmd_profiles = {
    .name = "profiles",
    .operand = "[PROFILE]",
    .summary = "the devices that --as can be, and how they speak",
    .description = "Without PROFILE, list those that are built in.\n"
                   "PROFILE is one of them, or a file: its values, and what of "
                   "it cannot be played.",
    .examples = examples,
    .groups = profiles_groups,
    .run = profiles_run,
};
