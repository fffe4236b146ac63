#!/usr/bin/env bash
# Installs what the given purposes need, and nothing when it is all there. Purposes are `run`,
# `bench`, `docs`, and the steps of scripts/test.sh:
#   scripts/bootstrap.sh build        compilers for C and C++, and Rust
#   scripts/bootstrap.sh plays        and prosody, on which the plays are checked
#   scripts/bootstrap.sh interop      and other people's clients
#   scripts/bootstrap.sh web          what builds the client for browsers
#   scripts/bootstrap.sh browser      and a browser to test it in
. "$(dirname "$0")/lib.sh"

# The fuzzer, which is written in C++, is a part of the workspace.
FUZZER=(c++:g++)
REFERENCE=(prosody:prosody)
# What prosody and ejabberd need to keep things in SQLite, and what makes the tables.
DATABASES=(sqlite3:sqlite3 -:lua-dbi-sqlite3 -:erlang-p1-sqlite3)
# A resolver that validates, and what sets up a network of its own for it.
NAMES=(/usr/sbin/unbound:unbound -:iproute2)
# Gajim needs GLib's TLS and GTK's icons, which its package only recommends; OMEMO is an addition.
CLIENTS=(profanity:profanity tmux:tmux openssl:openssl gajim:gajim -:gajim-omemo -:glib-networking
  -:librsvg2-common Xvfb:xvfb xdotool:xdotool dbus-daemon:dbus-daemon import:imagemagick xclip:xclip)

# Clownfish for browsers is tested in one.
BROWSER=(/usr/bin/chromium:chromium -:fonts-dejavu-core -:fonts-noto-color-emoji)

[ $# -gt 0 ] || die "usage: scripts/bootstrap.sh PURPOSE..."
probes=() python='' web=''
for purpose in "$@"; do
  case $purpose in
    run | bench | crash) ;;
    build | docs | fuzz) probes+=("${FUZZER[@]}") ;;
    format | rules) python=yes ;;
    lint | unit) python=yes probes+=("${FUZZER[@]}") ;;
    plays) probes+=("${REFERENCE[@]}" "${FUZZER[@]}") ;;
    interop) python=yes probes+=("${REFERENCE[@]}" ejabberdctl:ejabberd "${DATABASES[@]}" pebble:pebble "${NAMES[@]}" "${CLIENTS[@]}") ;;
    web) web=yes ;;
    browser | wasm) web=yes python=yes probes+=("${BROWSER[@]}") ;;
    *) die "scripts/bootstrap.sh does not know the purpose \"$purpose\"." ;;
  esac
done

mapfile -t missing < <(
  missing_rust_packages
  missing_packages "${probes[@]}"
  [ -z "$web" ] || missing_web_packages
  [ -z "$python" ] || missing_python_packages
  # rustup brings rustfmt along; Debian's Rust has it in a package of its own.
  [ -z "$python" ] || has rustfmt || has rustup || printf 'rustfmt-web\n'
)
[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
need_rust
[ -z "$python" ] || need_python scripts/tools.txt tests/interop/requirements.txt
