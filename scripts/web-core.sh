#!/usr/bin/env bash
# Builds the core of the web client into web/dist/core: core.js and core_bg.wasm.
#
#   scripts/web-core.sh           as it is shipped
#   scripts/web-core.sh --dev     quickly, larger and slower
#   scripts/web-core.sh --tests   with the suite of every store, into web/dist/core-tests
#
# With STRICT set, a warning of the compiler fails it: what is for browsers alone is compiled nowhere else.
. "$(dirname "$0")/lib.sh"

profile=web folder=web out=web/dist/core features=() optimise=yes
case ${1:-} in
  --dev) profile=dev folder=debug optimise= ;;
  # With the profile of the product, whose dependencies are there already.
  --tests) out=web/dist/core-tests features=(--features conformance) optimise= ;;
esac

target=${CARGO_TARGET_DIR:-target}
# The tool is for this machine, and may be made by another compiler.
say "==> bindgen"
CARGO_TARGET_DIR=$target/tools cargo build --quiet --locked --manifest-path web/bindgen/Cargo.toml

say "==> core of the web client ($profile)"
messages=$(mktemp)
trap 'rm -f "$messages"' EXIT
(
  exports=$(scripts/wasm-toolchain.sh) && eval "$exports"
  "$CARGO" build --locked --profile $profile --target wasm32-unknown-unknown -p clownfish-web --lib \
    "${features[@]}"
) 2>&1 | tee "$messages" >&2
# Cargo says warnings again when there is nothing to compile.
if [ -n "${STRICT:-}" ] && grep -q '^warning: ' "$messages"; then
  die 'the core of the web client has warnings'
fi

compiled=$target/wasm32-unknown-unknown/$folder/clownfish_web.wasm
made_from="$profile $(sha256sum <"$compiled")"
if [ "$(cat "$out/.made-from" 2>/dev/null)" = "$made_from" ]; then
  say "$out is current"
  exit 0
fi
rm -rf "$out.new"
"$target/tools/debug/bindgen" "$compiled" "$out.new"
if [ -n "$optimise" ]; then
  # No feature flags: the file says itself what it uses, and others would change its encoding.
  node web/app/node_modules/binaryen/bin/wasm-opt -O3 "$out.new/core_bg.wasm" -o "$out.new/optimised.wasm"
  mv "$out.new/optimised.wasm" "$out.new/core_bg.wasm"
fi
printf '%s\n' "$made_from" >"$out.new/.made-from"
rm -rf "$out"
mkdir -p "${out%/*}"
mv "$out.new" "$out"
say "$out/core_bg.wasm: $(stat -c %s "$out/core_bg.wasm") bytes"
