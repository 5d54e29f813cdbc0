#!/usr/bin/env bash
# Kernels that lack something, as sandboxes (seccomp) and user-mode emulators do: what a bus can do without
# is not demanded, and what it cannot is named (spec/environment.md).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

: "${REFUSE:?the path of refuse}"

in_folder() {
        cd "$folder" || exit 1
        "$REFUSE" getrandom=ENOSYS -- true
        [ $? != 77 ] || exit 77
        config bus "$@"
}

# works RULE...: a subscriber, a sender and a broker on one bus, all without it.
works() {
        rm -f sock*
        start sub here "$REFUSE" "$@" -- "$MBUS_CLI" -b udp: -c bus subscribe '(app:a)' -C 2 -F '%p'
        expect_line sub.err '^ready '
        expect_exit 0 "$REFUSE" "$@" -- "$MBUS_CLI" -b udp: -c bus send '(app:a)' 'x.y(1)'
        start daemon here "$REFUSE" "$@" -- "$MBUS_BROKER" -c bus --socket "$folder/sock"
        expect_line daemon.err 'ready on'
        # It has to hear of the other first.
        until_ok "$REFUSE" "$@" -- "$MBUS_CLI" -b "unix:$folder/sock" send -r '(app:a)' 'x.y(2)' \
                2>sent || fail "sending through the broker" "exit 0" "$(cat sent)"
        expect_end 0 sub
        expect_file sub.out 'x.y(1)
x.y(2)'
        signal daemon TERM
        expect_end 0 daemon
}

test_calls_that_are_newer_than_the_others() {
        in_folder
        works recvmmsg=ENOSYS
        works sendmmsg=ENOSYS
        works recvmmsg=ENOSYS sendmmsg=ENOSYS getrandom=ENOSYS
        works prlimit64=EPERM inotify_init1=ENOSYS
}

test_keys_are_made_without_what_makes_them_best() {
        in_folder
        for rules in renameat2=ENOSYS renameat2=EINVAL "renameat2=EPERM linkat=EPERM" \
                "renameat2=EINVAL getrandom=ENOSYS"; do
                rm -f keys
                # shellcheck disable=SC2086 # words
                expect_exit 0 "$REFUSE" $rules -- "$MBUS_CLI" keygen -o keys
                expect "the keys" "600" "$(stat -c %a keys)"
                cp keys before
                # shellcheck disable=SC2086
                expect_exit 8 "$REFUSE" $rules -- "$MBUS_CLI" keygen -o keys
                expect "the keys" "" "$(diff keys before)"
                rm -f keys sock*
                # shellcheck disable=SC2086
                start daemon here "$REFUSE" $rules -- "$MBUS_BROKER" -c keys --socket "$folder/sock"
                expect_line daemon.err 'ready on'
                expect_line daemon.err 'keys: made, with random keys'
                expect "nothing beside it" "keys" "$(ls -d keys*)"
                signal daemon TERM
                expect_end 0 daemon
        done
}

# Several at once, all ways: one wins, and all others use what he made.
test_keys_that_are_made_at_once_are_the_same() {
        local rules i

        in_folder
        for rules in "" "renameat2=EINVAL"; do
                rm -rf keys
                for i in 1 2 3 4 5 6; do
                        # shellcheck disable=SC2086
                        start "k$i" here "$REFUSE" $rules getrandom:9=ENOSYS -- env MBUS="$folder/keys" \
                                "$MBUS_CLI" -b udp: send '(app:a)' 'x.y()'
                done
                for i in 1 2 3 4 5 6; do
                        expect_end 0 "k$i"
                done
                expect "who made them" 1 "$(cat k?.err | grep -c 'made')"
        done
}

# Socket options as numbers: LEVEL:OPTION.
SOL_SOCKET=1 SO_REUSEADDR=2 SO_BROADCAST=6 SO_RCVBUF=8 SO_RCVBUFFORCE=33 SO_RXQ_OVFL=40
SO_ATTACH_FILTER=26 SO_BINDTOIFINDEX=62 SO_MEMINFO=55 SO_PEERGROUPS=59 SO_SNDTIMEO=21
IP=0 IP_TTL=2 IP_MULTICAST_IF=32 IP_MULTICAST_TTL=33 IP_MULTICAST_LOOP=34 IP_ADD_MEMBERSHIP=35
IP_MULTICAST_ALL=49
IPV6=41 IPV6_MULTICAST_LOOP=19 IPV6_V6ONLY=26 IPV6_MULTICAST_ALL=29

# warns TEXT: the tool says it once, so does the broker.
warns() {
        expect "warnings of the tool" 1 "$(grep -c "the system has no .*$1" sub.err)"
        expect "warnings of the broker" 1 "$(grep -c "bus main: the system has no .*$1" daemon.err)"
}

