#!/bin/sh
# Run by make test: every function that a public header declares is called wrongly in some
# test/library_*.c, and each pointer that it takes has been NULL there.
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

# ---- pointers that were never NULL: functions and their arguments from the headers, calls from the tests
# Of these arguments NULL is a value like any other.
may="tx_isa_select:0 tx_gemm_gradients:5 tx_gemm_gradients:6 tx_channel_max_pool:2 tx_depthwise_gradient:6 tx_depthwise_gradient:7"
never=$(for header in core/core.h core/op.h layers/layers.h nets/nets.h optim/optim.h io/io.h; do
    sed 's:^ *#.*::' $header
done | cat - test/library_*.c | awk -v may="$may" -v names=$((passed + failed)) '
    # Where the bracket that is open at `at` of s closes; part[0..parts) is what stands between the commas within.
    function arguments(s, at,    c, depth) {
        parts = 0
        part[0] = ""
        for (depth = 1; at <= length(s); at++) {
            c = substr(s, at, 1)
            if (c ~ /[([{]/) depth++
            if (c ~ /[])}]/ && --depth == 0) return at
            if (c == "," && depth == 1) part[++parts] = ""
            else part[parts] = part[parts] c
        }
        return at
    }
    { gsub(/"([^"\\]|\\.)*"/, "\"\""); gsub(/\047[^\047]*\047/, "0"); text = text $0 "\n" }
    END {
        while ((p = index(text, "/*")) && (q = index(substr(text, p), "*/")))
            text = substr(text, 1, p - 1) " " substr(text, p + q + 1)
        n = split(may, m, " ")
        for (i = 1; i <= n; i++) null[m[i]] = 1
        for (rest = text; match(rest, /\*[a-z0-9_]+ = NULL/); rest = substr(rest, RSTART + RLENGTH))
            void[substr(rest, RSTART + 1, RLENGTH - 8)] = 1
        void["NULL"] = 1
        # A declaration comes before the calls; what stands before its name is a type.
        while (match(text, /[^a-zA-Z0-9_]tx_[a-z0-9_]+\(/)) {
            before = substr(text, 1, RSTART)
            name = substr(text, RSTART + 1, RLENGTH - 2)
            text = substr(text, RSTART + RLENGTH)
            end = arguments(text, 1)
            if (!(name in known) && before ~ /[a-z0-9_][ *]+$/ && before !~ /(typedef|return)[^;]*$/ && substr(text, end + 1) ~ /^[ \n]*(TX_PRINTF\([^)]*\))?;/) {
                known[name] = parts + 1
                for (i = 0; i <= parts; i++) declared[name, i] = part[i]
            } else
                for (i = 0; i <= parts; i++) {
                    gsub(/[ \n]/, "", part[i])
                    if (part[i] in void) null[name ":" i] = 1
                }
        }
        for (name in known) count++
        if (count != names) print count + 0, "declarations are read of", names
        for (name in known)
            for (i = 0; i < known[name]; i++)
                if (declared[name, i] ~ /[*[]|tx_task|tx_stored_fill|tx_name_at/ && name !~ /_free$/ && !((name ":" i) in null))
                    print name ":" i, declared[name, i]
    }')
passed=$((passed + 1))
if [ -n "$never" ]; then
    echo "never NULL in test/library_*.c:"
    echo "$never"
    failed=$((failed + 1))
fi
echo "check_calls: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
