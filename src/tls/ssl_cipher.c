#include "tls/ssl_cipher.h"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Where the two ways of naming are not one rule apart. */
static const struct {
    int id;
    const char *iana;
} irregular[] = {
    { 0xC0AA, "TLS_PSK_DHE_WITH_AES_128_CCM_8" },
    { 0xC0AB, "TLS_PSK_DHE_WITH_AES_256_CCM_8" },
};

const char *ssl_cipher_iana(int id, char *buf) {
    if (mbedtls_ssl_ciphersuite_from_id(id) == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof irregular / sizeof irregular[0]; i++) {
        if (irregular[i].id == id) {
            snprintf(buf, SSL_CIPHER_NAME_MAX, "%s", irregular[i].iana);
            return buf;
        }
    }
    const char *name = mbedtls_ssl_get_ciphersuite_name(id);
    static const char tls13[] = "TLS1-3-";
    bool is13 = strncmp(name, tls13, sizeof tls13 - 1) == 0;
    snprintf(buf, SSL_CIPHER_NAME_MAX, "%s%s", is13 ? "TLS-" : "",
             is13 ? name + sizeof tls13 - 1 : name);
    for (char *p = buf; *p != '\0'; p++) {
        *p = *p == '-' ? '_' : *p;
    }
    return buf;
}

/* Replace the first `from` in s by the shorter or equal `to`. */
static bool swap(char *s, const char *from, const char *to) {
    char *at = strstr(s, from);
    if (at == NULL) {
        return false;
    }
    size_t f = strlen(from), t = strlen(to);
    memcpy(at, to, t);
    memmove(at + t, at + f, strlen(at + f) + 1);
    return true;
}

/* The cipher half of the name: AES_128_CBC_SHA256 is AES128-SHA256 there. */
static void openssl_half(char *s, bool keep_cbc) {
    static const char *const rules[][2] = {
        { "AES_", "AES" },
        { "CAMELLIA_", "CAMELLIA" },
        { "ARIA_", "ARIA" },
        { "CCM_8", "CCM8" },
        { "CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305" },
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        swap(s, rules[i][0], rules[i][1]);
    }
    if (!keep_cbc) {
        swap(s, "CBC_", "");
    }
}

const char *ssl_cipher_openssl(int id, char *buf) {
    char iana[SSL_CIPHER_NAME_MAX];
    if (ssl_cipher_iana(id, iana) == NULL) {
        return NULL;
    }
    char *with = strstr(iana, "_WITH_");
    if (with == NULL) { /* TLS 1.3: the same name */
        memcpy(buf, iana, sizeof iana);
        return buf;
    }
    *with = '\0';
    char *kx = iana + 4, *half = with + 6; /* what stands around _WITH_ */
    bool psk = strstr(kx, "PSK") != NULL;
    bool camellia = strncmp(half, "CAMELLIA", 8) == 0;
    openssl_half(half, psk && !camellia);
    bool plain_rsa = strcmp(kx, "RSA") == 0;
    if (strncmp(half, "ARIA", 4) == 0) {
        swap(kx, "ECDHE_RSA", "ECDHE");
    }
    swap(kx, "PSK_DHE", "DHE_PSK");
    snprintf(buf, SSL_CIPHER_NAME_MAX, "%s%s%s", plain_rsa ? "" : kx,
             plain_rsa ? "" : "-", half);
    for (char *p = buf; *p != '\0'; p++) {
        *p = *p == '_' ? '-' : *p;
    }
    return buf;
}

/* The i-th spelling of a suite; NULL past the last. */
static const char *spelling(int id, int i, char *buf) {
    switch (i) {
    case 0:
        return ssl_cipher_iana(id, buf);
    case 1:
        return mbedtls_ssl_get_ciphersuite_name(id);
    case 2:
        return ssl_cipher_openssl(id, buf);
    default:
        return NULL;
    }
}

