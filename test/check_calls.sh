#!/bin/sh
# Run by make test: every function that a public header declares is called wrongly in test/library_calls.c or
# test/library_files.c.
passed=0
failed=0
declared() { # HEADER: the names of the functions in it, comments and types of functions left out
    awk '{ line = $0; out = ""
           while (line != "") {
               if (inside) { p = index(line, "*/"); if (!p) line = ""; else { line = substr(line, p + 2); inside = 0 } }
               else { p = index(line, "/*"); if (!p) { out = out line; line = "" }
                      else { out = out substr(line, 1, p - 1); line = substr(line, p + 2); inside = 1 } }
           }
           print out }' "$1" |
        grep -vE '^ *(typedef|#)' | grep -oE '(^|[ *])tx_[a-z0-9_]+\(' | grep -oE 'tx_[a-z0-9_]+' | sort -u
}
for header in core/core.h core/op.h layers/layers.h nets/nets.h optim/optim.h io/io.h; do
    names=$(declared $header)
    [ "$(echo "$names" | wc -l)" -ge 5 ] || { echo "$header declares next to nothing: $names"; failed=$((failed + 1)); }
    for name in $names; do
        if cat test/library_*.c | grep -qE "(^|[^_a-z0-9])$name\("; then
            passed=$((passed + 1))
        else
            echo "$name of $header is called wrongly in no test/library_*.c"
            failed=$((failed + 1))
        fi
    done
done
echo "check_calls: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
