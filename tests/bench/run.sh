#!/bin/sh
# run.sh - how fast, and how large, is mptls beside its peers? No test.
#
# usage: [MIB=256] [ROUNDS=5] [SHAKES=50] tests/bench/run.sh BIN speed
#        [CONNS=10000] [PARALLEL=32] [JSON=FILE] tests/bench/run.sh BIN idle
#
# Without a word both.
set -eu

here=$(dirname "$0")
case ${2:-all} in
speed) exec python3 -B "$here/bench.py" "$1" ;;
idle) exec python3 -B "$here/idle.py" "$1" ;;
all) python3 -B "$here/bench.py" "$1" && exec python3 -B "$here/idle.py" "$1" ;;
*)
    echo "usage: run.sh BIN [speed|idle]" >&2
    exit 2
    ;;
esac
