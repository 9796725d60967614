#!/bin/sh
# check_study.sh BUILD - a study's jobs give the same bytes however they are run: at once, one by one in another order, in
# processes beside each other, killed; what is missing, damaged, busy or of another study is named, and the rest goes on.
# The last line is "check_study: N passed, N failed".
#
# STUDY_KILLS=N: a study is killed N times more, at moments spread over the time that it takes, then done by two
# processes, and by one that makes another (0).
. test/cli.sh
LC_ALL=C
export LC_ALL
exec 2>>"$work/shell" # what shells say of jobs that are killed

cat >"$work/preset" <<END
# A study of seconds.
size = 32
steps = 2
limit = 16
batch = 8
keep = 2
eval-every = 8
bn-momentum.mobilenet_v2 = 0.1
bn-momentum = 0.5
pretrain.classes = 4
pretrain.instances = 8
pretrain.size = 32
pretrain.batch = 16
pretrain.epochs = 1
pretrain.warmup = 0
END
head -n 9 "$sample/valid.csv" >"$data/valid.csv"
base="study --preset $work/preset --data $data --nets mobilenet_v2 --seeds 2 --quiet --threads 1"
# All that jobs have made but times and places, and what was made of them.
list() { # FOLDER
    (cd "$1" && find . -type f ! -name environment.txt ! -name log.csv ! -name config.txt ! -name done ! -name '.*' \
        -exec cksum {} + | sort -k 3)
}
alike() { # FOLDER FOLDER TEXT
    list "$1" >"$work/list1"
    list "$2" >"$work/list2"
    cmp -s "$work/list1" "$work/list2"
    pass "$3: $(diff "$work/list1" "$work/list2" | head -n 3)" $?
}

# ---- the list: of all jobs, at once, without a look at data
expect 0 study --list --out "$work/none" --data "$work/none" --preset paper
[ "$(wc -l <"$work/out")" -eq 49 ] && [ "$(cut -d' ' -f1-4 "$work/out" | sort -u | wc -l)" -eq 49 ] &&
    [ ! -s "$work/err" ] && [ ! -e "$work/none" ]
pass "a list of $(wc -l <"$work/out") jobs" $?
[ "$(grep -c -e 'thorax study --job [a-z0-9_]*-[123][.]pretrained[.]0 ' "$work/out")" -eq 15 ]
pass "not 15 of truncated networks" $?
expect 0 $base --list --out "$work/it's"
grep -qxF "thorax study --job mobilenet_v2.pretrained.1 --data $data --out '$work/it'\\''s' --preset $work/preset --nets mobilenet_v2 --seeds 2 --threads 1 --quiet" "$work/out"
pass "a line that a shell does not take: $(tail -n 1 "$work/out")" $?
for preset in quick night paper; do
    one_line 1 study --preset $preset --report --out "$work/none"
    says "no job of this study is complete"
done

# ---- all at once
expect 0 $base --out "$work/one"
[ -s "$work/one/report.html" ] && [ -s "$work/one/results.csv" ] && [ ! -e "$work/one/mobilenet_v2.random.0/state.safetensors" ]
pass "a study without report or results, or with a state of a job that is done" $?
job=$work/one/mobilenet_v2.pretrained.1
grep -q '^bn-momentum = 0.1$' "$job/config.txt" && grep -q '^source.what = fractals: 4 classes' "$job/job.txt" &&
    ! grep -q "$work" "$job/job.txt" "$work/one/study.txt" "$work/one/report.html"
pass "a job's notes: $(cat "$job/job.txt")" $?
# The ensemble is the mean of what each checkpoint says.
best=$(ls "$job/checkpoints" | tail -n 1) other=$(ls "$job/checkpoints" | head -n 1)
for file in $best $other; do
    "$thorax" predict "$job/checkpoints/$file" --data "$data" --split test --quiet | tail -n +2 | cut -d, -f2- >"$work/$file.csv"
done
tail -n +2 "$job/ensemble-test.csv" | cut -d, -f2- | paste -d, - "$work/$best.csv" "$work/$other.csv" |
    awk -F, '{ for (k = 1; k <= NF / 3; k++) { e = $k - ($(k + NF / 3) + $(k + 2 * NF / 3)) / 2; if (e * e > 1e-18) exit 1; n++ } }
             END { if (n != 12 * 14) exit 1 }'
pass "an ensemble is not the mean of its checkpoints" $?

