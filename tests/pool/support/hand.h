// A clone with everything that a command needs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pool/storage/segment_log.h"
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
    // Claims a recorded run, and publishes a verdict of this clone's own on it, which took 10 s and 70 J.
    void claim_and_accept(const cultivar::Run& run) {
        Verdict verdict;
        verdict.claim = spool(clone, claim_of(clone, {run}));
        verdict.task = clone.task_id, verdict.candidate = run.candidate, verdict.artifact = run.artifact;
        verdict.result = VerdictResult::accepted, verdict.tier = Tier::rescore, verdict.reason = "judged";
        verdict.verifier = clone.writer, verdict.at = "2026-11-21T05:00:00Z", verdict.slice = std::string(64, '4');
        verdict.seconds = 10, verdict.joules = 70;
        must(append_log(clone.repo, clone.ledger_ref(), {to_line(verdict)}, clone.identity(), clone.key));
        must(index.refresh());
    }

    Clone clone;
    Index index;
    std::unique_ptr<Transport> git;
};

}  // namespace cultivar
