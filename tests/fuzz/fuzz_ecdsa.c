/*
 * fuzz_ecdsa.c - the signature of a certificate: whether a library helps or
 * not, the verdict is the same.
 */
#include "fuzz.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>

#include "accel/accel.h"
#include "cert_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned char *sig = fuzz_copy(data, size, 0), hash[32];
    mbedtls_x509_crt root;
    mbedtls_x509_crt_init(&root);
    CHECK(mbedtls_x509_crt_parse_der(&root, root_cert, sizeof root_cert) == 0);
    CHECK(mbedtls_sha256(root.tbs.p, root.tbs.len, hash, 0) == 0);
    mbedtls_ecp_keypair *key = mbedtls_pk_ec(root.pk);
    CHECK(key != NULL);
    accel_nettle_use(false);
    int own = mbedtls_ecdsa_read_signature(key, hash, sizeof hash, sig, size);
    accel_nettle_use(true);
    CHECK(mbedtls_ecdsa_read_signature(key, hash, sizeof hash, sig, size) ==
          own);
    mbedtls_x509_crt_free(&root);
    free(sig);
    return 0;
}
