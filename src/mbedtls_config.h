/*
 * mbedtls_config.h - our Mbed TLS 3.6: the library's defaults, and what a
 * debugger of embedded peers needs beside them.
 */
#include "mbedtls/mbedtls_config.h"

#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH
#define MBEDTLS_SSL_RECORD_SIZE_LIMIT
#define MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK
#define MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED
