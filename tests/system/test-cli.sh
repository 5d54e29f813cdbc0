#!/usr/bin/env bash
# mbus-cli before it reaches a bus: its options, what it says about what is wrong, the keys it makes,
# and the configurations that it refuses (RFC 3259, 12).
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

HASH='HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)'

# refuses WHAT TEXT COLUMN ARGUMENT...: usage, and a caret under the place.
refuses() {
        local what=$1 text=$2 column=$3

        shift 3
        expect_exit 2 cli "$@"
        expect_err "mbus-cli: $what
$text
$(printf '%*s^' "$column" '')"
        expect_out ""
}

test_what_is_wrong_has_a_caret_under_it() {
        refuses 'DEST: an address ends with ")"' '(a:b' 4 send '(a:b' 'x()'
        refuses 'DEST: a tag occurs only once in an address' '(a:b a:c)' 5 send '(a:b a:c)' 'x()'
        refuses 'COMMAND: the list that begins here has no end' 'x(' 1 send '(a:b)' 'x('
        refuses 'COMMAND: only a line end may follow a command' 'x(1) y(' 5 \
                send '(a:b)' 'ok()' 'x(1) y('
        # Two octets, one column.
        refuses 'COMMAND: data are base64, padded with "=", between < and >' \
                'x(1 "Größe" <AA>)' 13 send '(a:b)' 'x(1 "Größe" <AA>)'
        refuses '--as: a tag is followed by ":" and a value' '(a)' 2 \
                send --as '(a)' '(a:b)' 'x()'
        refuses 'ADDR: a tag occurs only once in an address' '(a:b a:c)' 5 subscribe '(a:b a:c)'
        refuses '--as: an id of our own is NUMBER-NUMBER@HOST, such as 7-1@10.1.0.2: up to 10 and 5 digits, and an IP address; without one it is made' \
                '(app:x id:7)' 10 send --as '(app:x id:7)' '(a:b)' 'x()'
        refuses 'ADDR: an id of our own is NUMBER-NUMBER@HOST, such as 7-1@10.1.0.2: up to 10 and 5 digits, and an IP address; without one it is made' \
                '(id:me)' 4 subscribe '(id:me)'
        refuses 'COMMAND: in a string, \n, \" and \\ are known; a backslash is written \\' \
                'x("a\q")' 4 send '(a:b)' 'x("a\q")'
        refuses 'ADDR: a tag occurs only once in an address' '(a:b a:c)' 5 \
                monitor '()' '(a:b a:c)'
        refuses '-C: a whole number is wanted' '1x' 1 subscribe -C 1x '(a:b)'
        refuses '-C: a whole number above 0 is wanted' '0' 0 monitor -C 0
        refuses '-W: the units are ms, s, m and h' '1x' 1 list -W 1x
        refuses '-F: no such letter; mbus-cli monitor --help lists them' '%s%q' 2 \
                monitor -F '%s%q'
        refuses '-p: the name of a command has no such character' 'audio gain' 5 \
                monitor -p 'audio gain'
        refuses '-p: the name of a command has no such character' '1' 0 monitor -p 1
        refuses '--on: the name of a bus of the broker is wanted, as in [bus NAME]' 'udp:' 3 \
                monitor --on udp:
        refuses '-b: the bus is auto:, udp:, unix:PATH or tcp:HOST:PORT; monitor --on NAME names one of the broker'"'"'s' \
                'studio' 0 monitor --bus studio
        refuses '-b: the bus is auto:, udp:, unix:PATH or tcp:HOST:PORT' 'x:y' 0 -b x:y list
}

# CMD-06
test_what_belongs_to_the_bus_cannot_be_sent() {
        refuses 'COMMAND: mbus.hello is what the library says itself, while one is joined' \
                'mbus.hello()' 0 send '()' 'mbus.hello()'
        refuses 'COMMAND: mbus.bye is what the library says itself, when one leaves' \
                'mbus.bye()' 0 send '()' 'mbus.bye()'
        refuses 'COMMAND: mbus.ping is what "mbus-cli ping" says' \
                'mbus.ping()' 0 send '()' 'mbus.ping()'
        expect_exit 2 cli send '(a:b)' 'x()' 'mbus.anything(1)'
        expect_err_match '*COMMAND: commands that begin with "mbus." are reserved*'
}

