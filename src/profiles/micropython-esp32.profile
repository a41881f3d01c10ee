like esp-idf
title MicroPython 1.24 and later on esp32
source MicroPython 1c3c201149 and 1.25.0, ports/esp32/boards/sdkconfig.base; ports/esp32/main.c: the clock
groups secp256r1 secp384r1 secp521r1   # CURVE25519 and Brainpool are off
curves secp256r1 secp384r1 secp521r1 secp256k1
trust none
dates checked
clock 2000-01-01T00:00:00Z
close-notify no
errors micropython
