#!/bin/sh
#
# run.sh - does serve hold? Some minutes of clients; not part of the tests.
#
# usage: tests/soak/run.sh MPTLS [PART...]
#
# churn    COUNT clients (50000) come and leave, PARALLEL (64) at a time
# grind    200 do, under valgrind
# echo     SOAK_SECONDS (120) of clients of every kind, PARALLEL (32) at a time,
#          made from SEED
# workers  likewise, with two worker processes
# exec, forward    likewise, a quarter as long
#
# All without a PART.
set -eu

here=$(dirname "$0")
bin=$1
shift
[ $# -gt 0 ] || set -- churn grind echo workers exec forward
all=${SOAK_SECONDS:-120}
quarter=$(((all + 3) / 4))
status=0

# mix SECONDS OPTION...
mix() {
    seconds=$1
    shift
    SOAK_SECONDS=$seconds python3 -B "$here/mix.py" "$bin" "$@" || status=1
}

for part; do
    echo "== $part"
    case $part in
    churn | grind) python3 -B "$here/$part.py" "$bin" || status=1 ;;
    echo) mix "$all" --echo ;;
    workers) mix "$all" --echo --workers 2 ;;
    exec) mix "$quarter" --exec cat ;;
    forward) mix "$quarter" --forward 127.0.0.1:BACKEND ;;
    *)
        echo "no part is called '$part'" >&2
        exit 2
        ;;
    esac
done
exit $status
