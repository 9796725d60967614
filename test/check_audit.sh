#!/bin/sh
# check_audit.sh BUILD - `thorax audit`: every operation has its row and holds, in the same digits on every instruction set;
# what is asked for alone; what is no operation. The last line is "check_audit: N passed, N failed".
. test/cli.sh

expect 0 audit --quiet
[ "$(awk 'length > 80' "$work/out" | wc -l)" -eq 0 ]
pass "audit: 80 columns" $?
cp "$work/out" "$work/all"
for op in $(sed -n 's/^    \.name = "\(.*\)",$/\1/p' layers/*.c) relu relu6 sigmoid silu hardsigmoid hardswish; do
    grep -qE "^$op(, training)? .* good\$" "$work/all"
    pass "audit: $op has no row that is good" $?
done
[ "$(grep -c ' good$' "$work/all")" -eq "$(($(grep -o 'tx_op_[a-z0-9_]*' layers/layers.h | sort -u | wc -l) + 3))" ]
pass "audit: $(grep -c ' good$' "$work/all") rows, expected one an operation of layers.h and three of inference" $?
says "rows hold, on"

expect 0 audit batchnorm conv2d --json
for key in isa threads bad rows op mode cases result_ulp result_relative gradient_ulp gradient_relative slope_relative \
    tolerance slope_tolerance verdict; do
    says "\"$key\":"
done
[ "$(wc -l <"$work/out")" -eq 1 ] && [ "$(grep -o '"op":' "$work/out" | wc -l)" -eq 3 ]
pass "audit of two operations: $(cat "$work/out")" $?
says '"op":"batchnorm","mode":"training"'
says '"op":"batchnorm","mode":"inference"'
says '"op":"conv2d","mode":null'

# what is measured depends on bits alone
expect 0 audit --json --quiet --threads 1
sed 's/"isa":"[a-z0-9]*","threads":[0-9]*//' "$work/out" >"$work/own"
TX_ISA=portable
export TX_ISA
expect 0 audit --json --quiet --threads 3
unset TX_ISA
says '"isa":"portable"'
sed 's/"isa":"[a-z0-9]*","threads":[0-9]*//' "$work/out" >"$work/portable"
same "$work/own" "$work/portable"

one_line 2 audit cov2d
says "unknown operation 'cov2d', nearest is conv2d"
one_line 2 audit conv2d wobble
says "unknown operation 'wobble'"
one_line 2 audit --jason
done_testing
