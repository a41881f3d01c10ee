#!/bin/sh
# demo.sh - a serve and a connect on loopback, and the same refused.
#
# usage: tests/demo.sh PROGRAM
#
# What is run is shown as a user would type it; a limit of time is added. Exit
# 1, saying why, if anything is not as promised.
set -eu

: "${1:?usage: demo.sh PROGRAM}"
program=$(cd "$(dirname "$1")" && pwd)/${1##*/}
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || :; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
mkfifo "$tmp/serve.err"
echo 'Hello, client.' >"$tmp/to-client"
echo 'Hello, server.' >"$tmp/to-server"
cert=certs/server-ec256.pem key=certs/server-ec256-key.pem

check() { # WHAT IS PROMISED
    [ "$2" = "$3" ] || {
        echo "demo: FAILED: $1 '$2', where '$3' was promised" >&2
        exit 1
    }
}

# Run both, and show what each received on stdout and said on stderr.
demo() { # CA, then as promised: STATUS RECEIVED of connect, then of serve
    echo "\$ echo 'Hello, client.' | mptls serve -v --cert $cert --key $key 127.0.0.1:0"
    "$program" serve -v --cert "$cert" --key "$key" 127.0.0.1:0 --max-time 20 \
        <"$tmp/to-client" >"$tmp/serve.out" 2>"$tmp/serve.err" &
    server=$!
    exec 3<"$tmp/serve.err"
    read -r line <&3 || line=nothing
    echo "$line"
    check "serve said" "${line%:*}" 'mptls: listening on 127.0.0.1'
    target=${line##* } connected=0 served=0

    echo "\$ echo 'Hello, server.' | mptls connect -v --cafile $1 $target"
    "$program" connect -v --cafile "$1" "$target" --max-time 20 \
        <"$tmp/to-server" >"$tmp/connect.out" 2>"$tmp/connect.err" ||
        connected=$?
    wait "$server" || served=$?
    server=
    echo "-- connect ended with exit status $connected, and wrote:"
    cat "$tmp/connect.out" "$tmp/connect.err"
    echo "-- serve ended with exit status $served, and wrote:"
    cat "$tmp/serve.out" - <&3
    check "connect's exit status is" "$connected" "$2"
    check "connect received" "$(cat "$tmp/connect.out")" "$3"
    check "serve's exit status is" "$served" "$4"
    check "serve received" "$(cat "$tmp/serve.out")" "$5"
}

printf '\n%s\n' '== A server, and a client that trusts the CA of its certificate'
demo certs/root.pem 0 'Hello, client.' 0 'Hello, server.'
printf '\n%s\n' '== The same server, and a client that trusts another CA'
demo certs/other-root.pem 30 '' 37 ''
printf '\n%s\n' 'The demo went as expected.'
