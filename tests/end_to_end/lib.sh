# shellcheck shell=bash
# Shared by the end-to-end scripts: a separate world for each (HOME, XDG folders, a hosting, clones of a tiny pool), and
# assertions that print the expected result, the actual one and the command. Sourced, with the programs' folder as $1.

programs=$(cd "$1" && pwd)
world=$(mktemp -d -t cultivar-e2e.XXXXXX)
export HOME=$world/home XDG_CONFIG_HOME=$world/config XDG_STATE_HOME=$world/state XDG_CACHE_HOME=$world/cache
export PATH=$programs:$PATH GIT_CONFIG_NOSYSTEM=1 TERM=dumb
export CULTIVAR_THREADS=1 # more threads do not speed up a tiny model
unset CULTIVAR_NAME CULTIVAR_MACHINE CULTIVAR_WATTS CULTIVAR_ZONE CULTIVAR_LOG NO_COLOR CLICOLOR_FORCE COLUMNS
mkdir -p "$HOME" "$XDG_CONFIG_HOME"
git config --global user.name "Test Er"
git config --global user.email tester@example.invalid
git config --global init.defaultBranch main
cd "$world" || exit 1

leave() {
    local code=$?
    trap - EXIT
    local job
    for job in $(jobs -p); do kill -KILL "$job" 2>/dev/null || true; done
    cd /
    if [[ $code -ne 0 && -n ${KEEP_WORLD:-} ]]; then
        echo "kept: $world" >&2
    else
        rm -rf "$world"
    fi
    exit "$code"
}
trap leave EXIT

# --- Assertions -------------------------------------------------------------------------------------------------------
# `run COMMAND...` keeps its exit code in $rc, its standard output in $out and its standard error in $err.
rc=0 out='' err='' command=''

run() {
    command=$*
    rc=0
    "$@" >"$world/.out" 2>"$world/.err" </dev/null || rc=$?
    out=$(tr -d '\0' <"$world/.out")
    err=$(tr -d '\0' <"$world/.err")
}

section() { printf -- '-- %s\n' "$*"; }

fail() {
    {
        printf 'FAILED: %s\n' "$1"
        printf '  at:       %s:%s\n' "${BASH_SOURCE[-1]##*/}" "${BASH_LINENO[-2]}"
        printf '  command:  %s (in %s)\n' "$command" "$PWD"
        printf '  expected: %s\n  came:     %s\n' "$2" "$3"
        printf -- '---- exit code %s, standard output\n%s\n---- standard error\n%s\n' "$rc" "${out:0:3000}" "${err:0:3000}"
    } >&2
    exit 1
}

# expect_rc CODE COMMAND...: runs the command.
expect_rc() {
    local wanted=$1
    shift
    run "$@"
    [[ $rc -eq $wanted ]] || fail "exit code" "$wanted" "$rc"
}
expect_ok() { expect_rc 0 "$@"; }

# These match the last command's output against an extended regular expression.
expect_out() { grep -qE -- "$1" <<<"$out" || fail "standard output" "/$1/" "something else"; }
expect_err() { grep -qE -- "$1" <<<"$err" || fail "standard error" "/$1/" "something else"; }
expect_no_out() { [[ -z $out ]] || fail "standard output" "nothing" "${out:0:200}"; }
expect_no_err() { [[ -z $err ]] || fail "standard error" "nothing" "${err:0:200}"; }
reject_out() { ! grep -qE -- "$1" <<<"$out" || fail "standard output" "no /$1/" "it"; }
reject_err() { ! grep -qE -- "$1" <<<"$err" || fail "standard error" "no /$1/" "it"; }
# Expects an error line and a hint with a command.
expect_hint() { expect_err "^hint: .*$1"; }

# expect_json FILTER [jq arguments]: expects JSON on the last standard output, with FILTER true.
expect_json() {
    jq -e "${@:2}" "$1" <<<"$out" >/dev/null || fail "JSON on standard output" "$1" "not so"
}
json() { jq -r "$@" <<<"$out"; }

expect_same() { [[ $2 == "$3" ]] || fail "$1" "$2" "$3"; }

# in_clone FOLDER COMMAND...: runs COMMAND in FOLDER; for `run` and the expectations.
in_clone() {
    local folder=$1
    shift
    (cd "$folder" && exec "$@")
}

# wait_until SECONDS COMMAND...: waits until COMMAND succeeds.
wait_until() {
    local tries=$(($1 * 20))
    shift
    until "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || {
            command=$*
            fail "waiting" "yes" "no, to the end"
        }
        sleep 0.05
    done
}

