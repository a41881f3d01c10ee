#!/bin/sh
# kernel.sh - Debian's kernel, which has TLS, and those of its modules that
# run.sh needs, into DIR/kernel. It is not installed: this machine is not to
# start it.
#
# usage: tests/ktls/kernel.sh DIR
set -eu

die() {
    echo "kernel.sh: $*" >&2
    exit 1
}

[ $# -eq 1 ] || die "usage: kernel.sh DIR"
[ ! -d "$1/kernel" ] || exit 0
for tool in apt-get apt-cache dpkg-deb; do
    command -v $tool >/dev/null || die "no $tool here to get a kernel"
done
meta=linux-image-$(dpkg --print-architecture)
name=$(apt-cache depends "$meta" 2>/dev/null |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$name" ] || die "no archive here has $meta"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/kernel"
echo "kernel.sh: fetching $name ..." >&2
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$name") ||
    die "cannot fetch $name"
# Of 400 MB 14 will do.
dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work/kernel" --wildcards \
    './boot/vmlinuz-*' '*/kernel/crypto/*' '*/kernel/arch/*/crypto/*' \
    '*/kernel/lib/crypto/*' '*/drivers/virtio/*' '*/fs/9p/*' '*/fs/netfs/*' \
    '*/fs/fscache/*' '*/net/9p/*' '*/net/tls/*' 2>/dev/null || :
[ -d "$work/kernel/boot" ] || die "there is no kernel in $name"
mkdir -p "$1"
mv "$work/kernel" "$1/kernel"
