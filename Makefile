# SPDX-License-Identifier: Apache-2.0
# The one front door: every target sets up what it needs, on a bare Debian 12 too (which has no make,
# and no git: apt-get install make git).

# Where tools/setup puts a current Node when the machine's own is too old.
export PATH := $(CURDIR)/build/node/bin:$(PATH)
# Lock files carry no download addresses.
export npm_config_omit_lockfile_registry_resolved := true

.DEFAULT_GOAL := help
.PHONY: help setup setup-build build install demo test check fmt asan tsan fuzz bench soak clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## bring packages, Node, npm packages, the warehouse's engine
	@tools/setup

setup-build:
	@tools/setup build

build: setup-build ## the binary build/release/kith, and the console
	@tools/build release --target kith

install: ## what was built, into PREFIX=/usr/local; DESTDIR for packages
	@tools/install

demo: build ## a living demo brand in the browser
	@tools/build release --target bench_world
	@demo/run

test: setup build ## all tests; KINDS='unit api' for some
	@tools/test $(KINDS)

check: setup ## format, layers, banned calls, both compilers, generated files; CHECKS='layers' for some
	@tools/check $(CHECKS)

fmt: ## write C and C++ as clang-format does; FILES='src/base/str.c' for some
	@mkdir -p build
	@tools/check_format --fix $(FILES)

asan: setup ## unit tests and simulations under AddressSanitizer and UBSan
	@tools/build asan
	@tools/ctest asan '(unit|sim)'

tsan: setup ## unit tests, simulations and a served Kith under ThreadSanitizer
	@tools/build release
	@tools/build tsan
	@tools/ctest tsan '(unit|sim)'
	@tools/tsan_served

fuzz: setup ## every decoder; FUZZ_SECONDS=60 each, FUZZ_TARGET=name for one
	@tools/build fuzz
	@tools/fuzz $(or $(FUZZ_SECONDS),60) $(FUZZ_TARGET)

bench: build ## the measurements of docs/benchmarks.md; BENCH=name for one
	@tools/build release
	@bench/run $(BENCH)

soak: build ## simulations and crash tests with new seeds, for SOAK_MINUTES=60
	@tools/soak $(or $(SOAK_MINUTES),60)

clean: ## remove what was built; keeps npm packages
	@rm -rf build web/dist compile_commands.json
