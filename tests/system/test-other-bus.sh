#!/usr/bin/env bash
# A configuration that is named, and a broker: on the same bus, on another, one that cannot tell.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

OTHER='HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExU=)'

# A broker at $socket, on the bus of $folder/c.
start_ours() {
        socket=$folder/b.sock
        config c "$@"
        start_broker b here c
}

# expect_other CONFIG WHY: whoever names it is told that it is another bus.
expect_other() {
        expect_exit 8 cli -b "unix:$socket" -c "$folder/$1" list
        expect_err "mbus-cli: broker at $socket: it is on another bus$2; name the broker's configuration, none, or use udp:"
        expect_exit 8 env MBUS="$folder/$1" "$MBUS_CLI" -b "unix:$socket" send -r '(app:x)' 'x.y()'
        expect_err "mbus-cli: broker at $socket: it is on another bus$2; name the broker's configuration, none, or use udp:"
}

test_the_bus_of_the_file_is_the_brokers() {
        start_ours
        config same 'INTERFACE=lo' 'MAX_AGE=100'
        expect_exit 0 cli -b "unix:$socket" -c "$folder/c" list
        expect_err ''
        expect_exit 0 cli -b "unix:$socket" -c "$folder/same" list
        expect_err ''
        expect_exit 0 env MBUS="$folder/c" "$MBUS_CLI" -b "unix:$socket" list
        # Right ones may ask as often as they like.
        for _ in $(seq 25); do
                expect_exit 0 cli -b "unix:$socket" -c "$folder/c" list
        done
}

test_another_bus_is_named_with_both() {
        local there="udp:239.255.255.247:47000"

        start_ours
        config keys "$OTHER"
        expect_other keys " than $folder/keys says: $there has other keys there, or another scope"
        config cipher 'ENCRYPTIONKEY=(AES,AQIDBAUGBwgJCgsMDQ4PEA==)'
        expect_other cipher " than $folder/cipher says: $there has other keys there, or another scope"
        config scope 'SCOPE=LINKLOCAL'
        expect_other scope " than $folder/scope says: $there has other keys there, or another scope"
        config port 'PORT=47001'
        expect_other port ", $there, than $folder/port says, udp:239.255.255.247:47001"
        config group 'ADDRESS=239.255.255.246'
        expect_other group ", $there, than $folder/group says, udp:239.255.255.246:47000"
        # Its owner, who can read the keys, is answered however often he is wrong.
        for _ in $(seq 15); do
                expect_exit 8 cli -b "unix:$socket" -c "$folder/keys" list
                expect_err_match '*it is on another bus*'
        done
        expect_exit 0 cli -b "unix:$socket" -c "$folder/c" list
}

test_without_a_name_it_is_the_brokers_whatever_that_is() {
        start_ours
        config .mbus "$OTHER"
        expect_exit 0 cli -b "unix:$socket" list
        expect_err ''
        expect_exit 0 env MBUS= "$MBUS_CLI" -b "unix:$socket" list
        expect_err ''
}

test_a_file_that_is_named_must_be_of_use() {
        start_ours
        expect_exit 8 cli -b "unix:$socket" -c "$folder/none" list
        expect_err "mbus-cli: broker at $socket: $folder/none: there is no such file, make one with mbus-cli keygen"
        expect_exit 8 env MBUS="$folder/none" "$MBUS_CLI" -b "unix:$socket" list
        [ ! -e "$folder/none" ] || fail "$folder/none" "none" "it was made"
        expect_exit 2 cli -b "unix:$socket" -c '' list
        expect_err "mbus-cli: -c: the name of the configuration is empty; name one, or leave the option out"
        expect_exit 2 "$MBUS_BROKER" -c '' --socket "$folder/e.sock"
        cp "$folder/c" "$folder/open"
        chmod 644 "$folder/open"
        expect_exit 8 cli -b "unix:$socket" -c "$folder/open" list
        echo nonsense >"$folder/bad"
        chmod 600 "$folder/bad"
        expect_exit 8 cli -b "unix:$socket" -c "$folder/bad" list
        expect_err_match "mbus-cli: broker at $socket: $folder/bad:1: *"
        # Without a broker that is the first thing that is said.
        stop b
        expect_exit 9 cli -b "unix:$socket" -c "$folder/none" list
}

