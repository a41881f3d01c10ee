#include "tls/compat.h"

#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#if COMPAT_RESTS

#define IT(field) ssl->MBEDTLS_PRIVATE(field)

/* Is there no byte in the buffers that matters? What came and was processed
 * is taken off by the next call only, and counts as mattering until then. */
static bool is_empty(const mbedtls_ssl_context *ssl) {
    return IT(state) == MBEDTLS_SSL_HANDSHAKE_OVER && IT(in_left) == 0 &&
           IT(in_offt) == NULL && IT(in_msglen) == 0 && IT(in_hslen) == 0 &&
           IT(badmac_seen_or_in_hsfraglen) == 0 &&
           IT(keep_current_message) == 0 && IT(out_left) == 0;
}

/* In TLS 1.3 the library keeps what the handshake was made with, 6 kB, until
 * the connection ends. A client needs it for the tickets to come, a server for
 * nothing. */
void mbedtls_ssl_handshake_free(mbedtls_ssl_context *ssl);
void mbedtls_ssl_transform_free(mbedtls_ssl_transform *transform);

static void forget_handshake(mbedtls_ssl_context *ssl) {
    if (IT(handshake) != NULL &&
        IT(tls_version) == MBEDTLS_SSL_VERSION_TLS1_3 &&
        mbedtls_ssl_conf_get_endpoint(IT(conf)) == MBEDTLS_SSL_IS_SERVER) {
        mbedtls_ssl_handshake_free(ssl);
        mbedtls_free(IT(handshake));
        IT(handshake) = NULL;
        mbedtls_ssl_transform_free(IT(transform_negotiate));
        mbedtls_free(IT(transform_negotiate));
        IT(transform_negotiate) = NULL;
        mbedtls_ssl_session_free(IT(session_negotiate));
        mbedtls_free(IT(session_negotiate));
        IT(session_negotiate) = NULL;
    }
}

static void give_up(unsigned char **buf, size_t len) {
    mbedtls_platform_zeroize(*buf, len);
    mbedtls_free(*buf);
    *buf = NULL;
}

void compat_rest(mbedtls_ssl_context *ssl, struct compat_rest *r) {
    if (r->resting || !is_empty(ssl) || IT(in_buf) == NULL ||
        IT(out_buf) == NULL) {
        return;
    }
    memcpy(r->number, IT(in_ctr), sizeof r->number);
    r->in_hdr = (size_t)(IT(in_hdr) - IT(in_buf));
    r->out_hdr = (size_t)(IT(out_hdr) - IT(out_buf));
    r->out_msg = (size_t)(IT(out_msg) - IT(out_buf));
    forget_handshake(ssl);
    give_up(&IT(in_buf), IT(in_buf_len));
    give_up(&IT(out_buf), IT(out_buf_len));
    IT(in_msg) = NULL; /* which compat_alert() looks at */
    r->resting = true;
}

int compat_wake(mbedtls_ssl_context *ssl, struct compat_rest *r) {
    enum { LENGTH_AT = 3, HEADER = 5 }; /* of a record (RFC 8446 5.1) */
    if (!r->resting) {
        return 0;
    }
    unsigned char *in = mbedtls_calloc(1, IT(in_buf_len));
    unsigned char *out = mbedtls_calloc(1, IT(out_buf_len));
    if (in == NULL || out == NULL) {
        mbedtls_free(in);
        mbedtls_free(out);
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    IT(in_buf) = IT(in_ctr) = in;
    IT(in_hdr) = in + r->in_hdr;
    IT(in_len) = IT(in_hdr) + LENGTH_AT;
    IT(in_iv) = IT(in_msg) = IT(in_hdr) + HEADER;
    IT(out_buf) = IT(out_ctr) = out;
    IT(out_hdr) = out + r->out_hdr;
    IT(out_len) = IT(out_hdr) + LENGTH_AT;
    IT(out_iv) = IT(out_hdr) + HEADER;
    IT(out_msg) = out + r->out_msg;
#if defined(MBEDTLS_SSL_DTLS_CONNECTION_ID)
    IT(in_cid) = IT(in_len);
    IT(out_cid) = IT(out_len);
#endif
    memcpy(IT(in_ctr), r->number, sizeof r->number);
    r->resting = false;
    return 0;
}

#else

void compat_rest(mbedtls_ssl_context *ssl, struct compat_rest *r) {
    (void)ssl;
    (void)r;
}

int compat_wake(mbedtls_ssl_context *ssl, struct compat_rest *r) {
    (void)ssl;
    (void)r;
    return 0;
}

#endif
