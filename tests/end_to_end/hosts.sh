#!/usr/bin/env bash
# Programs that git and git hosts run: a hosting that refuses bad pushes, plain `git merge` of candidates, imports by
# hand.
# shellcheck disable=SC2016 # jq and the shells below have their own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git

# found_parabola FOLDER [ARGUMENT...]: founds a pool scored by jq.
found_parabola() {
    cat >task.toml <<'END'
[command]
run = ["jq", "-c", "{event: \"done\", score: ((.genes[\"x\"] - 3) * (.genes[\"x\"] - 3))}", "{specification}"]
[gene.x]
type = "real"
default = 0.0
range = [-10.0, 10.0]
END
    # So many genes that a cross of two candidates that differ in all of them equals neither.
    for ((i = 0; i < 40; i++)); do printf '[gene.w%d]\ntype = "integer"\ndefault = 1\nrange = [1, 9]\n' "$i"; done >>task.toml
    expect_ok cultivar init "$1" --kind command --task task.toml --budget 2s "${@:2}"
}
all() { printf 'w%s = '"$1"'\n' {0..39}; }
import() { # import FOLDER TOML: imports a candidate and prints its branch
    printf '%s\n' "$2" >idea.toml
    expect_ok cultivar -C "$1" import ../idea.toml --json
    json .branch
}

section "a hosting with the hook takes a whole pool at once"
git init --quiet --bare "$hosting"
expect_ok cultivar hook install "$hosting"
expect_out "installed .*/hooks/update"
found_parabola ann --remote "$hosting" --host github
expect_ok git -C ann cat-file -e main:.github/workflows/pool.yml
one=$(import ann "$(all 2)")
two=$(import ann "$(all 3)")
expect_ok cultivar -C ann propose
expect_same "branches there" 2 "$(git -C "$hosting" for-each-ref refs/heads/candidates | wc -l)"

section "and tells the pusher what is wrong with the rest"
expect_rc 1 git -C ann push --quiet origin "$one:refs/heads/${two%.*}.${one##*.}" main:refs/heads/work
expect_err 'remote: cultivar: the candidate hashes to'
expect_err "remote: cultivar: a pool has no ref 'refs/heads/work'"
expect_rc 1 git -C ann push --quiet origin ":$one"
expect_err 'remote: cultivar: .*only maintainers delete'

section "plain git merge in a clone gives what cultivar cross gives"
expect_ok cultivar clone "$hosting" bob
expect_ok git -C bob worktree add --quiet --detach ../both "origin/$one"
expect_ok git -C both merge --quiet --allow-unrelated-histories -m both "origin/$two"
reject_err 'contents'
expect_ok cultivar -C bob cross "${one:11:8}" "${two:11:8}" --json
expect_same "candidate.toml" "$(git -C bob show "$(json .branch):candidate.toml")" "$(cat both/candidate.toml)"

section "wrong words are answered in plain ones, with what to run instead"
expect_rc 129 cultivar -C ann import
expect_err '^cultivar: FROM is missing: cultivar import'
expect_rc 129 cultivar -C ann import "$world/bob"
expect_hint 'cultivar import .*/bob ID'
expect_rc 128 cultivar clone "$world/nowhere.git" nobody
expect_err "^cultivar: cannot reach '.*/nowhere.git'"
expect_hint 'git ls-remote .*/nowhere.git'
expect_rc 129 cultivar -C ann archive --keep many
expect_err 'many: it takes a whole number'
expect_ok cultivar -C ann source
expect_err '^no sources beside origin'

section "the next explore runs an import first"
expect_ok cultivar -C ann trust
three=$(import ann 'x = 2.5')
for _ in 1 2 3; do
    expect_ok cultivar -C ann explore --runs 1 --json
    expect_json '.runs[0] | .operator == "import" and .status == "done"'
    json '.runs[0].candidate' >>ran
