#!/usr/bin/env bash
# Where programs look for a broker when nobody says where it is: the user's own, the system's, none. The
# system's place is /run/mbus, so all of this happens on a /run of its own.
if [ -z "${USUAL_BROKER_APART:-}" ]; then
        exec env USUAL_BROKER_APART=yes "$MBUS_APART" bash "$0" "$@"
fi
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# A broker of the system, which lets others connect if the mode does.
start_system_broker() {
        local mode=$1

        mount -t tmpfs -o mode=755 tmpfs /run || fail "/run" "an empty one" "none"
        mkdir -m 755 /run/mbus
        config system "[broker]" "SOCKET_MODE=$mode" "MULTICAST=never" "[policy]" "allow user=* all"
        start system here "$MBUS_BROKER" -c "$folder/system" --socket /run/mbus/broker.sock \
                --foreground
        expect_line system.err ': ready on '
        mkdir -m 700 "$folder/stranger"
        chown 65533 "$folder/stranger"
        chmod 711 "$folder"
}

# expect_as_stranger STATUS ARGUMENT...: mbus-cli of a user who has logged in.
expect_as_stranger() {
        local status=$1

        shift
        expect_exit "$status" setpriv --reuid 65533 --regid 65533 --clear-groups env \
                HOME="$folder/stranger" XDG_RUNTIME_DIR="$folder/stranger" "$MBUS_CLI" "$@"
}

test_a_user_without_a_broker_finds_that_of_the_system() {
        can_be_a_stranger || return 0
        start_system_broker 0666
        start_subscriber x here unix:/run/mbus/broker.sock system '(app:x)'
        expect_as_stranger 0 list '(app:x)'
        expect "the list" "$(address_of x)" "$(cut -f1 "$folder/out")"
        expect_err ''
        expect_as_stranger 0 send -r '(app:x)' 'x.y()'
        expect_as_stranger 0 -b unix: list '(app:x)'
        [ ! -e "$folder/stranger/.mbus" ] || fail ".mbus" "none" "it was made"
}

test_the_users_own_broker_comes_first() {
        can_be_a_stranger || return 0
        start_system_broker 0666
        mkdir -m 700 "$folder/stranger/mbus"
        chown 65533 "$folder/stranger/mbus"
        cp "$folder/system" "$folder/stranger/.mbus"
        chown 65533 "$folder/stranger/.mbus"
        start own here setpriv --reuid 65533 --regid 65533 --clear-groups env \
                HOME="$folder/stranger" XDG_RUNTIME_DIR="$folder/stranger" "$MBUS_BROKER" --foreground
        expect_line own.err ': ready on '
        expect_as_stranger 0 status
        expect_line out "^socket[ 	]+$folder/stranger/mbus/broker\.sock"
        stop own
        # Nobody listens there any more.
        expect_as_stranger 7 status
        expect_err_match 'mbus-cli: the broker does not tell: denied: only the owner of the broker, its own user or root, may ask for this, whatever *'
}

test_a_broker_that_is_not_for_the_user_is_remarked_and_no_hindrance() {
        can_be_a_stranger || return 0
        start_system_broker 0600
        cp "$folder/system" "$folder/stranger/.mbus"
        chown 65533 "$folder/stranger/.mbus"
        expect_as_stranger 0 list
        expect_err 'mbus-cli: broker at /run/mbus/broker.sock: Permission denied: the broker is not for this user'
        expect_as_stranger 9 -b unix: list
        expect_err 'mbus-cli: broker at /run/mbus/broker.sock: Permission denied: the broker is not for this user'
}

test_without_any_broker_both_places_are_named() {
        mount -t tmpfs -o mode=755 tmpfs /run || fail "/run" "an empty one" "none"
        if [ "$(id -u)" = 0 ]; then
                expect_exit 9 cli -b unix: list
                expect_err 'mbus-cli: no broker at /run/mbus/broker.sock: start mbus-broker, or use udp:'
        fi
        can_be_a_stranger || return 0
        mkdir -m 700 "$folder/stranger"
        chown 65533 "$folder/stranger"
        chmod 711 "$folder"
        expect_as_stranger 9 -b unix: list
        expect_err "mbus-cli: no broker at $folder/stranger/mbus/broker.sock or /run/mbus/broker.sock: start mbus-broker, or use udp:"
}

# as_stranger_in DIRECTORY COMMAND...: a user whose XDG_RUNTIME_DIR is DIRECTORY, as after su.
as_stranger_in() {
        local runtime=$1

        shift
        setpriv --reuid 65533 --regid 65533 --clear-groups env HOME="$folder/stranger" \
                XDG_RUNTIME_DIR="$runtime" "$@"
}

# expect_passed_over DIRECTORY WHY: the system's broker is found all the same, and nothing in DIRECTORY.
expect_passed_over() {
        expect_exit 0 bash -c 'as_stranger_in "$@"' - "$1" "$MBUS_CLI" list
        expect_err "mbus-cli: XDG_RUNTIME_DIR=$1: $2: no broker is looked for there"
        expect_exit 9 bash -c 'as_stranger_in "$@"' - "$1" "$MBUS_BROKER" --foreground
        expect_err "mbus-broker: XDG_RUNTIME_DIR=$1: $2; set it to a directory that only this user can write, or name a socket with --socket"
}

test_a_runtime_directory_that_is_not_the_users_own_is_passed_over() {
        can_be_a_stranger || return 0
        export -f as_stranger_in
        export folder
        start_system_broker 0666
        # Somebody else's, with a broker of his.
        mkdir -m 755 "$folder/theirs" "$folder/theirs/mbus"
        chown -R 65532 "$folder/theirs"
        start theirs here python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
print("listening", flush=True)
time.sleep(60)' "$folder/theirs/mbus/broker.sock"
        expect_line theirs.out '^listening'
        chmod 666 "$folder/theirs/mbus/broker.sock"
        expect_passed_over "$folder/theirs" 'it belongs to uid 65532, and not to this user (65533)'
        expect_passed_over "$folder/nowhere" 'No such file or directory'
        expect_passed_over "run/user" 'it is not an absolute path'
        touch "$folder/file"
        expect_passed_over "$folder/file" 'Not a directory'
        mkdir "$folder/open"
        chown 65533 "$folder/open"
        chmod 777 "$folder/open"
        expect_passed_over "$folder/open" 'others can write it'
        # Nothing is said where it is not set.
        expect_exit 0 bash -c 'as_stranger_in "$@"' - "" "$MBUS_CLI" list
        expect_err ''
        # If there is no broker either, the reason is part of what is said.
        stop system
        expect_exit 9 bash -c 'as_stranger_in "$@"' - "$folder/theirs" "$MBUS_CLI" -b unix: list
        expect_err "mbus-cli: no broker at /run/mbus/broker.sock (XDG_RUNTIME_DIR=$folder/theirs: it belongs to uid 65532, and not to this user (65533)): start mbus-broker, or use udp:"
}

main "$@"
