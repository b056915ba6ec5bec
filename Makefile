# kube-access-gateway: `make help` lists the targets.
#
# Everything is built below build/<flavour>/, never beside the sources.
# Variables: V=1 shows commands, FLAVOUR= picks the build that a test target
# uses, CI=true turns warnings into errors, PYTHON= is the interpreter of the
# tests, FUZZ_SECONDS= the time per fuzzer, DESTDIR= and PREFIX= as usual.

VERSION       := 0.1.0
FLAVOURS      := release debug asan tsan cov fuzz
FOLDERS       := base config http tls acl authn rbac rbac/azure audit conn \
                 client snapshot gateway cli
PYTHON        ?= /usr/bin/python3
FUZZ_SECONDS  ?= 10
PREFIX        ?= /usr/local
DEPS          ?= build demo test lint fuzz load

ifeq ($(origin CC),default)
CC            := gcc
endif
CLANG         ?= clang
ifndef SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || date +%s)
endif
ifeq ($(MAKELEVEL),0)
MAKEFLAGS     += -j$(shell nproc) --no-print-directory
endif
Q             := $(if $(V),,@)
say            = $(if $(V),,@echo '  $(1)' '$@';)

SOURCES       := $(wildcard $(FOLDERS:%=%/*.c))
MAIN          := gateway/main.c
LIBRARY       := $(filter-out $(MAIN),$(SOURCES))
SUPPORT       := $(wildcard tests/support/*.c)
# Those that fuzzers ask as well; they know nothing of cmocka.
ORACLES       := tests/support/drawn.c tests/support/straight.c
UNIT          := $(wildcard tests/unit/test_*.c)
FUZZERS       := $(wildcard fuzz/fuzz_*.c)
BENCHES       := $(wildcard bench/bench_*.c)
C_FILES       := $(SOURCES) $(UNIT) $(SUPPORT) $(FUZZERS) $(BENCHES)
H_FILES       := $(wildcard $(FOLDERS:%=%/*.h) tests/*/*.h fuzz/*.h bench/*.h)

# --- flags ------------------------------------------------------------------
# mbedTLS and libjwt come from tools/deps and are linked statically; their
# headers are system headers, so that our warnings are about our code.
PACKAGES      := libevent_core libevent_pthreads jansson yaml-0.1 libcrypto
ARCHIVES      := $(addprefix build/deps/lib/lib,mbedtls.a mbedx509.a mbedcrypto.a jwt.a)
PKG_CFLAGS    := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBS           = $(ARCHIVES) $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lpthread -lm

WARNINGS      := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion \
                 -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
                 -Wvla -Wundef -Wcast-qual -Wwrite-strings -Wswitch-enum \
                 -Wnull-dereference $(if $(filter true,$(CI)),-Werror)
CPPFLAGS_ALL   = -I. -isystem build/deps/include $(PKG_CFLAGS) -D_GNU_SOURCE \
                 -DJWT_STATIC_DEFINE -DGATEWAY_VERSION='"$(VERSION)"' \
                 -DGATEWAY_BUILD_EPOCH=$(SOURCE_DATE_EPOCH) $(CPPFLAGS)
CFLAGS_ALL     = -std=c17 -g -fPIE -fno-omit-frame-pointer $(WARNINGS)
ifneq ($(wildcard base/banned.h),)
CFLAGS_OURS   := -include base/banned.h
endif

# What the compiler at hand does not know is left out: control-flow protection
# exists on x86 only, clang 14 fills automatic variables with a pattern only.
knows          = $(shell echo 'int i;' | $(1) -Werror $(2) -x c -c - -o /dev/null 2>/dev/null && echo $(2))
X86           := $(filter x86_64 i%86,$(shell uname -m))
HARDEN        := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
                 $(call knows,$(CC),-fstack-clash-protection) \
                 $(call knows,$(CC),-ftrivial-auto-var-init=zero) \
                 $(if $(X86),-fcf-protection)
SANITIZE      := -fsanitize=address,undefined -fno-sanitize-recover=all

# In the field a broken invariant costs one connection; here it must be seen.
STRICT        := -DINVARIANT_ABORTS

cc_fuzz       := $(CLANG)
cflags_release:= -O2 $(HARDEN) -ffunction-sections -fdata-sections
cflags_debug  := -Og -g3 $(STRICT)
cflags_asan   := -O1 $(SANITIZE) $(STRICT)
cflags_tsan   := -O1 -fsanitize=thread $(STRICT)
cflags_cov    := -O0 --coverage
cflags_fuzz   := -O1 -DFUZZING $(SANITIZE) $(STRICT) -fsanitize=fuzzer-no-link
ldflags_release := -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections
ldflags_asan  := $(SANITIZE)
ldflags_tsan  := -fsanitize=thread
ldflags_cov   := --coverage
ldflags_fuzz  := $(SANITIZE)

# Unit tests may have memory run out, see tests/support/failing.h.
FAILING       := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=posix_memalign,--wrap=strdup

# And have signatures be over other octets, see tests/support/signed.h.
SIGNED        := -Wl,--wrap=EVP_DigestVerify

# What a peer's signature may cost, see tls/rsa_exponent.c; -u has its object
# taken from the archive.
BOUNDED       := -Wl,--wrap=mbedtls_pk_verify,--wrap=mbedtls_pk_verify_ext,--wrap=mbedtls_pk_verify_restartable,-u,__wrap_mbedtls_pk_verify

# --- what is built ------------------------------------------------------------
all: build/release/kube-access-gateway ## the gateway (default)

# Without an answer to this, every compilation would fail with its own riddle.
have-deps:
	@tools/deps --check build

# flavour NAME: rules for everything below build/NAME/.
define flavour
build/$(1)/%.o: %.c Makefile $(wildcard build/deps/stamp) | have-deps
	@mkdir -p $$(@D)
	$$(call say,cc) $(or $(cc_$(1)),$(CC)) $$(CPPFLAGS_ALL) $$(CFLAGS_ALL) \
	    $$(if $$(filter tests/% fuzz/% bench/%,$$<),,$$(CFLAGS_OURS)) \
	    $(cflags_$(1)) $$(CFLAGS) -MMD -MP -c -o $$@ $$<

build/$(1)/libgateway.a: $(LIBRARY:%.c=build/$(1)/%.o) Makefile | have-deps
	@mkdir -p $$(@D) && rm -f $$@
	$$(call say,ar) $$(AR) rcs $$@ $$(filter %.o,$$^)

build/$(1)/kube-access-gateway: build/$(1)/gateway/main.o build/$(1)/libgateway.a
	$$(call say,link) $$(call link,$(1))

build/$(1)/tests/unit/%: build/$(1)/tests/unit/%.o $(SUPPORT:%.c=build/$(1)/%.o) build/$(1)/libgateway.a
	$$(call say,link) $$(call link,$(1)) -lcmocka $(FAILING) $(SIGNED)

build/$(1)/bench/%: build/$(1)/bench/%.o build/$(1)/libgateway.a
	$$(call say,link) $$(call link,$(1))

build/$(1)/fuzz/%: build/$(1)/fuzz/%.o $(ORACLES:%.c=build/$(1)/%.o) build/$(1)/libgateway.a
	$$(call say,link) $$(call link,$(1)) -fsanitize=fuzzer

unit-$(1): $(UNIT:%.c=build/$(1)/%)
	$$(Q)tools/unit $$^

scenarios-$(1): build/$(1)/kube-access-gateway
	$$(Q)GATEWAY=$$< $$(PYTHON) -m pytest -q tests/scenarios
endef
link           = $(or $(cc_$(1)),$(CC)) -pie -Wl,--as-needed $(ldflags_$(1)) $(LDFLAGS) $(BOUNDED) -o $@ $^ $(LIBS)
$(foreach f,$(FLAVOURS),$(eval $(call flavour,$(f))))
-include $(wildcard $(FLAVOURS:%=build/%/*/*.d) $(FLAVOURS:%=build/%/*/*/*.d))
.SECONDARY:

