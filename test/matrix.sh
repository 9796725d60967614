#!/bin/sh
# matrix.sh - the same bits over compilers, optimisation levels, C libraries, architectures, instruction sets and threads:
# one factor is varied at a time, against gcc -O2 with the best instruction set and two threads. A row a case: what varied,
# and for each network the digest of one training step of a batch of 2 (speed) and of a 20-step train.
# MATRIX_NETS="resnet18 .." chooses the networks, MATRIX_SIZE the side (32), MATRIX_JOBS how many are computed at a time (one
# a processor). What a machine lacks is listed as skipped.
#     test/matrix.sh               builds, computes, prints the table
#     test/matrix.sh build NAME    builds one program
#     test/matrix.sh cell ...      computes one row for one network
nets=${MATRIX_NETS:-resnet18 resnet34 resnet50 resnet101}
size=${MATRIX_SIZE:-32}
jobs=${MATRIX_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}
root=build/matrix
data=$root/data
sources="core/*.c layers/*.c nets/*.c optim/*.c io/*.c bench/*.c"
flags="-std=c11 -ffp-contract=off"
# What is tested of the emulated kernels beside their rows.
units="core_simd core_gemm core_winograd core_depthwise layers_batchnorm layers_pool optim_update"
export OMP_WAIT_POLICY=passive
unset TX_ISA

# ---- programs
compiler_of() { # NAME
    case $1 in
    gcc* | emulated) echo gcc ;;
    musl) echo musl-gcc ;;
    aarch64) echo aarch64-linux-gnu-gcc ;;
    *) echo "$1" ;;
    esac
}
build() { # NAME: builds $root/NAME
    case $1 in
    gcc-O*) gcc $flags -O"${1#gcc-O}" -fopenmp -o $root/$1 $sources -lm ;;
    tcc) tcc -std=c11 -o $root/tcc $sources -lm ;;
    clang) clang $flags -O2 -o $root/clang $sources -lm ;;
    emulated) emulated ;;
    *) $(compiler_of "$1") $flags -O2 -static -o $root/$1 $sources -lm ;;
    esac
}
# The object of the emulated kernels stands where make would put that of the kernels for AVX2.
emulated() {
    lib=$root/emulated.lib
    mkdir -p $lib/core
    gcc $flags -O1 -mavx2 -mfma -Wno-psabi -c -o $lib/core/kernels_avx2.o test/emulate/kernels_avx512.c || return 1
    make -s CC=gcc B=$lib $lib/thorax $(printf "$lib/test/%s " $units) || return 1
    cp $lib/thorax $root/emulated
}
if [ "${1:-}" = build ]; then
    build "$2" >$root/$2.log 2>&1 || rm -f $root/$2
    exit 0
fi

# ---- one row for one network: two digests
cell() { # FILE NET PROGRAM THREADS ISA [RUNNER]
    net=$2 run=$1.run
    arguments="--net $2 --size $size --batch 2 --threads $4"
    [ "$5" = best ] || export TX_ISA="$5"
    {
        $6 $root/$3 speed $arguments --mode train --json 2>/dev/null | sed -n 's/.*"digest": *"\([0-9a-f]*\)".*/\1/p'
        $6 $root/$3 train $arguments --steps 20 --eval-every 1000000 --data $data --keep 1 --quiet --out $run >/dev/null 2>&1
        tail -n 1 $run/digests.txt 2>/dev/null | cut -d' ' -f3
    } >$1
    rm -rf $run
}
if [ "${1:-}" = cell ]; then
    shift
    cell "$@"
    exit 0
fi

# ---- the rows: LABEL|PROGRAM|THREADS|ISA|RUNNER, or LABEL|skipped|REASON
rm -rf $root
mkdir -p $root/cell $data
programs=
for p in gcc-O2 gcc-O0 gcc-O3 clang musl tcc; do
    command -v "$(compiler_of $p)" >/dev/null 2>&1 && programs="$programs $p"
done
command -v aarch64-linux-gnu-gcc >/dev/null 2>&1 && command -v qemu-aarch64 >/dev/null 2>&1 && programs="$programs aarch64"
echo '#include <simde/x86/avx512.h>' | gcc -E -x c - >/dev/null 2>&1 && grep -q avx2 /proc/cpuinfo 2>/dev/null &&
    programs="$programs emulated"
