#!/usr/bin/env bash
# Two ways of searching, tried twice each, are held against each other at one verified score.
# shellcheck disable=SC2016 # programs have their own $variables
set -euo pipefail
scenarios=$(cd "$(dirname "$0")/../../share/scenarios" && pwd)
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
settings=${XDG_CONFIG_HOME:-$HOME/.config}/cultivar
export CULTIVAR_ZONE=GB

mkdir -p draft/files
printf 'awk "BEGIN { print \\"loss: \\" ($1 - 3) ^ 2 + 1 }"\n' >draft/files/fit.sh
# pool_of NAME RUNS WATTS: a pool of its own with one guest, whose two best runs its owner verified.
pool_of() {
    git init --quiet --bare "$1.git"
    printf '%s\n' 'metric = "loss"' 'noise = "none"' '[command]' 'run = ["sh", "files/fit.sh", "{gene.x}"]' \
        'score = { regex = "loss: ([0-9.]+)" }' '[gene.x]' 'type = "real"' 'default = 0.0' 'range = [-9.0, 9.0]' \
        >draft/task.toml
    expect_ok cultivar init "$1" --kind command --task draft/task.toml --budget 2s --remote "$1.git" --name same
    expect_ok cultivar -C "$1" trust
    expect_ok cultivar -C "$1" propose
    expect_ok env CULTIVAR_NAME=guest CULTIVAR_MACHINE=machine cultivar clone "$1.git" "$1-guest"
    expect_ok cultivar -C "$1-guest" trust
    expect_ok env CULTIVAR_WATTS="$3" cultivar -C "$1-guest" explore --runs "$2" --seed 3 --json
    local seed best
    seed=$(json '.runs[] | select(.operator == "seed").candidate')
    best=$(json '.runs | min_by(.score).candidate')
    expect_ok cultivar -C "$1-guest" propose "$seed" "$best"
    expect_ok cultivar -C "$1" pull
    expect_ok env CULTIVAR_WATTS="$3" cultivar -C "$1" verify "$seed" "$best" --tier rerun --beyond-share --json
}
pool_of a1 4 20
pool_of a2 5 20
pool_of b1 4 60
pool_of b2 5 60

section "the same verified score: eight accountings, each with a sentence"
expect_ok cultivar compare a1,a2 b1,b2 --json
expect_json '.schema == 1 and .target.kind == "score" and .target.stated == false and (.accountings | length == 8)'
expect_json '[.arms[].repeats[] | .reached] | length == 4 and all'
expect_json '.arms[0].repeats[0] | .runs > 0 and .joules.above_idle > 0 and .verification_joules.above_idle > 0'
expect_json '.accountings[0] | .figure == "energy" and .machine == "above_idle" and .ratio > 0 and .interval.low < .ratio and .ratio < .interval.high'
expect_json 'all(.accountings[]; .sentence | test("first arm is (lower|higher)|cannot say|no factor"))'
expect_json '.accountings[4] | .grid == "marginal" and .ratio == null and .doubt == "no factor"'
expect_ok cultivar compare a1,a2 b1,b2 --to 10
expect_out 'to the verified score 10'
expect_out '^energy, above idle: '
expect_out 'energy, above idle +[0-9.]+ [kM]?J'
expect_ok cultivar compare a1,a2 b1,b2 --markdown
expect_out '^\| energy, above idle \|'

section "one repeat a side says nothing; a score that nobody reached is censored"
expect_ok cultivar compare a1 b1 --json
expect_json '.accountings[0] | .ratio > 0 and .interval == null and .finding == "cannot say" and .more_repeats == 1'
expect_ok cultivar compare a1,a2 b1,b2 --to 0.5 --json
expect_json '[.arms[].repeats[].reached] | all(. == false)'
expect_json '.accountings[0] | .finding == "cannot say" and .doubt == "never reached"'

