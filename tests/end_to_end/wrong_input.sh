#!/usr/bin/env bash
# Wrong input gives one clear line, a hint with a command that works, and the right exit code. Data goes to standard
# output and everything else to standard error.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git
esc=$'\e'

# expect_complaint CODE PATTERN COMMAND...: expects one error line (and at most a hint), and nothing on standard output.
expect_complaint() {
    local code=$1 pattern=$2
    shift 2
    expect_rc "$code" "$@"
    expect_no_out
    expect_err "$pattern"
    expect_same "lines of error" 1 "$(grep -c '^cultivar: ' <<<"$err")"
    [[ $(grep -c '^hint: ' <<<"$err") -le 1 ]] || fail "standard error" "at most one hint" "more"
    reject_err '(what\(\)|terminate|Segmentation)'
}

section "help and commands"
expect_rc 129 cultivar
expect_no_out
expect_err 'cultivar COMMAND --help|cultivar --help'
[[ $(wc -l <<<"$err") -le 25 ]] || fail "help without arguments" "at most 25 lines" "$(wc -l <<<"$err")"
expect_ok cultivar --help
expect_no_err
for name in init clone pull explore cross propose verify top show log genes status diff data version; do
    expect_ok cultivar --help
    expect_out "^  $name "
    expect_ok cultivar "$name" --help
    expect_no_err
    expect_out '^[A-Z][a-z]+,? '
    expect_out '^EXAMPLES'
done
expect_ok cultivar help top
expect_complaint 129 "unknown command 'tpo', did you mean 'top'" cultivar tpo
expect_complaint 129 "unknown flag '--rnus', did you mean '--runs'" cultivar explore --rnus 3
expect_hint 'cultivar explore --help'
expect_complaint 129 'always, auto, never' cultivar --color=sometimes top
expect_complaint 129 'color' cultivar top --color
expect_complaint 129 "missing" cultivar show
expect_complaint 129 'too many' cultivar top one
expect_ok cultivar --version
expect_ok cultivar version --json
expect_json '.schema >= 1'

section "no pool here"
mkdir nowhere
for name in top log status pull propose verify "show abcd1234" "data list" "explore --runs 1"; do
    # shellcheck disable=SC2086
    expect_complaint 128 '^cultivar: ' cultivar -C nowhere $name
    expect_hint 'cultivar init'
done
expect_complaint 128 "'missing'|no such" cultivar -C missing top
expect_complaint 128 "'missing'|no such" cultivar -C missing genes
git init --quiet plain
git -C plain commit --quiet --allow-empty -m empty
expect_complaint 128 'not a pool|no pool.toml|pool.toml' cultivar -C plain top

section "genes"
expect_ok cultivar -C plain genes
expect_err 'no pool here: the genes of the built-in task'
[[ ! -e plain/.git/cultivar ]] || fail "a repository that was only looked at" "nothing new in it" "a folder"
expect_ok cultivar -C nowhere genes model.sharing
expect_out '^  range +none, cyclic, mirrored$'
expect_ok cultivar -C nowhere genes --json data
expect_json '.pool == null and all(.genes[].name; startswith("data.")) and (.constraints | length) == 1'
expect_complaint 129 "unknown gene 'modle.width', did you mean 'model.width'" cultivar -C nowhere genes modle.width
expect_hint 'cultivar genes'
expect_complaint 129 "did you mean 'model.width'" cultivar -C nowhere genes model.heads width
expect_complaint 129 'takes no names' cultivar genes --scdoc optim

section "init and clone"
mkdir full
touch full/file
expect_complaint 129 "'full' is not empty" cultivar init full
[[ ! -e full/.git ]] || fail "a refused init" "nothing left behind" ".git"
expect_complaint 129 "'never' is not a duration" cultivar init x --budget never
expect_complaint 128 "cannot reach" cultivar clone "$world/absent.git" absent
expect_hint 'git ls-remote|cultivar'
[[ ! -e absent ]] || fail "a refused clone" "nothing left behind" "absent"
expect_complaint 128 'not a pool' cultivar clone "$world/plain" from-plain
[[ ! -e from-plain ]] || fail "a refused clone" "nothing left behind" "from-plain"
expect_ok git init --quiet --bare empty.git
expect_complaint 128 'no branch main' cultivar clone "$world/empty.git" from-empty
[[ ! -e from-empty ]] || fail "a refused clone" "nothing left behind" "from-empty"

