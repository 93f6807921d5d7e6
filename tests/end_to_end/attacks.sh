#!/usr/bin/env bash
# Attacks by a contributor: forged scores, swapped weights, misleading names, rewound logs, verdicts without authority.
# Each attack happens in a copy of one pool, in which `mallory` has runs that are not sent yet.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

mkdir base
cp_pool() { # cp_pool NAME: copies the base and enters it
    cd "$world"
    rm -rf attack
    cp -r base attack
    cd attack
    for clone in referee mallory; do git -C "$clone" config remote.origin.url "$PWD/hosting.git"; done
    section "$1"
}

cd base
found_pool referee "$PWD/hosting.git"
of_another_speed referee
add_seeds referee better=0.13
expect_ok cultivar -C referee propose
join_pool "$PWD/hosting.git" mallory
ssh-keygen -q -t ed25519 -N '' -f "$world/mallory.key"
git -C mallory config cultivar.signingKey "$world/mallory.key" # git signs with it too
expect_ok cultivar -C mallory explore --runs 2 --json
expect_json 'all(.runs[]; .decision == "kept" and .parents == [])' # seeds have no parents to beat
best=$(json '.runs | min_by(.val_bpb).candidate')
best_artifact=$(json '.runs | min_by(.val_bpb).artifact')
other_artifact=$(json '.runs | max_by(.val_bpb).artifact')
mallory=$(writer_of mallory)

# edit_runs FILTER: changes mallory's unsent runs of the best candidate; her own index believes them.
edit_runs() {
    edit_spool mallory "if .type == \"run\" and .candidate == \$best then $1 else . end" \
        --arg best "$best" --arg artifact "$other_artifact"
}
# push_log REF FILE [PARENT]: pushes an unsigned log with the lines of FILE, made by git plumbing.
push_log() {
    local blob seg tree
    blob=$(git -C mallory hash-object -w "$PWD/$2")
    seg=$(printf '100644 blob %s\t000000.jsonl\n' "$blob" | git -C mallory mktree)
    tree=$(printf '040000 tree %s\tseg\n' "$seg" | git -C mallory mktree)
    expect_ok git -C mallory push --quiet --force origin \
        "$(git -C mallory commit-tree -m forged ${3:+-p "$3"} "$tree"):refs/heads/$1"
}
# send_by_hand: signs and pushes mallory's unsent records as they are, which cultivar itself would set aside.
send_by_hand() {
    local blob seg tree commit
    blob=$(git -C mallory hash-object -w "$(state_of mallory)/spool.jsonl")
    seg=$(printf '100644 blob %s\t000000.jsonl\n' "$blob" | git -C mallory mktree)
    tree=$(printf '040000 tree %s\tseg\n' "$seg" | git -C mallory mktree)
    commit=$(GIT_AUTHOR_NAME=$mallory GIT_COMMITTER_NAME=$mallory git -C mallory -c gpg.format=ssh \
        -c user.signingKey="$world/mallory.key" commit-tree -S -m forged "$tree")
    expect_ok git -C mallory push --quiet origin "$commit:refs/heads/journal/$mallory"
}
verdict_on() { json --arg id "$1" '[.verdicts[].predicate | select(.candidate == $id)][0].result'; }
# Expects the best candidate to be rejected, in last place and without counted runs.
expect_last_and_rejected() {
    expect_ok cultivar -C "$1" top --json
    expect_json '.candidates[-1] | .id == $best and .verdict == "rejected" and .runs == 0' --arg best "$best"
}
expect_refused() { # expect_refused REASON: the referee's pull refuses it, and it counts nowhere
    expect_ok cultivar -C referee pull
    expect_err "warning: refused: .*$1"
    expect_ok cultivar -C referee top --json
    expect_json 'all(.candidates[]; .id != $best)' --arg best "$best"
}

cp_pool "an honest pool is accepted"
expect_ok cultivar -C mallory propose
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee verify

cp_pool "a score edited consistently is found by scoring again"
edit_runs '.val_bpb *= 0.9 | .val_loss *= 0.9 | .chunk_loss_sums |= map(. * 0.9)'
expect_ok cultivar -C mallory propose
expect_ok cultivar -C referee pull
reject_err 'refused'
expect_rc 1 cultivar -C referee verify --json
expect_same "verdict" rejected "$(verdict_on "$best")"
expect_json 'all(.verdicts[].predicate; .result == "accepted" or (.tier == "rescore" and (.reason | test("does not reach its score"))))'
expect_last_and_rejected referee
expect_ok cultivar -C referee propose
expect_ok cultivar -C mallory pull
expect_last_and_rejected mallory
expect_ok cultivar -C referee show "$best"
expect_out 'rejected by .*does not reach its score'
expect_ok cultivar -C referee log
expect_out 'refused'

cp_pool "a score edited by itself does not even enter"
edit_runs '.val_bpb *= 0.9'
send_by_hand
expect_refused 'val_bpb .* does not follow from val_loss'

cp_pool "chunk sums that do not add up"
edit_runs '.chunk_loss_sums[0] *= 0.5'
send_by_hand
expect_refused 'do not add up'

