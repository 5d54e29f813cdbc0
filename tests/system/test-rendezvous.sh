#!/usr/bin/env bash
# Programs that wait for each other, with the verbs wait, go and quit: over the network and through a
# broker (RFC 3259, 9.4 to 9.6).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

WAYS="udp broker"

# open_way WAY: what the tool then finds with $URL and the configuration c.
open_way() {
        URL=udp:
        [ "$1" = udp ] || {
                start_broker broker here c
                URL=unix:$folder/broker.sock
        }
}

close_way() {
        [ "$1" = udp ] || stop broker
}

# way STATUS VERB...
way() {
        expect_exit "$1" cli -c "$folder/c" -b "$URL" "${@:2}"
}

# start_cli NAME VERB...
start_cli() {
        start "$1" here "$MBUS_CLI" -c "$folder/c" -b "$URL" "${@:2}"
}

# RAT's start, as its README has it: the controller gives its child a token and says that it waits; the child
# says that it is there, and waits with the same token until it is set up.
controller() {
        local cli=("$MBUS_CLI" -c "$folder/c" -b "$URL")

        "${cli[@]}" wait -W "$PATIENCE" token || return 11
        echo "the child is there"
        "${cli[@]}" send '(app:rat)' 'rtp.addr("224.2.0.1" 5000 5001 16)' || return 12
        "${cli[@]}" go -W 5 token || return 13
}

child() {
        local cli=("$MBUS_CLI" -c "$folder/c" -b "$URL")

        "${cli[@]}" go -W 5 token || return 21
        "${cli[@]}" wait -W "$PATIENCE" token || return 22
        echo "set up"
}

# CTL-02 CTL-03
test_a_controller_and_its_child_wait_for_each_other() {
        local way

        config c
        for way in $WAYS; do
                open_way "$way"
                start_subscriber engine here "$URL" c '(app:rat)' -F '%p'
                start controller here controller
                start child here child
                expect_line engine.out '^rtp.addr\("224.2.0.1" 5000 5001 16\)$'
                stop engine
                expect_end 0 child
                expect_line child.out '^set up$'
                expect_end 0 controller
                expect_line controller.out '^the child is there$'
                expect_lines controller.out '^\(app:mbus-cli id:' 1
                close_way "$way"
        done
}

# CTL-02
test_waiting_is_said_again_until_time_is_over() {
        local way

        config c
        for way in $WAYS; do
                open_way "$way"
                start_subscriber a here "$URL" c '(app:x)' -F '%y %t %p'
                way 27 wait -W 0.1 cond '(app:x)'
                expect_err "mbus-cli: nobody said mbus.go(cond)"
                expect_file a.out 'U (app:x) mbus.waiting(cond)'
                way 27 wait -W 2.5 'no symbol'
                expect_file a.out 'U (app:x) mbus.waiting(cond)
U () mbus.waiting("no symbol")
U () mbus.waiting("no symbol")
U () mbus.waiting("no symbol")'
                # Another condition is another.
                start_cli w wait -W "$PATIENCE" cond
                expect_line a.out '^U \(\) mbus.waiting\(cond\)$'
                way 3 go -W 0.5 other
                expect_err "mbus-cli: nobody waits for other"
                way 0 go cond
                expect_end 0 w
                stop a
                close_way "$way"
        done
}

# CTL-03
test_all_who_wait_are_told_and_one_who_is_named() {
        local way

        config c
        for way in $WAYS; do
                open_way "$way"
                start_subscriber a here "$URL" c '(app:x)' -F '%y %t %p'
                start_cli one wait -W "$PATIENCE" cond
                start_cli two wait -W "$PATIENCE" cond
                # Not said to the tool, but heard.
                start_cli three wait -W "$PATIENCE" cond '(app:x)'
                way 0 go -W 4 cond
                expect_count out '^\(app:mbus-cli id:' 3
                expect_end 0 one
                expect_end 0 two
                expect_end 0 three
                way 0 go cond "$(address_of a)"
                expect_line a.out "^R $(address_of a | sed 's/[()]/\\&/g') mbus.go\(cond\)\$"
                way 3 go -W 1.1 cond '(app:nobody)'
                way 2 go '' '(app:x)'
                way 2 go cond '(app'
                way 2 wait cond '(app'
                start_subscriber b here "$URL" c '(app:x)'
                way 4 go cond '(app:x)'
                stop a
                stop b
                close_way "$way"
        done
}

# A program that shares no code with ours, and writes conditions as strings.
# CTL-02 CTL-03
test_strangers_wait_and_say_go() {
        local ghost='(app:ghost id:1-1@127.0.0.1)' us

        config c
        URL=udp:
        start_wire wire here lo
        start_subscriber a here udp: c '(app:x)' -F '%s %p'
        start_cli w wait -W "$PATIENCE" cond
        expect_line a.out '^\(app:mbus-cli id:.*mbus.waiting\(cond\)$'
        us=$(sed -n 's/^\((.*)\) mbus.waiting.*/\1/p' "$folder/a.out" | head -n 1)
        say here lo c "mbus/1.0 0 $(date +%s%3N) R $ghost $us ()" 'mbus.go("cond")' 'x.y()'
        expect_end 0 w
        start_cli g go -W 3 token
        expect_line wire.out "$(hex 'mbus.hello()')"
        for _ in 1 2 3 4 5; do
                say here lo c "mbus/1.0 $RANDOM $(date +%s%3N) U $ghost () ()" 'mbus.waiting("token")'
                sleep 0.3
        done
        expect_end 5 g
        expect_line g.err 'app:ghost.*timeout'
        expect_lines wire.out "$(hex 'mbus.go(token)')\$" 3
}

# Answers at a terminal: python3 -c "$PTY" ANSWER COMMAND...
PTY='import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
text = b""
while b"[y/N]" not in text:
    try:
        more = os.read(fd, 1000)
    except OSError:
        break
    if not more:
        break
    text += more
else:
    os.write(fd, sys.argv[1].encode() + b"\n")
    try:
        while more := os.read(fd, 1000):
            text += more
    except OSError:
        pass
sys.stdout.buffer.write(text)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))'

# CTL-01
test_quit_asks_one_and_several_only_if_that_is_meant() {
        local way

        config c
        for way in $WAYS; do
                open_way "$way"
                start_subscriber a here "$URL" c '(app:x module:a)'
                start_subscriber b here "$URL" c '(app:x module:b)'
                way 2 quit '(module:a)'
                expect_err "mbus-cli: quit: standard input is no terminal; if you are sure, say --yes"
                way 3 quit --yes '(app:nobody)'
                expect_exit 1 python3 -c "$PTY" n "$MBUS_CLI" -c "$folder/c" -b "$URL" quit '(module:a)'
                expect_match "the question" "*ask $(address_of a) to end? *" "$(cat "$folder/out")"
                expect_exit 4 python3 -c "$PTY" y "$MBUS_CLI" -c "$folder/c" -b "$URL" quit '(app:x)'
                expect_match "who they are" "*several entities match (app:x)*$(address_of a)*" \
                        "$(sort -r "$folder/out" | tr -d '\r\n')"
                expect_exit 0 python3 -c "$PTY" y "$MBUS_CLI" -c "$folder/c" -b "$URL" quit '(module:a)'
                expect_end 0 a
                expect_line a.err '^mbus-cli: asked to quit by \(app:mbus-cli '
                start_subscriber a here "$URL" c '(app:x module:a)'
                way 0 quit --yes '(app:x)'
                expect_count out '^\(app:x module:[ab] id:' 2
                expect_end 0 a
                expect_end 0 b
                close_way "$way"
        done
}

main "$@"
