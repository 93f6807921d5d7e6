#!/usr/bin/env bash
# One clone in two places, a restored backup, a hosting that lost records, a taken name, a clone without history: the
# message, the suggested command, and that every record is there once.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git

# join FOLDER: clones the hosting and trusts its command.
join() {
    expect_ok env CULTIVAR_NAME="$1" CULTIVAR_MACHINE=machine cultivar clone "$hosting" "$1"
    expect_ok cultivar -C "$1" trust
}
explore() { expect_ok cultivar -C "$1" explore --runs 1; }
# delivered WRITER: prints the records of that writer on the hosting, one per line.
delivered() {
    local segment
    for segment in $(git -C "$hosting" ls-tree --name-only "refs/heads/journal/$1" seg/); do
        git -C "$hosting" show "refs/heads/journal/$1:$segment"
    done
}
# expect_delivered WRITER FILE: expects every record of FILE on the hosting, and none twice.
expect_delivered() {
    delivered "$1" | sort >there
    expect_same "records that are there twice" "" "$(uniq -d there)"
    expect_same "records that are lost" "" "$(sort -u "$2" | comm -23 - there)"
}

section "a pool"
git init --quiet --bare "$hosting"
mkdir -p draft/files
cat >draft/files/run.sh <<'END'
#!/bin/sh
spec=$(cat "$1")
artifact=${spec#*\"artifact\":\"} && artifact=${artifact%%\"*}
echo "the weights $$" >"$artifact"
echo '{"event":"start","trainer":"draft 1","parameters":1,"flops_per_token":1}'
echo '{"event":"done","score":1.5,"steps":2,"tokens":16,"train_s":1}'
END
printf '%s\n' 'command.run = ["sh", "files/run.sh", "{specification}"]' '[gene.x]' 'type = "real"' 'default = 0.0' \
    'range = [-10.0, 10.0]' >draft/task.toml
expect_ok cultivar init pool --kind command --task draft/task.toml --budget 2s --remote "$hosting"
expect_ok cultivar -C pool propose
git -C pool commit --quiet --allow-empty --message 'Some history'
expect_ok cultivar -C pool propose

section "a folder that was copied: both go on, and both deliver"
join ann
ann=$(writer_of ann)
explore ann
cp -a ann twin
expect_ok cultivar -C twin trust # it does not come with a copy
explore twin
explore ann
expect_ok cultivar -C ann propose
{ records_of ann && records_of twin | grep -v '"type":"claim"'; } >made
expect_ok cultivar -C twin propose --json
expect_json '.rejoined > 0 and .refused == [] and .records > 0'
expect_delivered "$ann" made
explore ann
expect_err 'merged [0-9]+ records? written elsewhere .*nothing is lost or double'
expect_err "'cultivar clone URL DIR' makes a clone"
records_of ann >made
expect_ok cultivar -C ann propose
reject_err 'refused'
expect_delivered "$ann" made
expect_ok cultivar -C twin pull
expect_ok cultivar -C ann log --json -n 100
runs=$(json '[.runs[].id] | sort | @csv')
expect_ok cultivar -C twin log --json -n 100
expect_same "what the copies know" "$runs" "$(json '[.runs[].id] | sort | @csv')"
expect_ok cultivar -C twin fsck

section "a backup that is put back goes on where the hosting stands"
rm -rf twin
cp -a ann backup
explore ann
expect_ok cultivar -C ann propose
records_of ann >made
rm -rf ann && mv backup ann
expect_ok cultivar -C ann trust # of a folder that was made anew
expect_ok cultivar -C ann propose
expect_err 'merged [0-9]+ records? written elsewhere'
expect_delivered "$ann" made
expect_ok cultivar -C ann status --json
expect_json '.unsent_records == 0'

section "a hosting that was put back to an earlier state gets everything again"
cp -a "$hosting" early.git
explore ann
expect_ok cultivar -C ann propose
records_of ann >made
git -C "$hosting" for-each-ref >before
rm -rf "$hosting" && mv early.git "$hosting"
expect_ok cultivar -C ann pull
expect_err "journal/$ann was rewound on the remote; 'cultivar propose' sends it again"
expect_ok cultivar -C ann propose
expect_err 'the remote had lost records of this clone'
reject_err 'nothing to propose'
expect_delivered "$ann" made
expect_same "refs of the hosting" "$(<before)" "$(git -C "$hosting" for-each-ref)"
expect_ok cultivar -C ann propose
expect_err 'nothing to propose'

section "a name that somebody else holds: nothing is lost, and the note's command works"
join bob
bob=$(writer_of bob)
explore bob
records_of bob >made
squat=$(git -C pool commit-tree -m 'mine now' "$(git -C pool rev-parse 'main^{tree}')")
git -C pool push --quiet origin "$squat:refs/heads/journal/$bob"
expect_rc 128 cultivar -C bob propose
expect_err "the remote refused refs/heads/journal/$bob: somebody else holds its name there: that branch is not signed"
expect_err 'to take the name back: git push'
note=$(sed -n 's/.*to take the name back: //p' <<<"$err")
expect_ok in_clone bob bash -c "$note"
expect_delivered "$bob" made

section "a clone without history is refused until it has it; one of such a clone names it"
git clone --quiet --depth 1 "file://$hosting" shallow
expect_rc 128 cultivar -C shallow status
expect_hint 'git fetch --unshallow'
expect_ok in_clone shallow git fetch --quiet --unshallow
expect_ok cultivar -C shallow pull
expect_err 'new: [0-9]+ runs'
git clone --quiet --bare --depth 1 "file://$hosting" shallow.git
expect_rc 128 cultivar clone "$world/shallow.git" deep
expect_err "is a shallow clone itself and lacks the pool's history"
expect_hint 'git fetch --unshallow'
[[ ! -e deep ]] || fail "a clone of nothing" "no folder" "one"
expect_ok git -C shallow.git fetch --quiet --unshallow
expect_ok cultivar clone "$world/shallow.git" deep
