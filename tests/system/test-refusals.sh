#!/usr/bin/env bash
# What the tool says, and its exit status, when something is not done: the broker denies it, several
# entities match, nobody answers, the bus cannot be what -b says.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

STRANGER=65533

# start_shared LINE...: a broker that others may connect to, with these lines of [policy].
start_shared() {
        config b '[broker]' 'SOCKET_MODE=0666' 'MULTICAST=never' '[policy]' "$@"
        mkdir -m 700 "$folder/stranger"
        chown "$STRANGER" "$folder/stranger"
        chmod 711 "$folder"
        start_broker b here b
}

# expect_as_stranger STATUS ARGUMENT...: mbus-cli of another user, through the broker.
expect_as_stranger() {
        local status=$1

        shift
        expect_exit "$status" setpriv --reuid "$STRANGER" --regid "$STRANGER" --clear-groups env \
                HOME="$folder/stranger" XDG_RUNTIME_DIR="$folder/stranger" \
                "$MBUS_CLI" -b "unix:$folder/b.sock" "$@"
}

# Unreliable messages are not answered, and are denied all the same.
test_what_policy_denies_of_send_is_exit_7() {
        can_be_a_stranger || return 0
        start_shared "allow user=$STRANGER attach=(app:mbus-cli) send=(app:x) commands=x.,mbus."
        start_subscriber x here "unix:$folder/b.sock" b '(app:x)' -F '%p'
        expect_as_stranger 0 send '(app:x)' 'x.one()'
        expect_line x.out '^x\.one\(\)$'
        expect_as_stranger 7 send '(app:x)' 'y.two()'
        expect_err 'mbus-cli: (app:x): denied: [policy] does not let it send this command there: that takes it in commands= of a line for its user that has send= for there
mbus-cli: mbus-cli send takes a line of [policy] for this user with attach= for --as, else attach=(app:mbus-cli), and send= for DEST, with each COMMAND if that line has commands='
        expect_as_stranger 7 send '()' 'x.three()'
        expect_err_match '*: denied: \[policy\] does not let it send there: that takes send= in a line for its user*'
        expect_as_stranger 7 send --as '(app:y)' '(app:x)' 'x.four()'
        expect_err_match '*that takes attach= in a line for this user*mbus-cli send takes *'
        expect_count x.out '' 1
}

test_each_denial_says_what_the_verb_takes() {
        can_be_a_stranger || return 0
        start_shared "allow user=$STRANGER attach=(app:mbus-cli) send=* watch=no"
        expect_as_stranger 7 list
        expect_err_match '*that takes a line for this user with attach=, send= or watch=yes, and without watch=no*mbus-cli list takes a line of \[policy\] for this user with watch=yes'
        expect_as_stranger 7 monitor
        expect_err_match '*takes observe=yes in a line for this user*mbus-cli monitor takes a line of \[policy\] for this user with observe=yes'
        expect_as_stranger 7 ping '(app:x)'
        expect_err_match '*takes observe=yes in a line for this user*mbus-cli ping takes * with attach=(app:mbus-cli), send= for ADDR, watch=yes and observe=yes'
        expect_as_stranger 7 subscribe '(app:x)'
        expect_err_match '*takes attach= in a line for this user*mbus-cli subscribe takes * with attach= for ADDR'
}

# No line gives it, so none is named, whatever the user may attach.
test_a_stranger_who_asks_for_the_status_is_told_the_one_thing_it_takes() {
        can_be_a_stranger || return 0
        start_shared "deny user=0"
        expect_as_stranger 7 status
        expect_err "mbus-cli: the broker does not tell: denied: only its own user and root may ask, whatever [policy] says
mbus-cli: mbus-cli status takes to be the broker's own user or root"
        config b '[broker]' 'SOCKET_MODE=0666' 'MULTICAST=never' '[policy]' 'allow user=* all'
        signal b HUP
        expect_line b.err 'was read again'
        expect_as_stranger 7 status
        expect_err_match '*only the owner of the broker, its own user or root, may ask for this*'
}

# expect_not_unique URL: of seven five are shown.
expect_not_unique() {
        expect_exit 4 cli -b "$1" -c "$folder/b" send -r -W 10 '(part:many)' 'x.y()'
        expect_count err '^  \(app:m' 5
        expect_count err '^  and 2 more, which mbus-cli list shows$' 1
        expect_count err '^mbus-cli: several entities match \(part:many\); a reliable' 1
}

test_who_matches_is_shown_in_part_if_a_reliable_message_matches_many() {
        config b
        start_broker b here b
        for i in 1 2 3 4 5 6 7; do
                start_subscriber "m$i" here "unix:$folder/b.sock" b "(app:m$i part:many)"
        done
        expect_not_unique "unix:$folder/b.sock"
        expect_not_unique udp:
}

# expect_silence ARGUMENT...: status 9, and not for ever.
expect_silence() {
        local start=$EPOCHREALTIME url="unix:$folder/b.sock"

        expect_exit 9 cli -b "$url" "$@"
        expect_err_match "*mbus-cli: $url does not answer*"
        # On a busy machine all takes longer, but nothing hangs.
        [ "$((${EPOCHREALTIME/./} - ${start/./}))" -lt 9000000 ] ||
                fail "$*" "an end" "it took 9 s"
}

test_a_broker_that_does_not_answer_ends_each_verb() {
        config b
        start_broker b here b
        signal b STOP
        for wait in '' '-W 0.3'; do
                # shellcheck disable=SC2086
                for verb in list monitor ping status; do
                        expect_silence $verb $wait
                done
                # shellcheck disable=SC2086
                expect_silence subscribe $wait '(app:x)'
                # shellcheck disable=SC2086
                expect_silence send $wait '(app:x)' 'x.y()'
                # shellcheck disable=SC2086
                expect_silence send -r $wait '(app:x)' 'x.y()'
        done
        signal b CONT
}

test_a_plain_user_whose_broker_has_no_place_is_told_how_to_give_it_one() {
        can_be_a_stranger || return 0
        mkdir -m 700 "$folder/stranger"
        chown "$STRANGER" "$folder/stranger"
        chmod 711 "$folder"
        expect_exit 9 setpriv --reuid "$STRANGER" --regid "$STRANGER" --clear-groups \
                env -u XDG_RUNTIME_DIR HOME="$folder/stranger" "$MBUS_BROKER" --foreground
        expect_line err 'XDG_RUNTIME_DIR is not set: set it, or name a socket of your own with --socket PATH'
}

# What is written wrongly is one kind (2), what is not there another (9).
test_a_bus_that_is_no_url_is_usage_and_one_that_is_not_there_is_9() {
        config b
        for url in foo: foo '' udp:x auto:x mem: tcp: tcp::80 tcp:127.0.0.1 tcp:127.0.0.1:0 \
                tcp:127.0.0.1:99999 tcp:127.0.0.1:99999999999999999999 tcp:127.0.0.1:x 'tcp:[::1:80' \
                'tcp:[]:80'; do
                expect_exit 2 cli -b "$url" -c "$folder/b" list -W 0.1
        done
        for url in "unix:$folder/none" tcp:127.0.0.1:1 'tcp:[::1]:1'; do
                expect_exit 9 cli -b "$url" -c "$folder/b" list -W 0.1
        done
}

main "$@"
