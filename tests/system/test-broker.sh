#!/usr/bin/env bash
# mbus-cli and plain peers around an mbus-broker: the same verbs as without one, brokers and clients
# that die, and what the bus and the other clients see of it (spec/attach.md; RFC 3259, 7 to 9).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# expect_verb STATUS VERB...: of a client of the broker b.
expect_verb() {
        local status=$1

        shift
        expect_exit "$status" cli -b "unix:$folder/b.sock" "$@"
}

# attach NAME ADDRESS [OPTION...]: a subscriber behind the broker b.
attach() {
        local name=$1 address=$2

        shift 2
        start_subscriber "$name" here "unix:$folder/b.sock" c "$address" "$@"
}

milliseconds() {
        echo $((${EPOCHREALTIME/./} / 1000))
}

# The addresses that the broker lists and that match, but for its own.
listed() {
        "$MBUS_CLI" -b "unix:$folder/b.sock" list "$@" 2>/dev/null </dev/null | cut -f1 |
                grep -v '^(app:mbus-broker '
}

is_listed() {
        [ -n "$(listed "$1")" ]
}

is_not_listed() {
        ! is_listed "$1"
}

pattern_of() {
        sed 's/[().]/\\&/g' <<<"$(address_of "$1")"
}

# ADR-06 REL-01 REL-03 ADR-10 CMD-06
test_every_verb_works_through_a_broker() {
        config c
        start_broker b here c
        attach x '(app:x module:a)' -F '%y %t %p'
        attach y '(app:x module:b)' -F '%y %t %p'
        start m here "$MBUS_CLI" -b "unix:$folder/b.sock" monitor -F '%s %p'
        expect_line m.err '^monitoring unix:'
        expect_verb 0 send '(app:x)' 'x.all(1)' 'x.more()'
        expect_verb 0 send -r '(module:a)' 'x.one()'
        expect_verb 4 send -r '(app:x)' 'x.no()'
        expect_line err '^mbus-cli: several entities match \(app:x\)'
        expect_verb 3 send -r '(app:nobody)' 'x.no()'
        expect_err 'mbus-cli: no entity matches (app:nobody)'
        expect_line x.out "^R $(pattern_of x) x\.one\(\)$"
        expect_line x.out '^U \(app:x\) x\.all\(1\); x\.more\(\)$'
        expect_line y.out '^U \(app:x\) x\.all\(1\); x\.more\(\)$'
        expect_verb 0 list '(app:x)'
        expect "list" "$(printf '%s\n' "$(address_of x)" "$(address_of y)")" "$(cut -f1 "$folder/out")"
        expect_verb 3 list '(app:nobody)'
        expect_verb 0 list -j '(module:a)'
        expect_line out '^\{"addr":\{"app":"x","module":"a","id":'
        expect_verb 0 ping -C 2 '(app:x)'
        expect_count out ' ms$' 2
        expect_verb 3 ping -W 0.2 '(app:nobody)'
        expect_verb 0 status
        expect_line out '^address[ 	]+\(app:mbus-broker id:'
        expect_verb 0 status -j
        expect "JSON" "stats status" "$(python3 -c 'import json, sys
print(*sorted(set(json.load(sys.stdin)) & {"status", "stats"}))' <"$folder/out")"
        expect_verb 27 subscribe -W 0.1 -C 1 '(app:z)'
        expect_verb 2 send '(app:x)' 'mbus.bye()'
        expect_line m.out ' x\.all\(1\); x\.more\(\)$'
        expect_line m.out ' x\.one\(\)$'
        expect_no_line m.out 'x\.no'
        signal x INT
        expect_end 130 x
        until_ok is_not_listed '(module:a)' || fail "list" "x has left" "$(listed)"
        expect_no_line y.out 'one|no'
}

test_a_broker_answers_at_once() {
        local before

        config c
        start_broker b here c
        attach x '(app:x)'
        before=$(milliseconds)
        expect_verb 0 list
        expect_verb 0 send -r '(app:x)' 'x.y()'
        expect_verb 3 send -r -W 0.1 '(app:nobody)' 'x.y()'
        # Over the network they take 1.3, 1 and 2.5 s.
        [ $(($(milliseconds) - before)) -lt 2500 ] || fail "three verbs" "at once" "too late"
        passed
}

