#!/usr/bin/env bash
#
# The project on a machine that has nothing yet: makes a minimal Debian 12 by debootstrap, in a folder, and
# in it, from a copy of what is committed here and in the order of README.md, the demo, all tests, the
# installation, and a program that is built with pkg-config and started. Takes root, a mirror (the one
# that apt has here) and about 3 GB below $TMPDIR.
#
#       tests/fresh.sh           as root, in a chroot
#       tests/fresh.sh --user    as a user who may use sudo, and not in a chroot (pivot_root), since nobody
#                                but root has namespaces in one
#       tests/fresh.sh --short   without the tests, which have been run here (tests/run.sh --all); also
#                                with --user
#       tests/fresh.sh --i386    of 32 bits, and in it the tests that need no network: unit, fuzz, property
#
# Exits with 77 and a sentence where it cannot be made, which proves nothing; with 0 if all went well. The
# last line says which. Ends by itself after 90 minutes. The machine is left as it was: what is mounted is
# in a mount namespace, processes are in a process namespace, both end with this script, and the folder is
# removed. The chroot's root is no mount point, as it is where packages are built, and it has what those
# have: /proc, /sys, /dev/pts and /dev/shm. The services of its packages are not started.
set -u
cd "$(dirname "$0")/.." || exit 1

RELEASE=bookworm
MINUTES=90

cannot() {
        echo "fresh: not tried: $*"
        exit 77
}

die() {
        echo "fresh: FAILED: $*"
        exit 1
}

step() {
        printf '\n==== %s (%d s)\n' "$*" "$SECONDS"
}

# ---- outside: what is needed, and tidying up -------------------------------------------------------

# The sources of Debian that apt has here, "URI RELEASE" a line: sources.list, *.list and *.sources alike.
sources() {
        # shellcheck disable=SC2016 # apt expands it
        apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 2>/dev/null |
                awk -v release="$RELEASE" '
                        $3 == "main" && index($2, release) == 1 && $1 ~ /^(https?|ftp):/ && !seen[$1, $2]++ {
                                print $1, $2
                        }'
}

check_machine() {
        local tool

        [ "$(id -u)" = 0 ] || cannot "it takes root"
        for tool in debootstrap unshare apt-get apt-config git; do
                command -v "$tool" >/dev/null || cannot "there is no $tool here"
        done
        mirror=$(sources | awk -v release="$RELEASE" '$2 == release { print $1; exit }')
        [ "$mirror" ] || cannot "apt knows no mirror of Debian 12 here ($RELEASE main, by http or https)"
        unshare --mount --pid --fork true 2>/dev/null || cannot "namespaces of mounts and processes cannot be made here"
}

# A folder on a file system that programs and devices can be on.
make_folder() {
        local options

        folder=$(mktemp -d "${TMPDIR:-/tmp}/mbus-fresh-XXXXXX") || cannot "there is no folder"
        trap clean_up EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        options=,$(findmnt -n -o OPTIONS -T "$folder"),
        case $options in
        *,nodev,* | *,noexec,*) cannot "$folder is on a file system with nodev or noexec; set TMPDIR" ;;
        esac
}

# shellcheck disable=SC2317 # the traps call it
clean_up() {
        trap '' INT TERM HUP
        # All that runs inside ends with it, and all mounts with that.
        [ -z "${inside:-}" ] || kill -KILL "$inside" 2>/dev/null
        wait
        rm -rf --one-file-system "$folder" || echo "fresh: $folder is left"
}

# What is committed, without what was built.
copy_project() {
        mkdir "$folder/mbus" || die "no room in $folder"
        git -c safe.directory="$PWD" archive --format=tar HEAD | tar -x -C "$folder/mbus" ||
                cannot "this is no clone of the project: git cannot read it"
        [ -z "$(git -c safe.directory="$PWD" status --porcelain --untracked-files=no)" ] ||
                echo "What is changed here and not committed is not tried."
}

# How apt reaches its mirror here, for the one inside.
proxies() {
        apt-config dump | grep -E '^Acquire::(https?|ftp)::|^Acquire::(Check-|Retries|Languages|ForceIPv)' |
                grep -v -i -E 'Auto-?Detect|::User-Agent|SslCert|SslKey'
}

