#!/bin/sh
# check_runs.sh BUILD - a run is never lost: killed at any moment it ends with the same bytes; what is damaged is refused in
# one line before anything changes; what cannot be read just now touches nothing; --restart clears only what a run wrote,
# and only for a run that can begin; a finished run is mended and extended. The last line is "check_runs: N passed, N failed".
#
# RUN_KILLS=N: kills at random moments (8). RUN_KILLS=all: at every system call that changes something, one after the
# other (some minutes; needs strace).
. test/cli.sh
LC_ALL=C
export LC_ALL

kills=${RUN_KILLS:-8}
base="train --net resnet18 --cut 4 --size 32 --batch 4 --data $data --limit 24 --tasks Edema,Pneumonia --augment flip,rotate=10,contrast=0.2 --quiet"
line="$base --states 3 --keep 2 --eval-every 8 --digest-every 3 --threads 1"

# Everything that a folder holds, names and bytes.
list() { # FOLDER
    (cd "$1" && find . | sort && find . -type f -exec cksum {} + | sort)
}
# The last command must have said one line, and left the folder as it was listed.
refused() { # TEXT FOLDER
    [ "$got" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ]
    pass "$1: exit status $got, not one line alone: $(cat "$work/err")" $?
    list "$2" >"$work/after"
    cmp -s "$work/before" "$work/after"
    pass "$1: the folder has changed: $(diff "$work/before" "$work/after" | head -n 3)" $?
}
run() { # ARGUMENT...
    "$thorax" "$@" >"$work/out" 2>"$work/err"
    got=$?
}
# Everything but times is the other's.
equal() { # RUN RUN
    for file in metrics.csv digests.txt predictions-valid.csv predictions-test.csv report.html splits.csv checkpoints; do
        diff -r "$1/$file" "$2/$file" >/dev/null
        pass "$file of $1 and $2 differ" $?
    done
    cut -d, -f1-5 "$1/log.csv" >"$work/log1"
    cut -d, -f1-5 "$2/log.csv" >"$work/log2"
    same "$work/log1" "$work/log2"
    [ "$(ls -A "$1")" = "$(ls -A "$2")" ] && [ "$(cd "$1" && ls states)" = "$(cd "$2" && ls states)" ]
    pass "other files in $2 than in $1: $(ls -A "$2" | tr '\n' ' ')" $?
}
# A run of 9 steps that was interrupted somewhere before its end, and one that has ended.
expect 0 $line --steps 9 --out "$work/whole"
until_step() { # SIGNAL STEPS RUN ARGUMENT...: stops it once so many steps are in its log
    signal=$1 steps=$2 folder=$3
    shift 3
    "$thorax" "$@" --out "$folder" >"$work/out" 2>"$work/err" &
    process=$!
    while kill -0 $process 2>/dev/null &&
        { [ -e "$folder/done" ] || [ "$(cat "$folder/log.csv" 2>/dev/null | wc -l)" -le "$steps" ]; }; do :; done
    kill -"$signal" $process 2>/dev/null
    wait $process 2>/dev/null
    got=$?
}
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    rm -rf "$work/half"
    until_step TERM $((5 - attempt % 5)) "$work/half" $line --steps 9
    [ "$got" -eq 130 ] && break
done
[ "$got" -eq 130 ]
pass "no training could be interrupted: $got $(cat "$work/err")" $?

# ---- killed at any moment
moment() { # sleeps for less than half a second
    sleep "0.$(awk -v n="$1" 'BEGIN { srand(); printf "%03d", int((rand() + n * 0.37) * 1000) % 450 }')" 2>/dev/null || sleep 0
}
if [ "$kills" = all ]; then
    attempts=0
else
    attempts=$kills
fi
n=0
while [ $n -lt "$attempts" ]; do
    n=$((n + 1))
    "$thorax" $line --steps 9 --out "$work/killed" >"$work/out" 2>"$work/err" &
    process=$!
    moment $n
    kill -KILL $process 2>/dev/null
    wait $process 2>/dev/null
    got=$?
    [ $got -eq 137 ] || [ $got -eq 0 ]
    pass "a killed run does not go on: $got $(cat "$work/err")" $?
