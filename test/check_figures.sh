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
says "the weights after step"
diverge outputs --limit 8 --lr 1e6 --bn-momentum 0 --epochs 5
says "of the network is infinite, expected a number"
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
[ "$(grep -c '^valid: mean5 over 2 of 5, mean6 over 3 of 6, mean over 5 of 14 tasks$' "$work/log")" -eq 1 ]
pass "what the means are over is not said once: $(grep '^valid:' "$work/log")" $?
grep -q '^train: 80/80 100%  .* images/s  in [0-9:]*  evaluations [0-9:]*$' "$work/log"
pass "the last line of a training: $(tail -n 1 "$work/log")" $?
grep -q "$(printf '\r')" "$work/log"
[ $? -ne 0 ]
pass "a log with carriage returns" $?

# ---- thresholds of test come from valid, where there is one
field() { # KEY: its value for the task No Finding in the last JSON
    sed 's/.*"task":"No Finding"\([^}]*\)}.*/\1/' "$work/out" | tr ',' '\n' | sed -n "s/^\"$1\"://p"
}
fits() { # of the last command
    [ "$(awk 'length > 80' "$work/out" | wc -l)" -eq 0 ]
    pass "more than 80 columns: $(awk 'length > 80' "$work/out" | head -n 1)" $?
}
# Labels and probabilities of No Finding, a row an image (all are studies of their own here).
pairs() { # SPLIT
    awk -F, '
        FNR == 1 { file++; for (i = 1; i <= NF; i++) if ($i == "No Finding") column = i; next }
        file == 1 { label[$1] = $column == "1.0"; next }
        { print label[$1], $column }' "$data/$1.csv" "$work/run/predictions-$1.csv"
}
expect 0 eval "$work/run" --data "$data" --split test --json --quiet
says '"threshold_from":"valid"'
says '"unit":"study"'
pairs valid >"$work/valid.pairs"
pairs test >"$work/test.pairs"
# The definitions: the best of all scores of valid, then test's shares at it.
awk -v valid="$work/valid.pairs" '
    BEGIN {
        while ((getline < valid) > 0) { l[++n] = $1; p[n] = $2; m += $1 }
        for (t = 1; t <= n; t++) {
            hits = rejected = 0
            for (i = 1; i <= n; i++) { hits += l[i] && p[i] >= p[t]; rejected += !l[i] && p[i] < p[t] }
            j = hits / m + rejected / (n - m)
            if (t == 1 || j > best || (j == best && p[t] < at)) { best = j; at = p[t] }
        }
    }
    $1 { positives++; hit += $2 >= at; next }
    { negatives++; right += $2 < at }
    END { printf "%.6f %.6f %.6f\n", at, hit / positives, right / negatives }' "$work/test.pairs" >"$work/wanted"
printf '%.6f %.6f %.6f\n' "$(field threshold)" "$(field sensitivity)" "$(field specificity)" >"$work/got"
same "$work/wanted" "$work/got"
expect 0 eval "$work/run" --data "$data" --split test --quiet
says "studies of the test split of"
says "$data"
says "best on"
says "sens. and spec. are test's"
grep -q '^task .* valid sens. spec.' "$work/out"
pass "no head that names valid: $(sed -n 4p "$work/out")" $?
says "over 5 of 6"
says "* fewer than 10 positives or negatives"
fits
expect 0 eval "$work/run" "$work/again" --data "$data" --split test --quiet --out "$work/scores" --ensemble
grep -q '^ensemble,No Finding,.*,test,study,valid$' "$work/scores/scores.csv"
pass "scores.csv: $(sed -n 2p "$work/scores/scores.csv")" $?
fits
mkdir "$work/alone"
ln -s "$sample/test" "$work/alone/test"
cp "$data/test.csv" "$work/alone/"
expect 0 eval "$work/run" --data "$work/alone" --split test --json --quiet
says '"threshold_from":"test"'
expect 0 eval "$work/run" --data "$work/alone" --split test --quiet
says "chosen on what it is judged by"

# ---- summary
for net in resnet18 resnet50 resnet101; do
    expect 0 summary $net --size 320 --batch 16
    fits
    grep -q '^layer1.0.downsample.0 conv2d\|^layer1.0.conv1 ' "$work/out"
    pass "the names of layers are shortened without need" $?
done
# The table of core/README.md, to a fiftieth: forward, backward and all in streams.
sed -n 's/^| \([a-z0-9_]*\) | \([0-9.]*\) GB | \([0-9.]*\) | \([0-9.]*\) | \([0-9.]*\) |.*/\1 \2 \3 \4 \5/p' core/README.md >"$work/streams"
[ "$(wc -l <"$work/streams")" -eq "$("$thorax" nets --json | tr '{' '\n' | grep -c '"name"')" ]
pass "core/README.md: not a row of streams a network" $?
while read -r net stream forward backward streams; do
    OMP_NUM_THREADS=2 "$thorax" summary "$net" --size 320 --batch 16 --json --quiet | tr '[,' '\n\n' | awk -F: -v wanted="$stream $forward $backward $streams" '
        { gsub(/"/, "") }
        !seen[$1]++ { value[$1] = $2 }
        END {
            s = value["stream_bytes"]
            split(s / 1e9 " " value["forward_bytes"] / s " " value["backward_bytes"] / s " " (value["forward_bytes"] + value["backward_bytes"]) / s, is, " ")
            split(wanted, said, " ")
            for (i = 1; i <= 4; i++)
                bad += !(is[i] > 0.98 * said[i] - 0.005 && is[i] < 1.02 * said[i] + 0.005)
            exit bad > 0
        }'
    pass "core/README.md: $net moves other bytes than its table says ($(OMP_NUM_THREADS=2 "$thorax" summary "$net" --size 320 --batch 16 --quiet | tail -n 2 | tr -s '\n ' ' '))" $?
done <"$work/streams"
expect 0 summary resnet101 --size 2000 --batch 64 --classes 100000
fits

done_testing