printf '%s\n' $programs | xargs -n 1 -P "$jobs" sh "$0" build || exit 1
[ -x $root/gcc-O2 ] || { echo "matrix: the base program does not build; see $root/gcc-O2.log"; exit 1; }

row() { # LABEL PROGRAM THREADS ISA RUNNER WHAT-IS-MISSING
    case " $programs " in
    *" $2 "*) echo "$1|$2|$3|$4|$5" ;;
    *) echo "$1|skipped|$6" ;;
    esac
}
isa_row() { # ISA
    if TX_ISA=$1 $root/gcc-O2 nets >/dev/null 2>&1; then
        row "  TX_ISA=$1" gcc-O2 2 "$1"
    else
        row "  TX_ISA=$1" none 2 "$1" "" "this machine lacks it"
    fi
}
{
    row "gcc -O2" gcc-O2 2 best
    for t in 1 3 7; do row "  threads $t" gcc-O2 $t best; done
    for isa in avx512 avx2 neon portable; do isa_row $isa; done
    row "AVX-512, emulated" emulated 1 avx2 "" "no SIMDe (libsimde-dev) or no AVX2"
    row "gcc -O0" gcc-O0 1 best
    row "gcc -O3" gcc-O3 2 best
    row "clang -O2" clang 1 best "" "not installed"
    row "gcc, musl" musl 1 best "" "not installed"
    row "tcc (portable)" tcc 1 best "" "not installed"
    row "aarch64, NEON (qemu)" aarch64 1 neon qemu-aarch64 "no cross compiler or qemu-user"
    row "aarch64, portable (qemu)" aarch64 1 portable qemu-aarch64 "no cross compiler or qemu-user"
} >$root/rows

# ---- the cells, several at a time. A few images: what is compared is 20 steps, not the evaluation after them.
sample=$PWD/bench/nih-sample-128
for split in train valid; do
    ln -s "$sample/$split" $data/$split
done
head -n 41 "$sample/train.csv" >$data/train.csv
head -n 3 "$sample/valid.csv" >$data/valid.csv
# The rows that take longest stand last, as the larger networks do, and begin first.
number=0
while IFS='|' read -r label program threads isa runner; do
    number=$((number + 1))
    [ "$program" = skipped ] && continue
    for net in $nets; do
        echo "$root/cell/$number-$net $net $program $threads $isa${runner:+ $runner}"
    done
done <$root/rows | sed -n '1!G;h;$p' >$root/cells
xargs -L 1 -P "$jobs" sh "$0" cell <$root/cells || exit 1

# ---- the table
passed=0
failed=0
number=0
unit_tests() { # of the emulated kernels
    for t in $units; do
        verdict=passed
        $root/emulated.lib/test/$t >$root/$t.log 2>&1 || verdict="FAILED, see $root/$t.log"
        [ "$verdict" = passed ] && passed=$((passed + 1)) || failed=$((failed + 1))
        printf '%-28s %-36s  %s\n' "$label" "$t" "$verdict"
    done
}
verdict_of() { # FIRST GOT
    case $2 in
    ?*" "?*) [ "$2" = "$1" ] && echo equal || echo DIFFERS ;;
    *) echo "FAILED, see $root/$program.log" ;;
    esac
}
while IFS='|' read -r label program rest; do
    number=$((number + 1))
    if [ "$program" = skipped ]; then
        printf '%-28s skipped: %s\n' "$label" "$rest"
        continue
    fi
    for net in $nets; do
        got=$(echo $(cat $root/cell/$number-$net))
        verdict=$(verdict_of "$(echo $(cat $root/cell/1-$net))" "$got")
        [ "$verdict" = equal ] && passed=$((passed + 1)) || failed=$((failed + 1))
        printf '%-28s %-10s %-12.12s %-12.12s  %s\n' "$label" "$net" "${got%% *}" "${got##* }" "$verdict"
    done
    [ "$program" = emulated ] && unit_tests
done <$root/rows
echo "matrix: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
