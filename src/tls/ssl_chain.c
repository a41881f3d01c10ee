#include "tls/ssl_chain.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform.h>
#include <stdio.h>
#include <string.h>

#include "tls/ssl_diagnose.h"
#include "tls/ssl_failure.h"
#include "tls/ssl_socket.h"

/* Those that CAs mark critical (RFC 5280 4.2, RFC 6962 3.1). */
static const struct {
    const char *number, *name;
} extension_names[] = {
    { "2.5.29.30", "nameConstraints" },
    { "2.5.29.31", "cRLDistributionPoints" },
    { "2.5.29.32", "certificatePolicies" },
    { "2.5.29.33", "policyMappings" },
    { "2.5.29.36", "policyConstraints" },
    { "2.5.29.54", "inhibitAnyPolicy" },
    { "1.3.6.1.4.1.11129.2.4.3", "a precertificate's poison" },
};

/* What the parser's callback is told, and tells. */
struct parsing {
    struct ssl_chain *chain;
    bool refused;
};

void ssl_chain_init(struct ssl_chain *c) {
    memset(c, 0, sizeof *c);
    mbedtls_x509_crt_init(&c->certs);
}

void ssl_chain_free(struct ssl_chain *c) {
    mbedtls_x509_crt_free(&c->certs);
    ssl_verify_free(&c->verify);
    ssl_chain_init(c);
}

/* Mbed TLS asks what to do with an extension it does not process: refuse it if
 * it is critical, as without being asked, and say which one it is. */
static int on_extension(void *arg, const mbedtls_x509_crt *crt,
                        const mbedtls_x509_buf *oid, int critical,
                        const unsigned char *p, const unsigned char *end) {
    enum {
        CODE = MBEDTLS_ERR_X509_INVALID_EXTENSIONS +
               MBEDTLS_ERR_ASN1_UNEXPECTED_TAG
    };
    struct parsing *now = arg;
    struct ssl_chain *c = now->chain;
    struct ssl_cert_info info;
    char number[64];
    const char *name = NULL;
    (void)p;
    (void)end;
    if (!critical) {
        return 0;
    }
    if (mbedtls_oid_get_numeric_string(number, sizeof number, oid) < 0) {
        snprintf(number, sizeof number, "of an unreadable number");
    }
    for (size_t i = 0; i < sizeof extension_names / sizeof extension_names[0];
         i++) {
        if (strcmp(extension_names[i].number, number) == 0) {
            name = extension_names[i].name;
        }
    }
    now->refused = true;
    ssl_cert_describe(crt, NULL, &info);
    err_set(&c->refused, ERR_TLS, CODE,
            "certificate %zu (%.64s) has a critical extension that Mbed TLS "
            "does not process: %s%s%s%s",
            c->count, info.subject, number, name != NULL ? " (" : "",
            name != NULL ? name : "", name != NULL ? ")" : "");
    return CODE;
}

static int add_cert(struct ssl_chain *c, const unsigned char *der, size_t len,
                    struct err *err) {
    bool first = c->refused.origin == ERR_NONE;
    struct parsing now = { c, false };
    int ret = mbedtls_x509_crt_parse_der_with_ext_cb(&c->certs, der, len, 1,
                                                     on_extension, &now);
    if (ret != 0 && now.refused && first) {
        c->refused.code = ret; /* policies have one of their own */
    }
    char what[40];
    snprintf(what, sizeof what, "certificate %zu", c->count);
    c->count++;
    c->der_len += len;
    return ret == 0 || now.refused ? 0 : ssl_failure_of(err, ret, what);
}

