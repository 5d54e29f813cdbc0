#!/usr/bin/env bash
# A bus that is deaf, mute, somewhere else, or among strangers says so: the tool, the broker in its log and
# to its clients, and the status (spec/interfaces.md).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# drop HOST HOOK: a firewall of the host drops what is for the group.
drop() {
        on "$1" nft add table inet f
        on "$1" nft add chain inet f c "{ type filter hook $2 priority 0; }"
        on "$1" nft add rule inet f c ip daddr 239.255.255.247 drop
}

drop_nothing() {
        on "$1" nft delete table inet f
}

# cli_on HOST STATUS VERB...: over the network, with the configuration link.
cli_on() {
        local host=$1 status=$2

        shift 2
        expect_exit_on "$host" "$status" cli -c "$folder/link" -b udp: "$@"
}

refused='wire: the kernel refuses to send to 239\.255\.255\.247:47000: Operation not permitted'

test_what_a_firewall_refuses_is_said_and_is_no_success() {
        config link SCOPE=LINKLOCAL
        two_hosts
        cli_on a 0 send '(app:x)' 'x.y()'
        expect_err ''
        drop a output
        cli_on a 9 send '(app:x)' 'x.y()'
        expect_line err "^mbus-cli: $refused.*nft list ruleset"
        expect_count err "$refused" 1
        cli_on a 9 send -r -W 1.2 '(app:x)' 'x.y()'
        expect_count err "$refused" 1
        cli_on a 9 list -W 0.3
        expect_count err "$refused" 1
        cli_on a 9 ping -W 0.3
        expect_count err "$refused" 1
        cli_on a 27 subscribe -W 1.5 '(app:x)'
        expect_count err "$refused" 1
        drop_nothing a
        cli_on a 0 send '(app:x)' 'x.y()'
        expect_err ''
}

test_a_broker_says_what_its_bus_suffers_to_the_log_and_to_clients() {
        config link SCOPE=LINKLOCAL
        two_hosts
        start_broker b a link
        start_subscriber s a "unix:$folder/b.sock" link '(app:s)'
        expect_exit 0 cli -b "unix:$folder/b.sock" list -v
        expect_line err 'interface wire$'
        expect_exit 0 cli -b "unix:$folder/b.sock" status
        expect_line out '^interface	wire$'
        expect_no_line out '^network	'
        drop a output
        expect_line b.err "bus main: $refused"
        expect_line s.err "^mbus-cli: $refused"
        expect_exit 0 cli -b "unix:$folder/b.sock" list
        expect_line err "^mbus-cli: $refused"
        expect_exit 0 cli -b "unix:$folder/b.sock" status
        expect_line out "^network	$refused"
        expect_line out "^bus main	.*	network $refused"
        expect_exit 0 cli -b "unix:$folder/b.sock" send '(app:s)' 'x.y()'
        expect_line s.out 'x\.y'
        expect_line err "^mbus-cli: $refused"
        drop_nothing a
        expect_line b.err 'bus main: wire: nothing is refused any more'
        expect_line s.err '^mbus-cli: wire: nothing is refused any more'
        expect_count b.err "$refused" 1
}

test_a_broker_to_which_nothing_comes_back_is_deaf() {
        config link SCOPE=LINKLOCAL
        two_hosts
        start_broker b a link
        drop a input
        expect_line b.err 'bus main: wire: nothing comes in, not even what is sent from here'
        expect_exit 0 cli -b "unix:$folder/b.sock" list
        expect_line err '^mbus-cli: wire: nothing comes in'
        drop_nothing a
        expect_line b.err 'bus main: wire: messages come in again'
        expect_count b.err 'nothing comes in' 1
}

has_no_carrier() {
        on "$1" ip link show dev "$2" | grep -q NO-CARRIER
}

test_a_bus_that_moves_says_where_it_is() {
        config link SCOPE=LINKLOCAL
        two_hosts
        cable a other b other
        plug a other 10.2.0.1/24
        plug b other 10.2.0.2/24
        await_link a other
        on a ip route add default via 10.1.0.2 dev wire metric 100
        on a ip route add default via 10.2.0.2 dev other metric 600
        start_broker b a link
        start_monitor monitor a udp: link
        start_subscriber s a "unix:$folder/b.sock" link '(app:s)'
        on b ip link set wire down
        until_ok has_no_carrier a wire || fail "wire" "no carrier" "$(on a ip link)"
        for name in b monitor s; do
                expect_line "$name.err" 'the bus is on other now, it was on wire$'
        done
        expect_exit 0 cli -b "unix:$folder/b.sock" list -v
        expect_line err 'interface other$'
        # A tunnel takes the default route.
        cable a vpn b vpn
        plug a vpn 10.3.0.1/24
        plug b vpn 10.3.0.2/24
        await_link a vpn
        on a ip route add default via 10.3.0.2 dev vpn metric 1
        for name in b monitor s; do
                expect_line "$name.err" 'the bus is on vpn now, it was on other$'
        done
        cli_on a 0 list -v -W 0.1
        expect_line err '^udp:239\.255\.255\.247:47000, interface vpn$'
}

