#!/bin/sh
# check_data.sh BUILD - tables as people have them, and on which data models are scored: what is said of columns, paths and
# images, by which data a RUN is scored, and which output is which task. The last line is "check_data: N passed, N failed".
. test/cli.sh
LC_ALL=C
export LC_ALL

net="--net resnet18 --cut 3 --size 32 --batch 4 --quiet"
answer() { # TEXT: a line of what the last command printed, which may be broken after a comma
    tr '\n' ' ' <"$work/out" | tr -s ' ' | grep -qF -- "$1" || tr '\n' ' ' <"$work/err" | tr -s ' ' | grep -qF -- "$1"
    pass "'$1' is not in the answer: $(cat "$work/out" "$work/err")" $?
}
lacks() { # TEXT
    ! grep -qF -- "$1" "$work/out" "$work/err"
    pass "'$1' is in the answer" $?
}
narrow() { # no line of the last command's is wider than 80 columns
    ! grep -qE '.{81}' "$work/out"
    pass "wider than 80 columns: $(grep -E '.{81}' "$work/out" | head -n 1)" $?
}

# ---- the sample: what its README says of its columns
expect 0 data check "$sample"
for split in train valid test; do
    answer "$split: empty throughout: Enlarged Cardiomediastinum, Lung Opacity, Fracture, Support Devices"
    answer "$split: counted twice in a mean of both: Pneumonia is the opposite of No Finding"
done
says "data: $sample"
lacks "passed over"
lacks "none of CheXpert's"
narrow
expect 0 data check "$sample" --json
says '"task":"Pneumonia","positive":341,"negative":323,"uncertain":0,"blank":0,"note":null,"same_as":null,"opposite_of":"No Finding"'
says '"task":"Fracture","positive":0,"negative":0,"uncertain":0,"blank":664,"note":"empty throughout"'
says "\"data\":\"$sample\""
expect 0 data check "$sample" --blank ignore
answer "train: empty throughout: Enlarged Cardiomediastinum, Lung Opacity, Fracture, Support Devices"
expect 0 train $net --data "$sample" --dry-run
says "data: $sample"
answer "train: counted twice in a mean of both: Pneumonia is the opposite of No Finding"
answer "train: empty throughout: Enlarged Cardiomediastinum, Lung Opacity, Fracture, Support Devices"
lacks "valid: counted"

# ---- a table of someone's own: images in a folder, an index, columns of other kinds, paths that stand twice
own=$work/own
mkdir -p "$own/pictures"
find "$sample/valid" -name '*.jpg' | sort | head -n 8 | while read -r file; do
    cp "$file" "$own/pictures/$(echo "$file" | sed 's:.*/patient\([0-9]*\)/study\([0-9]*\)/.*:\1-\2:').jpg"
