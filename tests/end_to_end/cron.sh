#!/usr/bin/env bash
# Runs without a terminal and almost without an environment: the README's crontab line, offline, overlapping and idle.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh" "$1"
hosting=$world/hosting.git

found_pool referee "$hosting"
expect_ok cultivar -C referee propose
join_pool "$hosting" laptop
expect_ok cultivar -C laptop explore --runs 1 --propose
sent() { git -C hosting.git show "refs/heads/journal/$(writer_of laptop):seg/000000.jsonl" | grep -c '"type":"run"'; }
# Runs a command like cron: no terminal, a bare environment.
by_cron() {
    setsid --wait env -i HOME="$HOME" PATH="$programs:/usr/bin:/bin" CULTIVAR_THREADS=1 \
        ${CULTIVAR_LM:+CULTIVAR_LM="$CULTIVAR_LM"} "$@"
}

section "the crontab line says nothing and shares what it found"
expect_ok by_cron cultivar -C "$world/laptop" -q explore --runs 1 --propose
expect_no_out
expect_no_err
expect_same "runs on the hosting" 2 "$(sent)"

section "the same line without -q is plain text"
expect_ok by_cron cultivar -C "$world/laptop" explore --runs 1 --propose
expect_out '.'
reject_out $'[\e\r]'
reject_err $'[\e\r]'
expect_same "runs on the hosting" 3 "$(sent)"

section "offline it goes on, and sends later"
mv hosting.git away.git
expect_ok by_cron cultivar -C "$world/laptop" -q explore --runs 1 --propose
expect_no_out
expect_no_err
expect_ok by_cron cultivar -C "$world/laptop" explore --runs 1 --propose
expect_err 'going on without others'
expect_err 'kept for later'
expect_rc 128 by_cron cultivar -C "$world/laptop" pull
expect_err "^cultivar: cannot reach 'origin'"
expect_hint 'git ls-remote'
expect_rc 128 by_cron cultivar -C "$world/laptop" propose
mv away.git hosting.git
expect_same "runs on the hosting" 3 "$(sent)"
expect_ok by_cron cultivar -C "$world/laptop" -q explore --runs 1 --propose
expect_no_err
expect_same "runs on the hosting" 6 "$(sent)"

section "an overlapping start gives way"
add_seeds referee another=0.13 # fits the budget
expect_ok cultivar -C referee propose
setsid cultivar -C laptop explore --runs 1 --budget 6s >/dev/null 2>&1 </dev/null &
first=$!
wait_until 20 test -e "$(state_of laptop)/run/events.jsonl"
expect_rc 75 by_cron cultivar -C "$world/laptop" -q explore --runs 1 --propose
expect_no_out
expect_err "pid $first, cultivar explore, since 20"
expect_ok cultivar -C laptop status --json
expect_json '.exploring == true'
for looking in top log status; do expect_ok by_cron cultivar -C "$world/laptop" "$looking"; done
expect_ok by_cron cultivar -C "$world/laptop" pull
expect_ok by_cron cultivar -C "$world/laptop" propose
rc=0
wait "$first" || rc=$?
expect_same "exit code of the first" 0 "$rc"

section "idle pull and propose exit 0"
expect_ok by_cron cultivar -C "$world/laptop" propose
expect_ok by_cron cultivar -C "$world/laptop" propose
expect_err 'nothing to propose'
expect_ok by_cron cultivar -C "$world/laptop" pull
expect_err 'nothing new'
expect_ok by_cron cultivar -C "$world/laptop" -q pull
expect_no_err
expect_ok by_cron cultivar -C "$world/laptop" -q propose
expect_no_err
expect_same "records on the hosting" "$(records_of laptop | sort)" \
    "$(git -C hosting.git show "refs/heads/journal/$(writer_of laptop):seg/000000.jsonl" | sort)"

section "without HOME"
expect_ok setsid --wait env -i PATH="$programs:/usr/bin:/bin" cultivar -C "$world/laptop" top
expect_out 'cpu-1s'
