# Makefile - GNU make. CC, CFLAGS, CPPFLAGS and LDFLAGS belong to the user.

CC      ?= cc
CFLAGS  ?= -O2 -g
SAN     ?=
WERROR  ?=
comma   := ,
BUILD   ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
WARN    := -Wall -Wextra -Wpedantic -Wconversion -Wshadow

MY_CPPFLAGS := -Isrc -D_POSIX_C_SOURCE=200809L
MY_CFLAGS   := -std=c11 $(WARN) $(if $(WERROR),-Werror) -MMD -MP \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
MY_LDFLAGS  := $(if $(SAN),-fsanitize=$(SAN))

SRC  := $(sort $(wildcard src/*/*.c))
OBJ  := $(SRC:%.c=$(BUILD)/%.o)
TEST := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))

all: $(OBJ)

deps:
	sh tests/deps.sh packages
	sh tests/deps.sh mbedtls build/deps src/mbedtls_config.h

check: $(TEST)
	@st=0; for t in $^; do echo "== $$t"; ./$$t || st=1; done; exit $$st

test: deps
	$(MAKE) check

sanitize:
	$(MAKE) SAN=address,undefined check

lint:
	clang-format --dry-run -Werror src/*/*.[ch] tests/unit/*.[ch]
	shellcheck tests/*.sh .ci/run
	cppcheck --quiet --std=c11 --enable=warning,portability \
		--error-exitcode=1 -Isrc src

clean:
	rm -rf build

FLAGS := $(CC) $(CPPFLAGS) $(MY_CFLAGS) $(CFLAGS) $(LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS)' | cmp -s - $@ || printf '%s\n' '$(FLAGS)' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(MY_CPPFLAGS) $(CPPFLAGS) $(MY_CFLAGS) $(CFLAGS) -c -o $@ $<

$(TEST): %: %.o $(OBJ)
	$(CC) $(MY_LDFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

.PHONY: all deps check test sanitize lint clean FORCE
.SECONDARY:
-include $(OBJ:.o=.d) $(TEST:=.d)
