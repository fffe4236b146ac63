#!/usr/bin/env bash
# make bench-web: sizes, start, catch-up and scrolling of the client for browsers, written to
# docs/benchmarks-web.md.
. "$(dirname "$0")/lib.sh"

scripts/bootstrap.sh browser
need_rust
scripts/web.sh
timed 'building anemone' cargo build --release --locked --package anemone
ANEMONE=$PWD/target/release/anemone node web/bench/run.mjs
