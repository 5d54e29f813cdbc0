#!/usr/bin/env bash
# What a process inherits is not to be trusted: descriptors that are closed, full, slow or O_NONBLOCK,
# signals that are blocked or ignored, the umask, limits (spec/environment.md).
# shellcheck disable=SC2016,SC2129 # inner shells expand; a line for each case
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

BUS=(-c bus -b udp:)

# INHERITS OPTION... -- COMMAND...
INHERITS=(python3 "$HERE/inherit.py")

in_folder() {
        cd "$folder" || exit 1
        [ -e bus ] || config bus
}

# ---- the tool ----

test_what_is_not_written_is_told_by_everything_that_writes() {
        local arguments

        in_folder
        start_subscriber other here udp: bus '(app:other)'
        start_broker daemon here bus
        for arguments in --help --version "list --help" "keygen -o -" "${BUS[*]} list -W 2" \
                "${BUS[*]} list -j -W 2" "${BUS[*]} ping -W 3 (app:other)" \
                "-b unix:$folder/daemon.sock status" "-b unix:$folder/daemon.sock status -j" \
                "-b unix:$folder/daemon.sock list"; do
                # shellcheck disable=SC2086 # words of a command
                expect_exit 1 sh -c 'exec "$0" "$@" >/dev/full' "$MBUS_CLI" $arguments
                expect_err_match '*mbus-cli: cannot write: No space left on device*'
                # shellcheck disable=SC2086
                expect_exit 1 sh -c 'exec "$0" "$@" >&-' "$MBUS_CLI" $arguments
                expect_err_match '*mbus-cli: *'
        done
        expect_exit 1 sh -c 'exec "$0" --help >/dev/full' "$MBUS_BROKER"
        expect_err 'mbus-broker: cannot write: No space left on device'
        expect_exit 1 sh -c 'exec "$0" --version >&-' "$MBUS_BROKER"
        expect_err 'mbus-broker: cannot write: Bad file descriptor'
}

# One that prints what passes; it is sent messages until it has ended.
test_a_full_disk_ends_subscribe_and_monitor() {
        local verb

        in_folder
        for verb in "subscribe (app:a)" monitor; do
                # shellcheck disable=SC2086,SC2016
                start full here sh -c 'exec "$0" "$@" >/dev/full' "$MBUS_CLI" "${BUS[@]}" $verb
                expect_line full.err '^(ready|monitoring) '
                expect_exit 0 cli "${BUS[@]}" send '(app:a)' 'x.y()'
                expect_end 1 full
                expect_line full.err '^mbus-cli: cannot write: No space left on device$'
        done
}

test_a_reader_that_had_enough_is_no_failure() {
        in_folder
        expect_exit 0 bash -c '"$0" --help | head -n1; exit "${PIPESTATUS[0]}"' "$MBUS_CLI"
        expect_err ""
        expect_exit 0 bash -c '"$0" --help | head -n1; exit "${PIPESTATUS[0]}"' "$MBUS_BROKER"
        expect_err ""
        expect_exit 0 bash -c '"$0" --help | true; exit "${PIPESTATUS[0]}"' "$MBUS_CLI"
        expect_err ""
}

