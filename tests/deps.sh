#!/bin/sh
# deps.sh - provide what the build and its tests need.
#
# usage: tests/deps.sh packages GROUP...     build, accel, test, bench, lint, ktls
#        tests/deps.sh mbedtls DIR CONFIG [ACCEL]   into DIR/lib, DIR/include
#        tests/deps.sh micropython DIR       into DIR/bin: a peer for the tests
#        tests/deps.sh nginx DIR             as DIR/nginx/nginx: likewise
#
# It is quiet when there is nothing to do. CC, MBEDTLS and MBEDTLS_SRC are as
# in the Makefile. What DIR/stamp stands for is in DIR; the file is touched
# only when the library was built anew. With ACCEL, which is src/accel, Mbed TLS
# is built to have its AES-GCM, ChaCha20-Poly1305, ECDSA and SHA-256 from there,
# and its own under the names that are in ACCEL/own.h.
#
# Sources come as Debian source packages through an apt state directory of
# their own. The machine's archive, its options and its keys are used, with
# the suite replaced where need be; its configuration is left alone.
set -eu

# What the user means for our own build is not meant for these.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CFLAGS CPPFLAGS LDFLAGS LDLIBS \
    BUILD DEBUG SHARED VARIANT V WERROR
me=$0
cc=${CC:-cc}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# The release that has what older ones lack.
NEWER=trixie
HARDEN="-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"

say() {
    echo "deps: $*" >&2
}

die() {
    say "$*"
    exit 1
}

# --- packages ----------------------------------------------------------------

# Package, kind of probe, and names: any of the commands, all of the headers.
table() {
    case $1 in
    build)
        case $cc in
        cc | gcc) echo "gcc command $cc" ;;
        *) has_command "${cc%% *}" || die "no C compiler: $cc" ;;
        esac
        cat <<-END
		make command make gmake
		libc6-dev header stdio.h
		libev-dev header ev.h
		END
        if [ "${MBEDTLS:-}" = system ]; then
            echo "pkg-config command pkg-config"
            echo "libmbedtls-dev header mbedtls/ssl.h"
        elif [ -z "${MBEDTLS_SRC:-}" ] && command -v apt-get >/dev/null; then
            echo "dpkg-dev command dpkg-source"
        fi
        ;;
    accel)
        # Packaged for this processor alone.
        case $(uname -m) in
        x86_64 | amd64) echo "libipsec-mb-dev header intel-ipsec-mb.h" ;;
        esac
        ;;
    peers)
        cat <<-END
		openssl command openssl
		gnutls-bin command gnutls-cli
		ncat command ncat
		socat command socat
		stunnel4 command stunnel4 stunnel
		curl command curl
		python3 command python3
		END
        ;;
    bench)
        table peers
        cat <<-END
		libssl-dev header openssl/ssl.h
		ca-certificates command update-ca-certificates
		valgrind command valgrind
		END
        ;;
    test)
        table peers
        cat <<-END
		libcmocka-dev header stdarg.h stddef.h stdint.h setjmp.h cmocka.h
		zsh command zsh
		fish command fish
		tshark command tshark
		mandoc command mandoc
		END
        ;;
    ktls) cat "${me%/*}/ktls/packages" ;;
    lint)
        cat <<-END
		clang command clang
		clang-format command clang-format
		cppcheck command cppcheck
		shellcheck command shellcheck
		mandoc command mandoc
		valgrind command valgrind
		END
        ;;
    *)
        die "no group of packages is called '$1'"
        ;;
    esac
}

has_command() {
    for name; do
        command -v "$name" >/dev/null && return
    done
    return 1
}

has_header() {
    # shellcheck disable=SC2086 # a command and its options
    printf '#include <%s>\n' "$@" | $cc -E - >/dev/null 2>&1
}

