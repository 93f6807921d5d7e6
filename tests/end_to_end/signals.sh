#!/usr/bin/env bash
# Signals, kills, broken workers, torn files and full disks: nothing is lost, nothing is counted twice, and the next
# command goes on.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git
real_worker=${CULTIVAR_LM:-$programs/cultivar-lm}

found_pool pool "$hosting"
expect_ok cultivar -C pool propose
state=$(state_of pool)
expect_ok cultivar -C pool explore --runs 1 # measures the machine and runs the seed

# --- Helpers ----------------------------------------------------------------------------------------------------------
explorer=0 seeds=10
# another_seed: adds a seed, which runs next and fits; the search's own proposals may be too large for a budget of a
# second.
another_seed() { add_seeds pool "seed$seeds=0.0$((seeds++))"; }
# start_explore ARGUMENTS...: explores in the background, from a seed on, into explore.out and explore.err.
start_explore() {
    another_seed
    command="cultivar -C pool explore $*"
    setsid cultivar -C pool explore "$@" >explore.out 2>explore.err </dev/null &
    explorer=$!
}
training() { grep -q '"event":"step"' "$state/run/events.jsonl"; }
worker_pids() { pgrep -f "run $state/run/spec.json" || true; }
no_worker() { [[ -z $(worker_pids) ]]; }
# end_explore CODE: waits for it and expects this exit code.
end_explore() {
    rc=0
    wait "$explorer" || rc=$?
    out=$(<explore.out) err=$(<explore.err)
    [[ $rc -eq $1 ]] || fail "exit code" "$1" "$rc"
}
every_record_once() {
    expect_same "records that are there twice" "" "$(records_of pool | sort | uniq -d)"
    expect_ok git -C pool fsck --strict --no-dangling
}

for signal in INT TERM; do
    section "SIG$signal stops with a checkpoint; the next explore goes on with the same candidate"
    code=$([[ $signal == INT ]] && echo 130 || echo 143)
    runs_before=$(ids_of pool run | wc -l)
    start_explore --runs 1 --budget 4s
    wait_until 30 training
    kill "-$signal" "$explorer"
    end_explore "$code"
    expect_err 'stopped with a checkpoint; the next explore goes on'
    wait_until 5 no_worker
    expect_same "runs recorded" "$runs_before" "$(ids_of pool run | wc -l)"
    expect_ok cultivar -C pool status --json
    unfinished=$(json .unfinished)
    expect_json '.unfinished != null and .exploring == false'
    expect_ok cultivar -C pool explore --runs 1 --budget 4s --json
    expect_json '.runs[0] | .candidate == $id and .status == "done"' --arg id "$unfinished"
    expect_json '.runs[0] | .train_s > 2 and .train_s <= 5 and .wall_s > .train_s'
    expect_json '.runs[0].curve | map(.[0]) | . == sort and length <= 64'
    every_record_once
done

section "two signals at once, as timeout sends them, are one wish to stop"
start_explore --runs 1 --budget 4s
wait_until 30 training
kill -TERM "$explorer"
kill -TERM "$explorer" 2>/dev/null || true
end_explore 143
expect_err 'stopped with a checkpoint'
wait_until 25 no_worker
expect_ok cultivar -C pool explore --runs 1 --budget 4s

section "kill -9 of cultivar takes the worker along; the next explore goes on"
start_explore --runs 1 --budget 4s
wait_until 30 training
{
    kill -KILL "$explorer"
    wait "$explorer" || true
} 2>/dev/null
expect_ok cultivar -C pool status --json
unfinished=$(json .unfinished)
expect_ok cultivar -C pool explore --runs 1 --budget 4s --json
expect_json '.runs[0] | .candidate == $id and .status == "done" and .train_s < 6' --arg id "$unfinished"
every_record_once

wait_until 25 no_worker

section "a run whose worker was killed is tried once more"
another_seed
start_explore --runs 2 --budget 2s --json
wait_until 30 training
kill -KILL "$(worker_pids | head -n 1)"
end_explore 0
expect_err 'killed by signal 9 .*once more'
expect_json '.runs | length == 2 and all(.[]; .status == "done")'

section "a worker that hangs at its end, talks garbage or is none is a failed run; three in a row end it"
cat >garbage <<'END'
#!/bin/sh
echo '{"event":"step","step":-1,"elapsed_s":"soon"}'
END
cat >liar <<'END'
#!/bin/sh
echo 'warming up'
echo '{"event":"start","trainer":"liar","parameters":1,"flops_per_token":1,"resumed_s":0}'
echo '{"event":"done","steps":1,"tokens":1,"train_s":1,"artifact":"a","artifact_bytes":1,"parameters":1,"val_loss":1e-9,"val_bpb":1e-9,"val_tokens":1,"val_bytes":1,"chunks":[],"chunk_loss_sums":[]}'
END
cat >silent <<'END'
#!/bin/sh
exit 3
END
cat >mourner <<'END'
#!/bin/sh
echo 'mourner: out of luck' >&2
exit 1
END
chmod +x garbage liar silent mourner
for worker in garbage silent mourner; do
    expect_rc 128 env CULTIVAR_LM="$PWD/$worker" cultivar -C pool explore --runs 5 --json
    # The fourth is the best candidate, which scored before: the machine is at fault.
    expect_json '.runs | length == 4 and all(.[]; .status == "failed" and .reason != "" and .val_bpb == null)'
    expect_err 'the machine is at fault'
done
expect_err 'out of luck'
runs_before=$(ids_of pool run | wc -l)
run env CULTIVAR_LM="$PWD/liar" cultivar -C pool explore --runs 1 --json
[[ $rc -ne 0 ]] || expect_json 'all(.runs[]; .status == "failed")'
expect_ok cultivar -C pool explore --runs 1
expect_ok cultivar -C pool top --json
expect_json 'all(.candidates[]; .val_bpb > 0.1)'

