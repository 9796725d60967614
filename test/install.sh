#!/bin/sh
# install.sh install DESTDIR PREFIX BUILD LINKFLAGS - copies what a user needs below DESTDIR/PREFIX, says where, and notes it
# in share/thorax/installed.txt. The version is bench/thorax.h's.
# install.sh uninstall DESTDIR PREFIX - removes what is noted there, and the folders that were made for it if they are empty.
# install.sh headers FOLDER - the public headers alone, without a note.
# A relative PREFIX is below the folder where make runs: what is installed must not depend on where it is used from.
set -e
umask 022

# ---- the public headers: those of the floors, all of them at once, and the check for an operation of one's own
headers="bench/thorax.h core/core.h core/op.h layers/layers.h nets/nets.h optim/optim.h io/io.h test/test.h test/layers_check.h"
# Installed they lie side by side, so includes lose their floors.
header() { # SOURCE
    sed 's:#include "\.\./[a-z]*/:#include ":' "$1"
}
if [ "$1" = headers ]; then
    mkdir -p "$2"
    for h in $headers; do header "$h" >"$2/${h##*/}"; done
    exit 0
fi

case $3 in
/*) prefix=$3 ;;
*) prefix=$PWD/$3 ;;
esac
root=$2$prefix
case $root in /*) ;; *) root=$PWD/$root ;; esac
notes=$root/share/thorax/installed.txt

# ---- what is there goes: all of an earlier version, too
uninstall() {
    roots=$(grep -c '^root$' "$notes") || :
    (cd "$root" && sed -n 's/^file //p' "$notes" | xargs rm -f)
    # Folders from the deepest on; those with something else in them stay.
    made=$(sed -n 's/^folder //p' "$notes" | sort -r)
    rm -f "$notes"
    (cd "$root" && echo "$made" | xargs rmdir 2>/dev/null) || :
    parent=$root
    while [ "$roots" -gt 0 ]; do
        rmdir "$parent" 2>/dev/null || break
        parent=$(dirname "$parent")
        roots=$((roots - 1))
    done
}
if [ "$1" = uninstall ]; then
    if [ ! -f "$notes" ]; then
        echo "nothing to uninstall: no $notes"
        exit 0
    fi
    echo "removing $(sed -n 's/^file //p' "$notes" | wc -l | tr -d ' ') files below $root"
    uninstall
    exit 0
fi
[ ! -f "$notes" ] || uninstall
version=$(sed -n 's/^#define TX_VERSION "\(.*\)"$/\1/p' bench/thorax.h)
[ -n "$version" ]

# ---- files, each noted before it is there
note() { # file|folder NAME
    if [ -d "${notes%/*}" ]; then echo "$1 $2" >>"$notes"; else first="$first$1 $2
"; fi
}
folder() { # NAME: with those above it, of which the missing ones are noted
    [ ! -d "$root/$1" ] || return 0
    case $1 in */*) folder "${1%/*}" ;; esac
    mkdir -p "$root/$1"
    note folder "$1"
}
begin() { # the root and what is missing above it
    parent=$root
    while [ ! -d "$parent" ]; do
        first="${first}root
"
        parent=$(dirname "$parent")
    done
    mkdir -p "$root"
}
put() { # MODE NAME [SOURCE]: without a source from standard input
    folder "${2%/*}"
    note file "$2"
    rm -f "$root/$2"
    cat "${3:--}" >"$root/$2"
    chmod "$1" "$root/$2"
    echo "  $root/$2"
}
first=
begin
folder share/thorax
printf '%s' "$first" >>"$notes"
echo "installing"
put 755 bin/thorax thorax
put 644 lib/libthorax.a libthorax.a
put 755 "lib/libthorax.so.$version" "$4/libthorax.so.0"
for link in libthorax.so.0 libthorax.so; do
    note file "lib/$link"
    ln -sf "libthorax.so.$version" "$root/lib/$link"
    echo "  $root/lib/$link -> libthorax.so.$version"
done
for h in $headers; do
    put 644 "include/thorax/${h##*/}" <<END
$(header "$h")
END
done
put 644 share/man/man1/thorax.1 <<END
$(sed "1s/ thorax / \"thorax $version\" /" bench/thorax.1)
END
put 644 share/doc/thorax/README.md README.md
put 644 share/doc/thorax/LICENSE LICENSE
put 644 lib/pkgconfig/thorax.pc <<END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: Thorax
Description: deep learning in plain C with the same bits everywhere
Version: $version
Libs: -L\${libdir} -lthorax
Libs.private: -lm $5
Cflags: -I\${includedir}
END
completion() { # SHELL NAME: where the program runs, as one for another machine does not
    script=$(./thorax completion "$1" 2>/dev/null) || return 0
    put 644 "$2" <<END
$script
END
}
completion bash share/bash-completion/completions/thorax
completion zsh share/zsh/site-functions/_thorax
completion fish share/fish/vendor_completions.d/thorax.fish
for preset in bench/presets/*.txt; do
    put 644 "share/thorax/presets/${preset##*/}" "$preset"
done
sample=nih-sample-128
(cd bench && find $sample -type d) | sed 's:^:folder share/thorax/:' >>"$notes"
(cd bench && find $sample -type f) | sed 's:^:file share/thorax/:' >>"$notes"
cp -R bench/$sample "$root/share/thorax/"
echo "  $root/share/thorax/$sample/ ($(find bench/$sample -type f | wc -l | tr -d ' ') files)"
echo "  $notes"
