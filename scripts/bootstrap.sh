#!/usr/bin/env bash
# Installs what a purpose needs, and nothing when it is all there:
#   scripts/bootstrap.sh build    a C compiler and Rust
#   scripts/bootstrap.sh lint     build, rustfmt, and the tools of scripts/tools.txt
#   scripts/bootstrap.sh test     lint, and other people's clients and servers
#   scripts/bootstrap.sh bench    build, and the servers we compare with
. "$(dirname "$0")/lib.sh"

need_lint_tools() {
  need_rust
  # rustup brings rustfmt along; Debian's Rust has it in a package of its own.
  has rustfmt || [ "$(command -v rustc)" != /usr/bin/rustc ] || install_packages rustfmt-web
  need_python scripts/tools.txt tests/interop/requirements.txt
}

need_peers() {
  need prosody:prosody openssl:openssl
}

need_clients() {
  need profanity:profanity tmux:tmux gajim:gajim Xvfb:xvfb xdotool:xdotool \
    dbus-run-session:dbus-daemon import:imagemagick
}

case ${1:-} in
  build) need_rust ;;
  lint) need_lint_tools ;;
  test) need_lint_tools && need_peers && need_clients ;;
  bench) need_rust && need_peers && need ejabberdctl:ejabberd ;;
  *) die "usage: scripts/bootstrap.sh build|lint|test|bench" ;;
esac
