# Makefile - GNU make. CC, CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS belong to the
# user.
#
#   make            build/mptls
#   make demo       set up, build, and show a connection
#   make test       set up, and run every test
#   make check      the tests alone
#   make readme     the README's page of failures, anew
#   make lint       what a reader should not have to look for
#   make sanitize   the tests under ASan and UBSan (SAN=... for others)
#   make valgrind   the unit tests under valgrind
#   make fuzz       FUZZ_SECONDS of libFuzzer on each target (needs clang)
#   make check-ktls set up, and test --ktls in a machine whose kernel has it
#   make bench      set up, and measure beside other tools: how fast, how large
#   make soak       many clients, and SOAK_SECONDS of odd ones, at serve
#   make install    PREFIX, DESTDIR
#
# V=1 shows the commands. ACCEL=none leaves src/accel out, which is in where the
# header of libipsec-mb is. MBEDTLS=system takes pkg-config's Mbed TLS, MBEDTLS_SRC=DIR an unpacked tree.

CC       ?= cc
CFLAGS   ?= -O2 -g
LDLIBS   ?=
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
MANDIR   ?= $(PREFIX)/share/man
INSTALL  ?= install
SAN      ?=
WERROR   ?=
MBEDTLS  ?= private
ACCEL    ?= auto
VERSION  := 0.1.0
comma    := ,
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-4s %s\n' $(1) $@)
BUILD    ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
DEPS     ?= build/deps
WARN     := -Wall -Wextra -Wpedantic -Wconversion -Wshadow

ifeq ($(MBEDTLS),system)
MBEDTLS_INC   := $(shell pkg-config --variable=includedir 'mbedtls >= 3.6')
ifeq ($(MBEDTLS_INC)$(filter deps clean,$(MAKECMDGOALS)),)
$(error MBEDTLS=system, but pkg-config finds no mbedtls >= 3.6)
endif
MBEDTLS_FLAGS := $(patsubst -I%,-isystem %,\
	$(shell pkg-config --cflags mbedtls mbedx509 mbedcrypto))
MBEDTLS_LIBS  := $(shell pkg-config --libs mbedtls mbedx509 mbedcrypto)
MBEDTLS_STAMP :=
else
MBEDTLS_INC   := $(DEPS)/include
MBEDTLS_FLAGS := -isystem $(MBEDTLS_INC) \
	'-DMBEDTLS_CONFIG_FILE="../mbedtls_config.h"'
MBEDTLS_LIBS  := $(DEPS)/lib/libmbedtls.a $(DEPS)/lib/libmbedx509.a \
	$(DEPS)/lib/libmbedcrypto.a
MBEDTLS_STAMP := $(DEPS)/stamp
# src/tls/x25519.c stands in for these.
MBEDTLS_WRAP  := -Wl,--wrap=mbedtls_ecp_mul,-u,__wrap_mbedtls_ecp_mul \
	-Wl,--wrap=Hacl_Curve25519_crypto_scalarmult
MBEDTLS_FLAGS += -DMBEDTLS_WRAP
endif

# The archive where there is one, so that the program runs where libev is not.
LIBEV ?= $(if $(findstring /,$(shell $(CC) -print-file-name=libev.a)),\
	-l:libev.a,-lev) -lm

