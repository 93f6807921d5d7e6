#!/usr/bin/env bash
# A pool with a scoring program of its own: no part of it runs before the user trusts it here, in its current version.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git

# found_command FOLDER TOML [ARGUMENT...]: founds a pool of kind command with this TOML.
found_command() {
    mkdir -p draft/files
    printf '%s\n' "$2" '[gene.x]' 'type = "real"' 'default = 0.0' 'range = [-10.0, 10.0]' >draft/task.toml
    expect_ok cultivar init "$1" --kind command --task draft/task.toml --budget 2s "${@:3}"
}
# expect_untrusted FOLDER TEXT: expects that explore refuses, runs nothing and leaves no record.
expect_untrusted() {
    expect_rc 128 cultivar -C "$1" explore --runs 1
    expect_err "$2"
    expect_hint 'cultivar trust$'
    expect_no_out
}

section "the README's example works as it stands there"
awk '/^## Anything with a score/ { on = 1 } /^## How fast/ { on = 0 } on && /^```/ { fence = $0; next }
     on && fence == "```toml"' "$here/../../README.md" >task.toml
grep -q '^command.run' task.toml || fail "README" "a task.toml" "none"
expect_ok cultivar init parabola --task task.toml --budget 2s
expect_err 'cultivar trust && cultivar explore'
expect_untrusted parabola 'not trusted on this machine'
expect_ok cultivar -C parabola trust
expect_out '"awk" "BEGIN'
expect_ok cultivar -C parabola explore --runs 12 --seed 1 --json  # it may find no improvement
expect_json '.runs | length == 12 and all(.[]; .status == "done" and .category == "cpu-2s" and .val_loss == null)'
expect_ok cultivar -C parabola top --json
expect_json '.candidates[0].val_bpb < 4'
expect_ok cultivar -C parabola status --json
expect_json '.trusted == true and .data_here == true and .category == "cpu-2s" and .task != null'
# The README's agent, in the same pool.
awk '/^## Agents and other/ { on = 1 } /^## How fast/ { on = 0 } on && /^```/ { fence = $0; next }
     on && fence == "```sh"' "$here/../../README.md" >agent.sh
grep -q '^cultivar tell' agent.sh || fail "README" "an agent" "none"
expect_ok in_clone parabola bash -euo pipefail ../agent.sh
expect_ok cultivar -C parabola log -n 1 --json
expect_json '.runs[0] | .trainer == "told" and .score == 1.25'

section "a command is not said to run on a device that is not there, or that it never hears of"
expect_rc 129 cultivar -C parabola explore --runs 1 --device mps
expect_err "no device 'mps'"
expect_ok cultivar -C parabola explore --runs 1 --device mps --no-sandbox
expect_err "command is not told of any device: its scores count as mps's"

git init --quiet --bare "$hosting"