done
expect 0 $line --steps 9 --out "$work/killed"
equal "$work/whole" "$work/killed"

# One kill a system call, of a run that begins, one that takes another's place and one that is extended.
every_call() { # CALL WHOLE ARGUMENT...: of a run that begins in a copy of $work/start, if that is there
    call=$1 reference=$2 at=0
    shift 2
    while :; do
        at=$((at + 1))
        rm -rf "$work/inject"
        [ -d "$work/start" ] && cp -R "$work/start" "$work/inject"
        strace -f -o "$work/trace" -e trace="$call" -e inject="$call:signal=KILL:when=$at" "$thorax" "$@" \
            --out "$work/inject" >"$work/out" 2>"$work/err" && break
        expect 0 "$@" --out "$work/inject"
        equal "$reference" "$work/inject"
    done
    echo "check_runs: $call: killed at $at places"
}
if [ "$kills" = all ] && command -v strace >/dev/null; then
    short="$base --states 2 --keep 1 --threads 1"
    expect 0 $short --steps 5 --out "$work/five"
    expect 0 $short --steps 3 --out "$work/three"
    cp -R "$work/three" "$work/extended"
    expect 0 $short --steps 5 --out "$work/extended"
    for call in rename unlink fsync write openat mkdir ftruncate; do
        every_call $call "$work/five" $short --steps 5
        expect 0 $short --steps 3 --lr 0.1 --out "$work/start"
        every_call $call "$work/five" $short --steps 5 --restart
        rm -rf "$work/start"
        cp -R "$work/three" "$work/start"
        every_call $call "$work/extended" $short --steps 5
        rm -rf "$work/start"
    done
fi

# ---- what a power cut leaves of tables: nothing behind what was noted, or anything
noted() { # RUN TABLE
    head -c 20000 "$1/state.safetensors" | tr -d '\n' | sed "s/.*\"$2\":\"\\([0-9]*\\) .*/\\1/"
}
for table in log.csv metrics.csv digests.txt environment.txt; do
    [ "$(noted "$work/half" $table)" -eq "$(wc -c <"$work/half/$table")" ]
    pass "an interrupted run's state notes another length of $table" $?
done
for tail in 'zeros' 'line'; do
    rm -rf "$work/power"
    cp -R "$work/half" "$work/power"
    for table in log.csv metrics.csv digests.txt; do
        if [ $tail = zeros ]; then
            head -c 200 /dev/zero >>"$work/power/$table"
        else
            printf '6,1,24,0.7' >>"$work/power/$table"
        fi
    done
    : >"$work/power/state.safetensors.tmp.1"
    : >"$work/power/checkpoints/step-00000009.safetensors.tmp.1"
    : >"$work/power/notes.tmp.1"
    expect 0 $line --steps 9 --out "$work/power"
    [ -e "$work/power/notes.tmp.1" ]
    pass "a file of somebody else's was swept" $?
    rm "$work/power/notes.tmp.1"
    equal "$work/whole" "$work/power"
done

