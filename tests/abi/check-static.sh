#!/usr/bin/env bash
# check-static.sh BUILD COMPILER...: a program that has functions of its own under names that the library
# uses inside links with what is installed, as pkg-config says: statically, and with the shared one.
set -u
export LC_ALL=C

if [ $# -lt 2 ]; then
        echo "usage: check-static.sh BUILD COMPILER..." >&2
        exit 2
fi
build=$1
shift
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

DESTDIR=$work/root meson install -C "$build" --no-rebuild --tags devel,runtime >"$work/log" 2>&1 || {
        cat "$work/log"
        exit 1
}
pc=$(find "$work/root" -name libmbus-1.pc)
[ -n "$pc" ] || { echo "no libmbus-1.pc is installed" && exit 1; }
export PKG_CONFIG_PATH=${pc%/*}
# Everything is below a directory that is only there for the test.
pkg=(pkg-config --define-variable="prefix=$work/root$(pkg-config --variable=prefix libmbus-1)")

cat >"$work/program.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <mbus/mbus.h>

/* What an application may well call its own. */
int base64_decode(void);
int buffer_add(void);
int message_new(void);
int config_parse(void);
int peers_join(void);

int base64_decode(void) { return 1; }
int buffer_add(void) { return 2; }
int message_new(void) { return 3; }
int config_parse(void) { return 4; }
int peers_join(void) { return 5; }

int main(void)
{
        struct mbus_config *config;
        struct mbus_bus *bus;
        struct mbus_entity *me;

        if (mbus_config_new(&config))
                return 1;
        mbus_config_set_url(config, "mem:static");
        if (mbus_bus_open(&bus, config) || mbus_bus_add_entity(bus, "(app:static)", &me))
                return 1;
        printf("%d %s\n", base64_decode() + buffer_add() + message_new() + config_parse() +
                                  peers_join(),
               mbus_entity_get_address(me));
        mbus_bus_close(bus);
        mbus_config_free(config);
        return 0;
}
END

status=0
# try NAME OPTION...: links the program, and runs it.
try() {
        local name=$1 said

        shift
        if ! "${compiler[@]}" -o "$work/program" "$work/program.c" "$@" >"$work/log" 2>&1; then
                echo "$name: does not link"
                cat "$work/log"
                status=1
                return
        fi
        said=$(LD_LIBRARY_PATH=${PKG_CONFIG_PATH%/pkgconfig} "$work/program" 2>&1)
        case $said in
        "15 (app:static id:"*) ;;
        *) echo "$name: the program says \"$said\"" && status=1 ;;
        esac
}

compiler=("$@")
read -ra shared < <("${pkg[@]}" --cflags --libs libmbus-1)
read -ra static < <("${pkg[@]}" --static --cflags --libs libmbus-1)
try "shared library" "${shared[@]}"
try "static library" "${static[@]/#-lmbus-1/-l:libmbus-1.a}"
# All of it without any shared object, where the other libraries have their archives, too.
if ! echo 'int main(void) { return 0; }' | "${compiler[@]}" -static -x c -o /dev/null - \
        $(pkg-config --static --libs libgcrypt) 2>/dev/null; then
        echo "no program can be linked with -static here; all else: $status"
else
        try "-static" -static "${static[@]}"
fi
exit $status
