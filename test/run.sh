#!/bin/sh
# run.sh BUILD TEST... - runs every test program and the checkers on their fixtures; the last line is the sum.
# A program says "NAME: N passed, N failed"; one that dies before it says so counts as a failure.
build=$1
# Threads that spin while they wait take the cores from each other.
export OMP_WAIT_POLICY=passive
shift
# The thread sanitizer cannot see into OpenMP's runtime; where libarcher does not tell it of barriers, all it finds is false.
case $build in
*/thread)
    archer=$($CC -print-resource-dir 2>/dev/null)/../../libarcher.so
    if [ ! -f "$archer" ]; then
        echo "skipped: the OpenMP of $CC does not tell the thread sanitizer of its barriers (clang with libarcher does)"
        echo "0 passed, 0 failed"
        exit 0
    fi
    export OMP_TOOL_LIBRARIES="$archer" OMP_NUM_THREADS=2
    export TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1"
    ;;
esac
passed=0
failed=0
out=$build/test.out

count() { # NAME STATUS
    line=$(grep -E '^[A-Za-z0-9_]+: [0-9]+ passed, [0-9]+ failed' "$out" | tail -n 1)
    p=$(printf '%s' "$line" | sed -n 's/.*: \([0-9]*\) passed.*/\1/p')
    f=$(printf '%s' "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
    if [ -z "$line" ]; then
        p=0 f=1
    elif [ "$2" -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    passed=$((passed + p))
    failed=$((failed + f))
    if [ "$f" -ne 0 ]; then
        cat "$out"
        echo "FAILED: $1 (exit status $2)"
    else
        echo "$line"
    fi
}

checker() { # NAME ARGUMENT...: a checker's last line becomes the form above
    name=$1
    shift
    "$build/$name" "$@" >"$out" 2>&1
    status=$?
    sed -n 's/^\([0-9]*\) files, \([0-9]*\) values compared, \([0-9]*\) skipped, \([0-9]*\) failed$/'"$name"': \2 passed, \4 failed/p' \
        "$out" >>"$out.sum"
    cat "$out.sum" >>"$out"
    rm -f "$out.sum"
    count "$name $*" $status
}

for t in "$@"; do
    "$build/test/$t" >"$out" 2>&1
    count "$t" $?
done
[ -d test/golden ] && checker golden test/golden/*.txt && checker golden --reference test/golden/*.txt
[ -d test/pixels ] && checker pixels test/pixels
[ -d test/stats ] && checker stats test/stats
for script in test/check_*.sh; do
    [ -f "$script" ] || continue
    sh "$script" "$build" >"$out" 2>&1
    count "$script" $?
done
rm -f "$out"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