static int load_pem(struct ssl_chain *c, const char *text, struct err *err) {
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    const char *at = text;
    while ((at = strstr(at, begin)) != NULL) {
        mbedtls_pem_context pem;
        mbedtls_pem_init(&pem);
        size_t used = 0, len = 0;
        int ret =
            mbedtls_pem_read_buffer(&pem, begin, "-----END CERTIFICATE-----",
                                    (const unsigned char *)at, NULL, 0, &used);
        int rc;
        if (ret != 0) {
            char what[40];
            snprintf(what, sizeof what, "certificate %zu", c->count);
            rc = ssl_failure_of(err, ret, what);
        } else {
            const unsigned char *der = mbedtls_pem_get_buffer(&pem, &len);
            rc = add_cert(c, der, len, err);
        }
        mbedtls_pem_free(&pem);
        if (rc != 0) {
            return -1;
        }
        at += used;
    }
    return 0;
}

static int load_der(struct ssl_chain *c, const unsigned char *data, size_t len,
                    struct err *err) {
    while (len > 0) {
        unsigned char *at = (unsigned char *)(uintptr_t)data;
        size_t body;
        if (mbedtls_asn1_get_tag(&at, data + len, &body,
                                 MBEDTLS_ASN1_CONSTRUCTED |
                                     MBEDTLS_ASN1_SEQUENCE) != 0) {
            return err_set(err, ERR_TLS, MBEDTLS_ERR_X509_INVALID_FORMAT,
                           "certificate %zu is neither PEM nor DER", c->count);
        }
        size_t n = (size_t)(at - data) + body;
        if (add_cert(c, data, n, err) != 0) {
            return -1;
        }
        data += n;
        len -= n;
    }
    return 0;
}

int ssl_chain_load(struct ssl_chain *c, const unsigned char *data, size_t len,
                   struct err *err) {
    char *text = mbedtls_calloc(1, len + 1);
    if (text == NULL) {
        return ssl_failure_of(err, MBEDTLS_ERR_X509_ALLOC_FAILED, "the chain");
    }
    if (len > 0) {
        memcpy(text, data, len);
    }
    bool pem = strstr(text, "-----BEGIN ") != NULL;
    int rc = pem ? load_pem(c, text, err) : load_der(c, data, len, err);
    if (rc == 0 && pem && strlen(text) != len) {
        rc = err_set(err, ERR_TLS, MBEDTLS_ERR_X509_INVALID_FORMAT,
                     "PEM with a NUL byte in it");
    }
    mbedtls_free(text);
    if (rc == 0 && c->count == 0) {
        return err_set(err, ERR_TLS, MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT,
                       "there is no certificate in it");
    }
    return rc;
}

/* What the library, or the device, can reassemble of a Certificate message. */
static int check_size(struct ssl_chain *c, const struct ssl_context *ctx,
                      struct err *err) {
    enum { MESSAGE = 4 };
    /* Lengths, and in TLS 1.3 extensions (RFC 5246 7.4.2, RFC 8446 4.4.2). */
    bool tls13 = ctx->max_version == SSL_TLS_1_3;
    size_t total =
        MESSAGE + (tls13 ? 4u : 3u) + c->count * (tls13 ? 5u : 3u) + c->der_len;
    size_t limit = ctx->device.max_in_message;
    if (limit != 0 && total > limit) {
        c->over = (struct ssl_overrun){ .what = SSL_OVER_MESSAGE,
                                        .bytes = total,
                                        .limit = limit,
                                        .record = MBEDTLS_SSL_MSG_HANDSHAKE,
                                        .type = SSL_MSG_CERTIFICATE };
        return err_set(err, ERR_DEVICE, MBEDTLS_ERR_SSL_BAD_INPUT_DATA,
                       "the chain makes a Certificate message of %zu bytes; "
                       "the device's input buffer holds %zu",
                       total, limit);
    }
    if (total <= MBEDTLS_SSL_IN_CONTENT_LEN) {
        return 0;
    }
    return err_set(err, ERR_TLS, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL,
                   "the certificate chain takes %zu bytes, and this build "
                   "takes at most %d in a message",
                   total, MBEDTLS_SSL_IN_CONTENT_LEN);
}

