#!/usr/bin/env bash
# Several buses in one broker, and several brokers between the same buses: who sees whom, what passes,
# and that it passes once (spec/buses.md).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

KEY='HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)'

# add_bus FILE NAME PORT [LINE...]: one more bus in the configuration of a broker.
add_bus() {
        local file=$1 name=$2 port=$3

        shift 3
        printf '%s\n' "[bus $name]" "$KEY" 'ENCRYPTIONKEY=(NOENCR,)' "PORT=$port" "$@" \
                >>"$folder/$file"
}

# The buses one, two and three, as those see them who are on them, and the broker's view.
buses() {
        config one
        config two PORT=47001 "$@"
        config three PORT=47002
        config b
}

# start_bridge NAME CONFIG BUSES: and waits until it joins so many pairs of them.
start_bridge() {
        start_broker "$1" here "$2"
        expect_lines "$1.err" ' are joined$' "${3:-1}"
}

# start_peer NAME BUS ADDRESS [OPTION...]: somebody on a bus, without a broker.
start_peer() {
        local name=$1 bus=$2 address=$3

        shift 3
        start_subscriber "$name" here udp: "$bus" "$address" -F '%y %t %p' "$@"
}

# expect_verb STATUS BUS VERB...
expect_verb() {
        local status=$1 bus=$2

        shift 2
        expect_exit "$status" cli -b udp: -c "$folder/$bus" "$@"
}

is_listed() {
        "$MBUS_CLI" -b "$1" -c "$folder/$2" list "$3" >/dev/null 2>&1 </dev/null
}

is_not_listed() {
        ! is_listed "$@"
}

# expect_listed URL BUS ADDRESS, expect_not_listed: waits until it is so.
expect_listed() {
        until_ok is_listed "$@" || fail "bus $2" "$3 is there" "it is not"
        passed
}

expect_not_listed() {
        until_ok is_not_listed "$@" || fail "bus $2" "$3 is not there" "it is"
        passed
}

pattern_of() {
        sed 's/[().]/\\&/g' <<<"$(address_of "$1")"
}

BOTH=('ROUTE=to=main' 'ROUTE=from=main')

# Everybody on three buses sees everybody, each message comes once, and who leaves is gone.
expect_ring() {
        start_peer x one '(app:x)'
        start_peer y two '(app:y)'
        start_peer z three '(app:z)'
        for bus in one two three; do
                for name in x y z; do
                        expect_listed udp: "$bus" "$(address_of $name)"
                done
        done
        send_ten three '()' 'to.all'
        expect_verb 0 one send -r '(app:y)' 'last.r(1)'
        expect_verb 0 two send -r '(app:z)' 'last.r(2)'
        expect_verb 0 three send -r '(app:x)' 'last.r(3)'
        for name in x y z; do
                expect_line "$name.out" 'last\.r'
                expect_count "$name.out" 'last\.r' 1
        done
}

expect_all_gone() {
        stop x
        die y
        for bus in one two three; do
                expect_not_listed udp: "$bus" '(app:x)'
                expect_not_listed udp: "$bus" '(app:y)'
                expect_listed udp: "$bus" '(app:z)'
        done
}

test_three_buses_in_a_ring_of_one_broker() {
        buses
        add_bus b two 47001 "${BOTH[@]}"
        add_bus b three 47002 "${BOTH[@]}" 'ROUTE=to=two' 'ROUTE=from=two'
        start_bridge b b 3
        expect_ring
        for name in x y z; do
                expect_count "$name.out" 'to\.all' 10
        done
        expect_all_gone
}

test_three_buses_in_a_ring_of_three_brokers() {
        buses
        add_bus b two 47001 "${BOTH[@]}"
        config c
        add_bus c three 47002 "${BOTH[@]}"
        config d PORT=47001
        add_bus d three 47002 "${BOTH[@]}"
        start_bridge b b
        start_bridge c c
        start_bridge d d
        # Somebody who stays: strangers are seen elsewhere a moment later only.
        start_peer s three '(app:s)'
        expect_listed udp: one "$(address_of s)"
        expect_listed udp: two "$(address_of s)"
        expect_ring
        expect_all_gone
}

