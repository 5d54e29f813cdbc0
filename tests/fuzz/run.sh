#!/usr/bin/env bash
# Fuzzes every target for MINUTES of CPU time each with libFuzzer, ASan and UBSan:
#
#       tests/fuzz/run.sh MINUTES [TARGET...]
#
# Two targets run at a time, one a core. New inputs that reach new code go to build-fuzz/corpus; a
# finding is written to build-fuzz/findings, its name is printed, and the exit status is 1. AFL++ builds:
# tests/fuzz/run-afl.sh.
set -eu
cd "$(dirname "$0")/../.."
minutes=${1:?how many minutes for each target?}
shift
targets=${*:-address value message config datagram frame stream engine commands format}
build=build-fuzz

if [ ! -e "$build/build.ninja" ]; then
        CC=clang meson setup "$build" -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
                -Db_lundef=false -Dfuzzer=-fsanitize=fuzzer -Dc_args=-fsanitize=fuzzer-no-link >"$build.log"
fi
mkdir -p "$build/findings" "$build/corpus"
# Without it what UBSan sees is printed, and passes.
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for target in $targets; do
        ninja -C "$build" "tests/fuzz/fuzz-$target" >/dev/null
done

# Seconds of CPU time that the process has had; fails if it has ended.
cpu_seconds() {
        local fields

        # The name in parentheses may hold anything, hence what is behind it.
        fields=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || return 1
        # shellcheck disable=SC2086 # a list of numbers
        set -- $fields
        [ "$1" != Z ] || return 1
        echo $(((${12} + ${13}) / $(getconf CLK_TCK)))
}

fuzz() {
        local target=$1 corpus=$build/corpus/$1 log=$build/fuzz-$1.log pid seconds

        mkdir -p "$corpus"
        "$build/tests/fuzz/fuzz-$target" -rss_limit_mb=4096 -timeout=20 -print_final_stats=1 \
                -dict=tests/fuzz/mbus.dict -artifact_prefix="$build/findings/$target-" \
                "$corpus" "tests/fuzz/corpus/$target" >"$log" 2>&1 &
        pid=$!
        while seconds=$(cpu_seconds "$pid") && [ "$seconds" -lt $((minutes * 60)) ]; do
                sleep 1
        done
        # At this signal it ends as if it had come to its end.
        kill -USR1 "$pid" 2>/dev/null
        wait "$pid"
}

status=0
running=()
report() { # PID TARGET
        local log=$build/fuzz-$2.log

        if wait "$1"; then
                echo "$2: $(sed -n 's/^stat::number_of_executed_units: //p' "$log") executions," \
                        "$(grep -o 'cov: [0-9]*' "$log" | tail -n 1) edges, no finding"
        else
                echo "$2: FINDING, see $log and $build/findings"
                status=1
        fi
}
for target in $targets; do
        fuzz "$target" &
        running+=("$! $target")
        if [ "${#running[@]}" -ge 2 ]; then
                # shellcheck disable=SC2086 # two words
                report ${running[0]}
                running=("${running[@]:1}")
        fi
done
for one in "${running[@]}"; do
        # shellcheck disable=SC2086
        report $one
done
exit $status
