// The scheduled workflow that keeps a pool on GitHub. Two jobs: one checks everything that came and may only read; one
// folds what is settled into the branch `archive` and may write. Neither runs anything out of the pool, nor any action:
// plain git alone holds the token, in steps in which cultivar does not run.
#pragma once

#include <string>

namespace cultivar {

inline constexpr const char* kGithubWorkflowPath = ".github/workflows/pool.yml";

// For this build of cultivar, pinned to its own commit.
std::string github_workflow();

}  // namespace cultivar
