#include "tls/ssl_device.h"

#include <mbedtls/ssl.h>

static size_t less(size_t here, size_t there) {
    return there != 0 && there < here ? here - there : 0;
}

bool ssl_device_limits_wire(const struct ssl_device *d) {
    return d->max_in_record != 0 || d->max_in_message != 0 ||
           d->max_out_record != 0 || d->whole_messages;
}

void ssl_device_limit_in(struct ssl_device *d, size_t bytes) {
    if (d->max_in_message == d->max_in_record) {
        d->max_in_message = bytes;
    }
    d->max_in_record = bytes;
}

size_t ssl_device_spare(const struct ssl_device *d) {
    return less(MBEDTLS_SSL_IN_CONTENT_LEN, d->max_in_record) +
           less(MBEDTLS_SSL_OUT_CONTENT_LEN, d->max_out_record);
}
