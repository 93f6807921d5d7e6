#!/usr/bin/env bash
# Agents ask for runs and tell their results, and external proposers suggest candidates. Their mistakes harm only
# themselves.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

# found FOLDER GENE-TOML [ARGUMENT...]: founds a pool scored by a line of jq, and trusts it here.
found() {
    mkdir -p draft
    printf '%s\n' "command.run = [\"jq\", \"-c\", '{event: \"done\", score: (.genes | $score)}', \"{specification}\"]" \
        "$2" >draft/task.toml
    expect_ok cultivar init "$1" --kind command --task draft/task.toml "${@:3}"
    expect_ok cultivar -C "$1" trust
}
x_gene=$'[gene.x]\ntype = "real"\ndefault = 0.0\nrange = [-10.0, 10.0]'
b_gene=$'[gene.b]\ntype = "boolean"\ndefault = false'
parabola='(.x - 3) * (.x - 3)'
switch='if .b then 1 else 2 end'
# ended PID: true if the process is gone or a zombie.
ended() { ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null; }
open_asks() { cultivar -C "$1" ask --open --json | jq '.asks | length'; }

score=$parabola
found pool "$x_gene" --budget 10m

section "what is asked for is a whole candidate, leased, and told like a run of explore's"
expect_ok cultivar -C pool ask --json
expect_json '.schema == 1 and .operator == "seed" and .genes == {x: 0.0} and .budget_s == 600 and .replicate == 0 and .held'
expect_json '(.id | length == 32) and (.short_id as $s | .id | startswith($s)) and .seed > 0 and (.choice | length > 5)'
expect_json '.specification | .mode == "train" and .genes == {x: 0.0} and (.work_dir | startswith("/"))'
expect_json '((.until | fromdate) - (.asked | fromdate)) == 900'
id=$(json .id)
expect_same "lease in the journal" "$id" "$(records_of pool | jq -r 'select(.type == "lease") | .candidate')"
expect_rc 125 cultivar -C pool ask # there is nothing else to try before the seed has a score
expect_err 'nothing left to try'
expect_ok cultivar -C pool tell "${id:0:8}" --score 9 --seconds 3 --joules 40 --steps 7 --json
expect_json '.run | .decision == "kept" and .val_bpb == 9 and .train_s == 3 and .energy.joules == 40 and .steps == 7'
expect_json '.run | .operator == "seed" and .candidate == $id and .energy.method == "declared"' --arg id "$id"
expect_same "open asks" 0 "$(open_asks pool)"
expect_ok cultivar -C pool ask
expect_out '^\[genes\]$'
expect_out '^x = '
expect_out '^until = 20'
expect_err 'cultivar tell [0-9a-f]{8} --score X'
id=$(sed -n 's/^id = "\(.*\)"$/\1/p' <<<"$out")
expect_ok cultivar -C pool tell "$id" --failed 'it dived' --json
expect_json '.run | .status == "failed" and .reason == "it dived" and .decision == "none"'

section "two agents at once, and explore beside them, never run the same"
cat >agent.sh <<'END'
#!/bin/sh
# agent.sh POOL RUNS: asks, scores and tells.
for _ in $(seq "$2"); do
    cultivar -q -C "$1" ask --json >"ask.$$" || exit 1
    score=$(jq '.genes.x as $x | ($x - 3) * ($x - 3)' "ask.$$")
    cultivar -q -C "$1" tell "$(jq -r .id "ask.$$")" --score "$score" || exit 1
done
END
runs_before=$(cultivar -C pool log -n 1000 --json | jq '.runs | length')
sh agent.sh pool 6 & one=$!
sh agent.sh pool 6 & two=$!
expect_ok cultivar -C pool explore --runs 4
wait "$one" || fail "first agent" "exit code 0" "$?"
wait "$two" || fail "second agent" "exit code 0" "$?"
expect_same "runs" "$((runs_before + 16))" "$(ids_of pool run | sort -u | wc -l)"
twice=$(records_of pool | jq -r 'select(.type == "run") | "\(.candidate) \(.replicate)"' | sort | uniq -d)
expect_same "what was run twice" "" "$twice"
expect_same "open asks" 0 "$(open_asks pool)"

