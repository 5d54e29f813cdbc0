#!/usr/bin/env bash
# What `meson install` leaves: programs that run without environment variables, from any prefix and when the
# tree was moved; a library that pkg-config and the loader find; documentation that is whole; samples that
# say why they fail. spec/install.md. Needs $MESON, $MBUS_SOURCE and $MBUS_APART; nothing is installed outside
# of a folder of its own, in which it builds.
set -u
: "${MESON:?}" "${MBUS_SOURCE:?}" "${MBUS_APART:?}"
if [ -z "${INSTALL_APART:-}" ]; then
        # Without the brokers of this machine, where that is allowed.
        export INSTALL_APART=yes
        "$MBUS_APART" true >/dev/null && exec "$MBUS_APART" bash "$0" "$@"
else
        mount -t tmpfs tmpfs /run || exit 1
fi
unset MBUS LD_LIBRARY_PATH PKG_CONFIG_PATH DESTDIR XDG_RUNTIME_DIR
export LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
n=0

fail() {
        echo "${FUNCNAME[1]}: $*" >&2
        exit 1
}

expect() { # WHAT EXPECTED GOT
        n=$((n + 1))
        [ "$2" = "$3" ] || fail "$1: expected \"$2\", got \"$3\""
}

expect_match() { # WHAT PATTERN GOT
        n=$((n + 1))
        # shellcheck disable=SC2053 # it is a pattern
        [[ $3 == $2 ]] || fail "$1: expected \"$2\", got \"$3\""
}

quietly() {
        "$@" >"$folder/log" 2>&1 || {
                cat "$folder/log"
                fail "$*"
        }
}

runpath() {
        readelf -d "$1" | sed -n 's/.*(RUNPATH).*\[\(.*\)\]/\1/p; s/.*(RPATH).*\[\(.*\)\]/\1/p'
}

# configured OPTION...: the same build, with other options.
configured() {
        quietly "$MESON" configure "$folder/build" "$@"
        quietly ninja -C "$folder/build"
}

# staged: installs below $folder/stage, and prints what is said.
staged() {
        rm -rf "$folder/stage"
        DESTDIR=$folder/stage "$MESON" install -C "$folder/build" --no-rebuild 2>&1 | cat >"$folder/log"
        [ "${PIPESTATUS[0]}" = 0 ] || fail "$(cat "$folder/log")"
}

test_any_prefix() {
        quietly "$MESON" setup "$folder/build" "$MBUS_SOURCE" -Dprefix="$folder/any prefix" \
                -Dlibdir=lib/some-where -Dtests=disabled -Dmetrics=disabled -Dbuildtype=plain
        quietly ninja -C "$folder/build"
        "$MESON" install -C "$folder/build" --no-rebuild 2>&1 | cat >"$folder/log"
        expect "what it says" "To build programs with it: export PKG_CONFIG_PATH=$folder/any prefix/lib/some-where/pkgconfig" \
                "$(tail -n 1 "$folder/log")"
        expect_match "mbus-cli" 'mbus-cli *' "$(env -i "$folder/any prefix/bin/mbus-cli" --version 2>&1)"
        expect_match "mbus-broker" 'mbus-broker *' \
                "$(env -i "$folder/any prefix/bin/mbus-broker" --version 2>&1)"
        mv "$folder/any prefix" "$folder/moved"
        expect_match "mbus-cli, moved" 'mbus-cli *' "$(env -i "$folder/moved/bin/mbus-cli" --version 2>&1)"
        if setpriv --reuid 65533 --regid 65533 --clear-groups true 2>/dev/null; then
                chmod 711 "$folder"
                expect_match "mbus-cli of another user" 'mbus-cli *' "$(setpriv --reuid 65533 \
                        --regid 65533 --clear-groups env -i "$folder/moved/bin/mbus-cli" --version 2>&1)"
        fi
}

# A path without a blank, which no shell and no pkg-config takes apart.
test_a_program() {
        configured -Dprefix="$folder/prefix" -Dlibdir=lib
        quietly "$MESON" install -C "$folder/build" --no-rebuild
        expect "runpath" "\$ORIGIN/../lib" "$(runpath "$folder/prefix/bin/mbus-cli")"
        PKG_CONFIG_PATH=$folder/prefix/lib/pkgconfig MBUS_CLI=$folder/prefix/bin/mbus-cli \
                quietly "$MBUS_SOURCE/tests/support/try-program" player.c
        n=$((n + 1))
}