found_pool pool "$hosting"
expect_complaint 128 'main|no remote|remote' cultivar clone "$hosting" early
expect_ok cultivar -C pool propose
expect_complaint 129 "already has a branch main" cultivar init again --remote "$hosting"
expect_hint "cultivar clone $hosting"
[[ ! -e again ]] || fail "a refused init" "nothing left behind" "again"
git clone --quiet --depth 1 "file://$hosting" shallow
expect_complaint 128 'shallow' cultivar -C shallow top
expect_hint 'git fetch --unshallow'

section "explore's words"
for words in '--runs 0' '--runs -1' '--runs many' '--runs' '--runs 1.5' '--for soon' '--for 0s' '--runs 1 --budget 0' \
    '--runs 1 --budget 10x' '--runs 1 --budget 0.1s' '--runs 1 --threads none' '--runs 1 --threads 0' '--runs 1 --seed x' ''; do
    # shellcheck disable=SC2086
    expect_complaint 129 '^cultivar: ' cultivar -C pool explore $words
done
expect_complaint 128 'cultivar-lm|worker' env CULTIVAR_LM="$world/absent-lm" cultivar -C pool explore --runs 1
expect_err "absent-lm"

section "data"
expect_complaint 129 "did you mean 'import'" cultivar -C pool data imprt x
expect_complaint 129 'settled' cultivar -C pool data import "$world/corpus.txt" --tokenizer byte
expect_complaint 128 "'.*absent.txt'" cultivar -C pool data import absent.txt
expect_ok env CULTIVAR_MACHINE=bare cultivar clone "$hosting" bare
expect_complaint 128 'data is not on this machine' cultivar -C bare explore --runs 1
expect_hint 'cultivar data import .*corpus.txt'
expect_ok env CULTIVAR_MACHINE=young cultivar init young
expect_complaint 128 'no data yet' cultivar -C young explore --runs 1
expect_hint 'cultivar data import'
expect_complaint 129 "'huge' is not a size" cultivar -C young data import "$world/corpus.txt" --slice-bytes huge
expect_complaint 129 'bpe, byte' cultivar -C young data import "$world/corpus.txt" --tokenizer words
: >empty.txt
run cultivar -C young data import "$world/empty.txt" --tokenizer byte
[[ $rc -eq 128 || $rc -eq 129 ]] || fail "an empty corpus" "128 or 129" "$rc"
expect_err '^cultivar: '

section "seeds that people write"
write_seed() { # write_seed TEXT: writes it as a seed on main
    printf '%s\n' "$1" >pool/seeds/new.toml
    git -C pool add --all
    git -C pool commit --quiet --message 'A seed'
}
expect_bad_seed() { # PATTERN: fsck names it; a search passes it over
    expect_rc 1 cultivar -C pool fsck
    expect_out "$1"
}
write_seed 'model.width = = 3'
expect_bad_seed 'seeds/new.toml:1:[0-9]+: '
write_seed $'[model]\nwidht = 64'
expect_bad_seed "seeds/new.toml:2:[0-9]+: .*'model.widht'.*did you mean 'model.width'"
write_seed $'# wide\nmodel.width = 1000000'
expect_bad_seed "seeds/new.toml:2:[0-9]+: .*model.width.*32..1024"
write_seed 'model.mlp = "relu3"'
expect_bad_seed "seeds/new.toml:1:[0-9]+: .*relu2, gelu, swiglu"
write_seed 'model.heads = 3'
expect_bad_seed 'seeds/new.toml.*(heads|multiple)'
git -C pool rm --quiet -f seeds/new.toml
git -C pool commit --quiet --message 'No such seed'
add_seeds pool better=0.13 other=0.02 # these fit the budget
expect_ok cultivar -C pool explore --runs 2 --json
expect_json '.runs | length == 2'