# AWR-07 AWR-08
test_a_client_that_dies_has_said_bye_at_once() {
        local before

        config c
        start_broker b here c
        start_monitor bus here udp: c --hello -F '%s %c'
        start_monitor link here "unix:$folder/b.sock" c --hello -F '%s %c'
        attach x '(app:x)'
        before=$(milliseconds)
        local pattern

        pattern=$(pattern_of x)
        die x
        expect_line bus.out "^$pattern mbus\.bye$"
        expect_line link.out "^$pattern mbus\.bye$"
        # Without the broker it would take 5.5 s to be missed.
        [ $(($(milliseconds) - before)) -lt 3000 ] || fail "bye" "at once" "too late"
        expect_verb 3 list '(app:x)'
        expect_verb 3 send -r '(app:x)' 'x.y()'
}

# AWR-06
test_a_plain_peer_that_dies_is_missed_after_a_while() {
        config c
        start_broker b here c
        start_subscriber x here udp: c '(app:x)'
        until_ok is_listed '(app:x)' || fail "list" "x" "$(listed)"
        expect_verb 0 send -r '(app:x)' 'x.y()'
        die x
        expect_verb 5 send -r '(app:x)' 'x.y()'
        until_ok is_not_listed '(app:x)' || fail "list" "x is gone" "$(listed)"
        expect_verb 3 send -r '(app:x)' 'x.y()'
}

# REL-08
test_a_reliable_message_fails_with_its_reason() {
        config c
        start_broker b here c
        attach x '(app:x)'
        signal x STOP
        expect_verb 5 send -r '(app:x)' 'x.y()'
        expect_err 'mbus-cli: (app:x): timeout: it was not acknowledged within 600 ms'
        start_monitor m here "unix:$folder/b.sock" c -F '%p'
        start send here "$MBUS_CLI" -b "unix:$folder/b.sock" send -r '(app:x)' 'x.y(2)'
        expect_line m.out '^x\.y\(2\)$'
        die x
        expect_end 5 send
        expect_line send.err '^mbus-cli: \(app:x\): (bye|timeout): '
}

# The broker is killed, and comes back: nobody has to be started again.
test_clients_outlive_a_broker_that_is_killed() {
        local address

        config c
        start_broker b here c
        attach x '(app:x)' -F '%y %p'
        start_monitor m here "unix:$folder/b.sock" c -F '%p'
        attach stopped '(app:stopped)'
        address=$(address_of x)
        signal stopped STOP
        start send here "$MBUS_CLI" -b "unix:$folder/b.sock" send -r '(app:stopped)' 'x.y()'
        expect_line m.out '^x\.y\(\)$'
        die b
        expect_end 9 send
        expect_line send.err '^mbus-cli: the broker went away$'
        die stopped
        expect_line x.err 'the broker went away; waiting for it$'
        expect_verb 9 list
        start_broker b here c
        expect_line b.err 'a stale socket was replaced'
        expect_line x.err 'the broker is back$'
        expect_line m.err 'the broker is back$'
        until_ok is_listed "$address" || fail "list" "$address" "$(listed)"
        expect_verb 0 send -r "$address" 'x.again()'
        expect_line x.out '^R x\.again\(\)$'
        expect_line m.out '^x\.again\(\)$'
        expect "address" "$address" "$(address_of x)"
}

# expect_gap NAME N: of what is numbered in JSON from 0 to N - 1, so many are missing where that is said, and
# none elsewhere.
expect_gap() {
        python3 - "$folder/$1.out" "$2" <<'END' || fail "$1" "losses where they are told" "see above"
import json, sys

following = lost = 0
for line in open(sys.argv[1]):
    o = json.loads(line)
    if "lost" in o:
        following += o["lost"]
        lost += o["lost"]
        continue
    assert o["cmds"][0]["args"][0] == following, (o["cmds"][0]["args"][0], following)
    following += 1
assert following == int(sys.argv[2]), following
assert lost > 0
END
        passed
}

