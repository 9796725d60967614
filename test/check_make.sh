#!/bin/sh
# check_make.sh BUILD - what make says, and when it compiles a file again. The last line is
# "check_make: N passed, N failed".
. test/cli.sh
MAKE=${MAKE:-make}
unset MAKEFLAGS MFLAGS MAKELEVEL

# A compiler that notes what it is asked for.
cat >"$work/cc" <<'END'
#!/bin/sh
case "$*" in
*core/error.c*) echo "$*" >>"${0%/*}/compiled" ;;
esac
while [ $# -gt 0 ]; do
    [ "$1" = -o ] && : >"$2"
    shift
done
END
chmod +x "$work/cc"
make_it() { # ARGUMENT...
    : >"$work/compiled"
    $MAKE B="$work/b" CC="$work/cc" "$work/b/core/error.o" "$@" >"$work/out" 2>"$work/err"
    pass "make $*: $(cat "$work/err")" $?
}
compiles() { # TIMES ARGUMENT...
    times=$1
    shift
    make_it "$@"
    [ "$(wc -l <"$work/compiled")" -eq "$times" ]
    pass "make $*: compiled core/error.c $(wc -l <"$work/compiled") times, expected $times" $?
}
compiles 1
[ "$(cat "$work/out")" = "  CC    core/error.c" ]
pass "not one short line a file: $(cat "$work/out")" $?
compiles 0
compiles 1 OPT=-O1
compiles 0 OPT=-O1 EXTRA=-Werror
compiles 1 OMP=0
compiles 1 SAN=undefined B="$work/b"
rm "$work/b/core/error.o"
compiles 1 SAN=undefined B="$work/b" V=1
grep -q -- "-fsanitize=undefined .*-c -o .*error.o core/error.c" "$work/out"
pass "V=1 does not show the command: $(cat "$work/out")" $?
rm "$work/b/core/error.o"
compiles 1 -s
[ ! -s "$work/out" ]
pass "make -s says $(cat "$work/out")" $?

$MAKE help >"$work/out" 2>"$work/err"
pass "make help: $(cat "$work/err")" $?
for target in $(sed -n 's/^make  *\([a-z][a-z]*\) .*/\1/p' "$work/out"); do
    $MAKE -n "$target" >/dev/null 2>"$work/err"
    pass "make help names $target: $(cat "$work/err")" $?
done
[ -z "$(awk 'length > 80' "$work/out")" ]
pass "make help is wider than 80 columns: $(awk "length > 80" "$work/out")" $?

done_testing
