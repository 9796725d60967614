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
for words in -V --version "train --version" "nets -V --no-such"; do
    expect 0 $words
    grep -qx "thorax [0-9.]*" "$work/out"
    pass "thorax $words: $(cat "$work/out")" $?
done
one_line 2 help trane
says "nearest is train"
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
one_line 2 verify
one_line 2 cam
one_line 2 cam "$work/x"
one_line 2 train --net resnet18 --out "$work/x" --optimizer rmspro
says rmsprop
one_line 2 train --net resnet18 --out "$work/x" --augment flip,flip
says "expected none, or with commas flip, rotate=DEG"
one_line 2 train --net resnet18 --out "$work/x" --augment rotate=181
one_line 2 train --net resnet18 --out "$work/x" --resize short=0
says "expected short, short=N or stretch"
one_line 2 train --net resnet18 --data "$data" --out "$work/x" --size 64 --resize short=63
says "--resize short=63: less than the size, 64"
TX_ISA=mmx
export TX_ISA
one_line 2 nets
expect 0 help nets
unset TX_ISA
[ ! -e "$work/x" ]
pass "a refused training made its folder" $?

# ---- names that other programs have, and words in another's place
meant() { # ANSWER ARGUMENT...
    answer=$1
    shift
    one_line 2 "$@"
    grep -qF -- "$answer" "$work/err"
    pass "thorax $*: '$answer' is not in the answer: $(cat "$work/err")" $?
}
meant "unknown option --learning-rate, here it is --lr" train --learning-rate 1e-3
meant "unknown option --batch_size, here it is --batch" train --batch_size 8
meant "unknown option --Num_Workers=4, here it is --threads" train --Num_Workers=4
meant "unknown option -j, here it is --threads" nets -j 4
meant "unknown option --device: this program computes on the processor alone" train --device cuda
meant "unknown option --amp: this program computes in float32 alone" train --amp
meant "unknown option --resume: the same command line goes on" train --resume
meant "unknown option --augmentation, here it is --augment" train --augmentation flip
meant "unknown option --output, here it is --out" train --output run
meant "unknown option --model, here it is --net" train --model resnet18
meant "unknown option --imgsz, here it is --size" train --imgsz 224
meant "unknown option --lr: train takes --lr, summary does not" summary resnet18 --lr 1
meant "unknown option --net: it is an argument here, expected thorax summary NET" summary --net resnet18
meant "unknown option --data: it is an argument here, expected thorax data check DIR" data check --data "$data"
meant "unknown option -lr, expected --lr" train -lr 3
meant "unknown option --wramup, nearest is --warmup" train --wramup 3
meant "unknown option --zzzzzz (thorax train --help lists them)" train --zzzzzz
meant "its dash is not -" train "$(printf '\342\200\223lr')" 1
meant "its dash is not -" train "$(printf '\342\210\222lr')" 1
meant "--out needs a value, found the option --net" train --out --net resnet18
meant "--out needs a value" train --net resnet18 --out
meant "unexpected argument 'resnet18', perhaps --net resnet18" train resnet18 --out x
meant "unexpected argument 'resnet34', perhaps --net resnet34" speed resnet34
meant "unexpected argument 'net=resnet18', perhaps --net=resnet18" train net=resnet18 epochs=3
meant "unexpected argument '$data', perhaps --data $data" train "$data"
meant "unexpected argument 'infer', perhaps --mode infer" speed infer
meant "unexpected argument 'json', perhaps --json" nets json
meant "unexpected argument 'none', expected thorax train" train none
meant "unexpected argument 'stduy', expected thorax study --out DIR" study stduy
meant "unknown command 'resnet18', perhaps thorax train --net resnet18" resnet18 train
meant "unknown command '$data', perhaps thorax train --data $data" "$data" train
meant "unknown command 'run', perhaps thorax eval run" run eval
meant "unknown command 'validate', here it is eval" validate run
meant "unknown command 'check', here it is data check" check "$data"
meant "unknown command 'evl', nearest is eval" evl run
meant "unknown command 'zzzzzz' (thorax --help lists them)" zzzzzz
meant "unknown verb '$data', perhaps thorax data check $data" data "$data" check
meant "unknown network, nearest is resnet50" train --net ResNet-50 --out x
meant "expected ignore, zeros, ones, or by task, as ignore,ones:Edema+Pneumonia, nearest is zeros" train --uncertain zero
meant "an argument is empty" eval ''
meant "an argument is empty" predict run ''
meant "unexpected argument '--json'" nets -- --json
one_line 1 train --net resnet18 --cut 3 --size 32 --data "$data" --out "$work/x" --tasks "Edma"
says "no task 'Edma', nearest is Edema"
one_line 1 train --net resnet18 --cut 3 --size 32 --data "$data" --out "$work/x" --tasks "zzzzzzzz"
! grep -q nearest "$work/err"
pass "a name that is near to none: $(cat "$work/err")" $?
one_line 1 train --net resnet18 --cut 3 --size 32 --data "$data" --out "$work/x" --uncertain ones:edema+Pneumonia
says "the table has no column 'edema', nearest is Edema"
[ ! -e "$work/x" ]
pass "a refused training made its folder" $?

