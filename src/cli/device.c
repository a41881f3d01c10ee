#include "cli/device.h"

#include <string.h>

#define T struct tls_options

enum {
    RECORD_MIN = 512, /* the least that RFC 6066 4 can agree on */
    RECORD_MAX = 16384,
    HEAP_MIN = 1024,
    FAIL_AT_MAX = 1000000
};

const struct opt device_opts[] = {
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

int device_read(const struct tls_options *o, struct ssl_device *d,
                struct err *err) {
    (void)err;
    memset(d, 0, sizeof *d);
    if (o->max_in_record != 0) {
        d->max_in_record = d->max_in_message = (size_t)o->max_in_record;
    }
    if (o->max_out_record != 0) {
        d->max_out_record = (size_t)o->max_out_record;
    }
    if (o->heap_limit != 0) {
        d->heap.bytes = (size_t)o->heap_limit;
    }
    d->heap.fail_at = o->heap_fail_at;
    return 0;
}