done
table() { # FOLDER: rows of the pictures there, some of whose columns say too little
    echo ',Path,Sex,Mass,"Report, free",Nodule,Benign,Old,Rare,Sure,Never'
    n=0
    for file in "$own"/pictures/*.jpg; do
        n=$((n + 1))
        m=$((n % 2))
        printf '%s,%s/%s,F,%s.0,text,%s,%s.00,' $n "$1" "$(basename "$file")" $m $m $((1 - m))
        printf '%s,%s,%s,%s\n' "$([ $n -eq 3 ] && echo -1 || echo nan)" "$([ $n -gt 6 ] && echo -0.0)" \
            "$([ $n -gt 6 ] && echo 1)" "$([ $n -gt 7 ] && echo NA)"
    done
}
table pictures >"$own/train.csv"
table none >"$own/valid.csv"
expect 1 data check "$own" --blank ignore
for split in train valid; do
    answer "$split: an index, passed over: column 1, which has no name"
    answer "$split: no label: Old"
    answer "$split: no positive: Rare"
    answer "$split: no negative: Sure"
    answer "$split: counted twice in a mean of both: Nodule says the same as Mass, Benign is the opposite of Mass"
done
answer "train: none of CheXpert's observations; tasks: Mass, Nodule, Benign, Old, Rare, Sure"
answer "train: columns passed over (--tasks can name them): 'Report, free', Never"
answer "images in no folder patient../study.., so a study and a patient each: 8 of train's 8, 8 of valid's 8"
says "8 images (0 frontal, 0 lateral, 8 of unknown view), 8 studies, 8 patients"
says "missing: 8 in all"
says "not at $own/none/"
narrow
expect 1 data check "$own" --json
says '"own_studies":8'
says '"index_columns":[""],"passed_columns":["Report, free","Never"]'
says '"task":"Nodule","positive":4,"negative":4,"uncertain":0,"blank":0,"note":null,"same_as":"Mass","opposite_of":null'
says '"paths_in_two_splits":0'
# What cannot be seen or told apart counts as a finding; columns that say the same do not.
cp "$own/train.csv" "$own/valid.csv"
expect 1 data check "$own" --json
says '"patients_in_two_splits":8,"paths_in_two_splits":8'
expect 1 data check "$own"
says "train and valid: 8 Paths stand in both, first"
head -n 5 "$own/train.csv" >"$own/valid.csv"
{
    head -n 5 "$own/train.csv"
    sed -n 2,3p "$own/train.csv"
} >"$work/twice"
sed 2,5d "$own/train.csv" >"$work/rest"
mv "$work/rest" "$own/train.csv"
expect 0 data check "$own"
cp "$work/twice" "$own/valid.csv"
expect 1 data check "$own"
says "valid: 2 images have a Path that stands before, first"
says "2 findings"
expect 0 train $net --data "$own" --dry-run
says "valid: 2 images have a Path that stands before, first"
answer "images in no folder patient../study.., so a study and a patient each: 4 of train's 4, 6 of valid's 6"
# The tables decide what is there.
head -n 5 "$work/twice" >"$own/valid.csv"
cp "$own/valid.csv" "$own/test_labels.csv"
expect 0 train $net --data "$own" --dry-run
says "4 train, 4 valid, 4 test images"
says "test: read from test_labels.csv"
mkdir "$work/empty"
one_line 1 data check "$work/empty"
says "no train.csv, valid.csv, test.csv or test_labels.csv"
cp "$own/train.csv" "$work/empty/train.csv"
expect 1 data check "$work/empty"
says "without a valid.csv"
# Views: of a name, or unknown and left out.
mkdir "$work/views"
ln -s "$own/pictures" "$work/views/pictures"
cp "$own/train.csv" "$own/valid.csv" "$work/views"
cp "$(find "$sample/test" -name '*.jpg' | sort | head -n 1)" "$own/pictures/one_frontal.jpg"
echo "9,pictures/one_frontal.jpg,F,1.0,text,1,0,,,," >>"$work/views/train.csv"
one_line 1 train $net --data "$work/views" --views frontal --out "$work/x"
says "valid.csv: none of the 4 images is frontal; of 4 neither a column 'Frontal/Lateral' nor _frontal or _lateral"
expect 0 data check "$work/views" --views all
echo "9,pictures/one_frontal.jpg,F,1.0,text,1,0,,,," >>"$work/views/valid.csv"
expect 1 data check "$work/views" --views frontal
says "train: 4 images of unknown view left out"
says "1 images (1 frontal, 0 lateral)"

# ---- on which data a model is scored
expect 0 train $net --data "$data" --out "$work/run" --steps 2 --keep 1
checkpoint=$(ls "$work"/run/checkpoints/*)
expect 0 eval "$work/run" --json --quiet
says "\"data\":\"$data\",\"split\":\"valid\",\"unit\":\"study\",\"images\":30"
cp "$work/out" "$work/own.json"
expect 0 eval "$work/run" --quiet --split test --unit image
says "of the test split of"
says "$data"
says "12 images"
expect 0 eval "$work/run" --quiet --out "$work/scores"
awk -F, -v data="$data" 'NF != 16 || (NR > 1 && ($13 != data || $14 != "valid" || $15 != "study")) { exit 1 }' \
    "$work/scores/scores.csv"
pass "scores.csv does not say of what it is: $(head -n 2 "$work/scores/scores.csv")" $?
one_line 2 eval "$checkpoint" --json
says "--data is missing: $checkpoint is no run"
one_line 2 eval "$work/run" "$checkpoint"
one_line 1 eval "$work/nowhere"
expect 0 eval "$checkpoint" --data "$data" --json --quiet
[ "$(sed 's/.*"tasks"//' "$work/out")" = "$(sed 's/.*"tasks"//' "$work/own.json")" ]
pass "a checkpoint is scored otherwise than its run" $?
expect 0 eval "$work/run" --data "$sample" --json --quiet
says "\"data\":\"$sample\",\"split\":\"valid\",\"unit\":\"study\",\"images\":125"
# An image of a RUN's data is found below them; another one needs none.
expect 0 predict "$work/run" "elsewhere/test/${image#*/test/}" --quiet
says "$data/test/${image#*/test/}"
mv "$data" "$work/moved"
one_line 1 eval "$work/run"
says "$data: no such folder any more, the data that $work/run was trained with; --data names another"
expect 0 eval "$work/run" --data "$work/moved" --json --quiet
expect 0 predict "$work/run" "$image" --quiet
mv "$work/moved" "$data"
mv "$work/run/config.txt" "$work/config.txt"
one_line 1 eval "$work/run"
says "no config.txt that says on which data it was trained; --data names a folder"
mv "$work/config.txt" "$work/run/config.txt"
# Where images are in no folders of studies, it is said, and each is one.
flat=$work/flat
mkdir -p "$flat/images_001"
cp "$image" "$flat/images_001/a.jpg"
cp "$image" "$flat/images_001/b.jpg"
printf 'Path,Edema,No Finding\nimages_001/a.jpg,1,0\nimages_001/b.jpg,0,1\n' >"$flat/valid.csv"
expect 0 eval "$work/run" --data "$flat" --tasks "Edema,No Finding" --json
says '"studies":2'
answer "images in no folder patient../study.., so a study and a patient each: 2 of valid's 2"

