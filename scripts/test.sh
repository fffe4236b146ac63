#!/usr/bin/env bash
# make test: every check, one after the other, each with its duration; then where the time
# went, and as the last line how many tests passed. `scripts/test.sh unit plays` runs some.
# FUZZ_SECONDS (per target) and CRASH_ROUNDS make the last two steps longer.
. "$(dirname "$0")/lib.sh"

STEPS=(format lint rules web build unit plays interop browser fuzz crash)
# Run by name only.
MORE=(wasm)
FUZZ_SECONDS=${FUZZ_SECONDS:-10}
CRASH_ROUNDS=${CRASH_ROUNDS:-10}
LOGS=target/test-logs
FAILED=$LOGS/failed

# --- The steps -------------------------------------------------------------------------------
# Each is a function that exits non-zero on failure. SKIP, returned with a reason on standard
# output, means that this machine cannot do it. Cargo is always given the whole workspace: for
# one package it would choose other features and compile the dependencies again.

SKIP=77

step_format() { cargo fmt --all --check; }

step_lint() {
  if ! cargo clippy --version >/dev/null 2>&1; then
    say "This Rust has no clippy (Debian's packages leave it out)."
    return $SKIP
  fi
  cargo clippy --locked --workspace --all-targets -- -D warnings
}

# Licences, origins and duplicates of dependencies, and known holes where the list of them can
# be had.
step_rules() {
  if ! has cargo-deny; then
    say "cargo-deny is not available for this kind of machine."
    return $SKIP
  fi
  cargo deny --locked check --hide-inclusion-graph licenses bans sources
  if timeout 60 cargo deny fetch db >/dev/null 2>&1; then
    cargo deny --locked check --hide-inclusion-graph advisories
  else
    say "Known holes were not checked: the advisory database cannot be reached from here."
  fi
}

# The client for browsers, before the server is built, which takes it in; then what of the page can be tested
# without a browser. The core's own tests are among `unit`.
step_web() {
  STRICT=1 scripts/web.sh
  node web/app/test.mjs
}

step_build() { cargo build --locked --workspace --all-targets; }

# Everything but the plays: unit tests, the command line, storage conformance, generated pages.
step_unit() {
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked --workspace --no-fail-fast -E 'not binary(plays)'
  else
    # `cargo test` cannot leave out one test file; then the plays run twice.
    cargo test --locked --workspace --lib --bins --tests --no-fail-fast
  fi
  cargo test --locked --workspace --doc --quiet
}

# In one process, so that plays share servers; a list of specifications follows.
step_plays() {
  cargo test --locked --workspace --test plays
  target/debug/conformance
}

step_interop() { steady interop_tests; }

interop_tests() { tests/interop/run --failed "$FAILED" "$@"; }

