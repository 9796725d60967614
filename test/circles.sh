#!/bin/sh
# circles.sh BUILD - no two source files need each other, not by way of others either: a file can be understood, tested and
# replaced after those that it uses. A needs B if A calls a function or reads an object that B defines (by the objects in
# BUILD), or includes it. Prints a line a circle, with one way around; where there are no objects, a line on standard error
# says that includes alone were looked at.
floors="core layers nets optim io bench"
objects=$(find $floors -name '*.c' | sed -e "s:^:$1/:" -e 's/c$/o/' | while read -r o; do [ -f "$o" ] && echo "$o"; done)
{
    # shellcheck disable=SC2086
    [ -z "$objects" ] || nm -P $objects /dev/null 2>/dev/null
    find $floors -name '*.[ch]' -exec grep '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' /dev/null {} +
} | awk -v build="$1/" '
    function edge(a, b, by) {
        if (a != b && !((a, b) in why)) {
            why[a, b] = by
            uses[a] = uses[a] " " b
        }
    }
    # What `from` reaches; came[b] is the file before b on the shortest way.
    function search(from,    queue, head, tail, list, n, i) {
        split("", came)
        queue[tail = 1] = from
        for (head = 1; head <= tail; head++) {
            n = split(uses[queue[head]], list, " ")
            for (i = 1; i <= n; i++)
                if (!(list[i] in came)) {
                    came[list[i]] = queue[head]
                    queue[++tail] = list[i]
                }
        }
    }
    /include.*"/ { # FILE:#include "PATH", from where FILE is
        split($0, part, "\"")
        file = substr($0, 1, index($0, ":") - 1)
        path = file
        sub("[^/]*$", part[2], path)
        while (sub("[^/]+/\\.\\./", "", path)) {}
        edge(file, path, "#include")
        next
    }
    /:$/ { # the object whose symbols follow
        file = substr($0, length(build) + 1, length($0) - length(build) - 2) "c"
        next
    }
    $2 ~ /^[ABCDGRSTVW]$/ && !($1 in home) { home[$1] = file }
    $2 == "U" { asks[++asked] = file " " $1 }
    END {
        for (i = 1; i <= asked; i++) {
            split(asks[i], ask, " ")
            if (ask[2] in home)
                edge(ask[1], home[ask[2]], ask[2])
        }
        for (a in uses) {
            search(a)
            for (b in came)
                reaches[a, b] = 1
            if (a in came) {
                path = ""
                for (b = a; path == "" || b != a; b = came[b])
                    path = " -> (" why[came[b], b] ") " b path
                way[a] = a path
            }
        }
        for (a in way) {
            members = first = ""
            for (b in way)
                if ((a, b) in reaches && (b, a) in reaches) {
                    members = members " " b
                    if (first == "" || b < first)
                        first = b
                }
            if (a == first)
                print "need each other:" members "; " way[a]
        }
        if (!asked)
            print "circles.sh: no objects: which files need each other was seen by their includes alone" >"/dev/stderr"
    }'
