#!/usr/bin/env bash
# Datagrams that were captured and are sent again, from another socket: they have the right digest,
# and still nobody may act on them twice (spec/errata.md, 9, 51 and 60; RFC 3259, 7, 8 and 11).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# captured REGEX: those captured by "wire" whose text matches, in hexadecimal, one each.
captured() {
        local line text

        while read -r line; do
                line=${line##* }
                text=$(sed 's/../\\x&/g' <<<"$line")
                # shellcheck disable=SC2059 # the octets are the format
                if printf "$text" | tr '\r\n' '  ' | grep -qE -- "$1"; then
                        echo "$line"
                fi
        done < <(awk '!seen[$NF]++' "$folder/wire.out")
}

# replay REGEX: sends them again, on lo.
replay() {
        captured "$1" >"$folder/again"
        [ -s "$folder/again" ] || fail "captured" "$1" "$(cat "$folder/wire.out")"
        send_raw here 239.255.255.247 47000 lo <"$folder/again"
}

has_captured() {
        [ -n "$(captured "$1")" ]
}

# await_captured REGEX: until such a message has been on the wire.
await_captured() {
        until_ok has_captured "$1" || fail "wire" "$1" "$(cat "$folder/wire.out")"
}

# fence NAME: what is sent now comes after all that was sent before.
fence() {
        expect_exit 0 cli -b udp: -c "$folder/c" send '(fence:post)' "fence.$1()"
}

# expect_dropped REASON N: in the summary of monitor m, which is ended.
expect_dropped() {
        signal m INT
        expect_end 130 m
        expect "dropped ($1)" "$2" \
                "$(sed -n "s/.*[ ,]\([0-9]*\) dropped ($1).*/\1/p" "$folder/m.err")"
}

# save, then expect_only_fence NAME: nothing but the fence is new at monitor m.
save() {
        cp "$folder/m.out" "$folder/before"
}

expect_only_fence() {
        expect_line m.out " fence\.$1\$"
        expect "what the monitor printed" "" \
                "$(tail -n "+$(($(wc -l <"$folder/before") + 1))" "$folder/m.out" |
                        grep -v " fence\.$1\$\|^(app:mbus-cli ")"
}

# Sender u and sender r, which have left, at subscriber x and monitor m. $1 is the URL of those two.
play_and_replay() {
        start_wire wire here lo
        start_monitor m here "$1" c -F '%s %y %c'
        start_subscriber x here "$1" c '(app:x)' -F '%y %p'
        expect_exit 0 cli -b udp: -c "$folder/c" send --as '(app:u)' '(app:x)' 'x.unreliable()'
        expect_exit 0 cli -b udp: -c "$folder/c" send --as '(app:r)' -r "$(address_of x)" \
                'x.reliable()'
        expect_line m.out '^\(app:r .* U mbus\.bye$'
        await_captured 'app:r .*mbus.bye'
        await_captured 'app:r .*mbus.ping'
        save
        replay '^.{18}mbus/1.0 [0-9]+ [0-9]+ . \(app:[ur] '
        replay '^.{18}mbus/1.0 [0-9]+ [0-9]+ . \(app:[ur] '
        fence first
        expect_only_fence first
        expect_file "x.out" 'U x.unreliable()
R x.reliable()'
}

# SEC-01 REL-11 AWR-07
test_messages_of_those_who_left_are_counted_and_not_delivered() {
        config c
        play_and_replay udp:
        expect_dropped departed $((2 * $(wc -l <"$folder/again")))
}

test_a_broker_delivers_nothing_again() {
        config c
        start_broker b here c
        play_and_replay "unix:$folder/b.sock"
        expect_exit 3 cli -b "unix:$folder/b.sock" list '(app:r)'
}

