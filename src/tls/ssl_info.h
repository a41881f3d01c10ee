/*
 * ssl_info.h - what is known of a connection, as plain data for the reports.
 *
 * Nothing here needs Mbed TLS, so that the layers above can read it without.
 * Texts are NUL-terminated, and cut where they would not fit; bytes that are
 * not printable ASCII are written \xHH, so that a peer's certificate cannot
 * drive a terminal.
 */
#ifndef TLS_SSL_INFO_H
#define TLS_SSL_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SSL_NAME_MAX = 256,   /* a distinguished name */
    SSL_NAMES_MAX = 4096, /* a certificate's list of names */
    SSL_CHAIN_MAX = 10,   /* leaf, 8 intermediates (Mbed TLS's limit), anchor */
    SSL_SHA256_LEN = 32,  /* bytes */
    SSL_TIME_MAX = 24,    /* "2020-01-01T00:00:00Z" */
    SSL_LABEL_MAX = 64,   /* what ssl_name() writes, with its NUL */
    SSL_IDS_MAX = 128,    /* numbers of one list of a hello that are kept */
    SSL_FINDINGS_MAX = 8, /* reasons that a diagnosis gives */
    SSL_STEPS_MAX = 24,   /* of a handshake; the last one has all that follow */
    SSL_TEXT_MAX = 400    /* a sentence or two */
};

/* A reason to refuse a certificate beside Mbed TLS's, outside their bits: its
 * key is none of those that the context pins. */
#define SSL_BADCERT_PIN UINT32_C(0x01000000)

/* What has numbers in TLS. The first SSL_OFFER_KINDS are listed in a hello. */
enum ssl_kind {
    SSL_KIND_VERSION,   /* 0x0304: "TLSv1.3" */
    SSL_KIND_CIPHER,    /* 0xC02B: the IANA name */
    SSL_KIND_GROUP,     /* 23: "secp256r1" (RFC 8446 4.2.7) */
    SSL_KIND_SIG_ALG,   /* 0x0403: "ecdsa_secp256r1_sha256" (4.2.3) */
    SSL_KIND_EXTENSION, /* 0: "server_name" (4.2) */
    SSL_OFFER_KINDS,
    SSL_KIND_MESSAGE = SSL_OFFER_KINDS, /* 1: "ClientHello" (4) */
    SSL_KIND_RECORD                     /* 22: "handshake" (5.1) */
};

/**
 * Name a number of TLS, whether or not this build can do what it stands for.
 *
 * @param buf  SSL_LABEL_MAX bytes
 * @return buf with the name in the registry of IANA; "GREASE" for the values
 *         that RFC 8701 reserves; for one without a name its number, "0x1A2B"
 */
const char *ssl_name(enum ssl_kind kind, unsigned id, char *buf);

/**
 * The other way round; case does not matter.
 *
 * @param name  as ssl_name() gives it, or 0xHHHH; a suite's in any spelling
 *              (tls/ssl_cipher.h)
 * @return the number, or -1: no such name
 */
int ssl_name_find(enum ssl_kind kind, const char *name);

/** @return whether RFC 8701 reserves the number, so that it means nothing */
bool ssl_name_grease(unsigned id);

/* One list of a hello, in its order. */
struct ssl_ids {
    size_t n; /* at most SSL_IDS_MAX; what comes after that is dropped */
    uint16_t id[SSL_IDS_MAX];
};

/** @return whether `id` is in the list */
bool ssl_ids_has(const struct ssl_ids *ids, unsigned id);

/** Append `id`; a list that is full stays as it is. */
void ssl_ids_put(struct ssl_ids *ids, unsigned id);

/** Append `id`, unless it is there already. */
void ssl_ids_add(struct ssl_ids *ids, unsigned id);

/* What one end offers or takes. */
struct ssl_offer {
    bool known;
    struct ssl_ids of[SSL_OFFER_KINDS]; /* by ssl_kind */
    char alpn[SSL_NAME_MAX];            /* "h2, http/1.1"; "" if none */
    char server_name[SSL_NAME_MAX];     /* SNI; "" if none */
};

/* What went over the wire in one direction. */
struct ssl_traffic {
    uint64_t handshake_bytes;   /* records of the handshake, headers included */
    uint64_t records;           /* in all */
    size_t largest_record;      /* bytes behind its header of 5 */
    size_t largest_message;     /* of the handshake, its header of 4 included */
    unsigned char largest_type; /* its SSL_KIND_MESSAGE number */
};

/* What the heap was like from one message of the handshake to the next. */
struct ssl_heap_step {
    bool out;           /* the message is ours */
    unsigned char type; /* SSL_KIND_MESSAGE; 0: none went by yet */
    uint32_t now;       /* bytes in use when it went by */
    uint32_t peak;      /* the most until the next one did */
};

/* What Mbed TLS took of the heap for one connection (tls/ssl_heap.h). */
struct ssl_heap_info {
    bool known;
    size_t now, peak;    /* bytes */
    size_t context;      /* bytes that its context has beside them */
    size_t limit;        /* of all these together; 0: none */
    uint64_t count;      /* of allocations */
    unsigned step_count; /* at least 1 */
    struct ssl_heap_step steps[SSL_STEPS_MAX];
};

