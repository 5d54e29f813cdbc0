#!/usr/bin/env bash
# DIALECT=UCL beside the old programs, each played with what it cannot do without (old-peer.py): direct,
# through a broker whose main bus is theirs, and over a route (spec/errata.md, 14, 48, 77 and 79 to 82).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

RAT='(media:audio module:engine app:rat id:77)'
UCL='(app:old module:x id:123)'

# The bus of the old programs, in a file that keygen makes, where the kernel puts INADDR_ANY.
old_bus() {
        ip route replace 224.0.0.0/4 dev lo || fail route there none
        expect_exit 0 cli keygen --dialect ucl --cipher none -o "$folder/old"
}

# start_old NAME KIND ADDRESS: what it is told to do is written to NAME.todo.
start_old() {
        : >"$folder/$1.todo"
        start "$1" here python3 "$HERE/old-peer.py" "$2" "$folder/old" "$3" "$folder/$1.todo"
        expect_line "$1.out" '^ready$'
}

# tell NAME LINE
tell() {
        printf '%s\n' "$2" >>"$folder/$1.todo"
}

# The three ways to the bus; each test of a habit goes all of them.
#       direct  udp:
#       main    a broker on their bus
#       route   a broker on a bus of the RFC, with a route each way
WAYS='direct main route'

# open_way WAY: ${there[@]} are the options of mbus-cli then.
open_way() {
        there=(-b udp: -c "$folder/old")
        case $1 in
        main) start_broker b here old ;;
        route)
                # They bind their port on any address, and hear other groups there.
                config b PORT=47001
                {
                        echo '[bus old]'
                        grep -E '^(HASHKEY|ENCRYPTIONKEY|ADDRESS|DIALECT)=' "$folder/old"
                        echo 'ROUTE=to=main'
                        echo 'ROUTE=from=main'
                } >>"$folder/b"
                start_broker b here b
                expect_line b.err ' are joined$'
                ;;
        esac
        [ "$1" = direct ] || there=(-b "unix:$folder/b.sock")
}

close_way() {
        [ "$1" = direct ] && return
        stop b
        expect_no_line b.err 'ERROR|runtime error|not in 239'
}

# cli_way STATUS VERB...
cli_way() {
        expect_exit "$1" cli "${there[@]}" "${@:2}"
}

# start_ours ADDRESS
start_ours() {
        start ours here "$MBUS_CLI" "${there[@]}" subscribe -F '%y %p' "$1"
        expect_line ours.err '^ready '
}

# What we send is read by all of them; what they send to a part of an address comes, and is acknowledged.
test_messages_both_ways() {
        local way kind

        old_bus
        for way in $WAYS; do
                for kind in ucl gmbus jmbus; do
                        open_way "$way"
                        start_old old "$kind" "$UCL"
                        start_ours '(app:ours module:ui)'
                        expect_line old.out '^joined \(app:ours '
                        cli_way 0 send -r '(app:old)' 'math.sum.return((("ID" "45") ("S" "OK")) ((OK "") (8)))'
                        expect_line old.out '^got R \(app:mbus-cli .* math.sum.return \(\(\("ID" "45" \) '
                        cli_way 0 send '(app:old)' 'x(1)' 'y()'
                        expect_line old.out '^got U .* x \(1 \)$'
                        expect_line old.out '^got U .* y \(\)$'
                        tell old 'R (app:ours) rat.kill ("now" )'
                        expect_line old.out '^acked '
                        expect_line ours.out '^R rat.kill ?\("now" ?\)$'
                        tell old 'U (module:ui) z ()'
                        expect_line ours.out '^U z ?\(\)$'
                        expect_no_line old.out '^(dropped|failed)'
                        stop ours
                        stop old
                        close_way "$way"
                done
        done
        # Nothing was odd about the file.
        expect_exit 0 cli -b udp: -c "$folder/old" send '()' 'a()'
        expect_no_line err 'not in 239|Old programs'
}

