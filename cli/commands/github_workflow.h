// The scheduled workflow that keeps a pool on GitHub. Two jobs: one checks everything that came and may only read; one
// moves settled candidates into the branch `archive` and may write. Neither runs code of the pool or an action: plain git
// alone holds the token, in steps in which cultivar does not run.
#pragma once

#include <string>

namespace cultivar {

inline constexpr const char* kGithubWorkflowPath = ".github/workflows/pool.yml";

// For this build of cultivar, pinned to its own commit.
std::string github_workflow();

}  // namespace cultivar