section "pool.toml"
cp pool/pool.toml good.toml
edit_pool() {
    sed "$1" good.toml >pool/pool.toml
    git -C pool commit --quiet --all --message 'Edit the pool'
}
edit_pool 's/^budget_s = .*/budget_s = /'
expect_complaint 129 'pool.toml:[0-9]+:[0-9]+: ' cultivar -C pool top
edit_pool 's/^budget_s/bugdet_s/'
expect_complaint 129 "pool.toml:[0-9]+:[0-9]+: .*bugdet_s" cultivar -C pool top
edit_pool 's/^format = .*/format = 99/'
expect_complaint 128 '99|newer' cultivar -C pool top
edit_pool ''
git -C pool reset --quiet --hard HEAD
cp good.toml pool/pool.toml
git -C pool commit --quiet --all --allow-empty --message 'The pool as it was'
expect_ok cultivar -C pool top

section "ids"
expect_ok cultivar -C pool top --json
id=$(json '.candidates[0].id')
expect_ok cultivar -C pool show "${id:0:4}"
expect_complaint 128 "cannot find candidate.*'nope'" cultivar -C pool show nope
expect_hint 'cultivar top'
expect_complaint 129 "'${id:0:3}' is too short" cultivar -C pool show "${id:0:3}"
expect_complaint 128 "'00000000'" cultivar -C pool diff "$id" 00000000
expect_complaint 128 "cannot find" cultivar -C pool propose 00000000
expect_complaint 128 "cannot find" cultivar -C pool verify 00000000
expect_complaint 128 "cannot find" cultivar -C pool show "' OR 1=1 --"
expect_complaint 128 "cannot find" cultivar -C pool show '****'
expect_complaint 129 'two different' cultivar -C pool cross "$id" "${id:0:8}"
expect_complaint 129 '.' cultivar -C pool log -n 0

section "an unreachable remote"
git -C bare config remote.origin.url "$world/gone.git"
expect_complaint 128 "cannot reach 'origin'" cultivar -C bare pull
expect_hint 'git ls-remote'
expect_complaint 128 "no remote" cultivar -C young pull
expect_hint 'git remote add origin'
expect_complaint 128 "no remote" cultivar -C young propose

section "a machine that was measured with other threads"
expect_complaint 128 'category with 2 threads on cpu is not known' env CULTIVAR_THREADS=2 cultivar -C pool explain
expect_hint 'CULTIVAR_THREADS=1 cultivar explain'
speed=$(state_of pool)/speed.json
jq -c '.[0] | del(.device)' "$speed" >"$speed.old" # the format of a single measurement, before there were devices
mv "$speed.old" "$speed"
expect_ok env CULTIVAR_THREADS=2 cultivar -C pool explore --runs 1 --budget 1s
expect_ok env CULTIVAR_THREADS=1 cultivar -C pool explain --json
expect_same "measurements" '[1,2]' "$(jq -c '[.[].threads]' "$speed")"

section "user configuration"
mkdir -p "$XDG_CONFIG_HOME/cultivar"
printf 'name = "me"\nthraeds = 2\n' >"$XDG_CONFIG_HOME/cultivar/config.toml"
expect_complaint 129 "config.toml:2:[0-9]+: unknown key 'thraeds', did you mean 'threads'" cultivar -C pool top
printf 'threads = \n' >"$XDG_CONFIG_HOME/cultivar/config.toml"
expect_complaint 129 'config.toml:1:[0-9]+: ' cultivar -C pool status