section "a file of the pool is the program, the same with git's executable bit, and may leave an artifact"
cat >draft.sh <<'END'
#!/bin/sh
touch "$2/ran"
spec=$(cat "$1")
artifact=${spec#*\"artifact\":\"} && artifact=${artifact%%\"*}
echo "the weights" >"$artifact"
echo '{"event":"start","trainer":"draft 1","parameters":1,"flops_per_token":1}'
echo '{"event":"step","step":1,"elapsed_s":0.5,"before_s":0,"train_loss":2,"tokens":8}'
echo '{"event":"done","score":-1.5,"steps":2,"tokens":16,"train_s":1}'
END
mkdir -p draft/files
install -m 755 draft.sh draft/files/run.sh
found_command pool "command.run = [\"files/run.sh\", \"{specification}\", \"$world\"]" --remote "$hosting"
expect_untrusted pool 'not trusted'
expect_rc 1 cultivar -C pool trust --show --json
expect_json '.trusted == false and .files[0].path == "files/run.sh"'
expect_same "digest of the file" "$(sha256sum <draft.sh | cut -d' ' -f1)" "$(json '.files[0].sha256')"
[[ ! -e ran ]] || fail "untrusted" "nothing ran" "it ran"
expect_ok cultivar -C pool trust
expect_ok cultivar -C pool explore --runs 1 --json --no-sandbox
expect_err "outside its sandbox"
expect_json ".runs[0].sandbox == false"
expect_json '.runs[0] | .val_bpb == -1.5 and .steps == 2 and .train_s == 1 and .trainer == "draft 1"'
expect_json '.runs[0].artifact == $id' --arg id "$(printf 'the weights\n' | sha256sum | cut -d' ' -f1)"
[[ -e ran ]] || fail "trusted" "it ran" "nothing ran"
rm ran
digest=$(cultivar -q -C pool trust --show --json | jq -r .digest)
chmod +x pool/files/run.sh
git -C pool add --chmod=+x files/run.sh
git -C pool commit --quiet --message 'An executable'
expect_ok cultivar -C pool trust --show --json
expect_json '.digest == $id' --arg id "$digest"
expect_ok cultivar -C pool propose

section "a program that knows nothing of cultivar: genes as arguments and variables, the score from its output"
mkdir -p plain/files/lib
cat >plain/files/fit.sh <<'END'
#!/bin/sh
. files/lib/score.sh
echo "in $(pwd), seed $RUN_SEED"
echo "epoch 1 accuracy: 0.1"
echo "epoch 2 accuracy: $(score "$1")"
echo "METRIC size=12" >&2
printf 'weights of %s\n' "$1" >"$OUT"
END
echo 'score() { awk -v x="$1" "BEGIN { print 1 - (x - 3) ^ 2 / 100 }"; }' >plain/files/lib/score.sh
cat >plain/task.toml <<'END'
direction = "maximize"
metric = "accuracy"
noise = "none"
[command]
run = ["sh", "files/fit.sh", "{gene.X}"]
score = { regex = 'accuracy: ([0-9.eE+-]+)' }
[command.env]
RUN_SEED = "{seed}"
OUT = "{artifact}"
[command.metrics]
size = { metric = "size", in = "stderr" }
[gene.X]
type = "real"
default = 0.0
range = [-10.0, 10.0]
END
expect_ok cultivar init accurate --kind command --task plain/task.toml --budget 2s
reject_err warning
expect_ok cultivar -C accurate trust
expect_out '^needs    no network$'
expect_out 'score = \{ regex = "accuracy: '
expect_out '"OUT" = "\{artifact\}"'
expect_out 'files/lib/score.sh  sha256 '
expect_ok cultivar -C accurate explore --runs 12 --seed 1 --json
expect_json '.runs[0] | .score == 0.91 and .metric == "accuracy" and .val_bpb == -0.91 and .metrics.size == 12'
expect_json '.runs | all(.[]; .status == "done" and .artifact != null)'
expect_json '[.runs[].score] | max > 0.95'
expect_ok cultivar -C accurate top --json
expect_json '[.candidates[].score] | . == (sort | reverse) and .[0] > 0.95' # the largest first
expect_ok cultivar -C accurate top
expect_out '#  id +accuracy '
printf 'X = 0.0\n' >again.toml
expect_rc 125 cultivar -C accurate import ../again.toml
expect_err 'a second run of [0-9a-f]{8} is pointless: it scored 0.91, and by the task its runs score alike'
expect_hint 'cultivar show [0-9a-f]{8}'
expect_ok cultivar -C accurate top --json
again=$(json '.candidates[0].id')
expect_rc 125 cultivar -C accurate retry "$again"
expect_err 'is pointless'
expect_ok cultivar -C accurate log -n 1 --json
run=$(json '.runs[0].id')
expect_ok cultivar -C accurate show --output "$run"
expect_out '^epoch 2 accuracy: '
expect_out '^METRIC size=12'
expect_out "^in .*/accurate/\.git/cultivar/run/work, seed "
expect_ok cultivar -C accurate show "$again"
expect_out '^ +size 12$'

section "a run that fails says why, and its output is kept"
failing() { # SCRIPT: founds and explores a pool whose program is this
    rm -rf bad && mkdir -p plain/files
    printf '%s\n' "$1" >plain/files/fit.sh
    expect_ok cultivar init bad --kind command --task plain/task.toml --budget 2s
    expect_ok cultivar -C bad trust
    run cultivar -C bad explore --runs 1 --json
}
failing 'echo "loss: 0.36"'
expect_json '.runs[0] | .status == "failed" and .failure.kind == "candidate" and .failure.cause == "no score"'
expect_json '.runs[0].reason | test("no line of its standard output matches accuracy:")'
expect_ok cultivar -C bad show --output "$(json '.runs[0].candidate')"
expect_out '^loss: 0.36$'
failing 'echo "accuracy: nan"'
expect_json '.runs[0] | .failure.cause == "no score"' # the expression takes figures alone
failing 'echo "accuracy: 1"; printf "\033[31mred\n" >&2; exit 4'
expect_json '.runs[0] | .failure.cause == "exit code" and (.reason | test("exit code 4"))'
expect_ok cultivar -C bad show --output "$(json '.runs[0].candidate')"
expect_out '^\?\[31mred$'
sed -i 's/^noise.*/&\n/; s/^\[command\]$/&\nlimit_s = 1/' plain/task.toml
failing 'echo "accuracy: 1"; exec sleep 60'
expect_json '.runs[0] | .failure.cause == "time" and .wall_s < 30'
sed -i 's/^limit_s = 1$/checks = ["sh", "-c", "echo not good >\&2; exit 1"]/' plain/task.toml
failing 'echo "accuracy: 1"'
expect_json '.runs[0] | .failure.cause == "checks" and (.reason | test("its checks failed: .*not good"))'

section "a program that prints its score in a way that its task does not tell"
found_command silent 'command.run = ["sh", "-c", "echo loss: 0.36; echo careful >&2", "{gene.x}"]'
expect_ok cultivar -C silent trust
expect_ok cultivar -C silent explore --runs 1 --json
expect_json '.runs[0].failure.cause == "no score" and (.runs[0].reason | test("no rule .score. of its task"))'
expect_rc 1 cultivar -C silent doctor task
expect_out '^loss: 0.36$'
expect_out '^careful$'
found_command endless "command.run = [\"sh\", \"-c\", '''echo '{\"event\":\"done\",\"score\":NaN}' ''', \"{gene.x}\"]"
expect_ok cultivar -C endless trust
expect_ok cultivar -C endless explore --runs 1 --json
expect_json '.runs[0].failure.cause == "not finite" and (.runs[0].reason | test("NaN"))'

section "what is wrong in a task file is said when the pool is founded"
sed 's/"maximize"/"max"/' plain/task.toml >plain/wrong.toml
expect_rc 129 cultivar init wrong --kind command --task plain/wrong.toml
expect_err '.direction. takes "minimize" or "maximize"'
sed 's/files.fit.sh/fit.sh/; s/{gene.X}/{seed}/' plain/task.toml >plain/odd.toml
expect_ok cultivar init odd --kind command --task plain/odd.toml
expect_err "warning: gene 'X' reaches the program nowhere"
expect_err "warning: no run finds the file 'fit.sh': .*'files/fit.sh'"
printf '[command]\nrun = ["sh"]\nscore = { regex = "a" }\n[gene.x]\ntype = "boolean"\ndefault = true\n' >plain/wrong.toml
expect_rc 129 cultivar init wrong --kind command --task plain/wrong.toml
expect_err 'has 0 groups'
[[ ! -e wrong ]] || fail "a wrong task" "no folder" "one"

section "another clone trusts for itself, and takes the runs of others as claims"
expect_ok env CULTIVAR_NAME=guest CULTIVAR_MACHINE=machine cultivar clone "$hosting" guest
expect_err 'cultivar trust && cultivar explore'
expect_ok cultivar -C guest log --json
expect_json '.runs | length == 1 and all(.[]; .refused == null)'
candidate=$(json '.runs[0].candidate')
expect_ok cultivar -C guest show "$candidate" --json
expect_json '.claims | length == 1 and .[0].problem == null' # a negative score is valid
expect_untrusted guest 'not trusted'
[[ ! -e ran ]] || fail "untrusted" "nothing ran" "it ran"
expect_ok cultivar -C guest trust
expect_ok cultivar -C guest explore --runs 1 --propose --no-sandbox
expect_rc 129 cultivar -C guest verify
expect_err 'none of the pool.s verifiers'
expect_rc 129 cultivar -C guest data import "$world/draft.sh"
expect_err "names no data"

section "the log shows processes with their durations, on standard error or in a file, without secrets"
expect_ok cultivar -C guest pull
reject_err ' debug '
expect_ok cultivar -C guest --json -v pull
expect_json '.schema == 1'
expect_err 'Z debug git .*: exit code 0 after [0-9.]+ s$'
expect_err 'Z debug cultivar pull: exit code 0 after [0-9.]+ s$'
expect_ok env CULTIVAR_LOG=debug cultivar -C guest index rebuild
expect_err 'Z debug index refresh: [0-9]+ runs, .* refused, [0-9.]+ s$'
expect_ok cultivar -C guest -q --log-file "$world/log" pull
expect_no_err
grep -q 'Z debug git .*: exit code 0' "$world/log" || fail "the log file" "git's command" "$(<"$world/log")"
run cultivar -C guest -q --log-file "$world/log" source add far http://me:secret@127.0.0.1:1/pool
run cultivar -C guest -q --log-file "$world/log" pull
if grep 'secret' "$world/log" || ! grep -q 'http://\*\*\*@127.0.0.1' "$world/log"; then
    fail "the log file" "masked passwords" "$(<"$world/log")"
fi
reject_err secret
run cultivar -C guest source list
reject_out secret
run cultivar -C guest source remove far
run cultivar clone http://me:secret@127.0.0.1:1/pool far
expect_err 'http://\*\*\*@127.0.0.1'
reject_err secret
run cultivar -C guest propose --to http://me:secret@127.0.0.1:1/pool
reject_err secret
expect_rc 129 env CULTIVAR_LOG=loud cultivar -C guest top
expect_ok cultivar -C guest retire "$candidate" --reason --json # the value of an option is no flag
reject_out '^\{'
expect_ok cultivar -C guest retire "$candidate" --undo

section "what changed on main waits until it is trusted again"
echo '# a change' >>pool/files/run.sh
git -C pool commit --quiet --all --message 'Change the program'
expect_untrusted pool 'it changed'
expect_ok cultivar -C pool propose
rm -f ran
expect_untrusted guest 'it changed'
[[ ! -e ran ]] || fail "changed" "nothing ran" "it ran"
expect_ok cultivar -C guest status
expect_out 'not trusted here: cultivar trust'
expect_rc 129 cultivar -C guest trust
expect_err 'since it was trusted here: files/run\.sh changed'
expect_err '[0-9]+ runs? of the earlier one no longer counts?'
expect_hint 'cultivar trust --yes'
# A terminal of its own: there it asks.
on_a_terminal() { echo "$1" | script -qec 'cultivar -C guest trust' /dev/null; }
for answer in n ''; do
    expect_rc 1 on_a_terminal "$answer"
    expect_out 'trust it\? \[y/N\]'
done
expect_untrusted guest 'it changed'
expect_ok on_a_terminal y
expect_ok cultivar -C guest fsck
expect_out 'runs? of an earlier task'
expect_ok cultivar -C guest status
expect_out 'runs? of an earlier task'
expect_ok cultivar -C guest trust --revoke
expect_ok cultivar -C guest trust --yes
expect_ok cultivar -C guest explore --runs 1 --json --no-sandbox
expect_json '.runs[0].operator == "seed"' # another command, another task: scores do not compare
expect_ok cultivar -C guest trust --revoke
expect_untrusted guest 'not trusted'

section "a command that fails, hangs at SIGTERM or cannot judge"
found_command broken 'command.run = ["sh", "-c", "echo out of luck >&2; exit 3"]'
expect_ok cultivar -C broken trust
expect_rc 128 cultivar -C broken explore --runs 9 --json
expect_json '.runs | length == 3 and all(.[]; .status == "failed" and (.reason | test("out of luck")))'
expect_hint 'cultivar show --output [0-9a-f]{8}$'
id=$(json '.runs[0].candidate')
expect_rc 128 cultivar -C broken retry "$id" 0123456789abcdef
expect_ok cultivar -C broken retry "${id:0:8}"
expect_out "^${id:0:8}: 3 failed runs lifted; explore tries it next$"
run cultivar -C broken explore --runs 1 --json
expect_json '.runs[0] | .candidate == $id and .replicate == 3 and (.choice | test("its failures here were lifted"))' --arg id "$id"
found_command unfit "command.run = [\"sh\", \"-c\", '''echo '{\"event\":\"error\",\"kind\":\"unfit\",\"message\":\"too big\"}'; exit 125''']"
expect_ok cultivar -C unfit trust
run cultivar -C unfit explore --runs 1 --json
expect_json '.runs[0] | .status == "unfit" and .reason == "too big"'
found_command slow 'command.run = ["sh", "-c", "exec sleep 60"]' # sleep itself would refuse the specification's path
expect_ok cultivar -C slow trust
setsid cultivar -C slow explore --runs 1 >/dev/null 2>&1 </dev/null &
explorer=$!
wait_until 20 test -e "$(state_of slow)/run/events.jsonl"
kill -TERM "$explorer"
rc=0
wait "$explorer" || rc=$?
expect_same "exit code" 143 "$rc"

section "doctor tells the source of the joules in records, and changes nothing"
before=$(find "$XDG_STATE_HOME" | sort)
expect_ok cultivar -C parabola doctor --power --json
expect_json '(.power | length > 3) and any(.power[]; .counts) and any(.power[]; .kind == "processors") and .device == "cpu"'
CULTIVAR_POWER_COMMAND='echo 61' expect_ok cultivar -C parabola doctor --power
expect_out '^meter *counts: 61.0 W now'
expect_same "the user's state" "$before" "$(find "$XDG_STATE_HOME" | sort)"
expect_rc 129 cultivar -C parabola doctor
expect_rc 129 cultivar -C parabola doctor task --power

section "doctor runs it once, and tells what its sandbox refuses"
expect_ok cultivar -C parabola doctor task --json
expect_json '.scored and .refused == []'
echo secret >"$HOME/secret"
found_command curious "command.run = [\"sh\", \"-c\", \"cat $HOME/secret\"]"
expect_rc 128 cultivar -C curious doctor task
expect_hint 'cultivar trust$'
expect_ok cultivar -C curious trust
expect_rc 1 cultivar -C curious doctor task --json
expect_json '.scored == false and (.reason | test("secret"))'
expect_ok cultivar -C curious status --json
if [[ $(json '.sandbox.gaps | length') -eq 0 ]]; then
    expect_rc 1 cultivar -C curious doctor task
    expect_out "^refused +tried to read '$HOME/secret'"
    expect_out '^ +put the file below files/'
fi
expect_ok cultivar -C curious log --json
expect_json '.runs == []'
expect_rc 129 cultivar -C curious doctor
expect_rc 129 cultivar -C curious doctor data

section "a TOML that cannot be"
expect_rc 129 cultivar init other --kind command
expect_rc 129 cultivar init other --kind lm --task draft/task.toml
expect_rc 128 cultivar init other --task functio
expect_err "no ready task of that name: autoresearch, function, parameter-golf, python-script, svm"
expect_hint "cultivar init DIR --task function"
ln -s loop loop
expect_rc 128 cultivar init other --task loop/task.toml
expect_err "cannot open 'loop/task.toml': Too many levels"
expect_rc 129 cultivar init other --kind opera
[[ ! -e other ]] || fail "init" "no folder" "a folder"
printf 'command.run = ["./run"]\n[gene.x]\ntype = "boolean"\ndefault = false\n' >bad.toml
expect_rc 129 cultivar init other --kind command --task bad.toml
expect_err "bad.toml:1:.*neither a program's name nor a file of the pool"
printf 'command.run = ["files/none"]\n[gene.x]\ntype = "boolean"\ndefault = false\n' >bad.toml
expect_rc 128 cultivar init other --kind command --task bad.toml
expect_err 'files/none'
printf 'command.run = ["true"]\n' >bad.toml
expect_rc 129 cultivar init other --kind command --task bad.toml
expect_err 'declares no gene'
