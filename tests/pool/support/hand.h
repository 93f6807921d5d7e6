// A clone with everything that a command needs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pool/sync/artifact_store.h"
#include "pool/sync/propose.h"
#include "pool/sync/pull.h"
#include "tests/pool/support/world.h"

namespace cultivar {

struct Hand {
    explicit Hand(Clone opened)
        : clone(std::move(opened)), index(must(Index::open(clone))), git(git_cli_transport(clone.repo.git_dir())) {}
    Hand(const Hand&) = delete;

    ProposeReport propose(const std::vector<std::string>& ids = {}, const Destination& destination = {}) {
        return must(cultivar::propose(clone, index, *git, ids, destination));
    }
    PullReport pull() { return must(cultivar::pull(clone, index, *git)); }
    // Records a kept run of this clone, with weights that a verifier could load.
    cultivar::Run keep(const Genes& changes, double val_loss, std::vector<std::string> parents = {}) {
        auto run = run_by(clone, changes, val_loss);
        run.parents = std::move(parents);
        give_artifact(clone, run, "weights of " + run.candidate);
        spool(clone, run);
        must(index.refresh());
        return run;
    }

    Clone clone;
    Index index;
    std::unique_ptr<Transport> git;
};

}  // namespace cultivar
