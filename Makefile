# Kamailio modules in Rust. `make help` lists the targets.
#
# Variables, from the environment or the command line:
#   KAMAILIO_SRC    build for the Kamailio of this source tree, or of the directory
#                   that CMake builds it in, not for the installed one
#   KAMAILIO_BIN    the server to compare compile flags with, and to run
#   BUILD           make or cmake: how test-versions builds that Kamailio
#   KAMAILIO_DEFS   definitions to add to those of the sources, such as -UDBG_SR_MEMORY
#   KAMAILIO_RS_COMMIT   the commit that rust.modules shows, if the sources are outside git
#   CARGO, CARGO_TARGET_DIR   the same as for cargo
#   ONLY            the part of the benchmark to run, such as udp or core.psx
#   RECORD          yes puts such a part into docs/benchmarks.json, and a short run
#                   of hostile and million into docs/proof.json
#   HOSTILE_SECONDS, SEED   how long mutated requests are sent, and which mutations
#   REQUESTS        how many requests million sends to each module
#   FUZZ_SECONDS    how long each fuzz target runs
#   PREFIX, DESTDIR, DOCUMENTS   where to install, see scripts/install.sh
#   FOR             what builds, deb and install work for in addition to the installed
#                   Kamailio: versions that Debian has, or paths of source trees

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all
.PHONY: all bench bench-report builds clean deb doc examples fuzz fuzz-keep header headers help hostile install lint million modules \
	other proof-report run sanitize setup test test-fresh test-versions uninstall valgrind versions-report

CARGO ?= cargo
FUZZ_SECONDS ?= 60
# The modules also have to load on this version, which need not be installed.
OTHER_VERSION := 6.0.1

# A shell finds the cargo of rustup only after the next login, and on Debian only
# root's shell finds servers.
export PATH := $(PATH):$(HOME)/.cargo/bin:$(CURDIR)/.deps/tools/bin:/usr/local/sbin:/usr/sbin
export CARGO

# $(call absolute,PATH) is needed because make's own abspath takes a path with a blank
# for two paths.
absolute = $(if $(filter /%,$(firstword $(1))),$(1),$(CURDIR)/$(1))
ifneq ($(KAMAILIO_SRC),)
override export KAMAILIO_SRC := $(call absolute,$(KAMAILIO_SRC))
endif

TARGET := $(call absolute,$(or $(CARGO_TARGET_DIR),target))
MODULES := $(notdir $(patsubst %/Cargo.toml,%,$(wildcard modules/*/Cargo.toml)))
EXAMPLES := $(notdir $(patsubst %/Cargo.toml,%,$(wildcard examples/*/Cargo.toml)))

# The modules must not contain the directories of whoever builds them, so the names of
# files start at the tree, at cargo's directory or at the toolchain's.
CARGO_DIRECTORY := $(or $(CARGO_HOME),$(HOME)/.cargo)
SYSROOT = $(or $(shell PATH="$(PATH)" rustc --print sysroot 2>/dev/null),/nowhere)
remap = '--remap-path-prefix=$(1)=$(2)'
TRIMMED = --config "target.'cfg(unix)'.rustflags=[$(call remap,$(TARGET),target),$(call remap,$(CURDIR),.),$(call remap,$(CARGO_DIRECTORY),cargo),$(call remap,$(SYSROOT),rust)]"

# $(call place,NAMES,DIRECTORY) uses install because it replaces a file, and never
# writes into one that a running server has mapped.
place = install -d "$(2)" && for name in $(1); do \
	install -C -m 644 "$(TARGET)/release/lib$$name.so" "$(2)/$$name.so" || exit; done

# Names the next stage, and how long it took to get there.
STARTED := $(shell date +%s)
stage = @printf '\n==> %s (after %s s)\n' "$(1)" "$$(($$(date +%s) - $(STARTED)))"

all: modules ## Build the modules into target/modules (the default)

modules: headers
	$(CARGO) $(TRIMMED) build --release $(addprefix -p ,$(MODULES))
	@$(call place,$(MODULES),$(TARGET)/modules)

examples: headers ## Build the modules in examples/ into target/modules/examples
	$(CARGO) $(TRIMMED) build --release $(addprefix -p ,$(EXAMPLES))
	@$(call place,$(EXAMPLES),$(TARGET)/modules/examples)

# The packages that a target needs on this machine. All of them are installed before
# anything else is done, because its prerequisites inherit the list.
PARTS := build
run: PARTS += run
deb: PARTS += deb
bench hostile million: PARTS += run test
sanitize valgrind: PARTS += run test memory

setup: ## Install what make lacks: a C compiler, libclang, and Kamailio if there is none
	@scripts/setup.sh $(PARTS)

headers: setup ## Fetch the headers of the installed Kamailio
	@$(if $(KAMAILIO_SRC),:,scripts/headers.sh installed)

run: all ## Run Kamailio with the modules in the foreground, until Ctrl-C
	@scripts/run.sh "$(TARGET)/modules"

# The directories of the modules that were built for FOR.
built_for = $(foreach kamailio,$(FOR),"$(TARGET)/kamailio-$(patsubst kamailio-%,%,$(notdir $(kamailio:/=)))/modules")

