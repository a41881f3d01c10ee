#!/bin/sh
# run.sh - how fast, and how large, is mptls beside its peers? No test.
#
# usage: tests/bench/run.sh BIN DIR [PART...]
#
# The parts are size, connect, shakes, targets, bulk, records and idle; without
# one all of them, and the counts. counts alone compares instructions with
# baseline.json, or, with BASELINE=1, writes that. DIR has bench.json and the
# plots afterwards.
#
# MIB=512 is what bulk moves, and 2048 with BENCH_FULL=1; ROUNDS_FACTOR=1
# multiplies the rounds; BENCH_SMOKE=1 does very little of everything.
set -eu

[ $# -ge 2 ] || {
    echo "usage: run.sh BIN DIR [PART...]" >&2
    exit 2
}
exec python3 -B "$(dirname "$0")/bench.py" "$@"