# What stands for somebody of another bus gives way to whoever is here itself.
test_a_client_gets_the_address_that_a_proxy_has() {
        local address='(app:y id:700-1@10.9.9.9)'

        buses
        add_bus b two 47001 "${BOTH[@]}"
        start_bridge b b
        start_peer y two "$address"
        expect_listed "unix:$folder/b.sock" b "$address"
        start_subscriber z here "unix:$folder/b.sock" b "$address" -F '%y %t %p'
        expect_verb 0 one send -r "$address" 'to.it(1)'
        expect_line z.out 'to\.it'
        expect_count y.out 'to\.it' 0
        expect_verb 0 two send -r "$address" 'to.other(1)'
        expect_line y.out 'to\.other'
        expect_count z.out 'to\.other' 0
}

test_entities_of_each_bus_are_seen_on_the_other() {
        buses
        add_bus b two 47001 "${BOTH[@]}"
        start_peer early two '(app:early)'
        start_bridge b b
        start_peer x one '(app:x)'
        start_peer y two '(app:y)'
        start_subscriber z here "unix:$folder/b.sock" b '(app:z)' -F '%y %t %p'
        expect_listed udp: two "$(address_of x)"
        expect_listed udp: one "$(address_of y)"
        expect_listed udp: one "$(address_of early)"
        expect_listed udp: two "$(address_of z)"
        expect_listed "unix:$folder/b.sock" b "$(address_of y)"
        expect_verb 0 two ping -C 1 '(app:x)'
        expect_verb 0 one ping -C 1 '(app:y)'
        stop y
        expect_not_listed udp: one '(app:y)'
        expect_not_listed "unix:$folder/b.sock" b '(app:y)'
        die x
        expect_not_listed udp: two '(app:x)'
        stop z
        expect_not_listed udp: two '(app:z)'
}

test_messages_pass_both_ways() {
        buses
        add_bus b two 47001 "${BOTH[@]}"
        start_bridge b b
        start_peer x one '(app:x)'
        start_peer y two '(app:y)'
        start_subscriber z here "unix:$folder/b.sock" b '(app:z)' -F '%y %t %p'
        expect_listed udp: two "$(address_of x)"
        expect_listed udp: two "$(address_of z)"
        expect_listed udp: one "$(address_of y)"
        expect_verb 0 one send '(app:y)' 'to.y(1)'
        expect_verb 0 one send -r '(app:y)' 'to.y(2)'
        expect_exit 0 cli -b "unix:$folder/b.sock" send '(app:y)' 'to.y(3)'
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:y)' 'to.y(4)'
        expect_verb 0 two send '(app:x)' 'to.x(1)'
        expect_verb 0 two send -r '(app:x)' 'to.x(2)'
        expect_verb 0 two send '(app:z)' 'to.z(1)'
        expect_verb 0 two send -r '(app:z)' 'to.z(2)'
        expect_verb 0 two send '()' 'to.all(1)' 'to.all(2)'
        for name in x y z; do
                expect_lines "$name.out" 'to\.all\(1\); to\.all\(2\)' 1
        done
        expect "x" 'U (app:x) to.x(1)
R '"$(address_of x)"' to.x(2)
U () to.all(1); to.all(2)' "$(cat "$folder/x.out")"
        expect "y" 'U (app:y) to.y(1)
R '"$(address_of y)"' to.y(2)
U (app:y) to.y(3)
R '"$(address_of y)"' to.y(4)
U () to.all(1); to.all(2)' "$(cat "$folder/y.out")"
        expect "z" 'U (app:z) to.z(1)
R '"$(address_of z)"' to.z(2)
U () to.all(1); to.all(2)' "$(cat "$folder/z.out")"
}

test_nothing_passes_without_a_rule() {
        buses
        add_bus b two 47001
        start_broker b here b
        start_peer x one '(app:x)'
        start_peer y two '(app:y)'
        expect_verb 0 one send '()' 'x.y(1)'
        expect_verb 3 one send -r '(app:y)' 'x.y(2)'
        expect_line x.out 'x\.y\(1\)'
        expect_no_line y.out .
        is_listed udp: one '(app:y)' && fail list "y is not seen" "it is"
        is_listed udp: two '(app:x)' && fail list "x is not seen" "it is"
        passed
}

