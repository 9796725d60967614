#!/bin/sh
# check_cli.sh BUILD - the program as people and scripts meet it: exit statuses, one-line errors, JSON keys, and runs
# that are killed, resumed, refused and repeated. The last line is "check_cli: N passed, N failed".
. test/cli.sh

# ---- json
keys() { # KEY...: of the last command's line
    for key in "$@"; do
        grep -q "\"$key\":" "$work/out"
        pass "no key $key in $(cut -c1-200 "$work/out")" $?
    done
    [ "$(wc -l <"$work/out")" -eq 1 ]
    pass "more than one line of JSON" $?
}
expect 0 nets --json
keys name family parameters_14 parameters_1000 gmacs smallest top1
says '"parameters_14":11183694'
says '"parameters_1000":44549160'
expect 0 summary --size 64 --json resnet18 --batch=2
keys net cut classes size batch mode parameters macs arena_bytes layers name op shape algorithm forward_bytes backward_bytes
says '"stream_bytes":1622016,'
for way in forward backward; do
    sed 's/,/\n/g' "$work/out" | awk -F: -v key="\"${way}_bytes\"" '$1 == key { sum += whole ? $2 : 0; whole = whole ? whole : $2 } END { exit sum != whole || whole < 1e7 }'
    pass "summary: the layers' ${way}_bytes are not the whole" $?
done
expect 0 summary --size 64 resnet18 --batch=2 --mode infer
says "GB forward, 0.00 GB backward)"
expect 0 speed --net resnet18 --cut 3 --size 32 --batch 1 --mode infer --json
keys net cut size batch mode threads isa images_per_s ms_median ms_min gflops peak_gflops tile_gflops peak_mib arena_mib digest
expect 0 speed --net resnet18 --cut 3 --size 32 --batch 1 --mode train --layers --json
keys copy_gb_s bound_ms layers name op macs forward_ms forward_bound_ms forward_mb backward_ms backward_bound_ms backward_mb
expect 0 speed --net resnet18 --cut 3 --size 32 --batch 1 --mode train --layers
says "of the best step"
[ "$(awk 'length > 80' "$work/out" | wc -l)" -eq 0 ]
pass "speed --layers: 80 columns" $?

# ---- data
expect 0 data check "$data"
says "patients in two splits: 0"
expect 0 data check "$data" --json --decode
keys splits labels patients_in_two_splits
cp -R "$data" "$work/wrong"
sed '2s/,1\.0,/,2.0,/' "$data/train.csv" >"$work/wrong/train.csv"
one_line 1 data check "$work/wrong"
says "train.csv:2:"
one_line 1 train --net resnet18 --cut 3 --size 32 --data "$work/wrong" --out "$work/x"
sed '3s/view1_frontal/view9_frontal/' "$data/train.csv" >"$work/wrong/train.csv"
expect 1 data check "$work/wrong"
says "missing: nih-sample-128/train"
one_line 1 data check "$work/nowhere"
expect 1 train --net resnet18 --cut 3 --size 32 --batch 40 --data "$work/wrong" --out "$work/bad" --quiet
says view9_frontal
expect 0 train --net resnet18 --cut 3 --size 32 --batch 40 --data "$work/wrong" --out "$work/bad" --quiet --epochs 1 \
    --bad-images skip
grep -q view9_frontal "$work/bad/bad-images.csv"
pass "a skipped image is not listed" $?

# ---- a run, whole
settings="--net resnet18 --cut 3 --size 32 --batch 4 --epochs 3 --lr 1e-3 --keep 2"
settings="$settings --eval-every 24 --digest-every 3 --states 10"
train() { # RUN ARGUMENT...
    folder=$1
    shift
    "$thorax" train $settings --data "$data" --out "$work/$folder" --quiet "$@" >"$work/out" 2>"$work/err"
}
train whole
pass "a training failed: $(cat "$work/err")" $?
for file in config.txt log.csv metrics.csv predictions-valid.csv predictions-test.csv digests.txt state.safetensors \
    environment.txt report.html; do
    [ -s "$work/whole/$file" ]
    pass "a run without $file" $?
done
[ "$(ls "$work/whole/checkpoints" | wc -l)" -eq 2 ]
pass "not --keep 2 checkpoints" $?
[ "$(wc -l <"$work/whole/log.csv")" -eq 31 ]
pass "log.csv has not a row a step" $?

