#!/usr/bin/env bash
# Tests the depth of verification: the tiers, the verifier's private hold-out, and the share of the search that they may
# cost.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

found_pool referee "$world/hosting.git"
of_another_speed referee
add_seeds referee better=0.13 other=0.02 fourth=0.04
expect_ok cultivar -C referee propose
join_pool "$world/hosting.git" mallory
expect_ok cultivar -C mallory explore --runs 4 --json
best=$(json '.runs | min_by(.val_bpb).candidate')
worst=$(json '.runs | max_by(.val_bpb).candidate')

# edit_run CANDIDATE FILTER: changes mallory's unsent records.
edit_run() { edit_spool mallory "if .type == \"run\" and .candidate == \$id then $2 else . end" --arg id "$1"; }
of() { json --arg id "$1" "[.verdicts[].predicate | select(.candidate == \$id)][0] | $2"; }

section "a hold-out is a verifier's own"
write_text secret.txt 99 3000
cat corpus.txt >>secret.txt # public text is no hold-out
expect_ok cultivar -C referee data import --hold-out "$PWD/secret.txt" --json
expect_json '.slices >= 2 and .documents > 0 and .in_the_pool > 2000'
expect_rc 128 cultivar -C referee data import --hold-out "$PWD/missing.txt"
expect_rc 129 cultivar -C referee data import --hold-out "$PWD/corpus.txt"
expect_err 'too short for a slice'
expect_rc 129 cultivar -C referee data import --hold-out --tokenizer byte "$PWD/secret.txt"
expect_ok cultivar -C referee data import --hold-out "$PWD/secret.txt"
[[ $(stat -c %a "$(state_of referee)/hold-out") == 700 ]] || fail "the hold-out's mode" 700 other

section "what is about to be judged, how far and why"
edit_run "$best" '.trace.loss[1] *= 1.01'
edit_run "$worst" '.tokens += 1'
expect_ok cultivar -C mallory propose
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee verify --dry-run --json
expect_json '.verdicts == [] and .waiting == [] and (.to_judge | length == 4)'
# A claim that contradicts itself costs nothing to judge.
expect_json '.to_judge[0] | .candidate == $worst and .expected_seconds == 0 and .tier == "structure"' --arg worst "$worst"
expect_json '.to_judge[1] | .candidate == $best and .tier == "replay" and (.why | test("would be the best.*its rerun waits"))' \
    --arg best "$best"
expect_rc 129 cultivar -C referee verify --tier rerun
expect_rc 129 cultivar -C referee verify --tier guess "$best"

section "each tier rejects for its own reason"
expect_rc 1 cultivar -C referee verify --json
expect_same "the best" "rejected replay" "$(of "$best" '"\(.result) \(.tier)"')"
[[ $(of "$best" .reason) == *"did not go as recorded"* ]] || fail "reason" "a replay's" "$(of "$best" .reason)"
expect_same "the worst" "rejected structure" "$(of "$worst" '"\(.result) \(.tier)"')"
[[ $(of "$worst" .reason) == *"tokens in"* ]] || fail "reason" "its tokens" "$(of "$worst" .reason)"
expect_json '[.verdicts[].predicate | select(.result == "accepted")] | length == 2 and all(.[]; .tier == "replay" and (has("record") | not))'
expect_json 'any(.verdicts[].predicate | select(.result == "accepted").checks[]; .name == "replay" and .measured <= .tolerance and .count >= 1)'
expect_json 'any(.verdicts[].predicate.checks[]?; .name == "slice" and (.interval | length == 2) and .seconds > 0)'

section "the hold-out is used, and stays where it is"
expect_json 'any(.verdicts[].predicate.checks[]?; .name == "hold-out gap")'
expect_json 'any(.verdicts[].predicate.data[]?; .name == "hold-out" and (.digest.sha256 | length == 64))'
[[ $(wc -l <"$(state_of referee)/hold-out/seen.jsonl") -ge 2 ]] || fail "the verifier's book" "2 lines" fewer
expect_ok cultivar -C referee propose
slice=$(sha256sum "$(state_of referee)/hold-out/slice_00.bin" | cut -c 1-64)
for object in $(git -C hosting.git rev-list --all --objects | cut -c 1-40); do git -C hosting.git cat-file -p "$object"; done >everything
! grep -qa "$slice" everything || fail "the pool" "nothing of the hold-out" "its digest"

section "a record takes fresh seeds of a verifier's, whatever the claim's own runs say"
expect_ok cultivar -C referee top --json
# What would be the best owes a rerun until a machine of its category has made one.
expect_json 'any(.candidates[]; .verdict == "provisional") and all(.candidates[]; .record | not)'
leader=$(json '[.candidates[] | select(.verdict | IN("accepted", "provisional"))][0].id')
second=$(json '[.candidates[] | select(.verdict | IN("accepted", "provisional"))][1].id')
same_speed mallory referee
expect_ok cultivar -C referee verify --tier rerun "$leader" --json
expect_json '.verdicts[0].predicate | .tier == "rerun" and any(.checks[]; .name == "rerun" and .count == 3)'
expect_json '.verdicts[0].predicate | .record.accepted and .record.seeds == 3 and .record.against == null
    and ([.reruns[].seed] | unique | length == 3)'
expect_ok cultivar -C referee top --json
expect_json '[.candidates[] | select(.record).id] == [$leader]' --arg leader "$leader"
expect_json '.candidates[] | select(.record) | .verdict == "accepted" and .fresh_seeds == 3'
expect_ok cultivar -C referee verify --tier rerun "$second" --json
# How many seeds it takes depends on whether the first ones lead; one alone is never a record.
expect_json '.verdicts[0].predicate.record | .seeds >= 3 or (.accepted == false and .p == null)'
expect_ok cultivar -C referee verify --tier rerun "$second"
expect_out 'record, [2-9] seeds: .* (better|worse) than .* \(95 % interval .* to .*, p .*\)'
expect_ok cultivar -C referee show "$second" --json
expect_json '.claims[0].verdict.predicate | .record.against != null and (.record.p >= 0) and (.record.interval | length == 2)
    and (.reruns | length >= 2)'

section "verification has its share of the search"
rm -rf mallory hosting.git referee
found_pool referee "$world/hosting.git"
of_another_speed referee
sed -i 's/^share = .*/share = 0.0001/' referee/pool.toml
git -C referee commit --quiet --all --message 'A small share'
expect_ok cultivar -C referee propose
join_pool "$world/hosting.git" carol
expect_ok cultivar -C carol explore --runs 1 --propose
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee verify --json
expect_json '.verdicts == [] and (.waiting | length == 1) and .seconds.spent == 0 and .seconds.allowed > 0'
expect_ok cultivar -C referee verify
expect_out '^waiting .*would be the best of its category'
expect_err 'until more was searched'
expect_ok cultivar -C referee status
expect_out '^verification .*allowed 0.0 %.*1 claim waiting'
expect_ok cultivar -C referee status --json
expect_json '.verification | .claims_waiting == 1 and .seconds_allowed > 0'
expect_ok cultivar -C referee verify --beyond-share --json
expect_json '.verdicts[0].predicate | .result == "accepted" and (.chosen | test("its rerun waits$"))'
expect_ok cultivar -C referee verify
expect_err 'no claim is waiting'