test_addresses_and_commands_decide_what_passes() {
        buses
        add_bus b two 47001 'ROUTE=to=main address=(media:audio) commands=audio.,mixer.gain' \
                'ROUTE=from=main address=(app:mbus-cli)'
        start_bridge b b
        start_peer x one '(app:x)'
        start_peer audio two '(app:y media:audio)'
        start_peer video two '(app:y media:video)'
        expect_listed udp: one '(app:y media:audio)'
        is_listed udp: one '(media:video)' && fail list "video is not seen" "it is"
        # Those of main may say what they like, if they are mbus-cli.
        expect_verb 0 one send '(app:y)' 'any.thing(1)'
        expect_lines audio.out 'any\.thing' 1
        expect_lines video.out 'any\.thing' 1
        expect_verb 0 one send --as '(app:other)' '(app:y)' 'any.thing(2)'
        # A source that is not exported cannot be answered; who is may say only what the rule says.
        expect_verb 0 two send --as '(app:s media:audio)' '(app:x)' 'audio.a(1)' 'mixer.gain(2)'
        expect_verb 0 two send --as '(app:s media:audio)' '(app:x)' 'audio.a(1)' 'mixer.mute(3)'
        expect_verb 0 two send --as '(app:s media:audio)' '(app:x)' 'audi(4)'
        expect_verb 0 two send --as '(app:s media:video)' '(app:x)' 'audio.a(5)'
        expect_verb 0 two send --as '(app:s media:audio)' '(app:x)' 'audio.last(6)'
        expect_line x.out 'audio\.last'
        expect "x" 'U (app:x) audio.a(1); mixer.gain(2)
U (app:x) audio.last(6)' "$(cat "$folder/x.out")"
        expect_no_line video.out 'thing\(2\)'
        expect_no_line audio.out 'thing\(2\)'
}

test_a_reliable_message_without_a_way_back_is_not_acknowledged() {
        buses
        add_bus b two 47001 'ROUTE=to=main'
        start_bridge b b
        start_peer y two '(app:y)'
        expect_listed udp: one '(app:y)'
        expect_verb 5 one send -r '(app:y)' 'x.y(1)'
        expect_exit 7 cli -b "unix:$folder/b.sock" send -r '(app:y)' 'x.y(2)'
        expect_no_line y.out .
        expect_line b.err 'no route lets a reliable message pass'
}

test_an_old_bus_and_a_new_one_live_together() {
        buses DIALECT=UCL INTERFACE=lo
        add_bus b two 47001 DIALECT=UCL INTERFACE=lo "${BOTH[@]}"
        start_wire wire here lo
        start_bridge b b
        start_peer x one '(app:x)'
        start_peer y two '(app:y)'
        start_subscriber z here "unix:$folder/b.sock" b '(app:z)' -F '%y %t %p'
        expect_listed udp: two "$(address_of x)"
        expect_listed udp: one "$(address_of y)"
        expect_verb 0 two send -r '(app:x)' 'old.to.new(1)'
        expect_verb 0 two send -r '(app:z)' 'old.to.client(1)'
        expect_verb 0 two send '()' 'old.to.all("a" 1.5)' 'two()'
        expect_verb 0 one send -r '(app:y)' 'new.to.old(1)'
        expect_verb 0 one send '(app:y)' 'new.to.old(2)' 'two()'
        expect_line x.out 'R .* old\.to\.new\(1\)'
        expect_line z.out 'R .* old\.to\.client\(1\)'
        expect_line x.out 'U \(\) old\.to\.all\("a" 1\.5\); two\(\)'
        expect_line y.out 'R .* new\.to\.old\(1\)'
        expect_line y.out 'U \(app:y\) new\.to\.old\(2\); two\(\)'
        # Each bus in its own dialect, on the wire.
        expect_line wire.out " 47001 .*$(hex 'new.to.old (2 )')0a$(hex 'two ()')0a"
        expect_line wire.out " 47000 .*$(hex 'old.to.all("a" 1.5)')0d0a$(hex 'two()')"
}