run_outside() {
        local proxy=

        check_machine
        make_folder
        copy_project
        sources | sed "s/^/deb /; s/\$/ main/" >"$folder/sources.list"
        proxies >"$folder/apt.conf"
        eval "$(apt-config shell proxy Acquire::http::Proxy)"
        # A process that is stopped from outside, at whatever point, takes all with it.
        http_proxy=${proxy:-${http_proxy:-}} unshare --mount --propagation private --pid --fork \
                --kill-child --mount-proc timeout --kill-after=10 $((MINUTES * 60)) \
                bash tests/fresh.sh --inside "$user" "$short" "$i386" "$folder" "$mirror" &
        inside=$!
        wait "$inside"
        status=$?
        inside=
        [ "$status" != 124 ] || echo "fresh: FAILED: it took more than $MINUTES minutes"
        exit "$status"
}

# ---- inside of the namespaces: the machine ----------------------------------------------------------

make_machine() {
        local options=(--variant=minbase)

        case $mirror in
        https:*) options+=(--include=ca-certificates) ;;
        esac
        [ "$i386" = no ] || options+=(--arch=i386)
        step "debootstrap ${options[*]} $RELEASE"
        if ! timeout 1800 debootstrap "${options[@]}" "$RELEASE" "$machine" "$mirror" >"$folder/log" 2>&1; then
                tail -n 5 "$folder/log"
                # Nothing of ours was tried yet.
                cannot "debootstrap failed: $(tail -n 1 "$folder/log")"
        fi
        cp "$folder/sources.list" "$machine/etc/apt/sources.list"
        cp "$folder/apt.conf" "$machine/etc/apt/apt.conf.d/90host"
        cp -L /etc/resolv.conf /etc/hosts "$machine/etc/" 2>/dev/null
        printf '#!/bin/sh\nexit 101\n' >"$machine/usr/sbin/policy-rc.d"
        chmod 755 "$machine/usr/sbin/policy-rc.d"
        mount -t proc proc "$machine/proc" && mount -t sysfs -o ro sysfs "$machine/sys" &&
                mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$machine/dev/pts" &&
                mount -t tmpfs -o mode=1777 tmpfs "$machine/dev/shm" && return
        cannot "/proc, /sys, /dev/pts and /dev/shm cannot be mounted in it"
}

# enter COMMAND...: in the machine, with an environment of its own.
enter() {
        local clean=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
                LC_ALL=C.UTF-8 TERM=dumb)
        local bound=(timeout --kill-after=10 "${limit:-1200}")

        if [ "$user" = no ]; then
                "${bound[@]}" chroot "$machine" "${clean[@]}" "$@" </dev/null
        else
                # shellcheck disable=SC2016 # the inner shell expands it
                "${bound[@]}" unshare --mount --propagation private sh -ec '
                        mount --rbind "$0" "$0"
                        cd "$0"
                        pivot_root . mnt
                        umount -l /mnt
                        exec "$@"' "$machine" "${clean[@]}" "$@" </dev/null
        fi
}

# as_somebody COMMAND...: who the project is for; in its folder.
as_somebody() {
        # shellcheck disable=SC2016 # the inner shell expands it
        if [ "$user" = no ]; then
                enter sh -c 'cd ~/mbus && exec "$@"' sh "$@"
        else
                enter setpriv --reuid builder --regid builder --init-groups env -i \
                        PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/builder USER=builder \
                        LC_ALL=C.UTF-8 TERM=dumb sh -c 'cd ~/mbus && exec "$@"' sh "$@"
        fi
}

as_admin() {
        if [ "$user" = no ]; then
                as_somebody "$@"
        else
                as_somebody sudo -n "$@"
        fi
}

move_in() {
        local home=$machine/root

        if [ "$user" = yes ]; then
                home=$machine/home/builder
                {
                        enter apt-get -q update
                        enter apt-get -qy install --no-install-recommends sudo
                } >"$folder/log" 2>&1
                [ -x "$machine/usr/bin/sudo" ] || cannot "sudo cannot be installed: $(tail -n 1 "$folder/log")"
                enter useradd --create-home --shell /bin/bash builder || die "useradd"
                echo "builder ALL=(ALL) NOPASSWD: ALL" >"$machine/etc/sudoers.d/builder"
        fi
        mv "$folder/mbus" "$home/mbus" || die "the project cannot be copied"
        [ "$user" = no ] || enter chown -R builder: /home/builder/mbus
}

# ---- the steps -------------------------------------------------------------------------------------

