#!/usr/bin/env bash
# Several runs at once in one clone, schedulers' signals and ends of time: nothing is lost, nothing is run twice.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

# found_function FOLDER COMMAND: founds a pool whose program is this line of sh; it may use {gene.x}.
found_function() {
    mkdir -p draft
    cat >draft/task.toml <<END
noise = "none"
[command]
run = ["sh", "-c", '''$2''', "sh", "{gene.x}"]
score = { regex = 'loss: ([0-9.e+-]+)' }
limit_s = 120
[gene.x]
type = "real"
default = 0.0
range = [-10.0, 10.0]
END
    expect_ok cultivar init "$1" --kind command --task draft/task.toml --budget 2s
    expect_ok cultivar -C "$1" trust
}
# start_explore FOLDER ARGUMENTS...: explores in the background.
start_explore() {
    command="cultivar -C $*"
    setsid cultivar -C "$1" explore "${@:2}" >explore.out 2>explore.err </dev/null &
    explorer=$!
}
# end_explore CODE: waits for it and expects this exit code.
end_explore() {
    rc=0
    wait "$explorer" || rc=$?
    out=$(<explore.out) err=$(<explore.err)
    [[ $rc -eq $1 ]] || fail "exit code" "$1" "$rc"
}
# every_run_once FOLDER COUNT: expects so many runs, each of a candidate of its own.
every_run_once() {
    expect_ok cultivar -C "$1" log -n 1000 --json
    expect_json '.runs | length == $n and (map(.candidate) | unique | length) == $n' --argjson n "$2"
    expect_same "runs in the journal" "$2" "$(ids_of "$1" run | sort -u | wc -l)"
    expect_same "runs in the journal" "$2" "$(ids_of "$1" run | wc -l)"
}
# A shell that just forked, to become a sleep, is no program of its own.
programs_at_work() {
    ps -o pid=,ppid=,args= -s "$explorer" |
        awk '/[.]hold/ { parent[$1] = $2 } END { for (one in parent) if (!(parent[one] in parent)) print one }'
}
at_work() { [[ $(programs_at_work | wc -l) -ge $1 ]]; }
unfinished() { find "$(state_of pool)" -path '*/run*/plan.json' | wc -l; }
# hold COUNT ARGUMENTS...: explores in the background until so many programs wait for the file to go.
hold() {
    touch "$world/.hold"
    start_explore pool --no-sandbox "${@:2}"
    wait_until 60 at_work "$1"
}
# go_on COUNT: the next explore ends these runs, which were left.
go_on() {
    expect_same "unfinished runs" "$1" "$(unfinished)"
    rm -f "$world/.hold"
    runs=$((runs + $1))
    expect_ok cultivar -C pool explore --no-sandbox --jobs 2 --runs "$1"
    expect_same "going on" "$1" "$(grep -c 'going on with' <<<"$err")"
    every_run_once pool "$runs"
}
parabola='echo "loss: $(awk "BEGIN { print ($1 - 3) ^ 2 }")"'

section "jobs make as many runs as they are asked for in all, and none twice"
found_function many "$parabola"
expect_ok cultivar -C many explore --jobs 4 --runs 40 --json
expect_json '.runs | length == 40 and all(.[]; .status == "done" and .category == "cpu-2s-t1")'
every_run_once many 40
expect_ok cultivar -C many explore --jobs 4 --runs 5
expect_same "lines" 5 "$(wc -l <<<"$out")"
expect_rc 129 cultivar -C many explore --jobs 0 --runs 1
expect_rc 129 cultivar -C many explore --device cuda:0,mps --runs 1
expect_err 'two kinds'