cp_pool "a run that took its time"
edit_runs '.train_s = 60'
send_by_hand
expect_refused 'it trained 60 s on a budget of 1 s'

cp_pool "a seed that was picked"
edit_runs '.seed += 1'
send_by_hand
expect_refused 'seed is not the derived one'

cp_pool "a configuration that does not hash to its name"
edit_runs '.toml += "optim.matrix_lr = 0.031\n"'
send_by_hand
expect_refused '(hashes to|canonical)'

cp_pool "records of another writer"
edit_runs '.writer = "alice.machine.00000000"'
expect_rc 129 cultivar -C mallory propose
expect_err "made as 'alice.machine.00000000'"

cp_pool "weights of another run"
edit_runs '.artifact = $artifact'
expect_ok cultivar -C mallory propose
expect_ok cultivar -C referee pull
expect_rc 1 cultivar -C referee verify --json
expect_same "verdict" rejected "$(verdict_on "$best")"
expect_last_and_rejected referee

cp_pool "an artifact's name that leads to other bytes condemns nobody, and is put right"
expect_ok cultivar -C mallory propose
honest=$(git -C hosting.git rev-parse "refs/artifacts/$best_artifact")
git -C hosting.git update-ref "refs/artifacts/$best_artifact" "refs/artifacts/$other_artifact"
expect_ok cultivar -C referee pull
expect_rc 1 cultivar -C referee verify --json
expect_same "verdict" inconclusive "$(verdict_on "$best")"
expect_json '.verdicts[].predicate | select(.candidate == $best) | .reason |
    test("cannot be checked, its artifact is missing or replaced: .* does not hash to its name")' --arg best "$best"
git -C hosting.git update-ref "refs/artifacts/$best_artifact" "$honest"
expect_ok cultivar -C referee verify "$best"

cp_pool "an artifact that nobody has decides nothing"
expect_ok cultivar -C mallory propose
git -C hosting.git update-ref -d "refs/artifacts/$best_artifact"
expect_ok cultivar -C referee pull
expect_rc 1 cultivar -C referee verify --json
expect_same "verdict" inconclusive "$(verdict_on "$best")"

cp_pool "a claim that hides a forged run behind an honest one"
state=$(state_of mallory)
jq -nc --arg best "$best" 'first(inputs | select(.type == "run" and .candidate == $best)) |
    .val_bpb *= 0.5 | .val_loss *= 0.5 | .chunk_loss_sums |= map(. * 0.5)' "$state/spool.jsonl" >forged.jsonl
cat forged.jsonl "$state/spool.jsonl" >spool.new # put first, so that the claim's weights are those of the honest run
mv spool.new "$state/spool.jsonl"
rm -rf "$state/index"
expect_ok cultivar -C mallory propose
expect_ok cultivar -C referee pull
run cultivar -C referee verify --json
expect_ok cultivar -C referee top --json
forged=$(jq -r .val_bpb forged.jsonl)
# For every verdict: an accepted score is no better than the score measured again.
expect_json '.candidates[] | select(.id == $best) | (.verdict | IN("accepted", "provisional") | not) or .val_bpb >= 1.999 * ($forged | tonumber)' \
    --arg best "$best" --arg forged "$forged"

cp_pool "a forged run beside an accepted claim"
expect_ok cultivar -C mallory propose
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee verify
expect_ok cultivar -C referee top --json
honest=$(json --arg best "$best" '.candidates[] | select(.id == $best).val_bpb')
state=$(state_of mallory)
git -C mallory show "refs/heads/journal/$mallory:seg/000000.jsonl" >sent.jsonl
jq -nc --arg best "$best" 'first(inputs | select(.type == "run" and .candidate == $best)) |
    .val_bpb *= 0.5 | .val_loss *= 0.5 | .chunk_loss_sums |= map(. * 0.5)' sent.jsonl >>"$state/spool.jsonl"
rm -rf "$state/index"
expect_ok cultivar -C mallory propose
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee top --json
# No verdict accepts that run, so it does not change the accepted score.
expect_json '.candidates[] | select(.id == $best) | (.verdict | IN("accepted", "provisional") | not) or .val_bpb == ($honest | tonumber)' \
    --arg best "$best" --arg honest "$honest"

