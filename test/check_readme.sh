#!/bin/sh
# check_readme.sh BUILD - README's program of a user's own network is compiled against installed headers and trained.
build=$1
dir=$build/readme
rm -rf "$dir"
mkdir -p "$dir/thorax"
for h in core layers nets optim io; do
    sed 's:#include "\.\./[a-z]*/:#include ":' "$h/$h.h" >"$dir/thorax/$h.h"
done
sed -n '/^```c$/,/^```$/p' README.md | grep -v '^```' >"$dir/own.c"
if [ -s "$dir/own.c" ] && ${CC:-cc} -std=c11 -I"$dir" ${README_FLAGS:-} -o "$dir/own" "$dir/own.c" "$build/libthorax.a" -lm &&
    "$dir/own"; then
    echo "readme: 1 passed, 0 failed"
else
    echo "readme: 0 passed, 1 failed"
    exit 1
fi
