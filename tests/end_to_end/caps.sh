#!/usr/bin/env bash
# A pool may cap the cost of using a model. A model over a cap is refused before training, as far as its cost is known
# then, and never counts, whatever its record says.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

section "parameters: refused before training"
found_pool small small.git "parameters = 1000"
expect_ok cultivar -C small explore --runs 1
expect_out '^unfit .*parameters are over the pool.s cap of 1000'
expect_ok cultivar -C small log --json
expect_json '.runs[0] | .status == "unfit" and .steps == 0 and (.energy | has("train_joules") | not)'
expect_ok cultivar -C small top --json
expect_json '.candidates == [] and (.not_judgeable[0].reason | test("over the pool.s cap"))'
expect_rc 125 cultivar -C small explore --runs 1

section "joules a token: known after training"
found_pool frugal frugal.git "joules_per_token = 1e-9"
expect_ok cultivar -C frugal explore --runs 1
expect_out '^unfit .*joules a token are over the pool.s cap of 1e-09'
expect_ok cultivar -C frugal log --json
expect_json '.runs[0] | .status == "unfit" and .steps > 0 and .energy.train_joules > 0'
expect_ok cultivar -C frugal top --json
expect_json '.candidates == []'

section "within its caps a run counts, and says what its model costs"
found_pool pool pool.git "forward_flops_per_token = 1e6" "parameters = 1000000"
expect_ok cultivar -C pool explore --runs 1
expect_out '^kept '
expect_ok cultivar -C pool top --json
expect_json '.candidates[0] | .parameters > 1000 and .flops_per_token > 1000 and .joules_per_token > 0'
parameters=$(json '.candidates[0].parameters')
expect_ok cultivar -C pool show "$(json '.candidates[0].id')"
expect_out "$parameters parameters, [0-9.]+ MFLOP per token forward, [0-9.]+ mJ per token"

section "a trainer that keeps its size to itself is found out by the verifier"
found_pool tight tight.git "parameters = 1000"
expect_ok cultivar -C tight propose
cat >liar <<END
#!/usr/bin/env bash
[[ \$1 == run ]] && grep -q '"mode":"train"' "\$2" || exec "$programs/cultivar-lm" "\$@"
mine=\$(jq -r .work_dir "\$2")/mine # all that it may write to
jq 'del(.caps)' "\$2" >"\$mine"
"$programs/cultivar-lm" run "\$mine" | sed -u 's/"parameters":[0-9]*/"parameters":1000/'
exit "\${PIPESTATUS[0]}"
END
chmod +x liar
join_pool tight.git cheat
expect_ok env CULTIVAR_LM="$world/liar" cultivar -C cheat explore --runs 1 --propose
expect_out '^kept '
expect_ok cultivar -C tight pull
expect_no_out
expect_rc 1 cultivar -C tight verify
expect_out '^rejected .*structure .*parameters are over the pool.s cap of 1000'
expect_ok cultivar -C tight top --json
expect_json '.candidates[0].verdict == "rejected"'
