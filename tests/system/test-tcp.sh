#!/usr/bin/env bash
# mbus-cli on links over TCP: every verb, other keys, no broker, a broker that comes back (spec/attach.md).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

AES='ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODw==)'
URL=tcp:127.0.0.1:47111

# over_tcp STATUS VERB...
over_tcp() {
        local status=$1

        shift
        expect_exit "$status" cli -b "$URL" -c "$folder/c" "$@"
}

# configure [LINE...]: of the bus and of the broker.
configure() {
        config c "$@"
        { cat "$folder/c" && printf '[broker]\nTCP=127.0.0.1:47111\n'; } >"$folder/b"
        chmod 600 "$folder/b"
}

test_every_verb_works_over_tcp() {
        configure "$AES"
        start_broker b here b
        start_subscriber x here "$URL" c '(app:x module:a)' -F '%y %t %p'
        start_subscriber y here "unix:$folder/b.sock" c '(app:x module:b)' -F '%y %t %p'
        start_monitor m here "$URL" c -F '%p'
        over_tcp 0 send '(app:x)' 'x.all(1)' 'x.more()'
        over_tcp 0 send -r '(module:a)' 'x.one()'
        over_tcp 0 send -r '(module:b)' 'x.two()'
        over_tcp 4 send -r '(app:x)' 'x.no()'
        over_tcp 3 send -r '(app:nobody)' 'x.no()'
        expect_exit 0 cli -b "unix:$folder/b.sock" send -r '(module:a)' 'x.three()'
        expect_line x.out "x\.three"
        expect "x" "U (app:x) x.all(1); x.more()
R $(address_of x) x.one()
R $(address_of x) x.three()" "$(cat "$folder/x.out")"
        expect_line y.out 'x\.two'
        over_tcp 0 list '(app:x)'
        expect_count out . 2
        over_tcp 0 ping -C 2 '(app:x)'
        over_tcp 0 status
        expect_line m.out 'x\.one'
        stop x
        over_tcp 3 list '(module:a)'
        stop b
        expect_line b.err ends
}

test_large_messages_and_many_of_them_pass() {
        local text

        configure "$AES"
        start_broker b here b
        start_subscriber x here "$URL" c '(app:x)' -C 102 -F '%p'
        text=$(head -c 40000 /dev/zero | tr '\0' x)
        over_tcp 0 send '(app:x)' "x.y(\"$text\")"
        for ((i = 0; i < 100; i++)); do
                echo "x.z($i)"
        done >"$folder/many"
        over_tcp 0 send -r '(app:x)' "x.y(\"$text\")"
        xargs -d '\n' -a "$folder/many" -n 1 "$MBUS_CLI" -b "$URL" -c "$folder/c" send '(app:x)'
        expect_end 0 x
        expect "the large ones" "2" "$(grep -c "^x\.y(\"$text\")$" "$folder/x.out")"
        expect "the small ones" "$(seq -f 'x.z(%g)' 0 99)" "$(grep '^x\.z' "$folder/x.out")"
}

test_who_has_other_keys_is_told_so() {
        configure "$AES"
        start_broker b here b
        config c 'HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExU=)' "$AES"
        over_tcp 9 send '()' 'x.y()'
        expect_err_match 'mbus-cli: broker at tcp:127.0.0.1:47111: *another key*'
        expect_line b.err 'TCP link from 127\.0\.0\.1:[0-9]+ is closed: it does not have the key of the bus'
}

test_where_nobody_listens_that_is_said() {
        config c
        over_tcp 9 send '()' 'x.y()'
        expect_err_match '*Connection refused: start mbus-broker with TCP= in its configuration*'
        expect_exit 9 cli -b tcp:no.such.host.invalid:1 -c "$folder/c" list
        expect_err_match 'mbus-cli: broker at tcp:no.such.host.invalid:1: no.such.host.invalid cannot be looked up: *'
        expect_exit 9 cli -b tcp:localhost:47111 -c "$folder/c" list
        expect_err_match '*127.0.0.1:47111: Connection refused: start mbus-broker*'
        for place in '' 1 : host: :1 host:0 host:65536 ::1:1 '[::1]' 'a b:1' fe80::1%lo:1; do
                expect_exit 2 cli -b "tcp:$place" -c "$folder/c" list
                expect_err_match '*write tcp:HOST:PORT*'
        done
        # What is no address is the library's to say.
        for place in '[host]:1' '[fe80::1%]:1' '[1.2.3.4]:1'; do
                expect_exit 8 cli -b "tcp:$place" -c "$folder/c" list
                expect_err_match '*write tcp:HOST:PORT, HOST a name*'
        done
}

