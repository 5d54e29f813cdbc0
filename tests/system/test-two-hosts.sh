#!/usr/bin/env bash
# Programs on several hosts: what a link-local bus carries from one to the other, and what does not
# leave a host (RFC 3259, 4.1 and 6).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# on_bus HOST STATUS VERB...: mbus-cli with the configuration link.
on_bus() {
        local host=$1 status=$2

        shift 2
        expect_exit_on "$host" "$status" cli -c "$folder/link" -b udp: "$@"
}

# ADR-09 TRN-06 REL-03 AWR-10
test_a_link_local_bus_spans_two_hosts() {
        config link SCOPE=LINKLOCAL
        two_hosts
        start_wire wire b wire
        start_subscriber far b udp: link '(app:far)' -F '%y %p'
        start_monitor monitor b udp: link --hello -F '%s %c'
        expect_match "address" '(app:far id:*@10.1.0.2)' "$(address_of far)"
        on_bus a 0 send -r "$(address_of far)" 'x.y("over there")'
        expect_file "far.out" 'R x.y("over there")'
        expect_list "$(address_of far)" \
                on a "$MBUS_CLI" -c "$folder/link" -b udp: list '(app:far)'
        on_bus a 0 ping -C 1 '(app:far)'
        expect_line monitor.out '^\(app:mbus-cli id:.*@10\.1\.0\.1\) x\.y$'
        expect_line monitor.out '^\(app:mbus-cli id:.*@10\.1\.0\.1\) mbus\.bye$'
        expect_line wire.out "^in 10\.1\.0\.1 [0-9]+ 239\.255\.255\.247 47000 1 .*$(hex 'x.y("over there")')"
        expect_no_line wire.out ' 239\.255\.255\.247 47000 ([02-9]|1[0-9]) '
        start near a "$MBUS_CLI" -c "$folder/link" -b udp: monitor -C 1 -F '%s %p'
        expect_line near.err '^monitoring '
        on_bus b 0 send '(app:whoever)' 'x.back(1)'
        expect_end 0 near
        expect_match "near" '(app:mbus-cli id:*@10.1.0.2) x.back(1)' "$(cat "$folder/near.out")"
}

# TRN-06 TRN-07 TRN-08
test_a_host_local_bus_stays_on_its_host() {
        local name

        config four
        config six IPVERSION=6
        config cast ADDRESS=BROADCAST
        config old DIALECT=UCL
        config fence SCOPE=LINKLOCAL PORT=5000
        two_hosts
        on a ip route add default dev wire
        on a ip -6 route add local ff00::/8 dev lo table local
        start_wire wire b wire
        for name in four six cast old; do
                start_subscriber "here-$name" a udp: "$name" '(app:x)' -C 1 -F %p
                expect_exit_on a 0 cli -c "$folder/$name" -b udp: send '(app:x)' "x.y(\"$name\")"
                expect_end 0 "here-$name"
        done
        # What is sent later over the cable arrives; what was sent before did not.
        expect_exit_on a 0 cli -c "$folder/fence" -b udp: send '(app:x)' 'fence()'
        expect_line wire.out "$(hex 'fence()')\$"
        expect_no_line wire.out ' 47000 '
}

# SEC-01
test_a_wrong_key_is_counted_and_nothing_else() {
        config link SCOPE=LINKLOCAL
        config other SCOPE=LINKLOCAL 'HASHKEY=(HMAC-SHA1-96,//////////////////////////8=)'
        two_hosts
        start_subscriber right b udp: link '(app:x)' -F %p
        start_subscriber wrong b udp: other '(app:x)' -F %p
        start_monitor monitor b udp: link -F '%p'
        start_monitor stranger b udp: other -F '%p'
        on_bus a 0 send '(app:x)' 'x.right()'
        expect_exit_on a 0 cli -c "$folder/other" -b udp: send '(app:x)' 'x.wrong()'
        expect_line right.out '^x\.right\(\)$'
        expect_line wrong.out '^x\.wrong\(\)$'
        expect_exit_on a 3 cli -c "$folder/other" -b udp: send -r -W 1.1 "$(address_of right)" 'x.y()'
        on_bus a 0 send '(app:x)' 'x.last()'
        expect_line right.out '^x\.last\(\)$'
        expect "right" 'x.right() x.last()' "$(xargs <"$folder/right.out")"
        expect "wrong" 'x.wrong()' "$(xargs <"$folder/wrong.out")"
        signal monitor INT
        signal stranger INT
        expect_end 130 monitor
        expect_end 130 stranger
        expect_no_line monitor.out 'wrong'
        expect_no_line stranger.out 'right|last'
        expect_line monitor.err '^[0-9]+ messages, [0-9]+ printed, [1-9][0-9]* dropped \(digest\)$'
        expect_line stranger.err '^[0-9]+ messages, [0-9]+ printed, [1-9][0-9]* dropped \(digest\)$'
}

