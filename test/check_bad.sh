#!/bin/sh
# check_bad.sh BUILD - what is wrong in tables, images, weights, folders and configurations is told in one line, with exit
# status 1, and nothing that was there before is lost. The last line is "check_bad: N passed, N failed".
. test/cli.sh
LC_ALL=C
export LC_ALL

net="--net resnet18 --cut 3 --size 32 --batch 4 --quiet"
"$thorax" train $net --data "$data" --out "$work/run" --steps 2 --keep 1 >"$work/out" 2>&1
pass "a training failed: $(cat "$work/out")" $?
checkpoint=$(ls "$work"/run/checkpoints/*)

# ---- tables: train.csv becomes each of these
bad=$work/bad
mkdir "$bad"
for split in train valid test; do
    ln -s "$sample/$split" "$bad/$split"
    cp "$data/$split.csv" "$bad/$split.csv"
done
header=$(head -n 1 "$data/train.csv")
row=$(sed -n 2p "$data/train.csv")
table() { # WHAT-IT-SAYS; standard input is the table
    cat >"$bad/train.csv"
    one_line 1 data check "$bad"
    says "$1"
    one_line 1 train $net --data "$bad" --out "$work/x"
    says "$1"
    [ ! -e "$work/x" ]
    pass "a refused training made its folder" $?
}
printf '' | table empty
printf '%s\n' "$header" | table "no rows"
printf 'Path,Sex\na,F\n' | table "no column"
printf 'Path,Sex,Age,Frontal/Lateral,AP/PA\na,F,1,Frontal,AP\n' | table "no column is a task"
printf '%s,Edema\n' "$header" | table "both named"
printf '%s,\n' "$header" | table "no name"
printf '%s\n%s\n' "$header" "${row%,*}" | table "train.csv:2: 18 fields, expected 19"
printf '%s\n%s,0\n' "$header" "$row" | table "train.csv:2: 20 fields"
printf '%s\n%s\n' "$header" "${row%,*},yes" | table "found 'yes'"
printf '%s\n%s\n' "$header" "${row%,*},1e0" | table "found '1e0'"
printf '%s\n%s\n' "$header" "${row%,*},-2" | table "found '-2'"
printf '%s\n"%s\n' "$header" "$row" | table "train.csv:2"
printf '%s\n%s\n' "$header" "$row" | tr 1 '\000' | table "train.csv:"
printf '%s\n%s\n' "$header" "$row" | sed 's/,Frontal,/,Front,/' | table "expected Frontal or Lateral"
printf '%s\n,%s\n' "$header" "${row#*,}" | table "the path of an image"
{
    printf '%s\n' "$header"
    dd if=/dev/zero bs=1024 count=1100 2>/dev/null | tr '\000' a
} | table "train.csv:2"
head -c 5000 "$image" | table "train.csv: byte 0: looks like a JPEG image, a table (CSV in UTF-8) expected"
printf '\377\376P\000a\000' | table "looks like text in UTF-16, a table (CSV in UTF-8) expected"
printf 'version https://git-lfs.github.com/spec/v1\n' | table "looks like a Git LFS pointer"
cp "$data/train.csv" "$bad/train.csv"
sed 's/,Edema,/,Oedema,/' "$data/valid.csv" >"$bad/valid.csv"
one_line 1 train $net --data "$bad" --out "$work/x"
says "no task 'Edema'"
rm "$bad/valid.csv"
one_line 1 train $net --data "$bad" --out "$work/x"
says valid.csv
one_line 1 eval "$work/run" --data "$bad"
one_line 1 train $net --data "$work/run" --out "$work/x"
one_line 1 train $net --data "$image" --out "$work/x"
cp "$data/valid.csv" "$bad/valid.csv"

# ---- images: the first of the table becomes each of these
picture=$work/picture.jpg
printf '%s\n%s\n' "$header" "$picture,${row#*,}" >"$bad/valid.csv"
picture() { # WHAT-IT-SAYS; $picture is the image
    one_line 1 predict "$work/run" "$picture"
    says "$1"
    one_line 1 eval "$work/run" --data "$bad"
    says "$1"
    expect 1 data check "$bad" --decode
}
for bytes in 0 1 2 3 20 300 600 1500; do
    head -c $bytes "$image" >"$picture"
    picture "picture.jpg: byte "
done
head -c 4000 "$thorax" >"$picture"
picture "looks like a program"
echo "no image at all" >"$picture"
picture "an unknown format that begins with 6e 6f 20"
printf '\211PNG\r\n\032\nabc' >"$picture"
picture "picture.jpg: byte 11: the file ends within the chunk"
printf 'P5 30 30 255\nabc' >"$picture"
picture "picture.jpg: byte 16: image data is missing"
printf 'GIF89a' >"$picture"
picture "looks like a GIF image"
rm "$picture"
picture "picture.jpg"
mkdir "$picture"
expect 1 eval "$work/run" --data "$bad" --quiet
expect 0 eval "$work/run" --data "$data" --quiet
rmdir "$picture"
# Every image is bad, and they are to be skipped.
one_line 1 eval "$work/run" --data "$bad" --bad-images skip
says "all images of $bad/valid.csv are missing"

# ---- where images are looked for
mkdir "$work/none" "$work/some"
one_line 1 predict "$work/run" "$work/none"
says "no image below this folder"
mkfifo "$work/some/pipe"
one_line 1 predict "$work/run" "$work/some"
cp "$image" "$work/some/it's \"a\",
b.jpg"
ln -s nowhere "$work/some/dangling.jpg"
expect 0 predict "$work/run" "$work/some" --quiet
[ "$(wc -l <"$work/out")" -eq 3 ]
pass "not one image with a line's end in its name: $(cat "$work/out")" $?
ln -s . "$work/some/loop"
expect 0 predict "$work/run" "$work/some" --quiet
[ "$(wc -l <"$work/out")" -eq 3 ]
pass "a link to its own folder is followed: $(cat "$work/out")" $?
# What a folder holds beside images that can be read is counted.
printf 'GIF89a' >"$work/none/a.gif"
echo text >"$work/none/b.txt"
one_line 1 predict "$work/run" "$work/none"
says "no image below this folder; 2 files passed over, expected JPEG, PNG or PNM (the first is $work/none/a.gif: a GIF image)"
cp "$image" "$work/none/c.jpg"
expect 0 predict "$work/run" "$work/none"
says "2 files passed over"
[ "$(wc -l <"$work/out")" -eq 2 ]
pass "not the one image of a folder: $(cat "$work/out")" $?
rm "$work"/none/*
# What is named as an image and is none is a bad image, wherever it lies.
foreign() { # NAME WHAT-IT-SAYS; standard input is the file
    cat >"$work/none/$1"
    cp "$image" "$work/none/good.jpg"
    one_line 1 predict "$work/run" "$work/none"
    says "$1: byte 0: $2"
    expect 0 predict "$work/run" "$work/none" --bad-images skip
    says "left out: $work/none/$1: byte 0: $2"
    [ "$(wc -l <"$work/out")" -eq 2 ]
    pass "not the one good image of a folder: $(cat "$work/out")" $?
    mv "$work/none/$1" "$picture"
    picture "$2"
    rm "$work"/none/* "$picture"
}
printf '' | foreign a.jpg "the file is empty"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n' | foreign b.JPG "looks like a Git LFS pointer"
printf '<html><title>404</title>' | foreign c.jpeg "looks like an HTML page"
printf '\000\000\000\030ftypheic' | foreign d.jpg "looks like a HEIC image"
printf '\000\005\026\007\000\002' | foreign ._e.png "looks like macOS's AppleDouble file"
cat "$checkpoint" | foreign f.jpg "looks like weights (.safetensors)"
long=$(printf '%05000d' 0)
one_line 1 predict "$work/run" "$long"
one_line 1 predict "$work/run" "$work/a
b.jpg"
says 'a\x0ab.jpg'
one_line 1 predict "$long" "$image"
one_line 1 train $net --data "$data" --out "$long"
input() { # STATUS TEXT: paths on standard input
    printf "$2" | "$thorax" predict "$work/run" - --quiet >"$work/out" 2>"$work/err"
    [ $? -eq "$1" ]
    pass "predict - of '$2': $(cat "$work/err")" $?
}
input 1 ''
says "standard input"
input 1 '\n\r\n'
input 1 "$image\\000$image\\n"
says "standard input"
input 1 "$long\\n"
input 1 "$work/none\\n"
input 0 "\\n$image"
input 0 "$image\\r\\n$image\\n"
"$thorax" predict "$work/run" - <"$work/none" >"$work/out" 2>"$work/err"
[ $? -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && says "standard input"

# ---- weights
weights=$work/weights.safetensors
weights() { # STATUS WHAT-IT-SAYS: of $weights
    one_line "$1" predict "$weights" "$image"
    says "$2"
    one_line 1 eval "$weights" --data "$data"
}
size=$(wc -c <"$checkpoint")
for bytes in 0 7 8 9 100 5000 $((size - 1)); do
    head -c $bytes "$checkpoint" >"$weights"
    weights 1 weights.safetensors
done
{
    cat "$checkpoint"
    echo
} >"$weights"
weights 1 weights.safetensors
printf '\377\377\377\377\377\377\377\177{}' >"$weights"
weights 1 "a header of 9223372036854775807 bytes"
printf '\002\000\000\000\000\000\000\000{}' >"$weights"
weights 1 "of no network"
cp "$image" "$weights"
weights 1 "weights.safetensors: byte 0: looks like a JPEG image, weights (.safetensors, .pth) expected"
printf 'version https://git-lfs.github.com/spec/v1\n' >"$weights"
weights 1 "looks like a Git LFS pointer"
printf '' >"$weights"
weights 1 "weights.safetensors: byte 0: the file is empty, weights (.safetensors, .pth) expected"
changed() { # FROM TO: as long; within the header
    sed "s/$1/$2/" "$checkpoint" >"$weights"
    cmp -s "$checkpoint" "$weights"
    [ $? -eq 1 ]
    pass "nothing to change: $1" $?
}
changed '"net":"resnet18"' '"net":"resnet81"'
weights 1 "a network that this version does not have"
changed '"net":"resnet18"' '"net":"resnet34"'
weights 1 "tensors: 10 missing"
changed '"cut":"3"' '"cut":"2"'
weights 1 weights.safetensors
changed '"cut":"3"' '"cut":"9"'
weights 1 weights.safetensors
changed '"size":"32"' '"size":"-1"'
weights 1 "size"
changed '"size":"32"' '"size":"00"'
weights 1 "size"
changed '"resize":"short"' '"resize":"shore"'
weights 1 "resize"
changed '"normalize":"chexpert"' '"normalize":"chexpart"'
weights 1 "normalisation 'chexpart'"
one_line 1 train $net --data "$data" --out "$work/x" --init "$weights"
says "$weights: normalisation 'chexpart'"
changed '"views":"all"' '"views":"ale"'
weights 1 "views"
changed '"tasks":"No Finding,' '"tasks":"No Finding;'
weights 1 "tasks"
changed '"format":"thorax 1"' '"format":"thorax 9"'
weights 1 "format 'thorax 9'"
changed '"conv1.weight":{"dtype":"F32"' '"conv1.weight":{"dtype":"I32"'
weights 1 conv1.weight
changed '"conv1.weight"' '"conv9.weight"'
weights 1 conv1.weight
{
    head -c $((size - 4)) "$checkpoint"
    printf '\377\377\377\377'
} >"$weights"
weights 1 "holds nan at ["
{
    head -c $((size - 4)) "$checkpoint"
    printf '\000\000\200\177'
} >"$weights"
weights 1 "holds inf at ["
one_line 1 train $net --data "$data" --out "$work/x" --init "$weights"
says "holds inf"
# Not the network that --net names, and one whose size it cannot have.
one_line 1 predict "$checkpoint" "$image" --net resnet50
one_line 2 predict "$checkpoint" "$image" --size 0
one_line 1 train --net resnet34 --size 32 --data "$data" --out "$work/x" --init "$checkpoint"
one_line 1 train $net --data "$data" --out "$work/x" --init "$work/nowhere"
one_line 1 train $net --data "$data" --out "$work/x" --init "$image"
one_line 1 train $net --data "$data" --out "$work/x" --init "$work"
one_line 1 train $net --data "$data" --out "$work/x" --freeze conv1,
[ ! -e "$work/x" ]
pass "a refused training made its folder" $?

# ---- folders that are no run, and runs that are not whole
one_line 1 eval "$work/none" --data "$data"
says "no checkpoint in this folder"
cp -R "$work/run" "$work/hurt"
rm "$work"/hurt/checkpoints/*
one_line 1 predict "$work/hurt" "$image"
cp "$image" "$work/hurt/checkpoints/step-00000002.safetensors"
one_line 1 predict "$work/hurt" "$image"
rm -r "$work/hurt/checkpoints"
cp "$image" "$work/hurt/checkpoints"
one_line 1 predict "$work/hurt" "$image"
rm "$work/hurt/config.txt"
one_line 1 train $net --data "$data" --out "$work/hurt" --steps 2 --keep 1
# What stands in a folder and is no run's is not written over.
for file in config.txt report.html metrics.csv predictions-test.csv; do
    mkdir "$work/mine"
    echo "mine" >"$work/mine/$file"
    one_line 1 train $net --data "$data" --out "$work/mine" --steps 2
    says "$file"
    [ "$(cat "$work/mine/$file")" = mine ]
    pass "a training wrote over a $file that was no run's" $?
    rm -r "$work/mine"
done
# An evaluation does not write over a run's predictions.
cp "$work/run/predictions-valid.csv" "$work/before"
one_line 1 eval "$work/run" --data "$data" --out "$work/run" --tasks Edema
says "holds a run"
same "$work/before" "$work/run/predictions-valid.csv"
[ ! -e "$work/run/scores.csv" ]
pass "an evaluation wrote into a run" $?
# A study does not write over a run's report, nor over what is no study's.
cp "$work/run/report.html" "$work/before"
one_line 1 study --data "$data" --out "$work/run"
says "holds a run"
same "$work/before" "$work/run/report.html"
for file in report.html results.csv; do
    mkdir "$work/mine"
    echo "mine" >"$work/mine/$file"
    one_line 1 study --data "$data" --out "$work/mine"
    says "$file"
    [ "$(cat "$work/mine/$file")" = mine ] && [ "$(ls "$work/mine")" = "$file" ]
    pass "a study wrote over a $file that was no study's" $?
    rm -r "$work/mine"
done
one_line 1 train $net --data "$data" --out "$image"
one_line 1 eval "$work/run" --data "$data" --out "$image"
if [ "$(id -u)" -ne 0 ]; then
    mkdir "$work/locked"
    chmod 555 "$work/locked"
    one_line 1 train $net --data "$data" --out "$work/locked"
    cp "$image" "$picture"
    chmod 000 "$picture"
    expect 1 predict "$work/run" "$picture" --quiet
    rm "$picture"
fi

# A config.txt that was changed is no leave to begin anew: what the run has stays.
cp -R "$work/run" "$work/edited"
sed 's/^lr = .*/lr = 0.5/' "$work/run/config.txt" >"$work/edited/config.txt"
one_line 1 train $net --data "$data" --out "$work/edited" --steps 2 --keep 1 --lr 0.5
says config.txt
rm "$work/edited/done"
one_line 1 train $net --data "$data" --out "$work/edited" --steps 2 --keep 1 --lr 0.5
[ -n "$(ls "$work/edited/checkpoints")" ]
pass "a changed config.txt cost a run its checkpoints" $?

# ---- paths with what config.txt has a meaning for: the run is known again
odd="$work/ \"a = b # c\\n
d "
cp -R "$data" "$odd"
for folder in "$odd" "$data/."; do
    expect 0 train $net --data "$folder" --out "$work/odd" --steps 2 --quiet
    says "$([ "$folder" = "$odd" ] || echo finished)"
done
mkdir "$work/again"
cp "$work/odd/config.txt" "$work/again.txt"
expect 0 train --config "$work/again.txt" --out "$work/again" --quiet
same "$work/odd/config.txt" "$work/again/config.txt"
same "$work/odd/digests.txt" "$work/again/digests.txt"

# ---- configurations
config() { # STATUS WHAT-IT-SAYS; standard input is the file
    cat >"$work/config"
    one_line "$1" summary resnet18 --config "$work/config"
    says "$2"
}
printf 'batch' | config 1 "line 1: found 'batch'"
printf '= 3\n' | config 1 "line 1"
printf 'batch = 0\n' | config 1 "whole number from 1"
printf 'batch = 99999999999999999999\n' | config 1 "whole number from 1"
printf 'batch = \n' | config 1 "batch"
printf '\n\nbatch = 3 4\n' | config 1 "line 3"
printf 'quiet = maybe\n' | config 1 "on or off"
printf 'lr = 1\nclasses = 2\001\n' | config 1 'classes = 2\x01'
printf 'data = "a\n' | config 1 "quotation marks"
printf 'data = "a\\"\n' | config 1 "quotation marks"
printf 'data = "a\\t"\n' | config 1 "quotation marks"
printf 'data = "a" b\n' | config 1 "quotation marks"
printf 'batch = "x"\n' | config 1 "batch = x"
printf 'batch = 1\000\n' | config 1 "a byte 0"
dd if=/dev/zero bs=1024 count=1025 2>/dev/null | tr '\000' '#' | config 1 "more than 1048576 bytes"
one_line 1 summary resnet18 --config "$work"
one_line 2 summary resnet18 --config ''
printf 'net = resnet81\n' >"$work/config"
one_line 1 train --config "$work/config" --out "$work/x"
says "nearest is resnet18"

# ---- options are named as they were typed
one_line 2 summary resnet18 -x
says "unknown option -x "
one_line 2 summary resnet18 --bach=3
says "unknown option --bach=3, nearest is --batch"

# ---- no room
full() { # TEXT STATUS: what became of a command that could not write
    [ "$2" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ]
    pass "$1: exit status $2: $(cat "$work/err")" $?
}
# The thread sanitizer writes large files of its own.
limits="0 1 64 2000"
[ "${1##*/}" = thread ] && limits=
mkdir "$work/small"
for blocks in $limits; do
    # The limit is on files, so the message comes through a pipe.
    message=$(
        export GCOV_PREFIX="$work/counts" # of coverage.sh: cut here, they would spoil those of all others
        ulimit -f $blocks
        exec "$thorax" train $net --data "$data" --out "$work/small" --steps 2 2>&1 >/dev/null
    )
    status=$?
    printf '%s\n' "$message" >"$work/err"
    full "a training with files of at most $blocks blocks" $status
    [ -z "$(find "$work/small" -name '*.tmp.*')" ]
    pass "a training without room left: $(find "$work/small" -name '*.tmp.*')" $?
done
expect 0 train $net --data "$data" --out "$work/small" --steps 2
if [ -w /dev/full ]; then
    for command in "nets" "--help" "--version" "train --help" "summary resnet18" "data check $data" \
        "predict $work/run $image --quiet"; do
        "$thorax" $command >/dev/full 2>"$work/err"
        full "$command on a full device" $?
    done
fi

done_testing
