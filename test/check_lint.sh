#!/bin/sh
# Run by make test: lint.sh on the sources, circles.sh on small trees whose circles are known.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
top=$PWD

plant() { # FILE TEXT: compiled where it is a source
    printf '%b\n' "$2" >"$work/$1"
    case $1 in *.c) ${CC:-cc} -c -o "$work/o/${1%.c}.o" "$work/$1" || exit 1 ;; esac
}
circles() { # LINES FILES WHAT: so many circles are reported, of these files
    (cd "$work" && sh "$top/test/circles.sh" o) >"$work/out" 2>"$work/err"
    got=$(sed -n -e 's/^need each other: //' -e 's/;.*//p' "$work/out" | tr ' ' '\n' | sort | tr '\n' ' ')
    if [ "$(wc -l <"$work/out")" -eq "$1" ] && [ "$got" = "${2:+$2 }" ] && [ ! -s "$work/err" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "check_lint: $3: expected $1 circles of '$2', found:"
        cat "$work/out" "$work/err"
    fi
}
for floor in core layers nets optim io bench; do mkdir -p "$work/$floor" "$work/o/$floor"; done
mkdir "$work/core/kernels"

plant core/a.c 'int b(void);\nint a(void);\nint a(void) { return b(); }'
plant core/b.c 'extern int c;\nint b(void);\nstatic int a(void) { return 1; }\nint b(void) { return c + a(); }'
plant io/c.c '#include <string.h>\nint c;\nsize_t count(const char *s);\nsize_t count(const char *s) { return strlen(s); }'
plant core/p.h '#include "kernels/q.h"'
plant core/kernels/q.h '#include <stdio.h>'
circles 0 '' 'a chain, and a static function of another file'"'"'s name'
plant core/kernels/q.h '#include "../p.h"'
circles 1 'core/kernels/q.h core/p.h' 'two headers'
plant core/kernels/q.h ''
plant io/c.c 'int a(void);\nint c;\nint back(void);\nint back(void) { return a(); }'
circles 1 'core/a.c core/b.c io/c.c' 'three files, a function or an object each'
plant bench/d.c 'int d(void);\nint e(void);\nint d(void) { return e(); }'
plant bench/e.c 'int d(void);\nint e(void);\nint e(void) { return d(); }'
circles 2 'bench/d.c bench/e.c core/a.c core/b.c io/c.c' 'two circles'
rm "$work/io/c.c" "$work/bench/e.c"
circles 0 '' 'objects whose source is gone'
rm -r "$work/o"
(cd "$work" && sh "$top/test/circles.sh" o) 2>&1 | grep -q 'no objects'
if [ $? -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "check_lint: that there are no objects is not said"; fi

sh test/lint.sh "$1" >"$work/out" 2>&1
grep -v '^lint: ' "$work/out"
sum=$(sed -n 's/^lint: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$work/out")
[ "$sum" ] || sum="0 1"
passed=$((passed + ${sum% *}))
failed=$((failed + ${sum#* }))
echo "check_lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
