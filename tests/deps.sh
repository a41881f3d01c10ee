#!/bin/sh
# deps.sh - provide what the build and its tests need.
#
# usage: tests/deps.sh packages
#        tests/deps.sh mbedtls DIR CONFIG   (DIR: build/deps)
#
# Mbed TLS 3.6 comes as the source package of the next stable Debian release,
# by name, through an apt state directory of its own: the system's own sources
# are read, with the suite replaced, and its configuration is left alone.
set -eu

SUITE=trixie
PACKAGES="gcc make libc6-dev libcmocka-dev dpkg-dev"

die() {
    echo "deps: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

packages() {
    command -v apt-get >/dev/null || die "no apt-get; install: $PACKAGES"
    missing=
    for p in $PACKAGES; do
        dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null |
            grep -q 'ok installed' || missing="$missing $p"
    done
    [ -z "$missing" ] && return
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing
}

# The first archive the machine's own sources name, in either format.
archive_uri() {
    cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list \
        2>/dev/null |
        sed -n -e 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p' \
            -e 's/^deb[[:space:]]\(\[[^]]*][[:space:]]*\)*\([^[:space:]]*\).*/\2/p' |
        head -n 1
}

fetch() {
    state=$1/apt
    uri=$(archive_uri)
    [ -n "$uri" ] || die "no archive found in this machine's sources list"
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/parts"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] || die "no $keyring to check signatures with"
    echo "deb-src [signed-by=$keyring] $uri $SUITE main" >"$state/sources.list"
    set -- -o "Dir::Etc::sourcelist=$state/sources.list" \
        -o "Dir::Etc::sourceparts=$state/parts" \
        -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache"
    apt-get "$@" -qq update
    (cd "$state" && apt-get "$@" -qq --download-only source mbedtls)
    dsc=$(find "$state" -maxdepth 1 -name 'mbedtls_3.6*.dsc')
    [ -n "$dsc" ] || die "the $SUITE source package of mbedtls is not 3.6"
    rm -rf "$state/../src"
    # apt has checked the file's hash against the signed release file.
    dpkg-source -x "$dsc" "$state/../src" >/dev/null
}

mbedtls() {
    mkdir -p "$1"
    dir=$(cd "$1" && pwd)
    config=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
    src=${MBEDTLS_SRC:-$dir/src}
    [ -d "$src/library" ] || [ -n "${MBEDTLS_SRC:-}" ] || fetch "$dir"
    [ -d "$src/library" ] || die "$src has no library/ in it"
    stamp=$(cksum <"$config")" $src ${CC:-cc}"
    [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ] && return
    rm -rf "$dir/tree"
    cp -R "$src" "$dir/tree"
    make -s -C "$dir/tree/library" CC="${CC:-cc}" static \
        CFLAGS="-O3 -fPIC -fstack-protector-strong -ffile-prefix-map=$dir=. \
        -DMBEDTLS_CONFIG_FILE='\"$config\"'" -j"$(nproc)"
    mkdir -p "$dir/lib"
    cp "$dir"/tree/library/lib*.a "$dir/lib/"
    rm -rf "$dir/include"
    cp -R "$dir/tree/include" "$dir/include"
    rm -rf "$dir/tree"
    echo "$stamp" >"$dir/stamp"
}

case ${1:-} in
packages) packages ;;
mbedtls) mbedtls "$2" "$3" ;;
*) die "usage: deps.sh packages | mbedtls DIR CONFIG" ;;
esac
