# cli.sh - what the scripts share that test the program as people meet it: read by them with `.`, their $1 is the build.
# Gives $thorax, a folder $work that goes in the end, checks that count, a small dataset $data and an $image.
name=$(basename "$0" .sh)
thorax=$1/thorax
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
OMP_WAIT_POLICY=passive
export OMP_WAIT_POLICY

pass() { # TEXT STATUS
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo >>"$work/failed" # also in a pipe's process, whose counts are its own
        echo "$name: $1"
        [ -z "${TEST_STOPS:-}" ] || exit 1
    fi
}

# Runs the program and compares its exit status; a failure before work begins must be one line alone.
expect() { # STATUS ARGUMENT...
    wanted=$1
    shift
    "$thorax" "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" -eq "$wanted" ]
    pass "thorax $*: exit status $got, expected $wanted: $(head -n 1 "$work/err")" $?
}
one_line() { # STATUS ARGUMENT...
    expect "$@"
    [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ]
    pass "thorax $*: not one line alone" $?
}
says() { # TEXT: in what the last command printed
    grep -qF -- "$1" "$work/out" "$work/err"
    pass "'$1' is not in the answer: $(cat "$work/err")" $?
}
same() { # FILE FILE
    cmp -s "$1" "$2"
    pass "$1 and $2 differ" $?
}

# ---- a small dataset: tables of a few rows over the sample's images
sample=$PWD/bench/nih-sample-128
data=$work/data
mkdir "$data"
for split in train valid test; do
    ln -s "$sample/$split" "$data/$split"
done
head -n 41 "$sample/train.csv" >"$data/train.csv"
head -n 31 "$sample/valid.csv" >"$data/valid.csv"
head -n 13 "$sample/test.csv" >"$data/test.csv"
image=$(find "$sample/test" -name '*.jpg' | sort | head -n 1)

done_testing() {
    [ ! -e "$work/failed" ] || [ "$failed" -gt 0 ] || failed=$(wc -l <"$work/failed")
    echo "$name: $passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
