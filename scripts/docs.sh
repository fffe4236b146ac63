#!/usr/bin/env bash
# make docs: the pages under docs/ that are written from the code, and the API documentation.
# The tests of the step "unit" fail when a page is not what the code says.
. "$(dirname "$0")/lib.sh"

need_rust
timed 'pages under docs/' env UPDATE_DOCS=1 cargo test --locked --quiet --workspace --test generated_docs
timed 'API documentation' cargo doc --locked --quiet --workspace --no-deps
say "    open target/doc/anemone/index.html"
