#include "tls/ssl_pin.h"

#include <mbedtls/base64.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

static const char prefix[] = "sha256/";

enum { DIGITS = 44 }; /* of 32 bytes in base64, padding included */

bool ssl_pin_read(const char *text, struct ssl_pin *pin) {
    size_t skip = sizeof prefix - 1, len = strlen(text), n = 0;
    if (strncmp(text, prefix, skip) != 0) {
        return false;
    }
    if (text[skip] == '/' && len == skip + 1 + DIGITS) {
        skip++;
    }
    /* The library skips what is white, and the digits are then too few. */
    return len == skip + DIGITS &&
           mbedtls_base64_decode(pin->sha256, SSL_SHA256_LEN, &n,
                                 (const unsigned char *)text + skip,
                                 DIGITS) == 0 &&
           n == SSL_SHA256_LEN;
}

const char *ssl_pin_text(const unsigned char sha256[SSL_SHA256_LEN],
                         char *buf) {
    unsigned char digits[DIGITS + 1] = "";
    size_t n;
    (void)mbedtls_base64_encode(digits, sizeof digits, &n, sha256,
                                SSL_SHA256_LEN);
    snprintf(buf, SSL_PIN_TEXT_MAX, "%s%s", prefix, (const char *)digits);
    return buf;
}

bool ssl_pin_match(const struct ssl_pins *pins, const mbedtls_x509_crt *crt) {
    unsigned char sha256[SSL_SHA256_LEN];
    size_t len;
    if (pins->n == 0) {
        return true;
    }
    if (crt == NULL ||
        psa_hash_compute(PSA_ALG_SHA_256, crt->pk_raw.p, crt->pk_raw.len,
                         sha256, sizeof sha256, &len) != PSA_SUCCESS) {
        return false;
    }
    for (size_t i = 0; i < pins->n; i++) {
        if (memcmp(pins->pin[i].sha256, sha256, sizeof sha256) == 0) {
            return true;
        }
    }
    return false;
}
