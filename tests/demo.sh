#!/usr/bin/env bash
#
# Shows the bus at work, on a fresh Debian 12 or on a machine that has the packages: builds, makes
# keys, starts a broker and two listeners, one at the broker and one directly on the network, sends,
# and prints what arrived.
#
# All of it happens in a network namespace where that is possible, else on the loopback interface,
# which the scope of its bus cannot leave. Nothing is written outside the build folder and a
# temporary one. Ends by itself; the exit status is 0 if everything arrived.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/support/prepare.sh
. tests/support/prepare.sh
# shellcheck source=tests/support/configure.sh
. tests/support/configure.sh

cli=$PWD/build-demo/cli/mbus-cli
broker=$PWD/build-demo/broker/mbus-broker
folder=
pids=()

die() {
        echo "demo: $*" >&2
        exit 1
}

# Prints a command as one would type it.
title() {
        local word

        printf '\n$'
        for word in "$@"; do
                word=${word/#$cli/mbus-cli}
                word=${word/#$broker/mbus-broker}
                word=${word//$folder/DIR}
                case $word in
                "&") printf ' &' ;;
                *[!A-Za-z0-9_./:=-]*) printf " '%s'" "$word" ;;
                *) printf ' %s' "$word" ;;
                esac
        done
        echo
}

show() {
        title "$@"
        timeout 20 "$@" </dev/null
}

# background NAME COMMAND...: with its output in files of that name.
background() {
        local name=$1

        shift
        title "$@" "&"
        "$@" >"$folder/$name.out" 2>"$folder/$name.err" </dev/null &
        pids+=("$!")
}

clean_up() {
        local pid

        for pid in "${pids[@]}"; do
                kill "$pid" 2>/dev/null
        done
        wait
        rm -rf "$folder"
}

# Tries a command for up to ten seconds.
until_ok() {
        local i

        for ((i = 0; i < 100; i++)); do
                "$@" && return 0
                sleep 0.1
        done
        return 1
}

build() {
        local needs=("${needs_build[@]}" "iproute2 ip")

        prepare "${needs[@]}" || exit 1
        say "Building in build-demo"
        CC=${CC:-gcc} configure build-demo -Dbroker=enabled -Dcli=true -Dtests=disabled \
                -Dmetrics=disabled || die "meson setup failed"
        ninja -C build-demo cli/mbus-cli broker/mbus-broker </dev/null || die "the build failed"
}

knows_recorder() {
        timeout 5 "$cli" -b "unix:$folder/sock" list </dev/null 2>/dev/null | grep -q recorder
}

# arrived NAME TEXT...: prints what a listener printed, and looks for the texts in it.
arrived() {
        local name=$1 text

        shift
        printf '\nArrived at %s:\n' "$name"
        sed 's/^/    /' "$folder/$name.out"
        for text in "$@"; do
                grep -qF "$text" "$folder/$name.out" || die "$text did not arrive at $name"
        done
}

start_all() {
        show "$cli" keygen -o "$folder/bus" --scope hostlocal || die "no keys"
        background broker "$broker" -c "$folder/bus" --socket "$folder/sock" --foreground
        until_ok test -S "$folder/sock" || die "no broker: $(cat "$folder/broker.err")"

        echo
        echo "A listener at the broker, and one directly on the network:"
        background engine "$cli" -b "unix:$folder/sock" subscribe -C 2 -W 30 \
                '(app:demo module:engine)'
        background recorder "$cli" -b udp: -c "$folder/bus" subscribe -C 2 -W 30 \
                '(app:demo module:recorder)'
        until_ok grep -qs ready "$folder/engine.err" || die "$(cat "$folder/engine.err")"
        until_ok grep -qs ready "$folder/recorder.err" || die "$(cat "$folder/recorder.err")"
        until_ok knows_recorder || die "the broker did not hear the recorder"
}

demo() {
        folder=$(mktemp -d) || exit 1
        trap clean_up EXIT
        trap 'exit 130' INT TERM
        # The bus of whoever runs this is not the demo's business.
        unset MBUS
        export HOME=$folder XDG_RUNTIME_DIR=$folder

        exec 2>&1
        say "The demo; DIR is a temporary folder"
        start_all
        show "$cli" -b "unix:$folder/sock" list || die "no list"

        echo
        echo "To all of app:demo, unreliably; then reliably to each, one message with two commands:"
        show "$cli" -b "unix:$folder/sock" send '(app:demo)' 'demo.greet("hello, all" 1)' ||
                die "the message could not be sent"
        show "$cli" -b "unix:$folder/sock" send -r '(app:demo module:engine)' 'demo.gain(70)' \
                'demo.mute(0)' || die "the reliable message was not acknowledged"
        show "$cli" -b "unix:$folder/sock" send -r '(app:demo module:recorder)' \
                'demo.record("take 1" (3.5 <AAEC>))' || die "the reliable message was not acknowledged"

        wait "${pids[1]}" || die "the listener at the broker missed something"
        wait "${pids[2]}" || die "the listener on the network missed something"
        arrived engine 'demo.greet("hello, all" 1)' 'demo.gain(70)' 'demo.mute(0)'
        arrived recorder 'demo.greet("hello, all" 1)' 'demo.record("take 1" (3.5 <AAEC>))'
        say "Everything arrived"
}

case ${1-} in
--inside) demo ;;
"")
        build
        if tests/system/in-namespace true 2>/dev/null; then
                exec tests/system/in-namespace bash tests/demo.sh --inside
        fi
        echo "No network namespace can be made here; the demo stays on the loopback interface."
        demo
        ;;
*) die "usage: tests/demo.sh" ;;
esac