# AWR-07 REL-11
test_messages_of_those_who_are_there_are_duplicates() {
        local address

        config c
        start_wire wire here lo
        # First, so that it hears each message the first time.
        start_monitor m here udp: c --hello -F '%s %y %c'
        start_broker b here c
        start_subscriber x here udp: c '(app:x)' -F '%y %p'
        # A client of the broker, so that the source lives on: the broker speaks for it.
        start_subscriber y here "unix:$folder/b.sock" c '(app:y)' -F '%y %p'
        expect_exit 0 cli -b "unix:$folder/b.sock" send --as '(app:u)' '(app:x)' 'x.unreliable()'
        await_captured 'app:y .*mbus.hello'
        await_captured 'app:x .*mbus.hello'
        await_captured 'app:mbus-broker .*mbus.hello'
        captured '(app:x|app:y|app:mbus-broker) .*mbus.hello' >"$folder/again"
        send_raw here 239.255.255.247 47000 lo <"$folder/again"
        fence first
        expect_line m.out ' fence\.first$'
        expect_exit 0 cli -b "unix:$folder/b.sock" list '(app:x)'
        expect "list" "$(address_of x)" "$(cut -f1 "$folder/out")"
        # Their own words, said by others, are no reason to change the name.
        expect_count x.err '^ready ' 1
        expect_count y.err '^ready ' 1
        expect_no_line b.err 'address'
        expect_dropped duplicate "$(wc -l <"$folder/again")"
}

# What an entity said in a former life, its bye above all, does not harm the present one.
test_messages_of_a_former_life_do_no_harm() {
        local x='(app:x id:77-1@127.0.0.1)'

        config c
        start_wire wire here lo
        start_monitor m here udp: c --hello -F '%s %y %c'
        start_subscriber x here udp: c "$x" -F '%y %p'
        await_captured 'app:x .*mbus.hello'
        expect_exit 0 cli -b udp: -c "$folder/c" send --as '(app:r)' -r "$x" 'x.reliable()'
        expect_line x.out '^R x\.reliable\(\)$'
        signal x INT
        expect_end 130 x
        await_captured 'app:x .*mbus.bye'
        captured '^.{18}mbus/1.0 [0-9]+ [0-9]+ . \(app:x ' >"$folder/again"
        start_subscriber x here udp: c "$x" -F '%y %p'
        expect_exit 0 cli -b udp: -c "$folder/c" ping -C 1 "$x"
        send_raw here 239.255.255.247 47000 lo <"$folder/again"
        fence first
        expect_line m.out ' fence\.first$'
        expect_count m.out '^\(app:x .*mbus\.bye$' 1
        expect_exit 0 cli -b udp: -c "$folder/c" send -r "$x" 'x.again()'
        expect_line x.out '^R x\.again\(\)$'
        expect_file "x.out" 'R x.again()'
        expect_file "x.err" "ready $x"
        expect_dropped stale "$(wc -l <"$folder/again")"
}

# ADR-08: an id that was given is not changed. Who has had it for longer than two seconds keeps it.
test_of_two_that_live_under_one_address_the_later_parts() {
        local x='(app:x id:77-1@127.0.0.1)'

        config c
        start_subscriber x here udp: c "$x"
        sleep 2.5
        start_subscriber y here udp: c "$x"
        expect_line y.err '^mbus-cli: cannot join the bus: taken'
        expect_exit 0 cli -b udp: -c "$folder/c" send -r "$x" 'x.still()'
        expect_line x.out 'R .* x\.still\(\)$'
        expect_file "x.err" "ready $x"
}

# Somebody who came later has never heard of the source, and has nothing to go by but the time.
test_a_newcomer_may_refuse_what_is_old() {
        local now

        config c MAX_AGE=10
        now=$(date +%s%3N)
        start_monitor m here udp: c -F '%c'
        start_subscriber x here udp: c '(app:x)' -F '%p'
        say here lo c "mbus/1.0 7 $((now - 20000)) U (app:old id:1-1@127.0.0.1) (app:x) ()" 'x.old()'
        say here lo c "mbus/1.0 8 $((now - 20000)) R (app:old id:1-1@127.0.0.1) $(address_of x) ()" \
                'x.old()'
        say here lo c "mbus/1.0 7 $now U (app:new id:1-1@127.0.0.1) (app:x) ()" 'x.new()'
        expect_line m.out '^x\.new$'
        expect_line x.out '^x\.new\(\)$'
        expect_no_line m.out old
        expect_no_line x.out old
        expect_dropped stale 2
}

main "$@"
