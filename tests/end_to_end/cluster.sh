#!/usr/bin/env bash
# The scripts of cultivar-cluster(7): SLURM's is run by a SLURM of one node where that is installed, the others are linted.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
page=$here/../../man/cultivar-cluster.7.scd

# block SECTION [NUMBER]: prints the section's script, the first or another.
block() {
    awk -v name="# $1" -v wanted="${2:-1}" '/^# [A-Z]/ { on = $0 == name && !inside } /^```/ { inside = !inside; n += inside && on; next }
        inside && on && n == wanted' "$page"
}
# expect_script FILE: expects a script of fewer than 25 lines.
expect_script() {
    local lines
    lines=$(wc -l <"$1")
    [[ $lines -gt 2 && $lines -lt 25 ]] || fail "$1" "a script below 25 lines" "$lines lines"
}
# expect_clean COMMAND...: runs a checker that finds nothing, if it is installed.
expect_clean() {
    command -v "$1" >/dev/null || { echo "skipped: no $1" && return; }
    expect_ok "$@"
}

section "the scripts are short and sound"
block SLURM >array.sh
block SSH >loop.sh
block HTCONDOR >cultivar.sub
block KUBERNETES >job.yaml
block SYSTEMD 1 >cultivar.service
block SYSTEMD 2 >cultivar.timer
for script in array.sh loop.sh cultivar.sub job.yaml cultivar.service cultivar.timer; do expect_script "$script"; done
for script in array.sh loop.sh; do
    expect_ok bash -n "$script"
    expect_clean shellcheck "$script"
done
! grep -vE '^[a-z_]+ += [^ ].*$|^queue 4$' cultivar.sub || fail "cultivar.sub" "KEY = VALUE" "$(<cultivar.sub)"
for key in executable arguments transfer_input_files when_to_transfer_output queue; do
    grep -q "^$key" cultivar.sub || fail "cultivar.sub" "$key" "none"
done
if /usr/bin/python3 -c 'import yaml' 2>/dev/null; then
    expect_ok /usr/bin/python3 -c '
import yaml
job = yaml.safe_load(open("job.yaml"))
spec, pod = job["spec"], job["spec"]["template"]["spec"]
assert (job["apiVersion"], job["kind"], spec["completionMode"]) == ("batch/v1", "Job", "Indexed")
assert spec["completions"] == spec["parallelism"] == 4 and pod["restartPolicy"] == "Never"
assert pod["terminationGracePeriodSeconds"] > 30
for one in pod["containers"]:
    assert all(isinstance(word, str) for word in one["command"] + one["args"]) and one["image"]
    open("pod.sh", "w").write("#!/bin/sh\n" + one["args"][0])'
    expect_ok bash -n pod.sh
    expect_clean shellcheck pod.sh
fi
if command -v systemd-analyze >/dev/null; then
    sed -i "s|/usr/bin/cultivar|$programs/cultivar|" cultivar.service
    expect_ok systemd-analyze verify --man=no "$PWD/cultivar.timer" "$PWD/cultivar.service"
    expect_no_err
fi

section "the ssh loop starts a search on each host"
mkdir bin
printf '#!/bin/sh\necho "$2: $3" >>ssh.log\n' >bin/ssh
chmod +x bin/ssh
expect_ok env "PATH=$PWD/bin:$PATH" sh loop.sh
expect_same "hosts" "ann bob eve" "$(cut -d : -f 1 ssh.log | xargs)"
sed -n '1s/^ann: //p' ssh.log >remote.sh
expect_ok sh -n remote.sh

# --- A SLURM of one node ----------------------------------------------------------------------------------------------
for program in slurmctld slurmd munged sbatch; do
    command -v "$program" >/dev/null && continue
    echo "skipped: no $program, so the array job of SLURM is not run"
    exit 0
done
[[ $(id -u) -eq 0 ]] || { echo "skipped: SLURM's daemons need root" && exit 0; }