test_a_stranger_guesses_ten_times_a_minute() {
        local i

        can_be_a_stranger || return 0
        start_ours '[broker]' 'SOCKET_MODE=0666' '[policy]' 'allow user=* all'
        chmod 711 "$folder"
        mkdir "$folder/stranger"
        config stranger/wrong "$OTHER"
        config stranger/right
        chown -R 65533 "$folder/stranger"
        for i in $(seq 10); do
                expect_exit 8 setpriv --reuid 65533 --regid 65533 --clear-groups "$MBUS_CLI" \
                        -b "unix:$socket" -c "$folder/stranger/wrong" list
                expect_err_match '*it is on another bus*'
        done
        for i in wrong right; do
                expect_exit 8 setpriv --reuid 65533 --regid 65533 --clear-groups "$MBUS_CLI" \
                        -b "unix:$socket" -c "$folder/stranger/$i" list
                expect_err "mbus-cli: broker at $socket: whether it is on the bus of $folder/stranger/$i is not told: this user has asked with wrong keys too often, and is told again in a minute"
        done
        expect_line b.err 'PROOFS_MAX=10 is reached'
        # Others are none the worse for it.
        expect_exit 0 cli -b "unix:$socket" -c "$folder/c" list
}

# A broker of before: it knows no such command. More it has not to say.
start_old() {
        start old here python3 -c '
import re, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
print("listening", flush=True)
while True:
        c, _ = s.accept()
        n, = struct.unpack(">I", c.recv(4, socket.MSG_WAITALL))
        text = c.recv(n, socket.MSG_WAITALL)
        print(text, flush=True)
        seq = text.split()[1].decode()
        answer = ("mbus/1.0 0 1 U (app:mbus-broker id:1-1@127.0.0.1) () ()\r\n"
                  "broker.undelivered(%s malformed \"there is no command broker.nonce\")" % seq)
        c.sendall(struct.pack(">I", len(answer)) + answer.encode())
        print(c.recv(1000), flush=True)' "$folder/old.sock"
        expect_line old.out '^listening'
}

test_a_broker_that_is_too_old_to_tell_is_taken_with_a_warning() {
        start_old
        config c
        expect_exit 9 cli -b "unix:$folder/old.sock" -c "$folder/c" send '(app:x)' 'x.y()'
        expect_err_match "mbus-cli: broker at $folder/old.sock: it is too old to tell whether it is on the bus of $folder/c
*"
        # The link went on: this is the question of the verb.
        expect_line old.out 'broker\.attach'
}

test_a_broker_that_does_not_answer_is_said_to() {
        start_ours
        signal b STOP
        expect_exit 9 cli -b "unix:$socket" -c "$folder/c" list
        expect_err "mbus-cli: broker at $socket: it does not answer"
        signal b CONT
}

# The next broker may be on another bus; and both sides may have new keys.
test_after_a_restart_the_bus_must_be_the_same() {
        start_ours
        config new "$OTHER"
        start_subscriber x here "unix:$socket" c '(app:x)'
        stop b
        start_broker b here new
        expect_line x.err "it is on another bus than $folder/c says"
        expect_exit 3 cli -b "unix:$socket" list '(app:x)'
        stop b
        start_broker b here c
        expect_list "$(address_of x)" "$MBUS_CLI" -b "unix:$socket" list '(app:x)'
        stop b
        cp "$folder/new" "$folder/c"
        start_broker b here new
        expect_list "$(address_of x)" "$MBUS_CLI" -b "unix:$socket" list '(app:x)'
}

main "$@"
