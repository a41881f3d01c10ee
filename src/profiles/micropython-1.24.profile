title MicroPython 1.24 to 1.28 on unix, stm32, mimxrt and others
library Mbed TLS 3.5.1 (1.24), 3.6.2 (1.25 to 1.28)
source MicroPython 1.25.0, extmod/mbedtls/mbedtls_config_common.h and modtls_mbedtls.c
source its ClientHello, captured from the unix port (Mbed TLS 3.6.2)

versions TLSv1.2
ciphers TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
ciphers TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384
ciphers TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA
ciphers TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
ciphers TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256
ciphers TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
ciphers TLS_RSA_WITH_AES_256_GCM_SHA384 TLS_RSA_WITH_AES_256_CBC_SHA256 TLS_RSA_WITH_AES_256_CBC_SHA
ciphers TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_RSA_WITH_AES_128_CBC_SHA256 TLS_RSA_WITH_AES_128_CBC_SHA
groups secp256r1 secp384r1 secp521r1
sig-algs ecdsa_secp521r1_sha512 rsa_pkcs1_sha512 ecdsa_secp384r1_sha384 rsa_pkcs1_sha384
sig-algs ecdsa_secp256r1_sha256 rsa_pkcs1_sha256
extensions server_name supported_groups signature_algorithms ec_point_formats

max-in-record 16384   # MBEDTLS_SSL_IN_CONTENT_LEN
max-in-message 16384
max-out-record 4096   # MBEDTLS_SSL_OUT_CONTENT_LEN
messages whole        # Mbed TLS joins them since 3.6.3

verify none           # ssl.SSLContext and ssl.wrap_socket; tls.SSLContext as a client: required
trust none
formats der
rsa 2048 8192         # MBEDTLS_MPI_MAX_SIZE 1024
curves secp256r1 secp384r1 secp521r1 secp256k1
hashes sha256 sha384 sha512
pss no
dates checked
clock host
close-notify no
sni-address yes
errors micropython

unlike a certificate without subjectAltName is taken by its common name there, and refused here (RFC 9525)
