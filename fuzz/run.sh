#!/bin/sh
# Builds and runs the fuzz targets. Usage: ./run.sh [--seconds N] [TARGET...]
#
# Needs cargo and a C++ compiler, nothing else: with a nightly compiler and its sanitizer runtime
# memory errors are watched too, otherwise the stable one does with coverage alone.
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

host=$(rustc -vV | sed -n 's/^host: //p')
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
-Ccodegen-units=1 -Cforce-frame-pointers"
cargo=cargo
how="stable compiler, coverage only"
if sysroot=$(rustup run nightly rustc --print sysroot 2>/dev/null); then
    cargo="rustup run nightly cargo"
    how="nightly compiler"
    if [ -e "$sysroot/lib/rustlib/$host/lib/librustc-nightly_rt.asan.a" ]; then
        flags="$flags -Zsanitizer=address"
        how="nightly compiler with AddressSanitizer"
    fi
fi

echo "Building the fuzz targets ($how). The first time takes a few minutes."
# With --target, build scripts and procedural macros are built without the flags.
CARGO_TARGET_DIR=target RUSTFLAGS="$flags" \
    $cargo build --quiet --release --target "$host" $(for t in $targets; do echo "--bin $t"; done)

# fuzz_one TARGET: one target for its time; the number of runs goes to a file of its name.
fuzz_one() {
    target=$1
    found="target/corpus/$target"
    mkdir -p "corpus/$target" "artifacts/$target" "$found"
    log="$results/$target.log"
    # New inputs go to the first directory; the committed corpus stays as it is. A server that is kept
    # from one run to the next, with its threads, is no leak.
    if "target/$host/release/$target" "$found" "corpus/$target" -max_total_time="$seconds" \
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
