#!/bin/sh
# coverage.sh - which branches do the tests take? Builds everything with --coverage in build/coverage, runs the tests, and
# prints a row a source file: its branches (both ways of each condition), how many were taken at least once, and lines.
# What is compiled several times, the kernels, counts as taken if it was on any instruction set. Needs gcc and its gcov.
#
#     test/coverage.sh               runs `make test` and prints the table; some minutes
#     test/coverage.sh NAME...       runs these programs of test/ alone, adding to what ran before
#     test/coverage.sh table         only the table, of what has run so far
#     test/coverage.sh show FILE     lines of FILE with branches that were not taken; how often each was
build=build/coverage
report=$build/gcov
export OMP_WAIT_POLICY=passive

# Each object's counts, as text: FILE LINE BRANCH TIMES, and FILE LINE - TIMES for a line's own count.
counts() {
    rm -rf $report && mkdir -p $report
    top=$PWD
    for floor in core layers nets optim io bench; do ln -s "$top/$floor" $report/$floor; done
    for f in $build/*/*.gcda; do
        case $f in $build/test/*) continue ;; esac
        (cd $report && gcov -b -c -l -p -s "$top" -r -o "$top/$f" "$top/$f" >/dev/null 2>&1)
    done
    awk '
        /^ *[^ ]+: *0:Source:/ { file = $0; sub(/.*Source:/, "", file); line = 0; next }
        /^branch / { times = $3 == "taken" ? $4 : 0; if (line) branch[file " " line " " $2] += times; next }
        /^ *[^ :]+: *[0-9]+:/ {
            split($0, part, ":"); gsub(/ /, "", part[1]); line = part[2] + 0
            if (part[1] != "-") lines[file " " line " -"] += part[1] + 0
        }
        END {
            for (k in branch) print k, branch[k]
            for (k in lines) print k, lines[k]
        }' $report/*.gcov | sort -k1,1 -k2,2n -k3,3 >$build/counts
}

table() {
    awk '
        $1 ~ /^(core|layers|nets|optim|io|bench)\// {
            if (!($1 in seen)) { seen[$1] = 1; order[++files] = $1 }
            kind = $3 == "-" ? "line" : "branch"
            all[kind, $1]++; all[kind]++
            if ($4 > 0) { taken[kind, $1]++; taken[kind]++ }
        }
        function share(t, n) { return n ? sprintf("%.1f%%", 100 * t / n) : "" }
        function row(name, b, t, l, m) { printf "| %-28s | %8d | %8d | %6s | %6s |\n", name, b, t, share(t, b), share(m, l) }
        END {
            printf "| %-28s | %8s | %8s | %6s | %6s |\n|---|---|---|---|---|\n", "file", "branches", "taken", "share", "lines"
            for (i = 1; i <= files; i++) {
                f = order[i]
                row("`" f "`", all["branch", f], taken["branch", f], all["line", f], taken["line", f])
            }
            row("all", all["branch"], taken["branch"], all["line"], taken["line"])
        }' $build/counts
}

show() { # FILE
    awk -v file="$1" '
        NR == FNR { if ($1 == file && $3 != "-") { times[$2] = times[$2] " " $4; if ($4 == 0) missed[$2] = 1 }
                    if ($1 == file && $3 == "-" && $4 == 0) missed[$2] = 1
                    next }
        FNR in missed { printf "%5d %-24s %s\n", FNR, times[FNR] ? "[" substr(times[FNR], 2) "]" : "[line]", $0 }' $build/counts "$1"
}

make_it() {
    make -s CC=gcc B=$build OPT=-O1 SLOW= EXTRA="--coverage -w" "$@"
}
case ${1:-} in
table)
    counts && table
    ;;
show)
    show "$2"
    ;;
"")
    find $build -name '*.gcda' -exec rm {} + 2>/dev/null
    # Tests that limit what a file may hold limit the counts too, and see gcov complain: their verdict is that of make test.
    make_it test 2>&1 | grep -v 'libgcov profiling error' | tail -n 1
    counts && table
    ;;
*)
    for name in "$@"; do
        make_it $build/test/"$name" && $build/test/"$name" || exit 1
    done
    counts && table
    ;;
esac
