#include "cli/explain_code.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tls/mp_error.h"
#include "tls/ssl_alert.h"
#include "tls/ssl_info.h"

enum { LOW_HALF = 0x7F /* mbedtls/error.h */ };

const char *explain_tls_name(int64_t code) {
    const char *name;
    int found;
    size_t i = 0;
    while ((name = mp_error_name_at(i, &found)) != NULL && found != code) {
        i++;
    }
    return name;
}

int explain_tls_code(const char *name) {
    static const char prefix[] = "MBEDTLS_ERR_";
    const size_t skip = sizeof prefix - 1, n = strcspn(name, "+");
    const char *known,
        *part = strncasecmp(name, prefix, skip) == 0 ? name + skip : name;
    const size_t len = (size_t)(name + n - part);
    int code = 0, more = 0;
    size_t i = 0;
    while ((known = mp_error_name_at(i, &code)) != NULL &&
           !(strncasecmp(part, known, len) == 0 && known[len] == '\0')) {
        i++;
    }
    if (name[n] == '+') {
        more = explain_tls_code(name + n + 1);
    }
    return known == NULL || (name[n] == '+' && more == 0) ? 0 : code + more;
}

/* What 4.x, whose codes are PSA's as far as they can be, has in place of one of
 * 3.x; its migration guides. */
static const struct {
    const char *ending, *psa;
    int code;
} in_4[] = {
    { "ALLOC_FAILED", "PSA_ERROR_INSUFFICIENT_MEMORY", -141 },
    { "BUFFER_TOO_SMALL", "PSA_ERROR_BUFFER_TOO_SMALL", -138 },
    { "BUF_TOO_SMALL", "PSA_ERROR_BUFFER_TOO_SMALL", -138 },
    { "BAD_INPUT_DATA", "PSA_ERROR_INVALID_ARGUMENT", -135 },
    { "RSA_VERIFY_FAILED", "PSA_ERROR_INVALID_SIGNATURE", -149 },
    { "ECP_VERIFY_FAILED", "PSA_ERROR_INVALID_SIGNATURE", -149 },
    { "AUTH_FAILED", "PSA_ERROR_INVALID_SIGNATURE", -149 },
    { "OID_NOT_FOUND", "PSA_ERROR_NOT_SUPPORTED", -134 },
    { "CORRUPTION_DETECTED", "PSA_ERROR_CORRUPTION_DETECTED", -151 },
    { "GENERIC_ERROR", "PSA_ERROR_GENERIC_ERROR", -132 },
};

static void add_in_4(const char *name, char *text, size_t left) {
    size_t len = name != NULL ? strlen(name) : 0;
    for (size_t i = 0; i < sizeof in_4 / sizeof in_4[0]; i++) {
        size_t n = strlen(in_4[i].ending);
        if (len >= n && strcmp(name + len - n, in_4[i].ending) == 0) {
            snprintf(text, left, "; in 4.x %s, %d", in_4[i].psa, in_4[i].code);
            return;
        }
    }
}

void explain_numbers(const char *origin, int64_t code, int64_t whole,
                     char *buf) {
    const char *name = explain_tls_name(code);
    struct explain_key key;
    size_t at = (size_t)snprintf(buf, EXPLAIN_CODE_MAX, "-0x%04X = %d",
                                 (unsigned)-whole, (int)whole);
    char *text = buf + at;
    size_t left = EXPLAIN_CODE_MAX - at;
    if (whole != code) {
        snprintf(text, left, ", here -0x%04X of it; 4.x has no such sums",
                 (unsigned)-code);
    } else if (strcmp(origin, "tls2") == 0) {
        snprintf(text, left, name != NULL ? "; in 3.x MBEDTLS_ERR_%s" : "%s",
                 name != NULL ? name : "; not in 3.x");
    } else if (explain_find("tls2", code, &key) != NULL) {
        snprintf(text, left, "; in 2.28 this number is MBEDTLS_ERR_%s",
                 key.name);
    } else {
        add_in_4(name, text, left);
    }
}

static void of_tls(int64_t code, char *buf) {
    int64_t low = -(-code & LOW_HALF), high = code - low;
    char numbers[EXPLAIN_CODE_MAX], name[EXPLAIN_NAME_MAX];
    int64_t half = explain_tls_name(code) != NULL || low == 0 ? code : high;
    explain_numbers("tls", half, code, numbers);
    mp_error_name((int)code, name, sizeof name);
    if (half != code) { /* a sum: both halves, rather than one of them */
        snprintf(numbers, sizeof numbers,
                 "-0x%04X = %d: -0x%04X and -0x%04X; 4.x has no such sums",
                 (unsigned)-code, (int)code, (unsigned)-high, (unsigned)-low);
    }
    snprintf(buf, EXPLAIN_CODE_MAX, "%.120s %.130s", name, numbers);
}

const char *explain_mbedtls(const struct err *e, char *buf) {
    char text[EXPLAIN_CODE_MAX];
    switch (e->origin) {
    case ERR_TLS:
        of_tls(e->code, buf);
        return buf;
    case ERR_ALERT:
        of_tls(MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, text);
        snprintf(buf, EXPLAIN_CODE_MAX, "alert %d; %.200s", (int)e->code, text);
        return buf;
    case ERR_VERIFY:
        if (((uint32_t)e->code & ~SSL_BADCERT_PIN) == 0) {
            return NULL; /* ours alone */
        }
        of_tls(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, text);
        snprintf(buf, EXPLAIN_CODE_MAX, "%.200s; flags 0x%X", text,
                 (unsigned)e->code & ~SSL_BADCERT_PIN);
        return buf;
    default:
        return NULL;
    }
}

const char *explain_name(const struct err *e, int status, char *buf) {
    static const char prefix[] = "MBEDTLS_ERR_";
    struct explain_key key;
    if (explain_of(e, status, &key) == NULL) {
        return NULL;
    }
    if (strcmp(key.origin, "alert") == 0) {
        snprintf(buf, EXPLAIN_NAME_MAX, "%s", ssl_alert_name((int)e->code));
    } else if (strcmp(key.origin, "tls") == 0) {
        char name[EXPLAIN_NAME_MAX];
        mp_error_name((int)e->code, name, sizeof name);
        snprintf(buf, EXPLAIN_NAME_MAX, "%s", name + sizeof prefix - 1);
    } else if (key.name[0] != '\0') {
        snprintf(buf, EXPLAIN_NAME_MAX, "%s", key.name);
    } else {
        snprintf(buf, EXPLAIN_NAME_MAX, "exit %d", status);
    }
    return buf;
}
