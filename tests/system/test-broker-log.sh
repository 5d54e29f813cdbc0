#!/usr/bin/env bash
# A line of the log is never worth the bus: whatever becomes of standard error, the broker goes on, ends
# when it is asked to, counts what was lost and says so when it can (spec/environment.md).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

in_folder() {
        cd "$folder" || exit 1
        config bus
        BROKER=("$MBUS_BROKER" -c bus --socket "$folder/sock" --foreground)
}

is_listening() {
        "$MBUS_CLI" -b "unix:$folder/sock" list >/dev/null 2>&1
}

# make_lines PID N: each of these is some lines; and the broker goes on.
make_lines() {
        local i

        for ((i = 0; i < $2; i++)); do
                kill -HUP "$1" || fail "the broker" "it runs" "it does not"
                sleep 0.005
        done
        expect_exit 0 cli -b "unix:$folder/sock" list
}

# end PID: within some seconds.
end() {
        kill -TERM "$1"
        until_ok has_ended "$1" || fail "the broker" "it ends" "it still runs"
        passed
}

test_a_reader_that_goes_away_is_no_end() {
        in_folder
        mkfifo fifo
        head -n1 <fifo >first &
        "${BROKER[@]}" 2>fifo &
        pid_of[daemon]=$!
        until_ok is_listening || fail "the broker" "it listens" "it does not"
        expect_line first 'ready on'
        make_lines "${pid_of[daemon]}" 20
        # Somebody reads again.
        cat fifo >second &
        pid_of[cat]=$!
        sleep 0.2
        make_lines "${pid_of[daemon]}" 1
        expect_line second '^mbus-broker: 20 lines of the log were lost$'
        expect_line second 'was read again'
        end "${pid_of[daemon]}"
        expect_end 0 daemon
}

# stalled KIND COMMAND...
stalled() {
        local kind=$1 pid

        shift
        rm -f go
        start daemon here python3 "$HERE/stall.py" "$kind" "$folder/go" "$@"
        expect_line daemon.err '^pid '
        pid=$(sed -n 's/^pid //p' daemon.err)
        until_ok is_listening || fail "the broker" "it listens" "it does not"
        make_lines "$pid" 400
        touch go
        # It says so by itself.
        expect_line daemon.out '^mbus-broker: [1-9][0-9]* lines of the log were lost.?$'
        make_lines "$pid" 1
        expect "each line is whole" "" "$(tr -d '\r' <daemon.out | grep -v '^mbus-broker: .')"
        expect_line daemon.err '^O_NONBLOCK is not set'
        end "$pid"
        expect_end 0 daemon

        rm -f go
        start daemon here python3 "$HERE/stall.py" "$kind" "$folder/go" "$@"
        expect_line daemon.err '^pid '
        pid=$(sed -n 's/^pid //p' daemon.err)
        until_ok is_listening || fail "the broker" "it listens" "it does not"
        make_lines "$pid" 400
        end "$pid"
        touch go
        expect_end 0 daemon
}

test_a_pipe_that_nobody_reads() {
        in_folder
        stalled pipe "${BROKER[@]}"
}

test_a_socket_that_nobody_reads() {
        in_folder
        stalled socket "${BROKER[@]}"
}

test_a_terminal_that_is_stopped() {
        in_folder
        stalled terminal "${BROKER[@]}"
}

# It may not be opened once more.
test_a_pipe_and_a_terminal_of_another_user() {
        local kind

        can_be_a_stranger || return 0
        in_folder
        chown -R 65534:65534 "$folder"
        for kind in pipe terminal; do
                cp "$MBUS_BROKER" broker
                stalled "$kind" setpriv --reuid 65534 --regid 65534 --clear-groups \
                        "$folder/broker" "${BROKER[@]:1}"
        done
}

test_a_disk_that_is_full() {
        in_folder
        mkdir disk
        # shellcheck disable=SC2016
        start daemon here "$MBUS_APART" sh -c 'mount -t tmpfs -o size=64k tmpfs disk &&
                { cat /dev/zero >disk/rest 2>/dev/null; exec "$@" 2>disk/log; }' sh "${BROKER[@]}"
        until_ok is_listening || fail "the broker" "it listens" "it does not"
        make_lines "${pid_of[daemon]}" 20
        expect "the log" "" "$(cat "/proc/${pid_of[daemon]}/root/$folder/disk/log")"
        rm "/proc/${pid_of[daemon]}/root/$folder/disk/rest"
        until_ok grep -q '^mbus-broker: 21 lines of the log were lost$' \
                "/proc/${pid_of[daemon]}/root/$folder/disk/log" ||
                fail "the log" "21 lines were lost" \
                        "$(cat "/proc/${pid_of[daemon]}/root/$folder/disk/log")"
        end "${pid_of[daemon]}"
        expect_end 0 daemon
        # shellcheck disable=SC2016
        start daemon here sh -c 'exec "$@" 2>/dev/full' sh "${BROKER[@]}"
        until_ok is_listening || fail "the broker" "it listens" "it does not"
        make_lines "${pid_of[daemon]}" 20
        end "${pid_of[daemon]}"
        expect_end 0 daemon
}

test_a_file_is_continued_where_it_ends() {
        in_folder
        # shellcheck disable=SC2016
        start daemon here sh -c 'echo "of the shell" >&2; exec "$@"' sh "${BROKER[@]}"
        expect_line daemon.err 'ready on'
        expect_line daemon.err '^of the shell$'
        end "${pid_of[daemon]}"
        expect_end 0 daemon
}

main "$@"