section "a worker that hangs is stopped like any other"
cat >hanging <<END
#!/bin/sh
[ "\$1" = run ] && grep -q '"mode":"train"' "\$2" || exec "$real_worker" "\$@"
echo '{"event":"start","trainer":"hanging","parameters":1,"flops_per_token":1,"resumed_s":0}'
echo '{"event":"step","step":1,"elapsed_s":0.1,"before_s":0,"train_loss":5,"tokens":1024}'
sleep 600
END
chmod +x hanging
command='cultivar explore with a hanging worker'
CULTIVAR_LM=$PWD/hanging start_explore --runs 1
wait_until 30 training
kill -INT "$explorer"
end_explore 130
wait_until 5 no_worker
expect_ok cultivar -C pool explore --runs 1 --json
expect_json '.runs[0].status == "done"'

section "kill -9 at ten moments of explore and propose"
for i in 1 2 3 4 5 6 7 8 9 10; do
    setsid sh -c 'cultivar -C pool explore --runs 1 --propose -q; cultivar -C pool propose -q' >/dev/null 2>&1 </dev/null &
    loop=$!
    sleep "$(awk -v i="$i" 'BEGIN { printf "%.2f", (i * 37 % 23) / 10 + 0.05 }')"
    kill -KILL -- "-$loop" 2>/dev/null || true
    wait "$loop" 2>/dev/null || true
done
for delay in 0.005 0.01 0.02 0.03 0.05; do # kills propose while it pushes the rest
    run cultivar -C pool explore --runs 1 -q
    setsid cultivar -C pool propose -q >/dev/null 2>&1 </dev/null &
    loop=$!
    sleep "$delay"
    kill -KILL -- "-$loop" 2>/dev/null || true
    wait "$loop" 2>/dev/null || true
done
wait_until 25 no_worker
expect_ok cultivar -C pool explore --runs 1 --propose
expect_ok cultivar -C pool propose
every_record_once
expect_ok git -C hosting.git fsck --strict --no-dangling
expect_same "unsent" 0 "$(cultivar -C pool status --json | jq .unsent_records)"
expect_same "runs that show twice" "" "$(ids_of pool run | sort | uniq -d)"
expect_ok cultivar -C pool log -n 1000 --json
expect_same "runs in the index and in the journal" "$(ids_of pool run | sort)" "$(json '.runs[].id' | sort)"
expect_json 'all(.runs[]; .refused == null)'
expect_same "the journal on the hosting" "$(git -C pool rev-parse "refs/heads/journal/$(writer_of pool)")" \
    "$(git -C hosting.git rev-parse "refs/heads/journal/$(writer_of pool)")"

section "a torn spool loses only what was never written"
expect_ok cultivar -C pool explore --runs 1 --json
whole=$(json '.runs[0].id')
printf '{"v":1,"type":"run","task":"torn' >>"$state/spool.jsonl"
expect_ok cultivar -C pool log --json
expect_json 'all(.runs[]; .refused == null)'
expect_ok cultivar -C pool explore --runs 1 --json
next=$(json '.runs[0].id')
expect_ok cultivar -C pool propose
for id in "$whole" "$next"; do expect_same "run $id" 1 "$(ids_of pool run | grep -c "$id")"; done

section "a deleted or damaged index is rebuilt"
expect_ok cultivar -C pool top --json
before=$out
rm -rf "$state/index"
expect_ok cultivar -C pool top --json
expect_same "top after the index was deleted" "$before" "$out"
head -c 5000 /dev/zero >"$(index_of pool)"
rm -f "$(index_of pool)"-*
expect_ok cultivar -C pool top --json
expect_same "top after the index was damaged" "$before" "$out"
rm -rf "$state/index"
expect_ok cultivar -C pool pull

section "standard output that cannot be written, or that nobody reads"
rc=0
command='cultivar top >/dev/full'
err=$(cultivar -C pool top 2>&1 >/dev/full) || rc=$?
expect_same "exit code" 128 "$rc"
expect_err 'cannot write to standard output'
set +e
err=$(cultivar -C pool log -n 1000 2>&1 >/dev/null | head -n 1)
cultivar -C pool log -n 1000 2>head.err | head -n 1 >/dev/null
codes=("${PIPESTATUS[@]}")
set -e
expect_same "complaints" "" "$err$(<head.err)"
[[ ${codes[0]} -eq 0 || ${codes[0]} -eq 141 ]] || fail "exit code of log | head" "0 or 141" "${codes[0]}"

section "a full disk"
mkdir small
if mount -t tmpfs -o size=6m tmpfs small 2>/dev/null; then
    full_disk() {
        expect_ok env CULTIVAR_MACHINE=small cultivar clone "$hosting" small/pool
        expect_ok cultivar -C small/pool data import "$PWD/corpus.txt"
        same_speed pool small/pool
        expect_ok cultivar -C small/pool explore --runs 1
        dd if=/dev/zero of=small/ballast bs=4k 2>/dev/null || true
        expect_rc 128 cultivar -C small/pool explore --runs 1
        expect_err '^cultivar: .*(No space left|full|cannot write|disk)'
        rm small/ballast
        expect_ok cultivar -C small/pool explore --runs 1 --propose
        expect_ok git -C small/pool fsck --strict --no-dangling
    }
    trap 'umount -l "$world/small" 2>/dev/null || true; leave' EXIT
    full_disk
    umount -l small
else
    echo "skipped: no tmpfs can be mounted here"
fi