# ---- damage: every file of a finished and of an interrupted run, damaged in every way
flip() { # FILE PLACE: one bit of a byte
    byte=$(od -An -tu1 -j "$2" -N1 "$1" | tr -d ' ')
    printf "$(printf '\\%03o' $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
damage() { # KIND FILE
    size=$(wc -c <"$2")
    case $1 in
    removed) rm "$2" ;;
    folder) rm "$2" && mkdir "$2" ;;
    empty) : >"$2" ;;
    cut) head -c $((size / 2)) "$work/sound" >"$2" ;;
    shorter) head -c $((size - 1)) "$work/sound" >"$2" ;;
    first) flip "$2" 0 ;;
    header) flip "$2" $((size < 300 ? size / 3 : 200)) ;;
    middle) flip "$2" $((size / 2)) ;;
    last) flip "$2" $((size - 1)) ;;
    crlf) sed "s/\$/$(printf '\r')/" "$work/sound" >"$2" ;;
    esac
}
every_damage() { # RUN
    for file in $(cd "$1" && find . -type f ! -name .lock | sort | sed 's:^\./::'); do
        kinds="removed folder empty cut shorter first header middle last"
        case $file in *.safetensors) ;; *) kinds="$kinds crlf" ;; esac
        cp "$1/$file" "$work/sound"
        for kind in $kinds; do
            case "$kind $file" in
            "removed done" | "removed predictions"* | "removed report"* | "removed splits"*) continue ;;
            esac
            damage $kind "$1/$file"
            list "$1" >"$work/before"
            run $line --steps 9 --out "$1"
            refused "$file $kind" "$1"
            grep -q "$file" "$work/err"
            pass "$file $kind is not named: $(cat "$work/err")" $?
            grep -q "damaged; .*--restart begins the run anew\$" "$work/err"
            pass "$file $kind: no way out: $(cat "$work/err")" $?
            rm -rf "${1:?}/$file"
            cp "$work/sound" "$1/$file"
        done
    done
    for folder in checkpoints states; do
        mv "$1/$folder" "$work/aside"
        : >"$1/$folder"
        list "$1" >"$work/before"
        run $line --steps 9 --out "$1"
        refused "$folder is a file" "$1"
        rm "$1/$folder"
        run $line --steps 9 --out "$1"
        [ "$got" -eq 1 ] && grep -q "$folder/step-.* is missing" "$work/err"
        pass "a run without $folder: $(cat "$work/err")" $?
        mv "$work/aside" "$1/$folder"
    done
}
cp -R "$work/half" "$work/hurt"
every_damage "$work/hurt"
expect 0 $line --steps 9 --out "$work/hurt"
equal "$work/whole" "$work/hurt"
every_damage "$work/hurt"
expect 0 $line --steps 9 --out "$work/hurt"
says finished

# ---- what has a way out says which: a kept state goes on, also where a table has lost its end
rm -rf "$work/hurt"
cp -R "$work/whole" "$work/hurt"
out_of() { # STEP: what the last message proposes is done, and the run ends as it should
    says "states/step-0000000$1.safetensors copied over state.safetensors, with done removed, goes on from step $1"
    cp "$work/hurt/states/step-0000000$1.safetensors" "$work/hurt/state.safetensors"
    rm "$work/hurt/done"
    expect 0 $line --steps 9 --out "$work/hurt"
    equal "$work/whole" "$work/hurt"
}
head -c 1000 "$work/whole/state.safetensors" >"$work/hurt/state.safetensors"
one_line 1 $line --steps 9 --out "$work/hurt"
last=9
[ -e "$work/whole/states/step-00000009.safetensors" ] || last=6
out_of $last
sed '$d' "$work/whole/log.csv" >"$work/hurt/log.csv"
one_line 1 $line --steps 9 --out "$work/hurt"
says "log.csv: found"
grep -q 'states/step-0000000[36]' "$work/err" && out_of "$(sed 's/.*goes on from step \([0-9]*\).*/\1/' "$work/err")"
expect 0 $line --steps 9 --out "$work/hurt"

# ---- a line of digests.txt that was changed is found by the chain
rm -rf "$work/hurt"
cp -R "$work/whole" "$work/hurt"
sed '2s/ ./ 0/' "$work/whole/digests.txt" >"$work/hurt/digests.txt"
cmp -s "$work/whole/digests.txt" "$work/hurt/digests.txt" && sed '2s/ ./ 1/' "$work/whole/digests.txt" >"$work/hurt/digests.txt"
one_line 1 $line --steps 9 --out "$work/hurt"
says "digests.txt: line 2 does not follow from the lines before it"
# A checkpoint of another step in the place of one.
rm -rf "$work/hurt"
cp -R "$work/whole" "$work/hurt"
first=$(ls "$work/hurt/checkpoints" | head -n 1)
second=$(ls "$work/hurt/checkpoints" | tail -n 1)
cp "$work/whole/checkpoints/$second" "$work/hurt/checkpoints/$first"
one_line 1 $line --steps 9 --out "$work/hurt"
says "$first: its weights are not those that digests.txt has for this step"