done
expect_same "what ran" "$(printf '%s\n' "${one:11:32}" "${two:11:32}" "${three:11:32}" | sort)" "$(sort ran)"
expect_ok cultivar -C ann propose

section "pull tells what came, even when it is no run"
expect_ok cultivar -C bob pull
expect_ok cultivar -C ann retire "${three:11:8}" --reason 'no good'
expect_ok cultivar -C ann propose
expect_ok cultivar -C bob pull
expect_err '^new: 1 retirement$'
expect_ok cultivar -C bob pull --json
expect_json '.retirements == 0 and .main == false'
expect_ok cultivar -C ann retire "${three:11:8}" --undo

section "the host archives; the hook lets its maintainers delete"
expect_ok git -C "$hosting" config cultivar.allowDelete true
expect_ok cultivar -C ann archive --keep 1
expect_same "branches left" 1 "$(git -C "$hosting" for-each-ref refs/heads/candidates | wc -l)"
expect_ok git -C "$hosting" rev-parse --verify --quiet refs/heads/archive
expect_ok cultivar -C bob pull
reject_err 'refused'

command -v gitolite >/dev/null || {
    echo "skipped: gitolite3 is not installed" >&2
    exit 0
}
section "gitolite asks it as a VREF"
mkdir -p gl/local/VREF gl/.ssh
ssh-keygen -q -t ed25519 -N '' -f gl/ann
expect_ok env HOME="$world/gl" gitolite setup -pk gl/ann.pub
sed -i 's|^ *# *LOCAL_CODE .*=>.*"\$ENV{HOME}/local".*|    LOCAL_CODE => "$ENV{HOME}/local",|' gl/.gitolite.rc
grep -q '^    LOCAL_CODE' gl/.gitolite.rc || fail ".gitolite.rc" "LOCAL_CODE" "none"
sed -i "s|GIT_CONFIG_KEYS .*|GIT_CONFIG_KEYS => 'cultivar\\\\.allowDelete',|" gl/.gitolite.rc
printf '#!/bin/sh\nexec %s hook update "$1" "$2" "$3"\n' "$programs/cultivar" >gl/local/VREF/cultivar
chmod +x gl/local/VREF/cultivar
cat >gl/.gitolite/conf/gitolite.conf <<'END'
@maintainers = ann
repo pool
    RW    main$ archive$     = @maintainers
    RWD   refs/heads/candidates/ refs/artifacts/ = @maintainers
    RW    refs/heads/candidates/ refs/artifacts/ = @all
    RW    journal/ ledger/   = @all
    R                        = @all
    -     VREF/cultivar      = @all
    config cultivar.allowDelete = true
END
expect_ok env HOME="$world/gl" gitolite compile
expect_ok env HOME="$world/gl" gitolite trigger POST_COMPILE
# Replaces ssh: runs the command that sshd would run for the user in GL_WHO.
printf '#!/bin/sh\nshift\nHOME=%s SSH_CONNECTION=here SSH_ORIGINAL_COMMAND="$*" exec %s "$GL_WHO"\n' "$world/gl" \
    /usr/share/gitolite3/gitolite-shell >as_ssh
chmod +x as_ssh
export GIT_SSH=$world/as_ssh GIT_SSH_VARIANT=simple GL_WHO=ann
expect_ok git -C ann config remote.origin.url ssh://hub/pool
four=$(import ann 'x = 4.0')
expect_ok git -C ann push --quiet origin main "$four" 'refs/heads/journal/*:refs/heads/journal/*'
export GL_WHO=eve
five=$(import ann 'x = 5.0')
expect_ok git -C ann push --quiet origin "$five"
expect_rc 1 git -C ann push --quiet origin "$five:refs/heads/candidates/mine"
expect_err 'remote: cultivar: .*is not candidates/<id>.<commit>'
expect_rc 1 git -C ann push --quiet origin ":$five"
expect_err 'DENIED'
export GL_WHO=ann
expect_ok git -C ann push --quiet origin ":$five"
