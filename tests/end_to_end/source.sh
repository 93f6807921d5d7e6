#!/usr/bin/env bash
# Candidates that carry source files: edited, imported, run over the task's files, compared, crossed, refused.
# shellcheck disable=SC2016 # the task's scripts have their own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"

mkdir -p task/files task/src
cat >task/task.toml <<'END'
direction = "maximize"
metric = "accuracy"
noise = "none"
[command]
run = ["sh", "files/run.sh", "{gene.x}"]
score = { metric = "accuracy" }
checks = ["python3", "files/check.py"]
[surface]
edit = ["src/**"]
never = ["src/fixed.sh"]
max_files = 3
max_bytes = 400
[gene.x]
type = "real"
default = 1.0
range = [0.0, 10.0]
END
cat >task/files/run.sh <<'END'
. src/model.sh
echo spoilt 2>/dev/null >>src/model.sh && echo "its files can be written"
echo spoilt 2>/dev/null >>files/run.sh && echo "the task's files can be written"
for file in src/*; do echo "has $file"; done
echo "METRIC accuracy=$first$second.5"
END
cat >task/files/check.py <<'END'
import re, sys
first = int(re.search("first=(\\d+)", open("src/model.sh").read()).group(1))
sys.exit("too good to be true" if first > 8 else 0)
END
printf 'first=1\n# a\n# b\n# c\n# d\n# e\nsecond=1\n' >task/src/model.sh
echo 'fixed=1' >task/src/fixed.sh

section "init takes the files of the surface, and trust shows it"
expect_ok cultivar init pool --kind command --task task/task.toml --budget 2s
expect_ok git -C pool ls-tree -r --name-only main
expect_out '^src/model.sh$'
expect_ok cultivar -C pool trust
expect_out 'edit = \["src/\*\*"\]'
expect_out 'file     src/model.sh'
expect_ok cultivar -C pool explore --runs 1 --json
expect_json '.runs[0] | .status == "done" and .decision == "kept"'
parent=$(json '.runs[0].candidate')
expect_ok cultivar -C pool show --output "$parent"
expect_out 'has src/fixed.sh'
reject_out 'can be written'

# child NAME FILE TEXT: the child of the first candidate with this file.
child() {
    rm -rf "$1"
    expect_ok cultivar -C pool edit "$parent" "$world/$1"
    mkdir -p "$(dirname "$1/$2")"
    printf '%b' "$3" >"$1/$2"
    expect_ok cultivar -C pool import "$world/$1" --parent "$parent" --json
    expect_json '.new == true and .changed == [$file]' --arg file "$2"
    id=$(json .id)
}

section "edit writes the files of a run, import makes a child of them, and the next run has them"
child one src/model.sh 'first=2\n# a\n# b\n# c\n# d\n# e\nsecond=1\n'
one=$id
[[ -w one/src/model.sh && -r one/files/run.sh ]] || fail "edit" "all files" "$(find one)"
expect_ok cultivar -C pool show "$one"
expect_out '^file      src/model.sh  sha256 [0-9a-f]{8}'
expect_ok cultivar -C pool explore --runs 1 --json
expect_json '.runs[0] | .candidate == $id and .operator == "import" and .by_hand == true and .val_bpb == -21.5 and .decision == "kept"' --arg id "$one"
child two src/model.sh 'first=1\n# a\n# b\n# c\n# d\n# e\nsecond=7\n'
two=$id
child three src/new.sh '# new\n'
expect_ok cultivar -C pool explore --runs 2 --json
expect_json '[.runs[].operator] == ["import", "import"]'
expect_ok cultivar -C pool show --output "$id"
expect_out 'has src/new.sh'
expect_ok git -C pool fsck --strict

section "an import is refused where nothing changed, where it is known, and where it may not change"
rm -rf same
expect_ok cultivar -C pool edit "$one" "$world/same"
expect_rc 125 cultivar -C pool import "$world/same" --parent "$one"
expect_err 'nothing changed'
expect_rc 125 cultivar -C pool import "$world/same" --parent "$two"
expect_err "this is candidate ${one:0:8}, which scored 21.5"
expect_hint "cultivar show ${one:0:8}"
# refused PATH TEXT MESSAGE: of a folder with this file.
refused() {
    rm -rf bad
    cp -r same bad
    chmod -R u+w bad
    mkdir -p "$(dirname "bad/$1")"
    printf '%b' "$2" >"bad/$1"
    expect_rc 129 cultivar -C pool import "$world/bad" --parent "$one"
    expect_err "$3"
}
refused files/run.sh 'echo METRIC accuracy=99\n' "'files/run.sh' is not on the task's surface"
refused src/fixed.sh 'fixed=2\n' "'src/fixed.sh' is not on the task's surface"
refused other/x.sh 'x\n' "'other/x.sh' is not on the task's surface"
refused 'src/a b' 'x\n' 'is no name for a file'
refused src/Model.sh 'x\n' 'but for its case'
refused src/large.sh "$(printf '%0500d' 1)" 'more than the 400'
rm -rf bad && cp -r same bad && touch bad/src/{a,b,c}
expect_rc 129 cultivar -C pool import "$world/bad" --parent "$one"
expect_err 'more than the 3'
rm -rf bad && cp -r same bad && rm bad/src/model.sh
expect_rc 129 cultivar -C pool import "$world/bad" --parent "$one"
expect_err "'src/model.sh' is missing"
rm -rf bad && cp -r same bad && ln -s /etc/passwd bad/src/link
expect_rc 129 cultivar -C pool import "$world/bad" --parent "$one"
expect_err 'neither a file nor a folder'

section "a unified diff fits exactly or is refused with its place"
printf -- '--- a/src/model.sh\n+++ b/src/model.sh\n@@ -1,2 +1,2 @@\n-first=2\n+first=3\n # a\n' >good.patch
expect_ok cultivar -C pool import --patch "$world/good.patch" --parent "$one" --json
patched=$(json .id)
expect_rc 125 cultivar -C pool import --patch "$world/good.patch" --parent "$two"
expect_err "src/model.sh:1: the hunk at line 3 of the patch wants 'first=2', the file has 'first=1'"
sed 's/model/none/' good.patch >none.patch
expect_rc 125 cultivar -C pool import --patch "$world/none.patch" --parent "$one"
expect_err "there is no 'src/none.sh'"
expect_rc 129 cultivar -C pool import --patch "$world/good.patch"
expect_err 'goes with --parent'

section "diff shows genes and source"
expect_rc 1 cultivar -C pool diff "$parent" "$patched"
expect_out '^--- a/src/model.sh'
expect_out '^-first=1'
expect_out '^\+first=3'
expect_rc 1 cultivar -C pool diff "$one" "$two" --json
expect_json '.genes == [] and .files[0].path == "src/model.sh"'
expect_ok cultivar -C pool diff "$one" "$one"

section "cross merges the files, and git merge gives the same tree"
branch() { git -C pool for-each-ref --format='%(refname:short)' "refs/heads/candidates/$1.*"; }
git -C pool worktree add --quiet --detach "$world/merged" "$(branch "$one")"
expect_ok git -C merged merge --quiet -m merged "$(branch "$two")"
expect_ok cultivar -C pool cross "$one" "$two" --json
cross=$(json .id)
expect_same "tree" "$(git -C pool rev-parse "$(branch "$cross")^{tree}")" "$(git -C merged rev-parse 'HEAD^{tree}')"
expect_same "file" $'first=2\n# a\n# b\n# c\n# d\n# e\nsecond=7' "$(cat merged/files/src/model.sh)"
expect_rc 125 cultivar -C pool cross "$one" "$patched"
expect_err "is ${patched:0:8} itself"
child five src/model.sh 'first=5\n# a\n# b\n# c\n# d\n# e\nsecond=1\n'
expect_rc 125 cultivar -C pool cross "$one" "$id"
expect_err 'conflict in src/model.sh'

section "explore keeps the files of its parents, crosses included"
expect_ok cultivar -C pool explore --runs 12 --seed 3 --json
expect_json '[.runs[] | select(.toml | contains("[files]"))] | length > 2'
expect_json '[.runs[] | select(.operator == "tune" and (.toml | contains("[files]")))] | length > 0'
expect_json 'all(.runs[]; .status == "done")'

section "the checks are the task's, whatever a candidate's source puts in their place"
cheats() { # CODE: what it does beside a score that the checks do not allow
    child cheat src/model.sh "first=9\nsecond=1\n$1\n"
    run cultivar -C pool explore --runs 1 --json
    expect_json '.runs[0] | .candidate == $id and .failure.cause == "checks"' --arg id "$id"
    expect_json '.runs[0].reason | test("too good to be true")'
}
cheats ''
cheats 'rm -f files; mkdir files; echo >files/check.py'
cheats 'rm -f src; mkdir src; echo first=1 >src/model.sh'
# Python runs it at its start, where it has a home with one.
cheats 'site=$(python3 -m site --user-site); mkdir -p $site; echo "import os; os._exit(0)" >$site/usercustomize.py'

section "a candidate with files runs in the sandbox alone"
child six src/six.sh '# six\n'
expect_rc 129 cultivar -C pool explore --runs 1 --no-sandbox
expect_err 'runs in the sandbox alone'
expect_ok cultivar -C pool fsck
