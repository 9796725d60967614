#!/bin/sh
# check_moves.sh BUILD - the checkers of pixels, statistics and random streams themselves: a value moved by a few times its
# tolerance fails exactly one row, by a part of it none. (Networks and operators: golden_moves.c.)
build=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

counts() { # FAILED WHAT CHECKER ARGUMENT: the checker's last line must count so many failed rows
    "$build/$3" "$4" >"$work/out" 2>/dev/null
    status=$?
    if tail -n 1 "$work/out" | grep -q ", $1 failed\$" && [ "$status" -eq "$([ "$1" -eq 0 ] && echo 0 || echo 1)" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "check_moves: $3, $2 moved: $(tail -n 1 "$work/out"), exit status $status, expected $1 failed"
    fi
}

# ---- pixels: the mode, the sides and the hash of a decoded and of a resized picture
mkdir "$work/pixels"
for file in test/pixels/*; do
    ln -s "$PWD/$file" "$work/pixels/"
done
for what in decode resize; do
    for field in 3 4 5 7; do
        rm "$work/pixels/expected.csv"
        awk -F, -v OFS=, -v what=$what -v field=$field '
            $1 == what && $2 ~ /jpg$/ && !moved {
                moved = 1
                $field = field == 3 ? ($3 == "L" ? "RGB" : "L") : field < 6 ? $field + 1 : substr($7, 2) ($7 ~ /^0/ ? "1" : "0")
            }
            { print }' test/pixels/expected.csv >"$work/pixels/expected.csv"
        counts 1 "$what, field $field" pixels "$work/pixels"
    done
done

# ---- what is not known is skipped, and where that is all there is, it is said
nothing() { # CHECKER ARGUMENT
    "$build/$1" "$2" >"$work/out" 2>"$work/err"
    status=$?
    if [ "$status" -eq 0 ] && tail -n 1 "$work/out" | grep -q ' 0 values compared, [1-9][0-9]* skipped, 0 failed$' &&
        grep -q "^$1: nothing was compared" "$work/err"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "check_moves: $1 $2: exit status $status: $(tail -n 1 "$work/out") $(cat "$work/err")"
    fi
}
mkdir "$work/new"
printf 'what,file,mode,width,height,filter,sha256\ndecode,a.gif,L,1,1,-,0\n' >"$work/new/expected.csv"
printf 'GIF89a' >"$work/new/a.gif"
nothing pixels "$work/new"

# ---- statistics: every column of both tables, in the first row where it is a number and in the first where it is nan
mkdir "$work/stats"
for file in test/stats/*; do
    ln -s "$PWD/$file" "$work/stats/"
done
move_column() { # TABLE COLUMN number|nan SHARE FAILED
    rm "$work/stats/$1"
    awk -F, -v OFS=, -v c="$2" -v kind="$3" -v share="$4" '
        NR == 1 { whole = $c == "positives" || $c == "negatives" || $c == "n" }
        NR > 1 && !moved && ($c == "nan") == (kind == "nan") {
            moved = 1
            size = $c < -1 ? -$c : $c > 1 ? $c : 1
            $c = kind == "nan" ? "0.5" : whole ? $c + 1 : sprintf("%.17g", $c + share * 1e-12 * size)
        }
        { print }' "test/stats/$1" >"$work/stats/$1"
    cmp -s "test/stats/$1" "$work/stats/$1" || counts "$5" "$1, column $2 ($3)" stats "$work/stats"
    rm "$work/stats/$1"
    ln -s "$PWD/test/stats/$1" "$work/stats/$1"
}
for table in expected.csv ranks.csv; do
    columns=$(head -n 1 "test/stats/$table" | tr ',' '\n' | wc -l)
    column=2
    while [ "$column" -le "$columns" ]; do
        move_column "$table" "$column" number 3 1
        move_column "$table" "$column" nan 0 1
        column=$((column + 1))
    done
done
move_column expected.csv 4 number 0.5 0

# ---- random streams and filled values: every field of the first line of each kind
for word in rng seed1 filled; do
    fields=$(awk -v word=$word '$1 == word { print NF; exit }' test/golden/rng.txt)
    field=$([ $word = filled ] && echo 4 || echo 3)
    while [ "$field" -le "$fields" ]; do
        awk -v word=$word -v field="$field" '
            $1 == word && !moved {
                moved = 1
                share = word == "filled" && field > NF - 2 ? 3e-12 : 1e-6
                hex = length($field) == 16 && $field ~ /^[0-9a-f]*$/
                $field = hex ? substr($field, 1, 15) ($field ~ /0$/ ? "1" : "0") : sprintf("%.17g", $field * (1 + share))
            }
            { print }' test/golden/rng.txt >"$work/rng.txt"
        counts 1 "$word, field $field" golden "$work/rng.txt"
        field=$((field + 1))
    done
done

echo "check_moves: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