# attach HOST ADDRESS: a subscriber behind the broker of its host.
attach() {
        start_subscriber "s$1" "$1" "unix:$folder/broker-$1.sock" link "$2" -F '%y %p'
}

# AWR-07 REL-03
test_clients_of_two_brokers_see_each_other() {
        local host

        config link SCOPE=LINKLOCAL
        two_hosts
        for host in a b; do
                start_broker "broker-$host" "$host" link
                attach "$host" "(app:x host:$host)"
        done
        for host in a b; do
                expect_list "$(printf '%s\n' "$(address_of sa)" "$(address_of sb)")" \
                        "$MBUS_CLI" -b "unix:$folder/broker-$host.sock" list '(app:x)'
        done
        expect_exit 0 cli -b "unix:$folder/broker-a.sock" send -r '(host:b)' 'x.to_b()'
        expect_exit 0 cli -b "unix:$folder/broker-b.sock" send -r '(host:a)' 'x.to_a()'
        expect_exit 4 cli -b "unix:$folder/broker-b.sock" send -r '(app:x)' 'x.no()'
        expect_exit 0 cli -b "unix:$folder/broker-a.sock" send '(app:x)' 'x.all()'
        for host in a b; do
                expect_line "s$host.out" '^U x\.all\(\)$'
                expect_count "s$host.out" . 2
                expect_line "s$host.out" "^R x\.to_$host\(\)\$"
        done
        die sb
        expect_list "" "$MBUS_CLI" -b "unix:$folder/broker-a.sock" list '(host:b)'
        expect_exit 3 cli -b "unix:$folder/broker-a.sock" send -r '(host:b)' 'x.no()'
}

# ADR-09 TRN-07
test_ipv6_needs_no_route_between_hosts() {
        config link SCOPE=LINKLOCAL IPVERSION=6
        two_hosts fe80::211:22ff:fe33:4455/64 fe80::a:0:0:b/64
        await_ipv6 a wire
        await_ipv6 b wire
        start_wire wire b wire
        start_subscriber far b udp: link '(app:far)' -F '%y %p'
        expect_match "address" '(app:far id:*@a:0:0:b)' "$(address_of far)"
        on_bus a 0 send -r '(app:far)' 'x.y(6)'
        expect_file "far.out" 'R x.y(6)'
        expect_line wire.out "^in fe80::211:22ff:fe33:4455 [0-9]+ ff02::300 47000 1 .*$(hex 'x.y(6)')"
}

# TRN-08
test_broadcast_reaches_the_other_host() {
        config link SCOPE=LINKLOCAL ADDRESS=BROADCAST
        two_hosts
        start_wire wire b wire
        start_subscriber far b udp: link '(app:far)' -F '%y %p'
        on_bus a 0 send -r '(app:far)' 'x.y()'
        expect_file "far.out" 'R x.y()'
        expect_line wire.out "^in 10\.1\.0\.1 [0-9]+ 255\.255\.255\.255 47000 1 .*$(hex 'x.y()')"
        expect_no_line wire.out '239\.255'
}

# Hosts a, b, c with 10.1.0.1 to 3 on a bridge.
three_hosts() {
        local host n=0

        new_host bridge
        on bridge ip link add name bridge0 type bridge mcast_snooping 0
        on bridge ip link set bridge0 up
        for host in a b c; do
                new_host "$host"
                cable "$host" wire bridge "to-$host"
                on bridge ip link set "to-$host" master bridge0 up
                plug "$host" wire "10.1.0.$((n += 1))/24"
        done
        for host in a b c; do
                await_link "$host" wire
                until_ok forwards "to-$host" || fail "bridge" "forwarding" "$(on bridge bridge link)"
        done
}

forwards() {
        on bridge bridge link show dev "$1" | grep -q 'state forwarding'
}

# MSG-09 ADR-06 AWR-01
test_three_hosts_on_a_bridge_know_each_other() {
        local host

        config link SCOPE=LINKLOCAL
        three_hosts
        for host in a b c; do
                start_subscriber "s$host" "$host" udp: link "(app:x host:$host)" -F '%y %p'
        done
        for host in a b c; do
                expect_list "$(printf '%s\n' "$(address_of sa)" "$(address_of sb)" \
                        "$(address_of sc)")" \
                        on "$host" "$MBUS_CLI" -c "$folder/link" -b udp: list '(app:x)'
        done
        on_bus b 0 send '(app:x)' 'x.all()'
        on_bus a 0 send -r "$(address_of sc)" 'x.one()'
        for host in a b c; do
                expect_line "s$host.out" '^U x\.all\(\)$'
        done
        expect_line sc.out '^R x\.one\(\)$'
        on_bus b 0 send '(app:x)' 'x.last()'
        for host in a b; do
                expect_line "s$host.out" '^U x\.last\(\)$'
                expect_no_line "s$host.out" 'one'
        done
}

