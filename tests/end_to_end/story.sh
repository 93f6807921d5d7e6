#!/usr/bin/env bash
# The whole story with a tiny model: a referee founds a pool, laptop and desktop explore apart, share and cross, and the
# referee judges their claims.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git

section "the referee founds the pool; the same file gives everyone the same data"
found_pool referee "$hosting"
of_another_speed referee
add_seeds referee better=0.13 other=0.02
expect_ok cultivar -C referee propose
expect_err 'sent .*main'
join_pool "$hosting" laptop
join_pool "$hosting" desktop
for clone in laptop desktop; do
    expect_ok cultivar -C "$clone" data list --json
    digests=$(json '.files[].sha256')
    expect_ok cultivar -C referee data list --json
    expect_same "digests in $clone" "$(json '.files[].sha256')" "$digests"
    expect_ok cultivar -C "$clone" data check
done

section "another file is refused by name"
mkdir other
write_text other/corpus.txt 8 3000
expect_rc 128 cultivar -C desktop data import "$PWD/other/corpus.txt"
expect_err "'.*corpus.txt'"
expect_ok cultivar -C desktop data check

section "the laptop explores and shares"
expect_ok cultivar -C laptop explore --runs 5 --json
expect_json '.schema >= 1 and (.runs | length == 5)'
expect_json '.runs[0] | .operator == "seed" and .parents == [] and .decision == "kept"'
# The seeds fit the budget of one second; the search's own proposals may be too large for it.
expect_json 'all(.runs[]; .status | IN("done", "unfit")) and ([.runs[] | select(.status == "done")] | length >= 3)'
done_runs='.runs[] | select(.status == "done")'
expect_json "all($done_runs; .train_s > 0.5 and .train_s <= 1.25 and .wall_s > .train_s)"
expect_json "all($done_runs; .energy.joules > 0 and (.energy.method | IN(\"rapl\", \"nvml\", \"hwmon\", \"battery\", \"meter\", \"declared\", \"estimated\")))"
expect_json "all($done_runs; .chunk_loss_sums | length == 64)"
expect_json 'all(.runs[]; .choice != "" and .reason != "")'
seed=$(json '.runs[0].candidate')
expect_ok cultivar -C laptop propose
expect_err 'sent 1[0-9] records'
expect_ok cultivar -C laptop propose
expect_err 'nothing to propose'

section "top is a record with all its fields"
expect_ok cultivar -C laptop top --json
expect_json '.schema >= 1 and (.candidates | length >= 2)'
expect_json '[.candidates[] | keys] | unique | length == 1'
expect_json 'all(.candidates[]; has("id") and has("val_bpb") and has("runs") and has("category") and has("verdict") and
                 has("parents") and has("contributor") and has("change"))'
expect_json '[.candidates[].val_bpb] | . == sort'
expect_json '.candidates[] | select(.id == $seed) | .verdict == "pending" and .parents == []' --arg seed "$seed"
expect_json 'all(.candidates[]; .contributor | startswith("laptop.machine."))'

section "the desktop continues where the laptop stands"
same_speed laptop desktop
expect_ok cultivar -C desktop pull
expect_err 'new: 5 runs'
expect_ok cultivar -C desktop pull
expect_err 'nothing new'
theirs=$(cultivar -C laptop top --json | jq '[.candidates[].id]')
expect_ok cultivar -C desktop explore --runs 4 --propose --json
expect_json 'any(.runs[]; ([.candidate] + .parents) - $theirs != [.candidate] + .parents)' --argjson theirs "$theirs"
# Nobody vouches for the laptop's runs: the best of its seeds runs here too, and not all of them.
expect_json '.runs[0].operator == "seed" and any(.runs[]; .operator != "seed")'
expect_ok cultivar -C laptop pull
expect_err 'new: 4 runs'

