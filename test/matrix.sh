#!/bin/sh
# matrix.sh - the same bits over compilers, optimisation levels, C libraries, architectures, instruction sets and threads:
# those of test/bits.txt. One factor is varied at a time, from gcc -O2 with the best instruction set and two threads. A row a
# case: what varied, which line of bits.txt (or the weights of a short training, images read and weights written), equal
# or not. What a machine lacks is listed as skipped.
#   this machine    the first step of training at 96 pixels, of one network a family
#   others (qemu)   three steps and predictions at 32 pixels, of two networks
# MATRIX_NETS="resnet18_96x96_b3 .." and MATRIX_SMALL="resnet18_32x32_b3 .." choose lines, MATRIX_MACHINES the other machines, MATRIX_JOBS
# how many cells are computed at a time (one a processor).
#     test/matrix.sh               builds, computes, prints the table
#     test/matrix.sh build NAME    builds one program
#     test/matrix.sh cell ...      computes one cell
nets=${MATRIX_NETS:-$(grep -oE '[a-z0-9_]+_96x96_b3$' test/bits.txt)}
small=${MATRIX_SMALL:-$(grep -oE '(resnet18|mobilenet_v2)_32x32_b3$' test/bits.txt)}
machines=${MATRIX_MACHINES-aarch64 s390x riscv64 powerpc64le arm}
jobs=${MATRIX_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}
root=build/matrix
data=$root/data
sample=$PWD/bench/nih-sample-128
sources="core/*.c layers/*.c nets/*.c optim/*.c"
# What is tested of the emulated kernels beside their rows.
units="core_simd core_gemm core_winograd core_depthwise core_threads layers_batchnorm layers_pool optim_update"
export OMP_WAIT_POLICY=passive
unset TX_ISA