section "kill -9 between ask and tell loses nothing"
cat >killed.sh <<'END'
cultivar -q -C pool ask --json >killed.json && mv killed.json asked.json && exec sleep 60
END
setsid sh killed.sh & agent=$!
wait_until 20 test -e asked.json
kill -KILL -- "-$agent"
wait "$agent" || true
id=$(jq -r .id asked.json)
expect_same "open asks" 1 "$(open_asks pool)"
expect_ok cultivar -C pool ask --json
expect_json '.id != $id' --arg id "$id"
other=$(json .id)
expect_ok cultivar -C pool explore --runs 1 --json
expect_json 'all(.runs[]; .candidate != $id and .candidate != $other)' --arg id "$id" --arg other "$other"
expect_ok cultivar -C pool tell "$id" --score 5
expect_ok cultivar -C pool tell "$other" --failed 'never mind'

section "kill -9 of ask itself, at any moment, leaves an open ask or none, and a journal that reads"
for delay in 0.01 0.02 0.04 0.06 0.08 0.1 0.15 0.2; do
    setsid cultivar -q -C pool ask >/dev/null 2>&1 & asker=$!
    sleep "$delay"
    kill -KILL "$asker" 2>/dev/null || true
    wait "$asker" || true
done
records_of pool | jq -c .type >/dev/null || fail "journal" "JSON lines" "something else"
expect_ok cultivar -C pool ask --open --json
expect_json '(.asks | length <= 8) and ([.asks[].id] | length == (unique | length))'
for id in $(json '.asks[].id'); do expect_ok cultivar -C pool tell "$id" --failed 'its asker was killed'; done
expect_ok cultivar -C pool fsck

section "wrong input is refused with a reason, and leaves the ask open"
expect_ok cultivar -C pool ask --json
id=$(json .id)
for score_told in nan inf -inf 1e400 1e13 0x10 '' 'two' '1 2'; do
    expect_rc 129 cultivar -C pool tell "$id" --score "$score_told"
    expect_err "it takes a number from"
done
for flag in --seconds --joules; do
    expect_rc 129 cultivar -C pool tell "$id" --score 1 "$flag" -1
    expect_err "$flag = '-1'"
done
expect_rc 129 cultivar -C pool tell "$id" --score 1 --steps -1
expect_rc 129 cultivar -C pool tell "$id"
expect_err 'give one of --score and --failed'
expect_rc 129 cultivar -C pool tell "$id" --score 1 --failed 'both'
expect_rc 129 cultivar -C pool tell "$id" --failed ''
expect_rc 129 cultivar -C pool tell "${id:0:3}" --score 1
expect_rc 128 cultivar -C pool tell ffffffff --score 1
expect_err "nobody asked for 'ffffffff'"
expect_hint 'cultivar ask$'
expect_rc 128 cultivar -C pool tell "$id" --score 1 --artifact "$world/nowhere.bin"
expect_err 'nowhere.bin'
expect_rc 128 cultivar -C pool tell "$id" --score 1 --artifact "$world"
truncate -s 17000000 large.bin
expect_rc 125 cultivar -C pool tell "$id" --score 1 --artifact "$world/large.bin"
expect_err "over the pool's cap of 16000000 bytes"
expect_hint "cultivar tell ${id:0:8} --failed"
expect_rc 128 cultivar -C pool tell "$id" --score 1 --seconds 8000
expect_err 'it trained 8000 s on a budget of 600 s'
expect_same "open asks" 1 "$(open_asks pool)"
echo weights >weights.bin
expect_ok cultivar -C pool tell "$id" --score -2.5 --joules 1e-5000 --artifact "$world/weights.bin" --json
expect_json '.run | .val_bpb == -2.5 and .energy.joules == 0 and .artifact == $digest' --arg digest "$(sha256sum <weights.bin | cut -d' ' -f1)"
expect_rc 128 cultivar -C pool tell "$id" --score 1
expect_err 'was told already'
expect_hint "cultivar log ${id:0:8}"
expect_rc 129 cultivar -C pool ask --budget 0.5s

section "a configuration of one's own is imported, then asked for"
printf 'x = 2.71828\n' >idea.toml # finer than the rounding of proposals, so the search never finds it itself
expect_ok cultivar -C pool import "$PWD/idea.toml" --json
id=$(json .id)
expect_rc 128 cultivar -C pool tell "$id" --score 0.0625
expect_hint 'cultivar import FILE.toml && cultivar ask$'
expect_ok cultivar -C pool ask --json
expect_json '.id == $id and .operator == "import" and .genes.x == 2.71828' --arg id "$id"
expect_ok cultivar -C pool tell "$id" --score 0.0625

