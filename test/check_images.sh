#!/bin/sh
# check_images.sh BUILD - images that are missing, bad or others than before: found before a training begins, or when they
# are read again, with what the run has come to kept. The last line is "check_images: N passed, N failed".
. test/cli.sh

# A dataset whose images are copies, to be changed.
own=$work/own
mkdir "$own"
for split in train valid test; do
    cp "$data/$split.csv" "$own/$split.csv"
    cut -d, -f1 "$data/$split.csv" | sed -e 1d -e 's:^[^/]*/::' | while read -r path; do
        mkdir -p "$own/$(dirname "$path")"
        cp "$sample/$path" "$own/$path"
    done
done
first() { # SPLIT [ROW]: the path of an image below the folder
    sed -n "$((${2:-1} + 1))p" "$own/$1.csv" | cut -d, -f1 | sed 's:^[^/]*/::'
}
short="--net resnet18 --cut 3 --size 32 --batch 8 --quiet"
expect 0 train $short --epochs 1 --data "$own" --out "$work/whole"

# ---- missing: counted, the first named, in one line, and nothing made
gone() { # SPLIT ROW
    path=$(first "$1" "$2")
    mv "$own/$path" "$own/$path.away"
}
back() {
    find "$own" -name '*.away' | while read -r path; do mv "$path" "${path%.away}"; done
}
gone train 3
gone train 2
gone test 1
one_line 1 train $short --epochs 1 --data "$own" --out "$work/x"
says "3 of 82 images are missing, the first: nih-sample-128/$(first train 2) of $own/train.csv is neither at"
[ ! -e "$work/x" ]
pass "a refused training made its folder" $?
one_line 1 train $short --dry-run --data "$own"
one_line 1 eval "$work/whole" --data "$own" --split test
says "1 of 42 images are missing"
one_line 1 predict "$work/whole" --data "$own" --split test
says "1 of 12 images are missing"
expect 0 predict "$work/whole" --data "$own" --split test --bad-images skip
says "1 of 12 images are missing and left out"
[ "$(wc -l <"$work/out")" -eq 12 ]
pass "not a row an image that is there: $(cat "$work/out")" $?
expect 0 eval "$work/whole" --data "$own" --split valid --quiet
cp -R "$work/whole" "$work/keep"
one_line 1 train $short --epochs 1 --data "$own" --out "$work/keep" --restart
[ -e "$work/keep/done" ]
pass "--restart cleared a run whose images are missing" $?
# ---- left out
expect 0 train --net resnet18 --cut 3 --size 32 --batch 8 --epochs 2 --data "$own" --out "$work/skip" --bad-images skip
says "3 of 82 images are missing and left out, the first: nih-sample-128/$(first train 2) of"
[ "$(grep -c "^train,nih-sample-128/train" "$work/skip/bad-images.csv")" -eq 2 ] &&
    [ "$(grep -c "^test,nih-sample-128/$(first test 1)" "$work/skip/bad-images.csv")" -eq 1 ]
pass "missing images are not listed: $(cat "$work/skip/bad-images.csv")" $?
[ "$(grep -c 'missing and left out' "$work/err")" -eq 1 ]
pass "missing images are not said once" $?
expect 0 eval "$work/whole" --data "$own" --split test --bad-images skip --json
says "1 of 42 images are missing and left out"
back

# ---- a long table: the one that is missing is far behind the first
mkdir "$work/rows"
ln -s "$own/train" "$own/valid" "$own/test" "$work/rows"
cp "$own/valid.csv" "$own/test.csv" "$work/rows"
awk -v path="nih-sample-128/train/none.jpg" 'NR == 2 { row = $0 } NR < 3 { print }
    END { for (i = 2; i <= 9000; i++) { line = row; if (i == 4097) sub(/^[^,]*/, path, line); print line } }' \
    "$own/train.csv" >"$work/rows/train.csv"
one_line 1 train $short --epochs 1 --data "$work/rows" --out "$work/x"
says "1 of 9042 images are missing, the first: nih-sample-128/train/none.jpg of"