test_what_a_slow_reader_loses_is_told_where_it_is_missing() {
        local text

        config c '[broker]' 'MULTICAST=never' '[limits]' 'BYTES_PER_LINK=128K'
        start_broker b here c
        attach x '(app:x)' -j
        attach y '(app:x)' -F '%c'
        start_monitor m here "unix:$folder/b.sock" c -j -p x.large
        start_monitor n here "unix:$folder/b.sock" c -F '%c'
        for name in x y m n; do
                signal "$name" STOP
        done
        text=$(head -c 50000 /dev/zero | tr '\0' x)
        for ((i = 0; i < 20; i++)); do
                expect_verb 0 send '(app:x)' "x.large($i \"$text\")"
        done
        for name in x y m n; do
                signal "$name" CONT
        done
        expect_line x.out '^\{"time":"[^"]*Z","lost":[1-9][0-9]*,"cause":"events"\}$'
        expect_line m.out '^\{"time":"[^"]*Z","lost":[1-9][0-9]*,"cause":"copies"\}$'
        expect_line y.err '^mbus-cli: [1-9][0-9]* messages were lost: events$'
        expect_line n.err '^mbus-cli: [1-9][0-9]* messages were lost: copies$'
        expect_no_line x.err lost
        for name in x m; do
                expect_line "$name.out" '"args":\[19,'
                expect_gap "$name" 20
        done
        expect_verb 0 send '(app:x)' 'x.more()'
        expect_line x.out '"x\.more"'
        expect_exit 0 cli -b "unix:$folder/b.sock" status
        expect_line out '^dropped-observer-full	[1-9]'
}

# The broker filters: what a stopped monitor does not want cannot push out what it wants.
test_a_stopped_monitor_of_a_rare_address_gets_all_of_it_in_a_flood_of_others() {
        local text i name

        config c '[broker]' 'MULTICAST=never' '[limits]' 'BYTES_PER_LINK=128K'
        start_broker b here c
        start_monitor all here "unix:$folder/b.sock" c -F '%c'
        start_monitor rare here "unix:$folder/b.sock" c -F '%p' '(app:rare)'
        start_monitor begins here "unix:$folder/b.sock" c -F '%p' -p x.ra
        for name in all rare begins; do
                signal "$name" STOP
        done
        text=$(head -c 50000 /dev/zero | tr '\0' x)
        for ((i = 0; i < 20; i++)); do
                expect_verb 0 send '(app:other)' "x.large(\"$text\")"
                expect_verb 0 send '(app:rare)' "x.rare($i)"
        done
        for name in all rare begins; do
                signal "$name" CONT
        done
        expect_line all.err '^mbus-cli: [1-9][0-9]* messages were lost: copies$'
        for name in rare begins; do
                expect_lines "$name.out" '^x\.rare' 20
                expect "$name" "$(printf 'x.rare(%d)\n' {0..19})" "$(cat "$folder/$name.out")"
                signal "$name" INT
                expect_end 130 "$name"
                expect "summary" "20 messages that match, 20 printed" \
                        "$(tail -n 1 "$folder/$name.err")"
        done
        signal all INT
        expect_end 130 all
        expect_line all.err '^[0-9]+ messages, [0-9]+ printed, [1-9][0-9]* dropped \(copies\)$'
}

test_hellos_are_seen_by_those_who_ask_for_them_and_nobody_else() {
        config c
        start_broker b here c
        start_monitor hello here "unix:$folder/b.sock" c --hello -F '%c'
        start_monitor other here "unix:$folder/b.sock" c -F '%c'
        attach x '(app:x)'
        expect_lines hello.out '^mbus\.hello$' 2
        expect_verb 0 send '(app:x)' 'x.last()'
        expect_line other.out '^x\.last$'
        expect_no_line other.out 'hello'
}

test_a_second_broker_leaves_the_first_alone() {
        config c
        start_broker b here c
        attach x '(app:x)' -F '%p'
        expect_exit 9 "$MBUS_BROKER" -c "$folder/c" --socket "$folder/b.sock" --foreground
        expect_line err 'a broker is running there already; it was left alone$'
        expect_verb 0 send -r '(app:x)' 'x.y()'
        expect_line x.out '^x\.y\(\)$'
        expect_count x.err 'broker' 0
        stop b
        expect "socket" "" "$(find "$folder" -name b.sock)"
}

