/*
 * ssl_device.h - what a device cannot do, kept by a connection that plays it.
 *
 * A limit that is passed ends the connection with ERR_DEVICE where the device
 * would end it; its code is what Mbed TLS returns there.
 *
 * Not in MicroPython, whose limits are compiled in.
 */
#ifndef TLS_SSL_DEVICE_H
#define TLS_SSL_DEVICE_H

#include "tls/ssl_heap.h"

/* All zeros: no limits. Sizes are bytes, 0 is none. */
struct ssl_device {
    size_t max_in_record;  /* of content, as MBEDTLS_SSL_IN_CONTENT_LEN */
    size_t max_in_message; /* of a handshake message, its header included */
    size_t max_out_record; /* as MBEDTLS_SSL_OUT_CONTENT_LEN: data is split, a
                              message of ours must fit */
    bool whole_messages;   /* one that comes in several records is refused, as
                              by Mbed TLS before 3.6.3 */
    struct ssl_heap_limit heap; /* of a connection and its context together */
    bool der_only;              /* certificates and keys in PEM are refused */
    bool no_pss;                /* certificates signed by RSASSA-PSS, too */
    unsigned rsa_max_bits;      /* of a key in a chain */
    bool no_dates;              /* the validity is not looked at */
    bool sends_addresses;       /* SNI has addresses, too (not RFC 6066 3) */
    bool sends_no_name;         /* there is no SNI */
};

/* How a limit of the wire was passed. */
enum ssl_over {
    SSL_OVER_NOT,
    SSL_OVER_RECORD,  /* a record of theirs */
    SSL_OVER_MESSAGE, /* a message of theirs */
    SSL_OVER_SPREAD,  /* a message of theirs goes over several records */
    SSL_OVER_OUT      /* a message of ours does not fit a record */
};

struct ssl_overrun {
    enum ssl_over what;
    size_t bytes, limit;  /* of the record or message */
    unsigned char record; /* SSL_KIND_RECORD */
    unsigned char type;   /* SSL_KIND_MESSAGE; 0: none, or unknown */
};

/**
 * @return by how many bytes the two buffers for records of Mbed TLS are smaller
 *         on the device than here
 */
size_t ssl_device_spare(const struct ssl_device *d);

/** @return whether it limits what it takes or sends, record by record */
bool ssl_device_limits_wire(const struct ssl_device *d);

/**
 * Set the limit of the records that come. That of a message is the same where
 * it was, since Mbed TLS has one buffer for both; BearSSL has not.
 */
void ssl_device_limit_in(struct ssl_device *d, size_t bytes);

#endif