# Two brokers that join the same buses, by the same rules.
two_bridges() {
        buses
        add_bus b two 47001 "${BOTH[@]}"
        cp "$folder/b" "$folder/c"
        start_bridge b b
        start_broker c here c
        expect_line c.err 'joined by another broker; this one stands by'
}

send_ten() {
        local i

        for i in 0 1 2 3 4 5 6 7 8 9; do
                expect_verb 0 "$1" send --as '(app:s id:1-1@127.0.0.1)' "$2" "$3($i)"
        done
}

test_two_brokers_between_two_buses_carry_each_message_once() {
        two_bridges
        start_peer s one '(app:t)'
        start_peer x one '(app:x)'
        start_peer y two '(app:y)'
        expect_listed udp: two "$(address_of x)"
        expect_listed udp: one "$(address_of y)"
        send_ten one '(app:y)' 'to.y'
        send_ten two '()' 'to.all'
        expect_verb 0 one send -r '(app:y)' 'last.r(1)'
        expect_verb 0 two send -r '(app:x)' 'last.r(2)'
        expect_line x.out 'last\.r'
        expect_line y.out 'last\.r'
        expect_count y.out 'to\.y' 10
        expect_count x.out 'to\.all' 10
        expect_count y.out 'to\.all' 10
        expect_no_line x.out 'to\.y'
        stop x
        expect_not_listed udp: two '(app:x)'
        expect_not_listed udp: one '(app:x)'
}

test_the_other_broker_takes_over_when_the_first_one_ends() {
        two_bridges
        start_peer x one '(app:x)'
        start_peer y two '(app:y)'
        expect_listed udp: two "$(address_of x)"
        stop b
        expect_line c.err ' are joined$'
        expect_listed udp: two "$(address_of x)"
        expect_listed udp: one "$(address_of y)"
        send_ten one '(app:y)' 'to.y'
        expect_verb 0 one send -r '(app:y)' 'last.r(1)'
        expect_line y.out 'last\.r'
        expect_count y.out 'to\.y' 10
        expect_count y.out 'last\.r' 1
}

test_the_other_broker_takes_over_when_the_first_one_dies() {
        two_bridges
        start_peer y two '(app:y)'
        expect_listed udp: one "$(address_of y)"
        die b
        expect_line c.err ' are joined$'
        expect_listed udp: one "$(address_of y)"
        expect_verb 0 one send -r '(app:y)' 'last.r(1)'
        expect_line y.out 'last\.r'
        expect_count y.out 'last\.r' 1
}

# Whoever observes the bus of the clients sees what passes to it and from it, once each.
test_a_monitor_of_the_broker_sees_what_comes_from_another_bus() {
        buses
        add_bus b two 47001 "${BOTH[@]}"
        printf '[broker]\nMULTICAST=never\n' >>"$folder/b"
        start_bridge b b
        start_peer y two '(app:y)'
        start_subscriber z here "unix:$folder/b.sock" b '(app:z)' -F '%y %t %p'
        expect_listed udp: two "$(address_of z)"
        start_monitor m here "unix:$folder/b.sock" b -F '%y %s %p'
        expect_verb 0 two send --as '(app:s)' '(app:z)' 'to.z(1)'
        expect_verb 0 two send --as '(app:s)' "$(address_of z)" 'to.z(2)'
        expect_verb 0 two send --as '(app:s)' -r '(app:z)' 'to.z(3)'
        expect_verb 0 two send --as '(app:s)' '()' 'to.z(4)'
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:y)' 'to.y(5)'
        expect_line m.out 'to\.y\(5\)'
        for line in 'U \(app:s .*to\.z\(1\)' 'U \(app:s .*to\.z\(2\)' 'R \(app:s .*to\.z\(3\)' \
                'U \(app:s .*to\.z\(4\)' 'R .*to\.y\(5\)'; do
                expect_lines m.out "$line" 1
        done
}

