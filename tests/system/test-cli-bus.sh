#!/usr/bin/env bash
# Every verb of mbus-cli on a bus without a broker: what it prints, its exit status, and what is on
# the wire, in both dialects and over IPv4, IPv6 and broadcast (RFC 3259, 6 to 9).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# expect_bus STATUS VERB...: with the configuration c.
expect_bus() {
        local status=$1

        shift
        expect_exit "$status" cli -c "$folder/c" -b udp: "$@"
}

# ADR-06 MSG-09 MSG-10
test_what_is_sent_is_printed_by_those_it_matches() {
        config c
        start_subscriber a here udp: c '(app:x module:a)' -C 2 -F '%y %t %p'
        start_subscriber b here udp: c '(app:x module:b)' -C 1 -F '%y %t %p'
        expect_bus 0 send '(app:x)' 'x.one(1 -2.50 "q\"\\" sym <AAEC> (1 (2)))' 'x.two()'
        expect_out ""
        expect_err ""
        expect_end 0 b
        expect_bus 0 send '(module:a app:x)' 'x.three()'
        expect_end 0 a
        expect_file "a.out" 'U (app:x) x.one(1 -2.50 "q\"\\" sym <AAEC> (1 (2))); x.two()
U (app:x module:a) x.three()'
        expect_file "b.out" 'U (app:x) x.one(1 -2.50 "q\"\\" sym <AAEC> (1 (2))); x.two()'
}

# Two that never stop to announce themselves.
start_twins() {
        local i now

        now=$(date +%s%3N)
        for i in 1 2; do
                printf 'mbus/1.0 0 %s U (app:twin id:%s-1@127.0.0.1) () ()\r\nmbus.hello()' \
                        "$now" "$i" | python3 "$HERE/datagram.py" seal "$folder/c"
        done >"$folder/twins"
        start twins here python3 "$HERE/datagram.py" repeat 239.255.255.247 47000 lo "$folder/twins"
}

# REL-01 REL-03 REL-08 ADR-10
test_a_reliable_message_goes_to_exactly_one() {
        config c
        start_subscriber a here udp: c '(app:x module:a)' -F '%y %t %p'
        start_subscriber b here udp: c '(app:x module:b)' -F '%y %t %p'
        expect_bus 0 send -r '(app:x module:a)' 'x.y(1)'
        expect_err ""
        expect_file "a.out" "R $(address_of a) x.y(1)"
        expect_bus 0 send -r "$(address_of b)" 'x.y(2)'
        expect_file "b.out" "R $(address_of b) x.y(2)"
        # Those who answer too late for the tool on a slow machine: it is told of two all the time.
        start_twins
        expect_bus 4 send -r '(app:twin)' 'x.y(3)'
        expect_line err '^mbus-cli: several entities match \(app:twin\); a reliable message goes to exactly one$'
        expect "the matches" "  (app:twin id:1-1@127.0.0.1)
  (app:twin id:2-1@127.0.0.1)" "$(grep '^  ' "$folder/err" | sort)"
        expect_bus 3 send -r -W 1.1 '(app:nobody)' 'x.y(4)'
        expect_err 'mbus-cli: no entity matches (app:nobody)'
        expect_count a.out . 1
        expect_count b.out . 1
}

# MSG-03 MSG-06 REL-05 REL-08
test_a_message_that_nobody_acknowledges_ends_with_5() {
        local ghost='(app:ghost id:1-1@127.0.0.1)'

        config c
        start_wire wire here lo
        start send here "$MBUS_CLI" -c "$folder/c" -b udp: send -r "$ghost" 'x.y(1)'
        expect_line wire.out "$(hex "$ghost ()")0d0a$(hex 'mbus.ping()')\$"
        say here lo c "mbus/1.0 0 $(date +%s%3N) U $ghost () ()" 'mbus.hello()'
        expect_end 5 send
        expect_file "send.err" "mbus-cli: $ghost: timeout"
        expect_lines wire.out "$(hex 'x.y(1)')\$" 3
        expect "different transmissions" 1 \
                "$(grep "$(hex 'x.y(1)')\$" "$folder/wire.out" | cut -d' ' -f7 | sort -u | wc -l)"
}

