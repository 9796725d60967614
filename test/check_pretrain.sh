#!/bin/sh
# check_pretrain.sh BUILD - source weights from fractals: the same bytes whoever makes them, killed and interrupted or not; what
# is there stays or is refused in one line; training goes on from them. The last line is "check_pretrain: N passed, N failed".
. test/cli.sh

base="pretrain --net mobilenet_v2 --classes 3 --instances 8 --size 16 --batch 4 --epochs 2 --quiet"
# The last command must have said one line that holds the text, and left the file as it was copied.
refused() { # TEXT FILE ARGUMENT...
    text=$1 file=$2
    shift 2
    cp "$file" "$work/before"
    one_line 1 "$@"
    says "$text"
    same "$file" "$work/before"
}

# ---- the same bytes; figures; what is there already
expect 0 $base --threads 1 --out "$work/a.safetensors"
says "of 6 held-out images right (by chance 33.3%)"
[ "$(ls "$work" | grep -c a.safetensors)" -eq 1 ]
pass "files are left beside the weights: $(ls "$work")" $?
TX_ISA=portable expect 0 $base --threads 3 --out "$work/b.safetensors" --json
same "$work/a.safetensors" "$work/b.safetensors"
# As bits.txt, these digits change with the network's bits, or the fractals'.
grep -q '"state":"made","steps":12,"loss":1.0994587739308674,"accuracy":0.3333333333333333,"held_out":6}$' "$work/out"
pass "JSON, or other bits: $(cat "$work/out")" $?
expect 0 $base --threads 2 --out "$work/a.safetensors"
says "these weights are made"
same "$work/a.safetensors" "$work/b.safetensors"
refused "made with --classes 3, not 4; --restart" "$work/a.safetensors" $base --classes 4 --out "$work/a.safetensors"
refused "made with --seed 0, not 1; --restart" "$work/a.safetensors" $base --seed 1 --out "$work/a.safetensors"
refused "made with --lr 0.001, not 0.002" "$work/a.safetensors" $base --lr 2e-3 --out "$work/a.safetensors"
expect 0 $base --seed 1 --out "$work/a.safetensors" --restart
! cmp -s "$work/a.safetensors" "$work/b.safetensors"
pass "another seed gives the same weights" $?

# ---- it learns: two kinds, on instances that it has not seen
expect 0 $base --net resnet18 --classes 2 --instances 24 --batch 8 --epochs 6 --warmup 5 --size 32 --out "$work/learnt.safetensors" --json
awk -F'[:,]' '{ for (i = 1; i < NF; i++) { if ($i ~ /"accuracy"/) a = $(i + 1); if ($i ~ /"loss"/) l = $(i + 1) } } END { exit !(a > 0.75 && l < 0.6) }' "$work/out"
pass "it has not learnt: $(cat "$work/out")" $?
grep -q '"loss":0.15442846119403839,' "$work/out"
pass "measured on others than the held-out images, or other bits: $(cat "$work/out")" $?

# ---- interrupted, killed, and as if nothing had been
c=$work/c.safetensors
long="$base --epochs 20"
expect 0 $long --out "$work/long.safetensors"
interrupt() { # SECONDS SIGNAL: that long after the weights' lock has been taken; exit status into $got
    "$thorax" $long --threads 1 --out "$c" >"$work/out" 2>"$work/err" &
    process=$!
    while kill -0 $process 2>/dev/null && [ ! -e "$c.lock" ]; do sleep 0.02; done
    sleep "$1"
    kill -"$2" $process 2>/dev/null
    wait $process 2>/dev/null
    got=$?
}
for seconds in 0.2 0.3 0.1 0.4 0.15 0.25 0.5 0.6 0.8 0.05 1 1.5 2 3 4; do
    rm -f "$c" "$c".*
    interrupt $seconds TERM
    grep -Eq "interrupted after step ([1-9]|[1-9][0-9]|1[01][0-9]) of 120; the same command line" "$work/err" && break
