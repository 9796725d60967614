#!/bin/sh
# run.sh BUILD TEST... - runs these test programs and, unless PROGRAMS asks for them alone, the checkers on their fixtures
# and the scripts, as many at a time as there are processors; each says a line as it ends, or, failed, all that it
# printed; the last line is the sum. A program says "NAME: N passed, N failed"; one that dies before it says so counts as a
# failure.
#
#     run.sh one OUT COMMAND...    one of them: what it prints in OUT, how many passed and failed in OUT.sum

# Prints the line or the whole of $out, and counts.
count() { # STATUS COMMAND
    # A checker's last line becomes the form of the others.
    name=${2%% *}
    line=$(sed -n -e 's/^[0-9]* files, \([0-9]*\) values compared, [0-9]* skipped, \([0-9]*\) failed$/'"${name##*/}"': \1 passed, \2 failed/' \
        -e '/^[A-Za-z0-9_]*: [0-9]* passed, [0-9]* failed/p' "$out" | tail -n 1)
    p=$(printf '%s' "$line" | sed -n 's/.*: \([0-9]*\) passed.*/\1/p')
    f=$(printf '%s' "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
    if [ -z "$line" ]; then
        p=0 f=1
    elif [ "$1" -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    echo "$p $f" >"$out.sum"
    if [ "$f" -ne 0 ]; then
        cat "$out"
        echo "FAILED: $2 (exit status $1)"
    else
        echo "$line"
    fi
}
if [ "$1" = one ]; then
    out=$2
    shift 2
    "$@" >"$out" 2>&1
    status=$?
    # Who prints keeps the others from it.
    until mkdir "${out%/*}/prints" 2>/dev/null; do :; done
    count $status "$*"
    rmdir "${out%/*}/prints"
    exit 0
fi
build=$1
# Threads that spin while they wait take the cores from each other.
export OMP_WAIT_POLICY=passive
# What the references are run on.
doubles="test/golden/*.txt"
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
*/address*)
    # Sizes that no memory holds are asked for, too: an error, as from any other allocator.
    export ASAN_OPTIONS="allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
    # Checked loops on doubles take minutes for a network: its beginning is made of the same operations.
    doubles="test/golden/op_*.txt test/golden/*-[23]_*.txt"
    ;;
esac
out=$build/test.out
rm -rf "$out"
mkdir -p "$out"

# ---- all of them, a line each; the scripts take longest and begin first
commands() {
    for t in "$@"; do echo "$build/test/$t"; done
    [ "${PROGRAMS:-}" ] && return
    [ -d test/golden ] && echo "$build/golden" test/golden/*.txt && echo "$build/golden --reference" $doubles
    for folder in test/pixels test/odd; do [ -d $folder ] && echo "$build/pixels $folder"; done
    [ -d test/stats ] && echo "$build/stats test/stats"
    [ -d test/weights ] && echo "$build/weights test/weights --data bench/nih-sample-128"
    for script in test/check_*.sh; do echo "sh $script $build"; done
}
commands "$@" | awk '{ print NR, $0 }' >"$out/all"
echo "running $(awk 'END { print NR }' "$out/all") programs, each says a line as it ends"
several="-P $(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)"
echo true | xargs -L 1 $several sh -c 2>/dev/null || several= # POSIX has no -P
sort -rn "$out/all" | sed "s:^:$out/:" | xargs -L 1 $several sh "$0" one || exit 1

# ---- the sum, in which a program without one has failed
cat "$out"/*.sum | awk -v all="$(awk 'END { print NR }' "$out/all")" '
    { passed += $1; failed += $2 }
    END { failed += all - NR; print passed + 0 " passed, " failed + 0 " failed"; exit failed > 0 }'
status=$?
rm -rf "$out"
exit $status