# broker_on LINE...: the configuration b, with these lines of [broker].
broker_on() {
        { cat "$folder/c" && printf '[broker]\n' && printf '%s\n' "$@"; } >"$folder/b"
        chmod 600 "$folder/b"
}

# The other address of localhost, where nobody listens, is not what is to be mended.
test_of_several_failures_the_one_that_tells_most_is_told() {
        configure "$AES"
        start_broker b here b
        config c 'HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExU=)' "$AES"
        expect_exit 9 cli -b tcp:localhost:47111 -c "$folder/c" list
        expect_err_match 'mbus-cli: broker at tcp:localhost:47111: 127.0.0.1:47111: *another key*'
}

test_tcp_may_stand_several_times() {
        config c
        broker_on TCP=127.0.0.1:47111 'TCP=[::1]:47111' TCP=127.0.0.2:47112
        start_broker b here b
        for URL in tcp:127.0.0.1:47111 'tcp:[::1]:47111' tcp:127.0.0.2:47112; do
                over_tcp 0 list
        done
        URL=tcp:127.0.0.1:47111
        expect_count b.err 'TCP clients are taken on ' 3
}

test_all_addresses_are_of_both_families() {
        local place

        config c
        for place in '[::]:47111' '*:47111'; do
                broker_on "TCP=$place"
                start_broker b here b
                for URL in tcp:127.0.0.1:47111 'tcp:[::1]:47111'; do
                        over_tcp 0 list
                done
                stop b
        done
        # A broker on one of them is no hindrance to one on the other.
        broker_on 'TCP=[::1]:47111' TCP=127.0.0.1:47111
        start_broker b here b
        URL=tcp:127.0.0.1:47111
        over_tcp 0 list
}

# expect_line_refused STATUS WHY LINE...: of the last of them.
expect_line_refused() {
        local status=$1 why=$2

        shift 2
        broker_on "$@"
        expect_exit "$status" "$MBUS_BROKER" -c "$folder/b" --socket "$folder/s" --foreground
        expect_err_match "mbus-broker: *b:$((5 + $#)): TCP: $why"
}

test_a_line_that_cannot_be_is_named() {
        config c
        sed -i '/^$/d' "$folder/c"
        expect_line_refused 8 'line 6 says the same, remove one of them' TCP=127.0.0.1:1 TCP=127.0.0.1:1
        expect_line_refused 8 'line 6 says otherwise, remove one of them' TCP=no TCP=127.0.0.1:1
        expect_line_refused 8 'line 6 says otherwise, remove one of them' TCP=127.0.0.1:1 TCP=no
        expect_line_refused 8 'there are more than TCP_PLACES_MAX=8, remove some' TCP=h:{1..9}
        expect_line_refused 8 '"*:0" is no value for it, write no, *' 'TCP=*:0'
        expect_line_refused 8 '"::1:5" is no value for it, write no, *' 'TCP=::1:5'
        expect_line_refused 9 'no.such.host.invalid:5 cannot be listened on: *' \
                TCP=127.0.0.1:47115 TCP=no.such.host.invalid:5
        expect_line_refused 9 '192.0.2.1:5 cannot be listened on: Cannot assign requested address; *' TCP=192.0.2.1:5
        expect_line_refused 9 '127.0.0.1:47115 cannot be listened on: Address already in use; *' \
                'TCP=[::]:47115' TCP=127.0.0.1:47115
        [ ! -e "$folder/s" ] || fail "the socket" "none" "it is there"
}

test_an_address_of_a_link_has_its_interface() {
        two_hosts
        on a ip address add fe80::1/64 dev wire
        on b ip address add fe80::2/64 dev wire
        config c "$AES"
        broker_on 'TCP=[fe80::1%wire]:47111'
        start_broker b a b
        expect_exit_on b 0 cli -b 'tcp:[fe80::1%wire]:47111' -c "$folder/c" list
        expect_line b.err 'TCP clients are taken on \[fe80::1%wire\]:47111'
        expect_exit_on b 9 cli -b 'tcp:[fe80::1%other]:47111' -c "$folder/c" list
        expect_err_match '*fe80::1%other cannot be looked up: *'
        stop b
        broker_on 'TCP=[fe80::1%other]:47111'
        expect_exit_on a 9 "$MBUS_BROKER" -c "$folder/b" --socket "$folder/s" --foreground
        expect_err_match '*b:*: TCP: [[]fe80::1%other[]]:47111 cannot be listened on: *'
}

