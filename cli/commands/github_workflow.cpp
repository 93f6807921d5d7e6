#include "cli/commands/github_workflow.h"

#include "cli/commands/version.h"

namespace cultivar {
namespace {

constexpr const char* kHead =
    R"yml(# Keeps this pool: fetches news, checks it and moves settled candidates into the branch `archive`. Written
# by `cultivar init --host github`; cultivar-hook(1) describes the set-up and the reasons.
name: pool

on:
  schedule:
    - cron: '17 * * * *'
  workflow_dispatch:

env:
  # The repository of cultivar's own source, and the commit of it that runs here.
  CULTIVAR_URL: ${{ vars.CULTIVAR_URL }}
  CULTIVAR_REF: ')yml";

constexpr const char* kJobs = R"yml('
  CULTIVAR_NAME: archive
  CULTIVAR_MACHINE: github
  LC_ALL: C

permissions: {}

concurrency:
  group: pool

defaults:
  run:
    shell: bash
    working-directory: /tmp

jobs:
  check:
    runs-on: ubuntu-latest
    container: debian:12
    timeout-minutes: 45
    permissions:
      contents: read
    steps:
      - name: Install cultivar
        run: |
)yml";

constexpr const char* kInstall = R"yml(          apt-get update -q
          apt-get install -yq --no-install-recommends ca-certificates git
          git clone --quiet --no-checkout "$CULTIVAR_URL" cultivar-source
          git -C cultivar-source checkout --quiet --detach "$CULTIVAR_REF"
          sed -n '/^# build$/,/^$/{/^[a-z]/p}' cultivar-source/scripts/packages.txt | grep -v -e torch -e openblas |
            xargs apt-get install -yq --no-install-recommends
          cmake -S cultivar-source -B cultivar-build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCULTIVAR_LM=OFF
          cmake --build cultivar-build --target cultivar
)yml";

constexpr const char* kFetch = R"yml(      - name: Fetch the pool
        env:
          TOKEN: ${{ github.token }}
        run: |
          git init --quiet --bare pool.git
          git -C pool.git remote add origin "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"
          basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 -w 0)
          export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
          export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic"
          git -C pool.git fetch --quiet --no-tags origin 'refs/heads/*:refs/heads/*' \
            'refs/artifacts/*:refs/artifacts/*' 'refs/pull/*/head:refs/pull/*/head'
)yml";

// Scoring takes the data and the worker, which a host lacks: only the first tier, structure, is judged here.
constexpr const char* kCheck = R"yml(      - name: Check every hash, parent, record and signature
        run: |
          cultivar-build/bin/cultivar clone pool.git pool
          cultivar-build/bin/cultivar -C pool source add pulls "$PWD/pool.git" --refs 'refs/pull/*/head'
          cultivar-build/bin/cultivar -C pool pull
          cultivar-build/bin/cultivar -C pool fsck --pool  # a bad log of a contributor is told, and stops nobody

  archive:
    needs: check
    runs-on: ubuntu-latest
    container: debian:12
    timeout-minutes: 45
    permissions:
      contents: write
    steps:
      - name: Install cultivar
        run: |
)yml";

// The archive goes to the local copy first, so that cultivar never sees the token; git then sends the changes.
constexpr const char* kArchive = R"yml(      - name: Archive settled candidates
        env:
          CULTIVAR_KEY: ${{ secrets.CULTIVAR_KEY }}
        run: |
          test -n "$CULTIVAR_KEY" || { echo 'the secret CULTIVAR_KEY is missing: man cultivar-hook'; exit 1; }
          git -C pool.git for-each-ref --format='%(refname)' refs/heads/candidates refs/artifacts >before
          cultivar-build/bin/cultivar clone pool.git pool
          (umask 077 && printf '%s\n' "$CULTIVAR_KEY" >pool/.git/cultivar/key.pem)
          unset CULTIVAR_KEY
          cultivar-build/bin/cultivar -C pool source add pulls "$PWD/pool.git" --refs 'refs/pull/*/head'
          cultivar-build/bin/cultivar -C pool archive
          git -C pool.git for-each-ref --format='%(refname)' refs/heads/candidates refs/artifacts >after
      - name: Send it
        env:
          TOKEN: ${{ github.token }}
        run: |
          basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 -w 0)
          export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
          export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic"
          if git -C pool.git show-ref --quiet refs/heads/archive; then
            git -C pool.git push --quiet origin refs/heads/archive
          fi
          comm -23 before after | sed 's/^/:/' | xargs -r -n 100 git -C pool.git push --quiet origin
)yml";

}  // namespace

std::string github_workflow() {
    std::string text;
    for (const char* part : {kHead, kCommitName, kJobs, kInstall, kFetch, kCheck, kInstall, kFetch, kArchive})
        text += part;
    return text;
}

}  // namespace cultivar