# What passes on one bus only, on both, and on one that no route leads to; in the old dialect, too.
test_each_bus_of_a_broker_can_be_observed_alone() {
        buses DIALECT=UCL INTERFACE=lo
        add_bus b two 47001 DIALECT=UCL INTERFACE=lo "${BOTH[@]}"
        add_bus b three 47002
        start_bridge b b
        start_peer y two '(app:y)'
        expect_listed "unix:$folder/b.sock" b "$(address_of y)"
        start_monitor main here "unix:$folder/b.sock" b -F '%p' --on main -p to.
        start_monitor two here "unix:$folder/b.sock" b -F '%p' --on Two -p to.
        start_monitor three here "unix:$folder/b.sock" b -F '%p' --on three -p to.
        expect_file two.err "monitoring unix:$folder/b.sock, bus Two"
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:y)' 'to.y(1)'
        expect_verb 0 two send "$(address_of y)" 'to.y(2)'
        expect_verb 0 three send '()' 'to.nobody(3)'
        expect_verb 0 two send '()' 'other(4)' 'to.all(4)'
        expect_line main.out 'to\.all\(4\)'
        expect_line two.out 'to\.all\(4\)'
        expect_line three.out 'to\.nobody\(3\)'
        expect "main" 'to.y(1)
other(4); to.all(4)' "$(cat "$folder/main.out")"
        expect "two" 'to.y(1)
to.y(2)
other(4); to.all(4)' "$(cat "$folder/two.out")"
        expect "three" 'to.nobody(3)' "$(cat "$folder/three.out")"
        expect_exit 9 cli -b "unix:$folder/b.sock" monitor --on four
        expect_err "mbus-cli: cannot monitor: unix:$folder/b.sock is on no bus four"
        expect_verb 9 one monitor --on two
        expect_err_match 'mbus-cli: cannot monitor: udp:* is on no bus two; only a broker has *'
}

test_who_observes_a_bus_that_the_broker_leaves_is_told() {
        buses
        add_bus b two 47001
        add_bus b three 47002
        start_broker b here b
        start_monitor main here "unix:$folder/b.sock" b -F '%p'
        start_monitor two here "unix:$folder/b.sock" b -F '%p' --on two
        start_monitor three here "unix:$folder/b.sock" b -F '%p' --on three
        config b
        # The other one is left, too, and joined anew: nobody notices.
        add_bus b three 47002 'MAX_AGE=10'
        reload b 1
        expect_line b.err 'bus three is left'
        expect_end 9 two
        expect_line two.err 'cannot monitor: .* is on no bus two$'
        expect_verb 0 three send '()' 'to.three()'
        expect_line three.out 'to\.three'
        expect_exit 0 cli -b "unix:$folder/b.sock" send '()' 'to.main()'
        expect_line main.out 'to\.main'
        expect_no_line main.out 'three'
}

# What python makes of `mbus-cli status -j`, by an expression about `o`.
status_of() {
        "$MBUS_CLI" -b "unix:$folder/$1.sock" status -j </dev/null |
                python3 -c "import json, sys; o = json.load(sys.stdin); print($2)"
}

has_status() {
        [ "$(status_of "$2" "$3")" = "$1" ]
}

# expect_status TEXT BROKER EXPRESSION: waits until it is so.
expect_status() {
        until_ok has_status "$@" || fail "status of $2: $3" "$1" "$(status_of "$2" "$3")"
        passed
}

