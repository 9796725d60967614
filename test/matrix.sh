#!/bin/sh
# matrix.sh - the same bits over compilers, optimisation levels, C libraries, architectures, instruction sets and threads:
# one factor is varied at a time, against gcc -O2 with the best instruction set and all threads. A row a case:
# what varied, and for each network the digest of one training step of a batch of 2 (speed) and of a 20-step train.
# MATRIX_NETS="resnet18 .." chooses the networks, MATRIX_SIZE the side (32). What a machine lacks is listed as skipped.
nets=${MATRIX_NETS:-resnet18 resnet34 resnet50 resnet101}
size=${MATRIX_SIZE:-32}
root=build/matrix
sources="core/*.c layers/*.c nets/*.c optim/*.c io/*.c bench/*.c"
passed=0
failed=0
# A few images: what is compared is 20 steps, not the evaluation after them.
sample=$PWD/bench/nih-sample-128
data=$root/data
rm -rf $data
mkdir -p $data
for split in train valid; do
    ln -s "$sample/$split" $data/$split
done
head -n 41 "$sample/train.csv" >$data/train.csv
head -n 3 "$sample/valid.csv" >$data/valid.csv
export OMP_WAIT_POLICY=passive

build() { # NAME COMMAND...: builds $root/NAME unless the compiler is missing; 1 if there is none
    name=$1
    shift
    command -v "$1" >/dev/null 2>&1 || return 1
    "$@" -o $root/$name $sources -lm >$root/$name.log 2>&1
}

digests() { # RUNNER PROGRAM THREADS NET TAG: two digests, or "failed"
    one=$($1 $2 speed --net "$4" --size $size --batch 2 --mode train --threads "$3" --json 2>/dev/null | sed -n 's/.*"digest": *"\([0-9a-f]*\)".*/\1/p')
    rm -rf "$root/run-$5"
    $1 $2 train --net "$4" --size $size --batch 2 --steps 20 --eval-every 1000000 --data $data --keep 1 \
        --threads "$3" --quiet --out "$root/run-$5" >/dev/null 2>&1
    two=$(tail -n 1 "$root/run-$5/digests.txt" 2>/dev/null | cut -d' ' -f3)
    rm -rf "$root/run-$5"
    echo "$one $two"
}

row() { # LABEL RUNNER PROGRAM THREADS ISA
    for net in $nets; do
        [ -n "$5" ] && TX_ISA=$5 && export TX_ISA
        got=$(digests "$2" "$3" "$4" "$net" "$$")
        unset TX_ISA
        eval "want=\$want_$net"
        if [ -z "$want" ]; then
            eval "want_$net=\$got"
            want=$got
        fi
        case "$got" in
        ?*" "?*) ;;
        *) want=nothing ;;
        esac
        if [ "$got" = "$want" ]; then
            passed=$((passed + 1))
            verdict=equal
        else
            failed=$((failed + 1))
            verdict=DIFFERS
        fi
        printf '%-28s %-10s %.12s %.12s  %s\n' "$1" "$net" "${got%% *}" "${got##* }" "$verdict"
    done
}
skip() {
    printf '%-28s skipped: %s\n' "$1" "$2"
}

flags="-std=c11 -ffp-contract=off"
build gcc-O2 gcc $flags -O2 -fopenmp || { echo "matrix: the base program does not build; see $root/gcc-O2.log"; exit 1; }
p=$root/gcc-O2
row "gcc -O2" "" $p 2 ""
for t in 1 3 7; do
    row "  threads $t" "" $p $t ""
done
for isa in avx512 avx2 neon portable; do
    if TX_ISA=$isa ./$p nets >/dev/null 2>&1; then
        row "  TX_ISA=$isa" "" $p 2 $isa
    else
        skip "  TX_ISA=$isa" "this machine lacks it"
    fi
done
for level in -O0 -O3; do
    build gcc$level gcc $flags $level -fopenmp && row "gcc $level" "" $root/gcc$level 2 ""
done
if build clang clang $flags -O2; then row "clang -O2" "" $root/clang 1 ""; else skip clang "not installed"; fi
if build musl musl-gcc $flags -O2 -static; then row "gcc, musl" "" $root/musl 1 ""; else skip musl "not installed"; fi
if build tcc tcc -std=c11; then row "tcc (portable)" "" $root/tcc 1 ""; else skip tcc "not installed"; fi
if command -v qemu-aarch64 >/dev/null 2>&1 && build aarch64 aarch64-linux-gnu-gcc $flags -O2 -static; then
    row "aarch64, NEON (qemu)" qemu-aarch64 $root/aarch64 1 neon
    row "aarch64, portable (qemu)" qemu-aarch64 $root/aarch64 1 portable
else
    skip aarch64 "no cross compiler or qemu-user"
fi
echo "matrix: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