# ---- programs: graph_bits as NAME, and for some the whole program as NAME.thorax
compiler_of() { # NAME
    case $1 in
    gcc* | emulated) echo gcc ;;
    musl) echo musl-gcc ;;
    arm) echo arm-linux-gnueabihf-gcc ;;
    aarch64 | s390x | riscv64 | powerpc64le) echo "$1-linux-gnu-gcc" ;;
    *) echo "$1" ;;
    esac
}
compile() { # NAME FLAG...
    name=$1
    shift
    $(compiler_of "$name") "$@" -I. -o $root/"$name" test/graph_bits.c $sources -lm || return 1
    case $name in
    gcc-O2 | clang | tcc | aarch64 | s390x)
        $(compiler_of "$name") "$@" -o $root/"$name".thorax $sources io/*.c bench/*.c -lm
        ;;
    esac
}
build() { # NAME: with the flags that make takes for its compiler
    level=-O2
    static=-static
    threads=0
    case $1 in
    gcc-O*) level=-${1#gcc-} static='' threads=1 ;;
    clang | tcc) static='' ;;
    emulated)
        emulated
        return
        ;;
    esac
    flags=$(make -s flags CC="$(compiler_of "$1")" OPT=$level OMP=$threads) || return 1
    compile "$1" $flags $static
}
# The object of the emulated kernels stands where make would put that of the kernels for AVX2.
emulated() {
    lib=$root/emulated.lib
    mkdir -p $lib/core
    gcc -std=c11 -ffp-contract=off -O1 -mavx2 -mfma -Wno-psabi -c -o $lib/core/kernels_avx2.o test/emulate/kernels_avx512.c || return 1
    make -s CC=gcc B=$lib $(printf "$lib/test/%s " graph_bits $units) || return 1
    cp $lib/test/graph_bits $root/emulated
}
if [ "${1:-}" = build ]; then
    build "$2" >$root/$2.log 2>&1 || rm -f $root/$2
    exit 0
fi

# ---- one cell, in a file: equal, DIFFERS or FAILED; of a training the digest of its weights
trained() { # FILE NAME THREADS ISA [RUNNER]
    run=$1.run
    $5 $root/$2.thorax train --net resnet18 --cut 3 --size 32 --batch 2 --threads $3 --steps 3 --eval-every 1000000 --data $data \
        --keep 1 --quiet --out $run >$1.log 2>&1
    tail -n 1 $run/digests.txt 2>/dev/null | cut -d' ' -f3 >$1
    rm -rf $run
}
compared() { # FILE NAME THREADS ISA [RUNNER]: the line in $line, three steps of it where another machine runs
    case $line in
    *_96x96_*) how="first $3" ;;
    *) how=lines ;;
    esac
    if $5 $root/$2 $how $line >$1.log 2>&1; then
        echo equal >$1
    elif grep -q 'bits.txt has [0-9a-f]* [0-9a-f]*' $1.log; then
        echo DIFFERS >$1
    else
        echo FAILED >$1
    fi
}
if [ "${1:-}" = cell ]; then
    shift
    line=$1
    shift
    [ "$4" = best ] || export TX_ISA="$4"
    if [ "$line" = training ]; then trained "$@"; else compared "$@"; fi
    exit 0
fi

# ---- the rows: LABEL|PROGRAM|THREADS|ISA|RUNNER, or LABEL|skipped|REASON
rm -rf $root
mkdir -p $root/cell $data
for split in train valid test; do
    ln -s "$sample/$split" $data/$split
    head -n 13 "$sample/$split.csv" >$data/$split.csv
done
runner_of() { # MACHINE
    case $1 in
    powerpc64le) echo qemu-ppc64le ;;
    *) echo "qemu-$1" ;;
    esac
}
programs=
for p in gcc-O2 gcc-O0 gcc-O3 clang musl tcc; do
    command -v "$(compiler_of $p)" >/dev/null 2>&1 && programs="$programs $p"
done
for m in $machines; do
    command -v "$(compiler_of "$m")" >/dev/null 2>&1 && command -v "$(runner_of "$m")" >/dev/null 2>&1 && programs="$programs $m"
done
# Where AVX-512 is, nothing needs to stand for it.
echo '#include <simde/x86/avx512.h>' | gcc -E -x c - >/dev/null 2>&1 && grep -q avx2 /proc/cpuinfo 2>/dev/null &&
    ! grep -q avx512 /proc/cpuinfo && programs="$programs emulated"
printf '%s\n' $programs | xargs -n 1 -P "$jobs" sh "$0" build || exit 1
[ -x $root/gcc-O2 ] || { echo "matrix: the base program does not build; see $root/gcc-O2.log"; exit 1; }

row() { # LABEL PROGRAM THREADS ISA RUNNER WHAT-IS-MISSING
    case " $programs " in
    *" $2 "*) echo "$1|$2|$3|$4|$5" ;;
    *) echo "$1|skipped|$6" ;;
    esac
}
isa_row() { # ISA
    if TX_ISA=$1 $root/gcc-O2.thorax nets >/dev/null 2>&1; then
        row "  TX_ISA=$1" gcc-O2 2 "$1"
    else
        row "  TX_ISA=$1" none 2 "$1" "" "this machine lacks it"
    fi
}
{
    row "gcc -O2" gcc-O2 2 best
    for t in 1 3 7 16; do row "  threads $t" gcc-O2 $t best; done
    for isa in avx512 avx2 neon portable; do isa_row $isa; done
    row "AVX-512, emulated" emulated 1 avx2 "" "no SIMDe (libsimde-dev) or no AVX2, or AVX-512 is there"
    row "gcc -O0" gcc-O0 1 best
    row "gcc -O3" gcc-O3 2 best
    row "clang -O2" clang 1 best "" "not installed"
    row "gcc, musl" musl 1 best "" "not installed"
    row "tcc (portable)" tcc 1 best "" "not installed"
    for m in $machines; do
        reason="no $(compiler_of "$m") or no $(runner_of "$m")"
        [ "$m" = aarch64 ] && row "$m, NEON (qemu)" "$m" 1 neon "$(runner_of "$m")" "$reason"
        row "$m, portable (qemu)" "$m" 1 portable "$(runner_of "$m")" "$reason"
    done
} >$root/rows

# ---- the cells; those of other machines take longest and begin first
number=0
while IFS='|' read -r label program threads isa runner; do
    number=$((number + 1))
    [ "$program" = skipped ] && continue
    lines=$nets
    [ "$runner" ] && lines=$small
    [ -x $root/$program.thorax ] && lines="$lines training"
    for line in $lines; do
        echo "$line $root/cell/$number-$line $program $threads $isa${runner:+ $runner}"
    done
done <$root/rows | sed -n '1!G;h;$p' >$root/cells
xargs -L 1 -P "$jobs" sh "$0" cell <$root/cells || exit 1

# ---- the table
passed=0
failed=0
number=0
verdict() { # LABEL CASE VERDICT
    [ "$3" = equal ] || [ "$3" = passed ] && passed=$((passed + 1)) || failed=$((failed + 1))
    printf '%-28s %-26s  %s\n' "$1" "$2" "$3"
}
while IFS='|' read -r label program rest; do
    number=$((number + 1))
    if [ "$program" = skipped ]; then
        printf '%-28s skipped: %s\n' "$label" "$rest"
        continue
    fi
    for cell in $(sed -n "s:.* \($root/cell/$number-[^ ]*\) .*:\1:p" $root/cells | sort); do
        line=${cell#*/cell/"$number"-}
        got=$(cat "$cell" 2>/dev/null)
        if [ "$line" = training ]; then
            [ "$got" ] && [ "$got" = "$(cat $root/cell/1-training)" ] && got=equal || got="DIFFERS from gcc -O2 (${got:-nothing})"
        fi
        [ "$got" = equal ] || got="$got, see $cell.log"
        verdict "$label" "$line" "$got"
    done
    if [ "$program" = emulated ]; then
        for t in $units; do
            got=passed
            $root/emulated.lib/test/$t >$root/$t.log 2>&1 || got="FAILED, see $root/$t.log"
            verdict "$label" "$t" "$got"
        done
    fi
done <$root/rows

# ---- s390x without its flag: nothing is computed, and the message names the flag
if [ -x $root/s390x ]; then
    printf '#include "core/core.h"\n#include <stdio.h>\nint main(void) { return tx_self_test() ? puts(tx_error_message()) < 0 : 2; }\n' >$root/plain.c
    s390x-linux-gnu-gcc -std=c11 -O0 -static -I. -o $root/plain $root/plain.c core/*.c -lm &&
        qemu-s390x $root/plain 2>&1 | grep -q -e '-fexcess-precision=fast' && got=passed || got=FAILED
    verdict "s390x, gcc's -std=c11" "refuses, names the flag" "$got"
fi
echo "matrix: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
