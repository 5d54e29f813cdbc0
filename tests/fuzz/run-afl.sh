#!/usr/bin/env bash
# Fuzzes one target with AFL++ for MINUTES, with ASan and UBSan:
#
#       tests/fuzz/run-afl.sh MINUTES TARGET
#
# Another fuzzer finds other things than tests/fuzz/run.sh. Needs the package afl++. Exit status 1 if a
# crash or a hang was found; they are under build-afl/findings/TARGET.
set -eu
cd "$(dirname "$0")/../.."
minutes=${1:?how many minutes?}
target=${2:?which target?}
build=build-afl

command -v afl-clang-fast >/dev/null || { echo "afl-clang-fast is missing: install afl++" >&2; exit 1; }
export AFL_QUIET=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1
export AFL_USE_ASAN=1 AFL_USE_UBSAN=1
export UBSAN_OPTIONS=abort_on_error=1:halt_on_error=1:symbolize=0
if [ ! -e "$build/build.ninja" ]; then
        CC=afl-clang-fast meson setup "$build" -Dbuildtype=debugoptimized -Db_lundef=false \
                -Dfuzzer=-fsanitize=fuzzer >"$build.log"
fi
ninja -C "$build" "tests/fuzz/fuzz-$target" >/dev/null
findings=$build/findings/$target
rm -rf "$findings"
mkdir -p "$findings"
afl-fuzz -i "tests/fuzz/corpus/$target" -o "$findings" -x tests/fuzz/mbus.dict -m none \
        -V $((minutes * 60)) -- "$build/tests/fuzz/fuzz-$target" >"$findings/log" 2>&1 ||
        { tail -n 20 "$findings/log"; exit 1; }
value() {
        sed -n "s/^$1 *: //p" "$findings/default/fuzzer_stats"
}
echo "$target: $(value execs_done) executions, $(value edges_found) edges," \
        "$(value saved_crashes) crashes, $(value saved_hangs) hangs"
[ "$(value saved_crashes)" = 0 ] && [ "$(value saved_hangs)" = 0 ]
