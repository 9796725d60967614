#!/bin/sh
# lint.sh [BUILD] - what a reader relies on and no compiler checks: no include points up the floors, no two files need each
# other (circles.sh, by the objects in BUILD, else build), no libm function but the exact ones reaches a result, no OpenMP
# outside core, the library neither exits nor prints, every operation's file has its headings.
# Prints each offence; the last line is "lint: N passed, N failed".
passed=0
failed=0

verdict() { # TEXT OFFENCES
    if [ -n "$2" ]; then
        failed=$((failed + 1))
        echo "$1:"
        echo "$2" | head -n 10
    else
        passed=$((passed + 1))
    fi
}

includes() { # FLOOR FORBIDDEN-FLOORS
    grep -nE "#[[:space:]]*include[[:space:]]*\"(\.\./)?($2)/" "$1"/*.c "$1"/*.h 2>/dev/null
}
verdict "core includes a higher floor" "$(includes core 'layers|nets|optim|io|bench')"
verdict "layers includes a higher floor" "$(includes layers 'nets|optim|io|bench')"
verdict "nets includes what is not below it" "$(includes nets 'optim|io|bench')"
verdict "optim includes what is not below it" "$(includes optim 'io|nets|bench|layers')"
verdict "io includes what is not below it" "$(includes io 'optim|nets|bench|layers')"
verdict "a floor uses another's private header" "$(grep -nE '#[[:space:]]*include[[:space:]]*"\.\./' core/*.[ch] layers/*.[ch] nets/*.[ch] optim/*.[ch] io/*.[ch] bench/*.[ch] |
    grep -vE '"\.\./(core/core|core/op|layers/layers|nets/nets|optim/optim|io/io)\.h"')"
verdict "a circle of files" "$(sh test/circles.sh "${1:-build}")"

# Comments and strings may name what code may not call.
code() {
    for f in "$@"; do
        sed -e 's/"\([^"\\]\|\\.\)*"/""/g' -e 's://.*$::' "$f" |
            awk -v f="$f" '{ line = $0; out = ""; while (line != "") { if (inside) { p = index(line, "*/"); if (!p) { line = "" } else { line = substr(line, p + 2); inside = 0 } } else { p = index(line, "/*"); if (!p) { out = out line; line = "" } else { out = out substr(line, 1, p - 1); line = substr(line, p + 2); inside = 1 } } } print f ":" NR ": " out }'
    done
}
all=$(code core/*.[ch] core/*/*.h layers/*.[ch] nets/*.[ch] optim/*.[ch] io/*.[ch] bench/*.[ch])
library=$(code core/*.[ch] core/*/*.h layers/*.[ch] nets/*.[ch] optim/*.[ch] io/*.[ch])
verdict "a libm function that is not exact" "$(echo "$all" |
    grep -E '(^|[^_[:alnum:]])(exp|log|log2|log10|pow|sin|cos|tan|asin|acos|atan|atan2|tanh|sinh|cosh|erf|erfc|exp2|expm1|log1p|cbrt|hypot|tgamma|lgamma|fmod|remainder)[fl]?[[:space:]]*\(')"
verdict "OpenMP outside core" "$(echo "$all" | grep -vE '^core/' | grep -E '#[[:space:]]*pragma[[:space:]]+omp')"
verdict "sums in the order of threads" "$(echo "$all" |
    grep -E '#[[:space:]]*pragma[[:space:]]+omp.*reduction|#[[:space:]]*pragma[[:space:]]+omp[[:space:]]+(atomic|critical)')"
verdict "the library exits, prints or starts a program" "$(echo "$library" |
    grep -E '(^|[^_[:alnum:]])(exit|_exit|abort|printf|puts|putchar|perror|system|popen)[[:space:]]*\(')"
verdict "an allocation that does not go through core" "$(echo "$all" | grep -v '^core/memory.c' |
    grep -E '(^|[^_[:alnum:]])(malloc|calloc|realloc|strdup|aligned_alloc|posix_memalign)[[:space:]]*\(')"
verdict "what computes asks for the machine of the moment, not for its plan's" "$(echo "$all" |
    grep -E '^(core/(gemm|winograd|channel)\.c|layers/)' | grep -E 'tx_(threads|kernels_now|machine_now|parallel_for)[[:space:]]*\(')"
missing=
for f in $(grep -lE '^const tx_op ' layers/*.c); do
    for heading in SHAPES FORWARD BACKWARD NUMERICS MEMORY SOURCE TESTS; do
        grep -q "^ \* $heading " "$f" || missing="$missing$f lacks $heading
"
    done
done
verdict "an operation without its explanation" "$missing"
[ -f test/mutants.sh ] && verdict "a mutant whose text is not there" "$(sh test/mutants.sh part stale)"
echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
