#include "tls/ssl_keys.h"

#include <mbedtls/platform_util.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

bool ssl_keys_expand(const unsigned char *secret, size_t secret_len,
                     const char *label, unsigned char *out, size_t len) {
    psa_key_derivation_operation_t op = PSA_KEY_DERIVATION_OPERATION_INIT;
    psa_algorithm_t hash = secret_len == 48 ? PSA_ALG_SHA_384 : PSA_ALG_SHA_256;
    unsigned char info[32];
    int n = snprintf((char *)info + 3, sizeof info - 4, "tls13 %s", label);
    info[0] = 0;
    info[1] = (unsigned char)len;
    info[2] = (unsigned char)n;
    info[3 + n] = 0;
    bool ok =
        psa_key_derivation_setup(&op, PSA_ALG_HKDF_EXPAND(hash)) ==
            PSA_SUCCESS &&
        psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_SECRET,
                                       secret, secret_len) == PSA_SUCCESS &&
        psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_INFO, info,
                                       (size_t)n + 4) == PSA_SUCCESS &&
        psa_key_derivation_output_bytes(&op, out, len) == PSA_SUCCESS;
    psa_key_derivation_abort(&op);
    return ok;
}

/* The first `len` bytes of the key block (RFC 5246 6.3). */
static bool key_block(const struct ssl_secrets *s, unsigned char *out,
                      size_t len) {
    static const unsigned char label[] = "key expansion";
    psa_key_derivation_operation_t op = PSA_KEY_DERIVATION_OPERATION_INIT;
    psa_algorithm_t hash = s->sha384 ? PSA_ALG_SHA_384 : PSA_ALG_SHA_256;
    bool ok =
        psa_key_derivation_setup(&op, PSA_ALG_TLS12_PRF(hash)) == PSA_SUCCESS &&
        psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_SEED,
                                       s->randoms,
                                       sizeof s->randoms) == PSA_SUCCESS &&
        psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_SECRET,
                                       s->client, s->len) == PSA_SUCCESS &&
        psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_LABEL,
                                       label,
                                       sizeof label - 1) == PSA_SUCCESS &&
        psa_key_derivation_output_bytes(&op, out, len) == PSA_SUCCESS;
    psa_key_derivation_abort(&op);
    return ok;
}

void ssl_keys_keep(struct ssl_secrets *s, mbedtls_ssl_key_export_type type,
                   const unsigned char *secret, size_t len,
                   const unsigned char client_random[32],
                   const unsigned char server_random[32],
                   mbedtls_tls_prf_types prf) {
    unsigned char *to = s->client;
    switch (type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET:
        to = s->server;
        break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET:
    case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET:
        break;
    default:
        return;
    }
    if (len > sizeof s->client) {
        return;
    }
    memcpy(to, secret, len);
    memcpy(s->randoms, server_random, 32);
    memcpy(s->randoms + 32, client_random, 32);
    s->len = len;
    s->tls13 = type != MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET;
    s->sha384 = s->tls13 ? len == 48 : prf == MBEDTLS_SSL_TLS_PRF_SHA384;
}

struct aead {
    const char *part; /* of the suite's name, up to its end or a '_' */
    enum record_cipher cipher;
    size_t key_len, salt_len; /* the latter in TLS 1.2 */
};

static const struct aead *find(const char *suite) {
    static const struct aead rows[] = {
        { "AES_128_GCM_", RECORD_AES_128_GCM, 16, 4 },
        { "AES_256_GCM_", RECORD_AES_256_GCM, 32, 4 },
        { "CHACHA20_POLY1305_", RECORD_CHACHA20_POLY1305, 32, 12 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strstr(suite, rows[i].part) != NULL) {
            return &rows[i];
        }
    }
    return NULL;
}

/* client_write_key, server_write_key, and the same of their salts; an AEAD has
 * no MAC keys. Mbed TLS makes the number of a record the explicit part of its
 * nonce. */
static bool derive12(const struct ssl_secrets *s, const struct aead *a,
                     bool client, struct record_keys *keys) {
    unsigned char block[2 * (32 + 12)];
    size_t i = client ? 0 : 1;
    bool ok = key_block(s, block, 2 * (a->key_len + a->salt_len));
    memcpy(keys->key, block + i * a->key_len, a->key_len);
    memcpy(keys->iv, block + 2 * a->key_len + i * a->salt_len, a->salt_len);
    for (size_t n = 0; n < sizeof keys->iv - a->salt_len; n++) {
        keys->iv[11 - n] = (unsigned char)(keys->seq >> (8 * n));
    }
    mbedtls_platform_zeroize(block, sizeof block);
    return ok;
}

const char *ssl_keys_derive(const struct ssl_secrets *s, const char *suite,
                            bool client, uint64_t seq,
                            struct record_keys *keys) {
    const struct aead *a = find(suite);
    *keys = (struct record_keys){ .tls13 = s->tls13, .seq = seq };
    if (s->len == 0) {
        return "there are no secrets to make keys from";
    }
    if (a == NULL) {
        return "the cipher suite is none of AES-GCM or ChaCha20-Poly1305";
    }
    keys->cipher = a->cipher;
    const unsigned char *secret = client ? s->client : s->server;
    bool ok = s->tls13 ? ssl_keys_expand(secret, s->len, "key", keys->key,
                                         a->key_len) &&
                             ssl_keys_expand(secret, s->len, "iv", keys->iv,
                                             sizeof keys->iv)
                       : derive12(s, a, client, keys);
    return ok ? NULL : "the keys cannot be derived";
}