# ---- another version's format is no damage
rm -rf "$work/hurt"
cp -R "$work/half" "$work/hurt"
for version in 2 4; do
    sed "s/thorax-state 3/thorax-state $version/" "$work/half/state.safetensors" >"$work/hurt/state.safetensors"
    list "$work/hurt" >"$work/before"
    run $line --steps 9 --out "$work/hurt"
    says "another version"
    [ -z "$(grep damaged "$work/err")" ]
    pass "version $version: $(cat "$work/err")" $?
    refused "version $version of a state" "$work/hurt"
done
rm -rf "$work/hurt"
cp -R "$work/whole" "$work/hurt"
sed 's/thorax-done 1/thorax-done 2/' "$work/whole/done" >"$work/hurt/done"
one_line 1 $line --steps 9 --out "$work/hurt"
says "another version"
printf 'step = 9\nconfig = %064d\nidentity = %064d\nchain = %064d\n' 0 0 0 >"$work/hurt/done"
one_line 1 $line --steps 9 --out "$work/hurt"
says "another version"
expect 0 eval "$work/hurt" --data "$data" --quiet

# ---- what cannot be read just now is an error, and nothing is touched
now() { # TEXT ARGUMENT...: with and without --restart
    text=$1
    shift
    list "$work/hurt" >"$work/before"
    run "$@"
    refused "$text" "$work/hurt"
    [ -z "$(grep -e damaged -e restart "$work/err")" ]
    pass "$text is taken for damage: $(cat "$work/err")" $?
    run "$@" --restart
    refused "$text, with --restart" "$work/hurt"
}
rm -rf "$work/hurt"
cp -R "$work/half" "$work/hurt"
if [ -e /proc/self/mem ]; then
    for table in log.csv digests.txt config.txt; do
        rm "$work/hurt/$table"
        ln -s /proc/self/mem "$work/hurt/$table"
        now "$table that cannot be read" $line --steps 9 --out "$work/hurt"
        rm "$work/hurt/$table"
        cp "$work/half/$table" "$work/hurt/$table"
    done
fi
if [ "$(id -u)" -ne 0 ]; then
    for file in state.safetensors log.csv checkpoints states done config.txt; do
        [ -e "$work/hurt/$file" ] || continue
        chmod 000 "$work/hurt/$file"
        run $line --steps 9 --out "$work/hurt"
        [ "$got" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ -z "$(grep damaged "$work/err")" ]
        pass "$file without permission: $(cat "$work/err")" $?
        chmod 755 "$work/hurt/$file"
    done
fi
list "$work/hurt" >"$work/before"
descriptors=4
while [ $descriptors -lt 40 ]; do
    (
        ulimit -n $descriptors
        exec "$thorax" $line --steps 9 --out "$work/hurt"
    ) >"$work/out" 2>"$work/err"
    got=$?
    [ $got -eq 0 ] && break
    refused "$descriptors descriptors" "$work/hurt"
    [ -z "$(grep -e damaged -e restart "$work/err")" ]
    pass "$descriptors descriptors are taken for damage: $(cat "$work/err")" $?
    descriptors=$((descriptors + 1))
done
[ $got -eq 0 ] && equal "$work/whole" "$work/hurt"
pass "a run needs more than $descriptors descriptors: $(cat "$work/err")" $?

# ---- a run that has not begun begins; one that had come somewhere and has lost its state does not
mkdir "$work/unbegun"
sed 's/^steps = .*/steps = 9/' "$work/whole/config.txt" >"$work/unbegun/config.txt"
printf 'step,epoch,exam' >"$work/unbegun/log.csv"
expect 0 $line --steps 9 --out "$work/unbegun"
equal "$work/whole" "$work/unbegun"

# ---- an image that became another one since the run stopped ends it, its state saved; as it was, the run goes on
mkdir "$work/images"
for split in train valid test; do
    cp "$data/$split.csv" "$work/images"
    cp -RL "$data/$split" "$work/images/$split"
done
expect 0 $line --steps 9 --data "$work/images" --out "$work/seen"
expect 0 $line --steps 12 --data "$work/images" --out "$work/seen"
for split in train valid; do
    changed=$work/images/$(sed -n '2s:^[^/]*/\([^,]*\),.*:\1:p' "$data/$split.csv")
    cp "$changed" "$work/image"
    cp "$image" "$changed"
    one_line 1 $line --steps 24 --data "$work/images" --out "$work/seen"
    says "$(basename "$(dirname "$(dirname "$changed")")")"
    cp "$work/image" "$changed"
