#!/bin/sh
# check_verify.sh BUILD - `thorax verify`: whole runs, stretches, runs that were stopped, extended or moved, other threads and
# instruction sets, jobs of a study; one bit flipped in each kind of file is found and named; nothing in RUN is changed.
. test/cli.sh
LC_ALL=C
export LC_ALL

run=$work/run
line="train --net resnet18 --cut 4 --size 32 --batch 4 --data $data --tasks Edema,Pneumonia --quiet"
expect 0 $line --limit 24 --augment flip,rotate=10 --states 3 --keep 2 --eval-every 8 --digest-every 2 --steps 9 --out "$run"

list() { # FOLDER
    (cd "$1" && find . | sort && find . -type f -exec cksum {} + | sort)
}
equal() { # ARGUMENT...
    expect 0 verify "$@" --quiet
    says "result: equal"
}
flip() { # FILE OFFSET: bit 4
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    byte=$((byte ^ 16))
    # shellcheck disable=SC2059
    printf "\\$(printf %03o $byte)" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>"$work/dd"
}
hurt() { # FILE OFFSET: of a copy of the run
    rm -rf "$work/hurt"
    cp -R "$run" "$work/hurt"
    flip "$work/hurt/$1" "$2"
    list "$work/hurt" >"$work/before"
    expect 1 verify "$work/hurt" --quiet
    list "$work/hurt" >"$work/after"
    same "$work/before" "$work/after"
    says "$1"
}

# ---- as it was
list "$run" >"$work/before"
equal "$run"
says "repeated: steps 1 to 9, from the start"
says "compared: 9 losses, 6 digests, 5 evaluations, 4 states, 2 checkpoints, 2 tables of predictions"
[ ! -s "$work/err" ]
pass "--quiet: $(cat "$work/err")" $?
expect 0 verify "$run" --from 5 --to 8
says "--from 5: no state of that step is kept; begins after step 3"
says "repeated: steps 4 to 8, from states/step-00000003.safetensors"
says "compared: 5 losses, 4 digests, 3 evaluations, 1 state, 2 checkpoints"
says "verify: "
expect 0 verify "$run" --from 6 --to 7
says "--to 7: no digest is noted between; goes on to step 8"
equal "$run" --from 3
equal "$run" --threads 1
TX_ISA=portable equal "$run" --threads 3
expect 0 verify "$run" --json
says '"compared":{"losses":9,"digests":6,"evaluations":5,"states":4,"checkpoints":2,"predictions":2,"ensembles":0,"maps":0},"damaged":[],"difference":null,"result":"equal"}'
list "$run" >"$work/after"
same "$work/before" "$work/after"

# ---- wrong usage
for words in "--from 9" "--from 7 --to 3" "--to 10" "--from 10" "--init $image" "--to 0" "--from -1"; do
    one_line 2 verify "$run" $words
done
one_line 1 verify "$work/nothing"
one_line 1 verify "$image"
one_line 1 verify "$sample"

# ---- one bit: which file, which element, both values
hurt checkpoints/step-00000004.safetensors 25247
says "different: step 4: checkpoints/step-00000004.safetensors: conv1.weight["
expect 1 verify "$work/hurt" --json
says '"tensor":"conv1.weight","index":"['
a=$(sed 's/.*"found":"\([0-9a-f]*\)".*/\1/' "$work/out")
b=$(sed 's/.*"expected":"\([0-9a-f]*\)".*/\1/' "$work/out")
n=$((0x$a ^ 0x$b))
[ "$n" -gt 0 ] && [ $((n & (n - 1))) -eq 0 ]
pass "$a and $b are not one bit apart" $?
hurt checkpoints/step-00000006.safetensors 12
hurt states/step-00000003.safetensors 72255
says "different: step 3: states/step-00000003.safetensors: exp_avg of conv1.weight["
expect 1 verify "$work/hurt" --from 5 --quiet
says "from the start"
hurt state.safetensors 12000
says "different: step 9: state.safetensors: weights of conv1.weight["
hurt digests.txt 288
says "digests.txt: line 3 does not follow"
hurt config.txt "$(awk '/^normalize/ { print at + 3 } { at += length($0) + 1 }' "$run/config.txt")"
says "is 'nor}alize = chexpert', the run was made with 'normalize = chexpert'"
hurt log.csv "$(awk -F, '$1 == 8 { print at + length($1 $2 $3) + 6 } { at += length($0) + 1 }' "$run/log.csv")"
says "different: step 8 (the last digest before it, of step 6, is equal): its loss is"
hurt metrics.csv 1486
says "different: step 9: metrics.csv has '9,valid,Pneumonia,"
hurt predictions-test.csv 540
says "different: step 4: predictions-test.csv: row 8, column 1 is"
hurt predictions-valid.csv 1415
says "different: step 4: predictions-valid.csv: row 18, column 2 is"
hurt report.html 3000
says "result: damaged"
hurt environment.txt 20
hurt done 1000
rm "$work/hurt/done"
equal "$work/hurt"
says "not finished"
rm "$work/hurt/digests.txt"
one_line 1 verify "$work/hurt"