test_usage_is_told_in_a_line() {
        local verb

        expect_exit 2 cli send '(a:b)'
        expect_err 'mbus-cli: send: too few arguments; usage: mbus-cli send [-r] [-W SECS] [--as ADDR] [--stay SECS [-j|-F FMT]] DEST COMMAND...'
        expect_exit 2 cli list a b
        expect_err_match 'mbus-cli: list: too many arguments; usage: mbus-cli list *'
        expect_exit 2 cli frobnicate
        expect_err_match 'mbus-cli: no verb frobnicate; there are list send *keygen*'
        cp "$folder/err" "$folder/verbs"
        expect_exit 2 cli list --reliable
        expect_err_match 'mbus-cli: list: no option --reliable; it has -W --wait, *'
        expect_exit 2 cli list -p x.
        expect_err_match 'mbus-cli: list: no option --prefix; it has *'
        expect_exit 2 cli monitor -p ''
        expect_err "mbus-cli: -p: the beginning of a command's name is wanted"
        expect_exit 2 cli monitor --on ''
        expect_err 'mbus-cli: --on: the name of a bus of the broker is wanted, as in [bus NAME]'
        expect_exit 2 cli monitor '()' '()' '()' '()' '()' '()' '()' '()' '()' '()' '()' '()' '()' \
                '()' '()' '()' '()'
        expect_err 'mbus-cli: monitor: there may be 16 ADDRs, not 17'
        expect_exit 2 cli --nope
        expect_err 'mbus-cli: no option --nope; try mbus-cli --help'
        expect_exit 2 cli send -W
        expect_err_match 'mbus-cli: send: an argument is missing behind -W; it has *'
        expect_exit 2 cli subscribe -j -F %t '(a:b)'
        expect_err 'mbus-cli: subscribe: -j and -F exclude each other'
        for verb in $(sed 's/.*there are //' "$folder/verbs"); do
                expect_exit 0 cli "$verb" --help
                expect_match "help of $verb" "mbus-cli $verb *" "$(cat "$folder/out")"
                expect_err ""
        done
        expect_exit 0 cli --version
        expect_match "version" "mbus-cli *.*.* (libmbus *.*.*)" "$(cat "$folder/out")"
}

octets_of_key() {
        sed -n "s/^$2=([^,]*,\(.*\))\$/\1/p" "$folder/$1" | base64 -d | wc -c
}

# SEC-07 SEC-08 CFG-05 CFG-07
test_keygen_makes_every_kind_of_key_in_full_length() {
        local hash cipher name

        while read -r hash name octets; do
                expect_exit 0 cli keygen -o "$folder/k-$hash" --hash "$hash"
                expect_line "k-$hash" "^HASHKEY=\\($name,"
                expect "octets of $name" "$octets" "$(octets_of_key "k-$hash" HASHKEY)"
        done <<<"sha1 HMAC-SHA1-96 20
md5 HMAC-MD5-96 16"
        while read -r cipher name octets; do
                expect_exit 0 cli keygen -o "$folder/k-$cipher" --cipher "$cipher" \
                        --scope linklocal
                expect_err "mbus-cli: made $folder/k-$cipher; copy it to all who are to join the bus, and to nobody else"
                expect_line "k-$cipher" "^ENCRYPTIONKEY=\\($name,"
                expect_line "k-$cipher" '^SCOPE=LINKLOCAL$'
                expect "octets of $name" "$octets" "$(octets_of_key "k-$cipher" ENCRYPTIONKEY)"
                expect "mode" 600 "$(stat -c %a "$folder/k-$cipher")"
        done <<<"none NOENCR 0
aes AES 16
des DES 8
3des 3DES 24
idea IDEA 16"
}

# SEC-04
test_programs_with_the_same_keys_understand_each_other() {
        local name

        for name in sha1 md5 none aes des 3des idea; do
                case $name in
                sha1 | md5) expect_exit 0 cli keygen -o "$folder/$name" --hash "$name" ;;
                *) expect_exit 0 cli keygen -o "$folder/$name" --cipher "$name" ;;
                esac
                start_subscriber "sub-$name" here udp: "$name" '(app:x)' -C 1 -W 20 -F '%p'
                expect_exit 0 cli -c "$folder/$name" -b udp: send '(app:x)' "x.y(\"$name\")"
                expect_end 0 "sub-$name"
                expect_file "sub-$name.out" "x.y(\"$name\")"
        done
}