# --- tests --------------------------------------------------------------------
# Lines with $(MAKE) keep a fixed order, which prerequisites do not under -j.
unit: unit-$(or $(FLAVOUR),asan) ## cmocka tests (FLAVOUR=asan)
scenarios: scenarios-$(or $(FLAVOUR),release) ## the binary against a scripted upstream (FLAVOUR=release)

check: ## unit tests and scenarios, hardened and sanitized; installs nothing
	$(Q)$(MAKE) unit-asan
	$(Q)$(MAKE) unit-release
	$(Q)$(MAKE) scenarios-release
	$(Q)$(MAKE) scenarios-asan
	$(Q)$(MAKE) scenarios-tsan

test: ## install what is missing, then check
	$(Q)tools/deps build test
	$(Q)$(MAKE) check

demo: ## install what is missing, then show the gateway at work
	$(Q)tools/deps build demo
	$(Q)$(MAKE) all
	$(Q)tools/demo

e2e: all ## kubectl and client libraries, through the gateway, to a real API server
	$(Q)tests/e2e/run

load-smoke: all ## thousands of connections; counts losses, not milliseconds
	$(Q)tests/load/run

fuzz-smoke: $(FUZZERS:%.c=build/fuzz/%) ## every fuzzer for FUZZ_SECONDS
	$(Q)tools/fuzz-smoke $(FUZZ_SECONDS) $^

