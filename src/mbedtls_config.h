/*
 * mbedtls_config.h - our Mbed TLS 3.6: the library's defaults (TLS 1.2 and
 * 1.3, DTLS with connection ids, PSK in every mode, tickets, ALPN, MFL, EtM,
 * EMS, key export), what a debugger of embedded peers needs beside them, and
 * without what would touch files or sockets behind our back.
 */
#include "mbedtls/mbedtls_config.h"

#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH
#define MBEDTLS_SSL_RECORD_SIZE_LIMIT
#define MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK
#define MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED

/* A process that uses AES need not make its tables. */
#define MBEDTLS_AES_ROM_TABLES

/* Nothing in TLS or X.509 is made with these. */
#undef MBEDTLS_NIST_KW_C
#undef MBEDTLS_RIPEMD160_C

/* Where ACCEL is not none, tests/deps.sh defines the first of these, and the
 * second only while it compiles Mbed TLS's own code for src/accel to call. */
#if defined(MPTLS_ACCEL) && !defined(MPTLS_ACCEL_OWN)
#define MBEDTLS_GCM_ALT
#define MBEDTLS_CHACHAPOLY_ALT
#define MBEDTLS_ECDSA_VERIFY_ALT
#define MBEDTLS_ECDSA_SIGN_ALT
#define MBEDTLS_SHA256_PROCESS_ALT
#endif

#undef MBEDTLS_FS_IO
#undef MBEDTLS_NET_C
#undef MBEDTLS_PSA_CRYPTO_STORAGE_C
#undef MBEDTLS_PSA_ITS_FILE_C
#undef MBEDTLS_SELF_TEST
#undef MBEDTLS_TIMING_C
