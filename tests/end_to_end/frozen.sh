#!/usr/bin/env bash
# Pools and clones that commit 5c6afda wrote (tests/data/frozen-5c6afda) go on working: each command of commands.tsv prints
# the JSON that it printed then. Fields may have been added.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
data=$(cd "$(dirname "$0")/../data/frozen-5c6afda" && pwd)
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
export CULTIVAR_WATTS=20 COLUMNS=200

# Every path at which the old JSON (on standard input) is not within the new one, with both values. The sandbox is the
# machine's. Numbers may differ by the order of a sum. Candidates that verifiers trained with fresh seeds stand by the mean of
# those since: they are left out of both, and gains follow them. Verification is paid by search that this clone or a verifier
# vouches for, since: the seconds that it may take are others. Claims that were inconclusive are tried again.
# Of runs with the same figures only those are odd that were not seen first.
# A plan is no format: explain shows the next run and the arms as the search works now (failures by chance do not steer it,
# and the first leader runs twice), so only the presence of those fields is checked.
differences='
def fresh: [$now | .. | objects | select(.fresh_seeds? // 0 > 0) | [.id, .category]];
def plan: if type == "object" and has("arms") and has("choice") then
  reduce ("candidate", "toml", "parents", "operator", "choice", "change", "seed", "replicate", "operators", "sources",
    "arms", "planned_again") as $field (.; if has($field) then .[$field] = null else . end) else . end;
def settled: walk(if type == "object" and (.candidates? | type) == "array"
        then .candidates |= map(select(type != "object" or ([.id, .category] | IN(fresh[]) | not))) else . end)
    | map(plan) | del(.. | .sandbox?, .gain_found?, .gain_credited?, .seconds_allowed?, .seconds?.allowed?, .to_judge?, .odd?, .suspicions?);
def off($new; $path):
  if type == "object" and ($new | type) == "object" then
    to_entries[] | . as {$key, $value}
    | if ($new | has($key)) then $value | off($new[$key]; "\($path).\($key)") else "\($path).\($key) is gone" end
  elif type == "array" and ($new | type) == "array" and length == ($new | length) then
    to_entries[] | . as {$key, $value} | $value | off($new[$key]; "\($path)[\($key)]")
  elif . == $new then empty
  elif type == "number" and ($new | type) == "number" and (. - $new | fabs) <= 1e-12 * fabs then empty
  else "\($path): \(tojson) then, \($new | tojson) now" end;
settled | off($now | settled; "")'

section "five clones and two hostings, as they were left"
mkdir "then" once
tar -C "then" --strip-components=1 -xf "$data/expected.tar.xz"
tar -C once --no-same-owner -xf "$data/frozen.tar.xz"
# Trust that came with a folder counts no more: whoever gave it then gives it again, for the folder as it lies here.
trusting=()
for folder in once/*/.git/cultivar/trust; do trusting+=("$(cut -d / -f 2 <<<"$folder")"); done
trust_again() {
    local clone
    for clone in "${trusting[@]}"; do
        expect_ok in_clone "once/$clone" cultivar status --json
        expect_json '.trusted == false'
        expect_ok in_clone "once/$clone" cultivar trust
    done
}
# The leases of others are good for 1.5 budgets, here at most 3 s, from when a reader first saw them.
for clone in laptop desktop referee agent guest; do expect_ok in_clone "once/$clone" cultivar status; done
begun=$SECONDS
leases_are_over() { ((SECONDS - begun > 4)); }
wait_until 30 leases_are_over

cp -a once untouched
trust_again
while IFS=$'\t' read -r name folder fresh commands; do
    [[ ${last:-} == "$fresh" ]] || section "commands that $([[ $fresh == 0 ]] && echo read || echo write)"
    last=$fresh
    if [[ $fresh == 1 ]]; then
        rm -rf once
        cp -a untouched once
        trust_again
    fi
    run in_clone "once/$folder" bash -c "$commands"
    expect_same "exit code of $name" "$(grep "^$name"$'\t' then/codes.tsv | cut -f 2)" "$rc"
    printf '%s\n' "${out//"$world/once"/WORLD}" >now.json
    jq -rs --slurpfile now now.json "$differences" "then/$name.out" >off
    [[ ! -s off ]] || fail "the JSON of $name" "that of 5c6afda" "$(head -20 off | cut -c 1-300)"
done <"$data/commands.tsv"

section "inconclusive claims are tried again, once their time has come"
expect_ok in_clone "once/referee" cultivar verify --dry-run --json
expect_json '[.to_judge[].claim[:8]] | sort == ["1d2348ba", "5ecb6a6e", "c296fde6"]'

section "fresh seeds are the standing, those of two claims together"
expect_ok in_clone "once/referee" cultivar top --json
expect_json '[.candidates[] | select(.fresh_seeds > 0)] | length == 3 and all(.[]; .verdict == "accepted")'
expect_json '.candidates[] | select(.id[:8] == "b92e9625" and .fresh_seeds == 4)
    | .val_bpb - (1.2321947758667038 + 1.2452117289428548 + 1.2343720410710068 + 1.240971870866308) / 4 | fabs < 1e-12'
