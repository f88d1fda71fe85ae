# The commands of this repository; README.md lists them. There is no logic here: it is cargo's, and set-up's in .ci/setup.

TARGET := $(or $(CARGO_TARGET_DIR),target)
WASM := --target wasm32-wasip2
# No path of this machine gets into a component, so that the same sources and tools make the same bytes everywhere.
SOURCES = $(wildcard $(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src/*)
SAME = CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS='$(SOURCES:%=--remap-path-prefix=%=crates)'
GUEST := -p urlpool-guest -p urlpool-cli --features urlpool-cli/component
# Built by themselves, so that what they ask of wit-bindgen does not get into the others.
ASYNC := -p urlpool-async -p urlpool-http
CONSUMERS := -p 'urlpool-consumers*' -p 'urlpool-example-*'
COMPOSE = cargo run -q --bin compose --
SIM := --features urlpool-core/sim
QUOTED_URL := '$(subst ','\'',$(value URL))'

.PHONY: test run interop upstream bench fuzz components consumers setup

# Everything that needs only cargo: native, in wasmtime, and composed. Core's tests of the driver run in its simulation.
test: components consumers
	@cargo build --bin urlpool $(SIM)
	@cargo test $(SIM)

# Fetches URL with the native host. Standard output is the body and nothing else.
run:
	@test -n $(QUOTED_URL) || { echo 'usage: make run URL=https://... [ARGS="-i -v"]' >&2; exit 2; }
	@$(MAKE) --no-print-directory components >&2
	@cargo build --bin urlpool
	@cargo run -q --bin urlpool -- $(ARGS) $(QUOTED_URL)

# Real servers and proxies of Debian's and the stock wasmtime, which its own set-up brings.
interop: components consumers
	@tests/interop/setup.sh
	@cargo build --bin urlpool
	@cargo run -q --bin interop -- $(ARGS)

# urllib3's own tests against the component in a Python process, or those that ARGS selects, as pytest takes them.
upstream: components
	@tests/upstream/setup.sh
	@'$(TARGET)/upstream/venv/bin/python' tests/upstream/run.py $(ARGS)

# The side-by-side table, against what its own set-up brings.
bench: components
	@tests/bench/setup.sh
	@$(SAME) cargo build $(WASM) --profile component -p urlpool-bench-guests -p urlpool-bench-raw03 -p 'urlpool-consumers*'
	@cargo build --release -p urlpool-bench -p urlpool-host
	@'$(TARGET)/release/urlpool-bench' $(ARGS)

# Every fuzz target, or those that ARGS names, for SECONDS each.
fuzz: setup
	@guest/core/fuzz/run.sh '$(or $(SECONDS),60)' $(ARGS)

# The components in dist/, and their sizes.
components: setup
	@$(SAME) cargo build $(WASM) --profile component $(GUEST)
	@$(SAME) cargo build $(WASM) --profile component $(ASYNC)
	@$(COMPOSE) '$(TARGET)/wasm32-wasip2/component' dist

# The components of tests/consumers and examples, before they are composed.
consumers: setup
	@$(SAME) cargo build $(WASM) --profile component $(CONSUMERS)

# Quick where nothing is missing.
setup:
	@.ci/setup
