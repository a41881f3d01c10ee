#!/bin/sh
# lint.sh - what keeps the house in order.
#
# usage: tests/lint.sh layers BUILD LAYER...   (lowest first)
#        tests/lint.sh size
#
# layers: src/LAYER includes itself and lower layers only (io: base; report:
# base and tls/ssl_info.h), Mbed TLS is for accel, tls, cli and main.c, and what
# the objects in BUILD refer to is what their layer may do.
# size: no function over 70 lines, no file over 600 in src/ and tests/; no
# note of unfinished work and no path of somebody's machine in any file.
#
# Prints each fault with its file; exit 1 if there is one. Runs in the tree's
# top directory.
set -eu

FUNCTION_MAX=70
FILE_MAX=600

# What C functions stand for: symbols, without FORTIFY's __ and _chk.
PRINTS="printf vprintf puts putchar putc_unlocked perror stdin stdout stderr"
FILES="fprintf vfprintf dprintf vdprintf fputs fputc putc fwrite fread fgets
    fgetc getc getchar getline getdelim ungetc scanf fscanf fopen fopen64
    fdopen freopen fmemopen open_memstream tmpfile fclose fflush ferror feof
    clearerr fileno fseek ftell rewind setvbuf setbuf popen pclose"
EXITS="exit _exit _Exit quick_exit atexit abort longjmp system fork vfork
    execve execv execvp execl execlp posix_spawn"
SIGNALS="signal sigaction sysv_signal bsd_signal raise kill"
ENVIRONMENT="getenv secure_getenv setenv unsetenv putenv environ"
CLOCKS="time clock clock_gettime gettimeofday localtime localtime_r gmtime
    gmtime_r mktime timegm strftime nanosleep clock_nanosleep sleep usleep"
SYSTEM="poll ppoll select pselect epoll_create1 epoll_wait open open64 openat
    creat close read pread pread64 readv write pwrite pwrite64 writev lseek
    stat fstat lstat access unlink rename mkdir opendir readdir closedir fcntl
    fcntl64 ioctl dup dup2 pipe pipe2 mmap isatty syslog getpid syscall
    pthread_create"
NETWORK="socket socketpair connect accept accept4 bind listen recv recvfrom
    recvmsg send sendto sendmsg shutdown getaddrinfo getnameinfo gai_strerror
    gethostbyname getsockopt setsockopt getsockname getpeername"

faults=0

fault() {
    echo "lint: $*" >&2
    faults=$((faults + 1))
}

# Layers that a layer may include besides itself, all headers or one.
may_include() { # LAYER HEADER LOWER...
    case $1:$2 in
    "$1:$1"/* | *:base/* | report:tls/ssl_info.h) return 0 ;;
    tls:accel/accel.h | cli:accel/accel.h) return 0 ;; # in every build
    io:* | report:*) return 1 ;;
    esac
    wanted=$2
    shift 2
    for below; do
        case $wanted in "$below"/*) return 0 ;; esac
    done
    return 1
}

check_includes() { # FILE LAYER LOWER...
    file=$1
    layer=$2
    shift 2
    found=$(sed -n 's/^[ 	]*#[ 	]*include[ 	]*\([<"][^>"]*\).*/\1/p' "$file")
    for header in $found; do
        case $layer:$header in
        tls:\<mbedtls/* | tls:\<psa/* | cli:\<mbedtls/* | cli:\<psa/*) ;;
        accel:\<mbedtls/* | accel:\<intel-ipsec-mb.h | accel:\<nettle/*) ;;
        *:\<intel-ipsec-mb.h | *:\<nettle/*)
            fault "$file: includes ${header#?}, which is for src/accel alone"
            ;;
        *:\<mbedtls/* | *:\<psa/* | *:\"mbedtls/* | *:\"psa/*)
            fault "$file: includes ${header#?}, which src/$layer is not to know"
            ;;
        *:\<*) ;;
        *:\"*/*)
            may_include "$layer" "${header#?}" "$@" ||
                fault "$file: includes ${header#?}, not a lower layer"
            ;;
        *:*.inc) ;; # generated
        *) fault "$file: includes ${header#?} without its layer" ;;
        esac
    done
}

