#include "tls/ssl_suite.h"

#include <string.h>

#include "tls/ssl_info.h"

static bool begins(const char *text, const char *head) {
    return strncmp(text, head, strlen(head)) == 0;
}

static enum ssl_suite_key key_of(const char *kx, bool ec) {
    if (strstr(kx, "ECDSA_WITH") != NULL) {
        return SSL_KEY_EC;
    }
    if (strstr(kx, "DSS_") != NULL) {
        return SSL_KEY_DSS;
    }
    if (begins(kx, "RSA_") || strstr(kx, "_RSA_") != NULL) {
        /* In ECDH_RSA it is the CA's signature that is RSA's. */
        return ec && begins(kx, "ECDH_RSA") ? SSL_KEY_EC : SSL_KEY_RSA;
    }
    return SSL_KEY_NONE;
}

struct ssl_suite ssl_suite_of(unsigned id) {
    struct ssl_suite s = { false };
    char name[SSL_LABEL_MAX];
    ssl_name(SSL_KIND_CIPHER, id, name);
    s.tls12 = begins(name, "TLS_") && strstr(name, "_WITH_") != NULL && id != 0;
    s.tls13 = begins(name, "TLS_") && !s.tls12 && id != 0 &&
              strstr(name, "_SCSV") == NULL;
    if (!s.tls12) {
        return s;
    }
    const char *kx = name + 4;
    s.ec = begins(kx, "ECDH");
    s.dhe =
        begins(kx, "DHE_") || begins(kx, "DH_anon") || begins(kx, "PSK_DHE");
    s.psk = begins(kx, "PSK_") || strstr(kx, "_PSK_WITH") != NULL;
    s.key = key_of(kx, s.ec);
    s.signs = s.key != SSL_KEY_NONE && (s.dhe || begins(kx, "ECDHE_"));
    return s;
}

enum ssl_suite_key ssl_suite_signer(unsigned id) {
    static const enum ssl_suite_key keys[] = { SSL_KEY_NONE, SSL_KEY_RSA,
                                               SSL_KEY_DSS, SSL_KEY_EC };
    unsigned hash = id >> 8, key = id & 0xFF;
    if (hash >= 1 && hash <= 6 && key < sizeof keys / sizeof keys[0]) {
        return keys[key]; /* RFC 5246 7.4.1.4.1 */
    }
    return id >= 0x0804 && id <= 0x0806 ? SSL_KEY_RSA : SSL_KEY_NONE;
}

bool ssl_suite_group(unsigned id, bool tls13) {
    if (ssl_name_grease(id)) {
        return false;
    }
    return tls13 ? (id >= 23 && id <= 25) || id >= 29 : id < 256;
}
