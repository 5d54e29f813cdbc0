#!/usr/bin/env bash
# The recorded datagrams of other implementations, played to mbus-cli monitor: every command is
# printed with its values intact, what cannot be read is counted, what comes twice is printed once.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

VECTORS=${VECTORS:-$HERE/../vectors}

prepare() {
        python3 "$HERE/vectors.py" prepare "$VECTORS" "$folder" ||
                fail "vectors" "prepared" "an error"
}

# play HOST INTERFACE N: sends all datagrams of configuration N.
play() {
        local group port

        read -r group port <"$folder/$3/group"
        send_raw "$1" "$group" "$port" "$2" <"$folder/$3/datagrams"
}

# has_messages FILE N: of others than a broker.
has_messages() {
        [ "$(grep -cv '"app":"mbus-broker"' "$1")" -ge "$2" ]
}

# expect_printed NAME N: the monitor has printed as many messages as were sent, and ends.
expect_printed() {
        local messages

        read -r _ messages _ <"$folder/$2/numbers"
        until_ok has_messages "$folder/$1.out" "$messages" ||
                fail "config $2" "$messages messages" "$(cat "$folder/$1.out")"
        signal "$1" INT
        expect_end 130 "$1"
        cp "$folder/$1.out" "$folder/$2/printed"
}

# All that was printed is what was sent, and there is nothing else.
expect_the_same() {
        python3 "$HERE/vectors.py" compare "$folder" >"$folder/differences" 2>&1 ||
                fail "what was printed" "all as sent" "$(cat "$folder/differences")"
        passed
}

# expect_dropped NAME N: as the summary of the monitor has it.
expect_dropped() {
        local messages malformed repeated want

        read -r _ messages malformed repeated <"$folder/$2/numbers"
        want="$messages messages, $messages printed"
        [ "$malformed" = 0 ] || want+=", $malformed dropped (malformed)"
        [ "$repeated" = 0 ] || want+=", $repeated dropped (duplicate)"
        expect "summary of config $2" "$want" "$(tail -n 1 "$folder/$1.err")"
}

each_config() {
        local n

        for ((n = 0; n < 100; n++)); do
                [ -e "$folder/$n" ] || break
                "$@" "$n"
        done
        expect "configurations" 14 "$n"
}

test_all_vectors_are_there() {
        expect "rfc3259.jsonl" 70 "$(wc -l <"$VECTORS/rfc3259.jsonl")"
        expect "ucl.jsonl" 41 "$(wc -l <"$VECTORS/ucl.jsonl")"
        expect "bremen.jsonl" 4 "$(wc -l <"$VECTORS/bremen.jsonl")"
        expect "jmbus.jsonl" 6 "$(wc -l <"$VECTORS/jmbus.jsonl")"
        prepare
        expect "datagrams, messages, unreadable, repeated" "121 116 3 2" \
                "$(cat "$folder"/*/numbers | awk '{ for (i = 1; i <= 4; i++) n[i] += $i }
                        END { print n[1], n[2], n[3], n[4] }')"
}

play_direct() {
        start_monitor "direct$1" here udp: "$1/config" -j --hello
        play here lo "$1"
        expect_printed "direct$1" "$1"
        expect_dropped "direct$1" "$1"
}

# MSG-12 MSG-13 MSG-14 CMD-01 CMD-02 CMD-03 CMD-04 SEC-02 SEC-04 SEC-05 CFG-07
test_each_datagram_is_printed_as_it_was_meant() {
        prepare
        each_config play_direct
        expect_the_same
}

play_to_broker() {
        start_broker "broker$1" here "$1/config"
        start_monitor "brokered$1" here "unix:$folder/broker$1.sock" "$1/config" -j --hello
        play here lo "$1"
        expect_printed "brokered$1" "$1"
        stop "broker$1"
}

test_each_datagram_is_printed_through_a_broker_too() {
        prepare
        each_config play_to_broker
        expect_the_same
}

play_ucl() {
        # Those with an ADDRESS are on other buses than the rest, which is not looked at here.
        if grep -q ADDRESS "$folder/$1/config"; then
                rm "$folder/$1/expected"
                return
        fi
        echo DIALECT=UCL >>"$folder/$1/config"
        start_monitor "ucl$1" a udp: "$1/config" -j --hello
        play a wire "$1"
        expect_printed "ucl$1" "$1"
        expect_dropped "ucl$1" "$1"
}

# Old programs join where the default route leads.
test_a_bus_of_the_old_dialect_reads_the_same() {
        prepare
        two_hosts
        on a ip route add default dev wire
        each_config play_ucl
        expect_the_same
}

main "$@"