done
expect 0 $line --steps 24 --data "$work/images" --out "$work/seen"

# ---- --restart: only for a run that can begin, only what a run wrote
rm -rf "$work/hurt"
cp -R "$work/whole" "$work/hurt"
stays() { # TEXT ARGUMENT...: a --restart that fails leaves the run as it was
    text=$1
    shift
    list "$work/hurt" >"$work/before"
    run "$@" --out "$work/hurt" --restart
    refused "$text" "$work/hurt"
}
head -c 5000 "$work/whole/checkpoints/$first" >"$work/cut.safetensors"
{
    head -c $(($(wc -c <"$work/whole/checkpoints/$first") - 4)) "$work/whole/checkpoints/$first"
    printf '\377\377\377\377'
} >"$work/nan.safetensors"
cp -R "$data" "$work/bad"
echo nonsense >>"$work/bad/valid.csv"
stays "weights that are cut" $line --init "$work/cut.safetensors"
stays "weights that are no numbers" $line --init "$work/nan.safetensors"
stays "no weights" $line --init "$work/nowhere"
stays "weights that the folder holds" $line --init "$work/hurt"
says "lies in the folder"
stays "weights that the folder holds" $line --init "$work/hurt/checkpoints/$first"
stays "a table that is none" $line --data "$work/bad"
stays "a parameter that is none" $line --freeze nothing
case $1 in
*address* | *thread*) ;;
*)
    list "$work/hurt" >"$work/before"
    (
        ulimit -v 3000000
        exec "$thorax" $line --batch 65536 --size 1024 --out "$work/hurt" --restart
    ) >"$work/out" 2>"$work/err"
    got=$?
    refused "no memory for the sessions" "$work/hurt"
    says "out of memory"
    ;;
esac
mkdir "$work/hurt/mine" "$work/hurt/checkpoints/mine"
echo mine >"$work/hurt/notes.txt"
for file in checkpoints/step-1.safetensors checkpoints/step-000000009.safetensors checkpoints/step-00000009.safetensors.bak \
    states/step-00000003 log.csv.bak mine/log.csv notes.txt.tmp.7 checkpoints/best.safetensors.tmp.7 \
    states/step-0000000x.safetensors; do
    echo mine >"$work/hurt/$file"
done
expect 0 $line --steps 9 --out "$work/hurt" --restart
[ "$(grep -rlx mine "$work/hurt" | wc -l)" -eq 10 ] && [ -d "$work/hurt/checkpoints/mine" ]
pass "--restart touched a file that no run wrote: $(grep -rlx mine "$work/hurt" | wc -l) of 10 are left" $?
for folder in log.csv checkpoints/step-00000003.safetensors; do
    mv "$work/hurt/$folder" "$work/aside" 2>/dev/null
    mkdir "$work/hurt/$folder"
    stays "a folder $folder" $line --steps 9
    rmdir "$work/hurt/$folder"
    [ -e "$work/aside" ] && mv "$work/aside" "$work/hurt/$folder"
done
# Where no run is, nothing is cleared.
mkdir "$work/foreign"
for file in report.html checkpoints/step-00000003.safetensors done; do
    mkdir -p "$work/foreign/checkpoints"
    echo mine >"$work/foreign/$file"
    list "$work/foreign" >"$work/before"
    run $line --steps 9 --out "$work/foreign" --restart
    refused "a foreign $file" "$work/foreign"
    rm "$work/foreign/$file"
done
# Damage, and another run, give way.
rm -rf "$work/hurt"
cp -R "$work/whole" "$work/hurt"
head -c 700 "$work/whole/state.safetensors" >"$work/hurt/state.safetensors"
rm "$work/hurt/config.txt"
expect 0 $line --steps 9 --out "$work/hurt" --restart
equal "$work/whole" "$work/hurt"
expect 0 $line --steps 6 --lr 0.01 --out "$work/hurt" --restart
expect 0 $line --steps 9 --out "$work/hurt" --restart
equal "$work/whole" "$work/hurt"