# CFG-04 CFG-05
test_keygen_replaces_no_file_unless_it_is_told_to() {
        echo precious >"$folder/k"
        expect_exit 8 cli keygen -o "$folder/k"
        expect_err "mbus-cli: $folder/k is there; programs that use its keys would be cut off. mbus-cli keygen --force -o $folder/k replaces it"
        expect "the file" precious "$(cat "$folder/k")"
        chmod 644 "$folder/k"
        expect_exit 0 cli keygen --force -o "$folder/k"
        expect_line k '^HASHKEY=\(HMAC-SHA1-96,'
        expect "mode" 600 "$(stat -c %a "$folder/k")"
        expect_exit 8 cli keygen -o "$folder/none/k"
        expect_err "mbus-cli: $folder/none/k: cannot be created: No such file or directory"
        expect_exit 0 env MBUS="$folder/m" "$MBUS_CLI" keygen
        expect_line m '^SCOPE=HOSTLOCAL$'
        expect_exit 0 cli keygen
        expect "files" ".mbus k m" "$(cd "$folder" && echo .m* k m*)"
        expect_exit 0 cli keygen -o - --cipher none
        expect "lines on standard output" 5 "$(wc -l <"$folder/out")"
        expect_exit 2 cli keygen --cipher rot13
        expect_err 'mbus-cli: --cipher: aes, none, des, 3des or idea'
        expect_exit 2 cli keygen --hash crc
        expect_exit 2 cli keygen --scope world
        expect_exit 1 sh -c '"$1" keygen -o - >/dev/full' sh "$MBUS_CLI"
}

# CFG-04 CFG-05
test_the_first_run_makes_a_configuration() {
        expect_exit 0 cli -b udp: list -W 0.01
        expect_err "mbus-cli: made $folder/.mbus: new random keys (HMAC-SHA1-96, AES), for this host only"
        expect "mode" 600 "$(stat -c %a "$folder/.mbus")"
        cp "$folder/.mbus" "$folder/before"
        expect_exit 0 cli -b udp: list -W 0.01
        expect_err ""
        cmp "$folder/.mbus" "$folder/before" || fail "second run" "the same file" "another"
        expect_exit 8 cli -b udp: -c "$folder/missing" list
        expect_err "mbus-cli: there is no $folder/missing; mbus-cli keygen -o $folder/missing makes it"
}

# refused LINE...: as configuration, of which the error is asked for.
refused() {
        printf '%s\n' "$@" >"$folder/bad"
        chmod 600 "$folder/bad"
        expect_exit 8 cli -c "$folder/bad" -b udp: list -W 0.01
        expect_out ""
}

says() {
        expect_err "mbus-cli: $folder/bad:$1"
}

# CFG-01 CFG-02 CFG-03 CFG-06 SEC-07
test_errors_in_a_configuration_name_file_line_and_key() {
        local key

        refused '[MBUS]' CONFIG_VERSION=1 'HASHKEY=(HMAC-SHA1-96,AQID)' 'ENCRYPTIONKEY=(NOENCR,)'
        says '3: HASHKEY: has a key of 3 octets, HMAC-SHA1-96 takes 20 (12 at least); mend it by mbus-cli keygen'
        refused '[MBUS]' CONFIG_VERSION=1 'HASHKEY=(HMAC-SHA1-96,***)' 'ENCRYPTIONKEY=(NOENCR,)'
        says '3: HASHKEY: has a key that is not base64, whose length is a multiple of 4 with = at the end; copy it again'
        refused '[MBUS]' CONFIG_VERSION=1 'HASHKEY=(SHA3,AQID)' 'ENCRYPTIONKEY=(NOENCR,)'
        says '3: HASHKEY: has an unknown algorithm, use HMAC-SHA1-96 or HMAC-MD5-96'
        refused '[MBUS]' CONFIG_VERSION=1 '' '# a comment' "$HASH" 'ENCRYPTIONKEY=(ROT13,AQID)'
        says '6: ENCRYPTIONKEY: has an unknown algorithm, use AES, IDEA, 3DES, DES or NOENCR'
        for key in AES:16 DES:8 IDEA:16; do
                refused '[MBUS]' CONFIG_VERSION=1 "$HASH" "ENCRYPTIONKEY=(${key%:*},AQIDBA==)"
                says "4: ENCRYPTIONKEY: has a key of 4 octets, ${key%:*} takes ${key#*:}; make one with mbus-cli keygen"
        done
        refused '[MBUS]' CONFIG_VERSION=1 "$HASH" 'ENCRYPTIONKEY=(3DES,AQIDBA==)'
        says '4: ENCRYPTIONKEY: has a key of 4 octets, 3DES takes 24 (or 16, if the first 8 are used twice); make one with mbus-cli keygen'
        refused '[MBUS]' CONFIG_VERSION=1 'ENCRYPTIONKEY=(NOENCR,)'
        says '3: HASHKEY: is missing in [MBUS], add it or make a file with mbus-cli keygen'
        refused '[MBUS]' CONFIG_VERSION=1 "$HASH"
        says '3: ENCRYPTIONKEY: is missing in [MBUS], add it, with (NOENCR,) for no encryption'
        refused CONFIG_VERSION=1 "$HASH" 'ENCRYPTIONKEY=(NOENCR,)'
        says '1: [MBUS]: must be the first line, write it there'
        refused '[MBUS]' "$HASH" "$HASH" 'ENCRYPTIONKEY=(NOENCR,)'
        says '3: HASHKEY: stands on line 2 already, remove one of the two'
        refused '[MBUS]' CONFIG_VERSION=2 "$HASH" 'ENCRYPTIONKEY=(NOENCR,)'
        says '2: CONFIG_VERSION: is 2, this program knows version 1; use a newer program, or make a new file with mbus-cli keygen'
        while IFS='|' read -r line what; do
                refused '[MBUS]' CONFIG_VERSION=1 "$HASH" 'ENCRYPTIONKEY=(NOENCR,)' "$line"
                says "5: ${line%%=*}: $what"
        done <<'LINES'
SCOPE=WORLD|is no scope, write HOSTLOCAL or LINKLOCAL
PORT=65536|is no UDP port, write a number from 1 to 65535
ADDRESS=10.0.0.1|is no multicast address, write one in 239.0.0.0/8 or ff02::/16, or BROADCAST
ADDRESS=here|is no IP address, write one or BROADCAST
IPVERSION=5|is no version of IP, write 4 or 6
SEND_UNICAST=maybe|is neither, write yes or no
DIALECT=KLINGON|is no dialect, write RFC3259 or UCL
SCOPE|is no entry, write KEY=VALUE, or # in front of a comment
LINES
}

