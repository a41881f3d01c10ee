#include "cli/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/clock.h"
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
        return err_set(err, why->origin, why->code, "%s", why->msg);
    }
    return err_set(err, ERR_USAGE, 0,
                   "there is no profile '%.60s', nor a file%s%s%s", as,
                   near != NULL ? "; did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

/* What no device can be: a clock that shows no time, or a hello that Mbed TLS
 * does not make, for want of a group. */
static int check_mine(const struct ssl_profile *p, const char *as,
                      struct err *err) {
    struct ssl_offer lacks, more;
    struct err why = ERR_INIT;
    mbedtls_x509_time clock;
    if (p->clock[0] != '\0' && clock_read(p->clock, &clock, &why) != 0) {
        return err_set(err, ERR_FILE, 0,
                       "%.40s: clock: '%s' is no time such as "
                       "2000-01-01T00:00:00Z",
                       as, p->clock);
    }
    if (ssl_profile_compare(p, &lacks, &more, &why) != 0) {
        return err_set(err, ERR_FILE, 0, "%.40s: it cannot be played: %s", as,
                       why.msg);
    }
    return 0;
}

int device_load(struct device *d, const char *as, struct err *err) {
    struct err why = ERR_INIT;
    unsigned char *data;
    size_t len;
    if (ssl_profile_text(as) != NULL) {
        d->played = ssl_profile_load(&d->profile, as, err) == 0;
        return d->played ? 0 : -1;
    }
    if (file_read(as, PROFILE_MAX, &data, &len, &why) != 0) {
        return unknown(as, &why, err);
    }
    d->text = (char *)data; /* which ends in a NUL */
    if (strlen(d->text) != len) {
        return err_set(err, ERR_FILE, 0, "%.100s: a NUL byte is in it", as);
    }
    d->played = ssl_profile_read(&d->profile, as, d->text, err) == 0 &&
                check_mine(&d->profile, as, err) == 0;
    return d->played ? 0 : -1;
}

int device_read(struct tls_options *o, struct output *out, struct err *err) {
    struct device *d = &o->device;
    struct err why = ERR_INIT;
    memset(d, 0, sizeof *d);
    if (err->origin != ERR_NONE) {
        return -1;
    }
    if (o->as != NULL && device_load(d, o->as, &why) != 0) {
        return err_set(err, why.origin, why.code, "--as: %s", why.msg);
    }
    if (d->played && out != NULL) {
        out->errors = d->profile.errors;
    }
    d->limits = d->profile.device;
    if (o->max_in_record != 0) {
        ssl_device_limit_in(&d->limits, (size_t)o->max_in_record);
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

void device_free(struct device *d) {
    free(d->text);
    d->text = NULL;
}
