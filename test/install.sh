#!/bin/sh
# install.sh DESTDIR PREFIX VERSION BUILD LINKFLAGS - copies what a user needs below DESTDIR/PREFIX.
# A relative PREFIX is below the folder where make runs: what is installed must not depend on where it is used from.
set -e
case $2 in
/*) prefix=$2 ;;
*) prefix=$PWD/$2 ;;
esac
root=$1$prefix
mkdir -p "$root/bin" "$root/lib/pkgconfig" "$root/include/thorax" "$root/share/man/man1" "$root/share/thorax"
cp thorax "$root/bin/"
cp libthorax.a "$root/lib/"
cp "$4/libthorax.so.0" "$root/lib/libthorax.so.$3"
ln -sf "libthorax.so.$3" "$root/lib/libthorax.so.0"
ln -sf libthorax.so.0 "$root/lib/libthorax.so"
# Installed headers lie side by side, so includes lose their floors.
for h in core layers nets optim io; do
    sed 's:#include "\.\./[a-z]*/:#include ":' "$h/$h.h" >"$root/include/thorax/$h.h"
done
cp bench/thorax.1 "$root/share/man/man1/"
cp -R bench/nih-sample-128 "$root/share/thorax/"
cat >"$root/lib/pkgconfig/thorax.pc" <<END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: Thorax
Description: deep learning in plain C with the same bits everywhere
Version: $3
Libs: -L\${libdir} -lthorax
Libs.private: -lm $5
Cflags: -I\${includedir}
END
