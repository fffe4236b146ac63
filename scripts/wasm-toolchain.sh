#!/usr/bin/env bash
# Finds, or makes, a Rust compiler for the browser (wasm32-unknown-unknown), and prints what to
# export: eval "$(scripts/wasm-toolchain.sh)".
#
# 1. The Rust in use has the target: nothing to export but a linker, where it brings none.
# 2. Debian's Rust with its sources (rustc-web, rust-web-src): the standard library is built once
#    into a folder of the cache, and a wrapper tells rustc where it is. Plain cargo and a stable
#    compiler from there on.
# 3. rustup: its target is added, and that is said.
. "$(dirname "$0")/lib.sh"

TARGET=wasm32-unknown-unknown

tell() { say "$@" >&2; }

has_std() {
  local dir
  dir=$("$1" --print target-libdir --target $TARGET 2>/dev/null) || return 1
  compgen -G "$dir/libcore-*.rlib" >/dev/null
}

host_of() { "$1" -vV | sed -n 's/^host: //p'; }

# Debian's Rust has no linker of its own for this target.
export_linker() {
  local ld
  [ ! -x "$("$1" --print sysroot)/lib/rustlib/$(host_of "$1")/bin/rust-lld" ] || return 0
  for ld in wasm-ld wasm-ld-22 wasm-ld-19; do
    has "$ld" || continue
    echo "export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER='$(command -v "$ld")'"
    return 0
  done
  die "There is no linker for WebAssembly. Debian: apt-get install lld"
}

# SQLite is C: a clang that knows WebAssembly.
export_clang() {
  local version
  for version in -22 -21 -20 -19 ''; do
    has "clang$version" && has "llvm-ar$version" || continue
    "clang$version" --print-targets 2>/dev/null | grep -q wasm32 || continue
    echo "export CC_wasm32_unknown_unknown='clang$version' AR_wasm32_unknown_unknown='llvm-ar$version'"
    return 0
  done
  die "There is no clang for WebAssembly. Debian: apt-get install clang-22 llvm-22"
}

use() {
  echo "export RUSTC='$1' CARGO='$2'"
  export_linker "$1"
  export_clang
  exit 0
}

# The sources that belong to a compiler, if they are there.
sources_of() {
  local version dir
  version=$("$1" --version | cut -d' ' -f2)
  for dir in "/usr/src/rustc-$version/library" \
    "$("$1" --print sysroot)/lib/rustlib/src/rust/library"; do
    [ ! -f "$dir/std/Cargo.toml" ] || { printf '%s' "$dir"; return 0; }
  done
  return 1
}

# Builds the standard library of compiler $1 with sources $2 into $3. Only this uses what is not
# stable in cargo; the result is used by a stable compiler.
build_std() {
  local rustc=$1 sources=$2 into=$3 work host
  work=$into.new.$$
  host=$(host_of "$rustc")
  rm -rf "$work"
  mkdir -p "$work/crate/src" "$work/lib/rustlib/$TARGET/lib" "$work/bin"
  : >"$work/crate/src/lib.rs"
  cat >"$work/crate/Cargo.toml" <<-TOML
	[package]
	name = "only-std"
	version = "0.0.0"
	edition = "2021"
	[workspace]
	[profile.release]
	strip = "debuginfo"
	TOML
  (
    cd "$work/crate"
    env -u CARGO_BUILD_TARGET -u RUSTC_WRAPPER RUSTC="$rustc" RUSTC_BOOTSTRAP=1 \
      __CARGO_TESTS_ONLY_SRC_ROOT="$sources" RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR=t \
      "${rustc%rustc}cargo" build --quiet --release --target $TARGET \
      -Zbuild-std=std,panic_abort,proc_macro,test >&2
  )
  cp "$work/crate/t/$TARGET/release/deps/"*.rlib "$work/lib/rustlib/$TARGET/lib/"
  rm -rf "$work/lib/rustlib/$TARGET/lib/"libonly_std* "$work/crate"
  ln -s "$("$rustc" --print sysroot)/lib/rustlib/$host" "$work/lib/rustlib/$host"
  printf '#!/bin/sh\nexec %s --sysroot %s "$@"\n' "$rustc" "$into" >"$work/bin/rustc"
  chmod +x "$work/bin/rustc"
  ln -s "${rustc%rustc}cargo" "$work/bin/cargo"
  ln -s "${rustc%rustc}rustdoc" "$work/bin/rustdoc"
  rm -rf "$into"
  mv "$work" "$into"
}

rustc=${RUSTC:-rustc}
if has "$rustc" && has_std "$rustc"; then
  use "$(command -v "$rustc")" "$(command -v cargo)"
fi

for rustc in /usr/bin/rustc /usr/local/bin/rustc; do
  [ -x "$rustc" ] && [ -x "${rustc%rustc}cargo" ] && sources=$(sources_of "$rustc") || continue
  id=$("$rustc" -vV | sha256sum | cut -c1-16)
  into=${XDG_CACHE_HOME:-$HOME/.cache}/anemone/wasm-std-$id
  if [ ! -x "$into/bin/rustc" ]; then
    tell "==> building Rust's standard library for the browser, once"
    mkdir -p "${into%/*}"
    build_std "$rustc" "$sources" "$into"
  fi
  use "$into/bin/rustc" "$into/bin/cargo"
done

if has rustup; then
  tell "==> rustup target add $TARGET"
  rustup target add $TARGET >&2 && has_std rustc && use "$(command -v rustc)" "$(command -v cargo)"
fi
die "No Rust here can build for the browser. rustup: rustup target add $TARGET;
Debian: apt-get install rustc-web cargo-web rust-web-src lld clang-22 llvm-22"
