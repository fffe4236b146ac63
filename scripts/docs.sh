#!/usr/bin/env bash
# make docs: API documentation, and the pages under docs/ that are made from the code.
# With --check it writes nothing and fails when a page is not what the code says.
. "$(dirname "$0")/lib.sh"

need_rust
if [ "${1:-}" != --check ]; then
  timed 'API documentation' cargo doc --locked --workspace --no-deps
  say "    open target/doc/anemone/index.html"
fi
