/*
 * compat.h - the things of Mbed TLS that 3.6 has no public name for.
 * Another version of the library changes this file and no other.
 */
#ifndef TLS_COMPAT_H
#define TLS_COMPAT_H

#include <mbedtls/ssl.h>
#include <psa/crypto.h>
#include <stdbool.h>

/** @return the description (RFC 8446 6) of the fatal alert just received */
static inline int compat_alert(const mbedtls_ssl_context *ssl) {
    const unsigned char *in = ssl->MBEDTLS_PRIVATE(in_msg);
    return in != NULL ? in[1] : 0;
}

/** @return the handshake's state, an mbedtls_ssl_states value */
static inline int compat_state(const mbedtls_ssl_context *ssl) {
    return ssl->MBEDTLS_PRIVATE(state);
}

/** @return bytes sealed in records that are not sent yet */
static inline size_t compat_unsent(const mbedtls_ssl_context *ssl) {
    return ssl->MBEDTLS_PRIVATE(out_left);
}

/**
 * Send those: with bytes unsent, sending an alert sends them, and no alert.
 * Only to be called with bytes unsent.
 *
 * @return 0, or an MBEDTLS_ERR_* value
 */
static inline int compat_flush(mbedtls_ssl_context *ssl) {
    return mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                          MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY);
}

/**
 * mbedtls_ssl_setup() that has failed forgets the configuration, which
 * mbedtls_ssl_free() then wants (3.6.6, with variable buffers).
 */
static inline void compat_setup_failed(mbedtls_ssl_context *ssl,
                                       const mbedtls_ssl_config *conf) {
    ssl->MBEDTLS_PRIVATE(conf) = conf;
}

/** @return the groups (RFC 8446 4.2.7) allowed, ending in 0 */
static inline const uint16_t *compat_groups(const mbedtls_ssl_config *conf) {
    return conf->MBEDTLS_PRIVATE(group_list);
}

/** @return the signature algorithms (RFC 8446 4.2.3) allowed, ending in 0 */
static inline const uint16_t *compat_sig_algs(const mbedtls_ssl_config *conf) {
    return conf->MBEDTLS_PRIVATE(sig_algs);
}

/** @return whether suites with a pre-shared key can be used */
static inline bool compat_has_psk(const mbedtls_ssl_config *conf) {
    return conf->MBEDTLS_PRIVATE(psk_identity) != NULL ||
           conf->MBEDTLS_PRIVATE(f_psk) != NULL;
}

/* Can the record buffers be given up? Known to be so from 3.6.3, the first that
 * puts messages together, with the option that stores their lengths. */
#if defined(MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH) &&                             \
    MBEDTLS_VERSION_NUMBER >= 0x03060300 &&                                    \
    MBEDTLS_VERSION_NUMBER < 0x03070000
#define COMPAT_RESTS 1
#else
#define COMPAT_RESTS 0
#endif

/* What is left of the two record buffers while they are given up: 3.6 keeps
 * the number of the next record to come in the first bytes of its own. */
struct compat_rest {
    bool resting;
    unsigned char number[8];
    size_t in_hdr, out_hdr, out_msg; /* offsets */
};

/**
 * Give up the record buffers, of 17 kB each, if nothing is in them, and a
 * server what it shook hands with; not without COMPAT_RESTS, nor before the
 * handshake is done.
 *
 * Until compat_wake() nothing may be called on `ssl` but mbedtls_ssl_free() and
 * what only asks.
 */
void compat_rest(mbedtls_ssl_context *ssl, struct compat_rest *r);

/**
 * Have them again; harmless if they are there.
 *
 * @return 0, or MBEDTLS_ERR_SSL_ALLOC_FAILED, after which it may be tried again
 */
int compat_wake(mbedtls_ssl_context *ssl, struct compat_rest *r);

/**
 * After a fork, so that no two processes draw the same random numbers; 3.6.6
 * notices by itself.
 *
 * @return a PSA status
 */
static inline psa_status_t compat_forked(void) {
#if MBEDTLS_VERSION_NUMBER < 0x03060600
    mbedtls_psa_crypto_free();
    return psa_crypto_init();
#else
    return PSA_SUCCESS;
#endif
}

#endif