# bounded MINUTES COMMAND...: the longest that a step may take, which enter() sees to.
bounded() {
        local limit=$(($1 * 60)) status

        shift
        "$@"
        status=$?
        [ "$status" != 124 ] || echo "fresh: this took more than $((limit / 60)) minutes"
        return "$status"
}

install_project() {
        step "README.md: build without tests, install"
        # shellcheck source=tests/support/prepare.sh
        . tests/support/prepare.sh
        # Where the demo has been they are there; metrics are optional.
        bounded 15 as_somebody bash -c '
                . tests/support/prepare.sh
                prepare "${needs_build[@]}"' || die "packages to build with"
        bounded 20 as_somebody sh -c 'meson setup build -Dtests=disabled && ninja -C build' \
                >"$folder/log" 2>&1 || { tail -n 20 "$folder/log"; die "the build of README.md"; }
        bounded 5 as_admin meson install -C build 2>&1 | cat >"$folder/log"
        [ "${PIPESTATUS[0]}" = 0 ] || {
                tail -n 20 "$folder/log"
                die "meson install"
        }
        grep -E 'ldconfig|loader|PKG_CONFIG' "$folder/log"
        # Without environment variables, HOME included.
        as_somebody env -i /usr/local/bin/mbus-cli --version || die "the installed mbus-cli does not start"
        as_somebody env -i /usr/local/bin/mbus-broker --version || die "the installed mbus-broker does not start"
}

start_program() {
        step "README.md: a program, built with pkg-config, started without environment variables"
        # In a network of its own if it can have one, as the demo.
        bounded 5 as_somebody sh -c '
                if tests/system/in-namespace true 2>/dev/null; then
                        exec tests/system/in-namespace tests/support/try-program player.c
                fi
                exec tests/support/try-program player.c' || die "the program of README.md"
}

run_i386() {
        step "tests of 32 bits"
        bounded 15 as_somebody bash -c '
                . tests/support/prepare.sh
                prepare "${needs_build[@]}" "check pc:check" "libmicrohttpd-dev pc:libmicrohttpd" \
                        "openssl openssl" "python3 python3"' || die "packages"
        bounded 20 as_somebody sh -c 'meson setup build-i386 -Dtests=enabled -Dbroker=enabled \
                -Dmetrics=enabled --werror && ninja -C build-i386' >"$folder/log" 2>&1 || {
                tail -n 30 "$folder/log"
                die "the build on i386"
        }
        bounded 30 as_somebody meson test -C build-i386 --no-rebuild --print-errorlogs -t 3 --suite unit \
                --suite fuzz --suite property | tee "$folder/log"
        [ "${PIPESTATUS[0]}" = 0 ] || die "tests on i386"
        as_somebody python3 tests/support/read-testlog build-i386/meson-logs/testlog.json \
                build-i386/meson-info/intro-tests.json tests/support/suites unit fuzz property |
                grep -vE '^(passed|denied) ' && die "tests on i386"
        step "done"
        echo "fresh: all tests of the suites unit, fuzz and property passed on i386"
}

run_inside() {
        user=$1 short=$2 i386=$3 folder=$4 mirror=$5
        machine=$folder/machine

        make_machine
        move_in
        if [ "$i386" = yes ]; then
                run_i386
                return
        fi
        step "tests/demo.sh"
        bounded 20 as_somebody tests/demo.sh || die "tests/demo.sh"
        if [ "$short" = no ]; then
                step "tests/run.sh"
                bounded 60 as_somebody tests/run.sh || die "tests/run.sh"
        fi
        install_project
        start_program
        step "done"
        if [ "$short" = yes ]; then
                echo "fresh: demo, installation and program went well on a fresh Debian 12"
        else
                echo "fresh: demo, tests, installation and program went well on a fresh Debian 12"
        fi
}

main() {
        local argument

        user=no short=no i386=no
        if [ "${1-}" = --inside ]; then
                run_inside "${@:2}"
                return
        fi
        for argument in "$@"; do
                case $argument in
                --user) user=yes ;;
                --short) short=yes ;;
                --i386) i386=yes ;;
                *)
                        sed -n '3,16s/^# \{0,1\}//p' tests/fresh.sh >&2
                        exit 2
                        ;;
                esac
        done
        run_outside
}

# On one line: this file may change while it runs.
main "$@"; exit
