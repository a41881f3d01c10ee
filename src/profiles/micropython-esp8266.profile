title MicroPython on esp8266
library axTLS 2.1.5 (531cab9)
source MicroPython 1c3c201149, extmod/axtls-include/config.h, ports/esp8266/Makefile
source the ClientHello of axTLS in MicroPython 1.19's unix port
source the heap: heap[38 * 1024] of ports/esp8266/main.c

versions TLSv1.0 TLSv1.1 TLSv1.2
ciphers TLS_RSA_WITH_AES_128_CBC_SHA TLS_RSA_WITH_AES_128_CBC_SHA256
ciphers TLS_RSA_WITH_AES_256_CBC_SHA TLS_RSA_WITH_AES_256_CBC_SHA256
groups
sig-algs rsa_pkcs1_sha512 rsa_pkcs1_sha384 rsa_pkcs1_sha256 rsa_pkcs1_sha1
extensions server_name signature_algorithms

max-in-record 5115    # RT_MAX_PLAIN_LENGTH 1024 and RT_EXTRA 4096, less 5
max-in-message 5115
max-out-record 1024
messages joined

verify none           # and nothing else: it cannot
trust none
formats der
rsa 512 4096
curves
hashes md5 sha1 sha256 sha384 sha512
pss no
dates ignored
clock 2000-01-01T00:00:00Z
close-notify yes
sni-address yes
errors axtls

unlike the limit on a record is one on its encrypted bytes there
unlike the heap of 38 kB is not set as a limit: axTLS has buffers other than Mbed TLS's
