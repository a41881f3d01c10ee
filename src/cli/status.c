#include "cli/status.h"

#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

/* Names of the classes, by number. */
static const struct status classes[] = {
    { 0, "ok" },
    { 1, "local-io" },
    { 2, "usage" },
    { 3, "local-file" },
    { 4, "not-in-build" },
    { 10, "resolve" },
    { 11, "connect" },
    { 12, "connect-timeout" },
    { 13, "proxy" },
    { 14, "listen" },
    { 20, "handshake-timeout" },
    { 21, "nothing-in-common" },
    { 22, "peer-alert" },
    { 23, "protocol-error" },
    { 24, "closed-in-handshake" },
    { 30, "untrusted" },
    { 31, "expired" },
    { 32, "name-mismatch" },
    { 33, "revoked" },
    { 34, "weak" },
    { 35, "pin" },
    { 36, "no-peer-certificate" },
    { 37, "our-certificate-refused" },
    { 40, "truncated" },
    { 41, "idle-timeout" },
    { 42, "max-time" },
    { 43, "reset" },
    { 50, "expect" },
    { 51, "device-limit" },
};

enum { ANY = -1 };

/* The first row that matches decides; code 0 matches every code, and of Mbed
 * TLS's codes the high-level half is compared. */
static const struct rule {
    enum err_origin origin;
    int stage; /* a report_stage, or ANY */
    int64_t code;
    int number;
} rules[] = {
    { ERR_NONE, ANY, 0, 0 },
    { ERR_USAGE, ANY, 0, 2 },
    { ERR_FILE, ANY, 0, 3 },
    { ERR_OS, ANY, 0, 1 },
    { ERR_DNS, ANY, 0, 10 },
    { ERR_NET, STAGE_LISTEN, 0, 14 },
    { ERR_NET, STAGE_CONNECT, 0, 11 },
    { ERR_NET, STAGE_HANDSHAKE, 0, 24 },
    { ERR_NET, STAGE_STREAM, 0, 43 },
    { ERR_NET, ANY, 0, 1 },
    { ERR_TIMEOUT, STAGE_CONNECT, 0, 12 },
    { ERR_TIMEOUT, STAGE_HANDSHAKE, 0, 20 },
    { ERR_TIMEOUT, ANY, 0, 41 },
    { ERR_MAX_TIME, ANY, 0, 42 },
    { ERR_TRUNCATED, ANY, 0, 40 },
    { ERR_ALERT, ANY, 0, 22 },
    { ERR_DEVICE, ANY, 0, 51 },
    { ERR_TLS, ANY, MBEDTLS_ERR_SSL_ALLOC_FAILED, 1 },
    { ERR_TLS, ANY, MBEDTLS_ERR_X509_ALLOC_FAILED, 1 },
    { ERR_TLS, ANY, MBEDTLS_ERR_PK_ALLOC_FAILED, 1 },
    { ERR_TLS, ANY, MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE, 4 },
    { ERR_TLS, STAGE_SETUP, MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE, 4 },
    { ERR_TLS, STAGE_SETUP, MBEDTLS_ERR_PK_UNKNOWN_PK_ALG, 4 },
    { ERR_TLS, STAGE_SETUP, MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE, 4 },
    { ERR_TLS, STAGE_SETUP, MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG, 4 },
    { ERR_TLS, ANY, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL, 4 },
    { ERR_TLS, STAGE_SETUP, 0, 3 },
    { ERR_TLS, ANY, MBEDTLS_ERR_SSL_CONN_EOF, 24 },
    { ERR_TLS, ANY, MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, 36 },
    { ERR_TLS, ANY, MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED, 30 },
    { ERR_TLS, STAGE_HANDSHAKE, MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, 21 },
    { ERR_TLS, STAGE_HANDSHAKE, MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, 21 },
    { ERR_TLS, STAGE_HANDSHAKE, MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, 21 },
    { ERR_TLS, ANY, 0, 23 },
};

/* Reasons to refuse a certificate; lowest number first. */
static const struct {
    uint32_t bits;
    int number;
} verify_rules[] = {
    { MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE, 31 },
    { MBEDTLS_X509_BADCERT_CN_MISMATCH, 32 },
    /* A CRL that cannot be believed cannot say that it is not. */
    { MBEDTLS_X509_BADCERT_REVOKED | MBEDTLS_X509_BADCRL_NOT_TRUSTED |
          MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE |
          MBEDTLS_X509_BADCRL_BAD_MD | MBEDTLS_X509_BADCRL_BAD_PK |
          MBEDTLS_X509_BADCRL_BAD_KEY,
      33 },
    { MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
          MBEDTLS_X509_BADCERT_BAD_KEY,
      34 },
    { SSL_BADCERT_PIN, 35 },
    { MBEDTLS_X509_BADCERT_MISSING, 36 },
};

static int verify_number(uint32_t flags) {
    uint32_t known = 0;
    int number = 30;
    for (size_t i = sizeof verify_rules / sizeof verify_rules[0]; i-- > 0;) {
        known |= verify_rules[i].bits;
        if ((flags & verify_rules[i].bits) != 0) {
            number = verify_rules[i].number;
        }
    }
    return (flags & ~known) != 0 ? 30 : number;
}

static bool same_code(const struct rule *r, const struct err *e) {
    enum { LOW_HALF = 0x7F }; /* mbedtls/error.h */
    int64_t code = e->origin == ERR_TLS ? -(-e->code & ~LOW_HALF) : e->code;
    return r->code == 0 || r->code == code;
}

static int number_of(const struct err *e, enum report_stage stage,
                     bool cert_refused) {
    if (e->origin == ERR_VERIFY) {
        return verify_number((uint32_t)e->code);
    }
    if (e->origin == ERR_ALERT && cert_refused) {
        return 37;
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        if (r->origin == e->origin &&
            (r->stage == ANY || r->stage == (int)stage) && same_code(r, e)) {
            return r->number;
        }
    }
    return 1;
}

struct status status_of(const struct err *e, enum report_stage stage,
                        bool cert_refused) {
    if (e->origin == ERR_SIGNAL) {
        return (struct status){ 128 + (int)e->code, "signal" };
    }
    int number = number_of(e, stage, cert_refused);
    struct status s = classes[1];
    for (size_t i = 0; status_at(i).name != NULL; i++) {
        if (classes[i].number == number) {
            s = classes[i];
        }
    }
    return s;
}

struct status status_at(size_t i) {
    size_t n = sizeof classes / sizeof classes[0];
    return i < n ? classes[i] : (struct status){ -1, NULL };
}
