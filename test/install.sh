#!/bin/sh
# install.sh DESTDIR PREFIX VERSION BUILD LINKFLAGS - copies what a user needs below DESTDIR/PREFIX.
set -e
root=$1$2
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
prefix=$2
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: Thorax
Description: deep learning in plain C with the same bits everywhere
Version: $3
Libs: -L\${libdir} -lthorax
Libs.private: -lm $5
Cflags: -I\${includedir}
END
