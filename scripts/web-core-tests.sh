#!/usr/bin/env bash
# Builds the tests of the client's core against a server in memory (crates/client/tests), unchanged,
# for the engine of a browser: web/dist/core-plays/{core,omemo}.wasm. They run natively in `unit`.
. "$(dirname "$0")/lib.sh"

out=web/dist/core-plays
made=$(mktemp)
trap 'rm -f "$made"' EXIT
(
  exports=$(scripts/wasm-toolchain.sh) && eval "$exports"
  # Without any optimisation they would take minutes.
  export CARGO_PROFILE_DEV_OPT_LEVEL=1
  "$CARGO" test --locked --no-run --target wasm32-unknown-unknown --package client --test core --test omemo
) 2> >(tee "$made" >&2)
mkdir -p $out
for name in core omemo; do
  program=$(sed -n "s,^ *Executable tests/$name/main.rs (\(.*\))$,\1,p" "$made")
  [ -n "$program" ] || die "cargo did not say where the tests $name are"
  cp "$program" "$out/$name.wasm"
done
say "$out: $(stat -c '%n %s bytes' $out/*.wasm | tr '\n' ' ')"