# Of further buses of a broker, too, and by name.
test_an_interface_that_comes_back_with_its_index_carries_every_bus_of_a_broker() {
        local index n

        config link SCOPE=LINKLOCAL INTERFACE=wire
        config far SCOPE=LINKLOCAL
        config far2 SCOPE=LINKLOCAL PORT=47002
        printf '%s\n' '[bus two]' SCOPE=LINKLOCAL INTERFACE=wire PORT=47002 \
                'HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)' 'ENCRYPTIONKEY=(NOENCR,)' \
                >>"$folder/link"
        two_hosts
        start_broker b a link
        index=$(on a ip -o link show dev wire | cut -d: -f1)
        for n in 1 2; do
                on a ip link delete wire
                on a ip link add name wire index "$index" type veth peer name wire \
                        netns "/proc/${host_of[b]}/ns/net"
                plug a wire 10.1.0.1/24
                plug b wire 10.1.0.2/24
                await_link a wire
                await_link b wire
                expect "index" "$index" "$(on a ip -o link show dev wire | cut -d: -f1)"
                start_subscriber "one$n" b udp: far "(app:one n:$n)"
                start_subscriber "two$n" b udp: far2 "(app:two n:$n)"
                expect_list "$(address_of "one$n")" \
                        "$MBUS_CLI" -b "unix:$folder/b.sock" list "(app:one n:$n)"
                until_ok knows "$(address_of "two$n")" || fail "bus two" "$(address_of "two$n")" "$(cat "$folder/out")"
                expect_exit_on b 0 cli -c "$folder/far" -b udp: send -r '(app:mbus-broker)' 'x.y()'
        done
}

knows() {
        "$MBUS_CLI" -b "unix:$folder/b.sock" status -j >"$folder/out" 2>/dev/null
        grep -qF "$1" "$folder/out"
}

hint='messages? with another key (was|were) heard on 239\.255\.255\.247:47000, and none with ours: is it the right configuration\?'

test_only_messages_with_another_key_are_hinted_at() {
        config link SCOPE=LINKLOCAL
        config other SCOPE=LINKLOCAL 'HASHKEY=(HMAC-SHA1-96,//////////////////////////8=)'
        two_hosts
        start_subscriber stranger b udp: other '(app:stranger)'
        cli_on a 0 list
        expect_line err "$hint"
        expect_out ''
        cli_on a 3 send -r -W 1.3 '(app:stranger)' 'x.y()'
        expect_line err "$hint"
        start_subscriber s a udp: link '(app:s)'
        expect_line s.err "$hint"
        start_monitor m a udp: link
        signal m INT
        expect_end 130 m
        start_broker b a link
        # Somebody with our key was heard, so there is nothing to wonder at.
        cli_on a 0 list
        expect_line out '\(app:s '
        expect_no_line err "$hint"
        stop s
        stop b
        start_broker b2 a link
        expect_line b2.err "bus main: wire: [0-9]* $hint"
        expect_exit 0 cli -b "unix:$folder/b2.sock" list
        expect_line err "$hint"
        expect_exit 27 cli -b "unix:$folder/b2.sock" subscribe -W 0.3 '(app:t)'
        expect_line err "$hint"
        start_subscriber friend b udp: link '(app:friend)'
        expect_line b2.err 'bus main: wire: others that are understood are heard now'
        expect_exit 0 cli -b "unix:$folder/b2.sock" list
        expect_err ''
}

test_only_messages_of_old_programs_are_hinted_at() {
        config link SCOPE=LINKLOCAL
        config old SCOPE=LINKLOCAL DIALECT=UCL
        two_hosts
        start_subscriber old b udp: old '(app:old)'
        cli_on a 0 list
        expect_line out '\(app:old '
        expect_line err 'only messages of old programs.*is DIALECT=UCL missing'
        expect_exit_on a 0 cli -c "$folder/old" -b udp: list
        expect_no_line err 'DIALECT'
        start_broker b a link
        expect_line b.err 'bus main: wire: only messages of old programs'
        start_subscriber new b udp: link '(app:new)'
        expect_line b.err 'bus main: wire: others that are understood are heard now'
        cli_on a 0 list
        expect_no_line err 'DIALECT'
}

main "$@"
