title Arduino core for the ESP8266: BearSSL::WiFiClientSecure
library BearSSL 0.6
source esp8266/Arduino 0093cca8, libraries/ESP8266WiFi/src/WiFiClientSecureBearSSL.cpp
source BearSSL 0.6, src/ssl/ssl_client_full.c and src/config.h

versions TLSv1.0 TLSv1.1 TLSv1.2
ciphers 0xCCA9 0xCCA8 0xC02B 0xC02F 0xC02C 0xC030 0xC0AC 0xC0AD 0xC0AE 0xC0AF 0xC023 0xC027 0xC024 0xC028
ciphers 0xC009 0xC013 0xC00A 0xC014 0xC02D 0xC031 0xC02E 0xC032 0xC025 0xC029 0xC026 0xC02A 0xC004 0xC00E
ciphers 0xC005 0xC00F 0x009C 0x009D 0xC09C 0xC09D 0xC0A0 0xC0A1 0x003C 0x003D 0x002F 0x0035 0xC008 0xC012
ciphers 0xC003 0xC00D 0x000A
groups x25519 secp256r1 secp384r1 secp521r1
sig-algs ecdsa_secp256r1_sha256 0x0303 ecdsa_secp384r1_sha384 ecdsa_secp521r1_sha512 ecdsa_sha1
sig-algs rsa_pkcs1_sha256 0x0301 rsa_pkcs1_sha384 rsa_pkcs1_sha512 rsa_pkcs1_sha1
extensions server_name signature_algorithms supported_groups ec_point_formats

max-in-record 16384   # 512 after setBufferSizes(512, 512), which wants a server with max_fragment_length
max-in-message 0      # it reads a chain as it comes
max-out-record 512
messages joined

verify required       # a trust anchor, a fingerprint or setInsecure() is wanted
trust none
formats pem der
rsa 1024 4096         # BR_MAX_RSA_SIZE
curves secp256r1 secp384r1 secp521r1
hashes sha1 sha224 sha256 sha384 sha512
pss no
dates checked
clock 1970-01-01T00:00:00Z
close-notify yes
sni-address yes
errors none

unlike the order of the extensions, and secure_renegotiation in place of the suite 0x00FF
unlike without a time set its X.509 engine refuses a chain as out of date; setX509Time() gives it one
