like micropython-1.24
title MicroPython 1.23 on unix, stm32 and mimxrt (not rp2)
library Mbed TLS 3.5.1
source MicroPython 1.23.0, extmod/mbedtls/mbedtls_config_common.h; get_ciphers() of the unix port
ciphers TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA
ciphers TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
ciphers TLS_RSA_WITH_AES_256_CBC_SHA256 TLS_RSA_WITH_AES_256_CBC_SHA
ciphers TLS_RSA_WITH_AES_128_CBC_SHA256 TLS_RSA_WITH_AES_128_CBC_SHA
