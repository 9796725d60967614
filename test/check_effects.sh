#!/bin/sh
# check_effects.sh BUILD - what was asked for and does nothing is said in a line each, once, on standard error, and changes
# no exit status. The last line is "check_effects: N passed, N failed".
. test/cli.sh

# The lines of the last command that are about options, sorted; the plan and the progress are no such lines.
notes() { # TEXT: all of them, a line each
    grep -E -- '^--|^OMP_|^a batch of one|^built without|was set before' "$work/err" | sort >"$work/notes"
    printf '%s' "$1" | sort >"$work/wanted"
    cmp -s "$work/notes" "$work/wanted"
    pass "said $(cat "$work/notes"), expected $1" $?
}
plan="train --net resnet18 --cut 3 --size 32 --data $data --dry-run"

# ---- beside others
expect 0 $plan
notes ""
expect 0 $plan --momentum 0.5 --betas 0.8,0.9
notes "--momentum has no effect with --optimizer adam
"
expect 0 $plan --momentum 0.9 --betas 0.8,0.9 --eps 1e-7 --optimizer sgd
notes "--betas has no effect with --optimizer sgd
--eps has no effect with --optimizer sgd
"
expect 0 $plan --epochs 3 --steps 4
notes "--epochs has no effect with --steps 4
"
expect 0 $plan --quiet --epochs 3 --steps 4 --lr 1 --lr 2 --batch 1000 --threads 1024
[ ! -s "$work/err" ]
pass "--quiet: $(cat "$work/err")" $?
expect 0 nets --seed 3
notes "--seed has no effect on nets
"
expect 0 summary resnet18 --size 32 --seed 3 --seed 4
notes "--seed has no effect on summary
--seed is given twice; 4, the last one, counts
"
one_line 2 summary resnet18 --seed 3 --batch 0
one_line 1 train --net resnet18 --steps 3 --epochs 2 --data "$work/nowhere" --out "$work/x"

# ---- beyond what the run has: 40 images
expect 0 $plan --epochs 2 --batch 8 --warmup 11 --states 11 --digest-every 12 --eval-every 81
notes "--digest-every 12 has no effect: the run has 10 steps
--eval-every 81 has no effect: the run has 80 examples
--states 11 has no effect: the run has 10 steps
--warmup 11: the learning rate does not reach --lr in 10 steps
"
expect 0 $plan --epochs 2 --batch 8 --warmup 10 --states 10 --digest-every 10 --eval-every 80 --limit 40
notes ""
expect 0 $plan --limit 41 --batch 64
notes "--batch 64: the 40 training images are one batch
--limit 41 has no effect: there are 40 training images
"
expect 0 $plan --limit 8 --overfit 4 --batch 4
notes "--limit 8 has no effect with --overfit 4
"
expect 0 $plan --overfit 44 --steps 3
notes "--overfit 44: there are 40 training images
"

# ---- twice
expect 0 $plan --lr 1 --lr=2 --batch 4 --quiet --quiet
notes ""
expect 0 $plan --lr 1 --lr=2 --batch 4 --batch 4 --lr 3
notes "--batch is given twice; 4, the last one, counts
--lr is given twice; 2, the last one, counts
--lr is given twice; 3, the last one, counts
"
printf 'lr = 1\nmomentum = 0.5\nbatch = 4\nlr = 2\nclasses = 3\nclasses = 4\n' >"$work/config"
expect 0 $plan --config "$work/config"
notes "--momentum has no effect with --optimizer adam
$work/config line 4: lr was set before; the last one counts
"
expect 0 $plan --config "$work/config" --lr 3 --optimizer sgd
notes "$work/config line 4: lr was set before; the command line counts
"
# What a run has written down has nothing to be said of.
expect 0 train --net resnet18 --cut 3 --size 32 --data "$data" --steps 2 --optimizer sgd --out "$work/run" --quiet
expect 0 train --config "$work/run/config.txt" --dry-run
notes ""
expect 0 predict "$work/run" "$image" --views all --seed 1 --unit image --blank zeros --ensemble
notes "--blank has no effect on predict
--ensemble has no effect: $work/run is one checkpoint
--seed has no effect on predict
--unit has no effect without --split
--views has no effect without --split
"
expect 0 predict "$work/run" --split valid --views all --unit image
notes ""
expect 0 predict "$work/run" "$image" --config "$work/run/config.txt"
notes ""
checkpoint=$(ls "$work"/run/checkpoints/*)
expect 0 predict "$checkpoint" "$image" --ensemble
notes "--ensemble has no effect: $checkpoint is one checkpoint
"

# ---- a batch of one image where a map has one pixel: the network whole at 32 pixels
one="--net resnet18 --data $data --batch 8 --dry-run"
single="a batch of one image: layer4.0.bn1 normalises one value a channel to 0, so it passes on its bias alone and its \
running variance shrinks (another --batch or --size avoids it)
"
expect 0 train $one --size 32 --limit 17
notes "$single"
expect 0 train $one --size 32 --limit 16
notes ""
expect 0 train $one --size 33 --limit 17
notes ""
expect 0 train $one --size 32 --limit 16 --batch 1
notes "--batch is given twice; 1, the last one, counts
$single"

# ---- threads: more than there are
expect 0 speed --net resnet18 --cut 3 --size 32 --batch 1 --threads 1024
grep -qE '^(built without threads: --threads 1024 runs on one|--threads 1024: this process may use [0-9]+ processors?)' "$work/err"
pass "--threads 1024: $(cat "$work/err")" $?
OMP_NUM_THREADS=1000 "$thorax" data check "$data" >"$work/out" 2>"$work/err"
grep -q 'OMP_NUM_THREADS=1000' "$work/err"
pass "OMP_NUM_THREADS=1000: $(cat "$work/err")" $?

done_testing
