# shellcheck shell=bash
# What tests/run.sh and tests/demo.sh build in is configured by them, and anew when it is not as they want
# it: one that was made before a package was there leaves out what needs the package. To be sourced by bash
# behind prepare.sh, with the project as the current directory and the packages in $needs.

# wanted OPTION...: all that decides what a build folder has to be like: the options, the compilers, the
# packages, meson's files.
wanted() {
        printf '%s\n' "$@" "CC=${CC:-}" "CXX=${CXX:-}" "CFLAGS=${CFLAGS:-}" "LDFLAGS=${LDFLAGS:-}"
        fingerprint "${needs[@]}"
        find . -path './build*' -prune -o \( -name meson.build -o -name meson_options.txt \) -print0 |
                sort -z | xargs -0 cat
}

# stamp DIRECTORY OPTION...: the sum of what is wanted, and of what the folder's options are; somebody may
# have changed them since.
stamp() {
        local directory=$1

        shift
        { wanted "$@" && cat "$directory/meson-info/intro-buildoptions.json"; } 2>/dev/null | sha256sum
}

# configure DIRECTORY OPTION...
configure() {
        local directory=$1

        shift
        if [ "$(stamp "$directory" "$@")" = "$(cat "$directory/configured" 2>&1)" ]; then
                return 0
        fi
        rm -rf "$directory"
        if ! timeout 600 meson setup "$directory" "$@" >"$directory.log" 2>&1 </dev/null; then
                cat "$directory.log"
                rm -rf "$directory" "$directory.log"
                return 1
        fi
        rm -f "$directory.log"
        stamp "$directory" "$@" >"$directory/configured"
}
