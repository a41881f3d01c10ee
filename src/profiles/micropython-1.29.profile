like micropython-1.24
title MicroPython 1.29-preview on unix, stm32, mimxrt and others
library Mbed TLS 3.6.6
source MicroPython 1c3c201149 (1.29.0-preview), extmod/mbedtls/mbedtls_config_common.h
source its ClientHello, captured from the unix port
messages joined
formats pem der
unlike pre-shared keys, which it offers alone where it has one