# Its figures are those of eval on the same predictions and resamples.
expect 0 eval "$job/ensemble-test.csv" --data "$data" --split test --interval bootstrap --json --quiet
for task in Atelectasis "Pleural Effusion"; do
    figures=$(grep "^mobilenet_v2,0,pretrained,1,.*,test,$task," "$work/one/results.csv" |
        awk -F, '{ gsub("nan", "null"); printf "\"positives\":%s,\"negatives\":%s,\"auc\":%s,\"low\":%s,\"high\":%s,", $8, $9, $10, $11, $12 }')
    says "\"task\":\"$task\",$figures"
done
[ "$(grep -c '^pretrained-random,' "$work/one/tests.csv")" -eq 2 ] && [ "$(grep -c '^cut-full,' "$work/one/tests.csv")" -eq 0 ] &&
    [ "$(ls "$work/one"/panel-*.svg | wc -l)" -eq 10 ]
pass "tests.csv or pictures: $(cat "$work/one/tests.csv")" $?
list "$work/one" >"$work/before"
for more in "--replicates 20 --group patient" ""; do
    expect 0 $base --out "$work/one" --report --json $more
    says '"pretrained_random":[{"net":"mobilenet_v2","cut":0,"difference":'
    [ -n "$more" ] || continue
    says '"replicates":20,"group":"patient",'
    grep -q ',bootstrap-patient$' "$work/one/results.csv" && grep -q ',20,[0-9]*,bootstrap-patient$' "$work/one/tests.csv" &&
        grep -q '20 bootstrap resamples of these patients' "$work/one/report.html" &&
        ! grep -q 'bootstrap-study' "$work/one/results.csv" "$work/one/tests.csv"
    pass "a report of resampled patients that does not say so" $?
done
says '"replicates":1000,"group":"study",'
list "$work/one" | cmp -s - "$work/before"
pass "a report with other resamples leaves something behind" $?

# ---- verify makes ensembles and maps again, whatever the digests say
job=$work/one/mobilenet_v2.random.1
expect 0 verify "$job" --json --quiet
says '"predictions":2,"ensembles":2,"maps":5},"damaged":[],"difference":null,"result":"equal"'
forged=$work/forged/mobilenet_v2.random.1
mkdir "$work/forged"
cp -R "$job" "$forged"
cp "$forged/job.txt" "$work/job.txt"
seal() { # FILE: its digest in job.txt, and that of job.txt
    sed "/^sha256 = /d; s:^sha256.$1 = .*:sha256.$1 = $(sha256sum <"$forged/$1" | cut -c1-64):" "$work/job.txt" >"$work/lines"
    { cat "$work/lines"; echo "sha256 = $(sha256sum <"$work/lines" | cut -c1-64)"; } >"$forged/job.txt"
    expect 1 verify "$forged"
    says "all as the run wrote them"
    cp "$job/$1" "$forged/$1"
}
forge() { # FILE ROW COLUMN STEP: another digit in that cell
    awk -F, -v OFS=, -v row="$2" -v column="$3" 'NR == row { d = substr($column, 5, 1)
        $column = substr($column, 1, 4) (d + 1) % 10 substr($column, 6) } { print }' "$job/$1" >"$forged/$1"
    cell=$(sed -n "$2p" "$forged/$1" | cut -d, -f"$3")
    seal "$1"
    says "different: step $4: $1: row $2, column $3 is '$cell', its checkpoint"
    [ "$(sed -n "s/.* gives* '\(.*\)'$/\1/p" "$work/out")" = "$(sed -n "$2p" "$job/$1" | cut -d, -f"$3")" ]
    pass "what is expected in $1: $(cat "$work/out")" $?
}
if command -v sha256sum >/dev/null 2>&1; then
    forge ensemble-valid.csv 5 2 2
    forge ensemble-test.csv 6 4 2
    cp "$work/job.txt" "$forged/job.txt"
    expect 0 verify "$forged"
    says "maps are compared by digest alone"
    cp "$work/one/study.txt" "$work/forged/study.txt"
    forge cam.csv 3 4 1
    picture=$(cd "$job" && find cam -name '*.png' | sort | head -n 1)
    printf 'x' | dd of="$forged/$picture" bs=1 seek=300 conv=notrunc 2>>"$work/said"
    seal "$picture"
    says "different: step 1: $picture: is another picture than its checkpoint gives, from byte 301 on"
