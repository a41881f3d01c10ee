/*
 * ssl_tap.h - the records and handshake messages of a connection, seen on the
 * wire below Mbed TLS.
 *
 * The library neither tells which messages it exchanges nor keeps what it
 * refuses. The tap is shown every byte that goes either way, and the traffic
 * secrets of TLS 1.3 (RFC 8446 7.1), with which it opens the encrypted part of
 * the handshake (RFC 8446 5.2) by the library's own AEAD. In TLS 1.2 only the
 * Finished messages are encrypted, and stay so.
 *
 * It only looks: nothing that it makes of the bytes, or fails to make, changes
 * the connection. So it may look later, if at all (ssl_tap_defer). After the
 * handshake and the first application data it counts records and no more,
 * unless somebody listens.
 */
#ifndef TLS_SSL_TAP_H
#define TLS_SSL_TAP_H

#include <mbedtls/ssl.h>
#include <psa/crypto.h>

#include "tls/ssl_device.h"
#include "tls/ssl_hello.h"
#include "tls/ssl_info.h"
#include "tls/ssl_late.h"

/* One message of the handshake, an alert, a ChangeCipherSpec, or a record of
 * application data. */
struct ssl_tap_message {
    bool out;                  /* from us */
    unsigned char record;      /* SSL_KIND_RECORD: 20 to 24 */
    unsigned char type;        /* of the handshake: SSL_KIND_MESSAGE, else 0 */
    bool encrypted;            /* on the wire */
    bool opened;               /* and `data` is what was in it */
    unsigned records;          /* over how many it was spread, 1 or more */
    const unsigned char *data; /* without the handshake's header of 4; for
                                  application data NULL */
    size_t len;                /* of `data`, or of what is encrypted */
    size_t heap;               /* bytes in use now */
    size_t heap_peak;          /* the most since the message before */
};

/**
 * Be told of a message, as soon as its last byte is seen.
 *
 * @param m  borrowed for the call
 */
typedef void ssl_tap_listener(void *arg, const struct ssl_tap_message *m);

/* What one direction is sealed with, from a traffic secret (RFC 8446 7.3). */
struct ssl_tap_keys {
    unsigned char secret[48];
    size_t secret_len; /* 0: not given */
    bool made;         /* key and iv are */
    psa_key_id_t key;
    psa_algorithm_t alg;
    unsigned char iv[12];
    uint64_t seq;
};

struct ssl_tap_lane {
    bool out;
    unsigned char header[5];
    size_t header_len;      /* bytes of it that are here */
    size_t body_len;        /* of the present record */
    size_t body_at;         /* bytes of it that have come */
    unsigned char *body;    /* NULL: nobody wants it */
    unsigned char *message; /* of the handshake, until it is whole */
    size_t message_len;
    unsigned message_records;
    bool ciphered;     /* TLS 1.2: after ChangeCipherSpec */
    bool finished;     /* its Finished was seen */
    bool got_data;     /* application data was seen */
    bool lost;         /* what goes by is no TLS, or cannot be followed */
    uint64_t unsealed; /* records before those with the keys of the data */
    struct ssl_tap_keys handshake, data;
    struct ssl_traffic traffic;
};

struct ssl_tap {
    struct ssl_tap_lane in, out;
    struct ssl_late late; /* not looked at yet */
    bool defers;          /* what goes by is kept in `late` */
    bool server_side;
    bool begun;                 /* a message of the handshake was seen */
    bool was_server;            /* the last of them was the server's */
    unsigned round_trips;       /* how often the server's turn came */
    unsigned tickets;           /* up to the first application data */
    ssl_tap_listener *listener; /* NULL: none */
    void *listener_arg;
    unsigned char *hello; /* the last ClientHello; owned; NULL: none */
    size_t hello_len;
    struct ssl_chosen chosen; /* by the server */
    /* What the peer sent as its Certificate message; owned; NULL: none. */
    unsigned char *certificate;
    size_t certificate_len;
    bool own_sent; /* we sent one, and this is the hash of its DER */
    unsigned char own_sha256[SSL_SHA256_LEN];
    bool certificate_wanted; /* a CertificateRequest was seen */
    int alert_in, alert_out; /* the last fatal one that could be read, or -1 */
    const struct ssl_device *device; /* borrowed; NULL: no limits */
    struct ssl_overrun over;         /* the first */
    struct ssl_heap_account *heap;   /* borrowed; NULL: not counted */
    unsigned step_count;             /* at least 1 */
    struct ssl_heap_step steps[SSL_STEPS_MAX];
};

/** A tap that has seen nothing, in the caller's memory. */
void ssl_tap_init(struct ssl_tap *t, bool server_side);

/** May be called twice. */
void ssl_tap_free(struct ssl_tap *t);

/**
 * From now on keep what goes by, as far as there is room, and look at it when
 * ssl_tap_catch_up() is called. Without a listener, limits of a device, or a
 * heap that is counted: these want to know at once.
 */
void ssl_tap_defer(struct ssl_tap *t);

/** Look at what was kept, and from now on at once. */
void ssl_tap_catch_up(struct ssl_tap *t);

/**
 * Show it bytes as they went over the wire.
 *
 * @param out  from us
 */
void ssl_tap_see(struct ssl_tap *t, bool out, const unsigned char *buf,
                 size_t len);

/**
 * The handshake has ended: how many records have gone one way with the keys
 * that the data has (TLS 1.2: the Finished included)? It is the number of the
 * next one (RFC 8446 5.3).
 */
uint64_t ssl_tap_sealed(const struct ssl_tap *t, bool out);

/** @return whether it has ended, and no record or message is amid its bytes,
 * either way */
bool ssl_tap_between_records(const struct ssl_tap *t);

/**
 * Show it what was in a record of the peer's that is not shown as it went over
 * the wire, or in a part of one; not data.
 *
 * @param record  its type
 */
void ssl_tap_opened(struct ssl_tap *t, unsigned char record,
                    const unsigned char *p, size_t len);

/**
 * Give it a secret, as Mbed TLS exports it; other types than the traffic
 * secrets of TLS 1.3 are ignored.
 *
 * @param secret  32 bytes, or 48 for a suite with SHA-384; copied
 */
void ssl_tap_secret(struct ssl_tap *t, mbedtls_ssl_key_export_type type,
                    const unsigned char *secret, size_t len);

/**
 * A certificate that the peer sent, whatever became of the handshake. It
 * catches up.
 *
 * @param i    0: its own
 * @param len  set to the bytes of its DER
 * @return the DER, owned by `t`; NULL past the last
 */
const unsigned char *ssl_tap_certificate(struct ssl_tap *t, size_t i,
                                         size_t *len);

/**
 * Fill what the report says of the wire; on a server `ours` is left alone. It
 * has to have caught up.
 */
void ssl_tap_info(const struct ssl_tap *t, struct ssl_info *info);

#endif