# ---- a run that --restart began is gone on with by the same line; to one that is finished it is a new beginning
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do # fast machines are done before the signal comes
    until_step TERM $((attempt % 3)) "$work/hurt" $line --steps 9 --restart
    [ "$got" -eq 130 ] && break
done
says "the same command line goes on from there"
steps=$(sed -n 's/.*after step \([0-9]*\) of.*/\1/p' "$work/err")
"$thorax" $(echo "$line" | sed 's/--quiet//') --steps 9 --out "$work/hurt" --restart >"$work/out" 2>"$work/err"
pass "the run that --restart began does not go on: $(cat "$work/err")" $?
says "goes on after step $steps of 9"
equal "$work/whole" "$work/hurt"
cp "$work/hurt/environment.txt" "$work/sessions"
expect 0 $line --steps 9 --out "$work/hurt" --restart
[ "$(grep -c '^session' "$work/hurt/environment.txt")" -eq 1 ] && [ "$(grep -c '^session' "$work/sessions")" -eq 2 ]
pass "a finished run was not begun anew by --restart" $?

# ---- a finished run: what was removed is made again, the rest stays as it is
rm -rf "$work/hurt"
cp -R "$work/whole" "$work/hurt"
for files in predictions-valid.csv predictions-test.csv report.html splits.csv \
    "predictions-valid.csv predictions-test.csv report.html splits.csv"; do
    (cd "$work/hurt" && rm $files)
    expect 0 $line --steps 9 --out "$work/hurt"
    for file in $files; do
        says "made again: $file"
    done
    diff -r "$work/whole" "$work/hurt" >"$work/diff"
    pass "a mended run is another one: $(cat "$work/diff")" $?
done
echo >>"$work/hurt/report.html"
one_line 1 $line --steps 9 --out "$work/hurt"
says "report.html: its bytes are not those that the run wrote: damaged; the same command line makes it again once it is removed"
rm "$work/hurt/done"
expect 0 $line --steps 9 --out "$work/hurt"
equal "$work/whole" "$work/hurt"

