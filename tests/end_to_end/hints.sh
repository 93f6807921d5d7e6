#!/usr/bin/env bash
# A hint is a command that users copy. Names that strangers chose, with a shell's own characters in them, stay words of it.
# shellcheck disable=SC2016 # the names are no commands
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

evil='a;touch PWNED;#$(touch PWNED)`touch PWNED`'"'"';touch PWNED;#'
mkdir copied stand_ins
for name in cultivar git ssh df mv rm; do printf '#!/bin/sh\n' >"stand_ins/$name"; done
chmod +x stand_ins/*

# run_hints: gives every command that the last one printed for its user to a shell, where programs are stand-ins.
run_hints() {
    local hints hint
    hints=$(printf '%s\n%s\n' "$err" "$out" |
        sed -nE 's/^(hint|next|to take the name back): //p; s/^ +(git show )/\1/p')
    [[ -n $hints ]] || fail "hints" "one at least" "none"
    while IFS= read -r hint; do
        (cd copied && PATH=$world/stand_ins:/usr/bin:/bin sh -c "$hint" >/dev/null 2>&1) || true
    done <<<"$hints"
    [[ -z $(find "$world" -name 'PWNED*') ]] || fail "hints" "no command of a stranger's" "$hints"
}

section "the shell of this test finds what is not quoted"
err="hint: cultivar data import $evil"
(run_hints) 2>/dev/null && fail "run_hints" "a failure" "none"
find "$world" -name 'PWNED*' -delete

section "a source of data"
git init --quiet --bare -b main hosting.git
expect_ok cultivar init ann --remote "$world/hosting.git" --budget 1s
write_text "$evil" 7 3000
expect_ok cultivar -C ann data import "$world/$evil" --tokenizer byte --slice-bytes 8KiB --full-bytes 32KiB
expect_ok cultivar -C ann propose
expect_ok cultivar clone hosting.git bea
expect_err 'touch PWNED'
run_hints
run cultivar -C bea explore --runs 1
expect_err "^hint: cultivar data import PATH/'a;touch PWNED"
run_hints

section "a remote, and the folder of a clone"
run cultivar clone "$world/$evil.git" "$evil-none"
run_hints
cp -r hosting.git "$evil.git"
expect_ok cultivar clone "$evil.git" "$evil-clone"
expect_err 'touch PWNED'
run_hints
git -C bea remote set-url origin "$world/nowhere/$evil"
run cultivar -C bea pull
expect_hint "git ls-remote"
run_hints
run cultivar init "$evil-new" --remote "$world/$evil.git"
run_hints
ln -s "$world/copied" "$evil-clone/.git/cultivar/$evil"
run cultivar -C "$evil-clone" status
expect_hint "rm '"
run_hints

section "files that a command may reach"
mkdir -p draft/files
printf '%s\n' 'echo "{\"event\":\"done\",\"score\":1}"' >draft/files/score.sh
printf '%s\n' 'command.run = ["sh", "files/score.sh", "tools", "{specification}"]' '[gene.x]' 'type = "real"' \
    'default = 0.0' 'range = [-10.0, 10.0]' >draft/task.toml
git init --quiet --bare -b main command.git
expect_ok cultivar init dan --kind command --task draft/task.toml --budget 2s --remote "$world/command.git"
mkdir dan/tools
touch "dan/tools/;touch PWNED;\$(touch PWNED).sh"
git -C dan add --all
git -C dan commit --quiet -m "A file with a name"
expect_ok cultivar -C dan trust
expect_out 'git show .*touch PWNED'
run_hints

section "a branch that sits on the name of a journal"
writer=$(writer_of dan)
git -C dan push --quiet origin main
git -C command.git update-ref "refs/heads/journal/$writer/;touch\${IFS}PWNED;\$(touch\${IFS}PWNED)" main
expect_ok cultivar -C dan explore --runs 1
run cultivar -C dan propose
expect_err 'to take the name back'
run_hints