fi

# ---- stopped within a job: another process passes over it; killed: others go on with it, one by one, in another order
"$thorax" $base --out "$work/three" >"$work/said" 2>&1 &
first=$!
until [ -e "$work/three/mobilenet_v2.pretrained.0/state.safetensors" ] || ! kill -0 $first 2>>"$work/said"; do sleep 0.02; done
kill -STOP $first
expect 0 study --preset "$work/preset" --data "$data" --nets mobilenet_v2 --seeds 2 --threads 1 --out "$work/three"
says "mobilenet_v2.pretrained.0: another process is at work on it"
says "of disk for the jobs"
[ ! -e "$work/three/report.html" ] && [ -e "$work/three/mobilenet_v2.random.1/job.txt" ]
pass "a job that is busy holds up others, or a report is made without it" $?
one_line 1 $base --out "$work/three" --job mobilenet_v2.pretrained.0
says "another process is at work"
kill -KILL $first
wait $first
rm -r "$work/three/mobilenet_v2.random.0"
expect 0 $base --list --out "$work/three"
sort -r "$work/out" | sed "s:^thorax:$thorax:" >"$work/lines"
awk 'NR % 2' "$work/lines" >"$work/odd"
awk 'NR % 2 == 0' "$work/lines" >"$work/even"
sh "$work/odd" >>"$work/said" 2>&1 &
sh "$work/even" >>"$work/said" 2>&1
wait
expect 0 $base --out "$work/three" --report
alike "$work/one" "$work/three" "one by one after a kill"

# ---- killed again and again
kills=${STUDY_KILLS:-0}
if [ "$kills" -gt 0 ]; then
    for i in $(seq 1 "$kills"); do
        "$thorax" $base --out "$work/six" >"$work/said" 2>&1 &
        sleep "$(awk -v i="$i" 'BEGIN { srand(i); print 0.05 + 2 * rand() }')"
        kill -KILL $! 2>>"$work/said"
        wait
    done
    # Two at once; the last one to finish makes the report.
    "$thorax" $base --out "$work/six" >"$work/said" 2>&1 &
    "$thorax" $base --out "$work/six" >"$work/said2" 2>&1
    wait
    alike "$work/one" "$work/six" "killed $kills times, then two processes"
fi

# ---- jobs side by side: one that fails is tried once
side="${base% --threads 1} --threads 2 --at-once 2"
mkdir "$work/empty"
expect 1 $side --seeds 1 --pretrained "$work/empty" --out "$work/eight"
[ "$(grep -c 'thorax study: mobilenet_v2.pretrained.0: ' "$work/err")" -eq 1 ] &&
    [ -e "$work/eight/mobilenet_v2.random.0/job.txt" ] && [ -e "$work/eight/report.html" ]
pass "a job that fails beside another: $(cat "$work/err")" $?

# ---- side by side the same bytes; a signal to the first process ends all
if [ "$kills" -gt 0 ]; then
    expect 0 $side --out "$work/seven"
    alike "$work/one" "$work/seven" "side by side"
    rm -r "$work/seven"
    "$thorax" $side --out "$work/seven" >"$work/said" 2>&1 &
    first=$!
    until [ -e "$work/seven/mobilenet_v2.random.0/log.csv" ] || ! kill -0 $first 2>/dev/null; do
        sleep 0.05
    done
    kill -TERM $first
    wait $first
    [ $? -eq 130 ] && [ ! -e "$work/seven/report.html" ]
    pass "two processes and a signal" $?
    expect 0 $side --out "$work/seven"
    alike "$work/one" "$work/seven" "side by side, after a signal"
fi

# ---- half a grid
expect 0 study --preset "$work/preset" --data "$data" --nets mobilenet_v2 --seeds 3 --out "$work/three" --report
says "without mobilenet_v2.random.2: not done yet"
grep -q 'mobilenet_v2.random.2' "$work/three/report.html"
pass "a report of half a grid does not say so" $?