section "other arms, and pairs of repeats"
expect_ok cultivar -C a1 compare contributor:guest contributor:guest --repeats "$PWD/a1,$PWD/a2" --json
expect_json '.paired and .accountings[0].ratio == 1'
expect_ok cultivar -C a1 compare period:2026-01-01..2099-01-01 contributor:guest --to 10 --json
expect_ok cultivar compare a1,a2 b1,b2 --paired --bought 0,164 --json
expect_json '.paired and .arms[1].bought_kg == 164'
expect_ok cultivar compare a1,a2 b1,b2 --joules 1e-3 --json
expect_json '.target.kind == "joules" and .score != null'

section "unlike arms are refused, or marked"
printf 'awk "BEGIN { print \\"loss: \\" ($1 - 3) ^ 2 + 2 }"\n' >draft/files/fit.sh
pool_of other 4 20
expect_rc 129 cultivar compare a1 other
expect_err 'different tasks'
expect_hint -- '--unlike'
expect_ok cultivar compare a1 other --unlike
expect_out '^UNLIKE: '
expect_rc 129 cultivar compare a1
expect_rc 129 cultivar compare a1 b1 --to x
expect_rc 129 cultivar compare a1 b1 --compute 1e9
expect_err 'tell no compute'
expect_rc 128 cultivar -C a1 compare contributor:nobody contributor:guest
expect_err "has no runs"

section "factors decide, and every one is named"
mkdir -p "$settings"
printf '[[factor]]\nquantity = "carbon"\ngrid = "marginal"\nvalue = 490\nsource = "a test"\n' >"$settings/energy.toml"
expect_ok cultivar compare a1,a2 b1,b2 --json
expect_json '.accountings[4] | .ratio > 0 and .means[0].value > 0'
expect_json 'any(.factors[]; .source == "a test")'
rm "$settings/energy.toml"

section "a report of each arm in the BoAmps format"
expect_ok cultivar compare a1,a2 b1,b2 --boamps report.json
for arm in 1 2; do
    jq -e '(.task | .taskStage and .taskFamily and .algorithms and .dataset) and (.measures | length > 0)
        and all(.measures[]; .measurementMethod and .powerConsumption > 0) and .infrastructure.infraType
        and all(.infrastructure.components[]; .componentType and .nbComponent > 0)' "report-$arm.json" >/dev/null ||
        fail "report-$arm.json" "the fields that the format requires" "others"
done

section "two routes are simulated, the same each time"
for name in central-or-laptops central-or-clean-laptops; do # as they are installed, but for the number of repeats
    sed 's/^repeats = 20$/repeats = 3/' "$scenarios/$name.toml" >"$name.toml"
done
expect_ok cultivar compare --simulate central-or-laptops.toml --json
first=$out
expect_json '.paired and ([.arms[].repeats | length] == [3, 3]) and all(.accountings[]; .ratio > 0)'
expect_json 'all(.factors[]; .source != "")'
expect_ok cultivar compare --simulate central-or-laptops.toml --json
expect_same "the second time" "$first" "$out"
expect_ok cultivar compare --simulate central-or-clean-laptops.toml
expect_out '^simulated: one cluster, or idle laptops with a fast GPU'
sed '/^active_w = "/d' "$scenarios/central-or-laptops.toml" >bare.toml
expect_rc 129 cultivar compare --simulate bare.toml
expect_err "'active_w' has no source"

section "recorded runs are replayed"
sed -e '/^\[curve\]/,/^exponent = "/d' -e 's/^score = .*/score = 9.9/' -e 's/^flops = 1e16/flops_per_s = 1e12/' \
    -e 's/^flops = "/flops_per_s = "/' -e "s|^\[work\]|[replay]\npools = [\"a1\", \"a2\"]\n[work]|" \
    "$scenarios/central-or-laptops.toml" >replay.toml
expect_ok cultivar compare --simulate replay.toml --json
expect_json '[.arms[].repeats | length] == [2, 2]'
