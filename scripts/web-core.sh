#!/usr/bin/env bash
# Builds the core of the web client into web/dist/core: core.js and core_bg.wasm.
#
#   scripts/web-core.sh           as it is shipped
#   scripts/web-core.sh --dev     quickly, larger and slower
. "$(dirname "$0")/lib.sh"

cd "$ROOT/web"
profile=release
[ "${1:-}" != --dev ] || profile=dev
folder=$profile
[ $profile != dev ] || folder=debug

# The tool is for this machine: the compiler for the browser is not for it.
say "==> bindgen"
cargo build --quiet --locked -p bindgen

say "==> core of the web client ($profile)"
(
  exports=$("$ROOT/scripts/wasm-toolchain.sh") && eval "$exports"
  "$CARGO" build --locked --profile $profile --target wasm32-unknown-unknown -p clownfish-web --lib
)

target=${CARGO_TARGET_DIR:-target}
out=dist/core
rm -rf "$out.new"
"$target/debug/bindgen" "$target/wasm32-unknown-unknown/$folder/clownfish_web.wasm" "$out.new"
if [ $profile = release ]; then
  # No feature flags: the file says itself what it uses, and others would change its encoding.
  node app/node_modules/binaryen/bin/wasm-opt -O3 "$out.new/core_bg.wasm" -o "$out.new/optimised.wasm"
  mv "$out.new/optimised.wasm" "$out.new/core_bg.wasm"
fi
rm -rf "$out"
mkdir -p "${out%/*}"
mv "$out.new" "$out"
say "$out/core_bg.wasm: $(stat -c %s "$out/core_bg.wasm") bytes"