section "signals of a scheduler, which go to every process, stop all jobs with checkpoints; the next explore goes on"
found_function pool "while [ -e $world/.hold ]; do sleep 0.1; done; $parabola"
runs=4
expect_ok cultivar -C pool explore --no-sandbox --jobs 2 --runs "$runs"
for signal in USR1 USR2 XCPU HUP TERM; do
    hold 3 --jobs 3 --runs 9
    # shellcheck disable=SC2046 # each is a word
    kill "-$signal" $(ps -o pid= -s "$explorer") 2>/dev/null # some leave by themselves meanwhile
    end_explore $((128 + $(kill -l "$signal")))
    expect_err 'stopped with a checkpoint|interrupted'
    go_on 3
done

section "two signals at once, as timeout sends them, are one wish to stop; one that comes later ends all at once"
hold 2 --jobs 2 --runs 9
kill -TERM "$explorer"
kill -TERM "$explorer"
end_explore 143
expect_err 'stopped with a checkpoint|interrupted'
go_on 2
found_function stubborn 'trap "" TERM; while [ -e '"$world"'/.hold ]; do sleep 0.1; done'
touch "$world/.hold"
start_explore stubborn --no-sandbox --runs 1
wait_until 60 at_work 1
kill -TERM "$explorer"
sleep 1.1
kill -TERM "$explorer"
end_explore 143
reject_err 'stopped with a checkpoint'
rm "$world/.hold"

section "kill -9 of all, and of one"
hold 3 --jobs 3 --runs 9
{
    kill -KILL "$explorer"
    wait "$explorer" || true
} 2>/dev/null
go_on 3
hold 2 --jobs 2 --runs 2
kill -KILL "$(programs_at_work | head -n 1)"
wait_until 20 grep -q 'once more' explore.err
rm "$world/.hold"
end_explore 0
runs=$((runs + 2))
every_run_once pool "$runs"

section "a stop may have the exit code that makes a scheduler start it again"
hold 2 --jobs 2 --runs 9 --requeue-exit 85
kill -TERM "$explorer"
end_explore 85
expect_err 'stopped with a checkpoint|interrupted'
go_on 2
expect_rc 129 cultivar -C pool explore --runs 1 --requeue-exit 0

section "each job has one of the devices that a scheduler gave, and the category tells their kind"
found_function devices 'touch "'"$world"'/on-$CUDA_VISIBLE_DEVICES"; while [ -e '"$world"'/.hold ]; do sleep 0.1; done; '"$parabola"
export CUDA_VISIBLE_DEVICES=7,8
expect_ok cultivar -C devices explore --no-sandbox --device cuda:0,cuda:1 --runs 4
rm -f on-*
touch "$world/.hold"
start_explore devices --no-sandbox --device cuda:0,cuda:1 --runs 4 --json
wait_until 60 test -e on-7 -a -e on-8
rm "$world/.hold"
end_explore 0
unset CUDA_VISIBLE_DEVICES
expect_json '.runs | length == 4 and all(.[]; .status == "done" and .category == "cuda-2s-t1")'
every_run_once devices 8
[[ ! -e on-0 && ! -e on-1 ]] || fail "devices" "those of the scheduler" "others"
expect_rc 129 cultivar -C devices explore --device cuda:0,cuda:1 --runs 1
expect_err "no device 'cuda:0'"

section "no run begins that cannot end in time"
expect_ok env SLURM_JOB_ID=7 "SLURM_JOB_END_TIME=$(date +%s)" cultivar -C many explore
expect_err "explores until .*, when SLURM's job 7 ends"
expect_err 'no further run'
expect_no_out
mkdir bin
printf '#!/bin/sh\n[ "$*" = "-h -j 7 -o %%A %%e" ] && date -d "+1 hour" "+7 %%Y-%%m-%%dT%%H:%%M:%%S"\n' >bin/squeue
chmod +x bin/squeue
expect_ok env SLURM_JOB_ID=7 "PATH=$PWD/bin:$PATH" cultivar -C many explore --runs 1
expect_err "explores until .*, when SLURM's job 7 ends"
expect_same "lines" 1 "$(wc -l <<<"$out")"
expect_rc 129 cultivar -C many explore --until 7:30
expect_rc 129 cultivar -C many explore --until 2020-01-01T00:00
expect_err 'is over'
