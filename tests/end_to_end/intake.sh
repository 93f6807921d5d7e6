#!/usr/bin/env bash
# Strangers with the right to push: logs that are bombs or rubbish cost nobody anything, whatever command meets them.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git
git init --quiet --bare -b main "$hosting"

mkdir -p draft/files
cat >draft/files/score.sh <<'SCRIPT'
jq -c '{event:"done",score:((.genes.x - 1) * (.genes.x - 1) + 1)}' "$1"
SCRIPT
printf '%s\n' 'command.run = ["sh", "files/score.sh", "{specification}"]' '[gene.x]' 'type = "real"' 'default = 0.0' \
    'range = [-10.0, 10.0]' >draft/task.toml
expect_ok cultivar init ann --kind command --task draft/task.toml --budget 2s --remote "$hosting"
expect_ok cultivar -C ann trust
expect_ok cultivar -C ann explore --runs 2 --propose
expect_ok cultivar clone "$hosting" bea

# sign_log NAME TREE: puts a journal with this tree into the hosting, signed by a key of its own.
sign_log() {
    [[ -e $1.key ]] || ssh-keygen -q -t ed25519 -N '' -f "$1.key"
    local digits writer commit
    digits=$(cut -d' ' -f2 <"$1.key.pub" | base64 -d | sha256sum | cut -c1-8)
    writer=$1.box.$digits
    commit=$(GIT_AUTHOR_NAME=$writer GIT_COMMITTER_NAME=$writer git -C "$hosting" -c gpg.format=ssh \
        -c user.signingKey="$world/$1.key" commit-tree -S -m bomb "$2")
    printf '%s %s\n' "refs/heads/journal/$writer" "$commit"
}
# log_tree COUNT BLOB...: writes a tree of segments from these blobs, the first one repeated up to COUNT.
log_tree() {
    local i blobs=("${@:2}")
    for ((i = 0; i < $1; i++)); do
        printf '100644 blob %s\t%06d.jsonl\n' "${blobs[i % ${#blobs[@]}]}" "$i"
    done | git -C "$hosting" mktree | xargs -I{} printf '040000 tree {}\tseg\n' | git -C "$hosting" mktree
}

section "a bomb stops nobody, is told once, and goes when the hosting deletes it"
blob=$(head -c 262000 /dev/zero | tr '\0' x | { read -r line || true; for _ in $(seq 100); do echo "$line"; done; } |
    git -C "$hosting" hash-object -w --stdin)
read -r bomb commit <<<"$(sign_log eve "$(log_tree 300 "$blob")")"
git -C "$hosting" update-ref "$bomb" "$commit"
expect_ok cultivar -C ann explore --runs 1 --propose
expect_ok cultivar -C bea pull
expect_err 'refused: .*eve.box.* one file under two names'
expect_err 'new: .*run'
expect_ok cultivar -C bea pull
reject_err 'refused'
expect_ok cultivar -C bea top
expect_ok cultivar -C bea trust
expect_ok cultivar -C bea explore --runs 1
expect_ok cultivar clone "$hosting" dan
expect_out 'cloned the pool'
git -C "$hosting" update-ref -d "$bomb"
expect_ok cultivar -C bea pull
run git -C bea for-each-ref --format='%(refname)' "refs/remotes/origin/${bomb#refs/heads/}"
expect_no_out
expect_ok cultivar -C bea status
reject_out '^refused'

section "rubbish is counted, and neither stored nor told line by line"
for name in fay gus; do
    blobs=()
    for i in $(seq 120); do
        blobs+=("$(seq -f "rubbish of $name $i %g" 100 | git -C "$hosting" hash-object -w --stdin)")
    done
    read -r log commit <<<"$(sign_log $name "$(log_tree 120 "${blobs[@]}")")"
    git -C "$hosting" update-ref "$log" "$commit"
done
expect_ok cultivar -C bea pull
expect_err 'read no further'
expect_same "lines on standard error" yes "$([[ $(wc -l <<<"$err") -lt 40 ]] && echo yes)"
expect_ok cultivar clone "$hosting" kim
expect_same "a small index" yes "$([[ $(stat -c %s "$(index_of kim)") -lt 4000000 ]] && echo yes)"

section "the hosting's hook refuses both, with little memory"
expect_ok cultivar hook install "$hosting"
bomb_commit=$(sign_log eve "$(log_tree 300 "$blob")" | cut -d ' ' -f 2)
expect_rc 1 in_clone "$hosting" cultivar hook update "$bomb" "$(printf '0%.0s' {1..40})" "$bomb_commit"
expect_err 'one file under two names'
expect_rc 1 in_clone "$hosting" cultivar hook update "$log" "$(printf '0%.0s' {1..40})" "$commit"
expect_err 'no records'

section "a damaged index is made anew once, whichever command meets it"
index=$(index_of bea)
cp "$index" sound.sqlite
for looking in top status log; do
    dd if=/dev/zero of="$index" bs=4096 seek=5 count=200 conv=notrunc status=none
    rm -f "$index"-wal "$index"-shm
    expect_ok cultivar -C bea "$looking"
    expect_ok cultivar -C bea "$looking"
    reject_err 'damaged'
done

section "an edited file of the command makes another task: told by trust, status and fsck"
git clone --quiet "$hosting" work
printf '# a comment\n' >>work/files/score.sh
git -C work commit --quiet -am "A comment"
git -C "$hosting" config --unset receive.denyNonFastForwards || true
git -C work push --quiet origin main
expect_ok cultivar -C bea pull
expect_err 'of an earlier task'
expect_rc 129 cultivar -C bea trust # nobody can be asked
expect_err 'since it was trusted here: files/score\.sh changed'
expect_ok cultivar -C bea trust --yes
expect_err 'makes another task: [0-9]+ runs of the earlier one no longer count'
expect_ok cultivar -C bea status
expect_out 'earlier +[0-9]+ runs of an earlier task'
reject_out '^refused +[3-9]'
expect_ok cultivar -C bea trust
reject_err 'another task'

section "a changed budget is told, and nothing runs by it before trust agrees"
sed -i 's/^budget_s = .*/budget_s = 1e7/' work/pool.toml
git -C work commit --quiet -am "Train for ever"
git -C work push --quiet origin main
expect_ok cultivar -C bea pull
expect_err 'a run trains for 1e\+07 s instead of 2 s'
expect_rc 128 cultivar -C bea explore --runs 1
expect_hint 'cultivar trust$'
expect_ok cultivar -C bea explore --runs 1 --budget 2s
grep -q '^min_seeds = ' work/pool.toml
sed -i 's/^min_seeds = .*/min_seeds = 2/' work/pool.toml
git -C work commit --quiet -am "Take two seeds for a record"
git -C work push --quiet origin main
expect_ok cultivar -C bea pull
expect_rc 128 cultivar -C bea explore --runs 1 --budget 2s # a budget of one's own answers for the budget alone
expect_hint 'cultivar trust$'
expect_rc 128 cultivar -C bea ask --budget 2s
expect_ok cultivar -C bea trust
expect_err 'main changed: a run trains'
