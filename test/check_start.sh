#!/bin/sh
# check_start.sh BUILD - how the program is started: descriptors that are closed, signals that are ignored or come, its name
# among processes. The last line is "check_start: N passed, N failed".
. test/cli.sh

short="--net resnet18 --cut 3 --size 32 --batch 8 --epochs 1 --lr 1e-3"
expect 0 train $short --limit 8 --data "$data" --out "$work/whole"
alike() { # RUN: with the tables of the whole run
    for file in metrics.csv digests.txt predictions-test.csv; do
        same "$work/whole/$file" "$work/$1/$file"
    done
    cut -d, -f1-5 "$work/whole/log.csv" >"$work/log1"
    cut -d, -f1-5 "$work/$1/log.csv" >"$work/log2"
    same "$work/log1" "$work/log2"
    [ ! -s "$work/$1/.lock" ]
    pass "the lock of $1 holds $(head -c 80 "$work/$1/.lock")" $?
}

# ---- closed descriptors, with the program started again and without
twice() { # SHELL TEXT: exit status of a command under both
    for policy in passive ""; do
        if [ -n "$policy" ]; then OMP_WAIT_POLICY=$policy; else unset OMP_WAIT_POLICY; fi
        rm -rf "$work/closed"
        sh -c "$2"
        got=$?
        [ $got -eq "$1" ]
        pass "$2: exit status $got, expected $1" $?
        [ -d "$work/closed" ] && alike closed
    done
}
line="'$thorax' train $short --limit 8 --data '$data' --out '$work/closed'"
twice 0 "$line >&- 2>/dev/null"
twice 0 "$line 2>&- >/dev/null"
twice 0 "$line <&- >/dev/null 2>&1"
twice 0 "$line <&- >&- 2>&-"
rm -rf "$work/closed"
twice 0 "'$thorax' eval '$work/whole' --data '$data' --out '$work/scored' >&- 2>&- <&-"
grep -q ',Edema,' "$work/scored/scores.csv" && ! grep -q images "$work/scored/scores.csv"
pass "what eval wrote with descriptors closed: $(cat "$work/scored/scores.csv")" $?
twice 1 "'$thorax' predict '$work/whole' - <&- >/dev/null 2>&1"
twice 2 "'$thorax' trane >&- 2>&- <&-"
OMP_WAIT_POLICY=passive
export OMP_WAIT_POLICY

# ---- signals: sent when the log has two steps; the run ends with its state saved, and goes on to the same bytes
long="$short --epochs 4 --eval-every 8"
rm -r "$work/whole"
expect 0 train $long --data "$data" --out "$work/whole"
begin() { # COMMAND...: in the background
    "$@" train $long --data "$data" --out "$work/signalled" --quiet >"$work/out" 2>"$work/err" &
    process=$!
    while kill -0 $process 2>/dev/null && [ "$(cat "$work/signalled/log.csv" 2>/dev/null | wc -l)" -lt 3 ]; do
        :
    done
}
# Sends it twice at once; again where a fast machine is done before the signal comes. $named is what the process was called.
interrupt() { # SIGNAL
    for attempt in 1 2 3 4 5 6 7 8 9 10 11 12; do
        rm -rf "$work/signalled"
        begin "$thorax"
        named=$(cat "/proc/$process/comm" 2>/dev/null)
        kill -"$1" $process 2>/dev/null
        kill -"$1" $process 2>/dev/null
        wait $process
        got=$?
        [ -e "$work/signalled/done" ] || break
    done
}
for signal in TERM HUP XCPU; do
    # Under nohup this script ignores SIGHUP, and so does all that it starts.
    (sh -c "kill -$signal \$\$"; exit $?) 2>/dev/null && continue
    interrupt $signal
    [ $got -eq 130 ] && [ -s "$work/signalled/state.safetensors" ] && [ ! -e "$work/signalled/done" ]
    pass "SIG$signal: exit status $got: $(cat "$work/err")" $?
done
expect 0 train $long --data "$data" --out "$work/signalled" --quiet
alike signalled
rm -rf "$work/signalled"
(
    trap '' USR1
    begin "$thorax"
    kill -USR1 $process
    wait $process
)
got=$?
[ $got -eq 0 ] && [ -e "$work/signalled/done" ]
pass "SIGUSR1 was ignored at the start: exit status $got: $(cat "$work/err")" $?
rm -rf "$work/signalled"
begin nohup "$thorax"
kill -HUP $process
wait $process
pass "a training under nohup ended by SIGHUP: $(cat "$work/err")" $?

# ---- its name, started again or not
for policy in passive ""; do
    if [ -n "$policy" ]; then OMP_WAIT_POLICY=$policy; else unset OMP_WAIT_POLICY; fi
    interrupt TERM
    [ ! -r /proc/self/comm ] || [ "$named" = thorax ]
    pass "the process is named $named" $?
done

done_testing
