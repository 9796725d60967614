#!/bin/sh
# check_usage.sh BUILD - the command line: help, wrong usage, and what was probably meant. The last line is
# "check_usage: N passed, N failed".
. test/cli.sh

# ---- help
narrow() { # of what the last command printed
    [ -z "$(awk 'length > 80' "$work/out" "$work/err")" ]
    pass "wider than 80 columns: $(awk 'length > 80' "$work/out" "$work/err" | head -n 1)" $?
}
expect 2
[ ! -s "$work/out" ] && mv "$work/err" "$work/help"
pass "thorax alone prints on standard output" $?
for words in help --help -h "--quiet --help" "-h --seed 3" "--no-such -h"; do
    expect 0 $words
    narrow
    same "$work/out" "$work/help"
    [ ! -s "$work/err" ]
    pass "thorax $words says something on standard error" $?
done
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/help")
[ "$(echo "$commands" | wc -l)" -ge 9 ]
pass "the commands of --help: $commands" $?
for command in $commands; do
    expect 0 help $command
    narrow
    mv "$work/out" "$work/help"
    grep -q "^  thorax $command" "$work/help"
    pass "no example of $command" $?
    for words in "$command -h" "$command --help" "--help $command" "$command --no-such 1 -h" "$command --batch --help x"; do
        expect 0 $words
        same "$work/out" "$work/help"
    done
done
for word in cam pretrain convert audit verify rmsprop augment flip; do
    "$thorax" help >"$work/out"
    "$thorax" help train >>"$work/out"
    ! grep -qw -- "$word" "$work/out"
    pass "--help lists $word, which is not there" $?
done
for words in -V --version "train --version" "nets -V --no-such"; do
    expect 0 $words
    grep -qx "thorax [0-9.]*" "$work/out"
    pass "thorax $words: $(cat "$work/out")" $?
done
one_line 2 help trane
says "nearest is train"
one_line 1 help cam
one_line 2 help train eval
one_line 2 trane --help
# Behind -- there are arguments alone.
one_line 2 nets -- --help
says "unexpected argument '--help'"

# ---- options before the command
expect 0 --json nets
says '{"nets":'
expect 0 --size 64 --json --batch=2 summary resnet18
says '"batch":2'
one_line 2 --size 64
one_line 2 --quiet
one_line 2 --quiet trane

# ---- wrong usage
one_line 2 trane
says "nearest is train"
one_line 2 train --epoch 3
says --epochs
one_line 2 train --out "$work/x"
one_line 2 train --net resnet18
one_line 2 train --net resnet81 --out "$work/x"
says resnet18
one_line 2 summary resnet
one_line 2 summary
one_line 2 summary resnet18 again
one_line 2 summary resnet18 --batch 0
one_line 2 summary resnet18 --batch 1.5
one_line 2 summary resnet18 --batch
one_line 2 summary resnet18 --cut 5
one_line 2 summary resnet18 --mode both
one_line 2 summary resnet18 --mode tarin
says "expected one of train|infer, nearest is train"
one_line 2 summary resnet18 --json=on
one_line 2 eval
one_line 2 predict "$work/x"
one_line 2 data chek "$data"
one_line 2 train --net resnet18 --out "$work/x" --lr nan
one_line 2 train --net resnet18 --out "$work/x" --betas 0.9
one_line 2 train --net resnet18 --out "$work/x" --normalize 1,2/3
one_line 1 cam
one_line 2 train --net resnet18 --out "$work/x" --optimizer rmsprop
says adamw
one_line 2 train --net resnet18 --out "$work/x" --augment flip
says "expected none"
TX_ISA=mmx
export TX_ISA
one_line 2 nets
expect 0 help nets
unset TX_ISA
[ ! -e "$work/x" ]
pass "a refused training made its folder" $?

done_testing