# Symbols an object of this layer may not refer to.
forbidden() {
    case $1 in
    base | accel | tls)
        echo "$PRINTS $FILES $EXITS $SIGNALS $ENVIRONMENT $CLOCKS $SYSTEM" \
            "$NETWORK"
        ;;
    io) echo "$PRINTS $FILES $EXITS $SIGNALS $ENVIRONMENT" ;;
    report)
        echo "$PRINTS $EXITS $SIGNALS $ENVIRONMENT $CLOCKS $SYSTEM" \
            "$NETWORK fopen freopen fdopen fclose"
        ;;
    esac
}

check_symbols() { # OBJECT LAYER
    bad=$(nm -u "$1" | awk -v words="$(forbidden "$2")" '
        BEGIN { n = split(words, w); for (i = 1; i <= n; i++) no[w[i]] = 1 }
        {
            name = $NF
            sub(/@.*/, "", name)
            plain = name
            sub(/^_+(isoc[0-9]+_)?/, "", plain)
            sub(/_chk$/, "", plain)
            if (name in no || plain in no) print name
        }')
    for symbol in $bad; do
        fault "$1: refers to $symbol, which src/$2 is not to use"
    done
}

layers() {
    build=$1
    shift
    lower=
    for layer; do
        for file in "src/$layer"/*.[ch]; do
            # shellcheck disable=SC2086 # a list of words
            check_includes "$file" "$layer" $lower
        done
        for file in "src/$layer"/*.c; do
            object=$build/${file%.c}.o
            if [ -r "$object" ]; then
                check_symbols "$object" "$layer"
            else
                fault "$object: not there; build first"
            fi
        done
        lower="$lower $layer"
    done
    for directory in src/*/; do
        name=$(basename "$directory")
        # ACCEL=none leaves that out; profiles are data, compiled into tls.
        case " $* accel profiles " in
        *" $name "*) ;;
        *) fault "$directory: not one of the layers: $*" ;;
        esac
    done
}

# Every file of ours, one a line: those of git, or all where there is none.
files() {
    git ls-files -co --exclude-standard 2>/dev/null ||
        find . -type f | sed 's,^\./,,'
}

# A function begins at a line that starts in column 1 and has a '(' in it, and
# ends at a '}' there; in Python it ends where its indentation does.
long_functions() {
    case $1 in
    *.py) awk -v max="$FUNCTION_MAX" -v file="$1" '
        function done() {
            if (name != "" && last - start >= max)
                printf "%s:%d: %s has %d lines\n", file, start, name,
                    last - start + 1
            name = ""
        }
        /^[[:space:]]*$/ { next }
        { match($0, /^ */); if (name != "" && RLENGTH <= depth) done() }
        /^ *def / && name == "" {
            name = $2
            sub(/[(].*/, "", name)
            start = NR
            depth = RLENGTH
        }
        { last = NR }
        END { done() }' "$1" ;;
    *) awk -v max="$FUNCTION_MAX" -v file="$1" '
        /^[A-Za-z_]/ { start = NR; text = "" }
        start { text = text $0 }
        /^}/ {
            if (start && text ~ /^[^={;]*\(.*[{]/ && NR - start >= max) {
                sub(/\(.*/, "", text)
                sub(/.*[ *]/, "", text)
                printf "%s:%d: %s has %d lines\n", file, start, text,
                    NR - start + 1
            }
            start = 0
        }' "$1" ;;
    esac
}

size() {
    list=$(files)
    notes='T''ODO|F''IXME'
    paths='/(home|root|work)/'
    for file in $list; do
        [ -f "$file" ] || continue
        case $file in
        src/*.[ch] | tests/*.[ch] | tests/*.sh | tests/*.py)
            lines=$(wc -l <"$file")
            [ "$lines" -le "$FILE_MAX" ] ||
                fault "$file: $lines lines, over $FILE_MAX"
            long=$(long_functions "$file")
            [ -z "$long" ] || fault "$long, over $FUNCTION_MAX"
            ;;
        esac
        found=$(grep -InE "\b($notes)\b|$paths" "$file") || continue
        fault "$file:$found"
    done
}

usage() {
    echo "usage: lint.sh layers BUILD LAYER... | size" >&2
    exit 2
}

case ${1:-} in
layers)
    [ $# -ge 3 ] || usage
    shift
    layers "$@"
    ;;
size) size ;;
*) usage ;;
esac
[ "$faults" -eq 0 ]
