#!/usr/bin/env bash
# Verification of pools with a command of their own: an evaluator scores artifacts, a rerun confirms what a program says of
# itself, and neither believes the claimant.
# shellcheck disable=SC2016 # jq and the programs have their own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

# found_command FOLDER HOSTING TOML: founds a pool of kind command, with draft/files beside its task.
found_command() {
    git init --quiet --bare "$2"
    printf '%s\n' "$3" '[gene.x]' 'type = "real"' 'default = 0.0' 'range = [-9.0, 9.0]' >draft/task.toml
    expect_ok cultivar init "$1" --kind command --task draft/task.toml --budget 2s --remote "$2"
    expect_ok cultivar -C "$1" trust
}
# guest HOSTING NAME: another person's clone with four runs.
guest() {
    expect_ok env CULTIVAR_NAME="$2" CULTIVAR_MACHINE=machine cultivar clone "$1" "$2"
    expect_ok cultivar -C "$2" trust
    expect_ok cultivar -C "$2" explore --runs 4 --seed 3 --json
}
of() { json --arg id "$1" "[.verdicts[].predicate | select(.candidate == \$id)][0] | $2"; }

mkdir -p draft/files
# It trains, and tries whatever a program could: it prints the evaluator's line, replaces the evaluator, and stays alive.
cat >draft/files/fit.sh <<'END'
echo "accuracy: 0.999"
for judge in files/judge.sh ../files/judge.sh ../evaluation/files/judge.sh; do
    (echo 'echo accuracy: 0.998' >"$judge") 2>/dev/null
done
(while sleep 0.1; do echo "7.77" >"$2"; done) >/dev/null 2>&1 &
echo "$1" >"$2"
END
cat >draft/files/judge.sh <<'END'
# The better, the nearer to the number in the validation file.
[ ! -e fit-was-here ] || exit 9
awk -v x="$(cat "$1")" '{ printf "accuracy: %.6f\n", 1 - (x - $1) ^ 2 / 1000 }' "$2"
END
echo 3 >draft/files/valid.txt
task='metric = "accuracy"
direction = "maximize"
noise = "none"
[command]
run = ["sh", "files/fit.sh", "{gene.x}", "{artifact}"]
score = { regex = "accuracy: ([0-9.]+)" }
[evaluate]
run = ["sh", "files/judge.sh", "{artifact}", "{validation}"]
validation = "files/valid.txt"'

section "the score of a run is the evaluator's, whatever the program prints or leaves behind"
found_command referee "$world/judged.git" "$task"
expect_out '\[evaluate\]'
expect_out 'run = \["sh", "files/judge.sh"'
expect_ok cultivar -C referee propose
guest "$world/judged.git" mallory
expect_json '.runs | length == 4 and all(.[]; .status == "done" and .score < 0.9999)'
expect_json 'any(.runs[]; .operator == "seed" and .score == 0.991)' # 1 - 9/1000
expect_json 'all(.runs[]; .score != 0.999 and .score != 0.998)'
seed=$(json '.runs[] | select(.operator == "seed").candidate')
best=$(json '.runs | max_by(.score).candidate')
[[ $seed != "$best" ]] || fail "the search" "a better candidate than the seed" "none"

section "a forged score is found by scoring the same artifact again"
edit_spool mallory 'if .type == "run" and .candidate == $id then .val_bpb = -0.99999 else . end' --arg id "$best"
expect_ok cultivar -C mallory propose "$seed" "$best"
expect_ok cultivar -C referee pull
expect_rc 1 cultivar -C referee verify "$best" --json
expect_same "the forged claim" "rejected rescore" "$(of "$best" '"\(.result) \(.tier)"')"
[[ $(of "$best" .reason) == *"where 0.99999 was claimed"* ]] || fail "reason" "both scores" "$(of "$best" .reason)"

section "an honest claim is scored again, and one that matters is made again"
expect_ok cultivar -C referee verify "$seed" --tier rerun --json
expect_same "the seed, which leads now" "accepted rerun" "$(of "$seed" '"\(.result) \(.tier)"')"
expect_json '.verdicts[0].predicate | (.slice == "") and (.reruns | length == 1) and (.checks | map(.name) == ["evaluator", "rerun"])'
expect_ok cultivar -C referee propose
expect_ok cultivar -C mallory pull
expect_ok cultivar -C mallory top --json
expect_json 'any(.candidates[]; .id == $id and .verdict == "accepted" and .self_reported == false)' --arg id "$seed"

section "a score that is told counts only with its artifact, and as the evaluator says"
expect_ok cultivar -C mallory ask --json
asked=$(json .id)
echo -6 >told.txt
expect_rc 129 cultivar -C mallory tell "$asked" --score 0.99
expect_hint 'score X --artifact FILE$'
expect_rc 128 cultivar -C mallory tell "$asked" --score 0.99 --artifact "$world/told.txt"
expect_err 'measures 0.919000, not 0.99'
expect_ok cultivar -C mallory tell "$asked" --score 0.9195 --artifact "$world/told.txt" --json
expect_ok cultivar -C mallory log --json
expect_json 'any(.runs[]; .candidate == $id and .score == 0.919)' --arg id "$asked"