# The client in a browser, against the server.
step_browser() {
  if ! has_node 20; then
    say "This Node is older than 20, which the driver of the browser needs."
    return $SKIP
  fi
  need_modules tests/interop/converse 'Converse, a client beside ours (npm)'
  timed 'the core with the suite of every store' scripts/web-core.sh --tests
  steady node_tests web/app/dev/*.test.mjs web/tests/*.test.mjs
}

# A test that fails may leave something open, for which Node would wait without end.
node_tests() {
  CORE_TESTS_MADE=1 FAILED=$FAILED node --test --test-concurrency=2 --test-force-exit --test-timeout=1200000 \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=./web/tests/failed.mjs --test-reporter-destination=stderr "$@"
}

# steady COMMAND...: runs tests that drive programs which are not ours. Those few that fail are run once more,
# alone: what passes then has passed, and is named as unsteady in the end (docs/dev/steady-tests.md). The command
# leaves in $FAILED what failed: on each line a name that it takes, and how many passed, failed and were skipped in it.
steady() {
  local result=0 again one name passed failed skipped
  rm -f "$FAILED"
  "$@" || result=$?
  [ $result != 0 ] && [ -s "$FAILED" ] || return $result
  mapfile -t again <"$FAILED"
  # So many are no chance.
  [ ${#again[@]} -le 5 ] || return $result
  result=0
  for one in "${again[@]}"; do
    read -r name passed failed skipped <<<"$one"
    say "once more: $name (before: $passed passed, $failed failed, $skipped skipped)"
    if "$1" "$name"; then say "unsteady: $name"; else result=1; fi
  done
  return $result
}

# The tests of the core once more, as WebAssembly in a browser. They run natively in `unit`, and take
# minutes to build for this, so they are run when asked for: make test STEPS=wasm
step_wasm() {
  timed 'the tests of the core, for a browser' scripts/web-core-tests.sh
  node_tests web/tests/core-in-wasm.mjs
}

step_fuzz() { fuzz/run.sh --seconds "$FUZZ_SECONDS"; }

# Kills two servers at random moments under load and compares archives with acknowledgements.
step_crash() { target/debug/loadgen crash --rounds "$CRASH_ROUNDS" --anemone target/debug/anemone; }

# --- Running and counting --------------------------------------------------------------------

# Adds up what the test runners in a log say about themselves: passed, failed, skipped. Known
# are nextest's summary, cargo test's result, Node's, and our own "N passed, N failed, N skipped".
count_tests() {
  awk '
    function number(word,   at) {
      at = match($0, "[0-9]+ " word)
      return at ? substr($0, at) + 0 : 0
    }
    /^ *Summary \[/ || /^test result:/ || /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
      passed += number("passed")
      failed += number("failed") + number("timed out")
      skipped += number("skipped") + number("ignored")
    }
    # Node: one line each.
    /^ℹ pass [0-9]+$/ { passed += $3 }
    /^ℹ (fail|cancelled) [0-9]+$/ { failed += $3 }
    /^ℹ skipped [0-9]+$/ { skipped += $3 }
    # What is run again is not counted twice.
    /^once more: / {
      passed -= number("passed")
      failed -= number("failed")
      skipped -= number("skipped")
    }
    END { print passed + 0, failed + 0, skipped + 0 }
  ' "$1"
}

passed_total=0 failed_total=0 skipped_total=0
rows=() broken=() unsteady=()

run_step() {
  local name=$1 log=$LOGS/$1.log start=$SECONDS result=0 passed failed skipped verdict
  say ''
  say "==> $name"
  # The step runs in a shell of its own, with `set -e`, which the rest here does without.
  ( set -e; "step_$name" ) 2>&1 | tee "$log"
  result=${PIPESTATUS[0]}
  read -r passed failed skipped < <(count_tests "$log")
  case $result in
    0) verdict=passed ;;
    "$SKIP") verdict=skipped skipped=$((skipped + 1)) ;;
    *) verdict=FAILED ;;
  esac
  # A step without a test runner is one test; a step that fails has at least one failure.
  [ $verdict != passed ] || [ $((passed + failed)) -gt 0 ] || passed=1
  [ $verdict != FAILED ] || [ "$failed" -gt 0 ] || failed=1
  passed_total=$((passed_total + passed))
  failed_total=$((failed_total + failed))
  skipped_total=$((skipped_total + skipped))
  rows+=("$(printf '%-10s %-8s %12s %7d %7d %8d' "$name" $verdict \
    "$(spell_seconds $((SECONDS - start)))" "$passed" "$failed" "$skipped")")
  say "==> $name: $verdict after $(spell_seconds $((SECONDS - start)))"
  [ $verdict != FAILED ] || broken+=("$name")
  mapfile -t -O ${#unsteady[@]} unsteady < <(sed -n "s|^unsteady: .*|&, see $log|p" "$log")
}

summarise() {
  say ''
  printf '%-10s %-8s %12s %7s %7s %8s\n' step result time passed failed skipped
  printf '%s\n' "${rows[@]}"
  say ''
  say "Whole run: $(spell_seconds $SECONDS)."
  [ ${#unsteady[@]} = 0 ] || printf '%s\n' "${unsteady[@]}"
  local name
  for name in "${broken[@]}"; do say "Failed: $name, see $LOGS/$name.log"; done
  say "$passed_total passed, $failed_total failed, $skipped_total skipped"
  [ "$failed_total" = 0 ] && [ ${#broken[@]} = 0 ]
}

wanted=("$@")
[ $# -gt 0 ] || wanted=("${STEPS[@]}")
for name in "${wanted[@]}"; do
  [[ " ${STEPS[*]} ${MORE[*]} " == *" $name "* ]] ||
    die "There is no step \"$name\". Steps: ${STEPS[*]} ${MORE[*]}"
done

scripts/bootstrap.sh "${wanted[@]}"
need_rust
PATH=$PATH:$PWD/.venv/bin

mkdir -p "$LOGS"
set +e
for name in "${wanted[@]}"; do
  run_step "$name"
  # Nothing after a failed build can tell us anything new.
  [[ " ${broken[*]} " != *" build "* ]] || break
done
summarise
