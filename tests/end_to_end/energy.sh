#!/usr/bin/env bash
# Records hold joules; carbon, water and money follow from factors, each with its source.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
settings=${XDG_CONFIG_HOME:-$HOME/.config}/cultivar

section "joules of every run, and factors of the country"
cat >task.toml <<'END'
[command]
run = ["sh", "-c", "echo score {gene.x}"]
score = { regex = "score (.*)" }
[gene.x]
type = "real"
default = 0.0
range = [-10.0, 10.0]
END
expect_ok cultivar init pool --task task.toml --budget 2s
expect_ok cultivar -C pool energy
expect_err 'no energy is recorded'
expect_ok cultivar -C pool trust
expect_ok env CULTIVAR_ZONE=GB cultivar -C pool explore --runs 3 --seed 1
expect_ok cultivar -C pool energy --json
expect_json '.schema == 1 and .total.runs == 3 and ([.lines[].key] == ["search"])'
expect_json '.total.joules.above_idle | .value > 0 and .low < .value and .value < .high'
expect_json '.total.carbon_g.average.above_idle.value > 0 and .total.carbon_g.marginal.above_idle == null'
expect_json '.total.water_l.off_site.gross.value > 0 and .total.embodied_g == null and .total.money == {}'
expect_json '.factors | all(.[]; .source != "") and any(.[]; .zone == "GB" and .range.value == 238)'
expect_ok cultivar -C pool energy
expect_out 'above idle +gross'
expect_out '^carbon, marginal grid +no factor +no factor'

section "the user's factors come first: 500 g/kWh, a negative price, a machine"
mkdir -p "$settings"
cat >"$settings/energy.toml" <<'END'
[[factor]]
quantity = "carbon"
grid = "average"
value = 500
source = "a test"
[[factor]]
quantity = "price"
value = -100
unit = "EUR/MWh"
source = "a test"
[[factor]]
quantity = "embodied"
value = 181
life_years = 4
source = "a test"
END
expect_ok cultivar -C pool energy --json
expect_json '.total | (.carbon_g.average.above_idle.value - .kwh.above_idle.value * 500 | fabs) < 1e-9'
expect_json '.total | (.money.EUR.gross.value + .kwh.gross.value * 0.1 | fabs) < 1e-12'
expect_json '.total | (.embodied_g.value - .machine_s * 181000 / (4 * 365.25 * 86400) | fabs) < 1e-9'

section "a series is fetched only when asked, and told with its digest"
cat >"$settings/energy.toml" <<'END'
[[factor]]
quantity = "carbon"
zone = "GB"
file = "gb.json"
fetch = ["sh", "-c", '''printf '{"zone":"GB","carbonIntensity":41,"datetime":"2026-01-01T00:00Z"}' ''']
END
expect_rc 128 cultivar -C pool energy
expect_err 'gb.json'
expect_ok cultivar -C pool energy --fetch --by zone --json
expect_json '.rows | length == 1 and .[0].key == "GB" and .[0].runs == 3'
expect_json ".by == \"zone\""
cat >"$settings/energy.toml" <<END
[[factor]]
quantity = "carbon"
zone = "GB"
file = "$PWD/now.json"
END
now=$(date -u +%Y-%m-%dT%H:00Z)
before=$(date -u -d '1 hour ago' +%Y-%m-%dT%H:00Z)
printf '{"zone":"GB","history":[{"carbonIntensity":100,"datetime":"%s"},{"carbonIntensity":100,"datetime":"%s"}]}' \
    "$before" "$now" >now.json
expect_ok cultivar -C pool energy --json
expect_json '.total | (.carbon_g.average.gross.value - .kwh.gross.value * 100 | fabs) < 1e-9'
expect_json ".factors | any(.[]; .series.sha256 == \"$(sha256sum <now.json | cut -d' ' -f1)\" and .series.grid == \"average\")"

section "keys"
for key in run candidate lineage operator contributor category day zone; do
    expect_ok cultivar -C pool energy --by "$key" --json
    expect_json '(.rows | length > 0) and ([.rows[].runs] | add) >= 3'
done
expect_rc 129 cultivar -C pool energy --by colour
expect_ok cultivar -C pool log -n 1 --json
expect_ok cultivar -C pool energy "$(json '.runs[0].candidate')" --json
expect_json 'any(.rows[]; .key == "itself" and .runs >= 1)'