test_status_tells_each_bus_who_joins_it_and_who_stands_by() {
        two_bridges
        add_bus b three 47002 'DIALECT=UCL' 'INTERFACE=lo'
        signal b HUP
        expect_line b.err 'was read again'
        start_peer y two '(app:y)'
        expect_status "['main', 'two', 'three']" b 'o["status"]["buses"]'
        expect_status "[('main', 'rfc3259', ['two'], [], ['to=two']), \
('two', 'rfc3259', ['main'], [], ['to=main']), ('three', 'ucl', [], [], [])]" b \
                '[(i["bus"], i["dialect"], i["joined"], i["standby"], i["routes"])
                        for i in o["buses"]]'
        expect_status "[([], ['two']), ([], ['main'])]" c \
                '[(i["joined"], i["standby"]) for i in o["buses"]]'
        expect_status "['two']" b \
                '[i["bus"] for i in o["entities"] if i["address"].startswith("(app:y ")]'
        expect_status True b 'o["stats"]["bus-datagrams-in-two"] > 0'
        expect_status 0 b 'o["stats"]["bus-datagrams-in-three"]'
        expect_exit 0 cli -b "unix:$folder/b.sock" status
        expect_line out '^buses	main; two; three$'
        expect_line out '^bus two	where 239\.255\.255\.247:47001	interface lo	dialect rfc3259	local [0-9]+	remote [0-9]+	joined main	standby -	routes to=main$'
        expect_line out '^bus-datagrams-in-two	[1-9]'
        stop b
        expect_status "[(['two'], []), (['main'], [])]" c \
                '[(i["joined"], i["standby"]) for i in o["buses"]]'
}

# Of two that began in the same millisecond one stands by, whatever they are called.
test_the_text_decides_between_brokers_of_the_same_time() {
        local since sign

        buses
        add_bus b two 47001 "${BOTH[@]}"
        start_bridge b b
        sign=$("$MBUS_CLI" -b udp: -c "$folder/one" list '(module:bridge)' 2>/dev/null)
        since=$(grep -o 'since:[0-9]*' <<<"$sign" | head -n 1)
        start_subscriber p here udp: one "(app:mbus-broker module:bridge $since id:1-1@127.0.0.1)"
        start_subscriber q here udp: two "(app:mbus-broker module:bridge $since id:1-1@127.0.0.1)"
        expect_line b.err 'joined by another broker; this one stands by'
}

# reload NAME N: the broker reads its configuration for the N-th time.
reload() {
        signal "$1" HUP
        expect_lines "$1.err" 'was read again and counts from now on$' "$2"
}

test_a_reload_adds_a_bus_and_takes_it_away_and_no_client_notices() {
        buses
        start_broker b here b
        start_peer x one '(app:x)'
        start_peer y two '(app:y)'
        start_subscriber z here "unix:$folder/b.sock" b '(app:z)' -F '%y %t %p'
        config b
        add_bus b two 47001 "${BOTH[@]}"
        reload b 1
        expect_line b.err '^mbus-broker: bus two is udp:'
        expect_line b.err ' are joined$'
        expect_listed udp: two "$(address_of z)"
        expect_listed udp: two "$(address_of x)"
        expect_listed "unix:$folder/b.sock" b "$(address_of y)"
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:y)' 'to.y(1)'
        expect_verb 0 two send -r '(app:z)' 'to.z(1)'
        expect_verb 0 two send '(app:x)' 'to.x(1)'
        expect_line x.out 'to\.x\(1\)'
        start_monitor m here udp: two --hello -F '%s %c'
        # Also what is for nobody whom the bus main knows.
        expect_verb 0 one send '(app:nobody)' 'to.nobody(1)'
        expect_line m.out ' to\.nobody$'
        config b
        reload b 2
        expect_line b.err '^mbus-broker: bus two is left$'
        for name in x z; do
                expect_line m.out "^$(pattern_of "$name") mbus\.bye$"
        done
        expect_line m.out '^\(app:mbus-broker module:bridge .* mbus\.bye$'
        expect_not_listed "unix:$folder/b.sock" b '(app:y)'
        expect_exit 3 cli -b "unix:$folder/b.sock" send -r '(app:y)' 'to.y(2)'
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:z)' 'to.z(2)'
        expect_count z.err . 1
        expect_line b.err 'was read again'
        expect_no_line b.err 'counts after a restart'
}