# It tells repetitions by the SeqNum alone.
test_five_lives_of_one_address_are_all_heard() {
        local way i

        old_bus
        for way in $WAYS; do
                open_way "$way"
                start_old old ucl "$UCL"
                for i in 1 2 3 4 5; do
                        cli_way 0 send -r --as '(app:me id:7-1@127.0.0.1)' '(app:old)' "life($i)"
                done
                for i in 1 2 3 4 5; do
                        expect_line old.out "^got R .* life \\($i \\)\$"
                done
                expect_no_line old.out '^repeated'
                stop old
                close_way "$way"
        done
}

# Forty entities, and none is silent for five seconds.
test_nobody_of_many_is_taken_for_dead() {
        local way i

        old_bus
        for way in direct main; do
                open_way "$way"
                start_old old ucl "$UCL"
                for i in $(seq 40); do
                        start "many$i" here "$MBUS_CLI" "${there[@]}" subscribe "(app:many n:$i)"
                done
                expect_lines old.out '^joined \(app:many ' 40
                sleep 7
                expect_no_line old.out '^left'
                for i in $(seq 40); do
                        stop "many$i"
                done
                expect_lines old.out '^left \(app:many .* bye$' 40
                stop old
                close_way "$way"
        done
}

# It dies of mbus.ping, answers after mbus.go only, and dies when the answer finds nobody.
test_rat_lives() {
        local way

        old_bus
        for way in $WAYS; do
                open_way "$way"
                start_old rat rat "$RAT"
                start_ours '(app:ours)'
                expect_line ours.out '^U mbus.waiting ?\("?rat-ui-requested"? ?\)$'
                cli_way 2 send '(app:rat)' 'mbus.go("rat-ui-requested")'
                expect_err_match '*mbus.go is to be sent reliably*add -r*'
                cli_way 2 send -r '(app:rat)' 'mbus.waiting(x)'
                cli_way 0 send -r --stay 2 -F '%y %p' '(app:rat)' 'mbus.go(rat-ui-requested)' \
                        'tool.rat.settings()' 'audio.query()'
                expect_match "what came back" '*R audio.channel?"mono"?*' "$(cat "$folder/out")"
                expect_line rat.out '^got R .* mbus.go \("rat-ui-requested" \)$'
                expect_line rat.out '^got R .* tool.rat.settings \(\)$'
                expect_line rat.out '^acked '
                cli_way 0 ping -C 1 -W 5 '(app:rat)'
                expect_match "ping" '(*app:rat*' "$(cat "$folder/out")"
                cli_way 0 list '(app:rat)'
                expect_no_line rat.out '^(aborted|dropped)'
                # Who leaves at once kills it.
                cli_way 0 send -r '(app:rat)' 'audio.query()'
                expect_line rat.out '^aborted: nobody'
                expect_end 134 rat
                stop ours
                close_way "$way"
        done
}

is_listed() {
        "$MBUS_CLI" "${there[@]}" list "$1" >/dev/null 2>&1 </dev/null
}

is_not_listed() {
        ! is_listed "$1"
}

# Its silence is noticed soon, though the numbers of another have gaps: those that wait in its queue have
# theirs already.
test_a_dead_old_program_is_missed_soon() {
        local way started

        old_bus
        for way in main route; do
                open_way "$way"
                start_old old ucl "$UCL"
                start_old queue ucl '(app:queue id:5)'
                until_ok is_listed '(app:old)' || fail "the old program" there none
                tell queue 'R (app:nobody) x (1 )'
                tell queue 'R (app:nobody) x (2 )'
                tell queue 'R (app:nobody) x (3 )'
                sleep 2
                die old
                started=$SECONDS
                until_ok is_not_listed '(app:old)' || fail "the dead one" gone there
                [ $((SECONDS - started)) -le 8 ] ||
                        fail "a dead old program" "missed within 6 s" "$((SECONDS - started)) s"
                passed
                stop queue
                close_way "$way"
        done
}

main "$@"
