#!/usr/bin/env bash
# The ready tasks, played as their README says: a compiler's flags are tuned, and models of a trainer that nobody here wrote
# are tuned, verified and forged.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

section "function: flags that make a program faster than -O2"
expect_ok cultivar init fast --task function --budget 30s
expect_ok cultivar -C fast trust
expect_ok cultivar -C fast explore --runs 16 --seed 2 --json
expect_json 'any(.runs[]; .operator == "seed" and .status == "done" and (.metrics.program_kb > 1))'
# The program gains four times by these flags, so a twentieth is beyond every noise.
expect_json '[.runs[] | select(.status == "done").score] | min < 0.95'
expect_ok cultivar -C fast top
expect_out 'relative_time'

section "svm: libsvm's own programs train and judge, and a verifier believes no score"
git init --quiet --bare hosting.git
expect_ok cultivar init referee --task svm --remote "$world/hosting.git"
expect_ok cultivar -C referee trust
expect_ok cultivar -C referee propose
expect_ok env CULTIVAR_NAME=guest CULTIVAR_MACHINE=machine cultivar clone "$world/hosting.git" guest
expect_ok cultivar -C guest trust
expect_ok cultivar -C guest explore --runs 10 --seed 1 --json
expect_json 'any(.runs[]; .operator == "seed" and .score == 32)' # a golden number of svm-predict's
expect_json '[.runs[] | select(.status == "done").score] | max > 90'
best=$(json '[.runs[] | select(.decision == "kept")] | max_by(.score).candidate')
reverted=$(json '[.runs[] | select(.decision == "reverted")][0].candidate')
if [[ $reverted != null ]]; then
    expect_rc 128 cultivar -C guest propose "$reverted"
    expect_err 'only kept runs leave one'
fi
expect_ok cultivar -C guest propose "$best"
expect_ok cultivar -C referee pull
expect_ok cultivar -C referee verify --tier rerun "$best" --json
expect_json '.verdicts[0].predicate | .result == "accepted" and .tier == "rerun" and .record.accepted'
expect_ok cultivar -C referee propose
expect_ok env CULTIVAR_NAME=liar CULTIVAR_MACHINE=machine cultivar clone "$world/hosting.git" liar
expect_ok cultivar -C liar trust
expect_ok cultivar -C liar explore --runs 3 --seed 5 --json
edit_spool liar 'if .type == "run" and .status == "done" then .val_bpb = -99.5 else . end'
ran=$(json '[.runs[] | select(.decision == "kept")][-1].candidate')
expect_ok cultivar -C liar propose "$ran"
expect_ok cultivar -C referee pull
expect_rc 1 cultivar -C referee verify "$ran" --json
expect_json 'any(.verdicts[].predicate; .result == "rejected" and .tier == "rescore" and (.reason | test("where 99.5 was claimed")))'
