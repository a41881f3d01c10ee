like micropython-1.24
title MicroPython 1.24 to 1.28 on stm32 (PYBD, Portenta)
source ports/stm32/mbedtls/mbedtls_config_port.h, ports/stm32/rtc.c: the clock, unless a battery keeps it
clock 2015-01-01T00:00:00Z
