like micropython-1.23
title MicroPython 1.22 on unix, stm32 and mimxrt (not rp2)
library Mbed TLS 2.28.3
source MicroPython 1.22.2, extmod/mbedtls/mbedtls_config_common.h
source its ClientHello, captured from the unix port
versions TLSv1.0 TLSv1.1 TLSv1.2
groups secp521r1 secp384r1 secp256r1 secp256k1 secp224r1 secp224k1 secp192r1 secp192k1
sig-algs ecdsa_secp521r1_sha512 rsa_pkcs1_sha512 ecdsa_secp384r1_sha384 rsa_pkcs1_sha384
sig-algs ecdsa_secp256r1_sha256 rsa_pkcs1_sha256 0x0303 0x0301 ecdsa_sha1 rsa_pkcs1_sha1
unlike the version of its first record, 1.0 there and 1.2 here
unlike an address is compared with the names as a text, and does not match an IP in subjectAltName
