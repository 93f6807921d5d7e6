#!/usr/bin/env bash
# Many processes explore, propose and pull against one server while they are killed, disks fill and the server restarts.
# Afterwards every run that a command reported as recorded is in the pool exactly once, and every repository is sound.
#
# The environment can enlarge it: TORTURE_SECONDS (30), TORTURE_CLONES (4), TORTURE_SEED (the draws of this script; the
# machine decides when a process is hit). KEEP_WORLD=1 keeps everything after a failure.
# shellcheck disable=SC2016 # jq has its own $variables
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
seconds=${TORTURE_SECONDS:-30} clones=${TORTURE_CLONES:-4}
RANDOM=${TORTURE_SEED:-1}
hosting=$world/hosting.git log=$world/log victims=$world/victims disk=$world/disk
mkdir "$log" "$victims" "$disk"

# --- The server: git daemon on loopback -------------------------------------------------------------------------------
server=0 port=0
server_answers() { git ls-remote --quiet "git://127.0.0.1:$port/hosting.git" >/dev/null 2>&1; }
start_server() {
    setsid git daemon --reuseaddr --listen=127.0.0.1 --port="$port" --base-path="$world" --export-all \
        --enable=receive-pack >>"$log/daemon" 2>&1 </dev/null &
    server=$!
    disown "$server" # the shell does not report its end
}
# stop_server SIGNAL: stops the daemon and all its children that serve a client now.
stop_server() {
    kill "-$1" -- "-$server" 2>/dev/null || true
    while kill -0 -- "-$server" 2>/dev/null; do sleep 0.02; done
}
find_port() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 20000))
        start_server
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            kill -0 "$server" 2>/dev/null || break
            ! server_answers || return 0
            sleep 0.1
        done
        stop_server KILL
    done
    command='git daemon' fail "a server" "one on a free port" "none"
}

