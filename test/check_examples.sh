#!/bin/sh
# check_examples.sh BUILD [PREFIX] - a caller's side of the library: the programs of test/examples/ are compiled against
# installed headers and the library in BUILD, or what is installed in PREFIX, as C and where that is there as C++; each says
# by its exit status whether it has learned. README's program is one of them. The last line is "check_examples: N passed,
# N failed".
name=check_examples
build=$(cd "$1" && pwd)
dir=$build/examples
CC=${CC:-cc}
warn="-Wall -Wextra -Werror"
passed=0
failed=0
OMP_WAIT_POLICY=passive
export OMP_WAIT_POLICY

pass() { # TEXT STATUS
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$name: $1"
    fi
}
make_program() { # PROGRAM SOURCE
    # shellcheck disable=SC2086
    $CC -std=c11 $warn ${README_FLAGS:-} -I"$prefix/include" -o "$1" "$2" -L"$prefix/lib" -lthorax -lm >"$dir/err" 2>&1
}
run() { # PROGRAM ARGUMENT...
    "$@" >"$dir/out" 2>"$dir/err"
    pass "$* says: $(cat "$dir/out" "$dir/err")" $?
}

rm -rf "$dir"
mkdir -p "$dir/lib"
# Not into /dev/null: some compilers unlink what they write to, which root may.
echo 'int main(void){return 0;}' >"$dir/probe.c"
$CC $warn -o "$dir/probe" "$dir/probe.c" 2>/dev/null || warn=
if [ -n "${2:-}" ]; then
    prefix=$(cd "$2" && pwd)
    export LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
else
    prefix=$dir
    sh test/install.sh headers "$dir/include/thorax" && ln -s "$build/libthorax.a" "$dir/lib/"
    pass "headers cannot be installed" $?
fi

# ---- each header stands alone
for header in "$prefix"/include/thorax/*.h; do
    printf '#include <thorax/%s>\nint main(void)\n{\n    return 0;\n}\n' "${header##*/}" >"$dir/alone.c"
    make_program "$dir/alone" "$dir/alone.c"
    pass "<thorax/${header##*/}> alone: $(cat "$dir/err")" $?
done

# ---- from the line up: a later one may need what an earlier one has left
ladder="line xor brighter lenet predict residual"
[ "$(ls test/examples/*.c | wc -l)" -eq "$(echo "$ladder" | wc -w)" ]
pass "not all of test/examples/ is run" $?
! grep -n '#include "\.\.' test/examples/*
pass "an example needs the source tree" $?
cp test/examples/* "$dir"
cd "$dir" || exit 1
for program in $ladder; do
    make_program "./$program" $program.c
    pass "$program.c: $(cat err)" $?
    case $program in
    lenet | predict) run ./$program digits.safetensors ;;
    *) run ./$program ;;
    esac
done

# ---- what is no such file is refused with a message
printf x | dd of=digits.safetensors bs=1 seek=3 conv=notrunc 2>/dev/null
for file in digits.safetensors absent.safetensors; do
    ./predict $file >out 2>err
    [ $? -eq 1 ] && grep -q "^predict: .*$file" err
    pass "predict takes $file: $(cat out err)" $?
done
cd - >/dev/null || exit 1

# ---- README shows brighter.c as it is
sed -n '/^```c$/,/^```$/p' README.md | grep -v '^```' | cmp - test/examples/brighter.c
pass "README's program is not test/examples/brighter.c" $?

# ---- C++
cat >"$dir/own.cc" <<'END'
#include <thorax/thorax.h>

int main()
{
    tx_linear_args args = {};
    args.out = 2;
    tx_graph *g = tx_graph_new();
    tx_node *y = tx_relu(g, tx_linear(g, tx_input(g, 3, 1, 1), "fc", args));
    tx_weights *w = tx_weights_new(g, 0);
    tx_session_args how = {};
    how.batch = 1;
    tx_status status = tx_weights_init(w, 0);
    tx_session *s = tx_session_new(g, w, how);
    float out[2] = {-1, -1};
    if (status == TX_OK && tx_forward(s) == TX_OK)
        status = tx_session_value(s, y, out);
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
    return status == TX_OK && out[0] >= 0 && sizeof TX_VERSION > 1 ? 0 : 1;
}
END
flags=$(echo " ${README_FLAGS:-} " | sed 's/ -std=[^ ]* / /; s/ -Wstrict-prototypes / /; s/ -Wmissing-prototypes / /')
if echo 'int main() { return nullptr != nullptr; }' | $CC -std=c++11 $flags -x c++ -c -o "$dir/own.o" - 2>/dev/null; then
    $CC -std=c++11 $flags $warn -Wpedantic -I"$prefix/include" -x c++ -c -o "$dir/own.o" "$dir/own.cc" &&
        $CC $flags -o "$dir/own" "$dir/own.o" -L"$prefix/lib" -lthorax -lm
    pass "<thorax/thorax.h> is no C++" $?
    run "$dir/own"
fi
echo "$name: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
