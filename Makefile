# `make help` lists what is here. Every target installs what it needs and says so.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# make run: where the trial server keeps its data.
DATA ?= data
# make test: only these steps, by name; all when empty.
STEPS ?=
# make fuzz: seconds per target.
FUZZ_SECONDS ?= 600
# make run: whether the client for browsers is built; WEB=no leaves it out.
WEB ?= yes
# make bench: what to pass on, such as a case.
BENCH ?=

.PHONY: help run web test check fmt bench bench-web fuzz docs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## a trial server for localhost, with an invitation for its first user (DATA=data)
	@DATA='$(DATA)' WEB='$(WEB)' scripts/run.sh

web: ## the client for browsers, which the next build of the server takes in
	@scripts/web.sh

test: ## every check there is (STEPS="unit plays" for some)
	@scripts/test.sh $(STEPS)

check: ## formatting, lints and dependency rules
	@scripts/test.sh format lint rules

fmt: ## format the Rust code
	@scripts/bootstrap.sh format && . scripts/lib.sh && need_rust && cargo fmt --all

bench: ## Anemone beside prosody and ejabberd, on this machine
	@scripts/bench.sh $(BENCH)

bench-web: ## sizes, start, catch-up and scrolling of the client for browsers
	@scripts/bench-web.sh

fuzz: ## every fuzz target for a while (FUZZ_SECONDS=600 each)
	@scripts/bootstrap.sh fuzz && . scripts/lib.sh && need_rust && fuzz/run.sh --seconds $(FUZZ_SECONDS)

docs: ## API documentation in target/doc, generated pages in docs/
	@scripts/docs.sh