stop_all() {
    touch "$world/stop"
    local file pid
    for file in "$victims"/*; do
        pid=$(cat "$file" 2>/dev/null) || continue
        [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
    done
    stop_server KILL
    ! mountpoint -q "$disk" || umount -l "$disk"
}
trap 'code=$?; stop_all; (exit $code); leave' EXIT

# --- The pool: an instant trainer, and clones, the first of them on a small disk --------------------------------------
mkdir -p draft/files
cat >draft/files/instant.awk <<'END'
function number(name,  at) {
    if (!match($0, "\"" name "\":-?[0-9.e+-]+")) exit 1
    at = RSTART + length(name) + 3
    return substr($0, at, RLENGTH - length(name) - 3) + 0
}
{
    x = number("x"); y = number("y")
    match($0, /"artifact":"[^"]+"/)
    printf "weights %.17g %.17g\n", x, y >substr($0, RSTART + 12, RLENGTH - 13)
    printf "{\"event\":\"done\",\"score\":%.17g}\n", (x - 3) ^ 2 + (y + 1) ^ 2
}
END
cat >draft/task.toml <<'END'
command.run = ["awk", "-f", "files/instant.awk", "{specification}"]
[gene.x]
type = "real"
default = 0.0
range = [-10.0, 10.0]
[gene.y]
type = "real"
default = 0.0
range = [-10.0, 10.0]
END
git init --quiet --bare "$hosting"
git -C "$hosting" config core.fsync committed # acknowledged pushes survive its death
find_port
expect_ok cultivar init founder --kind command --task draft/task.toml --budget 1s --remote "git://127.0.0.1:$port/hosting.git"
expect_ok cultivar -C founder propose
small_disk=no
! mount -t tmpfs -o size=16m tmpfs "$disk" 2>/dev/null || small_disk=yes
folders=()
for ((i = 0; i < clones; ++i)); do
    folder=clone$i
    [[ $i -gt 0 ]] || folder=$disk/clone$i
    expect_ok env CULTIVAR_NAME="clone$i" CULTIVAR_MACHINE=box cultivar clone "git://127.0.0.1:$port/hosting.git" "$folder"
    expect_ok cultivar -C "$folder" trust
    folders+=("$folder")
done

# --- Workers, and the processes that disturb them ---------------------------------------------------------------------
goes_on() { [[ ! -e $world/stop ]]; }
nap() { sleep "$(printf '0.%03d' $((RANDOM % $1)))"; }

# under_fire SLOT NUMBER COMMAND...: runs a process that may be killed; keeps its output and exit code in $log.
under_fire() {
    local slot=$1 name=$1.$2 code=0
    shift 2
    "$@" >"$log/$name.out" 2>"$log/$name.err" </dev/null &
    local pid=$!
    echo "$pid" >"$victims/$slot"
    wait "$pid" || code=$?
    rm -f "$victims/$slot"
    echo "$code $name $*" >>"$log/ends.$slot"
}
# limited KIB COMMAND...: simulates a full disk, if no small disk can be mounted: no file may grow beyond KIB KiB.
limited() {
    trap '' XFSZ
    ulimit -f "$1"
    shift
    exec "$@"
}
explores() { # SLOT FOLDER
    local number words
    RANDOM=$((RANDOM + $3))
    for ((number = 0; ; ++number)); do
        goes_on || return 0
        words=(cultivar -C "$2" --json explore --runs $((RANDOM % 4 + 1)))
        [[ $((RANDOM % 3)) -gt 0 ]] || words+=(--propose)
        if [[ $small_disk == no && $2 == "$disk"/* && $((RANDOM % 3)) -eq 0 ]]; then
            words=(limited $((RANDOM % 64 + 1)) "${words[@]}")
            echo >>"$log/full"
        fi
        under_fire "$1" "$number" "${words[@]}"
        nap 200
    done
}
shares() {
    local number
    RANDOM=$((RANDOM + $3))
    for ((number = 0; ; ++number)); do
        goes_on || return 0
        case $((RANDOM % 6)) in
            0 | 1 | 2) under_fire "$1" "$number" cultivar -C "$2" --json propose ;;
            3 | 4) under_fire "$1" "$number" cultivar -C "$2" --json pull ;;
            *) under_fire "$1" "$number" cultivar -C "$2" --json top ;;
        esac
        nap 500
    done
}
# Kills a cultivar with -9, and every other time also its children, which would otherwise be asked to stop.
kills() {
    local files pid kin
    RANDOM=$((RANDOM + 77))
    while goes_on; do
        nap 300
        files=("$victims"/*)
        pid=$(cat "${files[RANDOM % ${#files[@]}]}" 2>/dev/null) || continue
        [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) == cultivar ]] || continue
        kin=
        [[ $((RANDOM % 2)) -eq 0 ]] || kin=$(pgrep -P "$pid" || true)
        # shellcheck disable=SC2086 # one number per word
        ! kill -KILL "$pid" $kin 2>/dev/null || echo >>"$log/kills"
    done
}
# A killed server leaves locks; they are removed here, as an administrator would after a crash.
restarts() {
    RANDOM=$((RANDOM + 99))
    while goes_on; do
        for ((i = RANDOM % 40 + 40; i > 0; --i)); do
            goes_on || return 0
            sleep 0.1
        done
        if [[ $((RANDOM % 2)) -eq 0 ]]; then
            stop_server TERM
        else
            stop_server KILL
            find "$hosting" -name '*.lock' -delete
        fi
        echo >>"$log/restarts"
        nap 900
        start_server
        echo "$server" >"$world/server"
    done
}
fills() {
    while goes_on; do
        for i in 1 2 3 4 5 6; do
            goes_on || return 0
            sleep 0.$((RANDOM % 9 + 1))
        done
        dd if=/dev/zero of="$disk/ballast" bs=4k 2>/dev/null || echo >>"$log/full"
        sleep 1.$((RANDOM % 9))
        rm -f "$disk/ballast"
    done
}

section "$clones clones for $seconds s"
jobs_of=()
for ((i = 0; i < clones; ++i)); do
    for work in explores.a explores.b shares.a shares.b; do
        { "${work%.*}" "$i.$work" "${folders[i]}" "$i${#work}" & } 2>/dev/null
        jobs_of+=("$!")
    done
done
kills &
jobs_of+=("$!")
restarts 2>/dev/null &
jobs_of+=("$!")
[[ $small_disk == no ]] || { fills & jobs_of+=("$!"); }
count() { cat "$@" 2>/dev/null | wc -l; }
# A slow machine takes longer over as much.
much_happened() {
    [[ $(cat "$log"/*.explores.*.out | grep -c '"type": "run"') -ge 20 && $(count "$log/kills") -ge 5 && $(count "$log/restarts") -ge 1 ]]
}
sleep "$seconds"
until much_happened; do sleep 1; done
touch "$world/stop"
for job in "${jobs_of[@]}"; do wait "$job" 2>/dev/null || true; done
[[ ! -e $world/server ]] || server=$(<"$world/server")

section "afterwards everything is proposed, and a fresh clone pulls it"
rm -f "$disk/ballast"
[[ $small_disk == no ]] || mount -o remount,size=1g "$disk"
wait_until 20 server_answers
for folder in "${folders[@]}"; do
    wait_until 10 cultivar -q -C "$folder" explore --runs 1
    run cultivar -C "$folder" propose
    [[ $rc -eq 0 ]] || { sleep 3 && expect_ok cultivar -C "$folder" propose; }
    expect_ok cultivar -C "$folder" status --json
    expect_json '.unsent_records == 0'
    expect_ok git -C "$folder" fsck --strict --no-dangling
done
expect_ok cultivar clone "git://127.0.0.1:$port/hosting.git" fresh
expect_ok git -C "$hosting" fsck --strict --no-dangling
expect_ok git -C fresh fsck --strict --no-dangling
expect_ok cultivar -C fresh log -n 1000000 --json
expect_json 'all(.runs[]; .refused == null)'
json '.runs[].id' | sort >shown

# Reads the hosting's own bytes: the id of a record is the digest of its line.
for ref in $(git -C "$hosting" for-each-ref --format='%(refname)' refs/heads/journal/); do
    for segment in $(git -C "$hosting" ls-tree --name-only "$ref" seg/); do git -C "$hosting" show "$ref:$segment"; done
done >records
grep '^{"v":1,"type":"run"' records | while IFS= read -r line; do
    printf '%s' "$line" | sha256sum | cut -c 1-64
done | sort >there
for out in "$log"/*.explores.*.out; do jq -r '.runs[].id' "$out" 2>/dev/null || true; done | sort >reported
expect_same "runs reported twice" "" "$(uniq -d reported)"
comm -23 reported there >lost
sort records | uniq -d >twice
expect_same "what a fresh clone shows, and what the hosting holds" "$(sha256sum <there)" "$(sha256sum <shown)"
for out in "$log"/*.shares.*.out; do jq -r '.candidates[]? | strings' "$out" 2>/dev/null || true; done | sort -u >sent
git -C "$hosting" for-each-ref --format='%(refname:lstrip=3)' refs/heads/candidates/ | cut -c 1-32 | sort -u >branches
comm -23 sent branches >>lost

cat "$log"/ends.* >ends
printf 'torture: %s processes, %s kills, %s records (%s runs, %s of them reported), %s server restarts, %s full-disk episodes (%s), %s losses, %s duplicates\n' \
    "$(count ends)" "$(count "$log/kills")" "$(count records)" "$(count there)" "$(count reported)" \
    "$(count "$log/restarts")" "$(count "$log/full")" \
    "$([[ $small_disk == yes ]] && echo tmpfs || echo 'by file size: no tmpfs can be mounted here')" \
    "$(count lost)" "$(count twice)"
command='the sum of it'
expect_same "losses" "" "$(<lost)"
expect_same "duplicates" "" "$(<twice)"
# These commands never exit with 1; 137 comes from our own kills.
expect_same "other ends than 0, 75, 128 and 137" "" "$(grep -vE '^(0|75|128|137) ' ends || true)"

section "every clone that lived through it meets all the others"
for folder in "${folders[@]}"; do
    expect_ok cultivar -C "$folder" pull
    reject_err refused
    expect_ok cultivar -C "$folder" log -n 1000000 --json
    expect_same "runs that $folder shows" "$(sha256sum <there)" "$(json '.runs[].id' | sort | sha256sum)"
done