# To a pipe of one page that is read late, and that is O_NONBLOCK where it is written to.
test_all_of_the_output_passes_a_slow_reader() {
        local program verb long

        in_folder
        for program in "$MBUS_CLI" "$MBUS_BROKER"; do
                "$program" --help >help
                expect_exit 0 "${INHERITS[@]}" --slow 1 -- "$program" --help
                expect_out "$(cat help)"
        done
        long=$(printf 'x.y("%060d") ' {1..500})
        for verb in "subscribe (app:a)" "monitor -p x."; do
                # shellcheck disable=SC2086 # words of a command
                start slow here "${INHERITS[@]}" --slow 1 -- "$MBUS_CLI" "${BUS[@]}" \
                        $verb -C 3 -F '%p'
                expect_line slow.err '^(ready|monitoring) '
                # shellcheck disable=SC2086
                for _ in 1 2 3; do
                        expect_exit 0 cli "${BUS[@]}" send '(app:a)' $long
                done
                expect_end 0 slow
                long=${long% }
                expect_file slow.out "$(printf '%s\n' "${long// /; }" "${long// /; }" "${long// /; }")"
        done
}

# Nobody reads, and the tool is asked to end: it does, whatever it still holds.
test_a_signal_ends_who_waits_for_a_reader() {
        local number how

        in_folder
        mkfifo fifo
        for how in "" "--nonblock 1"; do
                for number in 2 15; do
                        exec 7<>fifo
                        # shellcheck disable=SC2086,SC2016
                        start stuck here sh -c 'exec "$0" "$@" >fifo' "${INHERITS[@]}" $how \
                                -- "$MBUS_CLI" "${BUS[@]}" subscribe '(app:a)' -F '%x'
                        expect_line stuck.err '^ready '
                        # shellcheck disable=SC2046
                        for _ in 1 2 3; do
                                expect_exit 0 cli "${BUS[@]}" send '(app:a)' \
                                        $(printf 'x.y("%060d") ' {1..500})
                        done
                        sleep 0.2
                        expect "it waits" "" "$(has_ended "${pid_of[stuck]}" && echo ended)"
                        signal stuck "$number"
                        expect_end $((128 + number)) stuck
                        exec 7<&-
                done
        done
}

# Each of the eight ways in which 0, 1 and 2 can be closed.
closings() {
        local way redirection

        for way in 0 1 2 3 4 5 6 7; do
                redirection=
                [ $((way & 1)) = 0 ] || redirection+=" --close 0"
                [ $((way & 2)) = 0 ] || redirection+=" --close 1"
                [ $((way & 4)) = 0 ] || redirection+=" --close 2"
                echo "$redirection"
        done
}

# What a program has at 0, 1 and 2 that it was started without.
at_standard() {
        local fd

        for fd in 0 1 2; do
                [[ $2 != *"--close $fd"* ]] || readlink "/proc/$1/fd/$fd"
        done | sort -u
}

test_nothing_gets_the_number_of_a_descriptor_that_is_closed() {
        local way status

        in_folder
        while read -r way; do
                status=0
                [[ $way != *"--close 1"* ]] || status=1
                # shellcheck disable=SC2086 # words of a command
                expect_exit "$status" "${INHERITS[@]}" $way -- "$MBUS_CLI" --version
                # shellcheck disable=SC2086
                expect_exit 0 "${INHERITS[@]}" $way -- "$MBUS_CLI" "${BUS[@]}" send '(app:a)' 'x.y()'
                # shellcheck disable=SC2086
                expect_exit "$status" "${INHERITS[@]}" $way -- "$MBUS_CLI" keygen -o -
                [[ $way == *"--close 2"* || $status = 0 ]] ||
                        expect_err "mbus-cli: cannot write: Bad file descriptor"
                # shellcheck disable=SC2086
                start bus-broker here "${INHERITS[@]}" $way -- "$MBUS_BROKER" -c bus \
                        --socket "$folder/sock"
                until_ok test -S sock
                expect "a closed descriptor" "${way:+/}" "$(at_standard "${pid_of[bus-broker]}" "$way")"
                expect_exit 0 cli -b "unix:$folder/sock" list
                expect "the lock file" "" "$(grep -v '^[0-9]*$' sock.lock)"
                signal bus-broker TERM
                expect_end 0 bus-broker
        done < <(closings)
}

test_a_monitor_without_an_output_says_so() {
        in_folder
        expect_exit 1 "${INHERITS[@]}" --close 0 --close 1 -- "$MBUS_CLI" "${BUS[@]}" monitor -C 2
        expect_err_match "mbus-cli: standard output is closed, and there is nothing to do but to write to it*"
        expect_exit 1 sh -c 'exec "$0" "$@" 1</dev/null' "$MBUS_CLI" "${BUS[@]}" monitor -C 2
        expect_err_match "mbus-cli: standard output is closed, and there is nothing to do but to write to it*"
}

test_signals_that_the_parent_blocked_or_ignored_end_both_programs() {
        local how

        in_folder
        for how in "--block TERM --block INT --block HUP --block PIPE --block CHLD" \
                "--ignore TERM --ignore INT --ignore PIPE --ignore CHLD"; do
                # shellcheck disable=SC2086 # words of a command
                start sub here "${INHERITS[@]}" $how -- "$MBUS_CLI" "${BUS[@]}" \
                        subscribe '(app:a)'
                expect_line sub.err '^ready '
                signal sub TERM
                expect_end 143 sub
                # shellcheck disable=SC2086
                start daemon here "${INHERITS[@]}" $how -- "$MBUS_BROKER" -c bus \
                        --socket "$folder/sock"
                expect_line daemon.err 'ready on'
                signal daemon HUP
                expect_line daemon.err 'bus was read again'
                signal daemon TERM
                expect_end 0 daemon
        done
}

# nohup(1) means that the end of a terminal is not the end of the tool.
test_the_tool_stays_when_a_hangup_is_ignored() {
        in_folder
        start sub here "${INHERITS[@]}" --ignore HUP -- "$MBUS_CLI" "${BUS[@]}" \
                subscribe '(app:a)' -C 1
        expect_line sub.err '^ready '
        signal sub HUP
        expect_exit 0 cli "${BUS[@]}" send '(app:a)' 'x.y()'
        expect_end 0 sub
        start sub here "$MBUS_CLI" "${BUS[@]}" subscribe '(app:a)'
        expect_line sub.err '^ready '
        signal sub HUP
        expect_end 129 sub
}

test_the_umask_does_not_matter() {
        local mask

        in_folder
        for mask in 000 0177 0777; do
                rm -rf run keys
                # Twice: what was made must be good for the next start.
                for _ in 1 2; do
                        start daemon here "${INHERITS[@]}" --umask "$mask" -- \
                                "$MBUS_BROKER" -c keys --socket "$folder/run/sock"
                        expect_line daemon.err 'ready on'
                        expect "the directory" "700" "$(stat -c %a run)"
                        expect "the socket" "600" "$(stat -c %a run/sock)"
                        expect "the lock" "600" "$(stat -c %a run/sock.lock)"
                        expect "the keys" "600" "$(stat -c %a keys)"
                        expect_exit 0 cli -b "unix:$folder/run/sock" list
                        signal daemon TERM
                        expect_end 0 daemon
                done
                expect_exit 0 "${INHERITS[@]}" --umask "$mask" -- "$MBUS_CLI" keygen --force -o keys
                expect "the keys" "600" "$(stat -c %a keys)"
                rm -f .mbus
                expect_exit 0 "${INHERITS[@]}" --umask "$mask" -- "$MBUS_CLI" -b udp: send '(app:a)' 'x.y()'
                expect "the keys" "600" "$(stat -c %a .mbus)"
        done
}

test_a_directory_that_cannot_be_entered_is_named() {
        in_folder
        mkdir -m 600 run
        # Root may enter it all the same.
        if [ "$(id -u)" = 0 ] && can_be_a_stranger; then
                chown -R 65534:65534 "$folder"
                expect_exit 9 setpriv --reuid 65534 --regid 65534 --clear-groups \
                        --bounding-set=-all "$MBUS_BROKER" -c bus --socket "$folder/run/sock"
                expect_err_match "*$folder/run/sock: its directory cannot be entered or written; mend it with: chmod u+rwx $folder/run*"
        fi
}

test_limits_are_errors_with_a_name() {
        in_folder
        expect_exit 1 "${INHERITS[@]}" --limit FSIZE=100 -- sh -c 'exec "$0" --help >file' "$MBUS_CLI"
        expect_err 'mbus-cli: cannot write: File too large'
        # The limit holds for what standard error goes to, too.
        # shellcheck disable=SC2016
        expect_exit 8 bash -c '"$@" 2>&1 | cat; exit "${PIPESTATUS[0]}"' bash "${INHERITS[@]}" \
                --limit FSIZE=20 -- "$MBUS_CLI" keygen -o keys
        expect_out "mbus-cli: keys: cannot be written: File too large"
        expect "nothing is left" "" "$(ls keys* 2>/dev/null)"
        # What is locked into memory is not much.
        expect_exit 0 "${INHERITS[@]}" --limit MEMLOCK=0 -- "$MBUS_CLI" "${BUS[@]}" send '(app:a)' 'x.y()'
        expect_exit 1 "${INHERITS[@]}" --limit NOFILE=4 -- "$MBUS_CLI" "${BUS[@]}" list
        expect_err_match '*Too many open files*'
        start daemon here "${INHERITS[@]}" --limit FSIZE=0 --limit MEMLOCK=0 -- sh -c 'exec "$0" "$@" 2>log' \
                "$MBUS_BROKER" -c bus --socket "$folder/sock"
        until_ok test -S sock
        expect_exit 0 cli -b "unix:$folder/sock" list
        signal daemon HUP
        signal daemon TERM
        expect_end 0 daemon
        for n in 4 6 8 10 12 14 16 20 24 30 36 40; do
                # It runs, or it says why not; it does not hang or crash.
                start "daemon$n" here "${INHERITS[@]}" --limit NOFILE=$n -- "$MBUS_BROKER" \
                        -c bus --socket "$folder/sock"
                until_ok has_line "daemon$n.err" 'ready on|[Tt]oo many open files' ||
                        fail "$n descriptors" "ready, or why not" "$(cat "daemon$n.err")"
                passed
                has_ended "${pid_of[daemon$n]}" || signal "daemon$n" TERM 2>/dev/null
                wait "${pid_of[daemon$n]}"
                [ $? -lt 10 ] || fail "$n descriptors" "an exit status" "a crash"
                passed
                unset "pid_of[daemon$n]"
        done
}

test_no_arguments_at_all_are_no_crash() {
        in_folder
        MBUS=$folder/bus expect_exit 0 "${INHERITS[@]}" --no-arguments -- "$MBUS_CLI"
}

# ---- what the command line says ----

test_nothing_of_the_command_line_commands_the_terminal() {
        local esc=$'\e' override=$'\u202e' separator=$'\u2028' c1=$'\u009b' bad

        in_folder
        for bad in "${esc}[31m" "$override" "$separator" "$c1" $'\u200b' $'\u2066' $'\ufeff'; do
                "$MBUS_CLI" "verb$bad" 2>said
                "$MBUS_CLI" list "--opt$bad" 2>>said
                "$MBUS_CLI" send "(app:a$bad" 'x.y()' 2>>said
                "$MBUS_CLI" send '(app:a)' "x.y($bad" 2>>said
                "$MBUS_CLI" -c "no$bad" -b udp: list 2>>said
                "$MBUS_CLI" -b "unix:$folder/no$bad" list 2>>said
                "$MBUS_CLI" -b "bad$bad" list 2>>said
                "$MBUS_CLI" keygen --cipher "x$bad" 2>>said
                "$MBUS_CLI" keygen -o "no$bad/x" 2>>said
                "$MBUS_CLI" list -W "1$bad" 2>>said
                "$MBUS_CLI" monitor -C "1$bad" 2>>said
                "$MBUS_CLI" monitor -F "%q$bad" 2>>said
                "$MBUS_CLI" monitor -p "a$bad" 2>>said
                "$MBUS_BROKER" "arg$bad" 2>>said
                "$MBUS_BROKER" "--opt$bad" 2>>said
                "$MBUS_BROKER" --log-level "$bad" 2>>said
                "$MBUS_BROKER" -c "no$bad/x" --socket "$folder/s" 2>>said
                "$MBUS_BROKER" -c bus --socket "/proc/no$bad/x" 2>>said
                expect "raw $(printf %s "$bad" | od -An -tx1)" "" "$(grep -F -e "$bad" said)"
                expect "lines" "yes" "$([ "$(wc -l <said)" -ge 18 ] && echo yes)"
        done
}

test_nothing_of_a_message_commands_the_terminal() {
        local text=$'a\e[2J\u202eb\u2028c\u009b\u200b\u2066' send

        in_folder
        start_subscriber lines here udp: bus '(app:a)' -C 1 -F '%p'
        start_subscriber json here udp: bus '(app:a)' -C 1 -j
        send='x.y("'$text'")'
        expect_exit 0 cli "${BUS[@]}" send '(app:a)' "$send"
        expect_end 0 lines
        expect_end 0 json
        expect_file lines.out 'x.y("a␛[2J\u202eb\u2028c\u009b\u200b\u2066")'
        expect "no raw character" "" "$(grep -P '[^\x20-\x7e]' json.out)"
        expect "it reads back" "$text" \
                "$(python3 -c 'import json, sys
print(json.load(sys.stdin)["cmds"][0]["args"][0])' <json.out)"
}

main "$@"