# ---- longer: the weights of a run begun so, the old end's evaluation stays
expect 0 $line --steps 17 --out "$work/long"
extended() { # RUN
    grep -vF "$(head -n 1 "$work/long/digests.txt")" "$1/digests.txt" | cut -d' ' -f1,2 | grep -vxF "$(cut -d' ' -f1,2 "$work/long/digests.txt")" >"$work/more"
    [ "$(cut -d' ' -f1 "$work/more" | tr -d '\n')" = "$2" ]
    pass "$1: other digests than of a run begun with its length: $(cat "$work/more")" $?
    tail -n 1 "$1/digests.txt" | cut -d' ' -f1,2 >"$work/last1"
    tail -n 1 "$work/long/digests.txt" | cut -d' ' -f1,2 >"$work/last2"
    same "$work/last1" "$work/last2"
    cut -d, -f1-5 "$1/log.csv" >"$work/log1"
    cut -d, -f1-5 "$work/long/log.csv" >"$work/log2"
    same "$work/log1" "$work/log2"
    for row in $(tr ' ' _ <"$work/long/metrics.csv" | grep ',valid,'); do
        tr ' ' _ <"$1/metrics.csv" | grep -qxF "$row"
        pass "$1: a row of the long run is missing: $row" $?
    done
    same "$1/config.txt" "$work/long/config.txt"
    expect 0 $line --steps 17 --out "$1"
    says finished
}
expect 0 $line --steps 7 --out "$work/ext"
cp "$work/ext/metrics.csv" "$work/before.csv"
cp "$work/ext/digests.txt" "$work/before.txt"
expect 0 $line --steps 17 --out "$work/ext"
for file in metrics.csv:csv digests.txt:txt; do
    head -c "$(wc -c <"$work/before.${file#*:}")" "$work/ext/${file%:*}" >"$work/start"
    same "$work/start" "$work/before.${file#*:}"
done
extended "$work/ext" 7
grep -q '^ends = 7$' "$work/ext/done"
pass "the old end is not noted" $?
rm -rf "$work/ext"
cp -R "$work/half" "$work/ext"
expect 0 $line --steps 17 --out "$work/ext"
extended "$work/ext" ""
one_line 1 $line --steps 9 --out "$work/ext"
says "has done 17 steps, found a length of 9"
one_line 1 $line --epochs 1 --out "$work/ext"
one_line 1 $line --steps 30 --lr 0.01 --out "$work/ext"
says --lr
for schedule in cosine step; do
    expect 0 $line --steps 3 --schedule $schedule --out "$work/$schedule"
    list "$work/$schedule" >"$work/before"
    run $line --steps 6 --schedule $schedule --out "$work/$schedule"
    refused "a $schedule that is to be longer" "$work/$schedule"
    says "cannot be extended"
    # The same length in other words is the same.
    expect 0 $line --steps 3 --epochs 7 --schedule $schedule --out "$work/$schedule"
done
expect 0 $line --epochs 2 --out "$work/epochs"
expect 0 $line --steps 12 --out "$work/epochs"
says finished

# ---- --init RUN begins with its best checkpoint, as --init FILE does
best=$(sed -n 's/^best = \([0-9]*\) .*/\1/p' "$work/whole/done")
best=$work/whole/checkpoints/step-$(printf %08d "$best").safetensors
expect 0 $line --steps 3 --init "$best" --out "$work/init"
expect 0 $line --steps 3 --init "$work/whole" --out "$work/init"
says finished
expect 0 $line --steps 3 --init "$work/whole/" --out "$work/init2"
same "$work/init/digests.txt" "$work/init2/digests.txt"
one_line 1 $line --steps 3 --init "$work/long" --out "$work/init"
says "--init"
one_line 1 $line --steps 3 --init "$data" --out "$work/x"
says "no checkpoint in this folder"

# ---- a checkpoint of a run is what its run noted, or is not used
rm -rf "$work/hurt"
cp -R "$work/whole" "$work/hurt"
hurt=$work/hurt/checkpoints/$(basename "$best")
untrue() { # TEXT
    for model in "$work/hurt" "$hurt"; do
        one_line 1 eval "$model" --data "$data" --quiet
        says "$1"
        one_line 1 predict "$model" "$image" --quiet
        says "$1"
        one_line 1 $line --steps 3 --init "$model" --out "$work/x"
        says "$1"
    done
}
flip "$hurt" $(($(wc -c <"$hurt") - 9))
untrue "its weights are not those that its run's digests.txt has for step"
cp "$best" "$hurt"
sed 's/"normalize":"chexpert"/"normalize":"imagenet"/' "$best" >"$hurt"
untrue "its bytes are not those that its run wrote"
cp "$best" "$hurt"
sed '1s/ ./ z/' "$work/whole/digests.txt" >"$work/hurt/digests.txt"
untrue "digests.txt: line 1 does not follow from the lines before it"
rm "$work/hurt/digests.txt"
untrue digests.txt
[ ! -e "$work/x" ]
pass "a refused training made its folder" $?
cp "$work/whole/digests.txt" "$work/hurt/digests.txt"
expect 0 eval "$work/hurt" --data "$data" --quiet
expect 0 eval "$work/hurt" --data "$data" --quiet --ensemble
rm "$work/hurt/checkpoints/$([ "$(basename "$hurt")" = "$first" ] && echo "$second" || echo "$first")"
expect 0 eval "$work/hurt" --data "$data" --quiet
one_line 1 eval "$work/hurt" --data "$data" --quiet --ensemble

# ---- an optimiser with other arrays goes on with them
rms="$base --optimizer rmsprop --alpha 0.9 --momentum 0.5 --eval-every 1000 --digest-every 1"
expect 0 $rms --steps 4 --out "$work/rms4"
expect 0 $rms --steps 2 --out "$work/rms2"
expect 0 $rms --steps 4 --out "$work/rms2"
for step in 2 4; do
    [ "$(grep "^$step " "$work/rms4/digests.txt" | cut -d' ' -f2)" = "$(grep "^$step " "$work/rms2/digests.txt" | cut -d' ' -f2)" ]
    pass "rmsprop, extended: other weights at step $step" $?
done

done_testing
