#!/bin/sh
# fuzz.sh [TARGET...] - feeds the readers of test/fuzz/ with damaged inputs, FUZZ_SECONDS (20) each, under the address and
# undefined-behaviour sanitizers. What is learnt stays in build/fuzz/TARGET/corpus; an input that fails is left in
# build/fuzz/TARGET/ and printed with the command that repeats it. The last line is "fuzz: N passed, N failed".
root=build/fuzz
seconds=${FUZZ_SECONDS:-20}
compiler=${FUZZ_CC:-clang}
passed=0
failed=0
mkdir -p $root

echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return n && *d ? 0 : 0; }' >$root/try.c
if ! "$compiler" -fsanitize=fuzzer,address,undefined -o $root/try $root/try.c >$root/try.log 2>&1; then
    echo "fuzz: skipped, $compiler -fsanitize=fuzzer does not work here ($(grep -m 1 -E 'error|not found' $root/try.log))"
    exit 0
fi
flags="-g -fno-omit-frame-pointer -fno-sanitize-recover=all"
build() { # OBJECT... with the flags in $extra
    make -s CC="$compiler" B=$root/lib OMP=0 OPT=-O1 EXTRA="$extra" "$@" >$root/build.log 2>&1 || { tail $root/build.log; exit 1; }
}
# The kernels read no files, and take long under a sanitizer: they have other flags, of which make is not to take notice.
rm -f $root/lib/flags
extra=
build $(ls core/kernels_*.c | sed "s:\(.*\)c$:$root/lib/\1o:")
rm -f $root/lib/flags
extra="$flags -fsanitize=fuzzer-no-link,address,undefined"
build $root/lib/thorax
objects=$(ls $root/lib/bench/*.o | grep -v '/main\.o$')

fuzz() { # TARGET CORPUS...
    name=$1
    shift
    dir=$root/$name
    mkdir -p $dir/corpus $dir/seeds
    if ! "$compiler" -std=c11 -O1 $flags -fsanitize=fuzzer,address,undefined -o $dir/$name test/fuzz/$name.c $objects \
        $root/lib/libthorax.a -lm 2>$dir/log; then
        cat $dir/log
        failed=$((failed + 1))
        return
    fi
    # Messages of the program under test go nowhere (2); those of the sanitizers reach the log all the same.
    if FUZZ_DIR=$dir $dir/$name -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=65536 -close_fd_mask=2 \
        -print_final_stats=1 -artifact_prefix=$dir/ $dir/corpus $dir/seeds "$@" >$dir/log 2>&1; then
        passed=$((passed + 1))
        echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' $dir/log) inputs"
    else
        failed=$((failed + 1))
        tail -n 40 $dir/log
        echo "FAILED: $name; FUZZ_DIR=$dir $dir/$name FILE repeats it"
    fi
}

for target in ${*:-image png inflate table safetensors torch json options checkpoint}; do
    case $target in
    image) fuzz image test/pixels test/odd ;;
    table) fuzz table ;;
    torch) fuzz torch test/pth ;;
    *) fuzz "$target" ;;
    esac
done
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ]
