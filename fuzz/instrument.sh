#!/bin/sh
# Stands between cargo and the compiler (RUSTC_WORKSPACE_WRAPPER): our crates are compiled with the
# marks that the fuzzer follows, their dependencies are not, and so those of every other build do.
case " $* " in
*' --crate-name build_script_build '* | *' --print='*) exec "$@" ;;
*' --crate-name '*) ;;
*) exec "$@" ;;
esac
exec "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
