#!/bin/sh
# bits.sh - writes test/bits.txt anew, for a change of bits that is wanted, or a network that has come. The commit shows the
# lines and says why.
cd "$(dirname "$0")/.." || exit 1
# Sixteen threads on few processors: those that wait must not spin.
export OMP_WAIT_POLICY=passive
make "build/test/graph_bits" || exit 1
build/test/graph_bits print >build/bits.txt || exit 1
mv build/bits.txt test/bits.txt
git diff --stat -- test/bits.txt 2>/dev/null
exit 0
