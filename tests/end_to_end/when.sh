#!/usr/bin/env bash
# Runs wait for the grid, say why and until when, and keep what that saved; the units and the crontab line do the same.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
share=$programs/../share/cultivar
settings=$XDG_CONFIG_HOME/cultivar
export CULTIVAR_ZONE=ZZ CULTIVAR_WATTS=20

# series CARBON LATER: carbon of ZZ from 26 hours ago on, and another figure from the second full hour on, for 4 hours.
series() {
    local hour=$(($(date +%s) / 3600 * 3600))
    jq -n --argjson hour "$hour" --argjson now "$1" --argjson later "$2" \
        '[range(-26; 6) | {start: ($hour + . * 3600 | todate), end: ($hour + (. + 1) * 3600 | todate),
                           value: (if . > 1 then $later else $now end)}]' >"$settings/zz.new"
    mv "$settings/zz.new" "$settings/zz.json"
}
# start_waiting ARGUMENTS...: explores in the background until it waits.
start_waiting() {
    command="cultivar -C pool explore $*"
    rm -f explore.out explore.err # of the one before, which told of a wait too
    setsid cultivar -C pool explore "$@" >explore.out 2>explore.err </dev/null &
    explorer=$!
    wait_until 60 grep -qs 'waiting:' explore.err
}
end_explore() {
    rc=0
    wait "$explorer" || rc=$?
    out=$(<explore.out) err=$(<explore.err)
    [[ $rc -eq $1 ]] || fail "exit code" "$1" "$rc"
}

cat >task.toml <<'END'
noise = "none"
[command]
run = ["sh", "-c", "sleep 1; echo score {gene.x}"]
score = { regex = "score (.*)" }
[gene.x]
type = "real"
default = 0.0
range = [-10.0, 10.0]
END
expect_ok cultivar init pool --task task.toml --budget 2s
expect_ok cultivar -C pool trust
mkdir -p "$settings"
cat >"$settings/energy.toml" <<'END'
[[factor]]
quantity = "carbon"
grid = "average"
zone = "ZZ"
unit = "g/kWh"
file = "zz.json"
source = "a test"
END

section "a condition that makes no sense is refused, with the place and a word"
expect_rc 129 cultivar -C pool explore --runs 1 --when 'ac and carbn < 3'
expect_err "--when: character 8 of 'ac and carbn < 3': unknown signal 'carbn', did you mean 'carbon'\?"
expect_rc 129 cultivar -C pool explore --runs 1 --when 'price < 50'
expect_err 'a unit is missing: EUR/MWh'
expect_rc 129 cultivar -C pool explore --runs 1 --within 3h
expect_rc 129 cultivar -C pool explore --cleanest 4h --cheapest 4h
expect_rc 129 cultivar -C pool explore --cleanest 25h --within 24h

section "a run waits for a cleaner grid, and says why and until when"
series 400 100
start_waiting --runs 1 --when 'carbon < 200'
grep -qE 'waiting: carbon is 400 g/kWh, not < 200 g/kWh, until 20..-..-..T..:00:00Z' explore.err ||
    fail "why it waits" "carbon is 400" "$(<explore.err)"
expect_ok cultivar -C pool status --json
expect_json '.exploring and .waiting.why == "carbon is 400 g/kWh, not < 200 g/kWh" and .waiting.until != null'
expect_ok cultivar -C pool status
expect_out '^waiting +since 20.*: carbon is 400'
expect_ok cultivar -C pool explain --budget 2s
expect_err 'explore waits since 20.*: carbon is 400'
series 100 100
end_explore 0
expect_err 'going on after'
expect_same "runs" 1 "$(ids_of pool run | wc -l)"

section "what the wait saved is told by series that have both times"
expect_ok cultivar -C pool status --json
expect_json '.waiting == null and .shifted.runs == 1 and .shifted.mean_delay_s >= 1'
expect_json '.shifted.carbon_saved_g.average | .value == 0 and .covered_joules > 0'
expect_json '.shifted.carbon_saved_g.marginal == null'
mv "$settings/energy.toml" "$settings/away.toml"
expect_ok cultivar -C pool status
expect_out '^shifted +1 run by'
expect_out 'nobody knows what that saved'
mv "$settings/away.toml" "$settings/energy.toml"

section "a percentile of the last 24 hours needs no forecast"
expect_ok cultivar -C pool explore --runs 1 --when 'carbon <= p30'
reject_err 'waiting'

section "another start gives way to one that waits, and Ctrl-C ends the wait at once"
start_waiting --runs 1 --when 'carbon > 900 or carbon > p99'
unit=$share/systemd/cultivar-explore@.service
WHEN=$(sed -n 's/^Environment="WHEN=\(.*\)"$/\1/p' "$unit")
export WHEN
line=$(sed -n 's/^ExecStart=//p' "$unit")
line=${line//%f/$PWD/pool}
line=${line//\$\{WHEN\}/\"\$WHEN\"}
expect_rc 75 sh -c "$line"
cron=$(sed -n 's/^[*][^ ]* [*] [*] [*] [*] //p' "$share/cron/cultivar-explore.crontab")
expect_rc 75 env HOME="$PWD" sh -c "$cron"
kill -INT "$explorer"
end_explore 130
expect_ok cultivar -C pool status --json
expect_json '.exploring == false and .waiting == null'

section "the unit and the crontab line hold the same condition, which can be read"
[[ $cron == *"--when '$WHEN'"* ]] || fail "the crontab's condition" "$WHEN" "$cron"
expect_rc 129 env WHEN='idle and a' sh -c "$line"
expect_err "unknown signal 'a'"

section "systemd reads the units"
if command -v systemd-analyze >/dev/null; then
    mkdir -m 700 runtime
    mkdir units
    cp "$share"/systemd/* units
    for kind in service timer; do
        expect_ok env XDG_RUNTIME_DIR="$PWD/runtime" systemd-analyze verify --user --man=no \
            "$PWD/units/cultivar-explore@home-me-pool.$kind"
        expect_no_out
        reject_err 'cultivar'
    done
else
    echo "skipped: there is no systemd-analyze"
fi

section "jobs wait together, and say so once"
series 400 400
start_waiting --jobs 2 --runs 2 --when 'carbon < 200'
series 100 100
end_explore 0
expect_same "lines on the wait" 1 "$(grep -c 'waiting:' <<<"$err")"
expect_same "lines on its end" 1 "$(grep -c 'going on' <<<"$err")"

section "a scheduler's end ends a wait"
series 400 400
end=$(($(date +%s) + 5))
expect_ok env SLURM_JOB_ID=7 SLURM_JOB_END_TIME=$end cultivar -C pool explore --runs 1 --when 'carbon < 200'
expect_err 'waiting: carbon is 400|no further run'
expect_err 'no further run'

section "the cleanest hours of a forecast, and none"
series 400 50
start_waiting --cleanest 1h --within 4h
grep -qE 'the cleanest .*: 20.*, 50 g/kWh on average; at once' explore.err ||
    fail "the window" "50 g/kWh" "$(<explore.err)"
kill -INT "$explorer"
end_explore 130
expect_ok cultivar -C pool explore --runs 1 --cheapest 1h
expect_err 'no forecast of price, so explores at once: .*states no series of it for zone ZZ'
