title Zephyr with the defaults of its Mbed TLS
library Mbed TLS 3.6
source Zephyr 06a7d498, modules/mbedtls/Kconfig.tls-generic and Kconfig.mbedtls, their defaults

versions TLSv1.2
ciphers TLS_RSA_WITH_AES_256_CBC_SHA256 TLS_RSA_WITH_AES_256_CBC_SHA
ciphers TLS_RSA_WITH_AES_128_CBC_SHA256 TLS_RSA_WITH_AES_128_CBC_SHA
groups
sig-algs rsa_pkcs1_sha512 rsa_pkcs1_sha384 rsa_pkcs1_sha256
extensions signature_algorithms

max-in-record 1500    # CONFIG_MBEDTLS_SSL_MAX_CONTENT_LEN
max-in-message 1500
max-out-record 1500
messages joined

verify required       # TLS_PEER_VERIFY of a client socket
trust none
formats der           # CONFIG_MBEDTLS_PEM_CERTIFICATE_FORMAT is off
rsa 2048 8192
curves
hashes sha256 sha384 sha512
pss no
dates ignored         # CONFIG_MBEDTLS_HAVE_TIME_DATE is off
clock 1970-01-01T00:00:00Z
close-notify yes
sni-address yes
errors none

unlike nearly all of it is chosen when the firmware is built: copy this profile, and change it
