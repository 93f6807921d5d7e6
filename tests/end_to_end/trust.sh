#!/usr/bin/env bash
# Trust roots: a threshold of the previous roots changes them, and the change is shown; the user's own SSH key signs.
# shellcheck disable=SC2016 # the inner shell expands its own
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git
git init --quiet --bare "$hosting"

key_of() { cultivar -C "$1" trust --show --json | jq -r '.you.public_key'; }
# line_of CLONE NAMESPACES: prints the clone's line for allowed_signers.
line_of() { printf '%s namespaces="%s" %s\n' "$(writer_of "$1")" "$2" "$(key_of "$1")"; }
digest_of() { cultivar -C "$1" trust --show --json | jq -r '.roots.waiting.digest[0:8]'; }

section "a new pool has none: everyone who may push main names the verifiers"
expect_ok env CULTIVAR_NAME=ann CULTIVAR_MACHINE=box cultivar init ann --remote "$hosting" --name tiny --budget 1s
expect_ok cultivar -C ann propose
for name in bea cai; do
    expect_ok env CULTIVAR_NAME=$name CULTIVAR_MACHINE=box cultivar clone "$hosting" $name
done
expect_ok cultivar -C ann trust
expect_out '^roots +none: everyone who may push main names the verifiers$'
expect_out '^key +ann\.box\.[0-9a-f]{8} .* judges$'
expect_out '^you +ann\.box\.[0-9a-f]{8} ssh-ed25519 AAAA'

section "roots begin once as many signed as they ask for"
{ line_of ann git,cultivar-trust; line_of bea git,cultivar-trust; line_of cai cultivar-trust; } >keys
expect_rc 129 cultivar -C ann trust --change "$world/keys" --threshold 4
expect_err 'its threshold is 4 of 3 keys'
expect_ok cultivar -C ann trust --change "$world/keys" --threshold 2
expect_err 'trust root 1 waits for 1 more'
expect_out '^waits +version 1, threshold 2, [0-9a-f]{8}: 1 of 2 signatures'
expect_out '^ +\+ bea\.box'
expect_rc 129 cultivar -C ann trust --sign "$(digest_of ann)"
expect_err 'this key has signed it already'
expect_ok cultivar -C ann propose
expect_ok cultivar -C bea pull
expect_rc 129 cultivar -C bea trust --sign 00000000
expect_err 'is not the digest of the change that waits'
expect_ok cultivar -C bea trust --sign "$(digest_of bea)"
expect_err 'trust root 1 is in force'
expect_ok cultivar -C bea propose
expect_ok cultivar -C ann pull
expect_ok cultivar -C ann trust --show --json
expect_json '.roots | .version == 1 and .threshold == 2 and .waiting == null and (.keys | length == 3)'
expect_json '[.roots.keys[] | select(.judges)] | length == 2'
expect_same "allowed_signers" "$(git -C ann show origin/main:trust/1.allowed_signers)" "$(git -C ann show origin/main:allowed_signers)"
git -C ann show origin/main:allowed_signers >root
git -C ann show origin/main:trust/1."$(key_of ann | cut -d' ' -f2 | base64 -d | sha256sum | cut -c1-16)".sig >root.sig
expect_ok sh -c 'ssh-keygen -Y verify -n cultivar-trust -f root -I "$1" -s root.sig <root' sh "$(writer_of ann)"

section "the user's own SSH key signs where git's configuration names it"
ssh-keygen -q -t ed25519 -N '' -C dan@example.org -f id
expect_ok env CULTIVAR_NAME=dan CULTIVAR_MACHINE=box cultivar clone "$hosting" dan
git -C dan config cultivar.signingKey "$world/id"
expect_ok cultivar -C dan trust --show --json
expect_same "public key" "$(cut -d' ' -f1,2 <id.pub)" "$(json .you.public_key)"
expect_err 'signs with another key than before'
printf '[optim]\ntied_embed_lr = 0.07\n' >"$world/idea.toml"
expect_ok cultivar -C dan import "$world/idea.toml" --json
expect_ok cultivar -C dan retire "$(json .id)" --reason 'an example'
reject_err 'another key than before'
expect_ok cultivar -C dan propose
expect_ok cultivar -C cai pull
expect_err 'new: .*1 retirement'
reject_err refused
printf '[optim]\ntied_embed_lr = 0.08\n' >"$world/idea.toml"
expect_ok cultivar -C cai import "$world/idea.toml" --json
expect_ok cultivar -C cai retire "$(json .id)" --reason 'more to read'
expect_ok cultivar -C cai propose
expect_ok cultivar -C dan pull # the reader in the sandbox sees no file of the user's key
expect_err 'new: .*1 retirement'
expect_ok cultivar -C dan top --json
mv id.pub id.away
expect_ok cultivar -C dan top --json
mv id.away id.pub

section "nobody changes them alone, whoever may push main"
expect_ok cultivar -C cai pull
line_of cai git,cultivar-trust >mine
expect_ok cultivar -C cai trust --change "$world/mine" --threshold 1
expect_err 'waits for 1 more'
git clone --quiet "$hosting" by-hand
cp mine by-hand/allowed_signers
git -C by-hand commit --quiet --all --message 'Only me'
git -C by-hand push --quiet
expect_rc 128 cultivar -C bea pull
expect_err 'main is refused: allowed_signers differs from trust root 1'
git -C by-hand rm --quiet -r trust
git -C by-hand commit --quiet --message 'Nobody'
git -C by-hand push --quiet
expect_rc 128 cultivar -C bea pull
expect_err 'its trust roots were rolled back from version 1 to 0'
expect_ok cultivar -C bea trust --show --json
expect_json '.roots.version == 1'

section "contributors and top without anything to tell"
expect_ok cultivar -C ann contributors
expect_no_out
expect_err 'nothing was run yet'
expect_ok cultivar -C ann top --verified
expect_err 'nothing is accepted yet'
expect_ok cultivar -C ann contributors --json
expect_json '.contributors == []'

section "another user's clone is looked at, and nothing that its configuration names is run"
cp -r ann another
git -C another config remote.origin.url ssh://nowhere.invalid/pool.git
git -C another config core.sshCommand "touch $world/ran; false"
export GIT_TEST_ASSUME_DIFFERENT_OWNER=1
find another -printf '%p %T@\n' | sort >before
for look in top log status contributors; do
    expect_ok cultivar -C another "$look"
    expect_err 'belongs to another user'
done
for act in pull propose fsck 'index rebuild' 'trust --show'; do
    # shellcheck disable=SC2086 # two words
    expect_rc 128 cultivar -C another $act
    expect_hint 'safe\.directory'
done
expect_same "what lies there" "$(<before)" "$(find another -printf '%p %T@\n' | sort)"
[[ ! -e ran ]] || fail "programs" "none" "one was run"
git config --global --add safe.directory "$world/another"
expect_rc 128 cultivar -C another pull
[[ -e ran ]] || fail "programs" "the owner is trusted" "none was run"
unset GIT_TEST_ASSUME_DIFFERENT_OWNER
