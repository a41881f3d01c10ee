#!/bin/sh
# run.sh - run the fuzz targets.
#
# usage: tests/fuzz/run.sh TARGET...
#        tests/fuzz/run.sh -s SECONDS TARGET-lib...
#
# TARGET is a built fuzz_NAME. The first form runs each over its committed
# inputs, tests/fuzz/corpus/NAME; the second lets libFuzzer go on from them.
# What it finds stays in a temporary folder, which is named if anything failed.
set -u

here=$(dirname "$0")
seconds=
if [ "${1:-}" = -s ]; then
    seconds=${2:?}
    shift 2
fi
[ $# -gt 0 ] || {
    echo "usage: $0 [-s SECONDS] TARGET..." >&2
    exit 2
}

passed=0 failed=0
tmp=$(mktemp -d) || exit 1
trap 'exit 1' HUP INT TERM
trap '[ "$failed" -gt 0 ] || rm -rf "$tmp"' EXIT

# libFuzzer writes new units to the first folder and only reads the others.
explore() {
    mkdir -p "$tmp/$3/new" || return 1
    "$1" -max_total_time="$seconds" -max_len=8192 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$tmp/$3/" "$tmp/$3/new" "$2" >"$tmp/$3/log" 2>&1
    status=$?
    sed -n 's/^stat::\(number_of_executed_units\|new_units_added\): */\1 /p' \
        "$tmp/$3/log" | sed "s/^/$3: /"
    [ "$status" -eq 0 ] && return
    tail -n 40 "$tmp/$3/log"
    find "$tmp/$3" -maxdepth 1 -name '*-*' -exec echo "$3: input:" {} \;
    return "$status"
}

run() {
    if [ -z "$seconds" ]; then
        "$1" "$2"
    else
        explore "$@"
    fi
}

for target; do
    name=$(basename "$target" -lib)
    name=${name#fuzz_}
    corpus=$here/corpus/$name
    if [ -z "$(ls "$corpus" 2>/dev/null)" ]; then
        echo "$name: no inputs in $corpus"
        failed=$((failed + 1))
    elif run "$target" "$corpus" "$name"; then
        passed=$((passed + 1))
    else
        echo "$name: FAILED"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
