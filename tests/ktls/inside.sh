#!/bin/sh
# inside.sh - what tests/ktls/run.sh has its machine run: the tests of --ktls,
# and with that option those of the peers that are about the stream.
#
# usage: sh tests/ktls/inside.sh PROGRAM
#
# Left out are tests with limits of time that a machine without KVM misses, and
# garbage after close_notify, after which the kernel reads no more.
set -u

status=0
sh tests/cli/run.sh "$1" ktls || status=1
MPTLS_KTLS=1 MPTLS_LIMIT=600 MPTLS_JOBS=2 MPTLS_BULK=20000000 \
    sh tests/peer/run.sh "$1" \
    "interop: from openssl" "interop: from gnutls" "interop: from Python" \
    "interop: from curl" "interop: from stunnel" "interop: mutual" \
    "interop: to openssl" "interop: to gnutls" "interop: to Python" \
    "interop: to stunnel" "odd: bytes after our end" "odd: client resets" \
    "odd: server resets" "odd: server sends" "odd: one byte a segment" \
    "odd: slow reader" "odd: the client ends first" "odd: the server ends first" \
    "attack: KeyUpdate" "attack: renegotiation" "attack: bytes lost" \
    "attack: stdin given up" "attack: the next client" "attack: truncated" \
    "attack: impossible length" "bytes both ways" >/tmp/peers || status=1
grep -v '^ok' /tmp/peers
grep -s . /proc/net/tls_stat | grep -v '0$'
exit $status