section "a lease that is over frees the candidate; a late result counts unless it was run meanwhile"
score=$switch
found late "$b_gene" --budget 1s
expect_ok cultivar -C late explore --runs 1
expect_ok cultivar -C late ask --json
id=$(json .id)
wait_until 10 sh -c 'cultivar -C late ask --open --json | jq -e "all(.asks[]; .held | not)"'
expect_ok cultivar -C late tell "$id" --score 1
expect_err 'its lease was over'
found meanwhile "$b_gene" --budget 1s
expect_ok cultivar -C meanwhile explore --runs 1
expect_ok cultivar -C meanwhile ask --json
id=$(json .id)
wait_until 10 sh -c 'cultivar -C meanwhile ask --open --json | jq -e "all(.asks[]; .held | not)"'
expect_ok cultivar -C meanwhile explore --runs 1 --json
expect_json '.runs[0].candidate == $id' --arg id "$id"
expect_rc 128 cultivar -C meanwhile tell "$id" --score 1
expect_err 'the lease of .* was over at .*, and it was run here since'

section "another machine knows of it once it was proposed"
git init --quiet --bare hosting.git
found here "$b_gene" --budget 10m --remote "$world/hosting.git"
expect_ok cultivar -C here explore --runs 2 # the seed, twice
expect_ok cultivar -C here ask --json
id=$(json .id)
expect_ok cultivar -C here propose
expect_ok env CULTIVAR_NAME=guest CULTIVAR_MACHINE=machine cultivar clone "$world/hosting.git" there
expect_ok cultivar -C there trust
expect_ok cultivar -C there explore --runs 3 --json
expect_json '.runs | length == 3 and all(.[]; .candidate != $id)' --arg id "$id"
expect_ok cultivar -C here tell "$id" --score 1 --json
expect_json '.run.decision == "kept"'
expect_ok cultivar -C here propose # the seed and this one, for a rerun to confirm: there is no evaluator
expect_same "claims" 2 "$(ids_of here claim | wc -l)"
expect_ok cultivar -C there pull
expect_ok cultivar -C there log --json
expect_json 'any(.runs[]; .candidate == $id and .refused == null)' --arg id "$id"

section "explain plans the same as explore does, and says the same of a run afterwards"
score=$parabola
found told "$x_gene" --budget 10m
expect_ok cultivar -C told explore --runs 14
for _ in 1 2 3; do
    expect_ok cultivar -C told explain --json
    expect_json '.run == null and (.operators | length >= 4) and ([.operators[].share] | add > 0.99 and add < 1.01)'
    expect_json '(.arms | length > 0) and (.families | length == 1) and .families[0].share > 0.99'
    next=$(json .candidate)
    records=$(records_of told | wc -l)
    expect_ok cultivar -C told explain
    expect_same "records" "$records" "$(records_of told | wc -l)"
    expect_ok cultivar -C told explore --runs 1 --json
    expect_json '.runs[0].candidate == $next' --arg next "$next"
done
run=$(json '.runs[0].id')
expect_ok cultivar -C told explain "${run:0:10}"
expect_out '^operator +odds'
expect_out 'the same choice'
for run in $(ids_of told run); do
    expect_ok cultivar -C told explain "$run" --json
    expect_json '.planned_again == .candidate and .run == $run' --arg run "$run"
done
expect_ok cultivar -C told explain --seed 7 --json
next=$(json .candidate)
expect_ok cultivar -C told explore --runs 1 --seed 7 --json
expect_json '.runs[0].candidate == $next' --arg next "$next"
expect_rc 128 cultivar -C told explain ffffffff

