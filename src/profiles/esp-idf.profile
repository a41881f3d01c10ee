title ESP-IDF 5 with its default configuration
library ESP-IDF 5's fork of Mbed TLS 3
source ESP-IDF 5 (0109cfea), components/mbedtls/Kconfig, its defaults
source the order of its lists: Mbed TLS 3.6, ssl_ciphersuites.c and ssl_tls.c

versions TLSv1.2
ciphers TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
ciphers TLS_ECDHE_ECDSA_WITH_AES_256_CCM TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384
ciphers TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA
ciphers TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8
ciphers TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
ciphers TLS_ECDHE_ECDSA_WITH_AES_128_CCM TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256
ciphers TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
ciphers TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8
ciphers TLS_RSA_WITH_AES_256_GCM_SHA384 TLS_RSA_WITH_AES_256_CCM TLS_RSA_WITH_AES_256_CBC_SHA256
ciphers TLS_RSA_WITH_AES_256_CBC_SHA TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384
ciphers TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384 TLS_ECDH_RSA_WITH_AES_256_CBC_SHA
ciphers TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384
ciphers TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA TLS_RSA_WITH_AES_256_CCM_8
ciphers TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_RSA_WITH_AES_128_CCM TLS_RSA_WITH_AES_128_CBC_SHA256
ciphers TLS_RSA_WITH_AES_128_CBC_SHA TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256
ciphers TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256 TLS_ECDH_RSA_WITH_AES_128_CBC_SHA
ciphers TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256
ciphers TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA TLS_RSA_WITH_AES_128_CCM_8
groups x25519 secp256r1 secp384r1 secp521r1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1
sig-algs ecdsa_secp521r1_sha512 rsa_pkcs1_sha512 ecdsa_secp384r1_sha384 rsa_pkcs1_sha384
sig-algs ecdsa_secp256r1_sha256 rsa_pkcs1_sha256
extensions server_name supported_groups signature_algorithms ec_point_formats
extensions encrypt_then_mac extended_master_secret session_ticket

max-in-record 16384   # CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN
max-in-message 16384
max-out-record 4096   # CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN
messages joined       # with Mbed TLS 3.6.3 or later

verify none           # esp_tls wants one of crt_bundle_attach, cacert_buf or a PSK
trust store           # CONFIG_MBEDTLS_CERTIFICATE_BUNDLE, if it is attached
formats pem der
rsa 2048 8192         # in hardware 3072 or 4096 by the chip, then in software
curves secp256r1 secp384r1 secp521r1 secp256k1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1
hashes sha256 sha384 sha512
pss yes
dates ignored         # CONFIG_MBEDTLS_HAVE_TIME_DATE is off
clock 1970-01-01T00:00:00Z
close-notify yes      # esp_tls_conn_destroy()
sni-address yes
errors none

unlike where it has a bundle of CAs, this machine's store stands in for it
unlike a certificate without subjectAltName is taken by its common name there, and refused here (RFC 9525)
