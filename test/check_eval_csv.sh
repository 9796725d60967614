#!/bin/sh
# check_eval_csv.sh BUILD - predictions of others in CSV files: which row is of which study, what is refused, and how models
# are compared. The last line is "check_eval_csv: N passed, N failed".
. test/cli.sh

# ---- made-up labels of 60 studies, laid out as CheXpert's published ones, and what four programs said of them: a.csv in
# another order and with ties; b.csv with fewer tasks by other names, other folders and columns, scores that are no
# probabilities, and one task as in a.csv; views.csv an image a row; flat.csv a constant, and a.csv's ranks
mkdir -p "$work/csv/data"
awk -v out="$work/csv" '
    function draw() { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
    function score(label, strength, steps) { return int(steps * (strength * (label == 1) + draw()) / (1 + strength)) / steps }
    BEGIN {
        seed = 20260711
        labels = out "/data/test_labels.csv"; a = out "/a.csv"; b = out "/b.csv"; views = out "/views.csv"; flat = out "/flat.csv"
        print "Study,No Finding,Cardiomegaly,Edema,Consolidation,Atelectasis,Pleural Effusion,Fracture" >labels
        print "Study,No Finding,Cardiomegaly,Edema,Consolidation,Atelectasis,Pleural Effusion,Fracture" >a
        print "Reader,pleural_effusion,Study,EDEMA,Years,Cardiomegaly,Consolidation" >b
        print "Path,Edema,Cardiomegaly,Pleural Effusion" >views
        print "Study,Cardiomegaly,Edema" >flat
        for (i = 60; i >= 1; i--) {
            for (k = 1; k <= 6; k++) { x = draw(); l[k] = x < .36 ? 1 : x > .96 ? -1 : 0 }
            l[7] = 0
            name = sprintf("patient%05d/study%d", 64700 + int((i + 1) / 2), i % 2 + 1)
            row = "CheXpert-v1.0/test/" name
            for (k = 1; k <= 7; k++) row = row "," l[k]
            print row >labels
            for (k = 1; k <= 7; k++) p[k] = score(l[k], .5, k == 3 ? 20 : 1000)
            row = "CheXpert-v1.0/test/" name
            for (k = 1; k <= 7; k++) row = row "," p[k]
            la[61 - i] = row
            lb[i] = "R," score(l[6], .8, 10) ",/home/reader/set/" name "/," p[3] "," i "," score(l[2], .3, 5) * 7 - 3 "," l[4] * .5 + .5
            lv[i] = "d/test/" name "/view1_frontal.jpg," score(l[3], .4, 100) "," score(l[2], .4, 100) "," score(l[6], .4, 100)
            if (i % 3 == 0)
                lv[i] = lv[i] "\nd/test/" name "/view2_lateral.jpg," score(l[3], .2, 100) "," score(l[2], .2, 100) "," score(l[6], .2, 100)
            lf[i] = "CheXpert-v1.0/test/" name ",0.5," p[3] / 2
        }
        for (i = 1; i <= 60; i++) { print la[i] >a; print lb[(i * 7) % 60 + 1] >b; print lv[i] >views; print lf[i] >flat }
    }'
csv=$work/csv
test="--data $csv/data --split test --quiet"

# A comparison a line: models' numbers, task, figures; "nan" for null.
compared() {
    tr '{' '\n' <"$work/out" | sed -n 's/^"a":/&/p' | awk -v names="$*" '
        function of(key,    s) {
            if (!match($0, "\"" key "\":(\"[^\"]*\"|[^,}]*)")) return "missing"
            s = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
            gsub(/"/, "", s)
            gsub(/ /, "_", s)
            return s == "null" ? "nan" : s
        }
        BEGIN { n = split(names " ensemble", name, " "); for (i = 1; i <= n; i++) number[name[i]] = i }
        { print number[of("a")], number[of("b")], of("task"), of("auc_a"), of("auc_b"), of("difference"), of("se"), of("p"),
            of("low"), of("high"), of("p_holm"), of("method") }'
}

# What eval printed of tasks beside $work/wanted, to 1e-12.
beside() { # COUNT NAME...
    count=$1
    shift
    compared "$@" >"$work/compared"
    grep -v mean "$work/compared" >"$work/tasks"
    paste -d ' ' "$work/wanted" "$work/tasks" | awk -v count="$count" '
        NF != 20 || $1 != $9 || $2 != $10 || $3 != $11 { print "row " NR ": " $0; wrong = 1 }
        { for (i = 4; i <= 8; i++) {
              far = $i - $(i + 8)
              if (($i == "nan") != ($(i + 8) == "nan") || far > 1e-12 || far < -1e-12) { print $0; wrong = 1 }
          }
          # the interval is 1.96 standard errors wide on either side; what is equal has none
          far = $17 - ($14 - 1.959963984540054 * $15)
          if ($20 == "delong" && (far > 1e-12 || far < -1e-12)) { print "interval: " $0; wrong = 1 }
          if (($20 == "equal") != ($3 == "Edema" && $14 == 0) || ($20 == "equal" && $17 $18 $19 != "nannannan")) {
              print "equal: " $0; wrong = 1
          }
        }
        END { exit wrong || NR != count }' >"$work/diff"
    pass "comparisons: $(head -n 3 "$work/diff")" $?
}
# A mean's difference is the mean of the tasks' that both have.
of_means() {
    awk '$3 ~ /^mean/ { if (n == 0) exit 1; far = $6 - sum / n; if (far > 1e-12 || far < -1e-12 || $12 != "bootstrap") exit 1
             if (!($9 < $6 && $6 < $10)) exit 1; if ($3 == "mean") { n = 0; sum = 0 }; next }
         { n++; sum += $6 }' "$work/compared"
    pass "means of differences" $?
}

# ---- AUC, DeLong's standard error and p by scikit-learn and numpy (test/eval_csv.py), to 1e-12
expect 0 eval "$csv/a.csv" "$csv/b.csv" "$csv/views.csv" "$csv/flat.csv" $test --json
cat >"$work/wanted" <<'END'
1 2 Cardiomegaly 0.75071225071225067 0.7742165242165242 -0.023504273504273532 0.076862841570123491 0.75976072707345055
1 2 Edema 0.84553349875930506 0.84553349875930506 0 0 nan
1 2 Consolidation 0.89937499999999992 1 -0.10062500000000019 0.042832964279248389 0.018811674388210527
1 2 Pleural_Effusion 0.88345864661654139 0.97556390977443608 -0.092105263157894801 0.044855648483658223 0.040036662862951898
1 3 Cardiomegaly 0.75071225071225067 0.84045584045584043 -0.089743589743589758 0.089161627476737948 0.31416210700536085
1 3 Edema 0.84553349875930506 0.79838709677419351 0.047146401985111774 0.080862308656812515 0.55986269734894423
1 3 Pleural_Effusion 0.88345864661654139 0.79323308270676707 0.090225563909774209 0.073735310846337374 0.22108761192239657
1 4 Cardiomegaly 0.75071225071225067 0.5 0.25071225071225067 0.068885663187118598 0.00027312359941958223
1 4 Edema 0.84553349875930506 0.84553349875930506 0 0 nan
2 3 Cardiomegaly 0.7742165242165242 0.84045584045584043 -0.066239316239316226 0.085146977316623657 0.4366038546020945
2 3 Edema 0.84553349875930506 0.79838709677419351 0.047146401985111774 0.080862308656812515 0.55986269734894423
2 3 Pleural_Effusion 0.97556390977443608 0.79323308270676707 0.18233082706766901 0.066678958763985455 0.006248302385115416
2 4 Cardiomegaly 0.7742165242165242 0.5 0.2742165242165242 0.060866133980974013 6.6298057455705296e-06
2 4 Edema 0.84553349875930506 0.84553349875930506 0 0 nan
3 4 Cardiomegaly 0.84045584045584043 0.5 0.34045584045584043 0.055544034071688481 8.8168807062854101e-10
3 4 Edema 0.79838709677419351 0.84553349875930506 -0.047146401985111774 0.080862308656812515 0.55986269734894423
END
beside 16 "$csv/a.csv" "$csv/b.csv" "$csv/views.csv" "$csv/flat.csv"
# Holm's correction over the 13 tests of tasks, and over the six pairs' means, which are one test a pair: the tasks are the same
holm() { # COUNT: p and adjusted p in two columns
    sort -g | awk -v count="$1" '
        { p = $1 * (count - NR + 1); p = p > 1 ? 1 : p; most = p > most ? p : most; far = $2 - most
          if (far > 1e-12 || far < -1e-12) { print "p " $1 ": found " $2 ", expected " most; wrong = 1 } }
        END { exit wrong || NR != count }'
}
awk '$8 != "nan" { print $8, $11 }' "$work/tasks" | holm 13 >"$work/diff"
pass "Holm over tasks: $(cat "$work/diff")" $?
awk '$3 == "mean6" { print $8, $11 }' "$work/compared" | holm 6 >"$work/diff"
pass "Holm over means: $(cat "$work/diff")" $?
says '"holm_tests_of_tasks":13,"holm_tests_of_means":6'
of_means

# ---- the same by any number of threads; other draws by --seed and --group; tasks by the bootstrap too
mv "$work/out" "$work/first"
expect 0 eval "$csv/a.csv" "$csv/b.csv" "$csv/views.csv" "$csv/flat.csv" $test --json --threads 3
same "$work/out" "$work/first"
expect 0 eval "$csv/a.csv" "$csv/b.csv" $test --json --interval bootstrap --group patient --replicates 200
says '"group":"patient"'
says '"tasks_by":"bootstrap"'
compared "$csv/a.csv" "$csv/b.csv" >"$work/patients"
awk '{ if ($12 != ($3 == "Edema" ? "equal" : "bootstrap")) exit 1; if ($3 != "Edema" && !($9 <= $6 && $6 <= $10)) exit 1 }
     $3 == "mean5" && !($8 * 201 / 2 - int($8 * 201 / 2 + .5) < 1e-9) { exit 1 }' "$work/patients"
pass "paired bootstrap of tasks: $(cat "$work/patients")" $?
expect 0 eval "$csv/a.csv" "$csv/b.csv" $test --json --interval bootstrap --group patient --replicates 200 --seed 1
compared "$csv/a.csv" "$csv/b.csv" >"$work/seeded"
! cmp -s "$work/seeded" "$work/patients"
pass "another seed draws the same" $?
expect 0 eval "$csv/a.csv" "$csv/b.csv" --data "$csv/data" --split test --replicates 50
! grep -q "no effect" "$work/err"
pass "--replicates of a comparison is said to have no effect" $?
says "of 50 paired"
says "Means of the models are each over its own tasks"
grep -q '^1: .*/csv/a.csv  *0.869  *0.869  *0.869$' "$work/out"
pass "the models' means: $(grep '^[12]: ' "$work/out")" $?

# ---- the ensemble beside each of its members, in the corrections too; figures by test/eval_csv.py
expect 0 eval "$csv/a.csv" "$csv/views.csv" $test --json
cat >"$work/wanted" <<'END'
1 2 Cardiomegaly 0.75071225071225067 0.84045584045584043 -0.089743589743589758 0.089161627476737948 0.31416210700536085
1 2 Edema 0.84553349875930506 0.79838709677419351 0.047146401985111774 0.080862308656812515 0.55986269734894423
1 2 Pleural_Effusion 0.88345864661654139 0.79323308270676707 0.090225563909774209 0.073735310846337374 0.22108761192239657
3 1 Cardiomegaly 0.91025641025641035 0.75071225071225067 0.15954415954415968 0.061056116403386311 0.0089731831388459877
3 1 Edema 0.92803970223325061 0.84553349875930506 0.082506203473945439 0.044074943867143834 0.061213168693945046
3 1 Pleural_Effusion 0.94611528822055135 0.88345864661654139 0.062656641604009966 0.035515408412851612 0.077696615864162807
3 2 Cardiomegaly 0.91025641025641035 0.84045584045584043 0.069800569800569923 0.039035987996710403 0.073758554695378703
3 2 Edema 0.92803970223325061 0.79838709677419351 0.12965260545905721 0.046812298402042214 0.0056120521093826828
3 2 Pleural_Effusion 0.94611528822055135 0.79323308270676707 0.15288220551378418 0.05017913523093203 0.0023134650395618115
END
beside 9 "$csv/a.csv" "$csv/views.csv"
awk '$8 != "nan" { print $8, $11 }' "$work/tasks" | holm 9 >"$work/diff"
pass "Holm over tasks: $(cat "$work/diff")" $?
awk '$3 == "mean6" { print $8, $11 }' "$work/compared" | holm 3 >"$work/diff"
pass "Holm over means: $(cat "$work/diff")" $?
says '"pairs":3,'
says '"holm_tests_of_tasks":9,"holm_tests_of_means":3'
of_means
# Its means are resampled as those of the file that it is written to.
expect 0 eval "$csv/a.csv" "$csv/views.csv" $test --out "$work/first.out"
says "3: ensemble "
says "3 - 2"
grep -q '^ensemble,.*/views.csv,Edema,31,26,' "$work/first.out/comparisons.csv"
pass "comparisons.csv without the ensemble" $?
expect 0 eval "$work/first.out/predictions-test.csv" "$csv/a.csv" $test --json
grep '^3 1 mean6' "$work/compared" | cut -d ' ' -f 3-10 >"$work/ensemble"
compared "$work/first.out/predictions-test.csv" "$csv/a.csv" | grep '^1 2 mean6' | cut -d ' ' -f 3-10 >"$work/alone"
[ -s "$work/alone" ]
pass "no means of a written ensemble" $?
same "$work/ensemble" "$work/alone"

# ---- of more than four models the first is compared with each other; the table says so
cp "$csv/a.csv" "$csv/c.csv"
expect 0 eval "$csv/views.csv" "$csv/a.csv" "$csv/b.csv" "$csv/c.csv" "$csv/flat.csv" $test --json
says '"pairs":4'
expect 0 eval "$csv/views.csv" "$csv/a.csv" "$csv/b.csv" "$csv/c.csv" "$csv/flat.csv" $test
says "Of more than 4 models the first is compared with each other."
says "1 - 5"
expect 0 eval "$csv/views.csv" "$csv/a.csv" "$csv/c.csv" "$csv/views.csv" "$csv/a.csv" $test --replicates 10
says "Of more than 4 models the first is compared with each other, the ensemble with"
says "6 - 5"
! grep -q "2 - 3" "$work/out"
pass "a pair of many without the first" $?

# ---- notes: columns and tasks left out, other names, scores that are no probabilities
expect 0 eval "$csv/b.csv" --data "$csv/data" --split test --size 64
says "columns passed over: Reader, Years"
says "columns by other names: EDEMA as Edema, pleural_effusion as Pleural Effusion"
says "tasks without a column: No Finding, Atelectasis, Fracture"
says "No ECE where scores are outside 0 to 1: Cardiomegaly."
says "the table of labels has a row a study"
says "--size has no effect: predictions are read, no images"
expect 0 eval "$csv/a.csv" "$csv/b.csv" --data "$csv/data" --split test
says "no ensemble: not all scores are probabilities"

# ---- what is written can be read again: the same figures; an ensemble of CSVs is the mean of their scores
[ -s "$work/first.out/predictions-test.csv" ] && [ -s "$work/first.out/comparisons.csv" ]
pass "files of --out: $(ls "$work/first.out")" $?
head -n 1 "$work/first.out/predictions-test.csv" >"$work/head"
printf 'Study,Cardiomegaly,Edema,Pleural Effusion\n' | cmp -s - "$work/head"
pass "columns of the ensemble: $(cat "$work/head")" $?
expect 0 eval "$work/first.out/predictions-test-1.csv" "$work/first.out/predictions-test-2.csv" $test --out "$work/second.out"
for file in predictions-test.csv predictions-test-1.csv predictions-test-2.csv; do
    same "$work/first.out/$file" "$work/second.out/$file"
done
for out in first second; do
    sed 's/^[^,]*,[^,]*,//' "$work/$out.out/comparisons.csv" | tail -n +2 >"$work/$out.rows"
    sed 's/^[^,]*,//' "$work/$out.out/scores.csv" >>"$work/$out.rows"
done
same "$work/first.rows" "$work/second.rows"
awk -F, 'FNR == 1 { file++; next }
    file == 1 { x[$1] = $4 } file == 2 { y[$1] = $3 }
    file == 3 { n++; far = $3 - (x[$1] + y[$1]) / 2; if (far > 1e-15 || far < -1e-15) exit 1 }
    END { if (n != 60) exit 1 }' "$work/first.out/predictions-test-1.csv" "$work/first.out/predictions-test-2.csv" "$work/first.out/predictions-test.csv"
pass "the ensemble is no mean" $?

# ---- a network beside a CSV of its own predictions: the labels are read as the network reads them
expect 0 train --net resnet18 --cut 3 --size 32 --batch 4 --steps 1 --quiet --data "$data" --out "$work/run" --tasks Edema,Pneumonia --blank ignore
expect 0 eval "$work/run/predictions-test.csv" "$work/run" --split test --quiet --json
compared "$work/run/predictions-test.csv" "$work/run" >"$work/same"
awk '$12 == "delong" || $12 == "bootstrap" || $6 > 0 || $6 < 0 { exit 1 }' "$work/same"
pass "a run and its predictions differ: $(cat "$work/same")" $?
expect 0 eval "$work/run" "$work/run/predictions-test.csv" --split test --quiet --ensemble --data "$data" --unit image
# ---- what is refused: one line alone
one_line 2 eval "$csv/a.csv"
says "--data is missing"
one_line 1 eval "$csv/a.csv" --data "$csv/data"
says "test_labels.csv is there: --split test"
one_line 1 eval "$csv/nowhere.csv" $test
says nowhere.csv
one_line 1 eval "$csv/a.csv" $test --unit image
says "has a row a study"
one_line 1 eval "$csv/b.csv" $test --tasks Edema,Fracture
says "has no column for the task 'Fracture'"
one_line 1 eval "$work/run" $test
says "no column 'Path', but 'Study', which names no image"
one_line 1 train --net resnet18 --data "$csv/data" --out "$work/none"
one_line 1 eval "$data/train.csv" $test
bad() { # TEXT CONTENTS: of a file that holds them, as printf has it
    # shellcheck disable=SC2059
    printf "$2" >"$csv/bad.csv"
    one_line 1 eval "$csv/bad.csv" $test
    says "$1"
}
bad "bad.csv: empty" ''
bad "a header and no rows" 'Study,Edema\n'
bad "bad.csv:1: no column 'Path' or 'Study', so no predictions" 'Name,Edema\nx,1\n'
bad "columns 2 and 3 are both named 'Edema'" 'Study,Edema,Edema\nx,1,1\n'
bad "none of its columns is a task" 'Study,Oedema\nx,1\n'
bad "bad.csv:2: 3 fields, expected 2 as in the header" 'Study,Edema\nx,1,2\n'
bad "bad.csv:2: column 'Edema': found 'high', expected a number" 'Study,Edema\nx,high\n'
bad "found '', expected a number" 'Study,Edema\nx,\n'
bad "found 'nan', expected a number" 'Study,Edema\nx,nan\n'
bad "expected a number" 'Study,Edema\nx,1e999\n'
bad "bad.csv:2: column 'Study': empty, expected a path" 'Study,Edema\n,1\n'
bad "bad.csv:4: 'a/b' stands on line 2 already" 'Study,Edema\na/b,1\nc,1\na/b/,1\n'
bad "none of its 1 rows is of" 'Study,Edema\nother/patient1/study1,1\n'
sed 7d "$csv/a.csv" >"$csv/less.csv"
one_line 1 eval "$csv/less.csv" $test
says "no row for 1 of the 60 studies of test, the first: CheXpert-v1.0/test/patient64728/study2"
# Of two rows that could be a study's the one with its whole path is.
{ cat "$csv/a.csv"; sed -n 's:^CheXpert-v1.0\(.*/study.\),.*:A\1,0,0,0,0,0,0,0:p' "$csv/a.csv" | head -n 40; } >"$csv/more.csv"
expect 0 eval "$csv/more.csv" --data "$csv/data" --split test
says "40 of the 100 rows"
sed 1d "$work/out" >"$work/more"
expect 0 eval "$csv/a.csv" --data "$csv/data" --split test
sed 1d "$work/out" >"$work/alone"
same "$work/more" "$work/alone"
{ sed 's:^CheXpert-v1.0:y:' "$csv/a.csv"; sed -n 's:^CheXpert-v1.0:x:p' "$csv/a.csv" | head -n 1; } >"$csv/more.csv"
one_line 1 eval "$csv/more.csv" $test
says "lines 2 and 62 may both be 'CheXpert-v1.0/test/patient64730/study1'"
# Studies without a row are left out if that is asked for, of every model that is compared.
expect 0 eval "$csv/less.csv" "$csv/views.csv" --data "$csv/data" --split test --bad-images skip
says "1 of 60 studies, the first: CheXpert-v1.0/test/patient64728/study2"
says "Compared on the 59 studies that all models have scores of."

done_testing
