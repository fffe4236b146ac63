#!/usr/bin/env bash
# make bench: loadgen against Anemone and against Debian's prosody and ejabberd, in one run.
. "$(dirname "$0")/lib.sh"

scripts/bootstrap.sh bench
need_rust
bench/setup.sh
timed 'building anemone and loadgen' cargo build --release --locked --package anemone --package loadgen
target/release/loadgen bench "$@"