missing() {
    for group; do
        # A pipe would hide that table() failed.
        lines=$(table "$group")
        while read -r package kind names; do
            # shellcheck disable=SC2086 # a list of names
            "has_$kind" $names || echo "$package"
        done <<-END
		$lines
		END
    done | tr '\n' ' ' | sed 's/ $//'
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages NAME...
install_packages() {
    as_root apt-get -qq -o DPkg::Lock::Timeout=300 update \
        </dev/null >/dev/null || say "apt-get update failed; going on"
    # The front end is silenced inside, because sudo clears the environment.
    log=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" \
        </dev/null 2>&1) || {
        echo "$log" >&2
        return 1
    }
}

cmd_packages() {
    for group; do
        table "$group" >/dev/null
    done
    need=$(missing "$@")
    [ -n "$need" ] || return 0
    has_command apt-get ||
        die "no apt-get here; install what Debian calls: $need"
    byhand="run as root: apt-get install $need"
    [ "$(id -u)" = 0 ] || has_command sudo ||
        die "missing: $need; this is not root and there is no sudo; $byhand"
    say "installing $need"
    # shellcheck disable=SC2086 # a list of words
    install_packages $need || die "cannot install $need; $byhand"
    need=$(missing "$@")
    [ -z "$need" ] || die "installed, and yet not found: $need"
}

# --- sources -----------------------------------------------------------------

# begin DIR: sets dir, its full name, and work, a directory that goes at the
# end. What holds in DIR is only ever renamed into place. One run at a time.
begin() {
    mkdir -p "$1" || die "cannot make $1"
    dir=$(cd "$1" && pwd)
    if has_command flock; then
        exec 9>"$dir/lock"
        flock -n 9 || {
            say "waiting for another run in $1 ..."
            flock 9
        }
        rm -rf "$dir"/work.*
    fi
    work=$dir/work.$$
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    rm -rf "$work"
    mkdir "$work"
}

# The machine's own archive, as apt has it configured: its entry, in either
# format, made one for source packages of SUITE (empty: as it stands).
# archive CODENAME SUITE COMPONENTS
archive() {
    for f in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources \
        /etc/apt/sources.list.d/ubuntu.sources \
        /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ -r "$f" ] || continue
        entry=$(grep -v '^[[:space:]]*#' "$f" | awk -v codename="$1" \
            -v to="$2" -v components="$3" '
            function own(list,    i, n, w) {
                n = split(list, w)
                for (i = 1; i <= n; i++)
                    if (w[i] == codename ||
                        w[i] ~ /^(oldstable|stable|testing|unstable|sid)$/)
                        return to ? to : w[i]
                return ""
            }
            function has(list, word) {
                gsub(/[ \t\n]+/, " ", list)
                return index(" " list " ", " " word " ")
            }
            function stanza(    suite, s) {
                suite = own(field["suites"])
                if (!done && suite && has(field["types"], "deb") &&
                    has(field["components"], "main") &&
                    field["enabled"] !~ /no/ && field["uris"] !~ /cdrom:/) {
                    print "Types: deb-src\nURIs:" field["uris"] "\nSuites: " \
                        suite "\nComponents: " components
                    for (s in field)
                        if (s ~ /^(signed-by|trusted|check-|allow-)/)
                            print s ":" field[s]
                    done = 1
                }
                split("", field)
            }
            done { next }
            $1 == "deb" {
                line = $0
                sub(/^[ \t]*deb[ \t]+/, "", line)
                options = ""
                if (match(line, /^\[[^]]*\][ \t]*/)) {
                    options = substr(line, 1, RLENGTH)
                    line = substr(line, RLENGTH + 1)
                }
                n = split(line, w)
                suite = own(w[2])
                rest = ""
                for (i = 3; i <= n; i++)
                    rest = rest " " w[i]
                if (suite && has(rest, "main") && w[1] !~ /cdrom:/) {
                    print "deb-src " options w[1] " " suite " " components
                    done = 1
                }
                next
            }
            /^[^ \t:]+:/ {
                name = tolower(substr($0, 1, index($0, ":") - 1))
                field[name] = substr($0, index($0, ":") + 1)
                next
            }
            /^[ \t]+[^ \t]/ { field[name] = field[name] "\n" $0; next }
            /^[ \t]*$/ { stanza() }
            END { stanza() }')
        [ -n "$entry" ] || continue
        echo "$entry"
        return
    done
    return 1
}