# The samples of mbus.h and libmbus-1(3), in a program, and the examples.
test_samples() {
        local sample pc=$folder/prefix/lib/pkgconfig/libmbus-1.pc said

        sed -n '1,/ \*\//p' "$folder/prefix/include/mbus-1/mbus/mbus.h" | sed -n 's/^ \*      //p' >"$folder/header"
        sed -n '/^struct mbus_config \*config;/,/^\.fi/p' "$folder/prefix/share/man/man3/libmbus-1.3" |
                sed '/^\.fi/d; s/\\-/-/g; s/\\e/\\/g' >"$folder/page"
        cp "$folder/prefix/share/doc/mbus/examples/"*.c "$folder"
        for sample in header page; do
                {
                        printf '#include <mbus/mbus.h>\n#include <stdio.h>\n#include <stdlib.h>\n'
                        printf '%s\n' 'static void die(const char *why) { fputs(why, stderr); exit(1); }'
                        echo 'static void handle(const struct mbus_event *event) { (void)event; }'
                        printf 'int main(void)\n{\n'
                        cat "$folder/$sample"
                        echo '}'
                } >"$folder/$sample.c"
                grep -q mbus_bus_open "$folder/$sample.c" || fail "$sample has no sample"
        done
        mkdir "$folder/empty"
        for sample in header page poll subscribe send; do
                # shellcheck disable=SC2046 # a list of options
                quietly cc -Wall -Werror -std=gnu11 -o "$folder/$sample" "$folder/$sample.c" \
                        $(pkg-config --cflags --libs "$pc")
                said=$(cd "$folder" && env -i HOME="$folder/empty" timeout 20 "./$sample" '(app:a)' \
                        'a.b()' 2>&1 </dev/null)
                [ "$sample" != subscribe ] || said=$(cd "$folder" && env -i HOME="$folder/empty" \
                        timeout 20 ./subscribe '(app:a)' 2>&1 </dev/null)
                expect_match "$sample without a configuration" '*mbus-cli keygen*' "$said"
        done
        # A user without a home, either.
        if setpriv --reuid 65531 --regid 65531 --clear-groups true 2>/dev/null; then
                chmod -R a+rX "$folder/prefix" && chmod 755 "$folder"
                said=$(setpriv --reuid 65531 --regid 65531 --clear-groups env -i "$folder/poll" 2>&1 </dev/null)
                expect_match "poll without a home" '*mbus-cli keygen*' "$said"
        fi
}

test_documentation() {
        local doc=$folder/prefix/share/doc/mbus page file link

        for page in "$folder/prefix/share/man/"man*/*; do
                grep -q '@[a-z]*dir@' "$page" && fail "$page: $(grep '@[a-z]*dir@' "$page")"
                while read -r file; do
                        [ -e "$file" ] || fail "${page##*/} names $file, which is not installed"
                        n=$((n + 1))
                done < <(grep -oE "$folder/prefix/[A-Za-z0-9_./-]*[A-Za-z0-9_]" "$page")
        done
        while IFS= read -r file; do
                while read -r link; do
                        [ -e "$(dirname "$file")/$link" ] || fail "${file#"$doc/"} links to $link, which is not installed"
                        n=$((n + 1))
                done < <(grep -oE '\]\([^)#:]+[)#]' "$file" | sed 's/^](//; s/[)#]$//')
        done < <(find "$doc" -name '*.md')
        [ -e "$doc/README.md" ] || fail "README.md is not installed"
}

# A package of the system has no built-in paths, and nobody runs ldconfig for it.
test_packages() {
        # A library folder of the system's by its name, on any machine.
        configured -Dprefix=/usr -Dlibdir=lib/x86_64-linux-gnu
        PATH=$folder/fake:$PATH staged
        expect "runpath in /usr" "" "$(runpath "$folder/stage/usr/bin/mbus-cli")"
        expect "the .pc" "" "$(grep rpath "$folder/stage/usr/lib/x86_64-linux-gnu/pkgconfig/libmbus-1.pc")"
        configured -Dprefix=/opt/mbus -Dlibdir=lib
        staged
        expect "runpath in /opt" "\$ORIGIN/../lib" "$(runpath "$folder/stage/opt/mbus/bin/mbus-cli")"
        expect_match "staged" 'mbus-cli *' "$(env -i "$folder/stage/opt/mbus/bin/mbus-cli" --version 2>&1)"
        configured -Dbindir=/elsewhere/bin
        staged
        expect "runpath outside of the prefix" "/opt/mbus/lib" "$(runpath "$folder/stage/elsewhere/bin/mbus-cli")"
        configured -Drpath=disabled
        staged
        expect "runpath that is not wanted" "" "$(runpath "$folder/stage/elsewhere/bin/mbus-cli")"
        ! grep -qE 'ldconfig|PKG_CONFIG' "$folder/log" || fail "a package was told: $(cat "$folder/log")"
}

# loader WHAT EXPECTED DESTDIR ENTER...: what install-loader says, past its parent, where the cache knows
# /usr/lib.
loader() {
        # shellcheck disable=SC2016 # the inner shell expands it
        expect "$1" "$2" "$(DESTDIR=$3 PATH=$folder/fake:$PATH "${@:4}" sh -c \
                '"$0/libmbus/install-loader" /usr/lib yes; true' "$MBUS_SOURCE" 2>&1 | grep -v PKG_CONFIG)"
}

test_ldconfig() {
        mkdir "$folder/fake"
        printf '#!/bin/sh\n[ $# = 0 ] && echo "ldconfig runs" && exit\nprintf "/usr/lib: (from <builtin>:0)\\n"\n' \
                >"$folder/fake/ldconfig"
        chmod 755 "$folder/fake/ldconfig" "$folder/fake"
        loader "for a package" "" /stage env
        if [ "$(id -u)" = 0 ]; then
                loader "as root" "Running ldconfig, so that all programs find libmbus-1 in /usr/lib
ldconfig runs" "" env
        fi
        if setpriv --reuid 65533 --regid 65533 --clear-groups test -r "$MBUS_SOURCE" 2>/dev/null; then
                loader "as somebody" "To be run once, as root, so that all programs find libmbus-1 in /usr/lib: ldconfig" \
                        "" setpriv --reuid 65533 --regid 65533 --clear-groups
        fi
}

test_any_prefix
test_a_program
test_samples
test_documentation
test_ldconfig
test_packages
echo "$n checks"