HARDEN ?= -fPIE -fstack-protector-strong -fstack-clash-protection \
	$(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# What is never called stays out of the program, and so do unwind tables:
# debuggers have those of -g. The sanitizers have no others.
TRIM := $(if $(SAN),,-ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables)
# Little time is spent in these layers. Another level than ours is meant.
COLD := $(if $(filter -O2,$(CFLAGS)),-Os)
MY_CPPFLAGS := -Isrc -I$(BUILD)/gen -D_POSIX_C_SOURCE=200809L \
	'-DMPTLS_VERSION="$(VERSION)"' $(MBEDTLS_FLAGS) \
	$(if $(SAN),'-DJAIL_ALSO="/proc"')
MY_CFLAGS   := -std=c11 $(WARN) $(if $(WERROR),-Werror) -MMD -MP $(HARDEN) \
	$(TRIM) -ffile-prefix-map=$(CURDIR)=. \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
# A tenth of the room for relocations, if what the linker makes of it runs here
# (since glibc 2.36; set RELR= to run with an older one, too).
RELR ?= $(shell mkdir -p $(BUILD) && t=$(BUILD)/relr.$$$$ && \
	echo 'int main(void) { return 0; }' | $(CC) -x c - -fPIE -pie \
	$(LDFLAGS) -Wl,-z,pack-relative-relocs,--fatal-warnings -o $$t 2>/dev/null && \
	$$t 2>/dev/null && echo -Wl,-z,pack-relative-relocs; rm -f $$t)
MY_LDFLAGS  := -pie -pthread -Wl,-z,relro -Wl,-z,now $(RELR) \
	$(MBEDTLS_WRAP) \
	$(if $(SAN),-fsanitize=$(SAN),-Wl,--gc-sections)

# Version 1.3 was the first to test itself.
ifeq ($(MBEDTLS),system)
accel := none
else ifeq ($(ACCEL),auto)
accel := $(shell printf '%s\n' '\#include <intel-ipsec-mb.h>' \
	'\#if !defined __x86_64__ || IMB_VERSION_NUM < 0x10300' \
	'\#error' '\#endif' | $(CC) $(CPPFLAGS) -E - >/dev/null 2>&1 && \
	echo ipsec-mb || echo none)
else
accel := $(ACCEL)
endif
ifeq ($(filter none ipsec-mb,$(accel)),)
$(error ACCEL=$(ACCEL) is neither auto nor ipsec-mb nor none)
endif
ACCEL_DIR := $(if $(filter none,$(accel)),,src/accel)

LAYERS := base $(notdir $(ACCEL_DIR)) tls io report cli
SRC    := $(sort $(foreach l,$(LAYERS),$(wildcard src/$(l)/*.c)))
OBJ    := $(SRC:%.c=$(BUILD)/%.o)
LIB    := $(BUILD)/libmptls.a
BIN    := $(BUILD)/mptls
UNIT   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))
HELPER := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/peer/*.c)))
BENCH  := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bench/*.c)))
FUZZ   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 60
SH     := .ci/run $(wildcard tests/*.sh tests/*/*.sh certs/*.sh)

all: $(BIN)

deps:
	sh tests/deps.sh packages build
	$(if $(filter none,$(ACCEL)),,sh tests/deps.sh packages accel || :)
	$(if $(MBEDTLS_STAMP),$(MAKE) $(MBEDTLS_STAMP))

demo: deps
	$(MAKE) all
	sh tests/demo.sh $(BIN)

test:
	sh tests/deps.sh packages build test
	$(if $(filter none,$(ACCEL)),,sh tests/deps.sh packages accel || :)
	$(if $(MBEDTLS_STAMP),$(MAKE) $(MBEDTLS_STAMP))
	sh tests/deps.sh micropython $(DEPS) || :
	sh tests/deps.sh nginx $(DEPS) || :
	$(MAKE) check

check: check-unit check-fuzz check-cli check-peer

check-unit: $(UNIT)
	@st=0; for t in $^; do echo "== $$t"; $$t || st=1; done; exit $$st

check-fuzz: $(FUZZ)
	@sh tests/fuzz/run.sh $(FUZZ)

check-cli: $(BIN) $(HELPER)
	@sh tests/cli/run.sh $(BIN)

check-peer: $(BIN) $(HELPER)
	@sh tests/peer/run.sh $(BIN)

# Debian's kernel, in qemu.
check-ktls:
	sh tests/deps.sh packages build test
	$(if $(MBEDTLS_STAMP),$(MAKE) $(MBEDTLS_STAMP))
	sh tests/deps.sh packages ktls || :
	sh tests/ktls/kernel.sh $(DEPS) || :
	$(MAKE) $(BIN)
	@sh tests/ktls/run.sh $(BIN) $(DEPS)

valgrind: $(UNIT)
	@for t in $^; do echo "== $$t"; valgrind -q --error-exitcode=99 \
		--suppressions=tests/unit/valgrind.supp \
		--leak-check=full --errors-for-leak-kinds=definite $$t || exit 1; \
		done

sanitize:
	$(MAKE) SAN=address,undefined check

fuzz:
	$(MAKE) CC=clang BUILD=build/fuzz DEPS=build/deps-clang \
		MBEDTLS_SRC='$(or $(MBEDTLS_SRC),$(CURDIR)/build/deps/src)' \
		SAN=fuzzer-no-link,address,undefined fuzz-run

fuzz-run: $(FUZZ:=-lib)
	@sh tests/fuzz/run.sh -s $(FUZZ_SECONDS) $^

coverage:
	$(MAKE) BUILD=build/cov CFLAGS='-O0 -g --coverage' HARDEN= \
		CPPFLAGS='-DJAIL_ALSO=\"$(CURDIR)/build/cov\"' \
		LDFLAGS=--coverage check
	@sh tests/coverage.sh build/cov

bench:
	sh tests/deps.sh packages build bench
	$(if $(filter none,$(ACCEL)),,sh tests/deps.sh packages accel || :)
	$(if $(MBEDTLS_STAMP),$(MAKE) $(MBEDTLS_STAMP))
	sh tests/deps.sh nginx $(DEPS) || :
	$(MAKE) bench-run

bench-run: $(BIN) $(BENCH)
	@sh tests/bench/run.sh $(BIN) $(BUILD)/bench

bench-counts: $(BIN) $(BENCH)
	@sh tests/bench/run.sh $(BIN) $(BUILD)/bench counts

bench-smoke:
	@BENCH_SMOKE=1 $(MAKE) BUILD=$(BUILD) bench-run

bench-readme:
	@python3 -B tests/bench/page.py $(BUILD)/bench/bench.json --write

soak: $(BIN)
	@sh tests/soak/run.sh $(BIN)

readme: $(BIN)
	@python3 tests/readme.py $(BIN) --write

lint: $(OBJ)
	sh tests/lint.sh layers $(BUILD) $(LAYERS)
	sh tests/lint.sh size
	clang-format --dry-run -Werror src/*.[ch] src/*/*.[ch] tests/*/*.[ch]
	shellcheck $(SH)
	cppcheck --quiet --std=c11 --enable=warning,portability \
		--error-exitcode=1 --suppress=missingIncludeSystem \
		-Isrc -I$(BUILD)/gen src
	mandoc -T lint -W warning man/mptls.1

format:
	clang-format -i src/*.[ch] src/*/*.[ch] tests/*/*.[ch]

install: $(BIN)
	$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(MANDIR)/man1'
	$(INSTALL) -m 0755 $(BIN) '$(DESTDIR)$(BINDIR)/mptls'
	$(INSTALL) -m 0644 man/mptls.1 '$(DESTDIR)$(MANDIR)/man1/mptls.1'

uninstall:
	rm -f '$(DESTDIR)$(BINDIR)/mptls' '$(DESTDIR)$(MANDIR)/man1/mptls.1'

clean:
	rm -rf build

# Rewritten only when it differs: other flags rebuild everything.
FLAGS := $(subst ','\'',$(CC) $(MY_CPPFLAGS) $(CPPFLAGS) $(MY_CFLAGS) \
	$(CFLAGS) $(COLD) $(MY_LDFLAGS) $(LDFLAGS) $(MBEDTLS_LIBS) $(LIBEV) \
	$(LDLIBS) ACCEL=$(accel))
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS)' | cmp -s - $@ || printf '%s\n' '$(FLAGS)' >$@

# Touched only when the library is built anew.
$(DEPS)/stamp: FORCE
	@sh tests/deps.sh mbedtls $(DEPS) src/mbedtls_config.h $(ACCEL_DIR)

$(BUILD)/gen/mbedtls_names.inc: $(MBEDTLS_STAMP) $(BUILD)/flags
	@mkdir -p $(@D)
	@cat '$(MBEDTLS_INC)'/mbedtls/*.h | awk ' \
		/^#define[ \t]+MBEDTLS_ERR_[A-Z0-9_]+[ \t]+-0x/ { \
			name = $$2; sub("MBEDTLS_ERR_", "", name); \
			printf "{ %s, \"%s\" },\n", $$3, name }' >$@

PROFILES := $(sort $(wildcard src/profiles/*.profile))
$(BUILD)/gen/profiles.inc: $(PROFILES) Makefile
	@mkdir -p $(@D)
	@for f in $(PROFILES); do n=$${f##*/}; \
		printf '{ "%s",\n' "$${n%.profile}"; \
		sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' "$$f" && printf '},\n' || \
		exit 1; done >$@.new && mv $@.new $@
$(BUILD)/src/tls/ssl_profile.o: $(BUILD)/gen/profiles.inc

$(BUILD)/src/report/%.o $(BUILD)/src/cli/%.o: LEVEL := $(COLD)
$(BUILD)/%.o: %.c $(BUILD)/flags $(MBEDTLS_STAMP) \
		| $(BUILD)/gen/mbedtls_names.inc
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(MY_CPPFLAGS) $(CPPFLAGS) $(MY_CFLAGS) $(CFLAGS) $(LEVEL) -c \
		-o $@ $<

$(LIB): $(OBJ)
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rc $@ $(OBJ)

# Mbed TLS and src/accel call each other.
LINK = $(Q)$(CC) $(MY_CFLAGS) $(CFLAGS) $(MY_LDFLAGS) $(LDFLAGS) -o $@ \
	$(filter %.o,$^) $(1) -Wl,--start-group $(LIB) $(MBEDTLS_LIBS) \
	-Wl,--end-group $(LIBEV) $(LDLIBS)

$(BIN): $(BUILD)/src/main.o $(LIB)
	$(call say,LINK)
	$(call LINK)

$(UNIT): %: %.o $(BUILD)/tests/unit/fake_stream.o $(LIB)
	$(call say,LINK)
	$(call LINK,-lcmocka)

$(HELPER): %: %.o $(LIB)
	$(call say,LINK)
	$(call LINK)

$(BENCH): %: %.o $(LIB)
	$(call say,LINK)
	$(call LINK,$(if $(findstring shakes,$@),-lssl -lcrypto))

$(FUZZ): %: %.o $(BUILD)/tests/fuzz/main.o $(LIB)
	$(call say,LINK)
	$(call LINK)

$(FUZZ:=-lib): %-lib: %.o $(LIB)
	$(call say,LINK)
	$(call LINK,-fsanitize=fuzzer)

.PHONY: all deps demo test check check-unit check-fuzz check-cli check-peer \
	check-ktls \
	sanitize valgrind fuzz fuzz-run coverage bench bench-run bench-counts \
	bench-smoke bench-readme soak readme lint format install uninstall clean \
	FORCE
.SECONDARY:
-include $(OBJ:.o=.d) $(BUILD)/src/main.d $(UNIT:=.d) $(HELPER:=.d) $(FUZZ:=.d) \
	$(wildcard $(BUILD)/tests/*/*.d)
