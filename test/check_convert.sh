#!/bin/sh
# check_convert.sh BUILD - weights from file to file: forms, names, blocks cut, what does not match. The last line is
# "check_convert: N passed, N failed".
. test/cli.sh
LC_ALL=C
export LC_ALL

expect 0 train --size 32 --batch 4 --steps 1 --data "$data" --limit 4 --tasks Edema,Pneumonia --quiet --net mobilenet_v2 --cut 4 --out "$work/run"
own=$(find "$work/run/checkpoints" -name '*.safetensors')

# ---- in a circle: the same bytes come back, whatever the names and forms between
expect 0 convert "$work/run" "$work/a.pth"
says "mobilenet_v2-4, 2 outputs"
says "a .pth file carries weights alone"
expect 0 convert "$work/a.pth" "$work/b.pt" --names timm
says "with timm's names"
says "timm has no truncated networks"
expect 0 convert "$work/b.pt" "$work/c.pth"
same "$work/a.pth" "$work/c.pth"
expect 0 convert "$work/run" "$work/d.safetensors" --names timm
expect 0 convert "$work/d.safetensors" "$work/e.safetensors"
expect 0 convert "$own" "$work/own.safetensors"
for file in d own; do
    grep -q '"tasks":"Edema,Pneumonia"' "$work/$file.safetensors"
    pass "$file.safetensors has lost its tasks" $?
done
same "$work/own.safetensors" "$work/e.safetensors"
cp "$work/a.pth" "$work/f.pth"
expect 0 convert "$work/f.pth" "$work/f.pth"
same "$work/a.pth" "$work/f.pth"
expect 0 predict "$work/run" "$image"
cp "$work/out" "$work/wanted"
for file in a.pth b.pt d.safetensors; do
    expect 0 predict "$work/$file" "$image" --size 32 --normalize chexpert
    [ "$(sed 1d "$work/out" | cut -d, -f2-)" = "$(sed 1d "$work/wanted" | cut -d, -f2-)" ]
    pass "$file: other probabilities: $(cat "$work/out")" $?
done
expect 0 summary "$work/b.pt" --size 32
says "mobilenet_v2-4, 2 outputs"
expect 0 summary "$work/run"
says "32 x 32 pixels"

# ---- less of it, and other outputs
expect 0 convert "$work/a.pth" "$work/g.pth" --cut 5 --classes 3
says "mobilenet_v2-5, 3 outputs"
says "tensors of the blocks that are cut were passed over"
one_line 1 convert "$work/g.pth" "$work/h.pth" --cut 4
says "mobilenet_v2-5, whose cut blocks --cut 4 would need"
[ ! -e "$work/h.pth" ]
pass "a file that was refused is there" $?

# ---- what cannot be
one_line 2 convert "$work/a.pth" "$work/a.npz"
one_line 2 convert "$work/a.pth"
one_line 2 convert "$work/a.pth" "$work/h.pth" --names keras
one_line 1 convert "$work/a.pth" "$work/h.pth" --net resnet18
says "not resnet18's weights: "
one_line 1 convert "$work/none.pth" "$work/h.pth"
cp "$work/a.pth" "$work/tf_mobilenet.pth"
one_line 1 convert "$work/tf_mobilenet.pth" "$work/h.pth"
says "TensorFlow's padding"

# ---- folders of published weights: by name, then by tensors
expect 0 convert "$work/a.pth" "$work/h.pth" --cut 6
mkdir "$work/published" "$work/nothing"
cp "$work/a.pth" "$work/published/mobilenet_v2-b0353104.pth"
one_line 1 convert "$work/published" "$work/h.pth"
says "or published weights"
one_line 1 predict "$work/nothing" "$image"
done_testing