# fetch PACKAGE AT_LEAST BELOW INSTEAD TO [OPTION...]: a source tree at TO.
# INSTEAD is what to do where no archive has it, OPTIONs are dpkg-source's.
fetch() {
    package=$1 least=$2 below=$3 instead=$4 to=$5
    shift 5
    for tool in apt-get dpkg-source; do
        has_command $tool ||
            die "no $tool here to get the source of $package; $instead"
    done
    # shellcheck source=/dev/null
    own=$(. /etc/os-release &&
        echo "${UBUNTU_CODENAME:-${DEBIAN_CODENAME:-${VERSION_CODENAME:-}}}")
    # shellcheck source=/dev/null
    ubuntu=$(. /etc/os-release && echo "${UBUNTU_CODENAME:-}")
    has=$(apt-cache showsrc --only-source "$package" 2>/dev/null |
        sed -n 's/^Version: //p' | sort -V | tail -n 1)
    [ -n "$has" ] || has=$(apt-cache show "$package" "lib$package-dev" \
        2>/dev/null | sed -n 's/^Version: //p' | sort -V | tail -n 1)
    suite='' components=main
    if [ -z "$has" ] || dpkg --compare-versions "$has" lt "$least" ||
        dpkg --compare-versions "$has" ge "$below"; then
        suite=$NEWER
    fi
    if [ -n "$ubuntu" ]; then
        [ -z "$suite" ] || [ -z "$has" ] ||
            die "$ubuntu has $package $has, and $least is needed; $instead"
        suite='' components="main universe"
    fi
    state=$work/apt
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" \
        "$state/parts"
    entry=$(archive "$own" "$suite" "$components") ||
        die "no archive of $own in this machine's apt sources; $instead"
    case $entry in
    deb-src*) echo "$entry" >"$state/parts/source.list" ;;
    *) echo "$entry" >"$state/parts/source.sources" ;;
    esac
    say "fetching $package source (${suite:-$own}) ..."
    set -- "$@" -x
    # The sandbox user cannot write to this directory.
    (
        cd "$state"
        apt() {
            apt-get -qq -o Dir::Etc::sourcelist=/dev/null \
                -o "Dir::Etc::sourceparts=$state/parts" \
                -o "Dir::State::lists=$state/lists" \
                -o "Dir::Cache=$state/cache" -o Acquire::Languages=none \
                -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"
        }
        apt update && apt --download-only --only-source source "$package"
    ) </dev/null >"$state/log" 2>&1 || {
        why=$(grep '^[EW]:' "$state/log" | head -n 1)
        die "cannot fetch the source of $package: ${why:-apt-get failed}"
    }
    set -- "$@" "$(find "$state" -maxdepth 1 -name "${package}_*.dsc")"
    # apt has checked the files' hashes against the signed release file.
    dpkg-source --no-check "$@" "$state/tree" >"$state/log" 2>&1 ||
        die "cannot unpack $package: $(tail -n 1 "$state/log")"
    mv "$state/tree" "$to"
}

# --- Mbed TLS ----------------------------------------------------------------

# need_mbedtls TREE NAME: sets version, or dies.
need_mbedtls() {
    version=$(cat "$1/include/mbedtls/build_info.h" \
        "$1/include/mbedtls/version.h" 2>/dev/null | sed -n \
        's/^#define MBEDTLS_VERSION_STRING[[:space:]]*"\(.*\)"/\1/p' |
        head -n 1)
    [ -d "$1/library" ] || version=
    [ -n "$version" ] || die "$2 is not an Mbed TLS source tree"
    case $version in
    3.[6-9].* | 3.[1-9][0-9].*) ;;
    *) die "$2 is Mbed TLS $version; mptls builds with 3.6" ;;
    esac
}

