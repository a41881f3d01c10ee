#include "tls/ssl_device.h"

#include <mbedtls/ssl.h>

static size_t less(size_t here, size_t there) {
    return there != 0 && there < here ? here - there : 0;
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
