#include "tls/ssl_self_signed.h"

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <string.h>

#include "tls/ssl_failure.h"
#include "tls/ssl_verify.h"

enum { NAME_LEN = 253, LABEL_LEN = 63, IP_LEN = 16, SERIAL_LEN = 16 };

/* The names, as Mbed TLS wants them: a list into memory that stays. */
struct names {
    size_t n;
    mbedtls_x509_san_list san[SSL_SELF_SIGNED_NAMES];
    char text[SSL_SELF_SIGNED_NAMES][NAME_LEN + 1];
    unsigned char ip[SSL_SELF_SIGNED_NAMES][IP_LEN];
};

/* RFC 1035 2.3.1, and the '_' that hosts have in spite of it. */
static bool is_label(const char *p, size_t len) {
    static const char inner[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    if (len == 0 || len > LABEL_LEN || p[0] == '-' || p[len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '\0' || strchr(inner, p[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_host(const char *name) {
    size_t labels = 1;
    bool wild = strncmp(name, "*.", 2) == 0;
    for (const char *p = wild ? name + 2 : name;; labels++) {
        size_t len = strcspn(p, ".");
        if (!is_label(p, len)) {
            return false;
        }
        if (p[len] == '\0') {
            return !wild || labels >= 2;
        }
        p += len + 1;
    }
}

bool ssl_self_signed_name(const char *name, size_t len) {
    char text[NAME_LEN + 1];
    if (len == 0 || len > NAME_LEN) {
        return false;
    }
    memcpy(text, name, len);
    text[len] = '\0';
    return strlen(text) == len &&
           (ssl_verify_is_address(text) || is_host(text));
}

static void add_name(struct names *names, const char *name, size_t len) {
    size_t i = names->n++;
    memcpy(names->text[i], name, len);
    size_t ip_len =
        mbedtls_x509_crt_parse_cn_inet_pton(names->text[i], names->ip[i]);
    mbedtls_x509_subject_alternative_name *san = &names->san[i].node;
    san->type =
        ip_len > 0 ? MBEDTLS_X509_SAN_IP_ADDRESS : MBEDTLS_X509_SAN_DNS_NAME;
    san->san.unstructured_name.p =
        ip_len > 0 ? names->ip[i] : (unsigned char *)names->text[i];
    san->san.unstructured_name.len = ip_len > 0 ? ip_len : len;
    /* Mbed TLS writes a list from its end to its beginning. */
    names->san[i].next = i > 0 ? &names->san[i - 1] : NULL;
}

static int read_names(struct names *names, const char *list, struct err *err) {
    memset(names, 0, sizeof *names);
    for (const char *p = list;; p++) {
        size_t len = strcspn(p, ",");
        if (!ssl_self_signed_name(p, len)) {
            return err_set(err, ERR_USAGE, 0,
                           "'%.*s' is neither a DNS name nor an address",
                           len < 100 ? (int)len : 100, p);
        }
        if (names->n == SSL_SELF_SIGNED_NAMES) {
            return err_set(err, ERR_USAGE, 0,
                           "a certificate has %d names at most",
                           SSL_SELF_SIGNED_NAMES);
        }
        add_name(names, p, len);
        p += len;
        if (*p == '\0') {
            return 0;
        }
    }
}

static int make_key(mbedtls_pk_context *pk, struct err *err) {
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;
    psa_status_t status = psa_crypto_init();
    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&a, 256);
    psa_set_key_algorithm(&a, PSA_ALG_ECDSA(PSA_ALG_ANY_HASH));
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_EXPORT);
    if (status == PSA_SUCCESS) {
        status = psa_generate_key(&a, &id);
    }
    if (status != PSA_SUCCESS) {
        return err_set(err, ERR_TLS, status, "make a key");
    }
    int ret = mbedtls_pk_copy_from_psa(id, pk);
    psa_destroy_key(id);
    return ret == 0 ? 0 : ssl_failure_of(err, ret, "make a key");
}

/* RFC 5280 4.1.2.2: positive, and one that no other certificate has. */
static int set_serial(mbedtls_x509write_cert *w) {
    unsigned char serial[SERIAL_LEN];
    int ret =
        mbedtls_psa_get_random(MBEDTLS_PSA_RANDOM_STATE, serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7F) | 0x40);
    return ret != 0
               ? ret
               : mbedtls_x509write_crt_set_serial_raw(w, serial, sizeof serial);
}

/* @return 0 or an MBEDTLS_ERR_* value */
static int fill(mbedtls_x509write_cert *w, mbedtls_pk_context *pk,
                const struct names *names) {
    static const char who[] = "CN=mptls self-signed";
    mbedtls_asn1_sequence server = {
        .buf = { .tag = MBEDTLS_ASN1_OID,
                 .len = MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH),
                 .p = (unsigned char *)(uintptr_t)MBEDTLS_OID_SERVER_AUTH },
    };
    mbedtls_x509write_crt_set_version(w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(w, pk);
    mbedtls_x509write_crt_set_issuer_key(w, pk);
    int ret = set_serial(w);
    if (ret == 0) {
        ret = mbedtls_x509write_crt_set_subject_name(w, who);
    }
    if (ret == 0) {
        ret = mbedtls_x509write_crt_set_issuer_name(w, who);
    }
    if (ret == 0) {
        ret = mbedtls_x509write_crt_set_validity(w, "19700101000000",
                                                 "20491231235959");
    }
    if (ret == 0) {
        ret = mbedtls_x509write_crt_set_basic_constraints(w, 0, -1);
    }
    if (ret == 0) {
        ret = mbedtls_x509write_crt_set_key_usage(
            w, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    }
    if (ret == 0) {
        ret = mbedtls_x509write_crt_set_ext_key_usage(w, &server);
    }
    if (ret == 0) {
        ret = mbedtls_x509write_crt_set_subject_alternative_name(
            w, &names->san[names->n - 1]);
    }
    return ret;
}

/* Mbed TLS writes DER at the end of its buffer. */
static int keep(int len, unsigned char *buf, size_t size, size_t *out) {
    if (len < 0) {
        return len;
    }
    *out = (size_t)len;
    memmove(buf, buf + size - *out, *out);
    mbedtls_platform_zeroize(buf + *out, size - *out);
    return 0;
}

int ssl_self_signed_make(const char *names, struct ssl_self_signed *made,
                         struct err *err) {
    struct names list;
    mbedtls_pk_context pk;
    mbedtls_x509write_cert w;
    int rc = -1;
    memset(made, 0, sizeof *made);
    mbedtls_pk_init(&pk);
    mbedtls_x509write_crt_init(&w);
    if (read_names(&list, names, err) != 0 || make_key(&pk, err) != 0) {
        goto out;
    }
    int ret = fill(&w, &pk, &list);
    if (ret == 0) {
        ret = keep(mbedtls_x509write_crt_der(&w, made->cert, sizeof made->cert,
                                             mbedtls_psa_get_random,
                                             MBEDTLS_PSA_RANDOM_STATE),
                   made->cert, sizeof made->cert, &made->cert_len);
    }
    if (ret == 0) {
        ret = keep(mbedtls_pk_write_key_der(&pk, made->key, sizeof made->key),
                   made->key, sizeof made->key, &made->key_len);
    }
    rc = ret == 0 ? 0 : ssl_failure_of(err, ret, "make a certificate");
out:
    mbedtls_x509write_crt_free(&w);
    mbedtls_pk_free(&pk);
    if (rc != 0) {
        ssl_self_signed_wipe(made);
    }
    return rc;
}

void ssl_self_signed_wipe(struct ssl_self_signed *made) {
    mbedtls_platform_zeroize(made, sizeof *made);
}

void ssl_self_signed_wipe_key(struct ssl_self_signed *made) {
    mbedtls_platform_zeroize(made->key, sizeof made->key);
    made->key_len = 0;
}