# ---- a record whose parts agree with each other, but not with what was computed
if command -v sha256sum >/dev/null 2>&1; then
    seal() { # a done mark whose lines come in
        sed '$d' >"$work/lines"
        cat "$work/lines"
        echo "sha256 = $(sha256sum <"$work/lines" | cut -c1-64)"
    }
    forge() { # STEP: another digest of it, and the chain anew
        chain=0000000000000000000000000000000000000000000000000000000000000000
        while read -r step sha old; do
            [ "$step" -ne "$1" ] || sha=$(echo "$sha" | tr 0-9a-f 1-9a-f0)
            chain=$(printf '%s%s %s' "$chain" "$step" "$sha" | sha256sum | cut -c1-64)
            echo "$step $sha $chain"
        done <"$run/digests.txt" >"$work/hurt/digests.txt"
        sed "s/^digests.txt = .*/digests.txt = $(wc -c <"$run/digests.txt") $(sha256sum <"$work/hurt/digests.txt" | cut -c1-64)/" \
            "$run/done" | seal >"$work/hurt/done"
    }
    cp "$run/done" "$work/hurt/done"
    forge 0
    same "$work/hurt/digests.txt" "$run/digests.txt"
    same "$work/hurt/done" "$run/done"
    rm -rf "$work/hurt"
    cp -R "$run" "$work/hurt"
    forge 8
    expect 1 verify "$work/hurt" --quiet
    says "all as the run wrote them"
    says "different: step 8 (the last digest before it, of step 6, is equal): its weights have the digest"
    forge 3
    expect 1 verify "$work/hurt" --quiet
    says "; states/step-00000003.safetensors is as the repetition has it"
    expect 1 verify "$work/hurt" --from 3 --quiet
    says "different: step 3: its weights have the digest"
fi

# ---- the data elsewhere, changed, gone; the run elsewhere
mv "$run" "$work/moved"
mv "$data" "$work/elsewhere"
one_line 1 verify "$work/moved"
says "the run's data are not there; --data DIR says where they are"
equal "$work/moved" --data "$work/elsewhere"
cp -R "$work/elsewhere" "$work/other"
sed '3s/,1\.0,/,0.0,/' "$work/elsewhere/train.csv" >"$work/other/train.csv"
one_line 1 verify "$work/moved" --data "$work/other"
says "its tables are not those that the run was made with"
cp "$work/elsewhere/train.csv" "$work/other/train.csv"
# An image that is another now: the second row's, which a copy of the folder holds.
rm "$work/other/train"
cp -R "$sample/train" "$work/other/train"
path=$(sed -n 2p "$work/other/train.csv" | cut -d, -f1)
cp "$image" "$work/other/${path#*/}"
expect 1 verify "$work/moved" --data "$work/other" --quiet
says "is another file than when it was read before"
if command -v sha256sum >/dev/null 2>&1; then # where no state knows the images, the loss tells
    cp -R "$work/moved" "$work/unknown"
    rm -r "$work/unknown/states" "$work/unknown/state.safetensors"
    sed 's/^states = .*/states = /; s/^state = .*/state = /' "$work/moved/done" | seal >"$work/unknown/done"
    equal "$work/unknown" --data "$work/elsewhere"
    says "9 losses, 6 digests, 5 evaluations, 2 checkpoints"
    expect 1 verify "$work/unknown" --data "$work/other" --quiet
    says "weights, images or labels were others before this step's update"
