#!/usr/bin/env bash
# Installs what the given purposes need, and nothing when it is all there. Purposes are `run`,
# `bench`, `docs`, and the steps of scripts/test.sh:
#   scripts/bootstrap.sh build        a C compiler and Rust
#   scripts/bootstrap.sh plays        and prosody, on which the plays are checked
#   scripts/bootstrap.sh interop      and other people's clients
. "$(dirname "$0")/lib.sh"

need_tools() {
  # rustup brings rustfmt along; Debian's Rust has it in a package of its own.
  has rustfmt || [ "$(command -v rustc)" != /usr/bin/rustc ] || install_packages rustfmt-web
  need_python scripts/tools.txt tests/interop/requirements.txt
}

need_reference() { need prosody:prosody; }

# Gajim needs GLib's TLS and GTK's icons, which its package only recommends.
need_clients() {
  need profanity:profanity tmux:tmux openssl:openssl gajim:gajim -:glib-networking \
    -:librsvg2-common Xvfb:xvfb xdotool:xdotool dbus-daemon:dbus-daemon import:imagemagick
}

[ $# -gt 0 ] || die "usage: scripts/bootstrap.sh PURPOSE..."
need_rust
for purpose in "$@"; do
  case $purpose in
    run | build | bench | docs | crash) ;;
    format | lint | rules | unit) need_tools ;;
    plays) need_reference ;;
    interop) need_tools && need_reference && need_clients ;;
    fuzz) need c++:g++ ;;
    *) die "scripts/bootstrap.sh does not know the purpose \"$purpose\"." ;;
  esac
done