# ---- predictions of a table: of its images, or the maximum over those of a study
for split in valid test; do
    expect 0 predict "$work/run" --split $split --batch 3
    same "$work/out" "$work/run/predictions-$split.csv"
    answer "images of the $split split of $data"
done
several=$work/several
mkdir "$several"
ln -s "$sample/valid" "$several/valid"
echo "Path,Frontal/Lateral" >"$several/valid.csv"
for file in $(cd "$several" && find valid/ -name '*.jpg' | sort | head -n 5); do
    study=$((study % 2 + 1))
    mkdir -p "$several/set/patient1/study$study"
    cp "$several/$file" "$several/set/patient1/study$study/$(echo "$file" | tr / -)"
    echo "set/patient1/study$study/$(echo "$file" | tr / -),$([ $study = 1 ] && echo Lateral)" >>"$several/valid.csv"
done
expect 0 predict "$work/run" --data "$several" --split valid --quiet
[ "$(cut -d, -f1 "$work/out")" = "$(cut -d, -f1 "$several/valid.csv")" ]
pass "not the table's paths" $?
cp "$work/out" "$work/by_image"
expect 0 predict "$work/run" --data "$several" --split valid --quiet --unit study
awk -F, 'NR == 1 { sub(/^Path/, "Study"); print; next }
    { s = $1; sub("/[^/]*$", "", s); if (!(s in seen)) { seen[s] = 1; name[++n] = s }
      for (i = 2; i <= NF; i++) if (!((s, i) in most) || $i > most[s, i]) most[s, i] = $i; fields = NF }
    END { for (k = 1; k <= n; k++) { printf "%s", name[k]; for (i = 2; i <= fields; i++) printf ",%s", most[name[k], i]; print "" } }' \
    "$work/by_image" >"$work/by_study"
same "$work/by_study" "$work/out"
expect 0 predict "$work/run" --data "$several" --split valid --quiet --unit study --json
says "\"data\":\"$several\",\"split\":\"valid\",\"unit\":\"study\",\"studies\":[{\"study\":\"set/patient1/study1\",\"probabilities\":{"
expect 0 predict "$work/run" --data "$several" --split valid --views lateral --quiet
[ "$(wc -l <"$work/out")" -eq 4 ]
pass "not the 3 lateral images" $?
one_line 2 predict "$work/run"
one_line 2 predict "$work/run" "$image" --split valid
one_line 2 predict "$checkpoint" --split valid
one_line 1 predict "$work/run" --data "$several" --split test
# One that cannot be read is no part of its study.
: >"$several/set/patient1/study1/$(basename "$(sed -n 2p "$several/valid.csv" | cut -d, -f1)")"
one_line 1 predict "$work/run" --data "$several" --split valid --unit study
expect 0 predict "$work/run" --data "$several" --split valid --unit study --bad-images skip --json --quiet
says '"left_out":[{"path":"set/patient1/study1/'
says '"study":"set/patient1/study1"'

