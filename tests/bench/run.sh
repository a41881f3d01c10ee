#!/bin/sh
# run.sh - how fast is mptls beside its peers? Not part of the tests.
#
# usage: [MIB=256] [ROUNDS=5] [SHAKES=50] tests/bench/run.sh BIN
exec python3 "$(dirname "$0")/bench.py" "$@"
