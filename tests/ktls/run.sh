#!/bin/sh
# run.sh - kernel TLS, in a machine whose kernel has it.
#
# usage: tests/ktls/run.sh PROGRAM DEPS [COMMAND]
#
# Debian's kernel of DEPS/kernel is started by qemu, with the files of this
# machine to read, and runs COMMAND there, which is tests/ktls/inside.sh unless
# it is given. Without qemu or that kernel it says so, and is no failure.
# Without KVM it is slow. There is no network but the loopback device.
set -eu

[ $# -ge 2 ] || {
    echo "usage: run.sh PROGRAM DEPS [COMMAND]" >&2
    exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
command=${3:-sh tests/ktls/inside.sh $1}

skip() {
    echo "check-ktls: SKIP: $*"
    exit 0
}

qemu=$(command -v "qemu-system-$(uname -m)") || skip "no qemu here"
busybox=$(command -v busybox) || skip "no busybox here"
for tool in cpio python3; do
    command -v $tool >/dev/null || skip "no $tool here"
done
linux=$(find "$2/kernel/boot/" -name 'vmlinuz-*' 2>/dev/null | head -n 1)
[ -n "$linux" ] || skip "no kernel in $2/kernel"
modules=$(find "$2/kernel/" -type d -path "*/modules/*/kernel" | head -n 1)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/in/bin"
cp "$busybox" "$work/in/bin/busybox"
cp "$here/init" "$work/in/init"
chmod +x "$work/in/init"

# Those that a machine of qemu's needs, and what kernel TLS asks for by itself.
version=$(basename "$(dirname "$modules")")
mkdir -p "$work/in/sbin" "$work/in/lib/modules/$version"
ln -s /bin/busybox "$work/in/sbin/modprobe"
find "$modules/drivers/virtio" "$modules/fs/netfs" "$modules/fs/fscache" \
    "$modules/fs/9p" "$modules/net/9p" "$modules/net/tls" "$modules/crypto" \
    "$modules/lib/crypto" "$modules"/arch/*/crypto -name '*.ko*' 2>/dev/null |
    while read -r file; do
        case $file in
        *.xz) xz -dc "$file" >"$work/in/lib/modules/$version/$(basename \
            "$file" .xz)" ;;
        *) cp "$file" "$work/in/lib/modules/$version/" ;;
        esac
    done
printf "tree='%s'\npath='%s'\nrun='%s'\n" "$tree" "$PATH:/usr/sbin:/sbin" \
    "$command" >"$work/in/what"
(cd "$work/in" && find . | cpio -o -H newc --quiet) >"$work/initrd"

# Processors that are not the hardware's would be slower with it than without.
accel=tcg
for module in /sys/module/kvm_intel /sys/module/kvm_amd; do
    [ ! -d $module ] || [ ! -w /dev/kvm ] || accel=kvm
done
"$qemu" -accel $accel -cpu max -smp 2 -m 2048 -nographic -no-reboot -nic none \
    -kernel "$linux" -initrd "$work/initrd" \
    -append "console=ttyS0 quiet panic=-1 rdinit=/init" \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on \
    </dev/null >"$work/said" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null || :; rm -rf "$work"' EXIT
wait $pid || :
tr -d '\r' <"$work/said" | sed -n '/ktls-exit/q; p'
status=$(tr -d '\r' <"$work/said" | sed -n 's/^ktls-exit \([0-9]*\).*/\1/p')
[ -n "$status" ] || {
    echo "check-ktls: the machine did not come to its end" >&2
    exit 1
}
exit "$status"