section "ids by prefix; show, diff, log and status"
expect_ok cultivar -C laptop top --json
best=$(json '.candidates[0].id')
last=$(json '.candidates[-1].id')
expect_ok cultivar -C laptop show "${best:0:8}" --json
expect_same "id" "$best" "$(json .id)"
some_run=$(json '.runs[0].id')
expect_ok cultivar -C laptop show "${some_run:0:10}"
expect_json '.type == "run" and .candidate != ""'
expect_ok cultivar -C laptop show "${best:0:8}"
expect_out "^candidate $best"
expect_rc 1 cultivar -C laptop diff "${best:0:8}" "${last:0:8}" --json
expect_json '.schema >= 1 and (.genes | length >= 1)'
expect_ok cultivar -C laptop diff "$best" "$best"
expect_ok cultivar -C laptop log -n 3 --json
expect_json '.runs | length == 3'
expect_ok cultivar -C laptop log
expect_out 'desktop.machine'
expect_ok cultivar -C laptop status --json
expect_json '.runs.all == 9 and .runs.scored + .runs.unfit == 9 and .runs.scored >= 5'
expect_json '.contributors == 2 and .unsent_records == 0 and .data_here'
expect_ok cultivar -C laptop status
expect_out '^runs +9: [5-9] scored'

section "a cross is a merge commit with two parents"
mapfile -t ids < <(cultivar -C laptop top --json | jq -r '.candidates[].id')
crossed=''
for a in "${ids[@]}"; do
    for b in "${ids[@]}"; do
        [[ -z $crossed && $a < $b ]] || continue
        run cultivar -C laptop cross "${a:0:8}" "${b:0:8}" --json
        [[ $rc -eq 0 && $(json .new) == true ]] || continue # the search may have proposed the same
        crossed=$(json .id)
        commit=$(json .commit)
        branch=$(json .branch)
        expect_json '.parents | length == 2'
        expect_ok cultivar -C laptop cross "$b" "$a"
        expect_out "^already in the pool: ${crossed:0:8}"
        pair=("$a" "$b")
    done
done
[[ -n $crossed ]] || fail "a pair to cross" "one" "none of ${#ids[@]} candidates"
expect_same "branch" "$commit" "$(git -C laptop rev-parse "refs/heads/$branch")"
expect_same "parents in git" 2 "$(git -C laptop rev-list --parents -n 1 "$commit" | wc -w | awk '{print $1 - 1}')"
expect_same "the cross's configuration" "$(cultivar -C laptop show "$crossed" --json | jq -r .toml)" \
    "$(git -C laptop show "$commit:candidate.toml")"
expect_ok cultivar -C laptop explore --runs 1 --propose --json
expect_json '.runs[0] | .candidate == $id and .operator == "cross" and (.parents | length == 2)' --arg id "$crossed"
expect_ok cultivar -C desktop pull
expect_ok cultivar -C desktop cross "${pair[@]}" # crosses a branch that is not local there
expect_out "^already in the pool: ${crossed:0:8}"
reject_err 'runs it first'

section "the referee judges; everyone sees the verdicts"
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee verify --json
expect_json '.verdicts | length >= 1'
expect_json 'all(.verdicts[].predicate; .result == "accepted" and .tier == "replay" and .measured.chunks >= 8)'
expect_json 'any(.verdicts[].predicate; .measured.chunks == 64 and (.chosen | test("best of its category")))'
expect_json 'all(.verdicts[].predicate; .cost.seconds > 0 and .cost.joules > 0 and .cost.ratio > 0)'
expect_ok cultivar -C referee verify
expect_err 'no claim is waiting'
expect_ok cultivar -C referee propose
expect_ok cultivar -C desktop pull
expect_err 'verdict'
expect_ok cultivar -C desktop top --json
expect_json '.candidates[] | select(.id == $seed) | .verdict | IN("accepted", "provisional")' --arg seed "$seed"
expect_ok cultivar -C desktop top
expect_out 'provisional'
expect_ok cultivar -C desktop status --json
expect_json '.claims.pending == 0 and .claims.accepted + .claims.provisional >= 1 and .verification.seconds > 0 and .verification.joules > 0'

section "every clone sees the same pool"
expect_ok cultivar -C laptop pull
expect_ok cultivar -C laptop top --json
at_laptop=$out
expect_ok cultivar -C desktop top --json
expect_same "top" "$at_laptop" "$out"
expect_ok git -C hosting.git fsck --strict --no-dangling