# Whoever is started by this finds the names of $folder/hosts.
WITH_HOSTS=(unshare --mount sh -c 'mount --bind "$0" /etc/hosts && exec "$@"')

test_names_are_looked_up_and_all_their_addresses_tried() {
        if ! unshare --mount true 2>/dev/null; then
                echo "skipped: names of its own take a mount namespace"
                passed
                return
        fi
        # Nothing leads to the first one.
        printf '192.0.2.1 far\n127.0.0.3 far\n127.0.0.3 near\n' >"$folder/hosts"
        config c
        broker_on TCP=near:47111
        start b here "${WITH_HOSTS[@]}" \
                "$folder/hosts" "$MBUS_BROKER" -c "$folder/b" --socket "$folder/b.sock" --foreground
        expect_line b.err ': ready on '
        expect_line b.err 'TCP clients are taken on 127\.0\.0\.3:47111'
        expect_exit 0 "${WITH_HOSTS[@]}" \
                "$folder/hosts" "$MBUS_CLI" -b tcp:near:47111 -c "$folder/c" list
        expect_exit 0 "${WITH_HOSTS[@]}" \
                "$folder/hosts" "$MBUS_CLI" -b tcp:far:47111 -c "$folder/c" list
        stop b
        expect_exit 9 "${WITH_HOSTS[@]}" \
                "$folder/hosts" "$MBUS_CLI" -b tcp:far:47111 -c "$folder/c" list
        expect_err_match 'mbus-cli: broker at tcp:far:47111: 127.0.0.3:47111: Connection refused: *'
}

test_localhost_and_ipv6_are_places() {
        config c
        { cat "$folder/c" && printf '[broker]\nTCP=[::1]:47111\n'; } >"$folder/b"
        chmod 600 "$folder/b"
        start_broker b here b
        for URL in 'tcp:[::1]:47111' tcp:localhost:47111; do
                over_tcp 0 list
        done
        URL=tcp:127.0.0.1:47111
        over_tcp 9 list
}

test_a_client_comes_back_when_the_broker_does() {
        configure
        start_broker b here b
        start_subscriber x here "$URL" c '(app:x)' -F '%p'
        die b
        start_broker b here b
        until_ok "$MBUS_CLI" -b "$URL" -c "$folder/c" send -r '(app:x)' 'x.y(1)' 2>/dev/null ||
                fail x "it is back" "it is not"
        passed
        expect_line x.out 'x\.y\(1\)'
}

test_who_vanished_has_left_on_both_sides() {
        local began

        two_hosts
        config c "$AES"
        { cat "$folder/c" && printf '[broker]\nTCP=10.1.0.1:47111\n'; } >"$folder/b"
        chmod 600 "$folder/b"
        start_broker b a b
        start_subscriber x b tcp:10.1.0.1:47111 c '(app:x)'
        start_subscriber y a "unix:$folder/b.sock" c '(app:y)'
        expect_exit_on a 0 cli -b "unix:$folder/b.sock" list '(app:x)'
        began=$SECONDS
        on b ip link set wire down
        PATIENCE=60 expect_line x.err 'the broker went away'
        PATIENCE=60 until_ok is_gone_from_the_bus || fail "the broker" "x has left" "it has not"
        expect "soon" yes "$([ $((SECONDS - began)) -lt 40 ] && echo yes)"
}

is_gone_from_the_bus() {
        ! on a "$MBUS_CLI" -b "unix:$folder/b.sock" list '(app:x)' >"$folder/out" 2>"$folder/err"
}

test_clients_are_not_taken_where_that_is_not_asked_for() {
        config c
        start_broker b here c
        over_tcp 9 list
        expect_no_line b.err TCP
        { cat "$folder/c" && printf '[broker]\nTCP=47111\n'; } >"$folder/b"
        chmod 600 "$folder/b"
        expect_exit 8 "$MBUS_BROKER" -c "$folder/b" --socket "$folder/s" --foreground
        expect_line err 'TCP: "47111" is no value for it, write no, 127\.0\.0\.1:PORT'
}

main "$@"