static int judge_path(struct ssl_chain *c, struct ssl_context *ctx) {
    if (ctx->have_ca) {
        return mbedtls_x509_crt_verify_with_profile(
            &c->certs, &ctx->ca, ctx->have_crl ? &ctx->crl : NULL, ctx->profile,
            NULL, &c->flags, ssl_verify_callback, &c->verify);
    }
    if (ctx->ca_source == NULL) {
        return MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED;
    }
    return mbedtls_x509_crt_verify_with_ca_cb(
        &c->certs, ssl_verify_find_ca, ctx, ctx->profile, NULL, &c->flags,
        ssl_verify_callback, &c->verify);
}

/* As mbedtls_ssl_check_cert_usage() for TLS 1.3, and for TLS 1.2 wherever the
 * certificate's key signs. */
static uint32_t judge_usage(const mbedtls_x509_crt *leaf,
                            const struct ssl_context *ctx) {
    const char *oid = ssl_verify_purpose(ctx);
    uint32_t flags = 0;
    if (mbedtls_x509_crt_check_key_usage(
            leaf, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0) {
        flags |= MBEDTLS_X509_BADCERT_KEY_USAGE;
    }
    if (mbedtls_x509_crt_check_extended_key_usage(leaf, oid, strlen(oid)) !=
        0) {
        flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    }
    return flags;
}

int ssl_chain_verify(struct ssl_chain *c, struct ssl_context *ctx,
                     const char *name, struct err *err) {
    bool client = ctx->protocol == SSL_PROTOCOL_TLS_CLIENT;
    c->flags = 0;
    if ((name != NULL && ssl_socket_check_hostname(ctx, name, err) != 0) ||
        check_size(c, ctx, err) != 0) {
        return -1;
    }
    if (c->refused.origin != ERR_NONE) {
        return err_set(err, c->refused.origin, c->refused.code, "%s",
                       c->refused.msg);
    }
    c->name_checked = client && name != NULL && name[0] != '\0';
    snprintf(c->server_hostname, sizeof c->server_hostname, "%s",
             name != NULL ? name : "");
    ssl_verify_free(&c->verify);
    c->verify = (struct ssl_verify){
        .name = c->name_checked ? c->server_hostname : NULL,
        .ctx = ctx,
    };
    int ret = judge_path(c, ctx);
    if (ret != 0 && ret != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        c->flags = 0; /* Mbed TLS has set them all */
        if (c->verify.device.origin != ERR_NONE) {
            *err = c->verify.device;
            return -1;
        }
        return ssl_failure_of(err, ret, "the chain");
    }
    c->flags |= judge_usage(&c->certs, ctx);
    if (c->flags == 0) {
        return 0;
    }
    char text[sizeof err->msg];
    ssl_verify_explain(&c->verify, c->flags, text, sizeof text);
    return err_set(err, ERR_VERIFY, c->flags, "%s", text);
}

void ssl_chain_info(const struct ssl_chain *c, struct ssl_context *ctx,
                    struct ssl_info *info) {
    ssl_info_clear(info);
    info->server_side = ctx->protocol == SSL_PROTOCOL_TLS_SERVER;
    info->verify_mode = SSL_CERT_REQUIRED;
    info->verified = c->verify.called;
    info->verify_flags = c->flags;
    info->pinned = ctx->pins.n > 0 && c->verify.called &&
                   (c->flags & SSL_BADCERT_PIN) == 0;
    info->name_checked = c->name_checked;
    memcpy(info->server_hostname, c->server_hostname,
           sizeof info->server_hostname);
    ssl_verify_info(&c->verify, info);
    ssl_diagnose_chain(&c->certs, ctx, &c->verify, c->flags, info);
    ssl_diagnose_device(&c->over, &c->verify, NULL, info);
}

bool ssl_chain_begins_with_ca(const struct ssl_chain *c) {
    return c->certs.raw.p != NULL &&
           mbedtls_x509_crt_get_ca_istrue(&c->certs) == 1;
}
