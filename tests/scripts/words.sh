#!/usr/bin/env bash
# scripts/check-words: counts clauses in comments and not in code, and fails at the limit and at a forbidden word.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
git init -q

# expect STATUS TEXT: the check of TEXT as a C++ file ends with STATUS.
expect() {
    local status=0
    printf '%s\n' "$2" >text.cpp
    "$root/scripts/check-words" >said 2>&1 || status=$?
    [[ $status -eq $1 ]] || {
        printf 'expected %s, got %s for: %s\n' "$1" "$status" "$2" >&2
        cat said >&2
        exit 1
    }
}

many=$(printf 'word %.0s' {1..600})
expect 0 "// $many"
expect 0 "// what $many"
expect 1 "// what is and whose was $many"
expect 0 "const char* text = \"what whose who // what\";  // $many"
expect 1 "// The rerun came to nothing. $many"
