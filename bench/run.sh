#!/bin/sh
# `make bench`: builds the server and the load generator as they are released,
# then measures Anemone beside prosody, ejabberd and a bare TLS relay. Arguments
# go to `loadgen bench`, see `loadgen bench --help`; a full run takes about a
# quarter of an hour, `--quick` two minutes.
set -eu
cd "$(dirname "$0")/.."

sh bench/setup.sh
cargo build --release --locked -p loadgen -p anemone
exec target/release/loadgen bench "$@"