test_a_configuration_that_is_wrong_ends_it_with_8() {
        config c
        chmod 640 "$folder/c"
        expect_exit 8 "$MBUS_BROKER" -c "$folder/c" --socket "$folder/b.sock" --foreground
        expect_line err "c: other users may read or write it, mend it with: chmod 600 "
        config d SCOPE=MARS
        expect_exit 8 "$MBUS_BROKER" -c "$folder/d" --socket "$folder/b.sock" --foreground
        expect_line err 'd:5: SCOPE: is no scope, write HOSTLOCAL or LINKLOCAL$'
        expect_exit 2 "$MBUS_BROKER" --nonsense
        expect_exit 2 "$MBUS_BROKER" argument
        expect "socket" "" "$(find "$folder" -name b.sock)"
}

# Who can read nothing of root's.
AS_NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups --)

start_as_nobody() {
        start b here "${AS_NOBODY[@]}" "$MBUS_BROKER" --config "$folder/copy" \
                --config "$folder/own/mbus.conf" --socket "$folder/own/b.sock" --foreground
        expect_line b.err '^ready on |: ready on '
}

test_a_broker_of_another_user_reads_roots_file_if_it_is_there_and_else_its_own() {
        local lend=$HERE/../../broker/units/system/mbus-broker-config

        expect_exit 0 "$lend" "$folder/etc" "$folder/copy" nobody
        chmod o+x "$folder" "$folder/.."
        mkdir -m 755 "$folder/own"
        can_be_a_stranger || return 0
        chown 65534 "$folder/own"
        start_as_nobody
        expect_line b.err '/own/mbus\.conf: made, with random keys'
        stop b
        config etc '[broker]' 'FIRST=1'
        expect_exit 0 "$lend" "$folder/etc" "$folder/copy" nobody
        start_as_nobody
        expect_line b.err '/copy:6: FIRST: it is unknown'
        config etc '[broker]' 'SECOND=1'
        expect_exit 0 "$lend" "$folder/etc" "$folder/copy" nobody
        signal b HUP
        expect_line b.err '/copy:6: SECOND: it is unknown'
        expect_line b.err '/copy was read again'
        stop b
        chmod 644 "$folder/etc"
        expect_exit 8 "$lend" "$folder/etc" "$folder/copy" nobody
        expect_line err '/etc: others can read or write it, and it holds the keys: chmod 600 '
        rm "$folder/etc"
        expect_exit 0 "$lend" "$folder/etc" "$folder/copy" nobody
        expect "copy" "" "$(find "$folder" -name 'copy*')"
        start_as_nobody
        expect_no_line b.err 'made'
        stop b
}

# AWR-08
test_a_broker_that_is_ended_says_bye_for_all() {
        local name

        config c
        start_broker b here c
        start_monitor bus here udp: c --hello -F '%s %c'
        for name in x y z; do
                attach "$name" "(app:$name)"
        done
        local before

        before=$(milliseconds)
        signal b TERM
        expect_end 0 b
        [ $(($(milliseconds) - before)) -lt 1000 ] || fail "SIGTERM" "exit within 1 s" "later"
        for name in x y z; do
                expect_line bus.out "^$(pattern_of "$name") mbus\.bye$"
        done
        expect_line bus.out '^\(app:mbus-broker .*\) mbus\.bye$'
        expect "socket" "" "$(find "$folder" -name b.sock)"
}