# ---- outputs without names
cp "$checkpoint" "$work/foreign.safetensors"
printf 'foreign1' | dd of="$work/foreign.safetensors" bs=1 seek=35 conv=notrunc 2>/dev/null
mkdir "$work/turned"
ln -s "$sample/valid" "$work/turned/valid"
# The columns in reverse.
awk -F, -v OFS=, '{ for (i = NF; i > 5; i--) printf "%s,", $i; print $2, $1 }' "$data/valid.csv" >"$work/turned/valid.csv"
scores() { # the AUCs of the last command, by task
    sed 's/{"task"/\
&/g' "$work/out" | sed -n 's/^{"task":"\([^"]*\)".*"auc":\([^,]*\),.*/\1 \2/p' | sort
}
expect 0 eval "$checkpoint" --data "$data" --json --quiet
scores >"$work/named"
for folder in "$data" "$work/turned"; do
    expect 0 eval "$work/foreign.safetensors" --data "$folder" --size 32 --normalize chexpert --json
    scores >"$work/unnamed"
    same "$work/named" "$work/unnamed"
    answer "outputs without names, taken in CheXpert's order: 0 No Finding, 1 Enlarged Cardiomediastinum, 2 Cardiomegaly"
    answer "12 Fracture, 13 Support Devices"
done
[ "$(grep -vc null "$work/named")" -gt 3 ]
pass "too few AUCs to tell outputs apart" $?
expect 0 eval "$work/foreign.safetensors" --data "$work/turned" --size 32 --normalize chexpert --json --tasks Pneumonia
scores >"$work/unnamed"
grep '^Pneumonia ' "$work/named" >"$work/one"
same "$work/one" "$work/unnamed"
# Fourteen other columns: in the table's order.
sed '1s/Edema/Oedema/' "$work/turned/valid.csv" >"$work/x.csv"
mv "$work/x.csv" "$work/turned/valid.csv"
one_line 1 eval "$work/foreign.safetensors" --data "$work/turned" --size 32
says "14 outputs without names, expected one for each of the 13 tasks"
names=$(head -n 1 "$work/turned/valid.csv" | cut -d, -f1-14)
expect 0 eval "$work/foreign.safetensors" --data "$work/turned" --size 32 --tasks "$names" --json
answer "outputs without names, taken in the tasks' order: 0 Support Devices, 1 Fracture, 2 Pleural Other"

# ---- what -1 means, by task
mkdir "$work/unsure"
ln -s "$sample/valid" "$work/unsure/valid"
awk -F, -v OFS=, 'NR > 1 && NR % 3 == 0 { $11 = $14 = "-1.0" } { print }' "$data/valid.csv" >"$work/unsure/valid.csv"
counts() { # UNCERTAIN TASK: positives,negatives
    expect 0 eval "$work/run" --data "$work/unsure" --json --quiet --uncertain "$1"
    sed 's/.*"task":"'"$2"'","positives":\([0-9]*\),"negatives":\([0-9]*\),.*/\1,\2/' "$work/out"
}
set -- $(awk -F, 'NR > 1 { u += $11 == "-1.0"; p += $11 == "1.0"; n += $11 == "0.0" } END { print u, p, n }' \
    "$work/unsure/valid.csv")
[ "$(counts ignore Edema)" = "$2,$3" ]
pass "ignore" $?
[ "$(counts ignore,ones:Edema+Fracture Edema)" = "$(($1 + $2)),$3" ]
pass "ones of Edema" $?
[ "$(counts ones,zeros:Edema Edema)" = "$2,$(($1 + $3))" ]
pass "zeros of Edema, ones of the others" $?
[ "$(counts ones,zeros:Edema Atelectasis)" != "$(counts zeros Atelectasis)" ]
pass "ones of the others" $?
one_line 2 eval "$work/run" --uncertain ignore,ones
one_line 2 train $net --uncertain maybe --out "$work/x"
one_line 1 train $net --data "$data" --uncertain ones:Odema --out "$work/x"
says "the table has no column 'Odema'"
expect 0 train $net --data "$data" --uncertain ones:Edema+Pneumonia --out "$work/ones" --steps 1
grep -q '^uncertain = ones:Edema+Pneumonia$' "$work/ones/config.txt"
pass "config.txt does not keep --uncertain" $?
expect 0 eval "$work/ones" --json --quiet
one_line 1 train $net --data "$data" --out "$work/ones" --steps 1
says --uncertain

done_testing