# ---- the manual names all that --help lists
sed 's/\\//g' bench/thorax.1 >"$work/manual"
for command in $commands; do
    "$thorax" help $command >"$work/out"
    for word in "$command" $(sed -n 's/^  \(--[a-z-]*\).*/\1/p' "$work/out"); do
        grep -qE -- "(^|[^a-z-])$word([^a-z-]|\$)" "$work/manual"
        pass "bench/thorax.1 does not name $word" $?
    done
done
if command -v mandoc >/dev/null 2>&1; then
    mandoc -Tlint -Wwarning bench/thorax.1 >"$work/out" 2>&1
    pass "bench/thorax.1: $(head -n 3 "$work/out")" $?
fi

# ---- completion
meant "unknown shell 'bsh', expected bash|zsh|fish, nearest is bash" completion bsh
meant "missing argument, expected thorax completion bash|zsh|fish" completion
for shell in bash zsh fish; do
    expect 0 completion $shell
    cp "$work/out" "$work/$shell"
    if command -v $shell >/dev/null 2>&1; then
        $shell -n "$work/$shell" 2>"$work/err"
        pass "the script for $shell: $(cat "$work/err")" $?
    fi
    for word in resnet101 --pos-weight cosine balanced; do
        grep -q -- "${word#--}" "$work/$shell"
        pass "the script for $shell does not know $word" $?
    done
done
offered() { # ANSWERS WORD...: for the last word, in bash
    answers=$1
    shift
    got=$(bash test/complete.bash "$work/bash" thorax "$@" | tr '\n' ' ')
    [ "$got" = "${answers:+$answers }" ] || [ "$got" = "$answers " ]
    pass "completion of thorax $*: $got, expected $answers" $?
}
mkdir "$work/paths" "$work/paths/folder"
touch "$work/paths/a file.jpg"
if command -v bash >/dev/null 2>&1; then
    offered "train" tr
    offered "--help --version" -
    offered "--momentum" train --mo
    offered "--layers" --size 64 speed --net resnet18 --la
    offered "adam adamw rmsprop sgd" train --optimizer ''
    offered "adam adamw" train --net resnet18 --optimizer=ad
    offered "constant cosine step" train --schedule=
    offered "check" data --blank=zeros ''
    offered "concat conv2d cross_entropy" audit relu c
    offered "resnet34" summary resnet3
    offered "" summary resnet18 ''
    offered "resnet101" train --net resnet10
    offered "check" data ''
    offered "$work/paths/folder" data check "$work/paths/"
    offered "$work/paths/folder" train --data "$work/paths/"
    offered "$work/paths/a file.jpg $work/paths/folder" predict run "$work/paths/"
    offered "$work/paths/a file.jpg" eval "$work/paths/a"
    offered "random" train --init rando
    offered "speed study summary" help s
    offered "" train --lr ''
fi
if command -v fish >/dev/null 2>&1; then
    got=$(HOME=$work fish -c "source $work/fish; complete -C'thorax train --optimizer '" 2>/dev/null | cut -f 1 | tr '\n' ' ')
    [ "$got" = "adam adamw rmsprop sgd " ]
    pass "completion in fish: $got" $?
fi

# ---- values at the edge
while IFS='|' read -r wanted value; do
    meant "$wanted" summary resnet18 --size "$value"
done <<END
expected a whole number from 1 to|0
expected a whole number from 1 to|-1
expected a whole number from 1 to|0x20
expected a whole number from 1 to|32.0
expected a whole number from 1 to|1e2
expected a whole number from 1 to|99999999999999999999
expected a whole number from 1 to|224x224
expected a whole number from 1 to|
expected a whole number from 1 to| 32
expected a whole number from 1 to|$(printf '\303\251')
expected a whole number from 1 to|$(printf '%0500d' 0 | tr 0 9)
END
for value in 1e309 -1 nan inf 0x1p3 1,5 '' 1e-3x 1e7 1e-400; do
    meant "expected a number from 0 to 1000000" train --lr "$value"
done
meant "--net '': expected a text" train --net= --out x
meant "--normalize imagnet: expected imagenet, chexpert, half, xrv, none or M,M,M/S,S,S with S above 0, nearest is imagenet" \
    train --normalize imagnet
meant "expected bash|zsh|fish" completion tcsh
one_line 1 train --net resnet18 --cut 3 --size 32 --data "$data" --out "$work/x" --tasks All
says "no task 'All', nearest is all"
one_line 1 train --net resnet18 --cut 3 --size 32 --data "$data" --out "$work/x" --tasks "Edema,"
says "tasks 'Edema,': an empty name"
one_line 1 predict "$data" "$work/nowhere.jpg"
says "perhaps --data $data"
for key in "batch_size|here it is batch" "device|on the processor alone" "Batch|nearest is batch" \
    "config|names no other" "augmentation|here it is augment"; do
    printf '%s = 3\n' "${key%|*}" >"$work/config"
    one_line 1 summary resnet18 --config "$work/config"
    says "${key#*|}"
done
expect 0 nets
narrow
meant "--seed -1: expected a whole number from 0 to 2^64 - 1" nets --seed -1
meant "--quiet takes no value, found 'yes'" nets --quiet=yes

done_testing
