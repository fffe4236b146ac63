# Sourced by the scripts beside it: saying what happens, timing it, installing what is missing.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

RUST_MINIMUM=1.95

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# A duration in seconds for people: 7 s, 2 min 5 s.
spell_seconds() {
  if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); fi
}

# timed "what happens" command...: says it, does it, says how long it took.
timed() {
  local what=$1 start=$SECONDS
  shift
  say "==> $what"
  "$@" || die "==> failed: $what"
  say "    done in $(spell_seconds $((SECONDS - start)))"
}

# --- Debian packages -------------------------------------------------------------------------

# missing_packages "probe:package"...: the packages whose probe is absent. A probe is a command,
# or a file when it starts with a slash, so that programs installed in other ways count too; for
# what has neither, a dash asks for the package itself.
missing_packages() {
  local pair probe
  for pair in "$@"; do
    probe=${pair%%:*}
    case $probe in
      -) dpkg-query --status "${pair#*:}" >/dev/null 2>&1 || printf '%s\n' "${pair#*:}" ;;
      /*) [ -e "$probe" ] || printf '%s\n' "${pair#*:}" ;;
      *) has "$probe" || printf '%s\n' "${pair#*:}" ;;
    esac
  done
}

# Prints how to become root; fails when there is no way.
root_prefix() {
  if [ "$(id -u)" = 0 ]; then
    return 0
  elif has sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    printf 'sudo'
  else
    return 1
  fi
}

# Installs Debian packages without letting them start services: a test needs the program of
# a server, not a second server on this machine's public ports.
install_packages() {
  local as_root log policy=/usr/sbin/policy-rc.d placed='' result=0
  has apt-get || die "Missing on this machine: $*. This is not Debian, so please install them yourself."
  as_root=$(root_prefix) || die "Missing on this machine: $*
Installing them needs root. Run as root: apt-get install $*"
  say "==> installing: $*"
  local start=$SECONDS
  if [ -d "${policy%/*}" ] && [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    placed=yes
  fi
  log=$(mktemp)
  { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o DPkg::Lock::Timeout=300 "$@"; } </dev/null >"$log" 2>&1 || result=$?
  [ -z "$placed" ] || $as_root rm -f "$policy"
  [ $result = 0 ] || tail -n 20 "$log" >&2
  rm -f "$log"
  [ $result = 0 ] || die "apt-get could not install: $*"
  disable_services "$as_root" "$@"
  say "    done in $(spell_seconds $((SECONDS - start)))"
}

# A freshly installed server would start at the next boot and take the usual ports.
disable_services() {
  local as_root=$1 package
  shift
  [ -d /run/systemd/system ] || return 0
  for package in "$@"; do
    case $package in
      prosody | ejabberd | unbound) $as_root systemctl disable --quiet "$package" || true ;;
    esac
  done
}

# --- Rust ------------------------------------------------------------------------------------

# rust_is_new_enough DIRECTORY: are cargo and rustc there, and recent?
rust_is_new_enough() {
  local version
  [ -x "$1/cargo" ] && [ -x "$1/rustc" ] || return 1
  version=$("$1/rustc" --version 2>/dev/null | cut -d' ' -f2) || return 1
  [ "$(printf '%s\n%s\n' "$RUST_MINIMUM" "$version" | sort -V | head -n 1)" = "$RUST_MINIMUM" ]
}

# Puts the first directory with a recent Rust in front of PATH.
find_rust() {
  local directory found
  found=$(command -v cargo || true)
  for directory in ${found:+"${found%/*}"} "${CARGO_HOME:-$HOME/.cargo}/bin" /usr/local/bin /usr/bin; do
    if rust_is_new_enough "$directory"; then
      PATH=$directory:$PATH
      export PATH
      return 0
    fi
  done
  return 1
}

# What Rust needs and this machine lacks. Debian 12 keeps a current Rust for its browsers
# (rustc-web, cargo-web); it installs the plain names /usr/bin/rustc and /usr/bin/cargo.
missing_rust_packages() {
  missing_packages cc:gcc /usr/include/stdio.h:libc6-dev
  find_rust || printf '%s\n' rustc-web cargo-web
}

need_rust() {
  find_rust || die "Rust $RUST_MINIMUM or newer is needed and Debian's packages did not bring it; see https://rustup.rs."
}

# --- The client for browsers ----------------------------------------------------------------

# has_node VERSION: is Node there, and at least of that version?
has_node() {
  has node && [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge "$1" ]
}

# need_modules DIRECTORY "what they are": the packages of its lock file, as they are there; their
# scripts are not run. Does nothing while the file is the one they were made from.
need_modules() {
  local stamp=$1/node_modules/.made-from wanted
  wanted=$(node --version && cat "$1/package-lock.json")
  [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
  timed "$2" npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --silent
  printf '%s\n' "$wanted" >"$stamp"
}

# What compiles Rust and C for a browser, and what bundles the page.
missing_web_packages() {
  missing_packages node:nodejs npm:npm clang-22:clang-22 llvm-ar-22:llvm-22
  # A Rust that has the target brings a linker, too. Elsewhere than on Debian rustup has to add it.
  rust_has_wasm || ! has apt-get ||
    missing_packages /usr/bin/rustc:rustc-web /usr/bin/cargo:cargo-web wasm-ld:lld -:rust-web-src
}

# Has the Rust in use a standard library for browsers?
rust_has_wasm() {
  local dir
  has rustc && dir=$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null) &&
    compgen -G "$dir/libcore-*.rlib" >/dev/null
}

# --- Python ----------------------------------------------------------------------------------

missing_python_packages() {
  missing_packages python3:python3
  python3 -c 'import ensurepip, venv' 2>/dev/null || printf 'python3-venv\n'
}

# need_python FILE...: a virtual environment in .venv with the pinned packages of these files.
# Does nothing while the files are the ones it was made from.
need_python() {
  local stamp=.venv/.made-from wanted file arguments=()
  wanted=$(python3 --version && cat "$@")
  if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return 0
  fi
  for file in "$@"; do arguments+=(-r "$file"); done
  timed "Python packages in .venv ($*)" install_python "${arguments[@]}"
  printf '%s\n' "$wanted" >"$stamp"
}

install_python() {
  python3 -m venv --clear .venv &&
    .venv/bin/pip install --quiet --disable-pip-version-check --only-binary :all: "$@"
}