section "a run without an artifact has no score"
sed -i 's/^echo "$1" >"$2"$/:/' draft/files/fit.sh
found_command empty "$world/empty.git" "$task"
run cultivar -C empty explore --runs 1 --json
expect_json '.runs[0] | .status == "failed" and .failure.cause == "artifact"'

section "an artifact may be a folder, which a verifier finds as it was left"
cat >draft/files/fit.sh <<'END'
mkdir -p "$2/deep"
echo "$1" >"$2/model"
echo plain >"$2/deep/notes.txt"
chmod 700 "$2/model"
[ "$1" != 0.0 ] || exit 0
ln -s /etc/passwd "$2/link"
END
cat >draft/files/judge.sh <<'END'
[ "$(cat "$1/deep/notes.txt")" = plain ] && [ -x "$1/deep/notes.txt" ] || exit 9
awk -v x="$(cat "$1/model")" '{ printf "accuracy: %.6f\n", 1 - (x - $1) ^ 2 / 1000 }' "$2"
END
found_command folders "$world/folders.git" "$task"
expect_ok cultivar -C folders propose
guest "$world/folders.git" packer
expect_json '[.runs[] | select(.operator != "seed")] | length > 0 and all(.status == "failed" and .failure.cause == "artifact")'
seed=$(json '.runs[] | select(.operator == "seed").candidate')
expect_ok cultivar -C packer propose "$seed"
expect_ok cultivar -C folders pull
expect_ok cultivar -C folders verify "$seed" --tier rerun --json
expect_same "the folder" "accepted rerun" "$(of "$seed" '"\(.result) \(.tier)"')"
digest=$(json '.verdicts[0].subject[1].digest.sha256')
git -C folders cat-file blob "refs/artifacts/$digest:weights" | tar -x
expect_same "the archive for everybody" "0.0 plain" "$(cat artifact/model artifact/deep/notes.txt | xargs)"

section "without an evaluator a score is self-reported, and a rerun alone confirms it"
printf 'awk "BEGIN { print \\"loss: \\" ($1 - 3) ^ 2 + 1 }"\n' >draft/files/fit.sh
found_command alone "$world/alone.git" 'metric = "loss"
noise = "none"
[command]
run = ["sh", "files/fit.sh", "{gene.x}"]
score = { regex = "loss: ([0-9.]+)" }'
expect_ok cultivar -C alone propose
guest "$world/alone.git" liar
best=$(json '.runs | min_by(.score).candidate')
worst=$(json '.runs | max_by(.score).candidate')
edit_spool liar 'if .type == "run" and .candidate == $id then .val_bpb = 0.5 else . end' --arg id "$worst"
expect_ok cultivar -C liar propose "$best" "$worst"
expect_ok cultivar -C alone pull
expect_ok cultivar -C alone status
expect_rc 1 cultivar -C alone verify "$best" "$worst" --json
expect_same "the honest claim" "accepted rerun" "$(of "$best" '"\(.result) \(.tier)"')"
expect_same "the lie" "rejected rerun" "$(of "$worst" '"\(.result) \(.tier)"')"
expect_json 'all(.verdicts[]; .subject | length == 1)' # there is no artifact
expect_rc 1 cultivar -C alone verify "$worst" --tier rescore --json
expect_same "no word is believed" "inconclusive structure" "$(of "$worst" '"\(.result) \(.tier)"')"
[[ $(of "$worst" .reason) == *"self-reported"* ]] || fail "reason" "self-reported" "$(of "$worst" .reason)"

