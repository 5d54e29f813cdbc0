#!/usr/bin/env bash
#
# Builds everything and runs every test, on a fresh Debian 12 or on a machine that has the packages.
#
#       tests/run.sh             gcc and all tests, clang, sanitizers, valgrind
#       tests/run.sh --quick     gcc and all tests
#       tests/run.sh --all       what tests/run.sh does; then a fresh Debian 12 in which the demo is run
#                                and everything is built, installed and used (tests/fresh.sh --short), and
#                                one of i386 for the tests that need no network (tests/fresh.sh --i386)
#       tests/run.sh --coverage  the tests alone, and an HTML report of the lines of core and io that
#                                they reach
#
# Takes about a quarter of an hour on two cores (--all: half an hour), and ends by itself
# after 50 (--all: 90). It builds in folders of its own, build-..., which it configures anew when they are
# not as it wants them. The last line is "N passed, N failed", and how many tests were skipped if any were;
# the exit status is 0 if nothing failed. A build counts as one test.
#
# What is skipped is said at the end, with its reason. Where something is not installed, that is a failure
# if CI=true or if packages can be installed here (by root, or by sudo); where the system does not grant
# a right, such as to make a network namespace, it is none, unless nothing is left of a suite.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/support/prepare.sh
. tests/support/prepare.sh
# shellcheck source=tests/support/configure.sh
. tests/support/configure.sh

passed=0
failures=()
skips=()
# Steps share the time: what is late is stopped and counts as failed. A busy machine has its time, a test
# that hangs has its own limit.
ends=$((SECONDS + 3000))

ok() {
        passed=$((passed + 1))
}

fail() {
        failures+=("$1")
}

strict() {
        [ "${CI:-}" = true ] || ours_to_set_up
}

# skip KIND WHAT: "skipped" for want of something that can be installed, "denied" for want of a right.
skip() {
        skips+=("$2")
        if [ "$1" = skipped ] && strict; then
                fail "skipped, though it need not be: $2"
        fi
}

finish() {
        if [ "${#skips[@]}" -gt 0 ]; then
                say "Skipped"
                printf '%s\n' "${skips[@]}" | sort | uniq -c
        fi
        if [ "${#failures[@]}" -gt 0 ]; then
                say "Failed"
                printf '%s\n' "${failures[@]}"
        fi
        echo
        if [ "${#skips[@]}" -gt 0 ]; then
                echo "$passed passed, ${#failures[@]} failed, ${#skips[@]} skipped"
        else
                echo "$passed passed, ${#failures[@]} failed"
        fi
        [ "${#failures[@]}" = 0 ]
        exit
}

bounded() {
        local left=$((ends - SECONDS))

        if [ "$left" -lt 1 ]; then
                echo "No time is left for: $*"
                return 124
        fi
        timeout --kill-after=10 "$left" "$@" </dev/null
}

# build NAME DIRECTORY OPTION...: configures if need be, with nothing left out; compiles always.
build() {
        local name=$1 directory=$2

        shift 2
        set -- -Dbroker=enabled -Dmetrics=enabled -Dcli=true -Dtests=enabled -Dcomplete=true "$@"
        say "Building $name in $directory"
        if ! configure "$directory" "$@"; then
                fail "build: $name (meson setup)"
                return 1
        fi
        if ! bounded ninja -C "$directory" -j "$(nproc)" -k 0; then
                fail "build: $name"
                return 1
        fi
        ok
}

# The time-outs of tests are for machines that do nothing else, and for code that is not instrumented.
patient=(--timeout-multiplier 3)
# Many tests wait most of the time.
processes=$((2 * $(nproc)))

# run_tests NAME DIRECTORY LOG "SUITE..." OPTION...: meson test of these suites ("": all), each of which
# must have run.
run_tests() {
        local name=$1 log=$2/meson-logs/$3.json directory=$2 suite line status before=${#failures[@]}
        local suites=() chosen=()

        read -ra suites <<<"$4"
        shift 4
        for suite in "${suites[@]}"; do
                chosen+=(--suite "$suite")
        done
        say "Testing $name"
        rm -f "$log"
        bounded meson test -C "$directory" --no-rebuild --print-errorlogs \
                --num-processes "$processes" "${chosen[@]}" "$@"
        status=$?
        [ "$status" != 124 ] || fail "$name: the time that this run may take is over"
        if [ ! -s "$log" ]; then
                fail "$name: no test ran"
                return
        fi
        while read -r line; do
                case ${line%% *} in
                passed) ok ;;
                skipped | denied) skip "${line%% *}" "$name: ${line#* }" ;;
                *) fail "$name: ${line#* }" ;;
                esac
        done < <(python3 tests/support/read-testlog "$log" "$directory/meson-info/intro-tests.json" \
                tests/support/suites "${suites[@]}" || echo "failed: the log cannot be read")
        if [ "$status" != 0 ] && [ "${#failures[@]}" = "$before" ]; then
                fail "$name: meson test ended with $status"
        fi
}

