#!/usr/bin/env bash
# hostile-lm plays a worker taken over by a foreign configuration: each attack fails its own run with its own reason,
# and the pool stays usable.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

found_pool base "$world/hosting.git"
expect_ok cultivar -C base propose
echo '{"device":"cpu","threads":1,"flops_per_s":1e10}' >"$(state_of base)/speed.json" # not measured here
mkdir -p "$HOME/.ssh"
echo secret >"$HOME/.ssh/id_ed25519"
export SOME_TOKEN=secret

expect_ok cultivar -C base status --json
gaps=$(json '.sandbox.gaps | length')

# attack NAME TARGET REASON: runs one attack in its own copy of the pool.
state=$world/pool/.git/cultivar
attack() {
    section "$1"
    rm -rf pool
    cp -r base pool
    expect_ok env CULTIVAR_LM="$programs/hostile-lm" CULTIVAR_ATTACK="$1" CULTIVAR_TARGET="$2" \
        cultivar -C pool explore --runs 1 --budget 1s --json
    expect_json '.runs | length == 1 and .[0].status == "failed" and .[0].val_bpb == null'
    [[ $gaps -gt 0 ]] || expect_json '.runs[0].reason | test($reason)' --arg reason "$3"
    expect_ok cultivar -C pool fsck
}
attack network '' 'tried to reach the network'
attack fork '' 'tried to start another process'
attack program '' 'tried to start another program'
attack itself '' 'tried to start another program'
attack signal '' 'tried to signal another process'
attack namespace '' 'tried to change the system'
attack 'local socket' '' 'Permission denied'
attack secret '' 'internal'
attack read "$HOME/.ssh/id_ed25519" 'Permission denied'
attack read "$state/key.pem" 'Permission denied'
attack write "$state/trust" 'Permission denied'
attack write "$state/run/plan.json" 'Permission denied'
attack move "$state/run/spec.json" 'Permission denied'
attack link "$state/run/work/artifact" 'Permission denied'
attack mode "$HOME/.ssh/id_ed25519" 'not permitted'
expect_same "the secret" secret "$(cat "$HOME/.ssh/id_ed25519")"
[[ ! -e $state/trust && ! -e $world/pool/new ]] || fail "a file of the attacker's" "none" "one"

section "the pool is as usable as before"
expect_ok cultivar -C pool propose
expect_ok git -C hosting.git fsck --strict --no-dangling
join_pool "$world/hosting.git" other
expect_ok cultivar -C other log -n 100 --json
expect_json '.runs | length == 1 and .[0].status == "failed"'

section "what the kernel offers is said"
expect_ok cultivar -C pool status
expect_out '^sandbox +(no )?Landlock'
run cultivar version
expect_out '^sandbox (no )?Landlock'
