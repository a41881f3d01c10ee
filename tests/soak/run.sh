#!/bin/sh
#
# run.sh - does serve hold? Some minutes of clients; not part of the tests.
#
# usage: tests/soak/run.sh MPTLS [PART...]
#
# PARTs are churn, grind, mix and workers; all without. COUNT clients come and
# leave (churn: 50000, grind, which is under valgrind: 200), PARALLEL at a time;
# SOAK_SECONDS (120) and SEED are of mix and workers, which is mix with two
# worker processes.
set -eu

here=$(dirname "$0")
bin=$1
shift
[ $# -gt 0 ] || set -- churn grind mix workers
status=0
for part; do
    echo "== $part"
    case $part in
    churn | grind | mix) python3 -B "$here/$part.py" "$bin" || status=1 ;;
    workers)
        if "$bin" serve --help | grep -q -e --workers; then
            python3 -B "$here/mix.py" "$bin" --workers 2 || status=1
        else
            echo "SKIP workers: not in this build"
        fi
        ;;
    *)
        echo "no part is called '$part'" >&2
        exit 2
        ;;
    esac
done
exit $status
