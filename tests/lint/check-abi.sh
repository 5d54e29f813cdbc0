#!/usr/bin/env bash
# check-abi.sh SOURCE LIBRARY ARCHIVE: the functions of mbus.h, of libmbus.sym, of
# tests/abi/test-api.c, of the man pages, and all symbols that the shared and the static library show,
# are the same ones. Prints what differs; exits 1 if anything does.
set -u
export LC_ALL=C

if [ $# -ne 3 ]; then
        echo "usage: check-abi.sh SOURCE LIBRARY ARCHIVE" >&2
        exit 2
fi
source=$1
library=$2
archive=$3
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
status=0

# Without its comments, a name before "(" is a function.
sed -e ':a' -e '$!{N;ba}' -e 's,/\*\([^*]\|\*[^/]\)*\*/,,g' "$source/libmbus/mbus.h" |
        grep -o '\bmbus_[a-z0-9_]* *(' | tr -d ' (' | sort -u >"$work/mbus.h"
grep -o '^ *mbus_[a-z0-9_]*;' "$source/libmbus/libmbus.sym" | tr -d ' ;' | sort >"$work/libmbus.sym"
grep -o 'FUNCTION(mbus_[a-z0-9_]*)' "$source/tests/abi/test-api.c" | sed 's/.*(//; s/)//' |
        sort >"$work/test-api.c"
# Whoever takes a pointer is tried with NULL.
sed -e ':a' -e '$!{N;ba}' -e 's,/\*\([^*]\|\*[^/]\)*\*/,,g' "$source/libmbus/mbus.h" | tr '\n' ' ' |
        grep -o '\bmbus_[a-z0-9_]* *([^()]*\*[^()]*)' | sed 's/ *(.*//' | sort -u >"$work/pointers"
grep -o '\bmbus_[a-z0-9_]*(' "$source/tests/abi/test-null.c" | tr -d '(' | sort -u >"$work/null"
# A function is documented where a synopsis declares it.
sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$source"/libmbus/man/*.3 |
        grep -o '\bmbus_[a-z0-9_]*(' | tr -d '(' | sort >"$work/man pages"
# Whatever kind of symbol it is; the name of the version in libmbus.sym is an absolute one.
nm -D --defined-only "$library" | sed -n 's/.* [^A] \([^@ ]*\).*/\1/p' | sort >"$work/library"
nm -g --defined-only "$archive" | sed -n 's/.* [A-Za-z] //p' | sort >"$work/archive"

if [ ! -s "$work/mbus.h" ]; then
        echo "no functions found in $source/libmbus/mbus.h"
        exit 1
fi
for what in libmbus.sym test-api.c "man pages" library archive; do
        difference=$(diff "$work/mbus.h" "$work/$what")
        [ -n "$difference" ] || continue
        status=1
        echo "$difference" | sed -n "s/^< /only in mbus.h, not in $what: /p
                                     s/^> /in $what, but not (or once more than) in mbus.h: /p"
done
untried=$(comm -23 "$work/pointers" "$work/null")
if [ -n "$untried" ] || [ ! -s "$work/pointers" ]; then
        status=1
        echo "$untried" | sed 's,^,not in tests/abi/test-null.c: ,'
fi
exit $status
