#!/usr/bin/env bash
# make web: Clownfish for browsers, from its sources to web/dist/site, which the next build of the
# server takes in. What is current is not made again.
. "$(dirname "$0")/lib.sh"

MODULES=web/app/node_modules

scripts/bootstrap.sh web
need_rust
need_modules web/app 'packages for the page (npm)'
scripts/web-core.sh
timed 'types of the page' $MODULES/.bin/tsc --noEmit --project web/app
timed 'the page' node web/app/build.mjs "$@"
