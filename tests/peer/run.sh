#!/bin/sh
#
# run.sh - mptls against the other TLS tools, and against odd peers.
#
# usage: tests/peer/run.sh MPTLS [WORD...]
#
# With WORDs, only the tests whose name has one of them. What is not installed
# is skipped and counted. MICROPYTHON names a MicroPython interpreter,
# MPTLS_BULK the bytes of the large transfers (100000000), MPTLS_JOBS how many
# tests run at a time.
set -eu

here=$(dirname "$0")
command -v python3 >/dev/null || {
    echo "SKIP everything: no python3"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
exec python3 -B "$here/run.py" "$@"