# ---- finished, refused, repeated
expect 0 train $settings --data "$data" --out "$work/whole"
says finished
expect 0 train --config "$work/whole/config.txt" --out "$work/../$(basename "$work")/whole" --threads 1 --quiet
one_line 1 train $settings --data "$data" --out "$work/whole" --lr 2e-3
says --lr
one_line 1 train $settings --data "$data" --out "$work/whole" --seed 1
says --seed
one_line 1 train $settings --data "$sample" --out "$work/whole"
says --data
equal() { # RUN: everything but times is that of the whole run
    for file in metrics.csv digests.txt predictions-valid.csv predictions-test.csv report.html; do
        same "$work/whole/$file" "$work/$1/$file"
    done
    for file in "$work"/whole/checkpoints/*; do
        same "$file" "$work/$1/checkpoints/$(basename "$file")"
    done
    cut -d, -f1-5 "$work/whole/log.csv" >"$work/log1"
    cut -d, -f1-5 "$work/$1/log.csv" >"$work/log2"
    same "$work/log1" "$work/log2"
}
train again --threads 2
equal again
train again --restart --threads 1
equal again

# ---- the slowest instruction set gives the same bytes: two steps on a few images
for split in train valid test; do
    head -n 5 "$sample/$split.csv" >"$work/wrong/$split.csv"
done
few="--net resnet18 --cut 3 --size 32 --batch 3 --epochs 1 --quiet --data $work/wrong"
expect 0 train $few --out "$work/few"
TX_ISA=portable
export TX_ISA
expect 0 train $few --out "$work/portable"
unset TX_ISA
same "$work/few/digests.txt" "$work/portable/digests.txt"
same "$work/few/predictions-test.csv" "$work/portable/predictions-test.csv"

# ---- killed when its log has that many lines, and resumed
killed() { # RUN SIGNAL LINES
    "$thorax" train $settings --data "$data" --out "$work/$1" --quiet >"$work/out" 2>"$work/err" &
    process=$!
    while kill -0 $process 2>/dev/null && [ "$(cat "$work/$1/log.csv" 2>/dev/null | wc -l)" -lt "$3" ]; do
        :
    done
    kill -"$2" $process 2>/dev/null
    wait $process 2>/dev/null
    killed_status=$?
}
for lines in 1 9 17; do
    killed stopped KILL $lines
done
killed stopped TERM 23
[ $killed_status -eq 130 ] || [ $killed_status -eq 0 ]
pass "SIGTERM gave exit status $killed_status" $?
train stopped
pass "a killed run does not go on: $(cat "$work/err")" $?
equal stopped

# ---- models
expect 0 eval "$work/whole" --data "$data" --split test --json --quiet
keys split unit models auc low high method mean5 mean6 mean
expect 0 eval "$work/whole" "$work/bad" --data "$data" --quiet --out "$work/eval" --ensemble
expect 0 eval "$work/whole" --data "$data" --split test --quiet --out "$work/eval"
same "$work/eval/predictions-test.csv" "$work/whole/predictions-test.csv"
expect 0 eval "$work/whole" --data "$data" --tasks "Edema,No Finding" --unit image --quiet
one_line 1 eval "$work/whole" --data "$data" --tasks "Edema,Lung"
one_line 1 eval "$work/whole" --data "$data" --tasks "Edema,Pnemonia"
says "no task 'Pnemonia', nearest is Pneumonia"
one_line 1 predict "$image" "$work/whole"
says "perhaps the model is $work/whole"
one_line 1 eval "$data" "$work/whole"
says "perhaps --data $data"
one_line 1 eval "$work/whole" valid --data "$data"
says "perhaps --split valid"
one_line 1 predict "$work/whole" "$image" logits
says "perhaps --logits"
# Models that were trained with other images or labels are averaged only once the options make them equal.
short="--net resnet18 --cut 3 --size 32 --batch 4 --steps 1 --quiet"
expect 0 train $short --data "$data" --out "$work/blank" --blank ignore
one_line 1 eval "$work/whole" "$work/blank" --data "$data"
says --blank
expect 0 eval "$work/whole" "$work/blank" --data "$data" --blank zeros --quiet
cp -R "$data" "$work/views"
for split in train valid test; do
    awk 'NR % 2 { sub(/,Frontal,/, ",Lateral,") } { print }' "$data/$split.csv" >"$work/views/$split.csv"
done
expect 0 train $short --data "$work/views" --out "$work/frontal" --views frontal
expect 0 train $short --data "$work/views" --out "$work/lateral" --views lateral
one_line 1 eval "$work/frontal" "$work/lateral" --data "$work/views"
says --views
expect 0 eval "$work/frontal" "$work/lateral" --data "$work/views" --views all --json --quiet
one_line 1 eval "$work/whole" --data "$data" --net resnet50
checkpoint=$work/whole/checkpoints/$(ls "$work/whole/checkpoints" | head -n 1)
cp "$checkpoint" "$work/foreign.safetensors"
printf 'foreign1' | dd of="$work/foreign.safetensors" bs=1 seek=35 conv=notrunc 2>/dev/null
expect 0 eval "$work/foreign.safetensors" --data "$data" --size 32 --quiet
one_line 1 eval "$work/foreign.safetensors" --net resnet34 --cut 3 --data "$data" --size 32
says missing
one_line 1 eval "$work/nowhere" --data "$data"
one_line 1 eval "$data" --data "$data"
one_line 1 eval "$data/train.csv" --data "$data"
one_line 1 train --net resnet34 --size 32 --data "$data" --out "$work/x" --init "$checkpoint"
expect 0 predict "$work/whole" "$sample/test/patient00061" "$image" --quiet
mv "$work/out" "$work/many"
expect 0 predict "$work/whole" "$image" --quiet
tail -n 1 "$work/many" >"$work/last"
tail -n 1 "$work/out" >"$work/alone"
same "$work/last" "$work/alone"
printf '%s\n' "$image" | "$thorax" predict --quiet "$work/whole" - | tail -n 1 >"$work/piped"
same "$work/piped" "$work/alone"
one_line 1 predict "$work/whole" "$work/nowhere.jpg"
! grep -q perhaps "$work/err"
pass "a missing image is taken for the model: $(cat "$work/err")" $?
# Some of the columns, and a path as another machine's table has it.
column() { # NAME: of the first image of $work/many
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } END { print $c }' "$work/many"
}
expect 0 predict "$work/whole" "elsewhere/test/${image#*/test/}" --data "$data" --tasks "No Finding,Edema" --quiet
[ "$(sed 's/^[^,]*//' "$work/out")" = ",No Finding,Edema
,$(column 'No Finding'),$(column Edema)" ]
pass "predict --tasks: $(cat "$work/out")" $?
one_line 1 predict "$work/whole" "$image" --tasks "Edema,Lung"
one_line 1 predict "$work/whole" "$image" --tasks "pleural_efusion"
says "no output for the task 'pleural_efusion', nearest is Pleural Effusion"
expect 0 predict "$work/whole" "$image" --tasks "No Finding,Edema" --json --quiet
keys model net cut size checkpoints images path probabilities left_out
says "\"path\":\"$image\",\"probabilities\":{\"No Finding\":$(column 'No Finding'),\"Edema\":$(column Edema)}"
head -c 500 "$image" >"$work/cut.jpg"
one_line 1 predict "$work/whole" "$image" "$work/cut.jpg" --json --quiet
expect 0 predict "$work/whole" "$image" "$work/cut.jpg" --json --quiet --bad-images skip --logits
keys images logits left_out path reason
says "\"left_out\":[{\"path\":\"$work/cut.jpg\",\"reason\":\"$work/cut.jpg: byte"
train asjson --steps 1 --json
pass "train --json failed: $(cat "$work/err")" $?
keys run step valid test tasks auc low high method mean5 mean6 mean undefined
train asjson --steps 1 --json
keys run state
one_line 2 train --net resnet18 --dry-run --json
expect 1 predict "$work/whole" "$data/train.csv" --quiet

# ---- configuration files
printf '# comment\n net = resnet18 \nbatch = 3\r\n\nepochs = 1\n' >"$work/config"
expect 0 summary resnet18 --config "$work/config" --size 32 --json
says '"batch":3'
expect 0 summary resnet18 --config "$work/config" --size 32 --json --batch 5
says '"batch":5'
printf 'bach = 3\n' >"$work/config"
one_line 1 summary resnet18 --config "$work/config"
says batch
one_line 1 summary resnet18 --config "$work/nowhere"

# ---- what a training can be told
one_line 1 train --net resnet18 --cut 3 --size 32 --data "$data" --out /dev/null/run
one_line 1 train --net resnet18 --cut 3 --size 32 --data "$data" --out "$work/x" --freeze nothing
expect 0 train --net resnet18 --cut 3 --size 32 --data "$data" --dry-run --quiet
says "one step"
[ ! -e "$work/x" ]
pass "a dry run or a refused training wrote its folder" $?
expect 0 train --net resnet18 --cut 3 --size 32 --data "$data" --out "$work/overfit" --overfit 4 --steps 60 --lr 3e-2 \
    --quiet
tail -n 1 "$work/overfit/log.csv" | awk -F, '{ exit !($4 < 0.1) }'
pass "four images cannot be learnt by heart: $(tail -n 1 "$work/overfit/log.csv")" $?
expect 0 train --net resnet18 --cut 3 --size 32 --data "$data" --out "$work/init" --init "$checkpoint" --epochs 1 \
    --batch 8 --quiet --freeze conv1,bn1,layer1 --tasks "Edema,No Finding" --optimizer sgd --pos-weight balanced \
    --schedule cosine --warmup 2

done_testing