test_a_reload_changes_routes_and_leaves_the_rest_alone() {
        buses
        add_bus b two 47001 "${BOTH[@]}"
        add_bus b three 47002 "${BOTH[@]}"
        start_bridge b b 2
        start_peer y two '(app:y media:audio)'
        start_peer v two '(app:v media:video)'
        start_peer w three '(app:w)'
        start_subscriber z here "unix:$folder/b.sock" b '(app:z)' -F '%y %t %p'
        for name in y v w; do
                expect_listed "unix:$folder/b.sock" b "$(address_of "$name")"
        done
        start_monitor m here udp: three --hello -F '%s %c'
        config b
        add_bus b two 47001 'ROUTE=to=main address=(media:audio)' 'ROUTE=from=main commands=a.'
        add_bus b three 47002 "${BOTH[@]}"
        reload b 1
        expect_not_listed "unix:$folder/b.sock" b '(app:v)'
        expect_listed "unix:$folder/b.sock" b '(app:y)'
        expect_exit 0 cli -b "unix:$folder/b.sock" send '(app:y)' 'b.no(1)'
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:y)' 'a.yes(1)'
        expect_line y.out 'a\.yes\(1\)'
        expect_no_line y.out 'b\.no'
        config b
        add_bus b two 47001 "${BOTH[@]}"
        add_bus b three 47002 "${BOTH[@]}"
        reload b 2
        expect_listed "unix:$folder/b.sock" b '(app:v)'
        # Nobody on the third bus was told anything but that z is there still.
        expect_no_line m.out "$(pattern_of z) mbus\.bye"
        expect_no_line m.out 'module:bridge .* mbus\.bye'
        expect_count b.err ' are joined$' 2
        expect_count b.err '^mbus-broker: bus .* is udp:' 2
        expect_verb 0 three send -r '(app:z)' 'to.z(1)'
}

test_a_reload_changes_the_keys_of_a_bus() {
        local other='HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESEwA=)'

        buses
        add_bus b two 47001 "${BOTH[@]}"
        start_bridge b b
        start_peer y two '(app:y)'
        expect_listed "unix:$folder/b.sock" b '(app:y)'
        config rekeyed PORT=47001 "$other"
        start_peer v rekeyed '(app:v)'
        config b
        KEY=$other add_bus b two 47001 "${BOTH[@]}"
        reload b 1
        expect_listed "unix:$folder/b.sock" b '(app:v)'
        expect_not_listed "unix:$folder/b.sock" b '(app:y)'
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:v)' 'to.v(1)'
}

test_a_reload_with_a_bus_that_cannot_be_had_changes_nothing() {
        local files

        buses
        add_bus b two 47001 "${BOTH[@]}"
        start_bridge b b
        start_peer y two '(app:y)'
        expect_listed "unix:$folder/b.sock" b '(app:y)'
        files=$(find "/proc/${pid_of[b]}/fd" -mindepth 1 | wc -l)
        config b
        add_bus b four 47004 "${BOTH[@]}"
        add_bus b three 47002 'INTERFACE=nowhere'
        signal b HUP
        expect_line b.err "/b:11: \[bus three\]: this bus cannot be joined"
        expect_line b.err '/b:1[0-9]: INTERFACE: nowhere: no interface has this name'
        expect_line b.err 'is not used; all stays as it was$'
        config b
        add_bus b two 47001 'ROUTE=to=nobody'
        signal b HUP
        expect_line b.err '/b:9: ROUTE: there is no bus of this name, add \[bus NAME\]'
        expect_lines b.err 'is not used; all stays as it was$' 2
        expect_no_line b.err 'is left'
        expect_count b.err 'bus .* is udp:' 1
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:y)' 'to.y(1)'
        expect "descriptors" "$files" "$(find "/proc/${pid_of[b]}/fd" -mindepth 1 | wc -l)"
        # And buses that come and go leave none behind.
        config b
        reload b 1
        for i in 2 4 6; do
                config b
                add_bus b two 47001 "${BOTH[@]}"
                reload b "$i"
                config b
                reload b $((i + 1))
        done
        expect_exit 0 cli -b "unix:$folder/b.sock" list
        [ "$(find "/proc/${pid_of[b]}/fd" -mindepth 1 | wc -l)" -lt "$files" ] ||
                fail descriptors "fewer than $files" more
        signal b HUP
        stop b
        expect_no_line b.err 'ERROR|runtime error'
}

main_at_once 4 "$@"