fuzz: $(FUZZERS:%.c=build/fuzz/%) ## one fuzzer until stopped: make fuzz NAME=fuzz_...
	$(Q)tools/fuzz-smoke 0 build/fuzz/fuzz/$(NAME)

asan: ## all tests under AddressSanitizer and UBSan
	$(Q)$(MAKE) unit-asan
	$(Q)$(MAKE) scenarios-asan

tsan: ## all tests under ThreadSanitizer
	$(Q)$(MAKE) unit-tsan
	$(Q)$(MAKE) scenarios-tsan

valgrind: build/debug/kube-access-gateway ## leaks and wrong memory over some scenarios; some minutes
	$(Q)tools/valgrind $<

cov: ## line and branch coverage of all tests, per folder
	$(Q)find build/cov -name '*.gcda' -delete 2>/dev/null || :
	$(Q)$(MAKE) unit-cov
	$(Q)$(MAKE) scenarios-cov
	$(Q)$(PYTHON) tools/coverage build/cov $(FOLDERS)

bench: $(BENCHES:%.c=build/release/%) ## the hot paths, timed
	$(Q)tools/bench $^

# --- checks of the source -------------------------------------------------------
export CPPFLAGS_ALL CFLAGS_ALL CFLAGS_OURS CC CLANG
format: ## rewrite the sources with clang-format 14
	$(Q)tools/format $(C_FILES) $(H_FILES)

lint: all ## format, rules with tests, cppcheck, clang-tidy, hardening of the binary
	$(Q)tools/format --check $(C_FILES) $(H_FILES)
	$(Q)$(PYTHON) tools/spec-report
	$(Q)tools/lint $(SOURCES)
	$(Q)tools/elf-check build/release/kube-access-gateway

analyze: ## gcc -fanalyzer over every source
	$(Q)tools/analyze $(SOURCES)

layers: ## which folder includes which
	$(Q)$(PYTHON) tools/layers --self-test
	$(Q)$(PYTHON) tools/layers

spec-report: ## rules of the standards that no test names
	$(Q)$(PYTHON) tools/spec-report

diagram: ## the state tables as pictures for docs/ARCHITECTURE.md
	$(Q)$(PYTHON) tools/diagram $(SOURCES)

docs: ## docs/CONFIGURATION.md from config/options.def
	$(Q)$(PYTHON) tools/options-doc >docs/CONFIGURATION.md

size: all ## bytes of the binary, per section, and of what is installed
	$(Q)tools/size build/release/kube-access-gateway

# --- the rest -------------------------------------------------------------------
deps: ## install all that building and testing need (DEPS="build" for less)
	$(Q)tools/deps $(DEPS)

install: all ## to DESTDIR PREFIX
	install -D -m 755 --strip build/release/kube-access-gateway \
	    $(DESTDIR)$(PREFIX)/sbin/kube-access-gateway

clean: ## remove what was compiled, keep build/deps
	rm -rf $(FLAVOURS:%=build/%)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1	/p' Makefile | expand -t 14

.PHONY: all docs have-deps unit scenarios check test demo e2e load-smoke fuzz-smoke \
    fuzz asan tsan valgrind cov bench format lint analyze layers spec-report diagram \
    size deps install clean help $(FLAVOURS:%=unit-%) $(FLAVOURS:%=scenarios-%)