# ---- another study's folder, another version's
list "$work/one" >"$work/before"
one_line 1 $base --out "$work/one" --size 36
says "made with other options, size: found '32', expected '36'"
sed 's/^steps = 2/steps = 4/' "$work/preset" >"$work/preset2"
one_line 1 $base --out "$work/one" --preset "$work/preset2" --report
says "other options, steps"
sed 's/mobilenet_v2 = 0.1/mobilenet_v2 = 0.2/' "$work/preset" >"$work/preset2"
one_line 1 $base --out "$work/one" --preset "$work/preset2" --job mobilenet_v2.random.0
says "other options, bn-momentum.mobilenet_v2"
cp "$data/valid.csv" "$work/valid.csv"
sed -i '$d' "$data/valid.csv"
one_line 1 $base --out "$work/one"
says "a study of other data, tables: found '"
mv "$work/valid.csv" "$data/valid.csv"
cp "$work/one/study.txt" "$work/kept"
sed 's/^version = .*/version = 0.0.1/' "$work/kept" >"$work/one/study.txt"
one_line 1 $base --out "$work/one"
says "of another version"
echo "mine" >"$work/one/study.txt"
one_line 1 $base --out "$work/one"
says "no study's"
cp "$work/kept" "$work/one/study.txt"
list "$work/one" | cmp -s - "$work/before"
pass "a folder that was refused has changed" $?

# ---- damage is named, the others are reported; what is removed is made again
job=$work/three/mobilenet_v2.random.1
echo "x" >>"$job/ensemble-test.csv"
expect 1 study --preset "$work/preset" --data "$data" --nets mobilenet_v2 --seeds 2 --threads 1 --out "$work/three"
says "thorax study: mobilenet_v2.random.1: ensemble-test.csv is not as it was written"
says "without mobilenet_v2.random.1"
grep -q 'ensemble-test.csv is not as' "$work/three/report.html" && grep -q 'random,0' "$work/three/results.csv" &&
    ! grep -q 'random,1' "$work/three/results.csv"
pass "a report with a damaged job" $?
rm "$job/ensemble-test.csv"
expect 0 $base --out "$work/three"
alike "$work/one" "$work/three" "made again"
sed -i 's/^study = ./study = x/' "$job/job.txt"
expect 1 $base --out "$work/three"
says "mobilenet_v2.random.1: job.txt: the job of another study"

# ---- a missing weights file among many
mkdir "$work/published"
"$thorax" convert "$work/one/weights/mobilenet_v2.safetensors" "$work/published/mobilenet_v2-0.pth" --quiet 2>>"$work/said"
mkdir "$work/named"
cp "$work/one/weights/mobilenet_v2.safetensors" "$work/named/mobilenet_v2-own.safetensors"
expect 0 convert "$work/named" "$work/named.pth" --quiet
mv "$work/named/mobilenet_v2-own.safetensors" "$work/named/mobilenet_v2.safetensors"
expect 0 convert "$work/named" "$work/named.pth" --quiet
mv "$work/named/mobilenet_v2.safetensors" "$work/named/mobilenet_v2x.safetensors"
one_line 1 convert "$work/named" "$work/named.pth" --quiet
says "or published weights"
both="study --preset $work/preset --data $data --nets mobilenet_v3_large,mobilenet_v2 --pretrained $work/published --threads 1"
expect 1 $both --out "$work/four"
says "thorax study: mobilenet_v3_large.pretrained.0: $work/published"
says "without mobilenet_v3_large.pretrained.0"
[ -e "$work/four/mobilenet_v2.pretrained.0/job.txt" ] && [ ! -e "$work/four/weights" ] &&
    [ "$(wc -l <"$work/four/mobilenet_v3_large.pretrained.0/failed.txt")" -eq 1 ] &&
    ! grep -q "$work" "$work/four/mobilenet_v3_large.pretrained.0/failed.txt" &&
    grep -q 'published weights of mobilenet_v3_large' "$work/four/report.html" &&
    grep -q 'The weights of 1 of 1 pretrained jobs were read from files' "$work/four/report.html"
