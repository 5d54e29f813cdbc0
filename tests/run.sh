#!/usr/bin/env bash
#
# Builds everything and runs every test, on a fresh Debian 12 or on a machine that has the packages.
#
#       tests/run.sh             gcc and all tests, clang, sanitizers, valgrind
#       tests/run.sh --quick     gcc and all tests
#       tests/run.sh --coverage  the tests alone, and an HTML report of the lines of core and io that
#                                they reach
#
# Takes less than 15 minutes on two cores that have nothing else to do, and ends by itself after 40.
# The last line is "N passed, N failed", and how many tests were skipped if any were; the exit status
# is 0 if nothing failed. A build counts as one test.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/support/prepare.sh
. tests/support/prepare.sh

passed=0
failed=0
skipped=0
failures=()
# Steps share the time: what is late is stopped and counts as failed. A busy machine has its time, a test
# that hangs has its own limit.
ends=$((SECONDS + 2400))

ok() {
        passed=$((passed + 1))
}

fail() {
        failed=$((failed + 1))
        failures+=("$1")
}

finish() {
        if [ "${#failures[@]}" -gt 0 ]; then
                say "Failed"
                printf '%s\n' "${failures[@]}"
        fi
        if [ "$skipped" -gt 0 ]; then
                echo
                echo "$skipped tests were skipped because this machine does not allow them."
                echo "$passed passed, $failed failed, $skipped skipped"
        else
                echo
                echo "$passed passed, $failed failed"
        fi
        [ "$failed" = 0 ]
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

# build NAME DIRECTORY OPTION...: configures once, compiles always.
build() {
        local name=$1 directory=$2

        shift 2
        say "Building $name in $directory"
        if [ ! -e "$directory/build.ninja" ]; then
                rm -rf "$directory"
                bounded meson setup "$directory" "$@" >"$directory.log" 2>&1 || {
                        cat "$directory.log"
                        rm -f "$directory.log"
                        fail "build: $name (meson setup)"
                        return 1
                }
                rm -f "$directory.log"
        fi
        if ! bounded ninja -C "$directory" -j "$(nproc)" -k 0; then
                fail "build: $name"
                return 1
        fi
        ok
}

# The time-outs of tests are for machines that do nothing else, and for code that is not instrumented.
patient=(--timeout-multiplier 3)

# run_tests NAME DIRECTORY LOG OPTION...: meson test, and the sums of its log.
run_tests() {
        local name=$1 log=$2/meson-logs/$3.json directory=$2 line status before=$failed

        shift 3
        say "Testing $name"
        rm -f "$log"
        bounded meson test -C "$directory" --no-rebuild --print-errorlogs \
                --num-processes "$(nproc)" "$@"
        status=$?
        if [ ! -s "$log" ]; then
                fail "tests: $name left no log"
                return
        fi
        while read -r line; do
                case ${line%% *} in
                passed) ok ;;
                skipped) skipped=$((skipped + 1)) && echo "skipped: ${line#* }" ;;
                *) fail "$name: ${line#* }" ;;
                esac
        done < <(python3 tests/support/read-testlog "$log")
        if [ "$status" != 0 ] && [ "$failed" = "$before" ]; then
                fail "tests: $name did not finish (status $status)"
        fi
}

# covered OPTION...: gcovr of the coverage build.
covered() {
        bounded gcovr --root . --object-directory build-coverage --gcov-ignore-parse-errors "$@"
}

mode=full
for argument in "$@"; do
        case $argument in
        --quick) mode=quick ;;
        --coverage) mode=coverage ;;
        *)
                sed -n '3,8s/^# \{0,1\}//p' tests/run.sh >&2
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

run_plain() {
        if CC=gcc build "with gcc" build; then
                run_tests "with gcc" build testlog "${patient[@]}"
        fi
}

run_checked() {
        CC=clang build "with clang, warnings are errors" build-clang --werror

        export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
        export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1
        if CC=gcc build "with sanitizers" build-sanitize --werror \
                -Db_sanitize=address,undefined -Db_lundef=false; then
                run_tests "with sanitizers" build-sanitize testlog "${patient[@]}" \
                        --suite unit --suite fuzz --suite links
        fi

        if [ -e build/build.ninja ]; then
                run_tests "under valgrind" build testlog-valgrind --setup valgrind --suite unit
        fi
}

run_coverage() {
        local part

        # Some tests run a program as another user, who has to write its counters, too.
        umask 0
        # Without atomic counters, tests with threads leave negative ones. The simulator would take an
        # hour with them, and reaches hardly anything that the others do not.
        CC=gcc build "for coverage" build-coverage --buildtype=debug -Db_coverage=true \
                -Dc_args=-fprofile-update=atomic || return
        run_tests "for coverage" build-coverage testlog "${patient[@]}" --no-suite lint --no-suite sim --no-suite links
        say "Coverage: build-coverage/coverage.html"
        covered --filter libmbus/core/ --filter libmbus/io/ --html-details \
                build-coverage/coverage.html || fail "coverage report"
        for part in core io; do
                echo "libmbus/$part:"
                covered --filter "libmbus/$part/" --print-summary --output /dev/null ||
                        fail "coverage of $part"
        done
}

case $mode in
full)
        run_plain
        run_checked
        ;;
quick) run_plain ;;
coverage) run_coverage ;;
esac
finish