test_a_bus_survives_an_interface_that_goes_down() {
        config link SCOPE=LINKLOCAL
        two_hosts
        start_subscriber far b udp: link '(app:far)' -F '%y %p'
        start_subscriber near a udp: link '(app:near)' -F '%y %p'
        on_bus a 0 send '(app:far)' 'x.before()'
        expect_line far.out '^U x\.before\(\)$'
        on b ip link set wire down
        on_bus b 0 list -W 0.1
        on b ip link set wire up
        await_link a wire
        await_link b wire
        on_bus a 0 send -r "$(address_of far)" 'x.after()'
        expect_line far.out '^R x\.after\(\)$'
        on_bus b 0 send -r "$(address_of near)" 'x.back()'
        expect_line near.out '^R x\.back\(\)$'
        # The address stays the same, since others know it.
        expect_count far.err '^ready ' 1
        # The cable is another one now.
        on b ip link del wire
        cable a wire b wire
        plug a wire 10.1.0.1/24
        plug b wire 10.1.0.2/24
        await_link a wire
        await_link b wire
        on_bus a 0 send -r "$(address_of far)" 'x.anew()'
        expect_line far.out '^R x\.anew\(\)$'
        expect_count far.err '^ready ' 1
}

# TRN-01 TRN-02 TRN-03 TRN-10
test_unicast_is_used_when_asked_for() {
        config link SCOPE=LINKLOCAL SEND_UNICAST=yes
        config plain SCOPE=LINKLOCAL
        two_hosts
        start_wire wire b wire
        start_subscriber far b udp: link '(app:far)' -F '%y %p'
        on_bus a 0 send -r "$(address_of far)" 'x.directed()'
        expect_line far.out '^R x\.directed\(\)$'
        on_bus a 0 send '(app:far)' 'x.group()'
        expect_line far.out '^U x\.group\(\)$'
        expect_exit_on a 0 cli -c "$folder/plain" -b udp: send -r "$(address_of far)" 'x.plain()'
        expect_line far.out '^R x\.plain\(\)$'
        expect_line wire.out "^in 10\.1\.0\.1 [0-9]+ 10\.1\.0\.2 [0-9]+ 1 .*$(hex 'x.directed()')"
        expect_no_line wire.out " 239.* .*$(hex 'x.directed()')"
        expect_line wire.out " 239\.255\.255\.247 47000 1 .*$(hex 'x.group()')"
        expect_line wire.out " 239\.255\.255\.247 47000 1 .*$(hex 'x.plain()')"
        # Nothing is sent to the port of the group by unicast, nor from it.
        expect_no_line wire.out ' 10\.1\.0\.[12] 47000 '
}

# More news of interfaces than the kernel keeps for a program, while that does not run.
lose_news() {
        local host=$1 name=$2 i

        signal "$name" STOP
        for i in {1..250}; do
                printf 'address add 10.9.9.%d/32 dev lo\naddress del 10.9.9.%d/32 dev lo\n' "$i" "$i"
        done >"$folder/news"
        for i in 1 2 3 4; do
                on "$host" ip -batch "$folder/news" || fail "ip -batch" done "it failed"
        done
        on "$host" awk -v pid="${pid_of[$name]}" '$3 == pid && $9 > 0 { lost = 1 } END { exit !lost }' \
                /proc/net/netlink || fail "news" "some are lost" "$(on "$host" cat /proc/net/netlink)"
        signal "$name" CONT
}

test_a_broker_that_missed_news_of_interfaces_still_hears_of_the_next() {
        two_hosts
        config c SCOPE=LINKLOCAL
        start_broker m a c
        start_subscriber s b udp: c '(app:s)'
        expect_exit_on a 0 cli -b "unix:$folder/m.sock" send '(app:s)' 'x.y(1)'
        expect_line s.out 'x\.y\(1\)'
        lose_news a m
        expect_exit_on a 0 cli -b "unix:$folder/m.sock" list
        on a ip link delete wire
        cable a wire b wire
        plug a wire 10.1.0.1/24
        plug b wire 10.1.0.2/24
        await_link a wire
        await_link b wire
        expect_exit_on a 0 cli -b "unix:$folder/m.sock" send '(app:s)' 'x.y(2)'
        expect_line s.out 'x\.y\(2\)'
}

main "$@"