cp_pool "branches that lie about what they hold"
expect_ok cultivar -C mallory propose
branches=$(git -C mallory for-each-ref --format='%(refname:lstrip=2)' 'refs/heads/candidates/*')
one=$(head -n 1 <<<"$branches")
commit=$(git -C mallory rev-parse "$one")
id=${one#candidates/}
id=${id%.*}
push_as() { expect_ok git -C mallory push --quiet origin "$1:refs/heads/$2"; }
push_as "$commit" candidates/best
push_as "$commit" "candidates/${id//[0-9]/0}.${commit:0:8}"
push_as "$commit" "candidates/$id.00000000"
expect_ok cultivar -C referee pull
expect_err "candidates/best is not a candidate's branch"
expect_err "holds another candidate than its name says"
expect_err "points to another commit than its name says"
other_bytes() { # makes the same tree with another message, date, file, or kind of file
    local made
    made=$1
    push_as "$made" "candidates/$id.${made:0:8}"
    expect_ok cultivar -C referee pull
    expect_err "refused: .*candidates/$id.${made:0:8}"
}
other_bytes "$(git -C mallory commit-tree -m 'the best of all' "$commit^{tree}")"
blob=$(printf 'optim.matrix_lr = 1e9\n' | git -C mallory hash-object -w --stdin)
other_bytes "$(git -C mallory commit-tree -m x "$(printf '100644 blob %s\tcandidate.toml\n' "$blob" | git -C mallory mktree)")"
link=$(printf '/etc/passwd' | git -C mallory hash-object -w --stdin)
other_bytes "$(git -C mallory commit-tree -m x "$(printf '120000 blob %s\tcandidate.toml\n' "$link" | git -C mallory mktree)")"
big=$(head -c 3000000 /dev/zero | git -C mallory hash-object -w --stdin)
other_bytes "$(git -C mallory commit-tree -m x "$(printf '100644 blob %s\tcandidate.toml\n' "$big" | git -C mallory mktree)")"
expect_ok cultivar -C referee verify
expect_ok cultivar -C referee pull

cp_pool "a journal that is rewound, rewritten or replaced loses nothing"
expect_ok cultivar -C mallory propose
ref=refs/heads/journal/$mallory
first=$(git -C hosting.git rev-parse "$ref")
expect_ok cultivar -C mallory explore --runs 1 --propose
second=$(git -C hosting.git rev-parse "$ref")
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee top --json
before=$out
git -C hosting.git update-ref "$ref" "$first"
expect_ok cultivar -C referee pull
expect_err "refused: .*journal/$mallory.*rewound"
rewritten=$(git -C hosting.git show "$second:seg/000000.jsonl" | sed '1d' | git -C hosting.git hash-object -w --stdin)
seg=$(printf '100644 blob %s\t000000.jsonl\n' "$rewritten" | git -C hosting.git mktree)
tree=$(printf '040000 tree %s\tseg\n' "$seg" | git -C hosting.git mktree)
git -C hosting.git update-ref "$ref" "$(git -C hosting.git commit-tree -p "$second" -m rewritten "$tree")"
expect_ok cultivar -C referee pull
expect_err "journal/$mallory (was rewritten|is not signed)"
rm -rf "$(state_of referee)/index"
run cultivar -C referee pull
expect_err "journal/$mallory (was rewritten|is not signed)"
git -C hosting.git update-ref "$ref" "$second"
run cultivar -C referee pull
expect_ok cultivar -C referee top --json
expect_same "top" "$before" "$out"

cp_pool "verdicts without standing"
expect_ok cultivar -C mallory propose
expect_ok cultivar -C mallory verify "$best"
expect_err 'left to another verifier'
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee verify
referee=$(writer_of referee)
git -C referee show "refs/heads/ledger/$referee:seg/000000.jsonl" >true.jsonl
join_from() { # a third party joins, without knowledge of its own
    expect_ok env CULTIVAR_NAME=carol CULTIVAR_MACHINE=machine cultivar clone "$PWD/hosting.git" "$1"
}
jq -c --arg writer "$mallory" '.predicate.verifier = $writer' true.jsonl >forged.jsonl
push_log "ledger/$mallory" forged.jsonl
join_from carol
expect_err "ledger/$mallory is not signed"
push_log "ledger/$referee" true.jsonl
join_from dave
expect_err "ledger/$referee is not signed"
for clone in carol dave; do
    expect_ok cultivar -C "$clone" top --json
    expect_json 'any(.candidates[]; .id == $best) and all(.candidates[]; .verdict | IN("accepted", "provisional") | not)' --arg best "$best"
done

cp_pool "a key without standing cannot judge"
same_speed mallory referee
expect_ok cultivar -C referee explore --runs 1 --propose
expect_ok cultivar -C mallory pull
expect_rc 129 cultivar -C mallory verify
expect_err "none of the pool's verifiers"
expect_hint 'allowed_signers'

cp_pool "runs in another's name"
expect_ok cultivar -C mallory propose
expect_ok cultivar -C referee pull
theirs=refs/heads/journal/$mallory
git -C mallory show "$theirs:seg/000000.jsonl" >forged.jsonl
jq -nc 'first(inputs | select(.type == "run")) | .replicate += 100' forged.jsonl >more.jsonl
cat more.jsonl >>forged.jsonl
push_log "journal/$mallory" forged.jsonl "$(git -C mallory rev-parse "$theirs")"
expect_ok cultivar -C referee pull
expect_err "journal/$mallory is not signed by its writer"
git -C hosting.git update-ref "$theirs" "$(git -C mallory rev-parse "$theirs")"
expect_ok cultivar -C referee pull
reject_err 'refused'

cp_pool "nobody judges their own claims"
same_speed mallory referee
expect_ok cultivar -C referee explore --runs 1 --propose
expect_ok cultivar -C referee verify
expect_err 'of your own left to another verifier'
expect_ok cultivar -C referee status --json
expect_json '.claims.accepted == 0 and .claims.pending == 1'
