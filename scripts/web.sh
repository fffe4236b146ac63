#!/usr/bin/env bash
# make web: Clownfish for browsers, from its sources to web/dist/site, which the next build of the
# server takes in. What is current is not made again.
. "$(dirname "$0")/lib.sh"

MODULES=web/app/node_modules

# The packages of the lock file, as they are there: their scripts are not run.
install_modules() {
  local wanted
  wanted=$(node --version && cat web/app/package-lock.json)
  [ "$(cat $MODULES/.made-from 2>/dev/null)" != "$wanted" ] || return 0
  timed 'packages for the page (npm)' npm ci --prefix web/app --ignore-scripts --no-audit --no-fund --silent
  printf '%s\n' "$wanted" >$MODULES/.made-from
}

scripts/bootstrap.sh web
need_rust
install_modules
scripts/web-core.sh
timed 'types of the page' $MODULES/.bin/tsc --noEmit --project web/app
timed 'the page' node web/app/build.mjs "$@"
