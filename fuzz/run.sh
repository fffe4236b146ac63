#!/bin/sh
# Builds and runs the fuzz targets. Usage: ./run.sh [--seconds N] [TARGET...]
#
# Runs of a minute or less take the dependencies that the tests were built with, and only our own code
# is compiled again, with the marks that the fuzzer follows: they are a part of `make test`. For longer
# ones everything is compiled for it, and optimised; with a nightly compiler and its sanitizer runtime
# memory errors are watched too, otherwise the stable one does with coverage alone.
#
# Needs cargo and a C++ compiler, nothing else.
set -eu
cd "$(dirname "$0")"

seconds=60
targets=
while [ $# -gt 0 ]; do
    case $1 in
    --seconds)
        seconds=$2
        shift
        ;;
    -*)
        echo "usage: fuzz/run.sh [--seconds N] [TARGET...]" >&2
        exit 2
        ;;
    *) targets="$targets $1" ;;
    esac
    shift
done
[ -n "$targets" ] || targets=$(sed -n 's/^path = "targets\/\(.*\)\.rs"/\1/p' Cargo.toml)

# build PROGRAM PROFILE [ARGUMENT...]: all targets of this run. The whole workspace is named so that
# dependencies have the features that they have in every other build.
build() {
    program=$1 profile=$2
    shift 2
    $program build --quiet --locked --manifest-path ../Cargo.toml --workspace --features fuzz/targets \
        --profile "$profile" $(for t in $targets; do echo "--bin $t"; done) "$@"
}

build_short() {
    echo "Building the fuzz targets (coverage of our own code)."
    RUSTC_WORKSPACE_WRAPPER=$PWD/instrument.sh build cargo dev
    built=${CARGO_TARGET_DIR:-../target}/debug
}

build_long() {
    host=$(rustc -vV | sed -n 's/^host: //p')
    flags="$(./instrument.sh echo --crate-name x | sed 's/^--crate-name x //') -Cforce-frame-pointers"
    program=cargo
    how="stable compiler, coverage only"
    if sysroot=$(rustup run nightly rustc --print sysroot 2>/dev/null); then
        program="rustup run nightly cargo"
        how="nightly compiler"
        if [ -e "$sysroot/lib/rustlib/$host/lib/librustc-nightly_rt.asan.a" ]; then
            flags="$flags -Zsanitizer=address"
            how="nightly compiler with AddressSanitizer"
        fi
    fi
    echo "Building the fuzz targets ($how). The first time takes some minutes."
    # With --target, build scripts and procedural macros are built without the flags.
    RUSTFLAGS=$flags build "$program" fuzz --target "$host" --target-dir target
    built=target/$host/fuzz
}

if [ "$seconds" -le 60 ]; then build_short; else build_long; fi

# fuzz_one TARGET: one target for its time; the number of runs goes to a file of its name.
fuzz_one() {
    target=$1
    found="target/corpus/$target"
    mkdir -p "corpus/$target" "artifacts/$target" "$found"
    log="$results/$target.log"
    # New inputs go to the first directory; the committed corpus stays as it is. A server that is kept
    # from one run to the next, with its threads, is no leak.
    if "$built/$target" "$found" "corpus/$target" -max_total_time="$seconds" \
        -rss_limit_mb=2048 -timeout=20 -detect_leaks=0 -print_final_stats=1 -max_len=4096 \
        -artifact_prefix="artifacts/$target/" >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "$runs" >"$results/$target.runs"
        echo "$target: $runs runs, no finding"
    else
        cp "$log" "target/$target.log"
        echo "$target: FINDING, see fuzz/target/$target.log" >&2
        tail -n 30 "$log" >&2
    fi
}

# As many at the same time as there are processors.
results=$(mktemp -d)
trap 'rm -r "$results"' EXIT
at_once=$(nproc)
echo "Each target for $seconds s, $at_once at the same time."
set -- $targets
while [ $# -gt 0 ]; do
    started=
    while [ $# -gt 0 ] && [ "$(echo $started | wc -w)" -lt "$at_once" ]; do
        fuzz_one "$1" &
        started="$started $!"
        shift
    done
    for pid in $started; do wait "$pid"; done
done

total=0
failed=
for target in $targets; do
    if [ -e "$results/$target.runs" ]; then
        total=$((total + $(cat "$results/$target.runs")))
    else
        failed="$failed $target"
    fi
done
if [ -n "$failed" ]; then
    echo "fuzz: findings in$failed" >&2
    exit 1
fi
echo "fuzz: $total runs in all, no finding"
