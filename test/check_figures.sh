#!/bin/sh
# check_figures.sh BUILD - what the program says in figures: trainings whose numbers are none any more, tables, reports. The
# last line is "check_figures: N passed, N failed".
. test/cli.sh

small="--net resnet18 --cut 3 --size 32 --batch 8"

# ---- a training that diverges: one line, what was kept stays, and the same line comes to the same end
diverge() { # RUN ARGUMENT...
    folder=$1
    shift
    one_line 1 train $small --data "$data" --out "$work/$folder" --quiet --optimizer sgd --momentum 1 "$@"
    says "diverged after step"
}
diverge wild --overfit 8 --lr 1e6 --weight-decay 100 --epochs 30
says "the loss is"
says "there is no checkpoint yet"
diverge late --limit 40 --lr 1e6 --warmup 100 --epochs 30
diverge kept --limit 40 --lr 1e6 --warmup 1000000 --weight-decay 10 --epochs 300
says "the last sound checkpoint is of step"
says "the last state of step"
last=$(sed -n 's/.*sound checkpoint is of step \([0-9]*\),.*/\1/p' "$work/err")
[ -s "$work/kept/checkpoints/step-$(printf %08d "$last").safetensors" ]
pass "the checkpoint of step $last is not there" $?
[ ! -e "$work/kept/done" ]
pass "a run that diverged is marked as done" $?
cp -R "$work/kept" "$work/again"
cp "$work/err" "$work/said"
diverge again --limit 40 --lr 1e6 --warmup 1000000 --weight-decay 10 --epochs 300
sed 's:/again::' "$work/err" >"$work/err.again"
sed 's:/kept::' "$work/said" >"$work/err.kept"
same "$work/err.again" "$work/err.kept"
for file in digests.txt metrics.csv; do
    same "$work/again/$file" "$work/kept/$file"
done
diff -r "$work/again/checkpoints" "$work/kept/checkpoints" >"$work/diff"
pass "the checkpoints differ: $(cat "$work/diff")" $?
expect 0 eval "$work/kept" --data "$data" --batch 8 --quiet
for rate in nan inf -inf -1; do
    one_line 2 train $small --data "$data" --out "$work/x" --lr $rate
done

# ---- progress in a log: a line an evaluation, with the means of metrics.csv and the best so far
expect 0 train $small --data "$data" --out "$work/run" --epochs 2 --eval-every 16 --lr 1e-3
cp "$work/err" "$work/log"
awk -F, -v log_file="$work/log" '
    function fixed(x) { return x == "nan" ? "-" : sprintf("%.3f", x) }
    $2 == "valid" && $3 ~ /^mean/ { mean[$1, $3] = $6; if (!($1 in seen)) { seen[$1]; step[++n] = $1 } }
    END {
        best = -1
        while ((getline line < log_file) > 0) {
            if (line !~ /^step [0-9]+ valid: /) continue
            s = step[++i]
            if (mean[s, "mean6"] > best) { best = mean[s, "mean6"]; at = s }
            want = "step " s " valid: mean5 " fixed(mean[s, "mean5"]) " mean6 " fixed(mean[s, "mean6"]) " mean " fixed(mean[s, "mean"])
            want = want ", best mean6 " fixed(best) " at " at
            if (line != want) { print "found " line ", expected " want; exit 1 }
        }
        if (i != n || n < 4) { print i " lines for " n " evaluations"; exit 1 }
    }' "$work/run/metrics.csv" >"$work/diff"
pass "lines of evaluations: $(cat "$work/diff")" $?
grep -q '^train: 80/80 100%  .* images/s  in [0-9:]*  evaluations [0-9:]*$' "$work/log"
pass "the last line of a training: $(tail -n 1 "$work/log")" $?
grep -q "$(printf '\r')" "$work/log"
[ $? -ne 0 ]
pass "a log with carriage returns" $?

done_testing
