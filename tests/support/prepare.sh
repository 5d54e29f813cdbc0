# shellcheck shell=bash disable=SC2034
# What tests/run.sh and tests/demo.sh share: saying what happens, and the packages of a fresh
# Debian 12. To be sourced by bash, with the project as the current directory.

# Each need is "package probe": a command, a pkg-config module after "pc:", a file after "file:".
# The probes, not the package database, decide, so that other systems with the same tools work too. A
# command is a file, since the shell's own kill is none that a service can run.
needs_build=(
        "gcc gcc" "libc6-dev file:/usr/include/stdio.h" "meson meson" "ninja-build ninja"
        "pkg-config pkg-config" "libgcrypt20-dev pc:libgcrypt" "libuv1-dev pc:libuv"
)
needs_tests=(
        "check pc:check" "g++ g++" "clang clang" "valgrind valgrind" "clang-format clang-format"
        "universal-ctags ctags" "spin spin" "binutils nm" "python3 python3"
        "iproute2 ip" "nftables nft" "util-linux unshare" "libmicrohttpd-dev pc:libmicrohttpd"
        "systemd systemd-analyze" "musl-tools musl-gcc" "linux-libc-dev file:/usr/include/linux/filter.h"
        "openssl openssl" "procps kill" "man-db man" "groff-base groff"
)
needs_coverage=("gcovr gcovr")
needs_fresh=("debootstrap debootstrap")

say() {
        printf '\n== %s\n' "$*"
}

have() {
        case $1 in
        pc:*) type -P pkg-config >/dev/null && pkg-config --exists "${1#pc:}" ;;
        file:*) [ -e "${1#file:}" ] ;;
        *) type -P "$1" >/dev/null ;;
        esac
}

# Prints the packages, of the needs that are given, whose probe fails.
missing() {
        local need

        for need in "$@"; do
                have "${need#* }" || printf '%s ' "${need%% *}"
        done
}

# How to become root without being asked for a password; fails if there is no way.
as_root() {
        if [ "$(id -u)" = 0 ]; then
                "$@"
        elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
                sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
        else
                return 1
        fi
}

# Prints what each need is here, so that a change of it shows: the version of a module, the file that a
# command is and when that was changed.
fingerprint() {
        local need probe

        for need in "$@"; do
                probe=${need#* }
                case $probe in
                pc:*) echo "$probe $(pkg-config --modversion "${probe#pc:}" 2>/dev/null)" ;;
                file:*) have "$probe" && echo "$probe" ;;
                *) echo "$probe $(stat -L -c '%n %Y %s' "$(type -P "$probe")" 2>/dev/null)" ;;
                esac
        done
}

# Whether packages can be installed here: then what is missing is nobody's fault but ours.
ours_to_set_up() {
        type -P apt-get >/dev/null && as_root true
}

# Installs what is missing of the needs that are given, or says what to install and fails.
prepare() {
        local packages

        PATH=$PATH:/usr/sbin:/sbin
        packages=$(missing "$@")
        if [ -z "$packages" ]; then
                return 0
        fi
        if ours_to_set_up; then
                say "Installing $packages"
                export DEBIAN_FRONTEND=noninteractive
                as_root apt-get -q update </dev/null || true
                # shellcheck disable=SC2086 # a list of names
                as_root apt-get -qy install --no-install-recommends $packages </dev/null || true
        fi
        packages=$(missing "$@")
        if [ -n "$packages" ]; then
                echo "Still missing. As root, run: apt-get install $packages" >&2
                return 1
        fi
}
