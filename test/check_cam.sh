#!/bin/sh
# check_cam.sh BUILD - `thorax cam`: files and their names, tasks, boxes with scores computed again from the arrays by awk,
# other batches and threads, what is refused.
. test/cli.sh

run=$work/run
expect 0 train --net resnet18 --cut 2 --data "$data" --out "$run" --size 64 --steps 2 --batch 8 --quiet
out=$work/maps
first=$(sed -n 2p "$sample/boxes.csv" | cut -d, -f1)
boxed=$sample/${first#*/}

# ---- one image, a task by name, by number, all, the most probable
expect 0 cam "$run" "$boxed" --task Edema --out "$out"
cp "$work/out" "$work/edema"
says "Path,task,probability,height,width,min,max,positive,overlay,map"
[ "$(wc -l <"$work/out")" -eq 2 ] && [ -s "$out/view1_frontal.Edema.png" ] && [ -s "$out/view1_frontal.Edema.npy" ]
pass "files of one map: $(ls "$out")" $?
same "$work/out" "$out/maps.csv"
expect 0 cam "$run" "$boxed" --task 5 --out "$out"
same "$work/out" "$work/edema"
expect 0 cam "$run" "$boxed" --task all --out "$work/all" --quiet
[ "$(wc -l <"$work/out")" -eq 15 ] && [ ! -s "$work/err" ]
pass "maps of all tasks: $(cat "$work/err")" $?
same "$work/all/view1_frontal.Edema.npy" "$out/view1_frontal.Edema.npy"
top=$(tail -n +2 "$work/out" | sort -t, -k3,3gr | head -n 1 | cut -d, -f2)
expect 0 cam "$run" "$boxed" --out "$work/top"
says ",$top,"
"$thorax" predict "$run" "$boxed" --tasks Edema --quiet >"$work/p" 2>"$work/err"
[ "$(tail -n 1 "$work/p" | cut -d, -f2)" = "$(tail -n 1 "$work/edema" | cut -d, -f3)" ]
pass "another probability than predict's" $?

# ---- names that tell images apart; the same bytes in any batch, with any number of threads
expect 0 cam "$run" "$sample/valid" --task Edema --out "$work/many" --batch 16 --threads 2 --quiet
[ "$(ls "$work/many" | wc -l)" -eq 251 ]
pass "files of 125 images: $(ls "$work/many" | wc -l)" $?
[ -s "$work/many/patient01371-study3-view1_frontal.Edema.png" ]
pass "names of 125 images: $(ls "$work/many" | head -n 3)" $?
expect 0 cam "$run" "$sample/valid" --task Edema --out "$work/again" --batch 3 --threads 1 --quiet
rm "$work/many/maps.csv" "$work/again/maps.csv"
diff -r "$work/many" "$work/again" >"$work/diff"
pass "other bytes in other batches: $(head -n 2 "$work/diff")" $?
printf '%s\n' "$boxed" "$boxed" | "$thorax" cam "$run" - --task 0 --out "$work/twice" --quiet >"$work/out" 2>"$work/err"
[ -s "$work/twice/view1_frontal.No_Finding.png" ] && [ -s "$work/twice/view1_frontal-2.No_Finding.png" ]
pass "an image given twice: $(cat "$work/err"; ls "$work/twice")" $?

# Scores are compared with a map that has positive values.
task=$(tail -n +2 "$work/all/maps.csv" | sort -t, -k8,8nr -k2,2 | head -n 1 | cut -d, -f2)
file=$(echo "$task" | tr ' ' _)

# ---- boxes: two of one finding, one that is no task, one image that was not asked for, one that is absent
cat >"$work/boxes.csv" <<END
Path,Finding,note,x,y,w,h
$first,$task,a,0.10,0.15,0.30,0.45
$first,$task,b,0.55,0.20,0.30,0.40
$first,Mass,c,0.5,0.5,0.1,0.1
$(sed -n 3p "$sample/boxes.csv" | cut -d, -f1),$task,d,0.2,0.2,0.3,0.3
nih-sample-128/test/nobody/view1_frontal.jpg,$task,e,0.2,0.2,0.3,0.3
END
expect 0 cam "$run" "$boxed" --task "$task" --boxes "$work/boxes.csv" --data "$sample" --out "$out"
says "1 of findings that are no task, 2 of images"
says "nobody/view1_frontal.jpg"
od -An -v -tfF -j128 "$out/view1_frontal.$file.npy" | tr -s ' \n' '\n' | grep . >"$work/values"
awk '
    { v[NR - 1] = $1 > 0 ? $1 : 0 }
    END {
        n = sqrt(NR); side = 128
        for (j = 0; j < side; j++) for (i = 0; i < side; i++) {
            y = (j + 0.5) / side * n - 0.5; x = (i + 0.5) / side * n - 0.5
            if (y < 0) y = 0; if (y > n - 1) y = n - 1; if (x < 0) x = 0; if (x > n - 1) x = n - 1
            a = int(y); b = int(x); c = a + 1 < n ? a + 1 : a; d = b + 1 < n ? b + 1 : b; t = y - a; s = x - b
            m = (v[a * n + b] * (1 - s) + v[a * n + d] * s) * (1 - t) + (v[c * n + b] * (1 - s) + v[c * n + d] * s) * t
            fy = (j + 0.5) / side; fx = (i + 0.5) / side
            in_box = (fx >= 0.10 && fx < 0.40 && fy >= 0.15 && fy < 0.60) || (fx >= 0.55 && fx < 0.85 && fy >= 0.20 && fy < 0.60)
            if (m > most) { most = m; hit = in_box }
            all += m; if (in_box) within += m
            value[j * side + i] = m; boxed[j * side + i] = in_box
        }
        for (k = 0; k < side * side; k++) {
            half = most > 0 && value[k] >= most / 2
            both += half && boxed[k]; either += half || boxed[k]
        }
        printf "2 %d %.4f %.4f\n", hit, both / either, (all > 0 ? within / all : 0)
    }' "$work/values" >"$work/want"
tail -n 1 "$out/maps.csv" | awk -F, '{ printf "%d %d %.4f %.4f\n", $11, $12, $13, $14 }' >"$work/got"
cmp -s "$work/want" "$work/got"
pass "scores are $(cat "$work/got"), by hand $(cat "$work/want")" $?
expect 0 cam "$run" "$boxed" --task "$task" --boxes "$work/boxes.csv" --data "$sample" --out "$out" --json
says '"rows":5,"no_task":1,"elsewhere":2,"absent":["nih-sample-128/test/nobody/view1_frontal.jpg"]'
says '"findings":[{"finding":"'"$task"'","images":1,"boxes":2,'
# Without an IMAGE: those of the table; with another --task, boxes of none.
expect 0 cam "$run" --boxes "$work/boxes.csv" --data "$sample" --out "$work/table"
says "mean of 1 finding"
other=Fracture
[ "$task" = Fracture ] && other=Edema
expect 0 cam "$run" "$boxed" --task $other --boxes "$work/boxes.csv" --data "$sample" --out "$out"
says "5 of findings that are no task"
# Not below the data: by the end of the path.
cp "$boxed" "$work/alone.jpg"
printf 'Path,Finding,x,y,w,h\nalone.jpg,Edema,0,0,1,1\n' >"$work/alone.csv"
expect 0 cam "$run" "$work/alone.jpg" --boxes "$work/alone.csv" --out "$out" --json
says '"energy":'
! grep -q '"images":0' "$work/out"
pass "a box by the end of its path: $(cat "$work/out")" $?

# ---- what is refused
one_line 2 cam "$run"
one_line 1 cam "$run" "$boxed" --task Edma
says "nearest is Edema"
one_line 1 cam "$run" "$boxed" --task 14
one_line 1 cam "$run" "$work/nothing.jpg"
printf 'no image' >"$work/bad.jpg"
one_line 1 cam "$run" "$work/bad.jpg" --out "$out"
expect 0 cam "$run" "$work/bad.jpg" "$boxed" --bad-images skip --out "$out" --json
says '"left_out":[{"path":'
for row in 'a.jpg,Edema,0.5,0.5,0.6,0.1' 'a.jpg,Edema,12,40,100,80' 'a.jpg,Edema,0.1,0.1,0,0.1' 'a.jpg,Edema,0.1,0.1,nan,0.1' \
    'a.jpg,Edema,0.1,0.1,0.1' ',Edema,0.1,0.1,0.1,0.1'; do
    printf 'Path,Finding,x,y,w,h\n%s\n' "$row" >"$work/bad.csv"
    one_line 1 cam "$run" "$boxed" --boxes "$work/bad.csv" --out "$out"
    says "line 2"
done
printf 'Path,Finding,x,y,w\n' >"$work/bad.csv"
one_line 1 cam "$run" "$boxed" --boxes "$work/bad.csv" --out "$out"
says "no column 'h'"
one_line 1 cam "$run" "$boxed" --out "$boxed/x"
done_testing