int ssl_cipher_find(const char *name, size_t len) {
    char word[SSL_CIPHER_NAME_MAX], buf[SSL_CIPHER_NAME_MAX];
    if (len == 0 || len >= sizeof word) {
        return 0;
    }
    memcpy(word, name, len);
    word[len] = '\0';
    if (strncasecmp(word, "0x", 2) == 0 && word[2] != '\0') {
        char *end;
        unsigned long id = strtoul(word + 2, &end, 16);
        bool known = *end == '\0' && id <= 0xFFFF &&
                     mbedtls_ssl_ciphersuite_from_id((int)id) != NULL;
        return known ? (int)id : 0;
    }
    for (const int *id = mbedtls_ssl_list_ciphersuites(); *id != 0; id++) {
        const char *s;
        for (int i = 0; (s = spelling(*id, i, buf)) != NULL; i++) {
            if (strcasecmp(s, word) == 0) {
                return *id;
            }
        }
    }
    return 0;
}

const char *ssl_cipher_nearest(const char *name, char *buf) {
    char one[SSL_CIPHER_NAME_MAX];
    size_t best = strlen(name) / 4 + 1;
    bool found = false;
    for (const int *id = mbedtls_ssl_list_ciphersuites(); *id != 0; id++) {
        const char *s;
        for (int i = 0; (s = spelling(*id, i, one)) != NULL; i++) {
            size_t d = text_distance(name, s);
            if (d < best || (d == best && !found)) {
                best = d;
                found = true;
                snprintf(buf, SSL_CIPHER_NAME_MAX, "%s", s);
            }
        }
    }
    return found ? buf : NULL;
}

static bool within(int id, int first, int last) {
    return first <= id && id <= last;
}

/* RFC 7905 2, RFC 8446 B.4. */
static bool is_chacha(int id) {
    return within(id, 0xCCA8, 0xCCAE) || id == 0x1303;
}

/* RFC 5288, RFC 5487, RFC 5289, RFC 8446 B.4. */
static bool is_aes_gcm(int id) {
    return within(id, 0x009C, 0x00AD) || within(id, 0xC02B, 0xC032) ||
           within(id, 0x1301, 0x1302);
}

/* Mbed TLS lists them by strength, those with AES-GCM right after their likes
 * with ChaCha20-Poly1305: runs of these and of those change places. */
static void aes_first(int *list, size_t n) {
    size_t i = 0;
    while (i < n) {
        size_t begin = i, to = i;
        while (i < n && is_chacha(list[i])) {
            i++;
        }
        for (; i < n && is_aes_gcm(list[i]); i++) {
            int id = list[i];
            memmove(list + to + 1, list + to, (i - to) * sizeof *list);
            list[to++] = id;
        }
        i += i == begin;
    }
}

/* The suite with AES-128-GCM and SHA-256 that is otherwise the same as this one
 * with AES-256-GCM and SHA-384: the number before. 0: it is none of those. */
static int with_aes_128(int id) {
    bool even = id % 2 == 0;
    return is_aes_gcm(id) && even == (id > 0x00AD) ? id - 1 : 0;
}

static void aes_128_first(int *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int id = with_aes_128(list[i]);
        size_t k = i;
        while (k < n && list[k] != id) {
            k++;
        }
        if (k < n) {
            memmove(list + i + 1, list + i, (k - i) * sizeof *list);
            list[i] = id;
        }
    }
}

void ssl_cipher_list(bool aes, int *out) {
    const int *id = mbedtls_ssl_list_ciphersuites();
    size_t n = 0;
    while (n < SSL_CIPHERS_MAX && id[n] != 0) {
        out[n] = id[n];
        n++;
    }
    out[n] = 0;
    if (aes) {
        aes_first(out, n);
        aes_128_first(out, n);
    }
}

void ssl_cipher_versions(int id, bool *tls12, bool *tls13) {
    *tls13 = (id & 0xFF00) == 0x1300; /* RFC 8446 B.4 */
    *tls12 = !*tls13;
}