# plain_peers CONFIG CONFIG: an application behind a broker and one on the bus, each way.
plain_peers() {
        start_broker b here "$1"
        attach inside '(app:inside)' -F '%y %p'
        start_subscriber outside here udp: "$2" '(app:outside)' -F '%y %p'
        until_ok is_listed '(app:outside)' || fail "list" "outside" "$(listed)"
        expect_verb 0 send -r '(app:outside)' 'x.out(1)'
        expect_exit 0 cli -b udp: -c "$folder/$2" send -r '(app:inside)' 'x.in(1)'
        expect_verb 0 send '()' 'x.all("from a client")'
        expect_exit 0 cli -b udp: -c "$folder/$2" send '()' 'x.all("from a peer")'
        for name in inside outside; do
                expect_line "$name.out" '^U x\.all ?\("from a client" ?\)$'
                expect_line "$name.out" '^U x\.all ?\("from a peer" ?\)$'
        done
        # The old dialect has a space before ")".
        expect "outside" 'R x.out(1)' "$(grep '^R' "$folder/outside.out" | sed 's/ )$/)/')"
        expect "inside" 'R x.in(1)' "$(grep '^R' "$folder/inside.out" | sed 's/ )$/)/')"
        expect_count inside.out . 3
        expect_count outside.out . 3
        expect_list "$(address_of inside)" \
                "$MBUS_CLI" -b udp: -c "$folder/$2" list '(app:inside)'
        expect_list "$(address_of outside)" \
                "$MBUS_CLI" -b udp: -c "$folder/$2" list '(app:outside)'
        # A reliable message to a client that cannot take it is not acknowledged in its stead.
        signal inside STOP
        expect_exit 5 cli -b udp: -c "$folder/$2" send -r "$(address_of inside)" 'x.in(2)'
        signal inside CONT
        die outside
}

# REL-02 REL-03 AWR-01
test_clients_and_plain_peers_see_each_other() {
        config c
        plain_peers c c
}

test_clients_and_peers_of_the_old_dialect_see_each_other() {
        config c DIALECT=UCL
        start_wire wire here lo
        plain_peers c c
        # On lo a burst is one packet, whose next datagram begins with a digest.
        expect_line wire.out "$(hex ' () ()')0a$(hex 'x.all ("from a client" )')0a(\$|([2-7].){16}0a)"
        expect_no_line wire.out '0d0a'
}

# Ciphers are the broker's business: a client has no keys.
test_a_client_needs_no_keys() {
        expect_exit 0 cli keygen -o "$folder/c" --cipher 3des
        start_broker b here c
        start x here "$MBUS_CLI" -b "unix:$folder/b.sock" subscribe -C 1 -F %p '(app:x)'
        expect_line x.err '^ready '
        expect_exit 0 cli -b udp: -c "$folder/c" send -r "$(address_of x)" 'x.y("sealed")'
        expect_end 0 x
        expect_file "x.out" 'x.y("sealed")'
        expect "a configuration" "" "$(find "$folder" -name .mbus)"
}

# n_files PID: its descriptors.
n_files() {
        find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

has_n_files() {
        [ "$(n_files "$1")" = "$2" ]
}

test_no_descriptor_is_left_behind() {
        local before i pid

        config c
        start_broker b here c
        attach x '(app:x)'
        pid=${pid_of[b]}
        expect_verb 0 send '(app:x)' 'x.y()'
        until_ok is_not_listed '(app:mbus-cli)'
        before=$(n_files "$pid")
        for ((i = 0; i < 200; i++)); do
                "$MBUS_CLI" -b "unix:$folder/b.sock" send '(app:x)' "x.y($i)" </dev/null ||
                        fail "send $i" 0 "$?"
        done
        expect_line x.out ' x\.y\(199\)$'
        # 50 at once, killed.
        for ((i = 0; i < 50; i++)); do
                start "many$i" here "$MBUS_CLI" -b "unix:$folder/b.sock" subscribe '(app:many)'
        done
        for ((i = 0; i < 50; i++)); do
                expect_line "many$i.err" '^ready '
        done
        expect "attached" 50 "$(listed '(app:many)' | wc -l)"
        for ((i = 0; i < 50; i++)); do
                die "many$i"
        done
        until_ok has_n_files "$pid" "$before" ||
                fail "descriptors of the broker" "$before" "$(n_files "$pid")"
        passed
        expect "attached" "(app:x" "$(listed | cut -d' ' -f1)"
}

# What mbus-cli has open is the bus, its self-pipe and the standard three; it has no children.
test_the_tool_has_no_children_and_few_descriptors() {
        config c
        start_broker b here c
        attach x '(app:x)'
        expect "children" "" "$(cat "/proc/${pid_of[x]}/task/${pid_of[x]}/children")"
        [ "$(n_files "${pid_of[x]}")" -le 8 ] ||
                fail "descriptors" "at most 8" "$(ls -l "/proc/${pid_of[x]}/fd")"
        passed
}

main "$@"