/* One thing that a diagnosis found out. The table of causes (report/explain.h)
 * has an entry for each name. */
struct ssl_finding {
    const char *name;         /* for machines: "missing-intermediate"; static */
    char text[SSL_TEXT_MAX];  /* what is so, a sentence without a full stop */
    char here[SSL_NAME_MAX];  /* the smallest change on our end, or "" */
    char there[SSL_NAME_MAX]; /* and on the peer's, or "" */
};

/* MicroPython: CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, with its values. */
enum ssl_verify_mode {
    SSL_CERT_NONE = 0,
    SSL_CERT_OPTIONAL = 1,
    SSL_CERT_REQUIRED = 2
};

/* One certificate of the peer's chain. */
struct ssl_cert_info {
    char subject[SSL_NAME_MAX];
    char issuer[SSL_NAME_MAX];
    /* The SANs, "DNS:a, IP:127.0.0.1", a comma within one as \x2C; "" if there
     * are none; ", ..." at the end if there are more. */
    char names[SSL_NAMES_MAX];
    char not_before[SSL_TIME_MAX]; /* UTC */
    char not_after[SSL_TIME_MAX];
    char key[16];              /* type and bits: "EC 256", "RSA 2048" */
    char signature[48];        /* algorithm: "ECDSA with SHA256" */
    char ca_url[SSL_NAME_MAX]; /* where its issuer is (AIA caIssuers, RFC 5280
                                  4.2.2.1); "" if it does not say */
    bool ca;                   /* basicConstraints: CA:TRUE */
    bool self_issued;          /* subject and issuer are the same name */
    bool needed;               /* of those sent: the verified path has it */
    int64_t seconds_left;      /* until not_after, by our clock; may be < 0;
                                  0 if the clock is unknown */
    size_t der_len;            /* bytes */
    uint32_t flags; /* bits of struct ssl_flag found for it; 0: none */
    unsigned char sha256[SSL_SHA256_LEN];      /* of the DER */
    unsigned char spki_sha256[SSL_SHA256_LEN]; /* of its SubjectPublicKeyInfo */
};

struct ssl_info {
    bool handshake_done;
    bool server_side;
    const char *version;      /* "TLSv1.3"; NULL before the ServerHello */
    const char *cipher;       /* IANA name; NULL before the ServerHello */
    const char *encrypted_by; /* whose code does that now: "Mbed TLS", or
                                 accel_library(); NULL before the end of the
                                 handshake */
    bool ktls_wanted;
    bool ktls_in, ktls_out; /* the kernel has the records, and counts none */
    char ktls_lack[192]; /* why it has not, in words; "": it has, or may yet */
    enum ssl_verify_mode verify_mode;
    bool verified;         /* a chain was looked at */
    uint32_t verify_flags; /* all that was found; 0 and verified: trusted */
    bool pinned;           /* there are pins, and its key is one of them */
    bool name_checked;     /* against server_hostname */
    char server_hostname[SSL_NAME_MAX]; /* "" if there was none */
    size_t cert_count; /* leaf first; the verified path ends in its anchor */
    bool anchored;     /* the last of certs is the trust anchor */
    size_t sent_count; /* what the peer sent, in its order */
    uint16_t group;    /* of the key exchange; 0: none or unknown */
    uint16_t sig_alg;  /* of the peer's own signature; 0: none or unknown */
    char alpn[SSL_NAME_MAX];      /* what was agreed on; "" if nothing */
    struct ssl_ids extensions;    /* that the server answered with */
    unsigned max_fragment_length; /* bytes (RFC 6066 4); 0: not agreed on */
    unsigned record_size_limit; /* the server's (RFC 8449); 0: it named none */
    bool resumed;               /* with a ticket that we gave before */
    unsigned tickets;     /* NewSessionTicket messages that went by, up to the
                             first application data */
    unsigned round_trips; /* of the handshake */
    struct ssl_traffic in, out;
    struct ssl_heap_info heap;
    struct ssl_offer ours, theirs;
    size_t finding_count;
    uint64_t wire_in, wire_out; /* bytes below TLS, handshake included */
    size_t own_count;           /* certificates of ours to choose from */
    bool own_sent;              /* one of them, and which */
    struct ssl_cert_info own;
    bool cert_refused; /* the peer's alert was about our certificate */
    bool close_notify_sent;
    bool close_notify_received;
    /* Large: what is beyond their counts costs no memory, see
     * ssl_info_clear(). */
    struct ssl_cert_info certs[SSL_CHAIN_MAX];
    struct ssl_cert_info sent[SSL_CHAIN_MAX];
    struct ssl_finding findings[SSL_FINDINGS_MAX];
};

/** Empty it. What its lists had stays, beyond counts of 0. */
void ssl_info_clear(struct ssl_info *info);

/* One reason why a chain is refused. */
struct ssl_flag {
    uint32_t bit;     /* MBEDTLS_X509_BADCERT_*, SSL_BADCERT_PIN */
    const char *name; /* for machines: "expired" */
    const char *text; /* for people: "has expired" */
};

/**
 * @param i  0, 1, ... in the order in which reasons are listed
 * @return the i-th reason there is, or NULL past the last; static
 */
const struct ssl_flag *ssl_flag_at(size_t i);

#endif