test_options_that_a_bus_can_do_without() {
        local rule

        in_folder
        works "setsockopt:$SOL_SOCKET:$SO_RXQ_OVFL=ENOPROTOOPT"
        warns 'SO_RXQ_OVFL: Protocol not available, so what it loses is not counted'
        works "setsockopt:$IP:$IP_MULTICAST_ALL=ENOPROTOOPT"
        warns 'MULTICAST_ALL: Protocol not available, so other interfaces are heard, too'
        works "setsockopt:$IP:$IP_MULTICAST_LOOP=ENOPROTOOPT"
        warns 'MULTICAST_LOOP: .*, so others on this host may hear nothing'
        works "setsockopt:$SOL_SOCKET:$SO_RCVBUF=EPERM" "setsockopt:$SOL_SOCKET:$SO_RCVBUFFORCE=EPERM"
        warns 'SO_RCVBUF: .*, so bursts are lost sooner'
        for rule in "setsockopt:$SOL_SOCKET:$SO_BROADCAST=EPERM" \
                "setsockopt:$IP:$IP_MULTICAST_IF=ENOPROTOOPT" \
                "setsockopt:$SOL_SOCKET:$SO_ATTACH_FILTER=ENOPROTOOPT" \
                "getsockopt:$SOL_SOCKET:$SO_MEMINFO=ENOPROTOOPT" \
                "getsockopt:$SOL_SOCKET:$SO_PEERGROUPS=ENOPROTOOPT" \
                "setsockopt:$SOL_SOCKET:$SO_SNDTIMEO=ENOPROTOOPT"; do
                works "$rule"
                expect "warnings" "" "$(grep 'the system has no' sub.err daemon.err)"
        done
        # All at once, as an emulator may be.
        works "setsockopt:$SOL_SOCKET:$SO_RXQ_OVFL=ENOPROTOOPT" "setsockopt:$IP:$IP_MULTICAST_ALL=EINVAL" \
                "setsockopt:$SOL_SOCKET:$SO_ATTACH_FILTER=ENOPROTOOPT" recvmmsg=ENOSYS sendmmsg=ENOSYS \
                socket:16=EAFNOSUPPORT
}

test_without_netlink() {
        local error

        in_folder
        for error in EAFNOSUPPORT EPERM EACCES; do
                works "socket:16=$error"
                expect_line sub.err '^mbus-cli: netlink: .*: changes of interfaces are noticed'
                expect_line daemon.err 'bus main: netlink: .*: changes of interfaces are noticed'
        done
        config bus SCOPE=LINKLOCAL
        works socket:16=EAFNOSUPPORT
        config bus INTERFACE=lo
        works socket:16=EAFNOSUPPORT
}

test_over_ipv6() {
        in_folder IPVERSION=6
        ip -6 route add local ff00::/8 dev lo table local
        works "setsockopt:$IPV6:$IPV6_MULTICAST_ALL=ENOPROTOOPT"
        warns 'MULTICAST_ALL: Protocol not available, so other interfaces are heard, too'
        works "setsockopt:$IPV6:$IPV6_V6ONLY=ENOPROTOOPT" "setsockopt:$IPV6:$IPV6_MULTICAST_LOOP=ENOPROTOOPT"
        works socket:16=EAFNOSUPPORT
}

test_broadcasts() {
        in_folder ADDRESS=BROADCAST
        works "setsockopt:$SOL_SOCKET:$SO_BINDTOIFINDEX=ENOPROTOOPT"
        warns 'SO_BINDTOIFINDEX: .*, so broadcasts of the network are heard, too'
        expect_exit 9 "$REFUSE" "setsockopt:$SOL_SOCKET:$SO_BROADCAST=EPERM" -- "$MBUS_CLI" -b udp: \
                -c bus list
        expect_err_match '*SO_BROADCAST for *: Operation not permitted*'
}

# Fatal stays what a bus is made of.
test_what_a_bus_needs_is_named() {
        local rule name

        in_folder
        while read -r rule name; do
                expect_exit 9 "$REFUSE" "$rule" -- "$MBUS_CLI" -b udp: -c bus list
                expect_err_match "*lo: $name for *"
                expect_exit 9 "$REFUSE" "$rule" -- "$MBUS_BROKER" -c bus --socket "$folder/sock"
                expect_err_match "*lo: $name for *"
        done <<END
setsockopt:$IP:$IP_MULTICAST_TTL=ENOPROTOOPT MULTICAST_TTL
setsockopt:$IP:$IP_TTL=ENOPROTOOPT MULTICAST_TTL
setsockopt:$IP:$IP_ADD_MEMBERSHIP=ENOPROTOOPT joining
setsockopt:$SOL_SOCKET:$SO_REUSEADDR=EINVAL SO_REUSEADDR
socket:2=EAFNOSUPPORT socket
END
        config named INTERFACE=lo
        expect_exit 9 "$REFUSE" "setsockopt:$IP:$IP_MULTICAST_IF=ENOPROTOOPT" -- "$MBUS_CLI" -b udp: \
                -c named list
        expect_err_match '*lo: MULTICAST_IF for *: Protocol not available*'
}

main "$@"
