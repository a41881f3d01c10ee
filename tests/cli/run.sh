#!/bin/sh
# run.sh - the command line as a user meets it: options, files, streams, exit
# statuses and reports.
#
# usage: sh tests/cli/run.sh PROGRAM [PATTERN]
#
# PATTERN: only the tests whose names contain it.
set -eu

if ! command -v python3 >/dev/null; then
    echo "0 passed, 0 failed, 1 skipped"
    echo "tests/cli: no python3 here" >&2
    exit 0
fi
dir=$(dirname "$0")
PYTHONDONTWRITEBYTECODE=1 exec python3 "$dir/runner.py" "$@"