# ---- all of a table: an error, whatever is to become of bad ones
mv "$own/valid" "$own/hidden"
gone train 3
one_line 1 train $short --epochs 1 --data "$own" --out "$work/x" --bad-images skip
says "all images of $own/valid.csv are missing"
back
one_line 1 eval "$work/whole" --data "$own" --bad-images skip
mkdir "$own/valid"
cp -R "$own/hidden"/* "$own/valid"
find "$own/valid" -name '*.jpg' | while read -r path; do echo none >"$path"; done
one_line 1 eval "$work/whole" --data "$own" --bad-images skip
says "none of the 30 images of $own/valid.csv can be read"
one_line 1 predict "$work/whole" "$own/$(first valid 1)" "$own/$(first valid 2)" --bad-images skip
says "no image can be read; of 2,"
rm -r "$own/valid"
mv "$own/hidden" "$own/valid"
cp -R "$own/train" "$own/hidden"
find "$own/train" -name '*.jpg' | while read -r path; do echo none >"$path"; done
for length in "--epochs 3" "--steps 2"; do
    expect 1 train $short $length --data "$own" --out "$work/x" --bad-images skip
    says "of $own/train.csv can be read"
    rm -r "$work/x"
done
rm -r "$own/train"
mv "$own/hidden" "$own/train"

# ---- other images than before: the run ends with its state saved, and goes on once the former ones are back
long="$short --epochs 4 --eval-every 16 --keep 2"
expect 0 train $long --data "$own" --out "$work/through"
stopped() { # RUN LINES ARGUMENT...: a training that is stopped when its log has that many lines
    folder=$work/$1
    lines=$2
    shift 2
    for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        rm -rf "$folder"
        "$thorax" train $long --data "$own" --out "$folder" "$@" >"$work/out" 2>"$work/err" &
        process=$!
        while kill -0 $process 2>/dev/null && ! { [ -e "$folder/log.csv" ] && [ "$(wc -l <"$folder/log.csv")" -ge "$lines" ]; }; do
            :
        done
        kill $process 2>/dev/null
        wait $process
        [ -e "$folder/done" ] || break
    done
    [ ! -e "$folder/done" ]
    pass "a training was not stopped in time" $?
}
changed() { # SPLIT: of its first image a bit beyond the picture changes, which decoding does not see
    path=$own/$(first "$1" 1)
    cp "$path" "$path.away"
    printf 'x' >>"$path"
}
alike() { # RUN
    for file in metrics.csv digests.txt predictions-valid.csv predictions-test.csv; do
        same "$work/through/$file" "$work/$1/$file"
    done
}
for split in train valid; do
    stopped part 8
    changed $split
    for i in 1 2; do
        expect 1 train $long --data "$own" --out "$work/part"
        says "$own/$(first $split 1): is another file than when it was read before (checksum "
        says "is saved, and the same command line goes on from there"
    done
    back
    expect 0 train $long --data "$own" --out "$work/part"
    alike part
done
# Begun anew it takes the image as it is.
stopped part 8
changed train
expect 0 train $long --data "$own" --out "$work/part" --restart
alike part
back
# An extension knows what the run has read, test's images too; what it had come to stands.
cp -R "$work/through" "$work/longer"
changed test
expect 1 train $short --epochs 5 --eval-every 16 --keep 2 --data "$own" --out "$work/longer"
says "$own/$(first test 1): is another file than when it was read before"
back
expect 0 train $short --epochs 5 --eval-every 16 --keep 2 --data "$own" --out "$work/longer"
expect 0 train $short --epochs 5 --eval-every 16 --keep 2 --data "$own" --out "$work/at-once"
same "$work/longer/digests.txt" "$work/at-once/digests.txt"
# What is made again of a finished run is made of the same images.
rm "$work/through/predictions-test.csv"
changed test
expect 1 train $long --data "$own" --out "$work/through"
says "is another file than when it was read before"
back
expect 0 train $long --data "$own" --out "$work/through"
# A bad image that was left out stays out, a good one stays in.
path=$own/$(first train 2)
cp "$path" "$path.away"
echo none >"$path"
stopped part 12 --bad-images skip
back
expect 1 train $long --data "$own" --out "$work/part" --bad-images skip
says "$path: could not be read before and can be now"
cp "$path" "$path.away"
echo none >"$path"
other=$own/$(first train 3)
cp "$other" "$other.away"
rm "$other"
expect 1 train $long --data "$own" --out "$work/part" --bad-images skip
says "an image that was read before cannot be any more: $other"
mv "$other.away" "$other"
expect 0 train $long --data "$own" --out "$work/part" --bad-images skip
[ "$(grep -c "$(first train 2)" "$work/part/bad-images.csv")" -eq 1 ]
pass "a bad image is not listed once" $?
back

done_testing