section "an array job of four tasks on one pool: one is cancelled, one is queued again; no record is lost, none is there twice"
unset CULTIVAR_THREADS
mkdir slurm slurm/state slurm/spool scratch
chmod 755 "$world" slurm
export SLURM_CONF=$world/slurm/slurm.conf
node=$(hostname -s)
cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$((20000 + RANDOM % 10000))
SlurmdPort=$((30000 + RANDOM % 10000))
AuthType=auth/munge
AuthInfo=socket=$world/slurm/munge,cred_expire=5
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$world/slurm/state
SlurmdSpoolDir=$world/slurm/spool
SlurmctldPidFile=$world/slurm/slurmctld.pid
SlurmdPidFile=$world/slurm/slurmd.pid
SlurmctldLogFile=$world/slurm/slurmctld.log
SlurmdLogFile=$world/slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1
MpiDefault=none
SlurmdParameters=config_overrides
NodeName=$node NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
END
echo 'IgnoreSystemd=yes' >slurm/cgroup.conf
head -c 128 /dev/urandom >slurm/key
chmod 400 slurm/key
# stop_slurm: ends the daemons by their numbers.
stop_slurm() {
    local code=$?
    set +e
    local daemon daemons
    daemons=$(cat "$world"/slurm/*.pid)
    scancel --user root --state PENDING,RUNNING 2>/dev/null
    for daemon in $daemons; do kill "$daemon"; done
    for daemon in $daemons; do timeout 10 tail --pid="$daemon" -f /dev/null; done # until it has left
    (exit "$code")
    leave
}
trap stop_slurm EXIT
munged --force --key-file="$world/slurm/key" --socket="$world/slurm/munge" --pid-file="$world/slurm/munged.pid" \
    --log-file="$world/slurm/munged.log" --seed-file="$world/slurm/seed"
slurmctld -c
slurmd
is_idle() { [[ $(sinfo -h -o %T) == idle ]]; }
wait_until 30 is_idle

mkdir draft
cat >draft/task.toml <<'END'
noise = "none"
[command]
run = ["sh", "-c", 'sleep 0.2; echo "loss: $(awk "BEGIN { print ($1 - 3) ^ 2 }")"', "sh", "{gene.x}"]
score = { regex = 'loss: ([0-9.e+-]+)' }
[gene.x]
type = "real"
default = 0.0
range = [-10.0, 10.0]
END
git init --quiet --bare hosting.git
expect_ok cultivar init pool --kind command --task draft/task.toml --budget 2s --remote "$world/hosting.git"
expect_ok cultivar -C pool trust
expect_ok cultivar -C pool explore --jobs 2 --runs 4 --propose
expect_ok cultivar -C pool propose

sed -i 's/--time=04:00:00 --cpus-per-task=8/--time=10/; s/explore /explore --runs 25 /' array.sh
export POOL=$world/hosting.git SCRATCH=$world/scratch
expect_ok sbatch --parsable array.sh
array=$out
clone_of() { echo "$world/scratch/pool-$array-$1"; }
runs_of() { grep -c '"type":"run"' "$(state_of "$(clone_of "$1")")/spool.jsonl"; }
has_runs() { [[ $(runs_of "$1") -ge $2 ]]; }
state_is() { [[ $(squeue -h -j "${array}_$1" -o %T) == "$2" ]]; }
is_over() { [[ -z $(squeue -h -j "$array" -t PENDING,RUNNING,COMPLETING -o %A) ]]; }
for task in 0 1 2; do wait_until 60 has_runs "$task" 2; done
scancel "${array}_0"
scontrol requeue "${array}_1"
scancel --full --signal=USR1 "${array}_2" # the script itself queues it again
wait_until 120 is_over

for task in 1 2; do
    grep -q 'going on with\|run 25: ' "cultivar-$array-$task.log" || fail "task $task" "a second start" "$(<"cultivar-$array-$task.log")"
done
all_records() {
    local ref segment
    for ref in $(git -C hosting.git for-each-ref --format='%(refname)' refs/heads/journal); do
        for segment in $(git -C hosting.git ls-tree --name-only "$ref" seg/); do git -C hosting.git show "$ref:$segment"; done
    done
}
all_records >all.jsonl
expect_same "records that are there twice" "" "$(sort all.jsonl | uniq -d)"
expect_same "runs that were made twice" "" \
    "$(jq -r 'select(.type == "run") | [.writer, .candidate, .replicate] | @text' all.jsonl | sort | uniq -d)"
for task in 0 1 2 3; do
    records_of "$(clone_of "$task")" | sort -u >"records-$task"
    expect_same "records of task $task that the pool lacks" "" "$(sort all.jsonl | comm -13 - "records-$task")"
done
expect_same "runs of the undisturbed task" 25 "$(grep -c '"type":"run"' records-3)"
for task in 1 2; do
    [[ $(grep -c '"type":"run"' "records-$task") -ge 25 ]] || fail "runs of task $task" "25 and more" "$(<"records-$task")"
done
expect_ok git -C hosting.git fsck --strict --no-dangling
