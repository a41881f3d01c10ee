like esp-idf
title Arduino core 3.3 for the ESP32, whose libraries come precompiled
library ESP-IDF 5.5's fork of Mbed TLS 3.6
source ESP-IDF's defaults (see esp-idf), with what sweetlilmre/smolbase found, its issue 119 and ADR 0005:
source CONFIG_MBEDTLS_HARDWARE_MPI without LARGE_KEY_SOFTWARE_MPI, MAX_CONTENT_LEN 16384 both ways
max-out-record 16384
rsa 2048 4095         # verifying with 4096 bits fails; what is between 3072 and it was not tried
unlike NetworkClientSecure verifies nothing after setInsecure(), and wants setCACert() or a bundle otherwise