lists_json() {
        "$MBUS_CLI" -b udp: -c "$folder/c" list -j '(module:b)' >"$folder/json" 2>&1 </dev/null
        [ "$(python3 -c 'import json, sys
row = json.loads(sys.stdin.read())
print(row["addr"]["module"], row["text"], row["flags"])' <"$folder/json" 2>&1)" = \
                "b $(address_of b) []" ]
}

test_list_shows_who_is_there() {
        config c
        start_subscriber a here udp: c '(app:x module:a)'
        start_subscriber b here udp: c '(app:x module:b)'
        expect_list "$(printf '%s\n' "$(address_of a)" "$(address_of b)" | sort)" \
                "$MBUS_CLI" -b udp: -c "$folder/c" list
        until_ok lists_json || fail "JSON" "b $(address_of b) []" "$(cat "$folder/json")"
        passed
        expect_bus 3 list -W 0.1 '(app:nobody)'
        expect_err 'mbus-cli: no entity matches (app:nobody)'
        expect_bus 0 list -W 0.1
}

# AWR-10
test_ping_shows_who_answers() {
        config c
        start_subscriber a here udp: c '(app:x module:a)'
        start_subscriber b here udp: c '(app:x module:b)'
        expect_bus 0 ping -C 2
        expect_count out ' ms$' 2
        expect_bus 0 ping -C 1 '(module:b)'
        expect "who answered" "$(address_of b)" "$(cut -f1 "$folder/out")"
        expect_bus 27 ping -W 1.2 -C 2 '(module:b)'
        expect_bus 3 ping -W 0.1 '(app:nobody)'
        signal b STOP
        expect_bus 0 ping '(module:a)'
        expect_bus 3 ping -W 0.5 '(module:b)'
        signal b CONT
}

test_time_that_is_over_ends_with_27() {
        config c
        expect_bus 27 subscribe -W 0.1 '(app:x)'
        expect_bus 27 subscribe -W 100ms -C 1 '(app:x)'
        expect_line err '^mbus-cli: time is over after 0 of 1 messages$'
        expect_bus 27 monitor -W 0.1
        expect_line err '^0 messages, 0 printed$'
}

test_a_monitor_with_filters_sees_what_matches_and_counts_nothing_else() {
        config c
        start_monitor m here udp: c -F '%p' -p x. '(module:a)' '(module:b)'
        start_monitor all here udp: c -F '%p'
        expect_bus 0 send '(app:x module:a)' 'x.one()'
        expect_bus 0 send '(app:x module:a)' 'y.two()'
        expect_bus 0 send '(app:x)' 'x.three()'
        expect_bus 0 send --as '(module:b)' '()' 'y.four()' 'x.four()'
        expect_line all.out 'y\.four'
        expect_file m.out 'x.one()
y.four(); x.four()'
        signal m INT
        expect_end 130 m
        expect_line m.err '^2 messages that match, 2 printed$'
}

# AWR-07 AWR-08
test_an_interrupted_subscriber_says_bye() {
        config c
        start_monitor m here udp: c --hello -F '%s %c'
        start_subscriber a here udp: c '(app:x)'
        signal a INT
        local address

        address=$(address_of a)
        expect_end 130 a
        expect_line m.out "^$(sed 's/[().]/\\&/g' <<<"$address") mbus\.bye$"
        start_subscriber b here udp: c '(app:y)'
        signal b TERM
        expect_end 143 b
        expect_line m.out '^\(app:y .* mbus\.bye$'
        signal m INT
        expect_end 130 m
        expect_line m.err '^[0-9]+ messages, [0-9]+ printed'
}

test_output_is_flushed_at_once_and_a_closed_pipe_ends_it() {
        config c
        mkfifo "$folder/pipe"
        start_monitor m here udp: c -F %c
        # A reader that takes one line, as head(1) does.
        head -n 1 <"$folder/pipe" >"$folder/head.out" &
        "$MBUS_CLI" -c "$folder/c" -b udp: subscribe -F %p '(app:x)' >"$folder/pipe" \
                2>"$folder/s.err" </dev/null &
        pid_of[s]=$!
        expect_line s.err '^ready '
        expect_bus 0 send '(app:x)' 'x.first()'
        expect_line head.out '^x\.first\(\)$'
        # No second message is needed to find out that nobody reads any more.
        expect_end 0 s
        expect_line m.out '^mbus\.bye$|^x\.first$'
}

# TRN-04
test_a_message_that_is_too_large_is_refused_with_both_numbers() {
        local long

        config c
        config ucl DIALECT=UCL
        printf -v long '%070000d' 0
        expect_bus 2 send '(app:x)' "x.y(\"$long\")"
        expect_line err '^mbus-cli: cannot send: the message has 700[0-9]{2} octets, header included, and on this bus one may have 654[0-9]{2}$'
        expect_exit 2 cli -c "$folder/ucl" -b udp: send '(app:x)' "x.y(\"${long:0:1400}\")"
        expect_line err 'the message has 14[0-9]{2} octets, header included, and on this bus one may have 13[0-9]{2}$'
        start_subscriber a here udp: c '(app:x)' -C 1 -F '%l'
        expect_bus 0 send '(app:x)' "x.y(\"${long:0:65000}\")"
        expect_end 0 a
        expect_match "size" '65[01]??' "$(cat "$folder/a.out")"
}

test_every_format_letter_prints_its_part() {
        config c
        start_subscriber a here udp: c '(app:x)' -C 1 \
                -F '%t|%s|%p|%c|%a|%n|%y|%k|%I|%U|%T|%l|%m|%x|%%\t%j\t%J'
        expect_bus 0 send --as '(app:s)' '(app:x)' 'x.y(1 "a")'
        expect_end 0 a
        IFS='|' read -ra part <"$folder/a.out"
        expect "%t" '(app:x)' "${part[0]}"
        expect_match "%s" '(app:s id:*-*@127.0.0.1)' "${part[1]}"
        expect "%p" 'x.y(1 "a")' "${part[2]}"
        expect "%c" 'x.y' "${part[3]}"
        expect "%a" '(1 "a")' "${part[4]}"
        expect_match "%n" '[0-9]*' "${part[5]}"
        expect "%y" U "${part[6]}"
        expect "%k" '()' "${part[7]}"
        expect_match "%I" '2???-??-??T??:??:??.???Z' "${part[8]}"
        expect_match "%U" '??????????.?????????' "${part[9]}"
        expect_match "%T" '?????????????' "${part[10]}"
        expect "%l" "${#part[13]}" "$((${part[11]} * 2))"
        expect "%m" ok "${part[12]}"
        expect_match "%x" "$(hex 'mbus/1.0')*$(hex 'x.y(1 "a")')" "${part[13]}"
        expect_match "%j" '*"cmds":\["x.y(1 \\"a\\")"\]*' "${part[14]#*$'\t'}"
        expect_match "%J" '*"cmds":\[{"name":"x.y","args":\[1,"a"\]}\]*' "${part[14]##*$'\t'}"
}

# ---- on the wire -----------------------------------------------------------------------------

# deliver CONFIG [HOST]: one message, unreliably and reliably, from one program to another.
deliver() {
        local host=${2:-here}

        start_subscriber "to-$1" "$host" udp: "$1" '(app:x)' -C 2 -F '%y %p'
        expect_exit_on "$host" 0 cli -c "$folder/$1" -b udp: send '(app:x)' 'x.y(1)' 'x.z("a")'
        expect_exit_on "$host" 0 cli -c "$folder/$1" -b udp: send -r "$(address_of "to-$1")" 'x.y(2)'
        expect_end 0 "to-$1"
        expect_file "to-$1.out" 'U x.y(1); x.z("a")
R x.y(2)'
}

# SEC-02 SEC-03 SEC-04
test_every_cipher_and_digest_carries_reliable_messages() {
        local name

        for name in none aes des 3des idea; do
                expect_exit 0 cli keygen -o "$folder/$name" --cipher "$name" --hash md5
                deliver "$name"
        done
}

# MSG-01 MSG-12 MSG-14 TRN-06 TRN-09 TRN-10
test_what_the_rfc_says_is_on_the_wire() {
        config c
        start_wire wire here lo
        deliver c
        expect_line wire.out "^in 127\.0\.0\.1 [0-9]+ 239\.255\.255\.247 47000 [01] ([0-9a-f]{32})0d0a$(hex 'mbus/1.0 ')"
        expect_line wire.out "$(hex ' () ()')0d0a$(hex 'mbus.hello()')\$"
        expect_line wire.out "$(hex ' (app:x) ()')0d0a$(hex 'x.y(1)')0d0a$(hex 'x.z("a")')\$"
        expect_no_line wire.out '^in [^ ]+ 47000 '
}

# Heard by a socket as the old programs have it.
test_the_old_dialect_is_on_the_wire_when_asked_for() {
        config c DIALECT=UCL
        two_hosts
        on a ip route add default dev wire
        start_listener old a 239.255.255.247 47000
        deliver c a
        expect_line old.out "^in 10\.1\.0\.1 [0-9]+ 239\.255\.255\.247 47000 - ([0-9a-f]{32})0a$(hex 'mbus/1.0 ')"
        expect_line old.out "$(hex ' () ()')0a$(hex 'mbus.hello ()')0a\$"
        expect_line old.out "$(hex ' (app:x) ()')0a$(hex 'x.y (1 )')0a$(hex 'x.z ("a" )')0a\$"
        expect_no_line old.out '0d0a'
}

# Programs of both dialects understand each other, whatever each of them writes.
test_both_dialects_are_read_always() {
        config rfc
        config ucl DIALECT=UCL INTERFACE=lo
        start_subscriber a here udp: rfc '(app:x)' -C 1 -F %p
        start_subscriber b here udp: ucl '(app:y)' -C 1 -F %p
        expect_exit 0 cli -c "$folder/ucl" -b udp: send -r "$(address_of a)" 'x.y("to the new")'
        expect_exit 0 cli -c "$folder/rfc" -b udp: send -r "$(address_of b)" 'x.y("to the old")'
        expect_end 0 a
        expect_end 0 b
        expect_file "a.out" 'x.y("to the new")'
        expect_file "b.out" 'x.y("to the old")'
}

# TRN-07
test_ipv6_needs_the_route_that_the_error_names() {
        config six IPVERSION=6
        expect_exit 9 cli -c "$folder/six" -b udp: list
        # shellcheck disable=SC2016 # backquotes are part of it
        expect_err 'mbus-cli: lo: connect for [ff01::300]:47000: Network is unreachable: `ip -6 route add local ff00::/8 dev lo table local`'
        ip -6 route add local ff00::/8 dev lo table local
        start_wire wire here lo
        deliver six
        expect_line wire.out '^in ::1 [0-9]+ ff01::300 47000 [01] '
        ip -6 route del local ff00::/8 dev lo table local
}

# TRN-08
test_broadcast_stays_on_the_host() {
        config cast ADDRESS=BROADCAST
        start_wire wire here lo
        deliver cast
        expect_line wire.out '^in 127\.0\.0\.1 [0-9]+ 255\.255\.255\.255 47000 1 '
        expect_no_line wire.out ' 239\.'
}

main "$@"