# --- A tiny pool ------------------------------------------------------------------------------------------------------
# write_text FILE SEED PARAGRAPHS: writes text of made-up sentences, the same for the same seed on every machine.
write_text() {
    awk -v seed="$2" -v paragraphs="$3" '
        function draw(n) { state = (state * 16807) % 2147483647; return state % n }
        BEGIN {
            state = seed
            words = split("the a one every no some old young red green small quick slow river house tree bird stone " \
                          "cloud garden teacher child sailor winter morning bread runs sees takes gives finds keeps " \
                          "loses under over behind without between and or but because while it there here now never", word, " ")
            for (p = 0; p < paragraphs; p++) {
                for (i = draw(20) + 8; i > 0; i--) printf "%s ", word[draw(words) + 1]
                printf "%d.\n\n", draw(100000)
            }
        }' >"$1"
}

# found_pool FOLDER HOSTING [CAP...]: founds a pool with one tiny seed and its data, not shared. CAP is "KEY = VALUE".
found_pool() {
    expect_ok git init --quiet --bare "$2"
    expect_ok env CULTIVAR_MACHINE=referee cultivar init "$1" --remote "$2" --name tiny --budget 1s
    rm "$1"/seeds/*.toml
    cat >"$1/seeds/tiny.toml" <<'END'
[model]
width = 32
layers = 2
heads = 2
kv_heads = 1
[data]
seq_len = 64
tokens_per_step = 1024
END
    sed -i 's/^share = .*/share = 1000.0/' "$1/pool.toml" # runs of one second pay for no verification
    [[ $# -eq 2 ]] || printf '%s\n' '[caps]' "${@:3}" >>"$1/pool.toml"
    git -C "$1" add --all
    git -C "$1" commit --quiet --message 'A tiny seed'
    [[ -e corpus.txt ]] || write_text corpus.txt 7 3000
    expect_ok cultivar -C "$1" data import "$PWD/corpus.txt" --tokenizer byte --slice-bytes 8KiB --full-bytes 32KiB
}

# join_pool HOSTING FOLDER: clones the pool and imports the data.
join_pool() {
    expect_ok env CULTIVAR_NAME="${2##*/}" CULTIVAR_MACHINE=machine cultivar clone "$1" "$2"
    expect_ok cultivar -C "$2" data import "$PWD/corpus.txt"
}

# of_another_speed FOLDER: gives the clone a speed at which it cannot compare reruns of others' runs.
of_another_speed() { echo '{"device":"cpu","threads":1,"flops_per_s":1e6}' >"$(state_of "$1")/speed.json"; }

# add_seeds FOLDER NAME=RATE...: adds seeds that differ from the tiny one in a rate.
add_seeds() {
    local seed
    for seed in "${@:2}"; do
        {
            cat "$1/seeds/tiny.toml"
            printf '[optim]\ntied_embed_lr = %s\n' "${seed#*=}"
        } >"$1/seeds/${seed%=*}.toml"
    done
    git -C "$1" add --all
    git -C "$1" commit --quiet --message 'More seeds'
}

# edit_spool FOLDER FILTER [jq arguments]: changes the clone's unsent records; its own index believes them.
edit_spool() {
    local spool
    spool=$(state_of "$1")/spool.jsonl
    jq -c "${@:3}" "$2" "$spool" >"$spool.new"
    ! cmp -s "$spool" "$spool.new" || fail "an edited spool" "a change" "none by $2"
    mv "$spool.new" "$spool"
    rm -rf "$(state_of "$1")/index"
}

# same_speed FROM TO...: puts clones on one machine into one category, even if it was busy during their measurements.
same_speed() {
    local to
    for to in "${@:2}"; do cp "$(state_of "$1")/speed.json" "$(state_of "$to")/speed.json"; done
}

state_of() { (cd "$1" && printf '%s/cultivar' "$(git rev-parse --absolute-git-dir)"); }
index_of() { printf '%s\n' "$(state_of "$1")"/index/*/index.sqlite; } # of this user, who has one
writer_of() { cultivar -C "$1" status --json | jq -r .writer; }

# Prints every record of this clone's own journal and spool, one per line; a record in both is printed twice.
records_of() {
    local ref segment
    ref=refs/heads/journal/$(writer_of "$1")
    if git -C "$1" rev-parse --quiet --verify "$ref" >/dev/null; then
        for segment in $(git -C "$1" ls-tree --name-only "$ref" seg/); do git -C "$1" show "$ref:$segment"; done
    fi
    cat "$(state_of "$1")/spool.jsonl" 2>/dev/null || true
}
# ids_of FOLDER TYPE: prints the ids of the records of one type.
ids_of() {
    records_of "$1" | jq -c "select(.type == \"$2\") | 1" >/dev/null # every line must be JSON
    records_of "$1" | grep "^{\"v\":1,\"type\":\"$2\"" | while IFS= read -r line; do
        printf '%s' "$line" | sha256sum | cut -c 1-64
    done
}