done
[ "$got" -eq 130 ] && [ -e "$c.state" ] && [ ! -e "$c" ]
pass "no pretraining could be interrupted: $got $(cat "$work/err")" $?
cp "$c.state" "$work/state"
refused "made with --instances 8, not 9; --restart begins anew" "$c.state" $long --instances 9 --out "$c"
interrupt 0.1 KILL
touch "$c.tmp.123" "$c.state.tmp.4" "$work/other.safetensors.tmp.5" "$c.tmp.x"
expect 0 $long --threads 2 --out "$c"
[ -e "$work/other.safetensors.tmp.5" ] && rm "$c.tmp.x"
pass "files of others are swept" $?
same "$c" "$work/long.safetensors"
[ "$(ls "$work" | grep -c '^c.safetensors')" -eq 1 ]
pass "files are left beside the weights: $(ls "$work")" $?

# ---- damage, and files of others
broken() { # FILE OFFSET-FROM-END: another byte there
    at=$(($(wc -c <"$1") - $2))
    byte=$(od -An -tu1 -j "$at" -N 1 "$1" | tr -d ' ')
    printf "\\$(printf %o $(((byte + 1) % 256)))" | dd of="$1" bs=1 seek="$at" conv=notrunc 2>"$work/dd"
}
cp "$work/state" "$c.state"
broken "$c.state" 1000
rm "$c"
refused "--restart begins anew" "$c.state" $long --out "$c"
expect 0 $base --out "$c" --restart
same "$c" "$work/b.safetensors"
broken "$c" 1001
refused "its weights are not those that were written; --restart" "$c" $base --out "$c"
expect 0 $base --out "$c" --restart
same "$c" "$work/b.safetensors"
echo "a letter" >"$work/letter.safetensors"
refused "letter.safetensors" "$work/letter.safetensors" $base --out "$work/letter.safetensors" --restart
expect 0 convert "$c" "$work/other.safetensors" --classes 5
sed 's/pretrain\./foreign../g' "$work/other.safetensors" >"$work/others.safetensors"
refused "that no pretraining has made" "$work/others.safetensors" $base --out "$work/others.safetensors" --restart
mkdir "$work/folder.safetensors"
one_line 1 $base --out "$work/folder.safetensors" --restart
one_line 1 $base --out "$work/nowhere/c.safetensors"

# ---- two at once: one makes it, the other waits for it
rm -f "$c"
"$thorax" $base --threads 1 --out "$c" >"$work/out1" 2>"$work/err1" &
first=$!
expect 0 $base --threads 1 --out "$c"
wait $first
pass "of two at once one fails: $(cat "$work/err1")" $?
same "$c" "$work/b.safetensors"

# ---- training from it: its normalisation, a new last layer
"$thorax" train --net mobilenet_v2 --init "$c" --data "$data" --size 32 --batch 4 --dry-run >"$work/out" 2>"$work/err"
pass "train --init: $(cat "$work/err")" $?
says "normalize half"
says "the file has 3 outputs, the new last layer has 14"
grep -q '"source":"fractals: 3 classes of iterated function systems, 8 images each, size 16, 2 epochs, seed 0"' "$c"
pass "the weights do not say what they were trained on" $?
one_line 1 train --net resnet18 --init "$c" --data "$data" --size 32 --dry-run

# ---- wrong usage
one_line 2 pretrain --out "$work/d.safetensors"
says "--net is missing"
one_line 2 pretrain --net resnet18
says "--out is missing"
one_line 2 $base --out "$work/d.pth"
says "ends in .safetensors"
for words in "--classes 1" "--classes 65537" "--size 15" "--size 5000" "--net inception_v3 --size 74" "--instances 0" \
    "--epochs 0" "--classes 60000 --instances 1000000"; do
    one_line 2 $base --out "$work/d.safetensors" $words
done
[ ! -e "$work/d.safetensors" ]
pass "wrong usage leaves a file" $?
done_testing