builds: ## Build the modules for each Kamailio that FOR names
	@scripts/builds.sh "$(TARGET)" $(FOR)

# Neither of these builds anything, because root, who installs, usually has no cargo.
install uninstall: export DOCUMENTS := $(DOCUMENTS)
install uninstall: export PREFIX := $(PREFIX)
install uninstall: export DESTDIR := $(DESTDIR)
install: ## Install the modules that make, or make builds for FOR, has made: beside the C ones or below PREFIX
	@scripts/install.sh install $(or $(built_for),"$(TARGET)/modules")

uninstall: ## Remove what make install has copied
	@scripts/install.sh remove

# The package also has modules for the next Debian's Kamailio, so that an upgrade to
# it finds them.
deb: FOR ?= $(filter-out $(shell kamailio -V 2>/dev/null | awk '/^version: / { print $$3 }'),$(OTHER_VERSION))
deb: all builds ## Make a Debian package for the installed Kamailio and those of FOR, in target/debian
	@scripts/deb.sh "$(TARGET)/debian" "$(TARGET)/modules" $(built_for)

test: export KAMAILIO_RS_MODULES := $(TARGET)/modules
test: ## Run the whole suite: formatting, lints, both Kamailio versions, fuzzing, all tests
	$(call stage,what is needed)
	@scripts/setup.sh build run test fuzz deb server cmake
	@scripts/headers.sh installed
	@scripts/headers.sh $(OTHER_VERSION)
	$(call stage,formatting and lints)
	@$(MAKE) lint
	$(call stage,modules)
	@$(MAKE) all examples
	$(call stage,modules for Kamailio $(OTHER_VERSION))
	@$(MAKE) other
	$(call stage,fuzzing)
	@$(MAKE) fuzz
	$(call stage,tests)
	$(CARGO) test --workspace --no-fail-fast

# This also builds a server of that version, which loads the modules.
other:
	@scripts/versions.sh load "$(TARGET)"

# This runs every live test but those in tests/left_out.txt with our modules for another
# version, beside its own C modules.
test-versions: ## Run the live tests on Kamailio 6.0.1, built with make and with CMake, or on KAMAILIO_SRC
	@BUILD="$(BUILD)" scripts/versions.sh test "$(TARGET)" "$(KAMAILIO_SRC)"

versions-report: ## Rewrite the table of versions in README.md from docs/versions.json
	$(CARGO) run --quiet -p kamailio-tests --bin versions -- report

# The new systems have nothing but Rust.
test-fresh: ## Try make, make run and make test on a fresh Debian 12 and 13, in chroots; takes hours
	@scripts/chroot.sh 12
	@scripts/chroot.sh 13

# Each has a target directory of its own, because the compiler flags differ.
sanitize: ## Run the live tests with our modules under AddressSanitizer
valgrind: ## Run the live tests with servers under valgrind, leaks included; takes an hour
sanitize valgrind: headers
	@scripts/memory.sh $@ "$(TARGET)/$@" "$(MODULES)" "$(EXAMPLES)"

header: headers ## Write include/kamailio_rs.h from the callbacks in Rust
	KAMAILIO_RS_UPDATE_HEADER=1 $(CARGO) check -p kamailio-core

lint: headers ## Check formatting and lints
	$(CARGO) fmt --all --check
	@[ ! -f fuzz/Cargo.toml ] || $(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@! command -v shellcheck >/dev/null || shellcheck scripts/*.sh
	@! $(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) deny --offline --workspace check bans licenses sources

doc: headers ## Write the documentation of the crates into target/doc, and refuse warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

fuzz: ## Run every fuzz target for FUZZ_SECONDS
	@scripts/setup.sh fuzz
	@scripts/fuzz.sh $(FUZZ_SECONDS)

fuzz-keep: ## Add to fuzz/corpus the inputs that fuzzing found and that reach new code
	@scripts/fuzz.sh keep

bench: export KAMAILIO_RS_MODULES := $(TARGET)/modules
bench: all ## Measure our modules beside the C ones and write docs/benchmarks.md; ONLY=udp only prints a part
	$(CARGO) run --release -p kamailio-bench -- $(if $(RECORD),record) "$(ONLY)"

bench-report: ## Rewrite docs/benchmarks.md and its chart from docs/benchmarks.json
	$(CARGO) run --quiet -p kamailio-report -- benchmarks

hostile million: export KAMAILIO_RS_MODULES := $(TARGET)/modules
hostile million: export ONLY := $(ONLY)
hostile million: export RECORD := $(RECORD)
hostile: export HOSTILE_SECONDS := $(HOSTILE_SECONDS)
hostile: export SEED := $(SEED)
hostile: all ## Send mutated requests to live servers for HOSTILE_SECONDS (600) and write docs/proof.md
	$(CARGO) run --release -p kamailio-proof -- hostile

million: export REQUESTS := $(REQUESTS)
million: all ## Send REQUESTS (a million) of mixed kinds to each module and write docs/proof.md
	$(CARGO) run --release -p kamailio-proof -- million

proof-report: ## Rewrite docs/proof.md from docs/proof.json
	$(CARGO) run --quiet -p kamailio-report -- proof

clean: ## Remove what was built, but keep the headers in .deps
	$(CARGO) clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
