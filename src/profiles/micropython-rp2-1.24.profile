like micropython-1.24
title MicroPython 1.24 to 1.28 on rp2 (Raspberry Pi Pico W)
source ports/rp2/mbedtls/mbedtls_config_port.h, ports/rp2/main.c: the clock
source the heap: gc_heap[192 * 1024] of ports/rp2/main.c before 1.19; now what the firmware leaves of 264 kB
clock 2021-01-01T00:00:00Z
heap 196608
