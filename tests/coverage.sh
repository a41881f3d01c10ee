#!/bin/sh
# coverage.sh - lines run, by file of src/.
#
# usage: tests/coverage.sh BUILD
#
# BUILD: a tree built with gcc --coverage, after its tests. A file that no test
# touched counts with all its lines.
set -eu

build=${1:?usage: coverage.sh BUILD}
found=$(find "$build/src" -name '*.gcno' | sort)
[ -n "$found" ] || {
    echo "coverage: no *.gcno below $build/src: not a --coverage build" >&2
    exit 1
}
for note in $found; do
    ${GCOV:-gcov} -n "$note" 2>/dev/null || {
        echo "coverage: $note: gcov failed" >&2
        exit 1
    }
done | awk '
    /^File / {
        file = $0
        sub(/^File ./, "", file)
        sub(/.$/, "", file)
        next
    }
    /^Lines executed:/ && file != "" {
        split($0, part, /[:% ]+/)
        # Seen once an object; a header counts where it is run most.
        if (file ~ /^src\/.*\.[ch]$/ && part[5] > 0 &&
            (!(file in lines) || part[3] > share[file])) {
            share[file] = part[3]
            lines[file] = part[5]
        }
        file = ""
    }
    END {
        for (f in lines) {
            hit = int(share[f] * lines[f] / 100 + 0.5)
            printf "%-28s %5d of %5d lines  %6.2f%%\n", f, hit, lines[f],
                share[f] | "sort"
            hits += hit
            all += lines[f]
        }
        close("sort")
        printf "%-28s %5d of %5d lines  %6.2f%%\n", "total", hits, all,
            all ? 100 * hits / all : 0
    }'
