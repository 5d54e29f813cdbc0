#!/usr/bin/env bash
# mbus-cli status: what the owner of a broker sees, what others do not, and where there is none
# (spec/attach.md, "The owner").
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# The value of $1 in the output of the last command.
value_of() {
        sed -n "s/^$1\t//p" "$folder/out"
}

# What python makes of the JSON in the output, by an expression about `o`.
json() {
        python3 -c "import json, sys; o = json.load(sys.stdin); print($1)" <"$folder/out"
}

test_status_is_a_name_and_a_value_a_line() {
        config c '[broker]' 'MULTICAST=never'
        start_broker b here c
        start_subscriber x here "unix:$folder/b.sock" c '(app:x)'
        expect_exit 0 cli -b "unix:$folder/b.sock" status
        expect_err ''
        expect pid "${pid_of[b]}" "$(value_of pid)"
        expect socket "$folder/b.sock" "$(value_of socket)"
        expect multicast never "$(value_of multicast)"
        expect clients 2 "$(value_of clients)"
        expect 'local entities' 3 "$(value_of entities-local)"
        expect_match 'hello interval' '1.[0-9][0-9][0-9]' "$(value_of hello-interval-seconds)"
        expect 'figures that are 0 are left out' '' "$(value_of dropped-denied)"
        expect 'the only bus' \
                'where 239.255.255.247:47000	interface lo	dialect rfc3259	local 3	remote 0	joined -	standby -	routes -' \
                "$(value_of 'bus main')"
        expect 'lines of clients' 2 "$(grep -c '^link [0-9]*	pid ' "$folder/out")"
}

test_json_holds_status_figures_clients_and_entities() {
        config c
        start_broker b here c
        start_subscriber x here "unix:$folder/b.sock" c '(app:x)'
        expect_exit 0 cli -b "unix:$folder/b.sock" status -j
        expect 'keys' "['buses', 'clients', 'entities', 'stats', 'status']" "$(json 'sorted(o)')"
        expect 'pid' "${pid_of[b]}" "$(json 'o["status"]["pid"]')"
        expect 'a figure that is 0' 0 "$(json 'o["stats"]["dropped-denied"]')"
        expect 'clients' '[1, 2]' "$(json 'sorted(c["link"] for c in o["clients"])')"
        expect 'the entity of the subscriber' 1 \
                "$(json "[e['link'] for e in o['entities'] if e['address'].startswith('(app:x ')][0]")"
}

test_others_are_denied_with_7() {
        can_be_a_stranger || return 0
        config c '[policy]' 'allow user=65533 all'
        start_broker b here c
        chmod 755 "$folder"
        chmod 666 "$folder/b.sock"
        expect_exit 7 setpriv --reuid 65533 --regid 65533 --clear-groups \
                "$MBUS_CLI" -b "unix:$folder/b.sock" status
        expect_out ''
        expect_err_match 'mbus-cli: the broker does not tell: denied: only the owner of the broker, its own user or root, may ask for this, whatever *'
}

# as_stranger STATUS VERB...: as somebody whom the broker b knows by its policy only.
as_stranger() {
        local status=$1

        shift
        expect_exit "$status" setpriv --reuid 65533 --regid 65533 --clear-groups \
                "$MBUS_CLI" -b "unix:$folder/b.sock" "$@"
}

# forbidden WHAT KEY: what is said of that, and how to mend it.
forbidden() {
        printf 'denied: \\[policy\\] of the broker does not let this user %s: that takes *%s*' "$1" "$2"
}

test_what_the_policy_forbids_ends_with_7_and_says_so() {
        can_be_a_stranger || return 0
        config c
        start_broker b here c
        chmod 755 "$folder"
        chmod 666 "$folder/b.sock"
        as_stranger 7 monitor
        expect_err_match "mbus-cli: cannot monitor: $(forbidden observe observe=yes)"
        as_stranger 7 list
        expect_err_match "mbus-cli: cannot list: $(forbidden watch watch=yes)"
        as_stranger 7 ping
        expect_line err '^mbus-cli: cannot ping: denied: \[policy\] of the broker '
        as_stranger 7 subscribe '(app:x)'
        expect_err_match "mbus-cli: cannot join the bus: $(forbidden 'attach it' attach=)"
        as_stranger 7 send '(app:x)' 'x.y()'
        expect_err_match "mbus-cli: cannot join the bus: $(forbidden 'attach it' attach=)"
}

test_a_monitor_that_is_forbidden_later_ends_with_7() {
        can_be_a_stranger || return 0
        config c '[policy]' 'allow user=65533 observe=yes'
        start_broker b here c
        chmod 755 "$folder"
        chmod 666 "$folder/b.sock"
        start m here setpriv --reuid 65533 --regid 65533 --clear-groups \
                "$MBUS_CLI" -b "unix:$folder/b.sock" monitor
        expect_line m.err '^monitoring unix:'
        config c
        signal b HUP
        expect_end 7 m
        expect_line m.err '^mbus-cli: cannot monitor: denied: \[policy\] of the broker has changed'
}

test_an_entity_that_the_owner_drops_is_told_and_ends() {
        config c
        start_broker b here c
        start_subscriber x here "unix:$folder/b.sock" c '(app:x)'
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(app:mbus-broker)' \
                "broker.drop(\"$(address_of x)\")"
        expect_end 7 x
        expect_line x.err ': denied: the owner of the broker took it off the bus$'
}

test_a_command_that_the_broker_does_not_do_is_no_success() {
        config c
        start_broker b here c
        expect_exit 2 cli -b "unix:$folder/b.sock" send -r '(app:mbus-broker)' 'broker.dorp(1)'
        expect_err 'mbus-cli: (app:mbus-broker): malformed: there is no command broker.dorp, is broker.drop meant?'
        expect_line b.err 'there is no command broker\.dorp, is broker\.drop meant\?'
        expect_exit 5 cli -b udp: -c "$folder/c" send -r '(app:mbus-broker)' 'broker.drop(1)'
        expect_line b.err 'broker\.drop from \(.*is not done: the broker takes no commands from the'
}

test_without_a_broker_it_ends_with_9_and_tries_no_network() {
        local bus

        for bus in "unix:$folder/none.sock" udp: mem:x; do
                expect_exit 9 cli -b "$bus" status
                expect_out ''
        done
        can_be_a_stranger || return 0
        # Not as root, whose usual place may be in use.
        chmod 777 "$folder"
        HOME=$folder XDG_RUNTIME_DIR=$folder expect_exit 9 \
                setpriv --reuid 65533 --regid 65533 --clear-groups "$MBUS_CLI" status
        [ ! -e "$folder/.mbus" ] || fail 'a configuration' 'none' 'was made'
        passed
}

test_a_broker_that_does_not_answer_ends_it_with_9() {
        config c
        start_broker b here c
        signal b STOP
        expect_exit 9 cli -b "unix:$folder/b.sock" status -W 200ms
        expect_err_match '*does not answer'
        signal b CONT
}

main "$@"
