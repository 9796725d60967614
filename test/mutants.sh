#!/bin/sh
# mutants.sh - do the tests notice? Each line below breaks one thing in a scratch copy of the library (a sign, a term, a
# tail, a mask, a place of eps, an accumulation) and names the test that must then fail. A mutation that changes nothing is
# stale and counts as survived: the line must follow the code. The last line is `N killed, N survived`.
#
#     test/mutants.sh [WORD]     only mutations whose description contains WORD
only=${1:-}
top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
CC=${CC:-cc}
FLAGS="-std=c11 -O1 -ffp-contract=off -w"
killed=0
survived=0

# One instruction set is enough: the text of its kernels is that of all.
TX_ISA=portable
if grep -q avx2 /proc/cpuinfo 2>/dev/null; then TX_ISA=avx2; fi
export TX_ISA

for floor in core layers nets optim test; do
    mkdir -p "$work/$floor" "$work/o/$floor"
    cp "$top/$floor"/*.[ch] "$work/$floor/"
done
cp -r "$top/test/golden" "$work/test/golden"
cd "$work" || exit 1

compile() { # SOURCE: into o/FLOOR/NAME.o
    # shellcheck disable=SC2086
    $CC $FLAGS -I. -c -o "o/${1%.c}.o" "$1"
}
link() { # PROGRAM
    # shellcheck disable=SC2086
    $CC $FLAGS -o "o/$1" "o/test/$1.o" o/core/*.o o/layers/*.o o/nets/*.o o/optim/*.o -lm
}

# The tests, each a second or so. graph: the quick half of the small nets.
programs="golden graph_gradient graph_plan optim_update optim_schedule"
ops="test/golden/op_conv.txt test/golden/op_norm_pool.txt test/golden/op_misc.txt test/golden/op_loss.txt test/golden/op_optim.txt"
run_test() { # NAME
    case $1 in
    ops) timeout 60 o/golden $ops ;;
    reference) timeout 60 o/golden --reference $ops ;;
    net) timeout 60 o/golden test/golden/resnet18-3_64x64_b2.txt ;;
    bottleneck) timeout 60 o/golden test/golden/resnet50-3.txt ;;
    gradient) timeout 60 o/graph_gradient ;;
    plan) timeout 60 o/graph_plan ;;
    update) timeout 60 o/optim_update ;;
    schedule) timeout 60 o/optim_schedule ;;
    esac >/dev/null 2>&1
}
program_of() {
    case $1 in
    gradient) echo graph_gradient ;;
    plan) echo graph_plan ;;
    update) echo optim_update ;;
    schedule) echo optim_schedule ;;
    *) echo golden ;;
    esac
}

for source in core/*.c layers/*.c nets/*.c optim/*.c; do
    compile "$source" || exit 1
done
for p in $programs; do
    compile "test/$p.c" && link "$p" || exit 1
done
for t in ops reference net gradient plan update schedule; do
    run_test $t || { echo "the unchanged library fails test $t"; exit 1; }
done

# What has to be compiled again after a change of FILE.
sources_of() {
    case $1 in
    core/*_text.h) echo "core/kernels_$TX_ISA.c" ;;
    *) echo "$1" ;;
    esac
}

mutate() { # FILE TEST SED-EXPRESSION DESCRIPTION
    case "$4" in *"$only"*) ;; *) return ;; esac
    sed -e "$3" "$top/$1" >"$1"
    verdict=killed
    if cmp -s "$1" "$top/$1"; then
        verdict="SURVIVED (stale: nothing changed)"
    elif ! compile "$(sources_of "$1")" 2>/dev/null; then
        verdict="SURVIVED (does not compile)"
    elif ! link "$(program_of "$2")" || run_test "$2"; then
        verdict=SURVIVED
    fi
    cp "$top/$1" "$1"
    last=$(sources_of "$1")
    if [ "$last" != "$dirty" ] && [ -n "$dirty" ]; then compile "$dirty"; fi
    dirty=$last
    if [ "$verdict" = killed ]; then killed=$((killed + 1)); else survived=$((survived + 1)); fi
    printf '%-24s %-10s %-9s %s\n' "$1" "$2" "$verdict" "$4"
}
dirty=
