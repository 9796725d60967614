#!/bin/sh
# symbols.sh BUILD - the objects compiled for one instruction set may define their table and nothing else that the linker
# sees: an inline function that leaked from one of them could be chosen for a machine that lacks its instructions.
passed=0
failed=0
for o in "$1"/core/kernels_*.o; do
    extra=$(nm -g --defined-only "$o" | awk '{print $3}' | grep -vE '^_?tx_kernels_[a-z0-9]+$')
    if [ -n "$extra" ]; then
        failed=$((failed + 1))
        echo "$o also defines:" $extra
    else
        passed=$((passed + 1))
    fi
done
echo "symbols: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