# CFG-05
test_a_file_that_is_no_private_file_is_refused() {
        config open
        chmod 644 "$folder/open"
        expect_exit 8 cli -c "$folder/open" -b udp: list
        expect_err "mbus-cli: $folder/open: other users may read or write it, mend it with: chmod 600 $folder/open"
        expect_exit 8 env MBUS="$folder" "$MBUS_CLI" -b udp: list
        expect_err "mbus-cli: $folder: is a directory, name the file in it (MBUS=FILE)"
        mkfifo -m 600 "$folder/pipe"
        expect_exit 8 cli -c "$folder/pipe" -b udp: list
        expect_err "mbus-cli: $folder/pipe: is no regular file, name one (MBUS=FILE)"
}

# CFG-01 CFG-06 CFG-07 CFG-08 SEC-08
test_what_other_programs_write_is_read() {
        printf '\xef\xbb\xbf[MBUS]\r\nCONFIG_VERSION=1\r\n%s\r\nENCRYPTIONKEY=(NOENCR)\r\n' \
                "$HASH" >"$folder/dos"
        printf 'UNHEARD=OF\r\n' >>"$folder/dos"
        chmod 600 "$folder/dos"
        expect_exit 0 cli -c "$folder/dos" -b udp: list -W 0.01
        expect_err "mbus-cli: $folder/dos:5: UNHEARD: The key is unknown and ignored."
        printf '[MBUS]\nhashkey=(hmac-md5-96, MTIzMTU2MTg5MTEy)\nEncryptionKey=(noencr,x)\n' \
                >"$folder/old"
        chmod 600 "$folder/old"
        expect_exit 0 cli -c "$folder/old" -b udp: list -W 0.01
        expect_err "mbus-cli: $folder/old:2: hashkey: The key has 12 octets, fewer than the 16 of HMAC-MD5-96.
mbus-cli: $folder/old:3: CONFIG_VERSION: It is missing, add a line CONFIG_VERSION=1."
}

test_a_bus_that_cannot_be_reached_ends_with_9() {
        local verb

        for verb in list "send () x()" "subscribe (a:b)" monitor ping; do
                # shellcheck disable=SC2086 # words of a command
                expect_exit 9 cli -b "unix:$folder/none" $verb
                expect_err "mbus-cli: broker at $folder/none: No such file or directory: start mbus-broker, or use udp:"
        done
        config c
        ip link set lo down
        expect_exit 9 cli -c "$folder/c" -b udp: list
        # shellcheck disable=SC2016 # backquotes are part of it
        expect_err 'mbus-cli: lo: the interface is down: `ip link set lo up`'
        ip link set lo up
        config far INTERFACE=eth7
        expect_exit 9 cli -c "$folder/far" -b udp: list
        # shellcheck disable=SC2016 # backquotes are part of it
        expect_err 'mbus-cli: INTERFACE=eth7: no interface has this name or address: `ip address` lists them'
}

main "$@"