# fetch_mbedtls: DIR/src.
fetch_mbedtls() {
    [ ! -d "$dir/src" ] || return 0
    fetch mbedtls 3.6 4 "unpack Mbed TLS 3.6 and set MBEDTLS_SRC to it" \
        "$work/src"
    need_mbedtls "$work/src" "the source package"
    mv "$work/src" "$dir/src"
}

# Most is no faster at -O3 (measured), and AES-GCM slower.
HOT="ecp.o ecp_curves.o bignum.o bignum_core.o"
# In vectors it takes a third longer.
X25519=../3rdparty/everest/library/Hacl_Curve25519_joined.o
# For the code that is run where the CPU has AES, and so SSSE3, too.
AES="-O2 -maes -mpclmul -mssse3"

# compile LEVEL TARGET...: of the tree in work. The linker leaves out sections
# that nothing uses; for debuggers there is -g1 in place of unwind tables. The
# configuration's name is relative to include/mbedtls/build_info.h.
compile() {
    level=$1
    shift
    make -s -C "$work/tree/library" -j"$jobs" CC="$cc" GEN_FILES= \
        WARNING_CFLAGS=-w CFLAGS="$level -g1 -fPIE $HARDEN \
        '-ffile-prefix-map=$work/tree=mbedtls' \
        -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
        -DMBEDTLS_CONFIG_FILE='\"../mbedtls_config.h\"'" "$@" >/dev/null
}

# Mbed TLS's own code that the configuration has left out, under other names.
add_own() {
    for part in gcm chachapoly ecdsa sha256; do
        printf '%s\n' '#define MPTLS_ACCEL_OWN' '#include "accel/own.h"' \
            "#include \"$part.c\"" >"$work/tree/library/own_$part.c"
    done
    compile -O2 own_gcm.o own_chachapoly.o own_ecdsa.o own_sha256.o &&
        (cd "$work/tree/library" && ar r libmbedcrypto.a own_*.o 2>/dev/null)
}