section "a verifier's own file finds what was learnt by heart, and nobody learns of the file"
# The program looks for the file wherever its folder may be; the evaluator knows an artifact that is a table of answers.
cat >draft/files/fit.sh <<'FIT'
echo "$1" >"$2"
cat ../hold-out/* ../../hold-out/* ../../../hold-out/* ../../../../hold-out/* >>"$2" 2>/dev/null || true
FIT
cat >draft/files/judge.sh <<'JUDGE'
if grep -q table "$1"; then
    grep -qx "table $(cat "$2")" "$1" && echo "accuracy: 1.0" || echo "accuracy: 0.5"
else
    awk -v x="$(cat "$1")" '{ printf "accuracy: %.6f\n", 1 - (x - $1) ^ 2 / 1000 }' "$2"
fi
JUDGE
public='{validation}' own='{hold_out}'
found_command court "$world/court.git" "${task/"$public"/$own}"
mkdir -p court/seeds
for x in 1 2 3 4 5 6 7 8 9; do echo "x = -$x.0" >court/seeds/"seed$x.toml"; done
git -C court add seeds && git -C court commit --quiet -m seeds
expect_ok cultivar -C court propose
expect_ok env CULTIVAR_NAME=student CULTIVAR_MACHINE=machine cultivar clone "$world/court.git" student
expect_ok cultivar -C student trust
expect_ok cultivar -C student explore --runs 10 --seed 3 --json
mapfile -t honest < <(json '.runs[] | select(.operator == "seed").candidate')
expect_ok cultivar -C student ask --json
asked=$(json .id)
echo "table 3" >table.txt
expect_ok cultivar -C student tell "$asked" --score 1 --artifact "$world/table.txt" --json
expect_ok cultivar -C student propose "$asked" "${honest[@]}"
expect_ok cultivar -C court pull
expect_ok cultivar -C court verify "${honest[1]}" --tier rerun --json
expect_err 'no hold-out serves here: .* cultivar data import --hold-out FILE'
expect_json '.verdicts[0].predicate | .tier == "rerun" and .certainty == "provisional"'
echo 3.1 >mine.txt
expect_rc 129 cultivar -C court data import --hold-out "$world/draft/files/valid.txt"
expect_rc 129 cultivar -C referee data import --hold-out "$world/mine.txt"
expect_ok cultivar -C court data import --hold-out "$world/mine.txt"
expect_ok cultivar -C court verify "${honest[@]}" --tier rescore --json
expect_json '.verdicts | length >= 9 and all(any(.predicate.checks[]; .name == "hold-out gap"))'
expect_rc 1 cultivar -C court verify "$asked" --tier rescore --json
[[ $(of "$asked" '"\(.tier) \(.reason)"') == "rescore hold-out: it was trained on the validation data"* ]] ||
    fail "the table" "rejected for its gap" "$(of "$asked" .reason)"
expect_ok cultivar -C court verify "${honest[0]}" --tier rerun --json # the program found no file there
expect_same "an honest one" "accepted rerun" "$(of "${honest[0]}" '"\(.result) \(.tier)"')"
expect_ok cultivar -C court propose
git -C "$world/court.git" log --all -p --format=%B --no-ext-diff >everything
for own in "$(sha256sum <mine.txt | cut -c 1-64)" slice_00 "$(state_of court)"; do
    ! grep -qa "$own" everything || fail "the pool" "nothing of the hold-out" "$own"
done

section "data outside git are found by their digests, read by every run and written by none"
mkdir -p sets/train
echo 3 >sets/valid.txt
echo 1000 >sets/train/scale.txt
cat >draft/files/fit.sh <<'FIT'
[ "$(cat "$3/train/scale.txt")" = 1000 ] || exit 8
(echo 5 >"$3/valid.txt") 2>/dev/null && exit 7
cat "$(dirname "$(readlink "$3/valid.txt")")/diary" 2>/dev/null && exit 6
echo "$1" >"$2"
FIT
cat >draft/files/judge.sh <<'JUDGE'
awk -v x="$(cat "$1")" '{ printf "accuracy: %.6f\n", 1 - (x - $1) ^ 2 / 1000 }' "$2"
JUDGE
last='"{artifact}"]' with_data='"{artifact}", "{data}"]'
task=${task/"$last"/$with_data}
task=${task/files\/valid.txt/data\/valid.txt}
found_command library "$world/library.git" "$task"
expect_rc 128 cultivar -C library explore --runs 1
expect_hint 'cultivar data import FILE'
expect_ok cultivar -C library data import "$world/sets" --json
expect_json '.first == true and .files == 2'
expect_rc 128 cultivar -C library explore --runs 1 # another task than the one that was trusted
expect_hint 'cultivar trust$'
expect_ok cultivar -C library trust --yes
expect_out '^data     train/scale.txt  sha256 [0-9a-f]{64}$'
echo private >sets/diary # beside them, and none of them
expect_ok cultivar -C library explore --runs 2 --json
expect_json 'all(.runs[]; .status == "done")'
expect_ok cultivar -C library propose
expect_ok env CULTIVAR_NAME=reader CULTIVAR_MACHINE=machine cultivar clone "$world/library.git" reader
expect_ok cultivar -C reader trust
expect_rc 128 cultivar -C reader explore --runs 1
expect_err 'scale.txt. is missing'
cp -r sets others && echo 4 >others/valid.txt
expect_rc 128 cultivar -C reader data import "$world/others"
expect_err "is not the pool's 'valid.txt'"
expect_ok cultivar -C reader data import "$world/sets"
expect_ok cultivar -C reader explore --runs 1 --json
expect_json '.runs[0].status == "done"'
expect_ok cultivar -C reader data check
echo 4 >sets/valid.txt
expect_rc 1 cultivar -C reader data check
expect_rc 128 cultivar -C reader explore --runs 1
expect_err "is not the pool's 'valid.txt'"