fi
mv "$work/elsewhere" "$data"
mv "$work/moved" "$run"

# ---- stopped in the middle, extended, other rules
"$thorax" $line --limit 24 --states 2 --steps 4000 --out "$work/half" 2>"$work/err" &
process=$!
while kill -0 $process 2>"$work/kill" && [ "$(cat "$work/half/log.csv" 2>"$work/kill" | wc -l)" -le 6 ]; do :; done
kill -TERM $process 2>"$work/kill"
wait $process 2>"$work/kill"
equal "$work/half"
says "not finished"
# As kill -9 would leave it: rows behind the state.
expect 0 $line --limit 24 --steps 6 --states 3 --keep 3 --out "$work/killed"
expect 0 $line --limit 24 --steps 11 --states 3 --keep 3 --out "$work/killed"
equal "$work/killed"
says "repeated: steps 1 to 11, from the start"
cp "$work/killed/states/step-00000009.safetensors" "$work/killed/state.safetensors"
rm "$work/killed/done"
equal "$work/killed"
printf '12 0123' >>"$work/killed/digests.txt"
equal "$work/killed"
for rule in "--optimizer sgd --freeze conv1" "--optimizer rmsprop --momentum 0.5 --overfit 6" \
    "--optimizer adamw --weight-decay 0.1 --schedule cosine --warmup 2 --pos-weight balanced"; do
    expect 0 $line $rule --steps 5 --states 2 --out "$work/rule" --restart
    equal "$work/rule"
    equal "$work/rule" --from 4
done
cp "$run/checkpoints/step-00000004.safetensors" "$work/first.safetensors"
expect 0 $line --steps 2 --init "$work/first.safetensors" --out "$work/begun"
equal "$work/begun"
mv "$work/first.safetensors" "$work/second.safetensors"
one_line 1 verify "$work/begun"
says "the run's initial weights are not there; --init FILE says where they are"
equal "$work/begun" --init "$work/second.safetensors"
one_line 1 verify "$work/begun" --init "$run/checkpoints/step-00000006.safetensors"
says "or the initial weights"

# ---- jobs of a study
mkdir "$work/study"
mv "$run" "$work/begun" "$work/study"
mkdir "$work/study/weights"
mv "$work/second.safetensors" "$work/study/weights/first.safetensors"
expect 0 verify "$work/study" --quiet
says "run: equal: 16 files, 9 steps, 6 digests"
says "begun: equal: "
one_line 2 verify "$work/study" --from 1
if command -v sha256sum >/dev/null 2>&1; then
    job=$work/study/begun/job.txt
    printf 'net = resnet18\nsha256.metrics.csv = %s\n-\n' "$(sha256sum <"$work/study/begun/metrics.csv" | cut -c1-64)" | seal >"$job"
    expect 0 verify "$work/study" --quiet
    cp "$job" "$work/job"
    flip "$job" 3
    expect 1 verify "$work/study" --quiet
    says "begun/job.txt: its lines do not have the digest in its last one"
    printf 'sha256.metrics.csv = %s\n-\n' "$(sha256sum <"$job" | cut -c1-64)" | seal >"$work/job"
    cp "$work/job" "$job"
    expect 1 verify "$work/study/begun" --quiet
    says "begun/metrics.csv: its bytes are not those that the run wrote"
    rm "$job"
fi
# JSON's result is that of the worst job; one that cannot be verified says why.
cp "$work/study/run/report.html" "$work/page"
flip "$work/study/run/report.html" 3000
expect 1 verify "$work/study" --json
says '"difference":null,"result":"damaged"}],"result":"damaged"}'
mv "$work/study/weights" "$work/weights"
expect 1 verify "$work/study" --json
says '/begun","why":"'
says '"result":"unknown"},{'
says '"result":"damaged"}],"result":"damaged"}'
cp "$work/page" "$work/study/run/report.html"
expect 1 verify "$work/study" --json
says '"result":"equal"}],"result":"unknown"}'
mv "$work/weights" "$work/study/weights"
flip "$work/study/begun/checkpoints/step-00000002.safetensors" 20000
expect 1 verify "$work/study" --quiet
says "begun: different: "
says "run: equal: "
expect 1 verify "$work/study" --json
says '"result":"different"}'
done_testing