pass "a missing weights file: $(cat "$work/four/mobilenet_v3_large.pretrained.0/failed.txt")" $?
grep -q '^source.file = mobilenet_v2-0.pth$' "$work/four/mobilenet_v2.pretrained.0/job.txt"
pass "a job does not say whose weights it began with" $?
# A folder whose name is a word of the message; a file that is not what its name says; one that is published otherwise.
program=$(cd "$(dirname "$thorax")" && pwd)/thorax
mkdir "$work/weights"
five="study --preset $work/preset --data $data --nets mobilenet_v2 --pretrained weights --out $work/words --threads 1"
(cd "$work" && "$program" $five --job mobilenet_v2.pretrained.0) 2>"$work/err"
[ $? -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ]
pass "no weights: $(cat "$work/err")" $?
echo "PRETRAINED: no checkpoint in this folder, expected one of a run (checkpoints/step-*.safetensors) or published weights of mobilenet_v2 (mobilenet_v2-*.pth or .safetensors)" >"$work/wanted"
same "$work/words/mobilenet_v2.pretrained.0/failed.txt" "$work/wanted"
head -c 5000 "$work/one/weights/mobilenet_v2.safetensors" >"$work/weights/mobilenet_v2-1.safetensors"
(cd "$work" && "$program" $five --job mobilenet_v2.pretrained.0) 2>"$work/err"
[ "$(wc -l <"$work/err")" -eq 1 ]
pass "damaged weights: $(cat "$work/err")" $?
says "mobilenet_v2.pretrained.0: weights/mobilenet_v2-1.safetensors: "
(cd "$work" && "$program" $five --report) 2>"$work/err"
says "words: no job of this study is complete (mobilenet_v2.pretrained.0: PRETRAINED/mobilenet_v2-1.safetensors: "
cp "$work/one/weights/mobilenet_v2.safetensors" "$work/weights/mobilenet_v2-1.safetensors"
(cd "$work" && "$program" $five --job mobilenet_v2.pretrained.0 --quiet) 2>"$work/err"
grep -q '^source.file = mobilenet_v2-1.safetensors$' "$work/words/mobilenet_v2.pretrained.0/job.txt" &&
    grep -q '^source.what = fractals: 4 classes' "$work/words/mobilenet_v2.pretrained.0/job.txt"
pass "published weights as .safetensors: $(cat "$work/err")" $?

# ---- an image that goes away between jobs, at an absolute Path: what is done stays, and the note of what fails has no place
mkdir "$work/away"
for split in train valid; do
    sed "s:^nih-sample-128/:$work/pixels/:" "$data/$split.csv" >"$work/away/$split.csv"
    tail -n +2 "$work/away/$split.csv" | cut -d, -f1 | while IFS= read -r path; do
        mkdir -p "${path%/*}"
        cp "$sample/${path#"$work/pixels/"}" "$path"
    done
done
away="study --preset $work/preset --data $work/away --nets mobilenet_v2 --seeds 2 --quiet --threads 1 --out $work/without"
expect 0 $away --job mobilenet_v2.random.0
gone=$(sed -n 2p "$work/away/train.csv" | cut -d, -f1)
rm "$gone"
expect 1 $away --job mobilenet_v2.random.1
says "$gone"
[ -e "$work/without/mobilenet_v2.random.0/job.txt" ] && [ "$(wc -l <"$work/without/mobilenet_v2.random.1/failed.txt")" -eq 1 ] &&
    grep -q "${gone##*/}" "$work/without/mobilenet_v2.random.1/failed.txt" &&
    ! grep -q "$work" "$work/without/mobilenet_v2.random.1/failed.txt" &&
    tr -d '\000' <"$work/without/mobilenet_v2.random.1/failed.txt" | cmp -s - "$work/without/mobilenet_v2.random.1/failed.txt"
pass "an image that goes away: $(cat "$work/without/mobilenet_v2.random.1/failed.txt")" $?
expect 0 $away --report
grep -q "${gone##*/}" "$work/without/report.html"
pass "a report that does not say why a job is not in it" $?

# ---- what a disk holds
printf 'size = 32\nepochs = 1000\nkeep = 1000\n' >"$work/preset2"
one_line 1 study --preset "$work/preset2" --data "$data" --nets mobilenet_v2,resnet101 --seeds 1000 --out "$work/five"
says "the jobs need about"
[ ! -e "$work/five" ]
pass "a study that has no room was begun" $?
# ---- what was meant
one_line 2 $base --out "$work/one" --job mobilenet_v2.randon.0
says "mobilenet_v2.random.0"
one_line 2 $base --out "$work/one" --list --report
one_line 2 study --out "$work/one" --nets resnet19
says "resnet18"
for line in 'lr.resnet19 = 1' 'nothing.resnet18 = 1' 'lr = x' 'pretrain.nothing = 1' 'size = 16'; do
    echo "$line" >"$work/preset2"
    one_line 1 study --preset "$work/preset2" --data "$data" --out "$work/five"
    [ ! -e "$work/five" ]
    pass "$line: refused, and something was written" $?
done

done_testing
