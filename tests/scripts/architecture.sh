#!/usr/bin/env bash
# Tests scripts/check-architecture: it prints nothing on this tree, and names file and line of an include that is
# planted in a copy of it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

"$root/scripts/check-architecture" || fail "the tree breaks its own walls"

(cd "$root" && git ls-files -z --cached --others --exclude-standard '*.cpp' '*.h' '*CMakeLists.txt' |
    xargs -0 cp --parents -t "$copy" 2>/dev/null) || true # a listed file may be deleted
git -C "$copy" init -q

# expect_broken FILE INCLUDE WORDS: expects that INCLUDE as the new first line of FILE is reported.
expect_broken() {
    local file=$copy/$1 said
    cp "$file" "$copy/kept"
    { printf '#include %s\n' "$2"; cat "$copy/kept"; } >"$file"
    said=$("$root/scripts/check-architecture" "$copy") && fail "$1 may include $2"
    mv "$copy/kept" "$file"
    [[ $said == "$1:1: $2 $3" ]] || fail "said of $2 in $1: $said"
}

"$root/scripts/check-architecture" "$copy" || fail "the copy breaks its walls"
expect_broken pool/util/text.h '"pool/types/record.h"' "is in pool_types, which pool_util does not link"
expect_broken bandit/space/random.cpp '"pool/process/sandbox.h"' "is in pool_process, which bandit_space does not link"
expect_broken cli/session/session.cpp '"cli/format/messages.h"' "is in cli_format, which cli_session does not link"
expect_broken tests/bandit/space/random_test.cpp '"cli/app/terminal.h"' "is in cli_app, which bandit_test does not link"
expect_broken pool/types/task.cpp '<git2.h>' "needs PkgConfig::LIBGIT2, which pool_types does not link"
