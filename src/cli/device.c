#include "cli/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/file.h"

#define T struct tls_options

enum {
    RECORD_MIN = 512, /* the least that RFC 6066 4 can agree on */
    RECORD_MAX = 16384,
    HEAP_MIN = 1024,
    FAIL_AT_MAX = 1000000,
    PROFILE_MAX = 64 * 1024 /* bytes of a file */
};

const struct opt device_as_opts[] = {
    OPT_ROW_STRING(T, as, 0, "as", "PROFILE",
                   "be this device: a name (see mptls profiles) or a file"),
    OPT_END
};

const struct opt device_limit_opts[] = {
    OPT_ROW_SIZE(T, max_in_record, 0, "max-in-record", RECORD_MIN, RECORD_MAX,
                 "fail at a record or message that does not fit this buffer"),
    OPT_ROW_SIZE(T, max_out_record, 0, "max-out-record", RECORD_MIN, RECORD_MAX,
                 "put at most this much into a record of ours"),
    OPT_ROW_SIZE(T, heap_limit, 0, "heap-limit", HEAP_MIN, INT64_C(1) << 30,
                 "fail the allocation that goes over this many bytes"),
    OPT_ROW_UINT(T, heap_fail_at, 0, "heap-fail-at", "N", 1, FAIL_AT_MAX,
                 "fail the N-th allocation of a connection"),
    OPT_END
};

#undef T

static const char *name_at(const void *arg, size_t i) {
    (void)arg;
    return ssl_profile_name(i);
}

/* Neither a profile's name nor a file: say which name may be meant. */
static int unknown(const char *as, const struct err *why, struct err *err) {
    const char *near = text_nearest(as, name_at, NULL);
    if (why->code != ENOENT || strchr(as, '/') != NULL) {
        return err_set(err, why->origin, why->code, "--as: %s", why->msg);
    }
    return err_set(err, ERR_USAGE, 0,
                   "--as: there is no profile '%.60s', nor a file%s%s%s", as,
                   near != NULL ? "; did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

int device_load(struct device *d, const char *as, struct err *err) {
    struct err why = ERR_INIT;
    unsigned char *data;
    size_t len;
    d->played = true;
    if (ssl_profile_text(as) != NULL) {
        return ssl_profile_load(&d->profile, as, err);
    }
    if (file_read(as, PROFILE_MAX, &data, &len, &why) != 0) {
        return unknown(as, &why, err);
    }
    d->text = malloc(len + 1);
    if (d->text == NULL) {
        free(data);
        return err_set(err, ERR_OS, ENOMEM, "out of memory");
    }
    memcpy(d->text, data, len);
    d->text[len] = '\0';
    free(data);
    if (strlen(d->text) != len) {
        return err_set(err, ERR_FILE, 0, "--as: %.100s: a NUL byte is in it",
                       as);
    }
    if (ssl_profile_read(&d->profile, as, d->text, &why) != 0) {
        return err_set(err, why.origin, why.code, "--as: %s", why.msg);
    }
    return 0;
}

int device_read(struct device *d, const struct tls_options *o,
                struct err *err) {
    memset(d, 0, sizeof *d);
    if (o->as != NULL && device_load(d, o->as, err) != 0) {
        return -1;
    }
    d->limits = d->profile.device;
    if (o->max_in_record != 0) {
        d->limits.max_in_record = d->limits.max_in_message =
            (size_t)o->max_in_record;
    }
    if (o->max_out_record != 0) {
        d->limits.max_out_record = (size_t)o->max_out_record;
    }
    if (o->heap_limit != 0) {
        d->limits.heap.bytes = (size_t)o->heap_limit;
    }
    d->limits.heap.fail_at = o->heap_fail_at;
    return 0;
}

enum mp_errors device_errors(const char *as) {
    struct device d = { 0 };
    struct err ignored = ERR_INIT;
    bool known = as != NULL && device_load(&d, as, &ignored) == 0;
    device_free(&d);
    return known ? d.profile.errors : MP_ERRORS_MBEDTLS;
}

void device_free(struct device *d) {
    free(d->text);
    d->text = NULL;
}
