#!/bin/sh
# check_install.sh BUILD - what install puts somewhere it lists, and uninstall takes away: that and nothing else. The last
# line is "check_install: N passed, N failed".
. test/cli.sh

tree=$work/tree
small=$tree/bench/nih-sample-128
mkdir -p "$small" "$work/so"
ln -s "$PWD/test" "$PWD/core" "$PWD/layers" "$PWD/nets" "$PWD/optim" "$PWD/io" "$PWD/README.md" "$PWD/LICENSE" "$tree"
cp -R bench/thorax.1 bench/presets "$tree/bench"
# A sample of few images is as good.
for split in train valid test; do
    cp "$data/$split.csv" "$small"
    sed -n 's:^[^/]*/\(.*/\)[^/]*\.jpg,.*:\1:p' "$data/$split.csv" | sort -u | while read -r study; do
        mkdir -p "$small/$study"
        cp "$sample/$study"* "$small/$study"
    done
done
cp "$thorax" "$tree/thorax"
touch "$tree/libthorax.a" "$work/so/libthorax.so.0"
install() { # DESTDIR PREFIX VERSION
    sed "s/^\(#define TX_VERSION\) .*/\1 \"$3\"/" bench/thorax.h >"$tree/bench/thorax.h"
    (cd "$tree" && sh test/install.sh install "$1" "$2" "$work/so" "-fopenmp") >"$work/out" 2>"$work/err"
    pass "install to '$1' '$2': $(cat "$work/err")" $?
}
uninstall() { # DESTDIR PREFIX
    (cd "$tree" && sh test/install.sh uninstall "$1" "$2") >"$work/out" 2>"$work/err"
    pass "uninstall from '$1' '$2': $(cat "$work/err")" $?
}
gone() { # FOLDER
    [ ! -e "$1" ]
    pass "left behind: $(find "$1" 2>&1 | head -n 3)" $?
}

# ---- everything is listed
prefix="$work/a place/own"
install "" "$prefix" 1.2.3
(cd "$prefix" && find . -type f -o -type l) | sed 's:^\./::' | grep -v '^share/thorax/nih-sample-128/' | sort >"$work/there"
sed -n "s:^  $prefix/\([^ ]*\).*:\1:p" "$work/out" | grep -v '/$' | sort >"$work/listed"
same "$work/there" "$work/listed"
for file in bin/thorax lib/libthorax.a lib/libthorax.so.1.2.3 include/thorax/thorax.h include/thorax/layers_check.h share/man/man1/thorax.1 \
    share/doc/thorax/README.md share/doc/thorax/LICENSE share/bash-completion/completions/thorax; do
    grep -qx "$file" "$work/listed"
    pass "$file is not installed" $?
done
grep -q '#include "\.\.' "$prefix"/include/thorax/*.h
[ $? -eq 1 ]
pass "an installed header includes one of another floor" $?
grep -qx '#define TX_VERSION "1.2.3"' "$prefix/include/thorax/thorax.h" && grep -qx "Version: 1.2.3" "$prefix/lib/pkgconfig/thorax.pc" &&
    head -n 1 "$prefix/share/man/man1/thorax.1" | grep -q '^\.TH THORAX 1 [0-9-]* "thorax 1\.2\.3" "User Commands"$'
pass "not one version: $(head -n 1 "$prefix/share/man/man1/thorax.1")" $?
version=$("$thorax" --version | sed 's/.* //')
elsewhere=$(grep -rlF -- "$version" Makefile README.md core layers nets optim io bench/*.[ch1] bench/README.md test/*.sh test/*.[ch] | grep -vx bench/thorax.h)
[ -n "$version" ] && [ -z "$elsewhere" ]
pass "the version stands elsewhere, too: $elsewhere" $?
says "share/thorax/nih-sample-128/ ($(find "$small" -type f | wc -l) files)"
(cd / && "$prefix/bin/thorax" train --net resnet18 --cut 3 --size 8 --limit 8 --dry-run --quiet) >"$work/out" 2>&1
pass "the installed program does not find its sample: $(cat "$work/out")" $?

(cd / && "$prefix/bin/thorax" study --preset paper --list --out x) >"$work/out" 2>&1
pass "the installed program does not find its presets: $(cat "$work/out")" $?

# ---- another version takes the place of the first, and goes; what a user put beside it stays
install "" "$prefix" 1.2.4
[ ! -e "$prefix/lib/libthorax.so.1.2.3" ] && [ -e "$prefix/lib/libthorax.so.1.2.4" ] && [ -L "$prefix/lib/libthorax.so" ]
pass "two versions of the library" $?
echo mine >"$prefix/share/thorax/mine"
uninstall "" "$prefix"
[ "$(cd "$prefix" && find . -type f)" = ./share/thorax/mine ]
pass "not what was there before alone: $(find "$prefix")" $?
rm -r "$work/a place"
install "" "$prefix" 0
uninstall "" "$prefix"
gone "$work/a place"

# ---- folders that were there stay
mkdir -p "$work/old/lib"
install "" "$work/old" 0
uninstall "" "$work/old"
[ "$(cd "$work/old" && find . | sort | tr '\n' ' ')" = ". ./lib " ]
pass "not the folders that were there before: $(find "$work/old")" $?
uninstall "" "$work/old"
says "nothing to uninstall"

# ---- where a package is made, and a relative folder: what is written into thorax.pc holds from everywhere
install "$work/stage" /usr 0
grep -qx "prefix=/usr" "$work/stage/usr/lib/pkgconfig/thorax.pc" && grep -q "^Libs.private: .*-fopenmp" "$work/stage/usr/lib/pkgconfig/thorax.pc"
pass "thorax.pc: $(cat "$work/stage/usr/lib/pkgconfig/thorax.pc")" $?
uninstall "$work/stage" /usr
gone "$work/stage"
install "" own 0
grep -q "^prefix=/.*/tree/own\$" "$tree/own/lib/pkgconfig/thorax.pc"
pass "a relative PREFIX stays relative in thorax.pc" $?
uninstall "" own
gone "$tree/own"

done_testing
