#!/bin/sh
# check_nets.sh BUILD - every network by the program: listed, summed up, trained for two steps, used to predict, cut, begun from
# the weights of another. The last line is "check_nets: N passed, N failed".
. test/cli.sh
LC_ALL=C
export LC_ALL

# ---- what there is
expect 0 nets --json
for net in densenet121:DenseNet:6968206:7978856:29:74.434 efficientnet_b0:EfficientNet:4025482:5288548:1:77.692 \
    mobilenet_v2:MobileNetV2:2241806:3504872:1:71.878 mobilenet_v3_large:MobileNetV3:4219966:5483032:1:74.042 \
    inception_v3:Inception-v3:21814254:23834568:75:77.294 inception_v4:Inception-v4:41164334:42679816:75:80.062 \
    nasnet_a_mobile:NASNet-A:4247776:5289978:3:74.08; do
    IFS=: read -r name_ family p14 p1000 least top1 <<X
$net
X
    says "{\"name\":\"$name_\",\"family\":\"$family\",\"parameters_14\":$p14,\"parameters_1000\":$p1000,"
    says "\"smallest\":$least,\"top1\":$top1"
done
one_line 2 summary densenet12
says "nearest is densenet121"
one_line 2 summary mobilenetv2
says "mobilenet_v2"
one_line 2 summary efficientnet_b0 --cut 8
one_line 2 summary densenet121 --size 28
one_line 2 summary nasnet_a_mobile --size 2
expect 0 summary nasnet_a_mobile --size 3 --classes 65536
expect 0 summary densenet121 --size 29
expect 0 summary efficientnet_b0 --size 1
expect 0 summary mobilenet_v2 --size 320 --batch 16 --mode train --json
says '"parameters":2241806,"macs":6.1123072e+08,'
says '{"name":"features.2.conv.1.0","op":'
says '"shape":[16,80,80,96]'

# Of names that are too long for the table their ends are shown, whole parts of them; of others all.
expect 0 summary densenet121 --size 32
says "..denselayer24.conv2"
says "features.norm5"
expect 0 summary efficientnet_b0 --size 32
says "..7.0.block.2.fc1"
[ "$(awk 'length > 80' "$work/out" | wc -l)" -eq 0 ]
pass "a table wider than 80 columns" $?

expect 0 speed --net densenet121 --size 32 --batch 1 --mode infer --layers
says "..denselayer24.conv2"

# ---- two steps of each, and predictions of what comes out, alone and in a batch
base="train --size 32 --batch 4 --steps 2 --data $data --limit 8 --tasks Edema,Pneumonia --quiet"
for net in densenet121 efficientnet_b0 mobilenet_v2 mobilenet_v3_large; do
    expect 0 $base --net $net --out "$work/$net" --threads 1
    [ "$(sed 1d "$work/$net/log.csv" | cut -d, -f4 | sort -u | wc -l)" -eq 2 ]
    pass "$net: two steps with two losses: $(cat "$work/$net/log.csv")" $?
    expect 0 predict "$work/$net" "$image" --size 32
    cp "$work/out" "$work/one"
    expect 0 predict "$work/$net" "$sample/test" --size 32
    grep -qF -- "$(sed -n 2p "$work/one")" "$work/out"
    pass "$net: an image alone and in a batch: $(cat "$work/one")" $?
done
# what is drawn (heads, images) does not depend on threads
expect 0 $base --net efficientnet_b0 --out "$work/again" --threads 3
same "$work/efficientnet_b0/digests.txt" "$work/again/digests.txt"

# ---- a block less, from those weights: that tensors are passed over, and a last layer has another width, is said
line=$(echo "$base" | sed 's/ --quiet//')
expect 0 $line --net densenet121 --cut 1 --init "$work/densenet121" --out "$work/cut"
says "198 tensors of the blocks that are cut were passed over"
expect 0 predict "$work/cut" "$image" --size 32
one_line 1 predict "$work/cut" "$image" --net mobilenet_v2
expect 0 $line --net mobilenet_v2 --cut 1 --init "$work/mobilenet_v2" --out "$work/cut" --restart
says "classifier.1.weight: the file has 2 outputs, the new last layer has 2"

# ---- a checkpoint that has lost its metadata is known by its tensors
for net in efficientnet_b0 mobilenet_v2; do
    file=$(find "$work/$net/checkpoints" -name '*.safetensors' | head -n 1)
    # the header's text has the length that it had
    sed 's/"__metadata__":{"format":"thorax 1"/"__metadata__":{"format":"nobody 1"/' "$file" >"$work/bare.safetensors"
    expect 0 predict "$work/bare.safetensors" "$image" --size 32 --normalize chexpert
    says "$net"
done
# but where it could be either of two that differ in their activations alone, nothing is guessed
expect 0 $base --net efficientnet_b0 --cut 7 --out "$work/stem"
file=$(find "$work/stem/checkpoints" -name '*.safetensors' | head -n 1)
sed 's/"__metadata__":{"format":"thorax 1"/"__metadata__":{"format":"nobody 1"/' "$file" >"$work/bare.safetensors"
one_line 1 predict "$work/bare.safetensors" "$image" --size 32
says "its tensors are those of efficientnet_b0-7 and of mobilenet_v2-7; --net and --cut say which"
expect 0 predict "$work/bare.safetensors" "$image" --size 32 --net mobilenet_v2 --cut 7
done_testing