# --- Proposers --------------------------------------------------------------------------------------------------------
# ask_proposer NAME COMMAND [ARGUMENT...]: explores until the proposer is drawn; leaves its run in $out.
ask_proposer() {
    local tries
    for tries in {1..60}; do
        expect_ok cultivar -C told explore --runs 1 --proposer "$2" --proposer-name "$1" "${@:3}" --json
        [[ $(json '.runs[0].proposer.name') != "proposer:$1" ]] || return 0
    done
    fail "proposer $1" "called" "never in $tries runs"
}
# expect_refused NAME TEXT: expects that another operator made the run, and that the reason for it is given.
expect_refused() {
    expect_json '.runs[0] | .status == "done" and .operator != $name and (.proposer.refused | test($why))' \
        --arg name "proposer:$1" --arg why "$2"
    expect_json '.runs[0].choice | startswith($name + " gave nothing; ")' --arg name "proposer:$1"
    expect_err "proposer:$1: .*$2"
}

section "a proposer's changes become a run, with what it cost"
cat >good.sh <<'END'
cd "${0%/*}" && cat >seen.json
jq -c '{parent: ([.best[] | select(.may_be_parent)][0].id), changes: {x: (2.90005 + ('"$$"' % 1000) / 10000)},
        note: "near \u001b[31mthree", cost: {tokens: 1200, seconds: 30, price: 0.02}}' seen.json
END
ask_proposer good "sh $world/good.sh"
expect_json '.runs[0] | .operator == "proposer:good" and .status == "done" and .val_bpb < 0.1 and (.parents | length == 1)'
expect_json '.runs[0].proposer | .tokens == 1200 and .usd == 0.02 and .seconds == 30 and .refused == null'
expect_json '.runs[0].choice | test("it says: near .\\[31mthree") and (test("\u001b") | not)'
proposed=$(json '.runs[0].id')
expect_ok cultivar -C told explain "$proposed"
expect_out 'proposer:good'
jq -e '.schema == 1 and .task.kind == "command" and .space.genes[0].name == "x" and (.space.genes[0] | has("range"))
       and (.best | length > 0) and (.runs | length > 0) and (.operators | map(.name) | index("proposer:good"))
       and .you == "proposer:good"' seen.json >/dev/null || fail "what it was told" "the pool" "something else"
expect_same "mentions of a key" 0 "$(grep -c 'PRIVATE' seen.json || true)"

section "one that hangs, floods, lies or crashes costs the call"
ask_proposer slow "sleep 300 & echo \$! >'$world/slow.pid'; wait" --proposer-limit 1s
expect_refused slow 'no answer within 1 s'
expect_json '.runs[0].proposer.seconds | . >= 1 and . < 30'
wait_until 5 ended "$(cat slow.pid)"
ask_proposer flood 'exec yes'
expect_refused flood 'over 65536 bytes'
ask_proposer silent 'true'
expect_refused silent 'it gave no answer'
ask_proposer crash 'echo "no key" >&2; exit 3'
expect_refused crash 'left with exit code 3: no key'
ask_proposer words 'echo try a smaller rate'
expect_refused words 'not JSON'
ask_proposer nobody "echo '{\"parent\": \"ffffffff\", \"changes\": {\"x\": 1}}'"
expect_refused nobody 'names no candidate'
ask_proposer range 'jq -c "{parent: .best[0].id, changes: {x: 1e6}, cost: {price: 0.5}}"'
expect_refused range "x"
expect_json '.runs[0].proposer.usd == 0.5'
ask_proposer again 'jq -c "{parent: [.best[] | select(.may_be_parent)][0].id, changes: {x: .best[1].genes.x}}"'
expect_refused again '(is known already|changes nothing)'
ask_proposer gone 'kill -KILL $$'
expect_refused gone 'killed by signal 9'

section "Ctrl-C ends it with explore"
rm -f slow.pid
setsid cultivar -C told explore --runs 500 --proposer "sleep 300 & echo \$! >'$world/slow.pid'; wait" --proposer-limit 5m \
    >/dev/null 2>&1 & explorer=$!
wait_until 60 test -s slow.pid
kill -INT "$explorer"
rc=0
wait "$explorer" || rc=$?
expect_same "exit code" 130 "$rc"
wait_until 5 ended "$(cat slow.pid)"

section "wrong words about a proposer"
expect_rc 129 cultivar -C told explore --runs 1 --proposer ' '
expect_rc 129 cultivar -C told explore --runs 1 --proposer-name good
expect_rc 129 cultivar -C told explore --runs 1 --proposer true --proposer-name 'Good One'
expect_rc 129 cultivar -C told explore --runs 1 --proposer true --proposer-limit soon
expect_ok cultivar -C told fsck