section "flags over environment over pool over user configuration"
threads_are() {
    expect_ok cultivar -C pool status
    expect_out "threads $1"
}
unset CULTIVAR_THREADS
rm "$XDG_CONFIG_HOME/cultivar/config.toml"
threads_are "$(nproc) \(default\)"
echo 'threads = 3' >"$XDG_CONFIG_HOME/cultivar/config.toml"
threads_are "3 \($XDG_CONFIG_HOME/cultivar/config.toml\)"
git -C pool config cultivar.threads 4
threads_are '4 \(pool\)'
export CULTIVAR_THREADS=5
threads_are '5 \(environment\)'
CULTIVAR_THREADS=none expect_complaint 129 "threads = 'none' \(environment\)" cultivar -C pool status
export CULTIVAR_THREADS=1
git -C pool config --unset cultivar.threads
rm "$XDG_CONFIG_HOME/cultivar/config.toml"

section "standard output is data, whatever else is asked"
for name in top log status "show $id" "data list" "data check" version; do
    # shellcheck disable=SC2086
    {
        expect_ok cultivar -C pool $name --json
        expect_json '.schema >= 1'
        plain=$out
        expect_ok cultivar --json -C pool $name
        expect_same "--json before the command" "$plain" "$out"
        expect_ok cultivar -C pool $name --json -v -v
        expect_same "--json with -v" "$plain" "$out"
        expect_ok env TZ=Asia/Tokyo LC_ALL=de_DE.UTF-8 CLICOLOR_FORCE=1 cultivar -C pool $name --json
        expect_same "--json in another place" "$plain" "$out"
        expect_ok cultivar -C pool $name
        reject_out "$esc"
        reject_err "$esc"
        plain=$out
        expect_ok env TZ=Asia/Tokyo LC_ALL=de_DE.UTF-8 COLUMNS=20 cultivar -C pool $name
        expect_same "text in another place" "$plain" "$out"
        expect_ok cultivar -C pool/seeds $name
        expect_same "text from a folder within" "$plain" "$out"
    }
done
expect_ok cultivar -C pool log --json
expect_json 'all(.runs[]; .ended | test("^20[0-9-]{8}T[0-9:]{8}Z$"))'

section "colour"
expect_ok cultivar --color=always -C pool top
expect_out "$esc"
expect_ok env NO_COLOR=1 cultivar -C pool top
reject_out "$esc"
if command -v script >/dev/null; then
    on_terminal() { script -qec "$*" /dev/null; }
    expect_ok env TERM=xterm COLUMNS=40 bash -c "$(declare -f on_terminal); on_terminal cultivar -C pool top"
    expect_out "$esc"
    # shellcheck disable=SC2001
    longest=$(sed "s/$esc\[[0-9;]*m//g" <<<"$out" | tr -d '\r' | awk '{ if (length > most) most = length } END { print most }')
    [[ $longest -le 40 ]] || fail "width of a table on 40 columns" "at most 40" "$longest"
    for plain in NO_COLOR=1 TERM=dumb; do
        expect_ok env TERM=xterm "$plain" bash -c "$(declare -f on_terminal); on_terminal cultivar -C pool top"
        reject_out "$esc\["
    done
fi

section "control characters of others never reach the terminal"
state=$(state_of pool)
for evil in '\\u001b[31mred' '\\u009b31m' '\\u0007' '\\r' '\\u202e'; do
    cp "$state/spool.jsonl" spool.good
    words=()
    for field in operator reason choice trainer zone method; do
        words+=(-e "s/\"$field\":\"([^\"\\\\]|\\\\.)*\"/\"$field\":\"$evil\"/")
    done
    sed -E "${words[@]}" spool.good >"$state/spool.jsonl"
    rm -rf "$state/index"
    for name in top log "show $id" status "diff $id $id" pull propose "log --json" "show $id --json"; do
        [[ $name != propose ]] || continue
        # shellcheck disable=SC2086
        run cultivar -C pool $name
        [[ $name != log ]] || expect_out "${id:0:8}"
        reject_out "$esc|"$'\x07|\r|\xc2\x9b|\xe2\x80\xae'
        reject_err "$esc|"$'\x07|\r|\xc2\x9b|\xe2\x80\xae'
    done
    cp spool.good "$state/spool.jsonl"
done
rm -rf "$state/index"
expect_ok cultivar -C pool top