# covered OPTION...: gcovr of the coverage build.
covered() {
        bounded gcovr --root . --object-directory build-coverage --gcov-ignore-parse-errors "$@"
}

run_plain() {
        if CC=gcc CXX=g++ build "with gcc" build-gcc; then
                run_tests "with gcc" build-gcc testlog "" "${patient[@]}"
        fi
}

run_checked() {
        CC=clang CXX=g++ build "with clang, warnings are errors" build-clang --werror

        export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
        export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1
        if CC=gcc CXX=g++ build "with sanitizers" build-sanitize --werror \
                -Db_sanitize=address,undefined -Db_lundef=false; then
                run_tests "with sanitizers" build-sanitize testlog "unit fuzz links" "${patient[@]}"
        fi

        if [ -e build-gcc/configured ]; then
                run_tests "under valgrind" build-gcc testlog-valgrind unit --setup valgrind
        fi
}

# fresh NAME OPTION: a machine of its own counts as one test.
fresh() {
        local name=$1 status log left=$((ends - SECONDS))

        say "$name: tests/fresh.sh $2"
        log=$(mktemp) || return
        if ! as_root true; then
                echo "tests/fresh.sh takes root" | tee "$log"
                status=77
        elif [ "$left" -lt 1 ]; then
                echo "No time is left" | tee "$log"
                status=124
        else
                # It has a minute to take down what it made.
                as_root timeout --kill-after=60 "$left" tests/fresh.sh "$2" </dev/null 2>&1 | tee "$log"
                status=${PIPESTATUS[0]}
        fi
        case $status in
        0) ok ;;
        # What it needs cannot be installed: a mirror, the rights of root.
        77) skip denied "$name: $(tail -n 1 "$log")" ;;
        *) fail "$name ($status): $(tail -n 1 "$log")" ;;
        esac
        rm -f "$log"
}

run_fresh() {
        # shellcheck disable=SC2154 # tests/support/prepare.sh
        prepare "${needs_fresh[@]}"
        fresh "on a fresh Debian 12" --short
        fresh "on i386" --i386
}

run_coverage() {
        local part

        # Some tests run a program as another user, who has to write its counters, too.
        umask 0
        # Without atomic counters, tests with threads leave negative ones. The simulator would take an
        # hour with them, and reaches hardly anything that the others do not.
        CC=gcc CXX=g++ build "for coverage" build-coverage --buildtype=debug -Db_coverage=true \
                -Dc_args=-fprofile-update=atomic || return
        run_tests "for coverage" build-coverage testlog "unit system oom abi property fuzz model" "${patient[@]}"
        say "Coverage: build-coverage/coverage.html"
        covered --filter libmbus/core/ --filter libmbus/io/ --html-details \
                build-coverage/coverage.html || fail "coverage report"
        for part in core io; do
                echo "libmbus/$part:"
                covered --filter "libmbus/$part/" --print-summary --output /dev/null ||
                        fail "coverage of $part"
        done
}

main() {
        local argument

        mode=full
        for argument in "$@"; do
                case $argument in
                --quick) mode=quick ;;
                --coverage) mode=coverage ;;
                --all)
                        mode=all
                        ends=$((SECONDS + 5400))
                        ;;
                *)
                        sed -n '3,11s/^# \{0,1\}//p' tests/run.sh >&2
                        exit 2
                        ;;
                esac
        done

        needs=("${needs_build[@]}" "${needs_tests[@]}")
        [ "$mode" != coverage ] || needs+=("${needs_coverage[@]}")
        if ! prepare "${needs[@]}"; then
                fail "preparation: packages are missing"
                finish
        fi

        export LC_ALL=C.UTF-8
        # A configuration of whoever runs this is not the tests' business.
        unset MBUS

        case $mode in
        full | all)
                run_plain
                run_checked
                [ "$mode" = full ] || run_fresh
                ;;
        quick) run_plain ;;
        coverage) run_coverage ;;
        esac
        finish
}

# On one line: this file may change while it runs.
main "$@"; exit
