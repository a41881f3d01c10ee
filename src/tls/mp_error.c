#include "tls/mp_error.h"

#include <errno.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#include "tls/ssl_info.h"

/* Made from Mbed TLS's own headers: { -0x7F00, "SSL_ALLOC_FAILED" }, ... */
static const struct {
    int code;
    const char *name;
} names[] = {
#include "mbedtls_names.inc"
};

enum { HIGH_MASK = 0xFF80, LOW_MASK = 0x7F }; /* mbedtls/error.h */

static const char *name_of(int code) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return NULL;
}

const char *mp_error_name_at(size_t i, int *code) {
    if (i >= sizeof names / sizeof names[0]) {
        return NULL;
    }
    if (code != NULL) {
        *code = names[i].code;
    }
    return names[i].name;
}

const char *mp_error_name(int code, char *buf, size_t len) {
    unsigned u = code < 0 ? 0u - (unsigned)code : (unsigned)code;
    const char *whole = name_of(-(int)u);
    const char *high = name_of(-(int)(u & HIGH_MASK));
    const char *low = name_of(-(int)(u & LOW_MASK));
    if (whole != NULL) {
        snprintf(buf, len, "MBEDTLS_ERR_%s", whole);
    } else if (high != NULL && low != NULL) {
        snprintf(buf, len, "MBEDTLS_ERR_%s+MBEDTLS_ERR_%s", high, low);
    } else if (high != NULL) {
        snprintf(buf, len, "MBEDTLS_ERR_%s", high);
    } else {
        snprintf(buf, len, "MBEDTLS_ERR_UNKNOWN (0x%04X)", u);
    }
    return buf;
}

static const char *os_error(int64_t code, char *buf, size_t len) {
    snprintf(buf, len, "OSError(%lld)", (long long)code);
    return buf;
}

static const char *tls_error(int code, char *buf, size_t len) {
    switch (code) {
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        return os_error(ENOMEM, buf, len);
    case MBEDTLS_ERR_PK_BAD_INPUT_DATA:
        snprintf(buf, len, "ValueError('invalid key')");
        return buf;
    case MBEDTLS_ERR_X509_BAD_INPUT_DATA:
        snprintf(buf, len, "ValueError('invalid cert')");
        return buf;
    default:
        break;
    }
    if (code < 0 && code > -256) { /* taken for a negative errno */
        return os_error(-code, buf, len);
    }
    char name[160];
    snprintf(buf, len, "OSError(%d, '%s')", code,
             mp_error_name(code, name, sizeof name));
    return buf;
}

/* The library's own sentences, a newline before and after each. */
static const char *verify_error(uint32_t flags, char *buf, size_t len) {
    if (flags == SSL_BADCERT_PIN) { /* MicroPython: has no pins */
        return NULL;
    }
    flags &= ~SSL_BADCERT_PIN;
    const uint32_t usage =
        MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    if ((flags & ~usage) == 0) { /* judged after the chain, by another code */
        return tls_error(MBEDTLS_ERR_SSL_BAD_CERTIFICATE, buf, len);
    }
    char text[MP_ERROR_MAX - 64]; /* 256 there, which not all flags fit in */
    int n = mbedtls_x509_crt_verify_info(text, sizeof text, "\n", flags);
    size_t at = (size_t)snprintf(buf, len, "ValueError('");
    for (int i = 0; i < n && at + 5 < len; i++) {
        at += (size_t)snprintf(buf + at, len - at, "%s",
                               text[i] == '\n'   ? "\\n"
                               : text[i] == '\'' ? "\\'"
                                                 : (char[]){ text[i], 0 });
    }
    snprintf(buf + at, len - at, "')");
    return buf;
}

const char *mp_error(const struct err *e, char *buf, size_t len) {
    switch (e->origin) {
    case ERR_OS:
    case ERR_NET:
        return os_error(e->code, buf, len);
    case ERR_DNS:
        return os_error(e->code, buf, len);
    case ERR_TIMEOUT:
        return os_error(ETIMEDOUT, buf, len);
    case ERR_DEVICE:
        if (e->code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
            /* A signature that there was no memory to check is a wrong one. */
            return verify_error(MBEDTLS_X509_BADCERT_NOT_TRUSTED, buf, len);
        }
        return tls_error((int)e->code, buf, len);
    case ERR_TLS:
        return tls_error((int)e->code, buf, len);
    case ERR_VERIFY:
        return verify_error((uint32_t)e->code, buf, len);
    case ERR_ALERT:
        return tls_error(MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, buf, len);
    case ERR_TRUNCATED:
        snprintf(buf, len, "b'' (it takes this for an ordinary end)");
        return buf;
    default:
        return NULL;
    }
}

const char *mp_error_loading(const struct err *e, char *buf, size_t len) {
    static const struct {
        int from, to; /* of the library's modules, by mbedtls/error.h */
        const char *text;
    } rows[] = {
        { MBEDTLS_ERR_PK_TYPE_MISMATCH, MBEDTLS_ERR_PK_TYPE_MISMATCH, NULL },
        { MBEDTLS_ERR_PK_ALLOC_FAILED, MBEDTLS_ERR_PK_BUFFER_TOO_SMALL,
          "ValueError('invalid key')" },
        { MBEDTLS_ERR_PEM_PASSWORD_MISMATCH, MBEDTLS_ERR_PEM_PASSWORD_REQUIRED,
          "ValueError('invalid key')" },
        { MBEDTLS_ERR_X509_FATAL_ERROR, MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE,
          "ValueError('invalid cert')" },
        { MBEDTLS_ERR_PEM_BAD_INPUT_DATA,
          MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT,
          "ValueError('invalid cert')" },
    };
    const int code = -(-(int)e->code & HIGH_MASK);
    if (e->origin != ERR_TLS || e->code == MBEDTLS_ERR_SSL_BAD_CONFIG) {
        return mp_error(e, buf, len);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (code >= rows[i].from && code <= rows[i].to &&
            rows[i].text != NULL) {
            snprintf(buf, len, "%s", rows[i].text);
            return buf;
        }
        if (code == rows[i].from && rows[i].text == NULL) {
            break;
        }
    }
    return NULL;
}

/* MicroPython: modtls_axtls.c, whose codes are those of axTLS's ssl.h. */
const char *mp_error_axtls(const struct err *e, char *buf, size_t len) {
    switch (e->origin) {
    case ERR_OS:
    case ERR_NET:
    case ERR_DNS:
    case ERR_TIMEOUT:
        return mp_error(e, buf, len);
    case ERR_ALERT:
        return os_error(-e->code, buf, len);
    case ERR_DEVICE:
        snprintf(buf, len, "OSError(-257, 'RECORD_OVERFLOW')");
        return buf;
    case ERR_TRUNCATED:
        return mp_error(e, buf, len);
    case ERR_TLS:
        if (e->code == MBEDTLS_ERR_SSL_CONN_EOF) {
            snprintf(buf, len, "OSError(-256, 'CONN_LOST')");
            return buf;
        }
        return NULL;
    default:
        return NULL;
    }
}
