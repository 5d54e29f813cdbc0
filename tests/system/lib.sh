# shellcheck shell=bash
# What the system tests in shell share: programs in the background, waiting for what they print,
# hosts with cables between them, and checks. To be sourced by a script that defines functions
# test_... and ends in `main`, run by tests/system/in-namespace with $MBUS_CLI and $MBUS_BROKER.
#
# Invariants: nothing waits longer than $PATIENCE; a test leaves no process behind, because all that
# it started are killed by their ids; the first check that fails ends the script, after saying what
# was expected and what came.
set -u

: "${MBUS_CLI:?the path of mbus-cli}" "${MBUS_BROKER:?the path of mbus-broker}"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Seconds until what should happen counts as not happening; generous, for slow machines.
PATIENCE=20

# The bus of whoever runs this is not the tests' business.
unset MBUS
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

n_checks=0
folder=           # of the running test
declare -A pid_of # of a program in the background, by its name
declare -A host_of # the process that holds a host's network namespace

# ---- checks ----------------------------------------------------------------------------------

# fail WHAT EXPECTED GOT
fail() {
        printf '%s: %s\nexpected: %s\ngot:      %s\n' "${FUNCNAME[*]:1}" "$1" "$2" "$3" >&2
        head -v -n 40 "$folder"/*.out "$folder"/*.err "$folder"/out "$folder"/err >&2 2>/dev/null
        exit 1
}

passed() {
        n_checks=$((n_checks + 1))
}

# expect WHAT EXPECTED GOT: two texts are the same.
expect() {
        [ "$2" = "$3" ] || fail "$1" "$2" "$3"
        passed
}

# expect_match WHAT PATTERN GOT: a text matches a pattern of the shell.
expect_match() {
        # shellcheck disable=SC2053 # it is a pattern
        [[ $3 == $2 ]] || fail "$1" "$2" "$3"
        passed
}

# expect_exit STATUS COMMAND...: its output is in $folder/out and $folder/err then. The command "cli"
# is mbus-cli.
expect_exit() {
        expect_exit_on here "$@"
}

# expect_exit_on HOST STATUS COMMAND...
expect_exit_on() {
        local want=$2 got enter=()

        [ "$1" = here ] || enter=(nsenter --net="/proc/${host_of[$1]}/ns/net" --)
        shift 2
        [ "$1" != cli ] || set -- "$MBUS_CLI" "${@:2}"
        timeout --kill-after=1 "$PATIENCE" "${enter[@]}" "$@" >"$folder/out" 2>"$folder/err" \
                </dev/null
        got=$?
        [ "$got" = "$want" ] || fail "exit status of $*" "$want" "$got"
        passed
}

expect_out() {
        expect "standard output" "$1" "$(cat "$folder/out")"
}

expect_err() {
        expect "standard error" "$1" "$(cat "$folder/err")"
}

expect_err_match() {
        expect_match "standard error" "$1" "$(cat "$folder/err")"
}

AS_STRANGER=(setpriv --reuid 65533 --regid 65533 --clear-groups --)

# Other users cannot reach what was built in somebody's home, so they get programs of their own.
lend_programs() {
        local lent=$TMPDIR/lent

        "${AS_STRANGER[@]}" test -x "$MBUS_CLI" -a -x "$MBUS_BROKER" && return
        [ -d "$lent" ] || {
                mkdir -m 755 "$lent" && cp -L "$MBUS_CLI" "$MBUS_BROKER" \
                        "$(dirname "$MBUS_CLI")"/../libmbus/libmbus-1.so.0 "$lent"
        } || fail "programs for other users" "copies" "none"
        MBUS_CLI=$lent/$(basename "$MBUS_CLI")
        MBUS_BROKER=$lent/$(basename "$MBUS_BROKER")
        export LD_LIBRARY_PATH=$lent
}

# Whether this can be another user, which takes root. If not, that is said, and the test is over.
can_be_a_stranger() {
        if "${AS_STRANGER[@]}" true 2>/dev/null; then
                lend_programs
                return
        fi
        echo "not allowed: being another user takes root; a user namespace with one number has no other"
        passed
        return 1
}

# until_ok COMMAND...: tries it until it succeeds. False after $PATIENCE.
until_ok() {
        local end=$((SECONDS + PATIENCE))

        until "$@"; do
                [ "$SECONDS" -lt "$end" ] || return 1
                sleep 0.02
        done
}

has_line() {
        grep -qE -- "$2" "$1" 2>/dev/null
}

# expect_line FILE REGEX: waits until a line of a file of this test matches.
expect_line() {
        until_ok has_line "$folder/$1" "$2" || fail "$1" "$2" "$(cat "$folder/$1" 2>&1)"
        passed
}

expect_no_line() {
        has_line "$folder/$1" "$2" && fail "$1" "no line that matches $2" "$(cat "$folder/$1")"
        passed
}

holds() {
        [ "$(cat "$folder/$1")" = "$2" ]
}

# expect_file FILE TEXT: waits until a file of this test holds just this text. What is acknowledged
# is not printed yet.
expect_file() {
        until_ok holds "$1" "$2" || fail "$1" "$2" "$(cat "$folder/$1")"
        passed
}

count_lines() {
        grep -cE -- "$2" "$folder/$1"
}

# expect_count FILE REGEX N: exactly so many lines match by now.
expect_count() {
        local got

        got=$(count_lines "$1" "$2")
        [ "$got" = "$3" ] || fail "lines of $1 that match $2" "$3" "$got: $(cat "$folder/$1")"
        passed
}

has_n_lines() {
        [ "$(count_lines "$1" "$2")" -ge "$3" ]
}

# expect_lines FILE REGEX N: waits until at least so many match.
expect_lines() {
        until_ok has_n_lines "$1" "$2" "$3" ||
                fail "lines of $1 that match $2" "$3" "$(cat "$folder/$1" 2>&1)"
        passed
}

lists() {
        local want=$1

        shift
        [ "$("$@" 2>/dev/null </dev/null | cut -f1)" = "$want" ]
}

# expect_list ADDRESSES COMMAND...: asks until the answer is this: entities answer at random within
# a second, and a slow machine may take longer than the tool waits.
expect_list() {
        until_ok lists "$@" || fail "${*:2}" "$1" "$("${@:2}" 2>&1)"
        passed
}

# ---- hosts -----------------------------------------------------------------------------------

# new_host NAME: a network of its own, in which lo is up. Interfaces have the addresses that a test
# gives them, at once, and no others.
new_host() {
        unshare --net sleep 1000 </dev/null >/dev/null 2>&1 &
        host_of[$1]=$!
        until_ok is_apart "$!" || fail "a new host" "a network of its own" "none"
        on "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/addr_gen_mode &&
                echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad && ip link set lo up' ||
                fail "host $1" "lo is up" "it is not"
}

is_apart() {
        [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# on HOST COMMAND...; the host "here" is that of the script.
on() {
        local host=$1

        shift
        if [ "$host" = here ]; then
                "$@"
        else
                nsenter --net="/proc/${host_of[$host]}/ns/net" -- "$@"
        fi
}

# cable HOST INTERFACE HOST INTERFACE: a veth pair; both ends are down.
cable() {
        on "$1" ip link add name "$2" type veth peer name "$4" netns "${host_of[$3]}" ||
                fail "a cable" "$*" "no such cable"
}

# plug HOST INTERFACE ADDRESS...
plug() {
        local host=$1 interface=$2 address

        shift 2
        for address in "$@"; do
                on "$host" ip address add "$address" dev "$interface" || fail plug "$address" none
        done
        on "$host" ip link set "$interface" up
}

# The kernel starts a link a moment after both ends are up, and drops what is sent before.
link_is_up() {
        on "$1" ip link show dev "$2" | grep -q 'noqueue .*state UP'
}

ipv6_is_ready() {
        on "$1" ip -6 route show table local dev "$2" | grep -q ff00::/8
}

await_link() {
        until_ok link_is_up "$1" "$2" || fail "interface $2 of $1" up "$(on "$1" ip link)"
}

await_ipv6() {
        until_ok ipv6_is_ready "$1" "$2" || fail "IPv6 on $2 of $1" ready "$(on "$1" ip -6 route)"
}

# two_hosts [ADDRESS ADDRESS]: hosts a and b, cable from interface wire to interface wire.
two_hosts() {
        new_host a
        new_host b
        cable a wire b wire
        plug a wire "${1:-10.1.0.1/24}"
        plug b wire "${2:-10.1.0.2/24}"
        await_link a wire
        await_link b wire
}

# ---- programs in the background --------------------------------------------------------------

# start NAME HOST COMMAND...: its output goes to NAME.out and NAME.err, its id is ${pid_of[NAME]}.
start() {
        local name=$1 host=$2

        shift 2
        # What another of this name has written is not to be taken for this one's.
        : >"$folder/$name.out"
        : >"$folder/$name.err"
        if [ "$host" = here ]; then
                "$@" >"$folder/$name.out" 2>"$folder/$name.err" </dev/null &
        else
                nsenter --net="/proc/${host_of[$host]}/ns/net" -- "$@" \
                        >"$folder/$name.out" 2>"$folder/$name.err" </dev/null &
        fi
        pid_of[$name]=$!
}

is_gone() {
        ! kill -0 "$1" 2>/dev/null
}

# expect_end STATUS NAME: waits until a program ends by itself.
expect_end() {
        local pid=${pid_of[$2]} got

        until_ok has_ended "$pid" || fail "$2" "it ends" "it still runs"
        wait "$pid"
        got=$?
        unset "pid_of[$2]"
        [ "$got" = "$1" ] || fail "exit status of $2" "$1" "$got"
        passed
}

# A child that ended is a zombie until it is waited for.
has_ended() {
        is_gone "$1" || [[ $(cat "/proc/$1/stat" 2>/dev/null) == *") Z "* ]]
}

# signal NAME SIGNAL
signal() {
        kill -s "$2" "${pid_of[$1]}"
}

# stop NAME: ends it with SIGTERM and forgets it.
stop() {
        signal "$1" TERM
        wait "${pid_of[$1]}" 2>/dev/null
        unset "pid_of[$1]"
}

# die NAME: ends it as a crash would.
die() {
        signal "$1" KILL
        wait "${pid_of[$1]}" 2>/dev/null
        unset "pid_of[$1]"
}

# ---- the programs of the project -------------------------------------------------------------

# config NAME [LINE...]: a configuration $folder/NAME without encryption, unless LINE has a key.
config() {
        local name=$1 line all

        shift
        all=" $* "
        {
                printf '[MBUS]\nCONFIG_VERSION=1\n'
                [[ $all == *HASHKEY=* ]] ||
                        printf 'HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n'
                [[ $all == *ENCRYPTIONKEY=* ]] || printf 'ENCRYPTIONKEY=(NOENCR,)\n'
                for line in "$@"; do
                        printf '%s\n' "$line"
                done
        } >"$folder/$name"
        chmod 600 "$folder/$name"
}

# start_broker NAME HOST CONFIG [OPTION...]: on socket $folder/NAME.sock.
start_broker() {
        local name=$1 host=$2 config=$3

        shift 3
        start "$name" "$host" "$MBUS_BROKER" -c "$folder/$config" --socket "$folder/$name.sock" \
                --foreground "$@"
        expect_line "$name.err" ': ready on |^ready on '
}

# start_subscriber NAME HOST URL CONFIG ADDRESS [OPTION...]: and waits until it has joined.
start_subscriber() {
        local name=$1 host=$2 url=$3 config=$4 address=$5

        shift 5
        start "$name" "$host" "$MBUS_CLI" -b "$url" -c "$folder/$config" subscribe "$@" "$address"
        expect_line "$name.err" '^ready '
}

# The full address of a subscriber.
address_of() {
        sed -n 's/^ready //p' "$folder/$1.err" | tail -n 1
}

# start_monitor NAME HOST URL CONFIG [OPTION...]
start_monitor() {
        local name=$1 host=$2 url=$3 config=$4

        shift 4
        start "$name" "$host" "$MBUS_CLI" -b "$url" -c "$folder/$config" monitor "$@"
        expect_line "$name.err" '^monitoring '
}

# start_wire NAME HOST INTERFACE: what passes an interface, a line a UDP packet:
# DIRECTION SOURCE PORT DESTINATION PORT TTL HEX
start_wire() {
        start "$1" "$2" python3 "$HERE/datagram.py" capture "$3"
        expect_line "$1.err" '^capturing'
}

# start_listener NAME HOST GROUP PORT: what a program hears that joins where the system says, in the
# same form, the TTL a "-".
start_listener() {
        start "$1" "$2" python3 "$HERE/datagram.py" listen "$3" "$4"
        expect_line "$1.err" '^listening'
}

# send_raw HOST GROUP PORT INTERFACE: datagrams in hexadecimal on standard input.
send_raw() {
        local host=$1

        shift
        on "$host" timeout "$PATIENCE" python3 "$HERE/datagram.py" send "$@" ||
                fail "raw datagrams" sent "not sent"
}

# say HOST INTERFACE CONFIG LINE...: sends a message of these lines to the usual group.
say() {
        local host=$1 interface=$2 config=$3 line text

        shift 3
        text=$1
        for line in "${@:2}"; do
                text+=$'\r\n'$line
        done
        printf %s "$text" | python3 "$HERE/datagram.py" seal "$folder/$config" |
                send_raw "$host" 239.255.255.247 47000 "$interface"
}

# A text in hexadecimal, as it is on the wire.
hex() {
        printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
}

# ---- running ---------------------------------------------------------------------------------

clean_up() {
        local pid

        for pid in "${pid_of[@]}" "${host_of[@]}"; do
                kill -KILL "$pid" 2>/dev/null
        done
        for pid in "${pid_of[@]}" "${host_of[@]}"; do
                wait "$pid" 2>/dev/null
        done
        pid_of=()
        host_of=()
        [ -z "$folder" ] || rm -rf "$folder"
        folder=
}

run_test() {
        local began=$n_checks started=$EPOCHREALTIME

        folder=$(mktemp -d "${TMPDIR:-/tmp}/mbus-test-XXXXXX") || exit 1
        export HOME=$folder XDG_RUNTIME_DIR=$folder
        "$1"
        [ "$n_checks" -gt "$began" ] || fail "$1" "checks" "none"
        clean_up
        echo "ok $1: $((n_checks - began)) checks," \
                "$(((${EPOCHREALTIME/./} - ${started/./}) / 1000)) ms"
}

# The tests of the script, in the order they stand there.
list_tests() {
        sed -n 's/^\(test_[a-z0-9_]*\)() {$/\1/p' "$0"
}

# Runs the tests of the script, or those that are named.
main() {
        local tests test

        trap clean_up EXIT
        trap 'exit 143' TERM INT HUP
        mapfile -t tests < <(list_tests)
        [ $# = 0 ] || tests=("$@")
        for test in "${tests[@]}"; do
                run_test "$test"
        done
        echo "$n_checks checks"
}

# main_at_once N: the same for tests that wait most of the time, N at a time, each in a network of its
# own. The longest should stand first.
main_at_once() {
        local at_once=$1 logs test failed=0

        shift
        if [ $# != 0 ]; then
                main "$@"
                return
        fi
        logs=$(mktemp -d "${TMPDIR:-/tmp}/mbus-test-XXXXXX") || exit 1
        # shellcheck disable=SC2064 # of now
        trap "rm -rf '$logs'" EXIT
        trap 'kill $(jobs -p) 2>/dev/null; exit 143' TERM INT HUP
        for test in $(list_tests); do
                [ "$(jobs -rp | wc -l)" -lt "$at_once" ] || wait -n
                { "$HERE/in-namespace" bash "$0" "$test" >"$logs/$test" 2>&1 &&
                        rm "$logs/$test" && echo "ok $test"; } &
        done
        wait
        for test in "$logs"/*; do
                [ -e "$test" ] || continue
                cat "$test" >&2
                failed=1
        done
        exit "$failed"
}