cmd_mbedtls() {
    config=$(cat "$2" 2>/dev/null) || die "cannot read the configuration '$2'"
    [ -n "$config" ] || die "the configuration '$2' is empty"
    # shellcheck disable=SC2086 # a command and its options
    ccversion=$($cc -dumpversion 2>/dev/null) || die "no C compiler: $cc"
    begin "$1"
    if [ -n "${MBEDTLS_SRC:-}" ]; then
        src=$MBEDTLS_SRC
        need_mbedtls "$src" "MBEDTLS_SRC=$src"
        src=$(cd "$src" && pwd)
        edited=$(find "$src/library" "$src/include" -name '*.[ch]' \
            -newer "$dir/stamp" 2>/dev/null | head -n 1)
    else
        fetch_mbedtls
        src=$dir/src edited=
        need_mbedtls "$src" "$src"
    fi
    stamp="$version ${MBEDTLS_SRC:+$src }$cc $ccversion"
    stamp="$stamp $(cksum <"$me") $(cksum <"$2")"
    [ -z "${3:-}" ] || stamp="$stamp $(cat "$3"/*_alt.h "$3/own.h" | cksum)"
    [ -n "$edited" ] || [ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ] ||
        [ ! -e "$dir/lib/libmbedtls.a" ] || [ ! -d "$dir/include" ] || return 0
    say "building Mbed TLS $version ..."
    mkdir -p "$work/tree" "$work/lib"
    # The last two are for trees that are not a release: make writes files.
    for part in include library 3rdparty scripts framework; do
        [ ! -d "$src/$part" ] || cp -R "$src/$part" "$work/tree/"
    done
    find "$work/tree" -name '*.[oa]' -exec rm -f {} +
    {
        [ -z "${3:-}" ] || echo "#define MPTLS_ACCEL"
        cat "$2"
    } >"$work/tree/include/mbedtls_config.h"
    if [ -n "${3:-}" ]; then
        mkdir "$work/tree/include/accel"
        cp "$3"/*_alt.h "$work/tree/include/"
        cp "$3/own.h" "$work/tree/include/accel/"
    fi
    # shellcheck disable=SC2086 # a list of names
    { compile -O3 $HOT && compile "-O3 -fno-tree-vectorize" $X25519 &&
        case $($cc -dumpmachine) in x86_64*) compile "$AES" aesni.o ;; esac &&
        compile -O2 libmbedcrypto.a libmbedx509.a libmbedtls.a &&
        { [ -z "${3:-}" ] || add_own; }; } ||
        die "Mbed TLS $version does not build"
    cp "$work"/tree/library/libmbed*.a "$work/lib/"
    # ecdh.h includes this one.
    cp -R "$work/tree/3rdparty/everest/include/everest" "$work/tree/include/"
    echo "$stamp" >"$work/stamp"
    # First the stamp: it must not outlive what it stands for.
    rm -f "$dir/stamp"
    rm -rf "${dir:?}/lib" "$dir/include"
    mv "$work/lib" "$work/tree/include" "$dir/"
    mv "$work/stamp" "$dir/stamp"
}

# --- MicroPython -------------------------------------------------------------

# Since 1.23; earlier ones have no tls module, or no Mbed TLS in it.
speaks_tls() {
    "$1" -c 'import tls; tls.MBEDTLS_VERSION' >/dev/null 2>&1
}

installed_micropython() {
    own=$(command -v micropython) || return 1
    speaks_tls "$own" || return 1
    mkdir -p "$dir/bin"
    ln -sf "$own" "$dir/bin/micropython"
}

# The package, where there is one and no password is asked for.
install_micropython() {
    has_command apt-cache || return 1
    has=$(apt-cache show micropython 2>/dev/null |
        sed -n 's/^Version: //p' | head -n 1)
    # No version is less than any.
    dpkg --compare-versions "$has" ge 1.23 || return 1
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
    say "installing micropython"
    install_packages micropython >/dev/null 2>&1 && installed_micropython
}

# The Unix port with the configuration of a board. The source package lacks
# Mbed TLS, which ours stands in for, and the frozen Python modules of
# micropython-lib: there is tls, and no ssl.
build_micropython() {
    say "building MicroPython ..."
    cp -R "$dir/micropython-src" "$work/mp"
    rm -rf "$work/mp/lib/mbedtls"
    ln -s "$dir/src" "$work/mp/lib/mbedtls"
    mkdir -p "$work/mp/lib/micropython-lib"
    : >"$work/mp/lib/micropython-lib/README.md"
    # shellcheck disable=SC2016 # for MicroPython's own tool
    echo 'include("$(MPY_DIR)/extmod/asyncio")' >"$work/mp/frozen.py"
    # Git would describe the repository that DIR is in.
    export GIT_CEILING_DIRECTORIES="$work"
    make -s -C "$work/mp/mpy-cross" -j"$jobs" CC="$cc" CFLAGS_EXTRA=-w &&
        make -s -C "$work/mp/ports/unix" -j"$jobs" CC="$cc" CFLAGS_EXTRA=-w \
            MICROPY_PY_BTREE=0 MICROPY_PY_FFI=0 \
            FROZEN_MANIFEST="$work/mp/frozen.py"
}

cmd_micropython() {
    begin "$1"
    installed_micropython && return
    stamp=$(cksum <"$me")
    [ "$(cat "$dir/bin/stamp" 2>/dev/null)" = "$stamp" ] &&
        speaks_tls "$dir/bin/micropython" && return
    install_micropython && return
    has_command python3 || die "no python3 to build MicroPython with"
    # shellcheck disable=SC2086 # a command and its options
    $cc -dumpversion >/dev/null 2>&1 || die "no C compiler: $cc"
    instead="install MicroPython 1.23 or later"
    fetch_mbedtls
    if [ ! -d "$dir/micropython-src" ]; then
        fetch micropython 1.23 2 "$instead" "$work/src" --skip-patches
        mv "$work/src" "$dir/micropython-src"
    fi
    build_micropython >"$dir/micropython.log" 2>&1 ||
        die "MicroPython does not build; see $1/micropython.log"
    built=$work/mp/ports/unix/build-standard/micropython
    speaks_tls "$built" || die "the MicroPython built here has no TLS"
    rm -rf "${dir:?}/bin"
    mkdir "$dir/bin"
    mv "$built" "$dir/bin/micropython"
    echo "$stamp" >"$dir/bin/stamp"
}

# --- nginx -------------------------------------------------------------------

# The machine's archives, through lists of our own where it has none, or old
# ones. apt checks the hashes. download PACKAGE...: into the directory debs.
download() {
    (
        cd "$work/debs"
        apt() {
            apt-get -qq -o "Dir::State::lists=$work/lists" \
                -o "Dir::Cache=$work/cache" -o Acquire::Languages=none \
                -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"
        }
        apt-get -qq -o APT::Sandbox::User=root download "$@" && exit
        if [ ! -d "$work/lists" ]; then
            mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
            apt update || : # one archive of several is enough
        fi
        apt download "$@"
    ) </dev/null >>"$work/log" 2>&1
}

unpack() {
    for deb in "$work"/debs/*.deb; do
        dpkg-deb -x "$deb" "$work/nginx" 2>>"$work/log" || return 1
        # One a line, without versions and alternatives.
        dpkg-deb -f "$deb" Depends | tr ',' '\n' |
            sed 's/^ *//; s/[ (|:].*//' >>"$work/depends"
        rm "$deb"
    done
}

# fetch_nginx: into work/nginx. It is not installed: a package that is would
# start a service.
fetch_nginx() {
    download nginx && unpack || return 1
    # It is a metapackage in some releases.
    [ -e "$work/nginx/usr/sbin/nginx" ] || { download nginx-core && unpack; } ||
        return 1
    # For the benches. Where it is no package of its own it is in the other.
    if download libnginx-mod-stream; then unpack || return 1; fi
    if ldd "$work/nginx/usr/sbin/nginx" | grep -q 'not found'; then
        libs=$(sed -n '/^libc6$/d; /^lib.*[0-9]/p; /^zlib/p' "$work/depends")
        # shellcheck disable=SC2086 # a list of names
        download $libs && unpack || return 1
    fi
}

# Its own files are found where they lie.
write_nginx() {
    cat >"$work/nginx/nginx" <<-'END'
	#!/bin/sh
	here=$(cd "$(dirname "$0")" && pwd)
	for lib in "$here"/usr/lib/*-linux-* "$here"/lib/*-linux-*; do
	    [ ! -d "$lib" ] || LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	done
	export LD_LIBRARY_PATH
	exec "$here/usr/sbin/nginx" "$@"
	END
    chmod +x "$work/nginx/nginx"
}

cmd_nginx() {
    PATH=$PATH:/usr/sbin:/sbin has_command nginx && return
    begin "$1"
    stamp=$(cksum <"$me")
    [ "$(cat "$dir/nginx/stamp" 2>/dev/null)" = "$stamp" ] && return
    for tool in apt-get dpkg-deb; do
        has_command $tool || die "no $tool here to get nginx; install nginx"
    done
    say "fetching nginx ..."
    mkdir "$work/debs" "$work/nginx"
    fetch_nginx || die "cannot fetch nginx: $(tail -n 1 "$work/log")"
    write_nginx
    "$work/nginx/nginx" -v 2>>"$work/log" ||
        die "nginx does not run: $(tail -n 1 "$work/log")"
    echo "$stamp" >"$work/nginx/stamp"
    rm -rf "${dir:?}/nginx"
    mv "$work/nginx" "$dir/nginx"
}

usage="usage: deps.sh packages GROUP... | mbedtls DIR CONFIG [ACCEL] |
    micropython DIR | nginx DIR"
case "${1:-} $#" in
"packages 1") die "$usage" ;;
packages\ *) shift && cmd_packages "$@" ;;
"mbedtls 3" | "mbedtls 4") cmd_mbedtls "$2" "$3" "${4:-}" ;;
"micropython 2") cmd_micropython "$2" ;;
"nginx 2") cmd_nginx "$2" ;;
*) die "$usage" ;;
esac
